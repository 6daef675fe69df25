//! What callbacks say (`reference/api-callbacks.md` §2): bodies, queries, and the answer to the question whether to
//! record. Who sends them, when, and how they are signed is for the shell.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use media::{StreamId, Wall};
use output::record::Container;
use output::{Answer, Entry, Inquiry, Notice, Object};
use serde_json::{Map, Value, json};

use crate::percent;

/// Bytes of an answer that are read.
pub const DECISION_BYTES: usize = 2_048;
/// Interval of an answer, in seconds.
const INTERVAL: RangeInclusive<u64> = 5..=21_600;
/// Arguments of the publish URL that are told begin so.
const TOLD: &str = "callback_";

/// NotifyType and JSON body of what a recording has to tell; `None`: nothing, in this dialect. `args` are those of
/// the publish URL, decoded, in order. Without `status` (NeedStatusNotify) only files are told of.
pub fn record(
    notice: &Notice,
    stream: &StreamId,
    args: &[(String, String)],
    status: bool,
) -> Option<(&'static str, String)> {
    let event = match notice {
        Notice::RecordFileStored(entry) => return Some(("file_created", file(entry, stream, args))),
        Notice::RecordStarted => "record_started",
        Notice::RecordPaused => "record_paused",
        Notice::RecordResumed => "record_resumed",
        Notice::RecordFailed { .. } => "record_error",
        Notice::RecordFileOpened | Notice::RecordEnded | Notice::SnapshotStored { .. } => return None,
    };
    let mut body = named(stream);
    body.insert("event".to_owned(), json!(event));
    if let Notice::RecordFailed { reason } = notice {
        // Ours: what the cloud says here is not known.
        body.insert("reason".to_owned(), json!(reason));
    }
    status.then(|| (event, Value::Object(body).to_string()))
}

/// A file was stored (§2.3): no `event`, which is how receivers know it.
fn file(entry: &Entry, stream: &StreamId, args: &[(String, String)]) -> String {
    let mut body = named(stream);
    body.insert("uri".to_owned(), json!(entry.object.key));
    body.insert("duration".to_owned(), json!(entry.duration as f64 / 1e6));
    body.insert("start_time".to_owned(), json!(entry.start.unix_seconds()));
    body.insert("stop_time".to_owned(), json!(entry.end.unix_seconds()));
    let mut told = Map::new();
    for (name, value) in args.iter().filter(|(name, _)| name.starts_with(TOLD)) {
        // Of a name that is there twice, the first counts.
        told.entry(name.clone()).or_insert_with(|| json!(value));
    }
    if !told.is_empty() {
        body.insert("push_args".to_owned(), Value::Object(told));
    }
    Value::Object(body).to_string()
}

fn named(stream: &StreamId) -> Map<String, Value> {
    let names = [("domain", stream.domain()), ("app", stream.app()), ("stream", stream.stream())];
    names.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

/// NotifyType and JSON body of a picture that was stored. `endpoint` is OssEndpoint as its template has it. The cloud's
/// own body is in no source: this one is after its nearest relatives (§2.5).
pub fn snapshot(
    stream: &StreamId,
    endpoint: &str,
    object: &Object,
    at: Wall,
    overwrite: bool,
) -> (&'static str, String) {
    let body = json!({
        "DomainName": stream.domain(),
        "AppName": stream.app(),
        "StreamName": stream.stream(),
        "OssEndpoint": endpoint,
        "OssBucket": &*object.bucket.name,
        "OssObject": object.key,
        "CreateTime": catalog::record::show_moment(at),
        "CreateTimestamp": at.0.div_euclid(1_000),
        "IsOverlay": overwrite,
    });
    ("snapshot", body.to_string())
}

/// OnDemandUrl with the question in its query (§2.4).
pub fn decision_url(url: &str, stream: &StreamId, inquiry: &Inquiry) -> String {
    let codec = if inquiry.hevc { "h265" } else { "h264" };
    let kbps = inquiry.kbps.to_string();
    asking(
        url,
        &[
            ("app", stream.app()),
            ("domain", stream.domain()),
            ("stream", stream.stream()),
            ("vbitrate", &kbps),
            ("codec", codec),
        ],
    )
}

/// What an OnDemandUrl answered with this HTTP status. Anything but a well-formed yes is a no, and so is a yes to
/// formats that do not exist.
pub fn decision(status: u16, body: &[u8]) -> Answer {
    let read = body.get(..DECISION_BYTES).unwrap_or(body);
    let said: Option<Value> = serde_json::from_slice(read).ok().filter(|_| status == 200);
    let Some(said) = said.filter(|said| said.get("NeedRecord") == Some(&Value::Bool(true))) else {
        return Answer::default();
    };
    let formats = said.get("Format").filter(|list| !list.is_null());
    let formats: Option<Vec<_>> = formats.map(|list| {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).filter_map(format).collect()
    });
    let interval = said.get("Interval").and_then(Value::as_object);
    let cycles = interval.into_iter().flatten().filter_map(|(name, seconds)| {
        let seconds = seconds.as_u64().filter(|seconds| INTERVAL.contains(seconds))?;
        Some((format(name)?, u32::try_from(seconds).ok()?))
    });
    let cycles = cycles.collect();
    match formats.as_ref().is_some_and(Vec::is_empty) {
        true => Answer::default(),
        false => Answer { record: true, formats, cycles },
    }
}

