"""Recording configs and their notifications: seed 001 and its siblings."""

import datetime

from cloud import STORE, Story

MALFORMED = "Specified parameter {} is not valid."
ABSENT = "The speicified config does not exist."
FILE = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
SLICE = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
M3U8 = dict(Format="m3u8", OssObjectPrefix=FILE, SliceOssObjectPrefix=SLICE)
FLV = dict(Format="flv", OssObjectPrefix=FILE)
DAY = 24 * 3600


def at(seconds):
    """The moment so many seconds from now, as the API writes it."""
    moment = datetime.datetime.utcnow() + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Record(Story):
    def setUp(self):
        super().setUp()
        self.name = self.domain(self.own_name())
        self.good = dict(STORE, DomainName=self.name, AppName="app", RecordFormat=[M3U8])

    def configs(self, **params):
        answer = self.done("DescribeLiveRecordConfig", DomainName=self.name, **params)
        return answer["LiveAppRecordList"]["LiveAppRecord"]

    def taken(self, **changes):
        """An Add that is accepted; what is read back. It is deleted again."""
        given = {**self.good, **changes}
        self.done("AddLiveAppRecordConfig", **given)
        (config,) = self.configs()
        key = {name: given.get(name) for name in ("DomainName", "AppName", "StreamName")}
        self.done("DeleteLiveAppRecordConfig", **key)
        return config

    def not_taken(self, code, message, status=400, **changes):
        self.refused(status, code, message, "AddLiveAppRecordConfig", **{**self.good, **changes})

    def bad_format(self, code, message, **changes):
        """Refused in a format of either list."""
        item = {name: value for name, value in {**M3U8, **changes}.items() if value is not None}
        self.not_taken(code, message, RecordFormat=[item])
        self.not_taken(code, message, RecordFormat=None, TranscodeRecordFormat=[item], TranscodeTemplates=["sd"])

    def test_defaults_are_read_back(self):
        config = self.taken(RecordFormat=[M3U8, FLV, dict(FLV, Format="mp4"), dict(M3U8, Format="cmaf")])
        self.assertEqual(config["OnDemond"], 0)
        self.assertEqual(config["DelayTime"], 180)
        formats = {item["Format"]: item for item in config["RecordFormatList"]["RecordFormat"]}
        self.assertEqual([formats[name]["CycleDuration"] for name in ("m3u8", "cmaf")], [21600] * 2)
        self.assertEqual([formats[name]["CycleDuration"] for name in ("flv", "mp4")], [3600] * 2)
        self.assertEqual([formats[name]["SliceDuration"] for name in ("m3u8", "cmaf")], [30] * 2)
        self.assertEqual(formats["m3u8"]["OssObjectPrefix"], FILE)
        self.assertEqual(formats["m3u8"]["SliceOssObjectPrefix"], SLICE)
        self.assertEqual((config["OssEndpoint"], config["OssBucket"]), ("oss-local", "live-bucket"))
        self.assertEqual((config["DomainName"], config["AppName"]), (self.name, "app"))
        self.assertRegex(config["CreateTime"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_everything_is_read_back(self):
        start, end = at(3600), at(7200)
        config = self.taken(
            StreamName="s",
            StartTime=start,
            EndTime=end,
            OnDemand=7,
            DelayTime=21600,
            RecordFormat=[dict(M3U8, SliceDuration=5, CycleDuration=60)],
            TranscodeRecordFormat=[dict(FLV, CycleDuration=86400)],
            TranscodeTemplates=["sd", "hd"],
        )
        got = {name: config[name] for name in ("StreamName", "StartTime", "EndTime", "OnDemond", "DelayTime")}
        self.assertEqual(got, dict(StreamName="s", StartTime=start, EndTime=end, OnDemond=7, DelayTime=21600))
        (slices,) = config["RecordFormatList"]["RecordFormat"]
        self.assertEqual((slices["SliceDuration"], slices["CycleDuration"]), (5, 60))
        (transcoded,) = config["TranscodeRecordFormatList"]["RecordFormat"]
        self.assertEqual((transcoded["Format"], transcoded["CycleDuration"]), ("flv", 86400))
        self.assertEqual(config["TranscodeTemplates"]["Templates"], ["sd", "hd"])

    def test_values_at_the_ends_of_their_ranges(self):
        for changes in (
            dict(DelayTime=15),
            dict(DelayTime=21600),
            dict(OnDemand=0),
            dict(OnDemand=1),
            dict(OnDemand=2),
            dict(OnDemand=7),
            dict(AppName="*", StreamName="*"),
            dict(StreamName="s" * 255),
            dict(RecordFormat=[dict(M3U8, SliceDuration=5, CycleDuration=1)]),
            dict(RecordFormat=[dict(M3U8, SliceDuration=30, CycleDuration=86400)]),
            dict(RecordFormat=[dict(FLV, OssObjectPrefix="{StartTime}{EndTime}" + "x" * 235)]),
            dict(RecordFormat=[dict(FLV, OssObjectPrefix="{EscapedStartTime}_{EndTime}")]),
            dict(RecordFormat=[dict(M3U8, SliceOssObjectPrefix="{UnixTimestamp}{Sequence}" + "x" * 230)]),
            dict(TranscodeRecordFormat=[FLV], TranscodeTemplates=[f"t{number}" for number in range(10)]),
            dict(RecordFormat=None, TranscodeRecordFormat=[FLV], TranscodeTemplates=["*****"]),
            dict(StreamName="s", StartTime=at(7 * DAY - 60)),
            dict(StreamName="s", StartTime=at(60), EndTime=at(20 * DAY)),
        ):
            self.taken(**changes)

    def test_values_beyond_their_ranges(self):
        for seconds in (14, 21601):
            self.not_taken("InvalidDelayTime", "Specified Delaytime is invalid.", DelayTime=seconds)
        for mode in (-1, 3, 6, 8):
            self.not_taken("InvalidOnDemand.Malformed", None, OnDemand=mode)
        for seconds in (4, 31):
            message = "Specified SliceDuration Format is not valid."
            self.bad_format("InvalidSliceDuration.Malformed", message, SliceDuration=seconds)
        for seconds in (0, 86401):
            message = "Specified CycleDuration Format is not valid."
            self.bad_format("InvalidCycleDuration.Malformed", message, CycleDuration=seconds)
        for name in ("{StartTime}{EndTime}" + "x" * 236, "{StartTime}", "{EscapedEndTime}", "{StartTime}{EndTime}{X}"):
            message = MALFORMED.format("OssObjectPrefix")
            self.bad_format("InvalidOssObjectPrefix.Malformed", message, OssObjectPrefix=name)
        for name in ("{UnixTimestamp}{Sequence}" + "x" * 231, "{UnixTimestamp}", "{Sequence}", "../{UnixTimestamp}{Sequence}"):
            message = MALFORMED.format("SliceOssObjectPrefix")
            self.bad_format("InvalidSliceOssObjectPrefix.Malformed", message, SliceOssObjectPrefix=name)
        self.bad_format("InvalidFormat.Malformed", MALFORMED.format("Format"), Format="avi")
        for name in ("AppName", "StreamName"):
            self.not_taken(f"Invalid{name}.Malformed", MALFORMED.format(name), **{name: "-x"})
        self.not_taken("InvalidOssEndpoint.Malformed", None, OssEndpoint="oss-nowhere")
        self.not_taken("InvalidOssBucket.Malformed", MALFORMED.format("OssBucket"), OssBucket="a/b")
        self.not_taken("InvalidOssBucket.NotFound", "The parameter OssBucket does not exist.", OssBucket="other")

    def test_formats_and_templates(self):
        twice = "Specified parameter Format can not be multiple."
        self.not_taken("InvalidFormat.IllegalOperation", twice, RecordFormat=[FLV, M3U8, FLV])
        absent = "Template is mandatory for this action."
        self.not_taken("MissingTemplate", absent, RecordFormat=None)
        self.not_taken("MissingTemplate", absent, TranscodeRecordFormat=[FLV])
        many = [f"t{number}" for number in range(11)]
        message = "Specified record template length is not valid."
        self.not_taken("InvalidTemplateLength.Malformed", message, TranscodeRecordFormat=[FLV], TranscodeTemplates=many)
        message = "Template named raw is Forbidden."
        self.not_taken("InvalidTemplate.ForbidRaw", message, TranscodeRecordFormat=[FLV], TranscodeTemplates=["raw"])
        self.bad_format("MissingOssObjectPrefix", "OssObjectPrefix is mandatory for this action.", OssObjectPrefix=None)
        message = "SliceOssObjectPrefix is mandatory for this action."
        self.bad_format("MissingSliceOssObjectPrefix", message, SliceOssObjectPrefix=None)

    def test_times(self):
        message = "Specified {} is malformed."
        for text in ("tomorrow", "2018-04-10 09:57:21"):
            self.not_taken("InvalidStartTime.Malformed", message.format("StartTime"), StreamName="s", StartTime=text)
            self.not_taken("InvalidEndTime.Malformed", message.format("EndTime"), StreamName="s", EndTime=text)
        mismatch = "Specified EndTime does not math the specified StartTime or current time."
        self.not_taken("InvalidEndTime.Mismatch", mismatch, StreamName="s", StartTime=at(7200), EndTime=at(3600))
        self.not_taken("InvalidEndTime.Mismatch", mismatch, StreamName="s", EndTime=at(-3600))
        mismatch = "Specified StartTime does not math the current time."
        self.not_taken("InvalidStartTime.Mismatch", mismatch, StreamName="s", StartTime=at(7 * DAY + 60))
        self.not_taken("InvalidStartTime.Mismatch", mismatch, StreamName="s", StartTime=at(-7 * DAY - 60))

    def test_a_missing_parameter_is_named(self):
        for name in ("DomainName", "AppName", "OssEndpoint", "OssBucket"):
            self.not_taken(f"Missing{name}", f"{name} is mandatory for this action.", **{name: None})
        self.not_taken("InvalidDomain.NotFound", None, 404, DomainName="nobody.example.com")

    def test_a_config_is_one_per_domain_app_and_stream(self):
        self.done("AddLiveAppRecordConfig", **self.good)
        self.not_taken("ConfigAlreadyExists", "Config has already exist.")
        self.not_taken("ConfigAlreadyExists", "Config has already exist.", StreamName="*")
        self.done("AddLiveAppRecordConfig", **self.good, StreamName="s")
        self.assertEqual(len(self.configs()), 2)
        self.assertEqual(len(self.configs(AppName="app", StreamName="s")), 1)

    def test_an_update_keeps_names_and_bucket(self):
        self.done("AddLiveAppRecordConfig", **self.good)
        key = dict(DomainName=self.name, AppName="app")
        change = dict(OssEndpoint="oss-local", DelayTime=15, RecordFormat=[dict(Format="m3u8", SliceDuration=5)])
        self.done("UpdateLiveAppRecordConfig", **key, **change)
        (config,) = self.configs()
        (item,) = config["RecordFormatList"]["RecordFormat"]
        self.assertEqual((item["SliceDuration"], item["CycleDuration"]), (5, 21600))
        self.assertEqual((item["OssObjectPrefix"], item["SliceOssObjectPrefix"]), (FILE, SLICE))
        self.assertEqual((config["DelayTime"], config["OssBucket"]), (15, "live-bucket"))
        self.refused(400, "MissingOssEndpoint", None, "UpdateLiveAppRecordConfig", **key, DelayTime=20)
        bad = dict(OssEndpoint="oss-local", DelayTime=14)
        self.refused(400, "InvalidDelayTime", None, "UpdateLiveAppRecordConfig", **key, **bad)

    def test_what_is_not_there_cannot_be_changed(self):
        key = dict(DomainName=self.name, AppName="app", StreamName="s")
        code = "InvalidConfig.NotFound"
        self.refused(400, code, ABSENT, "UpdateLiveAppRecordConfig", **key, OssEndpoint="oss-local")
        self.refused(400, code, ABSENT, "DeleteLiveAppRecordConfig", **key)

    def test_pages(self):
        for number in range(6):
            self.done("AddLiveAppRecordConfig", **self.good, StreamName=f"s{number}")
        names = lambda **params: [config["StreamName"] for config in self.configs(**params)]
        self.assertEqual(names(PageSize=5), [f"s{number}" for number in range(5)])
        self.assertEqual(names(PageSize=5, PageNum=2), ["s5"])
        self.assertEqual(names(PageSize=5, Order="desc")[0], "s5")
        code = "InvalidPageSize.Malformed"
        self.refused(400, code, None, "DescribeLiveRecordConfig", DomainName=self.name, PageSize=31)


class RecordNotify(Story):
    def test_one_config_per_domain(self):
        name = self.domain("record-notify.example.com")
        good = dict(DomainName=name, NotifyUrl="http://cb.example.com/")
        self.done("AddLiveRecordNotifyConfig", **good)
        read = lambda: self.done("DescribeLiveRecordNotifyConfig", DomainName=name)["LiveRecordNotifyConfig"]
        self.assertIs(read()["NeedStatusNotify"], False)
        self.assertIs(read()["NotifyReqAuth"], False)
        self.refused(400, "ConfigAlreadyExists", None, "AddLiveRecordNotifyConfig", **good)
        full = dict(
            DomainName=name,
            NotifyUrl="https://cb.example.com/r",
            NeedStatusNotify=True,
            OnDemandUrl="http://cb.example.com/decide",
            NotifyReqAuth=True,
            NotifyAuthKey="a1" * 16,
        )
        self.done("UpdateLiveRecordNotifyConfig", **full)
        self.assertEqual(read(), full)
        self.done("DeleteLiveRecordNotifyConfig", DomainName=name)
        code = "InvalidConfig.NotFound"
        self.refused(404, code, None, "DescribeLiveRecordNotifyConfig", DomainName=name)
        self.refused(404, code, None, "UpdateLiveRecordNotifyConfig", **good)
        self.refused(404, code, None, "DeleteLiveRecordNotifyConfig", DomainName=name)

    def test_values_beyond_their_ranges(self):
        name = self.domain("record-notify-bad.example.com")
        add = "AddLiveRecordNotifyConfig"
        for url in ("cb.example.com", "ftp://cb.example.com/"):
            self.refused(400, "InvalidNotifyUrl.Malformed", None, add, DomainName=name, NotifyUrl=url)
        for key in ("k" * 15, "k" * 33, "k" * 15 + "_"):
            bad = dict(NotifyUrl="http://cb.example.com/", NotifyReqAuth=True, NotifyAuthKey=key)
            self.refused(400, "InvalidNotifyAuthKey.Malformed", None, add, DomainName=name, **bad)
        self.refused(400, "MissingNotifyUrl", None, add, DomainName=name)
