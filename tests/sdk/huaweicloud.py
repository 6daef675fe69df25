"""Snapshot templates through huaweicloudsdklive: seed 002 and its siblings."""

import datetime
import json

from cloud import PROJECT, REQUEST_ID, TOKEN, Story, huawei, raw


def location(**changes):
    from huaweicloudsdklive.v1 import ObsFileAddr

    return ObsFileAddr(**{**dict(bucket="live-bucket", location="oss-local", object="o/"), **changes})


class Huawei(Story):
    def setUp(self):
        super().setUp()
        self.api = huawei()
        self.name = self.own_name()
        self.push = f"push.{self.name}"
        self.domain(self.name, self.push)

    def template(self, **changes):
        from huaweicloudsdklive.v1 import LiveSnapshotConfig

        fields = dict(domain=self.push, app_name="live", time_interval=5, object_write_mode=0)
        return LiveSnapshotConfig(**{"obs_location": location(), **fields, **changes})

    def create(self, **changes):
        from huaweicloudsdklive.v1 import CreateSnapshotConfigRequest

        return self.api.create_snapshot_config(CreateSnapshotConfigRequest(self.template(**changes)))

    def update(self, **changes):
        from huaweicloudsdklive.v1 import UpdateSnapshotConfigRequest

        return self.api.update_snapshot_config(UpdateSnapshotConfigRequest(self.template(**changes)))

    def delete(self, app="live"):
        from huaweicloudsdklive.v1 import DeleteSnapshotConfigRequest

        return self.api.delete_snapshot_config(DeleteSnapshotConfigRequest(domain=self.push, app_name=app))

    def list(self, api=None, **query):
        from huaweicloudsdklive.v1 import ListSnapshotConfigsRequest

        query = {"domain": self.push, **query}
        request = ListSnapshotConfigsRequest(**{name: value for name, value in query.items() if value is not None})
        return (api or self.api).list_snapshot_configs(request)

    def not_done(self, status, code, act, *words, **changes):
        from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

        with self.assertRaises(ClientRequestException, msg=str(changes)) as caught:
            act(*words, **changes)
        error = caught.exception
        self.assertEqual((error.status_code, error.error_code), (status, code), f"{changes} {error}")
        self.assertRegex(error.request_id, REQUEST_ID)
        self.assertTrue(error.error_msg)
        return error

    def test_a_template_is_created_listed_replaced_and_deleted(self):
        self.assertIn(self.create().status_code, (200, 201))
        listed = self.list()
        self.assertEqual((listed.total, listed.offset, listed.limit), (1, 0, 10))
        (config,) = listed.snapshot_config_list
        got = (config.domain, config.app_name, config.time_interval, config.object_write_mode, config.snapshot_mode)
        self.assertEqual(got, (self.push, "live", 5, 0, "keyframe"))
        at = config.obs_location
        self.assertEqual((at.bucket, at.location, at.object), ("live-bucket", "oss-local", "o/"))
        full = dict(
            auth_key="k" * 32,
            time_interval=3600,
            object_write_mode=1,
            snapshot_mode="random",
            call_back_enable="on",
            call_back_url="http://cb.example.com/x",
            image_object_format="{{.obs_object}}/{{.app}}/{{.stream}}.jpg",
            image_access_protocol="https",
            image_access_domain="img.example.com",
        )
        self.update(**full)
        (config,) = self.list().snapshot_config_list
        self.assertEqual({name: getattr(config, name) for name in full}, full)
        self.delete()
        self.assertEqual(self.list().total, 0)

    def test_pages(self):
        for app in "abcde":
            self.create(app_name=app)
        apps = lambda **query: [config.app_name for config in self.list(**query).snapshot_config_list]
        self.assertEqual(apps(limit=2), ["a", "b"])
        self.assertEqual(apps(limit=2, offset=2), ["e"])
        self.assertEqual(apps(limit=2, offset=3), [])
        self.assertEqual(apps(app_name="c"), ["c"])
        self.assertEqual(len(apps(limit=100)), 5)
        self.assertEqual(self.list(domain=self.name).total, 5)
        self.assertEqual(self.list(domain="nobody.huawei.test").total, 0)

    def test_queries_beyond_their_ranges(self):
        illegal = (400, "LIVE.100011001", self.list)
        for query in (
            dict(limit=0),
            dict(limit=101),
            dict(offset=-1),
            dict(domain="x" * 256),
            dict(app_name="x" * 129),
            dict(domain=None),
        ):
            error = self.not_done(*illegal, **query)
            self.assertEqual(error.error_msg, "Request Illegal")

    def test_templates_beyond_their_ranges(self):
        for changes in (
            dict(time_interval=4),
            dict(time_interval=3601),
            dict(object_write_mode=2),
            dict(snapshot_mode="never"),
            dict(auth_key="k" * 31),
            dict(auth_key="k" * 129),
            dict(app_name="x" * 129),
            dict(obs_location=location(bucket="other")),
            dict(obs_location=location(location="elsewhere")),
            dict(obs_location=location(object="o" * 1025)),
            dict(call_back_enable="yes"),
            dict(call_back_enable="on", call_back_url="cb.example.com"),
            dict(image_object_format="{{.stream}}.jpg"),
            dict(image_object_format="{{.unix_time}}.png"),
            dict(object_write_mode=1, image_object_format="{{.unix_time}}.jpg"),
            dict(image_access_protocol="ftp"),
            dict(image_access_domain="d" * 256),
        ):
            self.not_done(400, "LIVE.100011001", self.create, **changes)
        for changes in (
            dict(time_interval=5),
            dict(time_interval=3600),
            dict(auth_key="k" * 128),
            dict(snapshot_mode="nokeyframe"),
            dict(image_object_format="{{.fmt_time_local}}.jpg"),
            dict(image_object_format="{{.stream}}/{{.unix_time_milli}}.jpg"),
        ):
            self.create(**changes)
            self.delete()

    def test_duplicates_and_absences(self):
        self.not_done(404, "LIVE.103011019", self.update)
        self.not_done(404, "LIVE.103011019", self.delete)
        self.create()
        self.not_done(400, "LIVE.103011018", self.create)
        self.delete()
        self.not_done(404, "LIVE.103011019", self.create, domain="nobody.huawei.test")

    def test_both_clouds_see_one_catalog(self):
        self.create()
        answer = self.done("DescribeLiveSnapshotConfig", DomainName=self.name)
        (config,) = answer["LiveStreamSnapshotConfigList"]["LiveStreamSnapshotConfig"]
        self.assertEqual((config["AppName"], config["TimeInterval"]), ("live", 5))
        good = dict(DomainName=self.name, AppName="live", TimeInterval=60, OssEndpoint="oss-local")
        good.update(OssBucket="live-bucket", OverwriteOssObject="{AppName}/{StreamName}.jpg")
        self.refused(400, "ConfigAlreadyExists", None, "AddLiveAppSnapshotConfig", **good)
        self.delete()
        self.done("AddLiveAppSnapshotConfig", **good)
        (config,) = self.list().snapshot_config_list
        self.assertEqual((config.time_interval, config.object_write_mode), (60, 1))
        self.not_done(400, "LIVE.103011018", self.create)

    def test_who_is_not_let_in(self):
        denied = (401, "LIVE.100011002", self.list)
        self.not_done(*denied, api=huawei(secret="wrong"))
        self.not_done(*denied, api=huawei(key_id="nobody"))
        self.not_done(401, "LIVE.100011015", self.list, api=huawei(project="other"))

    def test_a_clock_may_be_a_quarter_of_an_hour_off(self):
        from huaweicloudsdklive.v1 import ListSnapshotConfigsRequest

        def list_at(seconds):
            at = datetime.datetime.utcnow() + datetime.timedelta(seconds=seconds)
            invoker = self.api.list_snapshot_configs_invoker(ListSnapshotConfigsRequest(domain=self.push))
            return invoker.add_header("X-Sdk-Date", at.strftime("%Y%m%dT%H%M%SZ")).invoke()

        for seconds in (-840, 840):
            self.assertEqual(list_at(seconds).total, 0)
        for seconds in (-960, 960):
            self.not_done(401, "LIVE.100011002", list_at, seconds)

    def send(self, method, path, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        status, headers, body = raw(method, path, headers=headers)
        self.assertRegex(headers["X-Request-Id"], REQUEST_ID)
        return status, json.loads(body or "{}")

    def test_a_token_lets_in(self):
        path = f"/v1/{PROJECT}/stream/snapshot?domain={self.push}"
        status, body = self.send("GET", path, X_Auth_Token=TOKEN)
        self.assertEqual((status, body["total"]), (200, 0))
        for headers in (dict(X_Auth_Token="wrong"), dict()):
            status, body = self.send("GET", path, **headers)
            self.assertEqual((status, body["error_code"]), (401, "LIVE.100011002"))
        status, body = self.send("GET", f"/v1/{PROJECT}/nothing", X_Auth_Token=TOKEN)
        self.assertEqual(status, 404)
        status, body = self.send("PATCH", path, X_Auth_Token=TOKEN)
        self.assertEqual((status, body["error_code"]), (400, "LIVE.100011011"))
