use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};

use super::super::{v1, v3};
use super::*;

/// What the unmodified SDKs sent, and the same tampered with.
const VECTORS: &str = include_str!("../../../../../tests/data/sdk-signatures.json");

fn vectors(kind: &str) -> (OneKey, Vec<(Value, Request)>) {
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = OneKey { id: text(&all["access_key"]), secret: text(&all["secret"]), active: true };
    let of_kind = all["vectors"].as_array().unwrap().iter().filter(|vector| vector["kind"] == kind);
    let requests = of_kind.map(|vector| {
        let target = text(&vector["target"]);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let headers = vector["headers"].as_array().unwrap().iter();
        let request = Request {
            method: text(&vector["method"]),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.map(|header| (text(&header[0]), text(&header[1]))).collect(),
            body: Bytes::from(text(&vector["body"])),
        };
        (vector.clone(), request)
    });
    (key, requests.collect())
}

/// The moment at which a vector was signed.
fn signed_at(request: &Request) -> Wall {
    let date = request.header("x-acs-date").map(str::to_owned);
    at(&date.or_else(|| Call::read(request).params().string("Timestamp")).unwrap())
}

fn check_vectors(kind: &str, valid: usize, tampered: usize) {
    let (key, vectors) = vectors(kind);
    let mut seen = (0, 0);
    for (vector, request) in vectors {
        let name = &vector["name"];
        match (vector["valid"].as_bool().unwrap(), authenticate(&request, &key, signed_at(&request))) {
            (true, Ok(caller)) => {
                assert_eq!(caller.key_id, key.id, "{name}");
                seen.0 += 1;
            }
            (false, Err(refusal)) => {
                assert_eq!((refusal.status, &*refusal.code), (400, "SignatureDoesNotMatch"), "{name}");
                seen.1 += 1;
            }
            (_, other) => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(seen, (valid, tampered));
}

#[test]
fn takes_every_v3_request_of_the_sdks_and_no_tampered_one() {
    check_vectors("acs3", 15, 49);
}

#[test]
fn takes_every_v1_request_of_the_sdks_and_no_tampered_one() {
    check_vectors("v1", 12, 25);
}

#[test]
fn signs_the_same_strings_as_the_sdks() {
    let mut seen = 0;
    for (vector, request) in vectors("acs3").1.into_iter().chain(vectors("v1").1) {
        let Some(expected) = vector["string_to_sign"].as_str() else { continue };
        let ours = match vector["kind"].as_str().unwrap() {
            "v1" => v1::string_to_sign(&request.method, Call::read(&request).params()),
            _ => {
                let header = request.header("authorization").unwrap();
                let signed = header.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
                v3::string_to_sign(&request, &signed.split(';').collect::<Vec<_>>())
            }
        };
        assert_eq!(ours, expected, "{}", vector["name"]);
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
}

const DOC_QUERY: &str = "Format=XML&SignatureMethod=HMAC-SHA1&Action=DescribeLiveSnapshotConfig\
    &AccessKeyId=testid&RegionId=cn-shanghai&ServiceCode=live&DomainName=test.com&AppName=test\
    &SignatureNonce=c2fe8fbb-2977-4414-8d39-348d02419c1c&Version=2016-11-01&SignatureVersion=1.0\
    &Timestamp=2017-06-14T09:51:14Z";
const DOC_TIME: &str = "2017-06-14T09:51:14Z";

fn doc_request() -> Request {
    get(&format!("{DOC_QUERY}&Signature={}", encode("3I5a3myPjp8FXWT4rvxX5pKb/aw=")))
}

#[test]
fn takes_the_example_of_the_documentation() {
    let caller = authenticate(&doc_request(), &test_key(), at(DOC_TIME)).unwrap();
    assert_eq!(caller.nonce, "c2fe8fbb-2977-4414-8d39-348d02419c1c");
}

#[test]
fn takes_the_example_of_a_post_with_v1() {
    let query = "Action=AddLivePackageConfig&Format=json&Version=2016-11-01\
        &Timestamp=2026-11-20T08%3A12%3A36Z&SignatureNonce=f1a3ee1412033caec2086307056a7d03&AppName=%2A\
        &DomainName=example.com&IgnoreTranscode=True&Protocol=LLHLS_CMAF&StreamName=%2A\
        &SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=testid\
        &Signature=jEOztOh0VItyctg29VU0gk6pzwU%3D";
    let mut request = get(query);
    request.method = "POST".to_owned();
    assert!(authenticate(&request, &test_key(), at("2026-11-20T08:12:36Z")).is_ok());
}

#[test]
fn the_clock_may_be_15_minutes_off_and_no_more() {
    for (seconds, taken) in [(900, true), (-900, true), (901, false), (-901, false)] {
        let now = at(DOC_TIME).plus_micros(seconds * 1_000_000);
        let result = authenticate(&doc_request(), &test_key(), now);
        match taken {
            true => assert!(result.is_ok(), "{seconds}"),
            false => assert_eq!(
                result.unwrap_err(),
                Refusal::new(
                    400,
                    "InvalidTimeStamp.Expired",
                    "Specified time stamp or date value is expired."
                )
            ),
        }
    }
}

#[test]
fn a_time_must_be_well_formed() {
    for time in ["2017-06-14 09:51:14", "2017-6-14T09:51:14Z", "2017-06-14T09:51:14", "1497433874", "x"] {
        let mut request = doc_request();
        request.query = request.query.replace(DOC_TIME, &encode(time));
        let refusal = authenticate(&request, &test_key(), at(DOC_TIME)).unwrap_err();
        let message = "Specified time stamp or date value is not well formatted.";
        assert_eq!(refusal, Refusal::new(400, "InvalidTimeStamp.Format", message), "{time}");
    }
}

#[test]
fn unknown_and_disabled_keys_are_told_apart() {
    let stranger = OneKey { id: "other".to_owned(), ..test_key() };
    let refusal = authenticate(&doc_request(), &stranger, at(DOC_TIME)).unwrap_err();
    let expected = Refusal::new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
    assert_eq!(refusal, expected);
    let disabled = OneKey { active: false, ..test_key() };
    let refusal = authenticate(&doc_request(), &disabled, at(DOC_TIME)).unwrap_err();
    let expected = Refusal::new(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.");
    assert_eq!(refusal, expected);
}

#[test]
fn each_common_parameter_is_missed_by_its_name() {
    let whole = doc_request();
    for name in ["Action", "Version", "AccessKeyId", "Timestamp", "SignatureNonce", "Signature"] {
        let kept = whole.query.split('&').filter(|piece| piece.split('=').next() != Some(name));
        let request = get(&kept.collect::<Vec<_>>().join("&"));
        let refusal = authenticate(&request, &test_key(), at(DOC_TIME)).unwrap_err();
        assert_eq!((refusal.status, &*refusal.code), (400, "MissingParameter"));
        assert!(refusal.message.contains(&format!("\"{name}\" that is mandatory")), "{refusal:?}");
    }
}

#[test]
fn other_algorithms_and_versions_are_refused_by_name() {
    for (from, to, name) in [
        ("HMAC-SHA1", "HMAC-SHA256", "SignatureMethod"),
        ("SignatureVersion=1.0", "SignatureVersion=2.0", "SignatureVersion"),
    ] {
        let mut request = doc_request();
        request.query = request.query.replace(from, to);
        let refusal = authenticate(&request, &test_key(), at(DOC_TIME)).unwrap_err();
        assert_eq!(&*refusal.code, "InvalidParameter");
        assert!(refusal.message.contains(name), "{refusal:?}");
    }
    let mut request = get("");
    request.headers.push(("Authorization".to_owned(), "ACS3-HMAC-SM3 Credential=testid".to_owned()));
    let refusal = authenticate(&request, &test_key(), at(DOC_TIME)).unwrap_err();
    assert_eq!((refusal.status, &*refusal.code), (400, "InvalidParameter"));
}

/// The first V3 vector with its header `Authorization` rewritten.
fn v3_with(rewrite: impl Fn(&str) -> String) -> Result<Caller, Refusal> {
    let (key, vectors) = vectors("acs3");
    let mut request = vectors[0].1.clone();
    let header = request.headers.iter_mut().find(|(name, _)| name == "Authorization").unwrap();
    header.1 = rewrite(&header.1);
    authenticate(&request, &key, signed_at(&request))
}

#[test]
fn a_v3_signature_must_cover_what_it_is_for() {
    assert!(v3_with(str::to_owned).is_ok());
    for name in ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"] {
        let refusal = v3_with(|header| header.replace(&format!(";{name}"), "")).unwrap_err();
        assert_eq!((refusal.status, &*refusal.code), (400, "IncompleteSignature"), "{name}");
    }
}

#[test]
fn a_broken_authorization_header_is_incomplete() {
    for header in ["ACS3-HMAC-SHA256", "ACS3-HMAC-SHA256 ", "ACS3-HMAC-SHA256 Credential=,Signature=x"] {
        let refusal = v3_with(|_| header.to_owned()).unwrap_err();
        assert_eq!(&*refusal.code, "IncompleteSignature", "{header}");
    }
    let many = format!("SignedHeaders={}", "host;".repeat(65));
    let refusal = v3_with(|header| header.replace("SignedHeaders=", &many)).unwrap_err();
    assert_eq!(&*refusal.code, "IncompleteSignature");
}

#[test]
fn a_mismatch_says_our_string_to_sign_after_the_only_colon_before_it() {
    let mut request = doc_request();
    request.query = request.query.replace("AppName=test", "AppName=other");
    let refusal = authenticate(&request, &test_key(), at(DOC_TIME)).unwrap_err();
    let (said, ours) = refusal.message.split_once(':').unwrap();
    assert!(said.starts_with("Specified signature is not matched with our calculation."));
    assert_eq!(ours, v1::string_to_sign("GET", Call::read(&request).params()));
}

#[test]
fn a_nonce_that_is_too_long_to_keep_is_refused() {
    let signed = |nonce: &str| {
        let query = DOC_QUERY.replace("c2fe8fbb-2977-4414-8d39-348d02419c1c", nonce);
        let text = v1::string_to_sign("GET", Call::read(&get(&query)).params());
        let mac = Hmac::<sha1::Sha1>::new_from_slice(b"testsecret&").unwrap().chain_update(text).finalize();
        let request = get(&format!("{query}&Signature={}", encode(&STANDARD.encode(mac.into_bytes()))));
        authenticate(&request, &test_key(), at(DOC_TIME))
    };
    assert!(signed(&"n".repeat(256)).is_ok());
    assert_eq!(signed(&"n".repeat(257)), Err(Refusal::invalid_common("SignatureNonce")));
}

#[test]
fn only_get_and_post_are_taken() {
    for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "get"] {
        let request = Request { method: method.to_owned(), ..doc_request() };
        let refusal = authenticate(&request, &test_key(), at(DOC_TIME)).unwrap_err();
        assert_eq!((refusal.status, &*refusal.code), (400, "UnsupportedHTTPMethod"));
    }
}
