use super::*;

const ID: &str = "16A96B9A-F203-4EC5-8E43-CB92E68F4CD8";

fn with_header(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

fn v3(query: &str) -> Request {
    let request = with_header(get(query), "Authorization", "ACS3-HMAC-SHA256 Credential=a");
    with_header(with_header(request, "x-acs-action", "FromHeader"), "x-acs-version", "2016-11-01")
}

#[test]
fn the_operation_is_named_in_headers_in_v3_and_in_parameters_in_v1() {
    let query = "Action=FromQuery&Version=2020-11-09";
    let call = Call::read(&v3(query));
    assert_eq!((call.action(), call.version()), ("FromHeader", "2016-11-01"));
    let v1 = with_header(get(query), "x-acs-action", "FromHeader");
    let call = Call::read(&v1);
    assert_eq!((call.action(), call.version()), ("FromQuery", "2020-11-09"));
}

#[test]
fn query_and_form_are_merged() {
    let mut request =
        with_header(get("A=1&B=2"), "Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
    request.body = Bytes::from_static(b"C=%E4%B8%AD+x&A=3");
    let call = Call::read(&request);
    assert_eq!(["A", "B", "C"].map(|name| call.params().text(name)), [Some("1"), Some("2"), Some("中 x")]);
}

#[test]
fn a_body_of_another_type_has_no_parameters() {
    let mut request = with_header(get("A=1"), "Content-Type", "application/json");
    request.body = Bytes::from_static(b"B=2");
    assert_eq!(Call::read(&request).params().text("B"), None);
}

#[test]
fn v1_answers_xml_unless_told_otherwise_and_v3_always_json() {
    for (query, format) in [
        ("", Format::Xml),
        ("Format=xml", Format::Xml),
        ("Format=json", Format::Json),
        ("Format=JSON", Format::Json),
    ] {
        assert_eq!(Call::read(&get(query)).format(), format, "{query}");
    }
    assert_eq!(Call::read(&v3("Format=XML")).format(), Format::Json);
}

#[test]
fn success_carries_the_request_id() {
    let response = Call::read(&v3("")).answer(Ok(json!({})), ID);
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, Some("application/json;charset=utf-8"))
    );
    assert_eq!(text(&response), format!("{{\"RequestId\":\"{ID}\"}}"));
}

#[test]
fn success_in_xml_is_named_after_the_operation() {
    let call = Call::read(&get("Action=DescribeLiveSnapshotConfig"));
    let response = call.answer(Ok(json!({ "List": { "Item": [{ "A": "<" }, { "A": "b" }] } })), ID);
    assert_eq!(response.header("content-type"), Some("text/xml;charset=utf-8"));
    let body = text(&response);
    assert!(body.contains("<DescribeLiveSnapshotConfigResponse>"), "{body}");
    assert!(body.contains("<List><Item><A>&lt;</A></Item><Item><A>b</A></Item></List>"), "{body}");
    assert!(body.contains(&format!("<RequestId>{ID}</RequestId>")), "{body}");
}

#[test]
fn an_error_is_as_the_sample_of_the_seeds() {
    let response = Call::read(&v3("")).answer(Err(Refusal::internal()), ID);
    let sample = json!({
        "Code": "InternalError",
        "HostId": "live.aliyuncs.com",
        "Message": "The request processing has failed due to some unknown error.",
        "RequestId": ID,
    });
    assert_eq!(response.status, 500);
    assert_eq!(serde_json::from_slice::<Value>(&response.body).unwrap(), sample);
}

#[test]
fn an_error_in_xml_has_the_root_error_and_the_type_that_the_sdk_reads() {
    let response = Call::read(&get("Action=</x>")).answer(Err(Refusal::nonce_used()), ID);
    assert_eq!((response.status, response.header("content-type")), (400, Some("text/xml;charset=utf-8")));
    let body = text(&response);
    assert!(body.contains("<Error>") && body.ends_with("</Error>") && !body.contains("</x>"), "{body}");
    assert!(body.contains("<Code>SignatureNonceUsed</Code>"), "{body}");
}

#[test]
fn throttling_says_when_to_come_again() {
    let response = Call::read(&v3("")).answer(Err(Refusal::throttled(0)), ID);
    assert_eq!((response.status, response.header("x-acs-retry-after")), (400, Some("1")));
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(body["Code"], "Throttling.User");
    assert_eq!(body["Message"], "Request was denied due to user flow control.");
}
