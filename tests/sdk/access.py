"""Who may do what: signatures, clocks, nonces, keys and policies, and what is unknown."""

import datetime
import json
import os
import re
import tempfile
import uuid

from cloud import API, STORE, Classic, Modern, Refused, Story, client, huawei, millrace, raw, wait_for


def key(*words):
    """A new key pair."""
    said = millrace("key", "create", *words)
    id_, secret = re.search(r"id (\S+)\nsecret (\S+)", said).groups()
    wait_for("the server to know the key", lambda: outcome(Modern(id_, secret)) != "InvalidAccessKeyId.NotFound")
    return dict(key_id=id_, secret=secret)


def outcome(cloud):
    """The code that a harmless call is refused with; None when it is done."""
    try:
        cloud.call("DescribeLiveUserDomains")
    except Refused as error:
        return error.code


def policy(*statements):
    file = tempfile.NamedTemporaryFile("w", suffix=".json", delete=False)
    json.dump({"Version": "1", "Statement": list(statements)}, file)
    file.close()
    try:
        return key("--policy", file.name)
    finally:
        os.unlink(file.name)


class Signatures(Story):
    DESCRIBE = dict(operation="DescribeLiveUserDomains")

    def test_a_wrong_secret(self):
        modern = Modern(secret="wrong")
        error = self.refused(400, "SignatureDoesNotMatch", None, cloud=modern, **self.DESCRIBE)
        self.assertIn(":ACS3-HMAC-SHA256\n", error.message)
        # The old SDK finds its own string to sign after the colon, and so knows that the secret is wrong.
        self.refused(400, "InvalidAccessKeySecret", None, cloud=Classic(secret="wrong"), **self.DESCRIBE)

    def test_an_unknown_key(self):
        for cloud in (Modern(key_id="nobody"), Classic(key_id="nobody")):
            message = "Specified access key is not found."
            self.refused(404, "InvalidAccessKeyId.NotFound", message, cloud=cloud, **self.DESCRIBE)

    def test_a_clock_may_be_a_quarter_of_an_hour_off(self):
        cloud = Modern()

        def at(seconds):
            moment = datetime.datetime.utcnow() + datetime.timedelta(seconds=seconds)
            return {"x-acs-date": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}

        for seconds in (-840, 840):
            cloud.call("DescribeLiveUserDomains", headers=at(seconds))
        for seconds in (-960, 960):
            code = "InvalidTimeStamp.Expired"
            self.refused(400, code, None, cloud=cloud, headers=at(seconds), **self.DESCRIBE)
        bad = {"x-acs-date": "yesterday"}
        self.refused(400, "InvalidTimeStamp.Format", None, cloud=cloud, headers=bad, **self.DESCRIBE)

    def test_a_nonce_is_good_for_one_call(self):
        cloud, nonce = Modern(), {"x-acs-signature-nonce": uuid.uuid4().hex}
        cloud.call("DescribeLiveUserDomains", headers=nonce)
        self.refused(400, "SignatureNonceUsed", None, cloud=cloud, headers=nonce, **self.DESCRIBE)

    def test_the_new_sdk_signs_the_old_way_too(self):
        cloud = Modern()
        cloud.client._signature_algorithm = "v2"
        self.assertIn("Domains", cloud.call("DescribeLiveUserDomains"))

    def test_an_unknown_operation(self):
        from aliyunsdkcore.acs_exception.exceptions import ServerException
        from aliyunsdkcore.request import CommonRequest

        for version, action, status, code in (
            ("2016-11-01", "FlyToTheMoon", 404, "InvalidAction.NotFound"),
            ("2015-01-01", "DescribeLiveUserDomains", 400, "InvalidVersion"),
        ):
            request = CommonRequest(API, version, action)
            request.set_protocol_type("http")
            request.set_method("POST")
            with self.assertRaises(ServerException) as caught:
                Classic().client.do_action_with_exception(request)
            self.assertEqual((caught.exception.http_status, caught.exception.error_code), (status, code))

    def test_unknown_parameters_are_ignored(self):
        request = Classic().request("DescribeLiveUserDomains", {})
        request.add_query_param("Unknown", "1")
        request.add_query_param("OwnerId", "1")
        self.assertIn("Domains", json.loads(Classic().client.do_action_with_exception(request)))

    def test_a_call_may_come_by_get_or_as_a_form(self):
        for method in ("GET", "POST"):
            request = Classic().request("DescribeLiveUserDomains", dict(PageSize=1))
            request.set_method(method)
            answer = json.loads(Classic().client.do_action_with_exception(request))
            self.assertEqual(answer["PageSize"], 1, method)
        request = Classic().request("DescribeLiveUserDomains", {})
        request.add_body_params("PageSize", 2)
        self.assertEqual(json.loads(Classic().client.do_action_with_exception(request))["PageSize"], 2)

    def test_xml_is_answered_when_it_is_asked_for(self):
        classic = Classic()
        request = classic.request("DescribeLiveUserDomains", dict(DomainName="nobody.test"))
        request.set_accept_format("XML")
        status, headers, body = classic.client.get_response(request)
        self.assertEqual((status, headers["Content-Type"]), (200, "text/xml;charset=utf-8"))
        text = body.decode()
        self.assertIn("<DescribeLiveUserDomainsResponse>", text)
        request = classic.request("DescribeLiveDomainDetail", dict(DomainName="nobody.test"))
        request.set_accept_format("XML")
        status, _, body = classic.client.get_response(request)
        text = body.decode()
        self.assertEqual(status, 404)
        self.assertTrue("<Error>" in text and "<Code>InvalidDomain.NotFound</Code>" in text, text)

    def test_an_unsigned_call_says_what_is_missing(self):
        status, _, body = raw("GET", "/?Action=DescribeLiveUserDomains&Version=2016-11-01&Format=JSON")
        body = json.loads(body)
        self.assertEqual((status, body["Code"]), (400, "MissingParameter"))
        self.assertTrue(body["RequestId"] and body["HostId"] and body["Message"])

    def test_a_large_body_is_refused(self):
        status, _, body = raw("POST", "/", b"x" * ((1 << 20) + 1))
        self.assertEqual(status, 413)
        self.assertIn(b"RequestEntityTooLarge", body)


