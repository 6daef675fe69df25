//! The captured requests of `sdk-signatures.json`, and what nobody captured.

use bytes::Bytes;
use media::Wall;
use serde_json::Value;

use super::super::sign::string_to_sign;
use super::super::{Refusal, authenticate};
use crate::http::Request;
use crate::keys::{Key, KeyLookup};

const VECTORS: &str = include_str!("../../../../../tests/data/sdk-signatures.json");

struct Keys {
    id: String,
    secret: String,
    active: bool,
}

impl KeyLookup for Keys {
    fn find(&self, id: &str) -> Option<Key<'_>> {
        (id == self.id).then_some(Key { secret: &self.secret, active: self.active })
    }
}

fn vectors() -> (Keys, Vec<Value>) {
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    let text = |name: &str| all[name].as_str().unwrap().to_owned();
    let keys = Keys { id: text("access_key"), secret: text("secret"), active: true };
    let ours = all["vectors"].as_array().unwrap().iter().filter(|vector| vector["kind"] == "huawei");
    (keys, ours.cloned().collect())
}

fn request(vector: &Value) -> Request {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let target = text(&vector["target"]);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pair = |pair: &Value| (text(&pair[0]), text(&pair[1]));
    Request {
        method: text(&vector["method"]),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: vector["headers"].as_array().unwrap().iter().map(pair).collect(),
        body: Bytes::from(text(&vector["body"])),
    }
}

/// The moment a request says it was made.
fn made(request: &Request) -> Wall {
    let date = request.header("x-sdk-date").unwrap();
    let at = chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").unwrap();
    Wall(at.and_utc().timestamp_micros())
}

fn check(keys: &Keys, request: &Request, now: Wall) -> Result<String, Refusal> {
    authenticate(request, keys, |_| None, now)
}

/// A captured, valid request with the key that made it.
fn valid() -> (Keys, Request, Wall) {
    let (keys, vectors) = vectors();
    let request = request(vectors.iter().find(|vector| vector["name"] == "huawei create").unwrap());
    let now = made(&request);
    (keys, request, now)
}

#[track_caller]
fn refused(keys: &Keys, request: &Request, now: Wall, detail: &str) {
    let refusal = check(keys, request, now).unwrap_err();
    assert_eq!((refusal.status, refusal.code), (401, "LIVE.100011002"));
    assert_eq!(refusal.detail.as_deref(), Some(detail));
}

#[test]
fn captured_requests_are_let_in_and_tampered_ones_are_not() {
    let (keys, vectors) = vectors();
    assert!(vectors.len() >= 30);
    for vector in &vectors {
        let request = request(vector);
        let outcome = check(&keys, &request, made(&request));
        assert_eq!(outcome.is_ok(), vector["valid"].as_bool().unwrap(), "{}", vector["name"]);
    }
}

#[test]
fn the_string_to_sign_is_the_sdks() {
    let (_, vectors) = vectors();
    for vector in vectors.iter().filter(|vector| vector["valid"] == true) {
        let request = request(vector);
        let header = request.header("authorization").unwrap();
        let (_, signed) = header.split_once("SignedHeaders=").unwrap();
        let signed: Vec<&str> = signed.split(',').next().unwrap().split(';').collect();
        let date = request.header("x-sdk-date").unwrap();
        let string = string_to_sign(&request, date, &signed).unwrap();
        assert_eq!(string, vector["string_to_sign"].as_str().unwrap(), "{}", vector["name"]);
    }
}

