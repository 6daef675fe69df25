//! What receivers are told: in order, signed, when it is true, and again until they took it.

use std::collections::BTreeMap;

use md5::{Digest as _, Md5};

use super::material::Material;
use super::receiver::{Call, Receiver, Reply};
use super::{Template, folder, recordings};
use crate::encoder::Push;
use crate::machine::{Server, wait_for};
use crate::rpc;

const KEY: &str = "0123456789abcdefKEY";

/// The first two tellings of each file fail.
fn forgetful(call: &Call, _: usize, seen: &std::sync::Mutex<BTreeMap<String, u32>>) -> Reply {
    let mut seen = seen.lock().unwrap();
    let times = seen.entry(call.text("uri").to_owned()).or_default();
    *times += 1;
    match call.is_file() && *times <= 2 {
        true => Reply::new(500, "not now"),
        false => Reply::new(200, ""),
    }
}

#[test]
fn files_are_told_of_in_order_signed_and_again_until_they_are_taken() {
    let (data, bucket) = folder();
    let seen = std::sync::Mutex::default();
    let receiver = Receiver::start(bucket.clone(), move |call, before| forgetful(call, before, &seen));
    let signed = format!("notify_req_auth = true\nnotify_auth_key = \"{KEY}\"");
    let template = Template { formats: &["flv"], cycle_s: 4, ..Template::default() }.text();
    let sources = tempfile::tempdir().unwrap();
    let source = Material::encode(sources.path(), 10, 11);
    let begun = rpc::now();
    let server = Server::start_in(data, &format!("{template}{}", receiver.template(&signed)), &[]);
    let url =
        format!("{}?callback_a=v%201&other=x&callback_a=w&callback_b=", server.publish_url("live", "s"));
    Push::start(&source.file, &url).succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &["flv"], "s", 3);
    wait_for("every file to be taken", || {
        let taken = receiver.files("s").iter().filter(|call| call.status == 200).count();
        (taken == 3).then_some(())
    });
    let calls = receiver.calls();
    calls.iter().for_each(check_signature);
    check_order(&receiver, &bucket);
    let files = receiver.files("s");
    files.iter().for_each(|call| check_file(call, begun));
    assert!(files.iter().all(|call| call.there), "an object is there when it is told of: {files:#?}");
    check_records(&server, &calls, begun);
}

#[track_caller]
fn check_signature(call: &Call) {
    let time = call.header("ali-live-timestamp");
    let signature = rpc::hex(&Md5::digest(format!("127.0.0.1|{time}|{KEY}")));
    assert_eq!(call.header("ali-live-signature"), signature, "{call:#?}");
    assert!(time.parse::<u64>().unwrap().abs_diff(rpc::now()) < 120, "{time}");
    assert_eq!((call.method.as_str(), call.header("content-type")), ("POST", "application/json"));
}

/// As they happened, and none before the one before it was taken.
#[track_caller]
fn check_order(receiver: &Receiver, bucket: &std::path::Path) {
    let told: Vec<String> = receiver
        .calls()
        .iter()
        .map(|call| match call.is_file() {
            true => format!("{} {}", call.text("uri"), call.status),
            false => call.text("event").to_owned(),
        })
        .collect();
    let keys: Vec<String> = recordings(bucket, "flv", "live", "s")
        .iter()
        .map(|path| path.strip_prefix(bucket).unwrap().to_str().unwrap().to_owned())
        .collect();
    let tries = |key: &String| [500, 500, 200].map(|status| format!("{key} {status}"));
    let mut expected = vec!["record_started".to_owned()];
    expected.extend(keys[..2].iter().flat_map(tries));
    expected.push("record_paused".to_owned());
    expected.extend(tries(&keys[2]));
    assert_eq!(told, expected);
}

#[track_caller]
fn check_file(call: &Call, begun: u64) {
    let Call { body, .. } = call;
    assert_eq!((call.text("domain"), call.text("app"), call.text("stream")), ("live.local", "live", "s"));
    let number = |key: &str| body[key].as_f64().unwrap_or_else(|| panic!("{key} in {body}"));
    assert!((1.8..4.2).contains(&number("duration")), "{body}");
    let (start, stop) = (number("start_time"), number("stop_time"));
    assert!(start >= begun as f64 && stop >= start + 1.0 && stop <= start + 5.0, "{body}");
    assert_eq!(body["push_args"], serde_json::json!({ "callback_a": "v 1", "callback_b": "" }), "{body}");
    let uri = call.text("uri");
    assert!(uri.starts_with("flv/live/s/") && uri.ends_with(".flv"), "{uri}");
}

/// DescribeLiveRecordNotifyRecords has a row for each attempt.
#[track_caller]
fn check_records(server: &Server, calls: &[Call], begun: u64) {
    let describe = |more: &[(&str, &str)]| {
        let (start, end) = (rpc::utc(begun - 60), rpc::utc(rpc::now() + 60));
        let mut params = vec![
            ("DomainName", "live.local"),
            ("StartTime", start.as_str()),
            ("EndTime", end.as_str()),
            ("PageNumber", "1"),
            ("PageSize", "100"),
        ];
        params.extend(more);
        rpc::call(server.api, "DescribeLiveRecordNotifyRecords", &params).done()
    };
    let total = |body: &serde_json::Value| body["TotalNum"].as_u64().unwrap() as usize;
    // The row of the last call may come a moment later.
    let body = wait_for("every attempt", || Some(describe(&[])).filter(|body| total(body) == calls.len()));
    let rows = body["CallbackList"].as_array().unwrap();
    let failed = calls.iter().filter(|call| call.status == 500).count();
    assert_eq!(total(&describe(&[("Status", "failed")])), failed);
    assert_eq!(total(&describe(&[("Status", "success")])), calls.len() - failed);
    assert_eq!(total(&describe(&[("StreamName", "other")])), 0);
    let of_files = rows.iter().filter(|row| row["NotifyType"] == "file_created").count();
    assert_eq!(of_files, calls.iter().filter(|call| call.is_file()).count());
    for row in rows {
        assert!(!row.to_string().contains(KEY), "the key is not told: {row}");
        for key in ["NotifyTime", "NotifyUrl", "NotifyHeader", "NotifyContent", "NotifyResult", "StreamName"]
        {
            assert!(row[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {row}");
        }
    }
    let said =
        rows.iter().filter(|row| row["NotifyResponse"].as_str().is_some_and(|text| text.contains("not now")));
    assert_eq!(said.count(), failed);
}