fn format(word: &str) -> Option<Container> {
    Container::ALL.into_iter().find(|format| format.word().eq_ignore_ascii_case(word))
}

/// A publish that began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published<'a> {
    /// Which stream.
    pub stream: &'a StreamId,
    /// Whether it ended.
    pub done: bool,
    /// Where the encoder is.
    pub ip: IpAddr,
    /// The ingest domain that it pushes to.
    pub domain: &'a str,
    /// When.
    pub at: Wall,
    /// The query of the publish URL as it was sent.
    pub args: &'a str,
    /// Where it came in.
    pub node: &'a str,
    /// Pixels, when they are known.
    pub picture: Option<(u32, u32)>,
}

/// NotifyUrl of the streams with what happened in its query (§2.1).
pub fn publish_url(url: &str, published: &Published<'_>) -> String {
    let Published { stream, done, ip, domain, at, args, node, picture } = *published;
    let (ip, time) = (ip.to_string(), at.unix_seconds().to_string());
    let mut pairs = vec![
        ("action", if done { "publish_done" } else { "publish" }),
        ("ip", &ip),
        ("id", stream.stream()),
        // Not the app: that is `appname`.
        ("app", domain),
        ("appname", stream.app()),
        ("time", &time),
        ("usrargs", args),
        ("node", node),
    ];
    let size = picture.map(|(width, height)| (width.to_string(), height.to_string()));
    if let Some((width, height)) = &size {
        pairs.extend([("height", height.as_str()), ("width", width.as_str())]);
    }
    asking(url, &pairs)
}

/// `url` with these parameters behind those that it has.
fn asking(url: &str, pairs: &[(&str, &str)]) -> String {
    let (mut url, fragment) = match url.split_once('#') {
        Some((url, fragment)) => (url.to_owned(), Some(fragment)),
        None => (url.to_owned(), None),
    };
    for (name, value) in pairs {
        let mark = if url.contains('?') { '&' } else { '?' };
        let _ = write!(url, "{mark}{name}={}", percent::encode(value));
    }
    if let Some(fragment) = fragment {
        let _ = write!(url, "#{fragment}");
    }
    url
}

#[cfg(test)]
mod tests {
    use output::{Bucket, Part};

    use super::*;

    fn stream() -> StreamId {
        StreamId::parse("live.local", "app", "cam").unwrap()
    }

    fn object(key: &str) -> Object {
        Object {
            bucket: Bucket { storage: "oss-local".into(), name: "live-bucket".into() },
            key: key.to_owned(),
        }
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn entry() -> Box<Entry> {
        Box::new(Entry {
            part: Part::File,
            format: Container::Flv,
            object: object("record/a/s/0_2017-03-08-23:09:46_2017-03-08-23:10:40.flv"),
            beside: None,
            template: "t".to_owned(),
            sequence: 0,
            start: Wall(1_488_985_786_900_000),
            end: Wall(1_488_985_840_100_000),
            duration: 69_403_000,
            width: 0,
            height: 0,
            pauses: Vec::new(),
            retention_days: None,
        })
    }

    #[test]
    fn a_stored_file_is_told_as_in_the_sample() {
        let args = pairs(&[("auth_key", "1"), ("callback_arg1", "v"), ("callback_arg1", "w")]);
        let (kind, body) = record(&Notice::RecordFileStored(entry()), &stream(), &args, false).unwrap();
        assert_eq!(kind, "file_created");
        let expect = json!({
            "domain": "live.local", "app": "app", "stream": "cam",
            "uri": "record/a/s/0_2017-03-08-23:09:46_2017-03-08-23:10:40.flv",
            "duration": 69.403, "start_time": 1_488_985_786, "stop_time": 1_488_985_840,
            "push_args": { "callback_arg1": "v" },
        });
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expect);
        let (_, body) = record(&Notice::RecordFileStored(entry()), &stream(), &args[..1], false).unwrap();
        assert!(!body.contains("push_args") && !body.contains("event"), "{body}");
    }

