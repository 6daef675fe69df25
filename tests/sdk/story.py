"""One live stream from the first call to the last, through the SDK alone."""

import datetime
import json
import os
import re
import subprocess
import time
import urllib.request

from cloud import BUCKET, HTTP, STORE, Push, Story, huawei, objects, wait_for

PULL, PUSH, APP, STREAM = "play.story.test", "push.story.test", "live", "cam"
FILE = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
SLICE = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"


def playlist():
    """The stream's multivariant playlist; None when there is none."""
    request = urllib.request.Request(f"http://{HTTP}/{APP}/{STREAM}.m3u8", headers={"Host": PULL})
    try:
        return urllib.request.urlopen(request, timeout=10).read().decode()
    except urllib.error.HTTPError:
        return None


def seconds_of(key):
    """How long an object plays, as ffprobe says."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json", os.path.join(BUCKET, key)]
    return float(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["format"]["duration"])


class Live(Story):
    def test_a_stream_from_its_domain_to_its_end(self):
        self.declare()
        self.first_push()
        self.second_push()
        self.recording_arrives()
        self.resumed()

    def declare(self):
        self.domain(PULL, PUSH)
        here = dict(DomainName=PULL, AppName=APP)
        name = "before/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}.jpg"
        self.done("AddLiveAppSnapshotConfig", **here, **STORE, TimeInterval=5, SequenceOssObject=name)
        formats = [
            dict(Format="m3u8", SliceDuration=5, OssObjectPrefix=FILE, SliceOssObjectPrefix=SLICE),
            dict(Format="flv", OssObjectPrefix=FILE),
        ]
        self.done("AddLiveAppRecordConfig", **here, **STORE, StreamName="*", DelayTime=15, RecordFormat=formats)
        package = dict(Protocol="HLS_CMAF", SegmentNum=3, SegmentDuration=1)
        self.done("AddLivePackageConfig", **here, StreamName="*", **package)
        self.assertIsNone(playlist())

    def online(self):
        answer = self.done("DescribeLiveStreamsOnlineList", DomainName=PULL)
        return answer["OnlineInfo"]["LiveStreamOnlineInfo"]

    def first_push(self):
        with Push(PUSH, APP, STREAM) as push:
            (stream,) = wait_for("the stream with its picture size", self.online_with_picture)
            got = {name: stream[name] for name in ("DomainName", "AppName", "StreamName", "PublishDomain")}
            self.assertEqual(got, dict(DomainName=PULL, AppName=APP, StreamName=STREAM, PublishDomain=PUSH))
            self.assertEqual((stream["Width"], stream["Height"], stream["VideoCodecId"]), (320, 180, 7))
            self.assertEqual(stream["AudioCodecId"], 10)
            self.assertEqual(stream["ClientIp"], "127.0.0.1")
            self.assertIn(f"/{APP}/{STREAM}", stream["PublishUrl"])
            wait_for("something to play", playlist)
            wait_for("a snapshot", lambda: objects("before/", ".jpg"))
            # While it is live: the stream keeps the plan that it began with.
            name = "after/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}.jpg"
            key = dict(DomainName=PULL, AppName=APP)
            self.done("UpdateLiveAppSnapshotConfig", **key, SequenceOssObject=name)
            wait_for("a second snapshot", lambda: len(objects("before/", ".jpg")) >= 2)
            self.assertEqual(objects("after/", ".jpg"), [])
            push.stop()
        wait_for("the stream to be offline", lambda: not self.online())

    def online_with_picture(self):
        return [stream for stream in self.online() if stream.get("Width") and stream.get("AudioCodecId")]

    def second_push(self):
        before = objects("before/", ".jpg")
        stream = dict(DomainName=PUSH, AppName=APP, StreamName=STREAM, LiveStreamType="publisher")
        with Push(PUSH, APP, STREAM) as push:
            wait_for("a snapshot of the changed config", lambda: objects("after/", ".jpg"))
            self.assertEqual(objects("before/", ".jpg"), before)
            wait_for("the stream to be online", self.online)
            asked = time.monotonic()
            self.done("ForbidLiveStream", **stream)
            self.assertIsNotNone(push.ended(10), "the encoder goes on")
            self.assertLess(time.monotonic() - asked, 5)
        self.assertEqual(self.online(), [])
        blocked = self.done("DescribeLiveStreamsBlockList", DomainName=PULL)["StreamUrls"]["StreamUrl"]
        self.assertEqual(blocked, [f"{PULL}/{APP}/{STREAM}"])
        with Push(PUSH, APP, STREAM) as push:
            self.assertNotIn(push.ended(10), (None, 0), push.words())
        self.assertEqual(self.online(), [])

    def recording_arrives(self):
        (flv,) = wait_for("the recording", lambda: objects(f"record/{APP}/{STREAM}/", ".flv"))
        (m3u8,) = wait_for("its playlist", lambda: objects(f"record/{APP}/{STREAM}/", ".m3u8"))
        # Both publishes, in one file: the pause was shorter than DelayTime.
        self.assertGreater(seconds_of(flv), 5)
        self.assertGreater(seconds_of(m3u8), 5)
        with open(os.path.join(BUCKET, m3u8)) as playlist:
            self.assertEqual(playlist.read().count("#EXT-X-DISCONTINUITY\n"), 1)
        self.assertTrue(objects(f"record/{APP}/{STREAM}/", ".ts"))

    def resumed(self):
        stream = dict(DomainName=PUSH, AppName=APP, StreamName=STREAM, LiveStreamType="publisher")
        self.done("ResumeLiveStream", **stream)
        with Push(PUSH, APP, STREAM):
            wait_for("the stream to be online again", self.online)


class HuaweiPictures(Story):
    """Pictures of a template that Huawei's SDK made, named as it says."""

    def create(self, app, **changes):
        from huaweicloudsdklive.v1 import CreateSnapshotConfigRequest, LiveSnapshotConfig, ObsFileAddr

        at = ObsFileAddr(bucket="live-bucket", location="oss-local", object="obs/")
        fields = dict(domain=self.push, app_name=app, time_interval=5, obs_location=at, **changes)
        huawei().create_snapshot_config(CreateSnapshotConfigRequest(LiveSnapshotConfig(**fields)))

    def test_pictures_are_named_as_the_template_says(self):
        pull, self.push = "play.pictures.test", "push.pictures.test"
        self.domain(pull, self.push)
        name = "{{.obs_object}}/{{.domain}}/{{.app}}/{{.stream}}/{{.fmt_time_utc}}-{{.fmt_time_local}}-{{.unix_time}}.jpg"
        self.create("all", object_write_mode=0, image_object_format=name)
        self.create("newest", object_write_mode=1)
        with Push(self.push, "all", "cam"), Push(self.push, "newest", "cam"):
            (newest,) = wait_for("the newest picture", lambda: objects("obs/push.pictures.test/newest/", ".jpg"))
            (first, *_) = wait_for("a picture", lambda: objects("obs/push.pictures.test/all/cam/", ".jpg"))
        self.assertEqual(newest, "obs/push.pictures.test/newest/cam.jpg")
        utc, local, unix = re.search(r"/(\d{14})-(\d{14})-(\d+)\.jpg$", first).groups()
        at = datetime.datetime.fromtimestamp(int(unix), datetime.timezone.utc)
        self.assertEqual(utc, at.strftime("%Y%m%d%H%M%S"))
        self.assertEqual(local, (at + datetime.timedelta(hours=8)).strftime("%Y%m%d%H%M%S"))
        self.assertLess(abs(time.time() - int(unix)), 60)
