"""Domains, their mapping, and the lists of streams."""

from cloud import Story

UNKNOWN = "The domain provided does not exist in our records."


class Domain(Story):
    def names(self, **params):
        answer = self.done("DescribeLiveUserDomains", **params)
        return [item["DomainName"] for item in answer["Domains"]["PageData"]]

    def test_domains_are_added_listed_and_mapped(self):
        pull, push = "play.domains.test", "push.domains.test"
        self.domain(pull, push)
        detail = self.done("DescribeLiveDomainDetail", DomainName=pull)["DomainDetail"]
        got = {name: detail[name] for name in ("DomainName", "LiveDomainType", "DomainStatus", "Region")}
        self.assertEqual(
            got, dict(DomainName=pull, LiveDomainType="liveVideo", DomainStatus="online", Region="cn-shanghai")
        )
        detail = self.done("DescribeLiveDomainDetail", DomainName=push)["DomainDetail"]
        self.assertEqual(detail["LiveDomainType"], "liveEdge")
        self.assertEqual(self.names(DomainName="domains.test", PageSize=50), [pull, push])
        self.assertEqual(self.names(DomainName="domains.test", LiveDomainType="liveEdge"), [push])
        self.assertEqual(self.names(DomainName=pull, DomainSearchType="full_match"), [pull])
        answer = self.done("DescribeLiveUserDomains", DomainName="domains.test", PageSize=1, PageNumber=2)
        self.assertEqual((answer["PageNumber"], answer["PageSize"], answer["TotalCount"]), (2, 1, 2))
        self.assertEqual([item["DomainName"] for item in answer["Domains"]["PageData"]], [push])

    def test_what_cannot_be_added(self):
        name = self.domain("once.added.test")
        good = dict(DomainName=name, LiveDomainType="liveVideo", Region="cn-shanghai")
        self.assertEqual(self.refused_code("AddLiveDomain", **good)[0], 400)
        for missing in good:
            bad = {key: value for key, value in good.items() if key != missing}
            self.refused(400, f"Missing{missing}", None, "AddLiveDomain", **{**bad, missing: None})
        self.assertEqual(self.refused_code("AddLiveDomain", **{**good, "DomainName": "a..b"})[0], 400)
        bad = dict(good, DomainName="type.added.test", LiveDomainType="video")
        self.assertEqual(self.refused_code("AddLiveDomain", **bad)[0], 400)

    def refused_code(self, operation, **params):
        from cloud import Refused

        with self.assertRaises(Refused) as caught:
            self.cloud.call(operation, **params)
        return caught.exception.status, caught.exception.code

    def test_what_cannot_be_mapped(self):
        pull = self.domain("a.mapping.test", "b.mapping.test")
        map_ = "AddLiveDomainMapping"
        self.refused(400, "InvalidPullDomain.Miss", None, map_, PushDomain="b.mapping.test")
        self.refused(400, "InvalidPushDomain.Miss", None, map_, PullDomain=pull)
        self.refused(400, "DomainType.Malformed", None, map_, PullDomain="b.mapping.test", PushDomain=pull)
        self.refused(404, "InvalidDomain.NotFound", UNKNOWN, map_, PullDomain=pull, PushDomain="nobody.test")

    def test_an_unknown_domain_is_not_found(self):
        for operation in (
            "DescribeLiveDomainDetail",
            "DescribeLiveStreamsOnlineList",
            "DescribeLiveStreamsBlockList",
            "DescribeLiveSnapshotConfig",
            "DescribeLiveRecordConfig",
            "DescribeLivePackageConfig",
        ):
            self.refused(404, "InvalidDomain.NotFound", UNKNOWN, operation, DomainName="nobody.test")


class Streams(Story):
    def test_nothing_is_online_at_first(self):
        name = self.domain("empty.streams.test")
        answer = self.done("DescribeLiveStreamsOnlineList", DomainName=name)
        self.assertEqual(answer["OnlineInfo"]["LiveStreamOnlineInfo"], [])
        paging = {key: answer[key] for key in ("PageNum", "PageSize", "TotalNum", "TotalPage")}
        self.assertEqual(paging, dict(PageNum=1, PageSize=2000, TotalNum=0, TotalPage=0))
        for size in (0, 3001):
            bad = dict(DomainName=name, PageSize=size)
            self.refused(400, "InvalidPageSize.Malformed", None, "DescribeLiveStreamsOnlineList", **bad)

    def test_a_stream_is_forbidden_and_resumed(self):
        pull, push = "pull.forbid.test", "push.forbid.test"
        self.domain(pull, push)
        stream = dict(DomainName=push, AppName="live", StreamName="s", LiveStreamType="publisher")
        self.done("ForbidLiveStream", **stream, ResumeTime="2099-01-01T00:00:00Z")
        answer = self.done("DescribeLiveStreamsBlockList", DomainName=pull)
        self.assertEqual(answer["StreamUrls"]["StreamUrl"], [f"{pull}/live/s"])
        self.assertEqual((answer["DomainName"], answer["TotalNum"], answer["PageSize"]), (pull, 1, 2000))
        self.refused(400, "ConfigAlreadyExists", None, "ForbidLiveStream", **stream)
        self.done("ResumeLiveStream", **stream)
        answer = self.done("DescribeLiveStreamsBlockList", DomainName=pull)
        self.assertEqual(answer["StreamUrls"]["StreamUrl"], [])
        self.done("ForbidLiveStream", **stream, Oneshot="yes")
        self.assertEqual(self.done("DescribeLiveStreamsBlockList", DomainName=pull)["TotalNum"], 0)

    def test_what_cannot_be_forbidden(self):
        self.domain("pull.bad.test", "push.bad.test")
        stream = dict(DomainName="push.bad.test", AppName="live", StreamName="s", LiveStreamType="publisher")
        for missing in stream:
            self.refused(400, f"Missing{missing}", None, "ForbidLiveStream", **{**stream, missing: None})
        for time in ("tomorrow", "2001-13-01T00:00:00Z"):
            self.refused(400, "InvalidResumeTime.Malformed", None, "ForbidLiveStream", **stream, ResumeTime=time)
        unknown = {**stream, "DomainName": "nobody.test"}
        self.refused(404, "InvalidDomain.NotFound", UNKNOWN, "ForbidLiveStream", **unknown)