    #[test]
    fn the_state_is_told_only_to_those_who_want_it() {
        let failed = Notice::RecordFailed { reason: "disk full".to_owned() };
        for (notice, event) in [
            (Notice::RecordStarted, "record_started"),
            (Notice::RecordPaused, "record_paused"),
            (Notice::RecordResumed, "record_resumed"),
            (failed, "record_error"),
        ] {
            let (kind, body) = record(&notice, &stream(), &[], true).unwrap();
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((kind, &body["event"], &body["stream"]), (event, &json!(event), &json!("cam")));
            assert_eq!(record(&notice, &stream(), &[], false), None);
        }
        assert_eq!(record(&Notice::RecordEnded, &stream(), &[], true), None);
        assert_eq!(record(&Notice::RecordFileOpened, &stream(), &[], true), None);
    }

    #[test]
    fn a_picture_is_told_with_the_key_that_deletes_it() {
        let at = Wall(1_653_641_526_637_000);
        let (kind, body) = snapshot(&stream(), "oss-local", &object("s/1.jpg"), at, true);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((kind, &body["CreateTimestamp"]), ("snapshot", &json!(1_653_641_526_637_i64)));
        assert_eq!((&body["CreateTime"], &body["IsOverlay"]), (&json!("2022-05-27T08:52:06Z"), &json!(true)));
        assert_eq!((&body["OssObject"], &body["OssBucket"]), (&json!("s/1.jpg"), &json!("live-bucket")));
    }

    #[test]
    fn a_question_goes_behind_the_query_that_is_there() {
        let inquiry = Inquiry { hevc: false, kbps: 2_000 };
        let asked = "app=app&domain=live.local&stream=cam&vbitrate=2000&codec=h264";
        assert_eq!(decision_url("http://cb/", &stream(), &inquiry), format!("http://cb/?{asked}"));
        let hevc = Inquiry { hevc: true, ..inquiry };
        let url = decision_url("http://cb/?a=1#f", &stream(), &hevc);
        assert_eq!(url, format!("http://cb/?a=1&{}#f", asked.replace("h264", "h265")));
    }

    #[track_caller]
    fn answers(body: &str, expect: Answer) {
        assert_eq!(decision(200, body.as_bytes()), expect, "{body}");
    }

    #[test]
    fn only_a_well_formed_yes_is_a_yes() {
        let yes = Answer { record: true, ..Answer::default() };
        answers(r#"{"ApiVersion":"1.0","NeedRecord":true}"#, yes.clone());
        answers(r#"{"NeedRecord":true,"Interval":null,"Format":null}"#, yes.clone());
        for no in [
            "",
            "[]",
            "{}",
            "null",
            r#"{"NeedRecord":false}"#,
            r#"{"NeedRecord":"true"}"#,
            r#"{"NeedRecord":true"#,
        ] {
            answers(no, Answer::default());
        }
        assert_eq!(decision(500, br#"{"NeedRecord":true}"#), Answer::default());
        let padded = format!("{{\"NeedRecord\":true{}}}", " ".repeat(DECISION_BYTES));
        answers(&padded, Answer::default());
    }

    #[test]
    fn a_yes_can_name_formats_and_cycles() {
        let said = r#"{"NeedRecord":true,"Interval":{"Mp4":300,"Flv":4,"M3U8":21601,"x":9},"Format":["mp4","FLV","avi"]}"#;
        let formats = Some(vec![Container::Mp4, Container::Flv]);
        answers(said, Answer { record: true, formats, cycles: vec![(Container::Mp4, 300)] });
        answers(r#"{"NeedRecord":true,"Format":[]}"#, Answer::default());
        answers(r#"{"NeedRecord":true,"Format":["avi"]}"#, Answer::default());
    }

    #[test]
    fn a_publish_is_told_as_it_was_observed() {
        let stream = StreamId::parse("live.local", "zier21live", "8_20170707").unwrap();
        let published = Published {
            stream: &stream,
            done: false,
            ip: [192, 0, 2, 1].into(),
            domain: "push.local",
            at: Wall(1_499_409_789_000_000),
            args: "vhost=live.local&auth_key=1-0-0-a",
            node: "eu13",
            picture: None,
        };
        let expect = "http://cb/?action=publish&ip=192.0.2.1&id=8_20170707&app=push.local&appname=zier21live\
            &time=1499409789&usrargs=vhost%3Dlive.local%26auth_key%3D1-0-0-a&node=eu13";
        assert_eq!(publish_url("http://cb/", &published), expect);
        let done = Published { done: true, picture: Some((1_280, 720)), ..published };
        let url = publish_url("http://cb/", &done);
        assert!(url.contains("action=publish_done") && url.ends_with("&height=720&width=1280"), "{url}");
    }
}