class Keys(Story):
    def test_a_key_works_until_it_is_disabled(self):
        pair = key()
        cloud = client(**pair)
        cloud.call("DescribeLiveUserDomains")
        self.assertIn(pair["key_id"], millrace("key", "list"))
        self.assertNotIn(pair["secret"], millrace("key", "list"))
        millrace("key", "disable", pair["key_id"])
        self.ends_with(cloud, "InvalidAccessKeyId.Inactive")
        millrace("key", "delete", pair["key_id"])
        self.ends_with(cloud, "InvalidAccessKeyId.NotFound")

    def ends_with(self, cloud, code):
        wait_for(code, lambda: outcome(cloud) == code)

    def test_a_reading_key_changes_nothing(self):
        cloud = client(**key("--policy", "read"))
        cloud.call("DescribeLiveUserDomains")
        add = dict(DomainName="read.keys.test", LiveDomainType="liveVideo", Region="cn-shanghai")
        message = "User not authorized to operate on the specified resource, or this API doesn't support RAM."
        self.refused(403, "Forbidden.RAM", message, "AddLiveDomain", cloud=cloud, **add)

    def test_a_policy_is_about_actions_and_domains(self):
        here, there = self.domain("here.keys.test"), self.domain("there.keys.test")
        pair = policy(
            dict(Effect="Allow", Action="live:*Snapshot*", Resource=f"acs:cdn:*:1:domain/{here}"),
            dict(Effect="Deny", Action=["live:Delete*"], Resource="*"),
        )
        cloud = client(**pair)
        good = dict(STORE, AppName="app", TimeInterval=5, OverwriteOssObject="{AppName}/{StreamName}.jpg")
        cloud.call("AddLiveAppSnapshotConfig", DomainName=here, **good)
        cloud.call("DescribeLiveSnapshotConfig", DomainName=here)
        for operation, params in (
            ("AddLiveAppSnapshotConfig", dict(good, DomainName=there)),
            ("DescribeLiveSnapshotConfig", dict(DomainName=there)),
            ("DescribeLiveRecordConfig", dict(DomainName=here)),
            ("DeleteLiveAppSnapshotConfig", dict(DomainName=here, AppName="app")),
            ("DescribeLiveUserDomains", {}),
        ):
            self.refused(403, "Forbidden.RAM", None, operation, cloud=cloud, **params)

    def test_a_policy_has_conditions(self):
        allow = dict(Effect="Allow", Action="live:*", Resource="*")
        for condition, allowed in (
            ({"IpAddress": {"acs:SourceIp": "127.0.0.0/8"}}, True),
            ({"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}, False),
            ({"Bool": {"acs:SecureTransport": "true"}}, False),
            ({"DateLessThan": {"acs:CurrentTime": "2099-01-01T00:00:00Z"}}, True),
        ):
            cloud = client(**policy(dict(allow, Condition=condition)))
            if allowed:
                cloud.call("DescribeLiveUserDomains")
            else:
                self.refused(403, "Forbidden.RAM", None, "DescribeLiveUserDomains", cloud=cloud)

    def test_huaweis_actions_are_policed_the_same_way(self):
        from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
        from huaweicloudsdklive.v1 import DeleteSnapshotConfigRequest, ListSnapshotConfigsRequest

        api = huawei(**policy(dict(Effect="Allow", Action="live:snapshot:list*", Resource="*")))
        self.assertEqual(api.list_snapshot_configs(ListSnapshotConfigsRequest(domain="x.test")).total, 0)
        with self.assertRaises(ClientRequestException) as caught:
            api.delete_snapshot_config(DeleteSnapshotConfigRequest(domain="x.test", app_name="live"))
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (401, "LIVE.100011003"))

    def test_a_policy_that_cannot_be_judged_is_refused(self):
        with self.assertRaises(AssertionError) as caught:
            policy(dict(Effect="Allow", Action="*", Resource="*", Condition={"X": {"acs:SourceIp": "1.1.1.1"}}))
        self.assertIn("unknown operator", str(caught.exception))


class Callbacks(Story):
    def test_a_private_address_is_refused_where_the_operator_says_so(self):
        good = dict(DomainName=self.domain("callbacks.keys.test"), NotifyUrl="http://cb.example.com/")
        for url in ("http://127.0.0.1:9/", "http://10.1.2.3/", "https://[::1]/", "http://192.168.0.1/x"):
            bad = {**good, "NotifyUrl": url}
            self.refused(400, "InvalidNotifyUrl.Unsafe", None, "AddLiveRecordNotifyConfig", **bad)
        self.done("AddLiveRecordNotifyConfig", **good)


class Tls(Story):
    def test_the_api_is_there_over_tls(self):
        address, ca = os.environ.get("MILLRACE_API_TLS"), os.environ.get("MILLRACE_CA")
        if not address:
            raise AssertionError("the server under test has no TLS listener")
        cloud = Modern(endpoint=address, protocol="https", ca=ca)
        self.assertIn("Domains", cloud.call("DescribeLiveUserDomains"))
        pair = policy(
            dict(
                Effect="Allow",
                Action="live:*",
                Resource="*",
                Condition={"Bool": {"acs:SecureTransport": "true"}},
            )
        )
        secure = Modern(endpoint=address, protocol="https", ca=ca, **pair)
        self.assertIn("Domains", secure.call("DescribeLiveUserDomains"))
