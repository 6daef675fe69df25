"""The server under test, seen through the clouds' own SDKs.

Two clients of Alibaba Live with one face, so that every story runs over both signatures: `Modern` is
alibabacloud_live20161101 (V3), `Classic` is aliyun-python-sdk-live (V1). Parameters have the API's names. Both SDKs
are used as they come from PyPI.
"""

import contextlib
import http.client
import importlib
import json
import os
import re
import subprocess
import tempfile
import time
import unittest

API = os.environ["MILLRACE_API"]
RTMP = os.environ["MILLRACE_RTMP"]
HTTP = os.environ["MILLRACE_HTTP"]
KEY_ID = os.environ["MILLRACE_KEY_ID"]
KEY_SECRET = os.environ["MILLRACE_KEY_SECRET"]
PROJECT = os.environ["MILLRACE_PROJECT"]
TOKEN = os.environ["MILLRACE_TOKEN"]
BINARY = os.environ["MILLRACE_BINARY"]
CONFIG = os.environ["MILLRACE_CONFIG"]
BUCKET = os.environ["MILLRACE_BUCKET"]
SOURCE = os.environ.get("MILLRACE_SOURCE", "")

#: Longest that any condition may take to come true, in seconds.
PATIENCE = 60
REQUEST_ID = re.compile(r"^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$")

STORE = dict(OssEndpoint="oss-local", OssBucket="live-bucket")


class Refused(Exception):
    """What an SDK raised: HTTP status, code, message and request id, and the SDK's own exception."""

    def __init__(self, status, code, message, request_id, cause):
        super().__init__(f"{status} {code}: {message} ({request_id})")
        self.status, self.code, self.message, self.request_id = status, code, message, request_id
        self.cause = cause


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Modern:
    """alibabacloud_live20161101."""

    def __init__(self, key_id=KEY_ID, secret=KEY_SECRET, endpoint=API, protocol="http", ca=None):
        from alibabacloud_live20161101.client import Client
        from alibabacloud_tea_openapi.utils_models import Config

        config = Config(
            access_key_id=key_id,
            access_key_secret=secret,
            endpoint=endpoint,
            protocol=protocol,
            region_id="cn-shanghai",
            ca=ca,
        )
        self.client = Client(config)

    def call(self, operation, headers=None, **params):
        from alibabacloud_live20161101 import models
        from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
        from darabonba.runtime import ExtendsParameters, RuntimeOptions

        fields = {}
        for name, value in params.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                model = getattr(models, f"{operation}Request{name}")
                value = [model(**{snake(key): item[key] for key in item}) for item in value]
            fields[snake(name)] = value
        request = getattr(models, f"{operation}Request")(**fields)
        runtime = RuntimeOptions()
        if headers:
            runtime.extends_parameters = ExtendsParameters(headers=headers)
        try:
            answer = getattr(self.client, f"{snake(operation)}_with_options")(request, runtime)
        except AlibabaCloudException as error:
            data = error.data or {}
            message = data.get("Message") or data.get("message")
            # What the user sees of it holds all three.
            assert str(error.status_code) in str(error) and message in str(error), str(error)
            assert error.request_id in str(error), str(error)
            raise Refused(error.status_code, error.code, message, error.request_id, error) from error
        assert answer.status_code == 200
        return answer.body.to_map()


class Classic:
    """aliyun-python-sdk-live."""

    #: Setters of lists have a plural of their own.
    PLURAL = {
        "RecordFormat": "RecordFormats",
        "TranscodeRecordFormat": "TranscodeRecordFormats",
        "TranscodeTemplates": "TranscodeTemplatess",
    }

    def __init__(self, key_id=KEY_ID, secret=KEY_SECRET, endpoint=API):
        from aliyunsdkcore.client import AcsClient

        self.client = AcsClient(key_id, secret, "cn-shanghai")
        self.endpoint = endpoint

    def request(self, operation, params):
        module = importlib.import_module(f"aliyunsdklive.request.v20161101.{operation}Request")
        request = getattr(module, f"{operation}Request")()
        request.set_endpoint(self.endpoint)
        request.set_protocol_type("http")
        for name, value in params.items():
            if value is not None:
                setter = getattr(request, f"set_{self.PLURAL.get(name, name)}", None)
                if setter is None:
                    request.add_query_param(name, value)
                else:
                    setter(value)
        return request

    def call(self, operation, **params):
        from aliyunsdkcore.acs_exception.exceptions import ServerException

        try:
            answer = self.client.do_action_with_exception(self.request(operation, params))
        except ServerException as error:
            raise Refused(
                error.http_status, error.error_code, error.message, error.request_id, error
            ) from error
        return json.loads(answer)


