"""Snapshot configs and their notifications: seed 000 and its siblings."""

import datetime

from cloud import STORE, Refused, Story

MALFORMED = "Specified parameter {} is not valid."
BOTH = "Specified paramters OverwriteOssObject or SequenceOssObject should have one."
ABSENT = "The speicified config does not exist."
OVERWRITE = "{AppName}/{StreamName}.jpg"
SEQUENCE = "snapshot/{AppName}/{StreamName}/{UnixTimestamp}.jpg"


class Snapshot(Story):
    def setUp(self):
        super().setUp()
        self.name = self.domain(self.own_name())
        self.good = dict(STORE, DomainName=self.name, AppName="app", TimeInterval=5, SequenceOssObject=SEQUENCE)

    def add(self, **changes):
        return self.done("AddLiveAppSnapshotConfig", **{**self.good, **changes})

    def configs(self, **params):
        answer = self.done("DescribeLiveSnapshotConfig", DomainName=self.name, **params)
        return answer["LiveStreamSnapshotConfigList"]["LiveStreamSnapshotConfig"]

    def taken(self, **changes):
        """An Add that is accepted and read back as it was given; it is deleted again."""
        given = {**self.good, **changes}
        self.done("AddLiveAppSnapshotConfig", **given)
        (config,) = self.configs(AppName=given["AppName"])
        for name, value in given.items():
            self.assertEqual(config.get(name) or None, value or None, name)
        self.done("DeleteLiveAppSnapshotConfig", DomainName=self.name, AppName=given["AppName"])

    def not_taken(self, code, message, status=400, **changes):
        self.refused(status, code, message, "AddLiveAppSnapshotConfig", **{**self.good, **changes})

    def test_a_config_is_read_back(self):
        self.add(Callback="https://cb.example.com/x?a=1&b=2")
        answer = self.done("DescribeLiveSnapshotConfig", DomainName=self.name)
        paging = {name: answer[name] for name in ("PageNum", "PageSize", "TotalNum", "TotalPage", "Order")}
        self.assertEqual(paging, dict(PageNum=1, PageSize=10, TotalNum=1, TotalPage=1, Order="asc"))
        (config,) = answer["LiveStreamSnapshotConfigList"]["LiveStreamSnapshotConfig"]
        created = datetime.datetime.strptime(config.pop("CreateTime"), "%Y-%m-%dT%H:%M:%SZ")
        age = datetime.datetime.utcnow() - created
        self.assertLess(abs(age.total_seconds()), 60)
        self.assertEqual(config.pop("OverwriteOssObject", "") or "", "")
        self.assertEqual(config, dict(self.good, Callback="https://cb.example.com/x?a=1&b=2"))

    def test_values_at_the_ends_of_their_ranges(self):
        self.taken(TimeInterval=5)
        self.taken(TimeInterval=3600)
        self.taken(AppName="*")
        self.taken(AppName="a" * 255)
        self.taken(AppName="A-b_9")
        self.taken(OssEndpoint="oss-cn-shanghai.aliyuncs.com")
        self.taken(SequenceOssObject=None, OverwriteOssObject="x" * 251 + ".jpg")
        self.taken(SequenceOssObject="{Sequence}" + "x" * 241 + ".jpg")
        self.taken(SequenceOssObject="{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}.jpg")
        self.taken(SequenceOssObject=None, OverwriteOssObject=OVERWRITE)
        self.taken(Callback="http://learn.aliyundoc.com")

    def test_values_beyond_their_ranges(self):
        for interval in (4, 3601, 0, -1):
            self.not_taken("InvalidTimeInterval.Malformed", MALFORMED.format("TimeInterval"), TimeInterval=interval)
        for app in ("a" * 256, "-a", "_a", "a/b", "a.b", "**", "中"):
            self.not_taken("InvalidAppName.Malformed", MALFORMED.format("AppName"), AppName=app)
        for name in ("x" * 252 + ".jpg", "{AppName}.png", "{UnixTimestamp}.jpg", "../x.jpg", "{App}.jpg"):
            self.not_taken(
                "InvalidOverwriteOssObject.Malformed",
                MALFORMED.format("OverwriteOssObject"),
                SequenceOssObject=None,
                OverwriteOssObject=name,
            )
        for name in ("{Sequence}" + "x" * 242 + ".jpg", "{Sequence}.png", "{AppName}.jpg", "/{Sequence}.jpg"):
            code = "InvalidSequenceOssObject.Malformed"
            self.not_taken(code, MALFORMED.format("SequenceOssObject"), SequenceOssObject=name)
        for url in ("ftp://x/y", "x", "http://"):
            self.not_taken("InvalidCallback.Malformed", MALFORMED.format("Callback"), Callback=url)
        self.not_taken("InvalidOssEndpoint.Malformed", None, OssEndpoint="oss-nowhere")
        self.not_taken("InvalidOssBucket.Malformed", MALFORMED.format("OssBucket"), OssBucket="a/b")
        self.not_taken("InvalidOssBucket.NotFound", "The parameter OssBucket does not exist.", OssBucket="other")
        code = "InvalidOverwriteOssObjectOrSequenceOssObject.Malformed"
        self.not_taken(code, BOTH, OverwriteOssObject=OVERWRITE)
        self.not_taken(code, BOTH, SequenceOssObject=None)

    def test_a_missing_parameter_is_named(self):
        for name in ("DomainName", "AppName", "TimeInterval", "OssEndpoint", "OssBucket"):
            self.not_taken(f"Missing{name}", f"{name} is mandatory for this action.", **{name: None})
        unknown = "The domain provided does not exist in our records."
        self.not_taken("InvalidDomain.NotFound", unknown, 404, DomainName="nobody.example.com")

    def test_a_number_must_be_one(self):
        for text in ("five", "5.5", "1e3"):
            try:
                self.not_taken("InvalidTimeInterval.Malformed", MALFORMED.format("TimeInterval"), TimeInterval=text)
            except Refused:
                raise AssertionError(text)

    def test_a_config_is_one_per_domain_and_app(self):
        self.add()
        self.not_taken("ConfigAlreadyExists", "Config has already exist.")
        self.not_taken("ConfigAlreadyExists", "Config has already exist.", TimeInterval=60)
        self.add(AppName="*")
        self.add(AppName="App")
        self.assertEqual([config["AppName"] for config in self.configs()], ["app", "*", "App"])
        self.assertEqual([config["AppName"] for config in self.configs(AppName="*")], ["*"])

    def test_an_update_changes_what_is_given(self):
        self.add(Callback="http://cb.example.com/")
        key = dict(DomainName=self.name, AppName="app")
        self.done("UpdateLiveAppSnapshotConfig", **key, TimeInterval=3600)
        (config,) = self.configs()
        self.assertEqual((config["TimeInterval"], config["SequenceOssObject"]), (3600, SEQUENCE))
        self.assertEqual(config["Callback"], "http://cb.example.com/")
        self.done("UpdateLiveAppSnapshotConfig", **key, SequenceOssObject="-", OverwriteOssObject=OVERWRITE)
        (config,) = self.configs()
        self.assertEqual(config["OverwriteOssObject"], OVERWRITE)
        self.assertEqual(config.get("SequenceOssObject") or "", "")
        code = "InvalidOverwriteOssObjectOrSequenceOssObject.Malformed"
        self.refused(400, code, BOTH, "UpdateLiveAppSnapshotConfig", **key, OverwriteOssObject="-")
        code = "InvalidTimeInterval.Malformed"
        self.refused(400, code, None, "UpdateLiveAppSnapshotConfig", **key, TimeInterval=4)
        self.assertEqual(self.configs(), [config])

    def test_what_is_not_there_cannot_be_changed(self):
        key = dict(DomainName=self.name, AppName="app")
        code = "InvalidConfig.NotFound"
        self.refused(400, code, ABSENT, "UpdateLiveAppSnapshotConfig", **key, TimeInterval=5)
        self.refused(400, code, ABSENT, "DeleteLiveAppSnapshotConfig", **key)
        self.add()
        self.done("DeleteLiveAppSnapshotConfig", **key)
        self.assertEqual(self.configs(), [])
        self.refused(400, code, ABSENT, "DeleteLiveAppSnapshotConfig", **key)

    def test_pages(self):
        for number in range(7):
            self.add(AppName=f"app{number}")
        apps = lambda **params: [config["AppName"] for config in self.configs(**params)]
        self.assertEqual(apps(PageSize=5), [f"app{number}" for number in range(5)])
        self.assertEqual(apps(PageSize=5, PageNum=2), ["app5", "app6"])
        self.assertEqual(apps(PageSize=5, PageNum=3), [])
        self.assertEqual(apps(PageSize=30, Order="desc"), [f"app{number}" for number in reversed(range(7))])
        answer = self.done("DescribeLiveSnapshotConfig", DomainName=self.name, PageSize=5, PageNum=2)
        self.assertEqual((answer["TotalNum"], answer["TotalPage"], answer["PageNum"]), (7, 2, 2))
        for size in (4, 31):
            self.refused(
                400,
                "InvalidPageSize.Malformed",
                None,
                "DescribeLiveSnapshotConfig",
                DomainName=self.name,
                PageSize=size,
            )

    def test_a_template_of_the_file_is_read_only(self):
        key = dict(DomainName="file.example.com", AppName="app")
        found = self.done("DescribeLiveSnapshotConfig", DomainName="file.example.com")
        self.assertEqual(found["TotalNum"], 1)
        self.refused(403, "OperationDenied", None, "UpdateLiveAppSnapshotConfig", **key, TimeInterval=6)
        self.refused(403, "OperationDenied", None, "DeleteLiveAppSnapshotConfig", **key)


