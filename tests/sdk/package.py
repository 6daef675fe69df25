"""Packaging configs: seed 004 and its siblings."""

from cloud import Story

PROTOCOLS = ("HLS_CMAF", "LLHLS_TS", "LLHLS_CMAF", "DASH_CMAF", "HLSDASH_CMAF")


class Package(Story):
    def setUp(self):
        super().setUp()
        self.name = self.domain(self.own_name())
        self.good = dict(DomainName=self.name, AppName="app", StreamName="s", Protocol="HLS_CMAF")
        self.key = {name: self.good[name] for name in ("DomainName", "AppName", "StreamName")}

    def configs(self, **params):
        answer = self.done("DescribeLivePackageConfig", DomainName=self.name, **params)
        return answer["LivePackageConfigList"]["LivePackageConfig"]

    def taken(self, **changes):
        """An Add that is accepted; what is read back. It is deleted again."""
        given = {**self.good, **changes}
        self.done("AddLivePackageConfig", **given)
        (config,) = self.configs()
        for name, value in given.items():
            self.assertEqual(config[name], value, name)
        self.done("DeleteLivePackageConfig", **{name: given[name] for name in self.key})
        return config

    def not_taken(self, code, status=400, **changes):
        error = self.refused(status, code, None, "AddLivePackageConfig", **{**self.good, **changes})
        self.assertTrue(error.message.lower().endswith("please check and try again later."), error.message)

    def test_defaults_are_read_back(self):
        for protocol, segment, part in (
            ("HLS_CMAF", 5, None),
            ("DASH_CMAF", 5, None),
            ("HLSDASH_CMAF", 5, None),
            ("LLHLS_TS", 1, 350),
            ("LLHLS_CMAF", 1, 350),
        ):
            config = self.taken(Protocol=protocol)
            self.assertEqual((config["SegmentNum"], config["SegmentDuration"]), (3, segment), protocol)
            self.assertIs(config["IgnoreTranscode"], True)
            if part is not None:
                self.assertEqual(config["PartDuration"], part, protocol)
        self.assertEqual(self.taken(Protocol="LLHLS_CMAF", SegmentDuration=2)["PartDuration"], 700)

    def test_values_at_the_ends_of_their_ranges(self):
        for changes in (
            dict(SegmentNum=3),
            dict(SegmentNum=10),
            dict(SegmentDuration=1),
            dict(SegmentDuration=10),
            dict(Protocol="LLHLS_TS", SegmentDuration=1, PartDuration=100),
            dict(Protocol="LLHLS_TS", SegmentDuration=1, PartDuration=500),
            dict(Protocol="LLHLS_CMAF", SegmentDuration=2, PartDuration=100),
            dict(Protocol="LLHLS_CMAF", SegmentDuration=2, PartDuration=1000),
            dict(IgnoreTranscode=False),
            dict(IgnoreTranscode=True),
            dict(AppName="*", StreamName="*"),
            dict(AppName="a" * 255, StreamName="b" * 255),
        ):
            self.taken(**changes)

    def test_values_beyond_their_ranges(self):
        for number in (2, 11):
            self.not_taken("InvalidSegmentNum", SegmentNum=number)
        for seconds in (0, 11):
            self.not_taken("InvalidSegmentDuration", SegmentDuration=seconds)
        for protocol in ("LLHLS_TS", "LLHLS_CMAF"):
            for seconds in (0, 3):
                self.not_taken("InvalidSegmentDuration", Protocol=protocol, SegmentDuration=seconds)
            for seconds, part in ((1, 99), (1, 501), (2, 99), (2, 1001)):
                bad = dict(SegmentDuration=seconds, PartDuration=part)
                self.not_taken("InvalidPartDuration", Protocol=protocol, **bad)
        for protocol in ("HLS", "hls_cmaf", "RTMP"):
            self.not_taken("InvalidProtocol", Protocol=protocol)
        for name in ("AppName", "StreamName"):
            for value in ("-a", "_a", "a" * 256, "a/b"):
                self.not_taken("InvalidParams", **{name: value})

    def test_a_missing_parameter_is_named(self):
        for name in ("DomainName", "AppName", "StreamName", "Protocol"):
            self.not_taken("MissingParam", **{name: None})
        self.refused(404, "InvalidDomain.NotFound", None, "AddLivePackageConfig", **{**self.good, "DomainName": "nobody.example.com"})

    def test_a_config_is_one_per_domain_app_and_stream(self):
        self.done("AddLivePackageConfig", **self.good)
        self.not_taken("ConfigAlreadyExists")
        self.not_taken("ConfigAlreadyExists", Protocol="LLHLS_TS")
        self.done("AddLivePackageConfig", **{**self.good, "StreamName": "*"})
        self.assertEqual(len(self.configs()), 2)
        self.assertEqual(len(self.configs(StreamName="s")), 1)

    def test_an_update_and_a_delete(self):
        self.done("AddLivePackageConfig", **self.good)
        change = dict(Protocol="LLHLS_CMAF", SegmentNum=10, SegmentDuration=2, PartDuration=1000)
        self.done("UpdateLivePackageConfig", **self.key, **change, IgnoreTranscode=False)
        (config,) = self.configs()
        self.assertEqual({name: config[name] for name in change}, change)
        self.assertIs(config["IgnoreTranscode"], False)
        for missing in change:
            given = {name: value for name, value in change.items() if name != missing}
            self.refused(400, "MissingParam", None, "UpdateLivePackageConfig", **self.key, **given)
        bad = dict(change, SegmentNum=11)
        self.refused(400, "InvalidSegmentNum", None, "UpdateLivePackageConfig", **self.key, **bad)
        self.done("DeleteLivePackageConfig", **self.key)
        self.assertEqual(self.configs(), [])
        self.refused(404, "ConfigNotFound", None, "UpdateLivePackageConfig", **self.key, **change)
        self.refused(404, "ConfigNotFound", None, "DeleteLivePackageConfig", **self.key)

    def test_pages(self):
        for number in range(6):
            self.done("AddLivePackageConfig", **{**self.good, "StreamName": f"s{number}"})
        answer = self.done("DescribeLivePackageConfig", DomainName=self.name, PageSize=5, PageNum=2)
        paging = {name: answer[name] for name in ("PageNum", "PageSize", "TotalNum", "TotalPage", "Order")}
        self.assertEqual(paging, dict(PageNum=2, PageSize=5, TotalNum=6, TotalPage=2, Order="asc"))
        (config,) = answer["LivePackageConfigList"]["LivePackageConfig"]
        self.assertEqual(config["StreamName"], "s5")
        for size in (4, 31):
            bad = dict(DomainName=self.name, PageSize=size)
            self.refused(400, "InvalidParams", None, "DescribeLivePackageConfig", **bad)
