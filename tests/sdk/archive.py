"""What was recorded: commands, content, index files, lists, and what becomes of their objects."""

import base64
import datetime
import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.request

from cloud import BUCKET, KEY_ID, KEY_SECRET, STORE, Classic, Push, Refused, Story, objects, wait_for

APP, STREAM = "live", "cam"
FILE = "rec/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
SLICE = "rec/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
LIST = "cut/{AppName}/{StreamName}/{Date}/{Hour}/{Minute}_{Second}.m3u8"
DAY = 24 * 3600
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"


def at(seconds):
    """The moment so many seconds from now, as the API writes it."""
    moment = datetime.datetime.utcnow() + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def around(before=3600, after=3600):
    """A time around now."""
    return dict(StartTime=at(-before), EndTime=at(after))


def fetch(url, **headers):
    """An object of the control port, by the key pair."""
    pair = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {pair}", **headers})
    return urllib.request.urlopen(request, timeout=10)


def seconds_of(key):
    """How long an object of the bucket plays, as ffprobe says."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json", os.path.join(BUCKET, key)]
    return float(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["format"]["duration"])


class Asked(Story):
    """What is refused, and what is empty; no stream is needed for it."""

    def setUp(self):
        super().setUp()
        self.name = self.domain(self.own_name())
        self.stream = dict(DomainName=self.name, AppName=APP, StreamName=STREAM)

    def names_a_stream(self, operation, **good):
        for name in ("DomainName", "AppName", "StreamName"):
            bad = {**self.stream, **good, name: ""}
            self.refused(400, f"Missing{name}", f"{name} is mandatory for this action.", operation, **bad)
        bad = {**self.stream, **good, "DomainName": "nobody.test"}
        message = "The domain provided does not exist in our records."
        self.refused(404, "InvalidDomain.NotFound", message, operation, **bad)
        self.refused(400, "InvalidStreamName.Malformed", None, operation, **{**self.stream, **good, "StreamName": "*"})

    def has_a_span(self, operation, **good):
        good = {**self.stream, **good}
        for name in ("StartTime", "EndTime"):
            self.refused(400, f"Missing{name}", f"{name} is mandatory for this action.", operation, **{**good, name: ""})
            message = f"Specified {name} is malformed."
            self.refused(400, f"Invalid{name}.Malformed", message, operation, **{**good, name: "2026-11-20 00:00"})
        message = "Specified end time does not math the specified start time."
        for bad in (at(-7200), at(5 * DAY)):
            self.refused(400, "InvalidEndTime.Mismatch", message, operation, **{**good, "EndTime": bad})

    def test_a_command_needs_a_config_and_a_stream(self):
        command = "RealTimeRecordCommand"
        self.names_a_stream(command, Command="start")
        self.refused(400, "MissingCommand", "Command is mandatory for this action.", command, **self.stream, Command="")
        self.refused(400, "InvalidCommand", None, command, **self.stream, Command="begin")
        self.refused(404, "InvalidConfig.NotFound", None, command, **self.stream, Command="start")
        formats = [dict(Format="flv", OssObjectPrefix=FILE)]
        key = dict(DomainName=self.name, AppName=APP)
        self.done("AddLiveAppRecordConfig", **key, **STORE, RecordFormat=formats)
        for word in ("start", "stop", "restart", "cancel_delay"):
            self.refused(404, "InvalidStream.NotFound", "Stream does not exist.", command, **self.stream, Command=word)

    def test_nothing_was_recorded(self):
        content = "DescribeLiveStreamRecordContent"
        self.names_a_stream(content, **around())
        self.has_a_span(content, **around())
        answer = self.done(content, **self.stream, **around())
        self.assertEqual(answer["RecordContentInfoList"], {"RecordContentInfo": []})

        files = "DescribeLiveStreamRecordIndexFiles"
        self.names_a_stream(files, **around())
        self.has_a_span(files, **around())
        for size in (4, 31):
            self.refused(400, "InvalidPageSize.Malformed", None, files, **self.stream, **around(), PageSize=size)
        self.refused(400, "InvalidOrder.Malformed", None, files, **self.stream, **around(), Order="up")
        answer = self.done(files, **self.stream, **around(), PageSize=30, PageNum=2, Order="desc")
        self.assertEqual(answer["RecordIndexInfoList"], {"RecordIndexInfo": []})
        paging = {name: answer[name] for name in ("PageNum", "PageSize", "TotalNum", "TotalPage", "Order")}
        self.assertEqual(paging, dict(PageNum=2, PageSize=30, TotalNum=0, TotalPage=0, Order="desc"))

        self.names_a_stream("DescribeLiveStreamRecordIndexFile", RecordId="1")
        self.refused(400, "MissingRecordId", None, "DescribeLiveStreamRecordIndexFile", **self.stream, RecordId="")
        self.refused(404, "InvalidRecordId.NotFound", None, "DescribeLiveStreamRecordIndexFile", **self.stream, RecordId="1")

    def test_no_list_is_made_of_nothing(self):
        make, good = "CreateLiveStreamRecordIndexFiles", dict(STORE, **around(), OssObject=LIST)
        self.names_a_stream(make, **good)
        self.has_a_span(make, **good)
        for code, change in (
            ("MissingOssEndpoint", dict(OssEndpoint="")),
            ("InvalidOssEndpoint.Malformed", dict(OssEndpoint="nowhere.test")),
            ("MissingOssBucket", dict(OssBucket="")),
            ("InvalidOssBucket.Malformed", dict(OssBucket="../x")),
            ("InvalidOssBucket.NotFound", dict(OssBucket="other-bucket")),
            ("MissingOssObject", dict(OssObject="")),
            ("InvalidOssObject.Malformed", dict(OssObject="../x.m3u8")),
            ("InvalidOssObject.Malformed", dict(OssObject="{Sequence}.m3u8")),
            ("InvalidOssObject.Malformed", dict(OssObject="x.mp4")),
        ):
            self.refused(400, code, None, make, **{**self.stream, **good, **change})
        message = "Speicified stream does not exist."
        self.refused(400, "InvalidStream.NotFound", message, make, **self.stream, **good, EndTimeIncluded=True)

    def test_nothing_is_deleted(self):
        delete, good = "DeleteLiveStreamRecordIndexFiles", dict(RecordId=["1", "2"], RemoveFile="true")
        if isinstance(self.cloud, Classic):
            good["RecordIds"] = good.pop("RecordId")
        self.names_a_stream(delete, **good)
        self.refused(400, "MissingRecordId", None, delete, **self.stream, RemoveFile="true")
        self.refused(400, "MissingRemoveFile", None, delete, **{**self.stream, **good, "RemoveFile": ""})
        self.refused(400, "InvalidRemoveFile.Malformed", None, delete, **{**self.stream, **good, "RemoveFile": "all"})
        # It has a Code of its own.
        answer = self.cloud.call(delete, **self.stream, **good)
        self.assertEqual((answer["Code"], answer["Message"]), ("OK", "OK"))
        outcomes = answer["RecordDeleteInfoList"]["RecordDeleteInfo"]
        self.assertEqual([outcome["RecordId"] for outcome in outcomes], ["1", "2"])
        self.assertNotIn("OK", [outcome["Message"] for outcome in outcomes])

    def test_nobody_was_told(self):
        told, good = "DescribeLiveRecordNotifyRecords", dict(DomainName=self.name, PageNumber=1, PageSize=500, **around())
        answer = self.cloud.call(told, **good, Status="failed", StorageType="all", AppName=APP, StreamName=STREAM)
        self.assertEqual((answer["Code"], answer["CallbackList"], answer["TotalNum"]), (200, [], 0))
        for code, change in (
            ("MissingDomainName", dict(DomainName="")),
            ("MissingStartTime", dict(StartTime="")),
            ("InvalidEndTime.Mismatch", dict(EndTime=at(-7200))),
            ("InvalidPageSize.Malformed", dict(PageSize=501)),
            ("InvalidPageNumber.Malformed", dict(PageNumber=100001)),
            ("InvalidStatus.Malformed", dict(Status="maybe")),
            ("InvalidStorageType.Malformed", dict(StorageType="tape")),
        ):
            self.refused(400, code, None, told, **{**good, **change})


class Recorded(Story):
    """A recording from its first slice to its deletion."""

    def test_a_recording_is_found_cut_played_and_deleted(self):
        self.name = self.domain(self.own_name())
        self.stream = dict(DomainName=self.name, AppName=APP, StreamName=STREAM)
        formats = [dict(Format="m3u8", SliceDuration=5, OssObjectPrefix=FILE, SliceOssObjectPrefix=SLICE)]
        key = dict(DomainName=self.name, AppName=APP)
        self.done("AddLiveAppRecordConfig", **key, **STORE, DelayTime=15, RecordFormat=formats)
        with Push(self.name, APP, STREAM) as push:
            # What is recorded of a stream that is still live can be cut already.
            wait_for("two slices", lambda: self.recorded() >= 8)
            self.made_while_live()
            push.stop()
        (whole,) = wait_for("the file", lambda: [file for file in self.files() if file["OssObject"].startswith("rec/")])
        self.described(whole)
        self.served(whole)
        cut = self.cut()
        self.not_over(whole)
        self.deleted(whole, cut)

    def recorded(self):
        """Seconds that the index knows of."""
        answer = self.done("DescribeLiveStreamRecordContent", **self.stream, **around())
        found = answer["RecordContentInfoList"]["RecordContentInfo"]
        for content in found:
            self.assertEqual((content["OssObjectPrefix"], content["OssBucket"]), (FILE, STORE["OssBucket"]))
        return sum(content["Duration"] for content in found)

    def files(self, **more):
        answer = self.done("DescribeLiveStreamRecordIndexFiles", **self.stream, **around(), **more)
        return answer["RecordIndexInfoList"]["RecordIndexInfo"]

    def make(self, **changes):
        given = {**self.stream, **STORE, **around(), "OssObject": LIST, **changes}
        return self.done("CreateLiveStreamRecordIndexFiles", **given)["RecordInfo"]

    def delete(self, *ids, objects):
        name = "RecordIds" if isinstance(self.cloud, Classic) else "RecordId"
        given = {**self.stream, name: list(ids), "RemoveFile": "true" if objects else "false"}
        answer = self.cloud.call("DeleteLiveStreamRecordIndexFiles", **given)
        return [outcome["Message"] for outcome in answer["RecordDeleteInfoList"]["RecordDeleteInfo"]]

    def made_while_live(self):
        before = objects("rec/", ".ts")
        made = self.make(OssObject="cut/live.m3u8")
        self.assertGreater(seconds_of("cut/live.m3u8"), 7)
        # It goes alone: its slices are of a recording that goes on.
        self.assertEqual(self.delete(made["RecordId"], objects=True), ["OK"])
        self.assertEqual(objects("cut/", ""), [])
        self.assertLessEqual(set(before), set(objects("rec/", ".ts")))

    def described(self, whole):
        got = {name: whole[name] for name in ("DomainName", "AppName", "StreamName", "OssEndpoint", "OssBucket", "Format")}
        self.assertEqual(got, dict(self.stream, **STORE, Format="m3u8"))
        self.assertEqual((whole["Width"], whole["Height"]), (320, 180))
        for name in ("StartTime", "EndTime", "CreateTime"):
            self.assertRegex(whole[name], TIME)
        self.assertAlmostEqual(whole["Duration"], seconds_of(whole["OssObject"]), delta=0.2)
        self.assertAlmostEqual(whole["Duration"], self.recorded(), delta=0.2)
        one = self.done("DescribeLiveStreamRecordIndexFile", **self.stream, RecordId=whole["RecordId"])
        self.assertEqual(one["RecordIndexInfo"], whole)
        self.assertEqual(self.files(PageSize=5, PageNum=2), [])

    def served(self, whole):
        with fetch(whole["RecordUrl"]) as answer:
            text = answer.read()
            self.assertEqual(answer.headers["Content-Type"], "application/vnd.apple.mpegurl")
        with open(os.path.join(BUCKET, whole["OssObject"]), "rb") as file:
            self.assertEqual(text, file.read())
        with fetch(whole["RecordUrl"], Range="bytes=1-6") as answer:
            self.assertEqual((answer.status, answer.read()), (206, b"EXTM3U"))
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(whole["RecordUrl"], timeout=10)
        self.assertEqual(caught.exception.code, 401)
        # A player gets everything by that URL.
        pair = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
        command = ["ffprobe", "-v", "error", "-headers", f"Authorization: Basic {pair}\r\n", whole["RecordUrl"]]
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run([*command, "-show_streams"], stdout=subprocess.PIPE, stderr=said, text=True, timeout=30)
            said.seek(0)
            self.assertEqual(done.returncode, 0, said.read())
        self.assertEqual(done.stdout.count("[STREAM]"), 2)

    def cut(self):
        made = self.make(EndTimeIncluded=True)
        self.assertNotIn("Format", made)
        self.assertRegex(made["OssObject"], rf"^cut/{APP}/{STREAM}/\d{{4}}-\d\d-\d\d/\d\d/\d\d_\d\d\.m3u8$")
        self.assertAlmostEqual(made["Duration"], seconds_of(made["OssObject"]), delta=0.2)
        found = self.done("DescribeLiveStreamRecordIndexFile", **self.stream, RecordId=made["RecordId"])
        self.assertEqual(found["RecordIndexInfo"], dict(made, Format="m3u8"))
        return made

    def not_over(self, whole):
        """A list neither takes the place of a recording nor is made of a time without one."""
        place = {**self.stream, **STORE}
        code = "InvalidOssObject.Malformed"
        self.refused(400, code, None, "CreateLiveStreamRecordIndexFiles", **place, **around(), OssObject=whole["OssObject"])
        before = dict(StartTime=at(-2 * DAY), EndTime=at(-DAY))
        self.refused(400, "NoRecordContent", None, "CreateLiveStreamRecordIndexFiles", **place, **before, OssObject=LIST)

    def deleted(self, whole, cut):
        slices = objects("rec/", ".ts")
        self.assertTrue(slices)
        self.assertEqual(self.delete(whole["RecordId"], objects=True), ["OK"])
        # The list is still there to play.
        self.assertEqual((objects("rec/", ".m3u8"), objects("rec/", ".ts")), ([], slices))
        self.assertGreater(seconds_of(cut["OssObject"]), 7)
        self.assertEqual(self.delete(cut["RecordId"], objects=True), ["OK"])
        self.assertEqual((objects("rec/", ""), objects("cut/", "")), ([], []))
        with self.assertRaises(Refused):
            self.cloud.call("DescribeLiveStreamRecordIndexFile", **self.stream, RecordId=whole["RecordId"])
        self.assertEqual(self.files(), [])