#[test]
fn golden_signatures_of_the_reference_are_taken() {
    let pid = "0123456789abcdef0123456789abcdef";
    let keys = Keys { id: "AKTEST".into(), secret: "SKTEST".into(), active: true };
    let agent = "huaweicloud-usdk-python/3.0; os/Linux##1_SMP_PREEMPT_DYNAMIC_@0#x86_64 python/3.11.7 impl/CPython; app/0ea2d5d6-386f-44fb-adbf-8f4676215fa4";
    let create = r#"{"domain": "push.example.com", "app_name": "live", "auth_key": "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "time_interval": 5, "object_write_mode": 0, "obs_location": {"bucket": "b", "location": "cn-north-4", "object": "p/"}, "call_back_enable": "on", "call_back_url": "http://x/y"}"#;
    for (method, query, content_type, body, signature) in [
        (
            "GET",
            "app_name=live&domain=push.example.com&limit=10&offset=0",
            "application/json",
            "",
            "5abfbeda1883f61f1258e24f8cee798dde49a24cf7681788a2426148567a8f73",
        ),
        (
            "POST",
            "",
            "application/json; charset=utf-8",
            create,
            "06d95ed1050cfcaeee81c8499282d42e6380861442f6761bf3a98acfb0ff029c",
        ),
    ] {
        let headers = [
            ("content-type", content_type),
            ("Host", "127.0.0.1:38305"),
            ("User-Agent", agent),
            ("X-Project-Id", pid),
            ("X-Sdk-Date", "20261120T081236Z"),
            (
                "Authorization",
                &format!(
                    "SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host;user-agent;x-project-id;x-sdk-date, Signature={signature}"
                ),
            ),
        ];
        let request = Request {
            method: method.into(),
            path: format!("/v1/{pid}/stream/snapshot"),
            query: query.into(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: Bytes::from(body),
        };
        assert_eq!(check(&keys, &request, made(&request)), Ok("AKTEST".to_owned()), "{method}");
    }
}

#[test]
fn a_clock_may_be_a_quarter_of_an_hour_off_and_no_more() {
    let (keys, request, now) = valid();
    for seconds in [-900, 900] {
        assert!(check(&keys, &request, now.plus_micros(seconds * 1_000_000)).is_ok());
    }
    for seconds in [-901, 901] {
        let at = now.plus_micros(seconds * 1_000_000);
        refused(&keys, &request, at, "X-Sdk-Date is more than 15 minutes from the server's time");
    }
}

#[test]
fn a_disabled_key_is_told_so_only_when_its_holder_asks() {
    let (mut keys, mut request, now) = valid();
    keys.active = false;
    refused(&keys, &request, now, "the access key is disabled");
    request.query = "x=1".into();
    refused(&keys, &request, now, "the signature is not that of a known access key");
}

#[test]
fn an_unknown_key_signed_with_no_secret_is_not_let_in() {
    let (keys, request, now) = valid();
    let nobody = Keys { id: "other".into(), ..keys };
    refused(&nobody, &request, now, "the signature is not that of a known access key");
    let forged = super::super::sign::resign(&request, "");
    let header = request.headers.iter().position(|(name, _)| name == "Authorization").unwrap();
    let mut request = request;
    request.headers[header].1 = forged;
    refused(&nobody, &request, now, "the signature is not that of a known access key");
}

#[test]
fn a_signed_header_must_be_there_exactly_once() {
    let (keys, request, now) = valid();
    let mut twice = request.clone();
    twice.headers.push(("host".into(), "other".into()));
    refused(&keys, &twice, now, "signed header \"host\" must be there once");
    let mut absent = request;
    absent.headers.retain(|(name, _)| name != "User-Agent");
    refused(&keys, &absent, now, "signed header \"user-agent\" must be there once");
}

#[test]
fn headers_that_are_no_signature_say_what_is_wrong() {
    let (keys, request, now) = valid();
    let with = |value: &str| {
        let mut request = request.clone();
        request.headers.retain(|(name, _)| name != "Authorization");
        request.headers.push(("Authorization".into(), value.into()));
        request
    };
    for value in [
        "",
        "Basic eA==",
        "SDK-HMAC-SM3 Access=a, SignedHeaders=host, Signature=00",
        "V11-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=00",
        "SDK-HMAC-SHA256",
    ] {
        refused(&keys, &with(value), now, "Authorization is not SDK-HMAC-SHA256");
    }
    for value in ["SDK-HMAC-SHA256 ", "SDK-HMAC-SHA256 Access=a, Signature=00", "SDK-HMAC-SHA256 ,,=,"] {
        refused(&keys, &with(value), now, "Authorization needs Access, SignedHeaders and Signature");
    }
    refused(&keys, &with(&"x".repeat(5_000)), now, "Authorization is too long");
    let many = format!("SDK-HMAC-SHA256 Access=a, SignedHeaders={}, Signature=00", "a;".repeat(64));
    refused(&keys, &with(&many), now, "SignedHeaders names too many headers");
    let mut bare = request.clone();
    bare.headers.retain(|(name, _)| name != "Authorization");
    refused(&keys, &bare, now, "send X-Auth-Token or a signature in Authorization");
    let mut undated = request;
    undated.headers.retain(|(name, _)| name != "X-Sdk-Date");
    refused(&keys, &undated, now, "X-Sdk-Date is missing");
}

#[test]
fn a_token_stands_for_its_key_and_a_wrong_one_is_not_made_good_by_a_signature() {
    let (keys, mut request, now) = valid();
    request.headers.push(("X-Auth-Token".into(), "secret-token".into()));
    let holder = |token: &str| (token == "secret-token").then(|| "LTAI".to_owned());
    assert_eq!(authenticate(&request, &keys, holder, now), Ok("LTAI".to_owned()));
    let refusal = authenticate(&request, &keys, |_| None, now).unwrap_err();
    assert_eq!(refusal.detail.as_deref(), Some("X-Auth-Token is not valid"));
}

#[test]
fn the_hash_that_a_header_names_must_be_the_bodys() {
    let (keys, mut request, now) = valid();
    request.headers.push(("X-Sdk-Content-Sha256".into(), "UNSIGNED-PAYLOAD".into()));
    refused(&keys, &request, now, "X-Sdk-Content-Sha256 is not the hash of the body");
}

#[test]
fn a_refusal_has_the_envelope_and_the_request_id_in_its_header() {
    let response = Refusal::illegal("limit is 0, not 1 to 100").respond("ID");
    assert_eq!(response.status, 400);
    assert_eq!(response.header("x-request-id"), Some("ID"));
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(
        response.body,
        r#"{"error_code":"LIVE.100011001","error_msg":"Request Illegal","error_detail":"limit is 0, not 1 to 100"}"#
    );
}