def client(**how):
    """The client that this run is about."""
    return Classic(**how) if os.environ.get("MILLRACE_SDK") == "classic" else Modern(**how)


def huawei(key_id=KEY_ID, secret=KEY_SECRET, project=PROJECT):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdklive.v1 import LiveClient

    credentials = BasicCredentials(key_id, secret, project)
    return LiveClient.new_builder().with_credentials(credentials).with_endpoint(f"http://{API}").build()


def millrace(*words):
    """Runs the binary on the server's config and returns what it printed."""
    done = subprocess.run([BINARY, *words, "--config", CONFIG], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


def raw(method, path, body=None, headers=None):
    """A request by no SDK: status, headers and body of its answer."""
    with contextlib.closing(http.client.HTTPConnection(API, timeout=10)) as connection:
        with contextlib.suppress(BrokenPipeError):
            # One that is refused before all of it was sent has its answer all the same.
            connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def wait_for(what, ask):
    """Asks until there is an answer."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


def objects(prefix, suffix):
    """Objects in the bucket, by key."""
    found = []
    for folder, _, names in os.walk(BUCKET):
        keys = (os.path.relpath(os.path.join(folder, name), BUCKET) for name in names)
        found += [key for key in keys if key.startswith(prefix) and key.endswith(suffix)]
    return sorted(found)


class Story(unittest.TestCase):
    """What all stories need."""

    maxDiff = None

    def setUp(self):
        self.cloud = client()

    def done(self, operation, **params):
        """The answer of a call that must succeed."""
        answer = self.cloud.call(operation, **params)
        self.assertRegex(answer["RequestId"], REQUEST_ID)
        self.assertNotIn("Code", answer)
        return answer

    def refused(self, status, code, message, operation, **params):
        """A call must be refused in exactly these words; `message` None: in any."""
        cloud = params.pop("cloud", self.cloud)
        with self.assertRaises(Refused, msg=f"{operation} {params}") as caught:
            cloud.call(operation, **params)
        error = caught.exception
        self.assertEqual((error.status, error.code), (status, code), f"{operation} {params}: {error}")
        self.assertRegex(error.request_id, REQUEST_ID)
        self.assertTrue(error.message, error)
        if message is not None:
            self.assertEqual(error.message, message)
        return error

    def own_name(self):
        """A domain that no other test has."""
        words = f"{type(self).__name__}-{self._testMethodName}".lower().replace("_", "-")
        return f"{words}.test"

    def domain(self, name, ingest=None):
        """Declares a streaming domain of this story's own, and an ingest domain that leads to it."""
        self.done("AddLiveDomain", DomainName=name, LiveDomainType="liveVideo", Region="cn-shanghai")
        if ingest:
            self.done("AddLiveDomain", DomainName=ingest, LiveDomainType="liveEdge", Region="cn-shanghai")
            self.done("AddLiveDomainMapping", PullDomain=name, PushDomain=ingest)
        return name


class Push:
    """An ffmpeg that pushes the source in a loop, in real time."""

    def __init__(self, domain, app, stream):
        url = f"rtmp://{RTMP}/{app}/{stream}?vhost={domain}"
        self.said = tempfile.TemporaryFile("w+")
        command = ["ffmpeg", "-nostdin", "-v", "warning", "-re", "-stream_loop", "-1", "-i", SOURCE]
        self.process = subprocess.Popen([*command, "-c", "copy", "-f", "flv", url], stderr=self.said)

    def ended(self, seconds):
        """Its exit code; None when it still runs then."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def words(self):
        self.said.seek(0)
        return self.said.read()

    def stop(self):
        """As an operator would: it takes leave of the server."""
        self.process.send_signal(subprocess.signal.SIGINT)
        return self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.said.close()