class SnapshotNotify(Story):
    def test_one_config_per_domain(self):
        name = self.domain("snapshot-notify.example.com")
        good = dict(DomainName=name, NotifyUrl="http://cb.example.com/" + "x" * 478)
        self.done("AddLiveSnapshotNotifyConfig", **good)
        answer = self.done("DescribeLiveSnapshotNotifyConfig", DomainName=name)
        self.assertEqual((answer["NotifyUrl"], answer["NotifyReqAuth"]), (good["NotifyUrl"], "no"))
        self.refused(409, "ConfigAlreadyExists", None, "AddLiveSnapshotNotifyConfig", **good)
        self.done("UpdateLiveSnapshotNotifyConfig", DomainName=name, NotifyReqAuth="yes", NotifyAuthKey="a1" * 16)
        answer = self.done("DescribeLiveSnapshotNotifyConfig", DomainName=name)
        answer.pop("RequestId")
        self.assertEqual(answer, dict(good, NotifyReqAuth="yes", NotifyAuthKey="a1" * 16))
        self.done("DeleteLiveSnapshotNotifyConfig", DomainName=name)
        for operation in ("Describe", "Update", "Delete"):
            self.refused(404, "ConfigNotFound", None, f"{operation}LiveSnapshotNotifyConfig", DomainName=name)

    def test_values_beyond_their_ranges(self):
        name = self.domain("snapshot-notify-bad.example.com")
        good = dict(DomainName=name, NotifyUrl="http://cb.example.com/", NotifyReqAuth="yes", NotifyAuthKey="k" * 16)
        for missing in ("DomainName", "NotifyUrl", "NotifyAuthKey"):
            self.refused(400, "MissingParam", None, "AddLiveSnapshotNotifyConfig", **{**good, missing: None})
        for bad in (
            dict(NotifyUrl="http://cb.example.com/" + "x" * 479),
            dict(NotifyUrl="cb.example.com"),
            dict(NotifyReqAuth="maybe"),
            dict(NotifyAuthKey="k" * 15),
            dict(NotifyAuthKey="k" * 33),
            dict(NotifyAuthKey="k" * 16 + "-"),
        ):
            self.refused(400, "MalformedParam", None, "AddLiveSnapshotNotifyConfig", **{**good, **bad})
        self.done("AddLiveSnapshotNotifyConfig", **good)
