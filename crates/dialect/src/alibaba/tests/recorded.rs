use output::record::Container;
use output::{Bucket, Entry, Object, Order, Part};

use super::super::recorded::show::{self, NotifyRecord, RecordFile};
use super::super::{Archive, Run};
use super::*;

const BASE: &[(&str, &str)] = &[("DomainName", "live.local"), ("AppName", "app"), ("StreamName", "cam")];
const SPAN: &[(&str, &str)] = &[("StartTime", "2026-11-20T00:00:00Z"), ("EndTime", "2026-11-20T08:00:00Z")];

/// The question that a call becomes.
fn asked(world: &World, action: &str, params: &[(&'static str, &str)]) -> Result<Archive, Refusal> {
    let (Run::Ask(read) | Run::Act(read)) = operation(action).unwrap().run else {
        panic!("{action} asks nothing")
    };
    read(&super::params(params), &world.catalog, world.now)
}

fn given(parts: &[&[(&'static str, &'static str)]]) -> Vec<(&'static str, &'static str)> {
    parts.concat()
}

#[track_caller]
fn refuses(
    action: &str,
    base: &[(&'static str, &'static str)],
    changes: &[(&'static str, &str)],
    status: u16,
    code: &str,
) {
    let changed = with(base, changes);
    let changed: Vec<_> = changed.iter().map(|(name, value)| (&**name, &**value)).collect();
    let (Run::Ask(read) | Run::Act(read)) = operation(action).unwrap().run else {
        panic!("{action} asks nothing")
    };
    let world = World::new();
    let refusal = read(&super::params(&changed), &world.catalog, world.now).unwrap_err();
    assert_eq!((refusal.status, &*refusal.code), (status, code), "{action} {changes:?}");
}

/// Each of the names is required, the domain must exist, and the others must be names of one stream.
#[track_caller]
fn names_a_stream(action: &str, base: &[(&'static str, &'static str)]) {
    refuses(action, base, &[("DomainName", "")], 400, "MissingDomainName");
    refuses(action, base, &[("AppName", "")], 400, "MissingAppName");
    refuses(action, base, &[("StreamName", "")], 400, "MissingStreamName");
    refuses(action, base, &[("DomainName", "nobody.test")], 404, "InvalidDomain.NotFound");
    refuses(action, base, &[("AppName", "*")], 400, "InvalidAppName.Malformed");
    refuses(action, base, &[("StreamName", "a/b")], 400, "InvalidStreamName.Malformed");
}

/// Both times are required, of the one form, in order, and no more than four days apart.
#[track_caller]
fn has_a_span(action: &str, base: &[(&'static str, &'static str)]) {
    refuses(action, base, &[("StartTime", "")], 400, "MissingStartTime");
    refuses(action, base, &[("EndTime", "")], 400, "MissingEndTime");
    refuses(action, base, &[("StartTime", "2026-11-20")], 400, "InvalidStartTime.Malformed");
    refuses(action, base, &[("EndTime", "now")], 400, "InvalidEndTime.Malformed");
    refuses(action, base, &[("EndTime", "2026-11-20T00:00:00Z")], 400, "InvalidEndTime.Mismatch");
    refuses(action, base, &[("EndTime", "2026-11-24T00:00:01Z")], 400, "InvalidEndTime.Mismatch");
}

#[test]
fn the_four_commands_are_orders() {
    let world = World::new();
    for (word, expect) in [
        ("start", Order::Start),
        ("stop", Order::Stop),
        ("restart", Order::Restart),
        ("cancel_delay", Order::CancelDelay),
    ] {
        let params = given(&[BASE, &[("Command", word)]]);
        let Ok(Archive::Order { stream, order, configured }) =
            asked(&world, "RealTimeRecordCommand", &params)
        else {
            panic!("{word} is no order")
        };
        assert_eq!((order, configured, stream.to_string().as_str()), (expect, false, "live.local/app/cam"));
    }
}

#[test]
fn a_command_names_a_stream_and_is_one_of_four() {
    let base = given(&[BASE, &[("Command", "start")]]);
    names_a_stream("RealTimeRecordCommand", &base);
    refuses("RealTimeRecordCommand", &base, &[("Command", "")], 400, "MissingCommand");
    refuses("RealTimeRecordCommand", &base, &[("Command", "Start")], 400, "InvalidCommand");
}

#[test]
fn a_command_knows_whether_the_stream_is_configured() {
    let mut world = World::new();
    let config = [
        ("DomainName", "live.local"),
        ("AppName", "app"),
        ("OssEndpoint", "oss-local"),
        ("OssBucket", "live-bucket"),
        ("RecordFormat.1.Format", "flv"),
        ("RecordFormat.1.OssObjectPrefix", "{EscapedStartTime}_{EscapedEndTime}"),
    ];
    world.done("AddLiveAppRecordConfig", &config);
    let params = given(&[BASE, &[("Command", "start")]]);
    let order = asked(&world, "RealTimeRecordCommand", &params);
    assert!(matches!(order, Ok(Archive::Order { configured: true, .. })), "{order:?}");
}

#[test]
fn what_was_recorded_is_asked_for_by_stream_and_span() {
    let base = given(&[BASE, SPAN]);
    for action in ["DescribeLiveStreamRecordContent", "DescribeLiveStreamRecordIndexFiles"] {
        names_a_stream(action, &base);
        has_a_span(action, &base);
        assert!(
            asked(&World::new(), action, &given(&[&base, &[("EndTime", "2026-11-24T00:00:00Z")]])).is_ok()
        );
    }
    let files = "DescribeLiveStreamRecordIndexFiles";
    refuses(files, &base, &[("PageSize", "4")], 400, "InvalidPageSize.Malformed");
    refuses(files, &base, &[("PageSize", "31")], 400, "InvalidPageSize.Malformed");
    refuses(files, &base, &[("PageNum", "0")], 400, "InvalidPageNum.Malformed");
    refuses(files, &base, &[("Order", "up")], 400, "InvalidOrder.Malformed");
    let more = [("PageNum", "3"), ("PageSize", "5"), ("Order", "desc")];
    let Ok(Archive::Files(_, span, page)) = asked(&World::new(), files, &given(&[&base, &more])) else {
        panic!("no question")
    };
    assert_eq!((span.start, span.end), (at("2026-11-20T00:00:00Z"), at("2026-11-20T08:00:00Z")));
    assert_eq!((page.skip(), page.size(), page.descending()), (10, 5, true));
}

#[test]
fn one_file_is_asked_for_by_its_id() {
    let base = given(&[BASE, &[("RecordId", "1")]]);
    names_a_stream("DescribeLiveStreamRecordIndexFile", &base);
    refuses("DescribeLiveStreamRecordIndexFile", &base, &[("RecordId", "")], 400, "MissingRecordId");
}

const MAKE: &[(&str, &str)] = &[
    ("OssEndpoint", "oss-cn-shanghai.aliyuncs.com"),
    ("OssBucket", "live-bucket"),
    ("OssObject", "cut/{AppName}/{StreamName}/{Date}/{Hour}/{Minute}_{Second}.m3u8"),
];

#[test]
fn a_list_has_a_place_and_a_span() {
    let base = given(&[BASE, SPAN, MAKE]);
    let action = "CreateLiveStreamRecordIndexFiles";
    names_a_stream(action, &base);
    has_a_span(action, &base);
    refuses(action, &base, &[("OssEndpoint", "")], 400, "MissingOssEndpoint");
    refuses(action, &base, &[("OssEndpoint", "elsewhere")], 400, "InvalidOssEndpoint.Malformed");
    refuses(action, &base, &[("OssBucket", "")], 400, "MissingOssBucket");
    refuses(action, &base, &[("OssBucket", "..")], 400, "InvalidOssBucket.Malformed");
    refuses(action, &base, &[("OssBucket", "other")], 400, "InvalidOssBucket.NotFound");
    refuses(action, &base, &[("OssObject", "")], 400, "MissingOssObject");
    for bad in ["../a.m3u8", "/a.m3u8", "a.ts", "{Sequence}.m3u8", "{a.m3u8", "a\\b.m3u8"] {
        refuses(action, &base, &[("OssObject", bad)], 400, "InvalidOssObject.Malformed");
    }
    refuses(action, &base, &[("EndTimeIncluded", "yes")], 400, "InvalidEndTimeIncluded.Malformed");
    let Ok(Archive::Make(make)) = asked(&World::new(), action, &base) else { panic!("no question") };
    // The names of recordings are in UTC+8, and so are these.
    assert_eq!(make.to.key, "cut/app/cam/2026-11-20/08/00_00.m3u8");
    assert_eq!((&*make.to.bucket.storage, make.end_included), ("oss-local", false));
}

#[test]
fn what_is_deleted_is_named_and_said_how() {
    let base = given(&[BASE, &[("RecordId.1", "a"), ("RecordId.2", "b"), ("RemoveFile", "true")]]);
    let action = "DeleteLiveStreamRecordIndexFiles";
    names_a_stream(action, &base);
    refuses(action, &base, &[("RecordId.1", ""), ("RecordId.2", "")], 400, "MissingRecordId");
    refuses(action, &base, &[("RemoveFile", "")], 400, "MissingRemoveFile");
    refuses(action, &base, &[("RemoveFile", "1")], 400, "InvalidRemoveFile.Malformed");
    let Ok(Archive::Delete { ids, objects, .. }) = asked(&World::new(), action, &base) else {
        panic!("no question")
    };
    assert_eq!((ids, objects), (vec!["a".to_owned(), "b".to_owned()], true));
}

#[test]
fn attempts_are_asked_for_by_domain_and_span() {
    let base = given(&[&[("DomainName", "live.local"), ("PageNumber", "1"), ("PageSize", "500")], SPAN]);
    let action = "DescribeLiveRecordNotifyRecords";
    refuses(action, &base, &[("DomainName", "")], 400, "MissingDomainName");
    refuses(action, &base, &[("DomainName", "nobody.test")], 404, "InvalidDomain.NotFound");
    refuses(action, &base, &[("StartTime", "")], 400, "MissingStartTime");
    refuses(action, &base, &[("EndTime", "2026-11-19T00:00:00Z")], 400, "InvalidEndTime.Mismatch");
    refuses(action, &base, &[("PageSize", "501")], 400, "InvalidPageSize.Malformed");
    refuses(action, &base, &[("PageNumber", "100001")], 400, "InvalidPageNumber.Malformed");
    refuses(action, &base, &[("Status", "ok")], 400, "InvalidStatus.Malformed");
    refuses(action, &base, &[("StorageType", "tape")], 400, "InvalidStorageType.Malformed");
    let more = given(&[&base, &[("Status", "failed"), ("AppName", "app"), ("StorageType", "oss")]]);
    let Ok(Archive::Attempts(attempts)) = asked(&World::new(), action, &more) else { panic!("no question") };
    assert_eq!((attempts.ok, attempts.app.as_deref(), attempts.none), (Some(false), Some("app"), false));
}

fn stream() -> media::StreamId {
    media::StreamId::parse("live.local", "app", "cam").unwrap()
}

/// Seconds after a full hour, `length` long.
fn entry(part: Part, start: i64, length: i64) -> Entry {
    let start = at("2026-11-20T00:00:00Z").plus_micros(start * 1_000_000);
    Entry {
        part,
        format: Container::M3u8,
        object: Object {
            bucket: Bucket { storage: "oss-local".into(), name: "live-bucket".into() },
            key: "record/a.m3u8".to_owned(),
        },
        beside: None,
        template: "record/{EscapedStartTime}_{EscapedEndTime}".to_owned(),
        sequence: 0,
        start,
        end: start.plus_micros(length * 1_000_000),
        duration: length * 1_000_000,
        width: 1_280,
        height: 720,
        pauses: Vec::new(),
        retention_days: None,
    }
}

fn slice() -> Part {
    Part::Slice { discontinuity: false, init: None, audio: false }
}

#[test]
fn a_file_is_shown_with_everything() {
    let entry = entry(Part::File, 0, 90);
    let created = at("2026-11-20T00:02:00Z");
    let url = "http://h/objects/live-bucket/record/a.m3u8".to_owned();
    let file = RecordFile { id: "id", stream: &stream(), entry: &entry, created, url };
    let info = json!({
        "RecordId": "id", "RecordUrl": "http://h/objects/live-bucket/record/a.m3u8",
        "DomainName": "live.local", "AppName": "app", "StreamName": "cam",
        "OssEndpoint": "oss-local", "OssBucket": "live-bucket", "OssObject": "record/a.m3u8",
        "Format": "m3u8", "StartTime": "2026-11-20T00:00:00Z", "EndTime": "2026-11-20T00:01:30Z",
        "Duration": 90.0, "Width": 1280, "Height": 720, "CreateTime": "2026-11-20T00:02:00Z",
    });
    let catalog = World::new().catalog;
    assert_eq!(show::file(&file, &catalog), json!({ "RecordIndexInfo": info.clone() }));
    let made = show::made(&file, &catalog);
    assert_eq!((made["RecordInfo"].get("Format"), &made["RecordInfo"]["RecordId"]), (None, &json!("id")));
    let Ok(Archive::Files(_, _, page)) =
        asked(&World::new(), "DescribeLiveStreamRecordIndexFiles", &given(&[BASE, SPAN]))
    else {
        panic!("no question")
    };
    let files = show::files(&[file], page, 11, &catalog);
    assert_eq!(
        (&files["TotalNum"], &files["TotalPage"], &files["Order"]),
        (&json!(11), &json!(2), &json!("asc"))
    );
    assert_eq!(files["RecordIndexInfoList"]["RecordIndexInfo"], json!([info]));
}

#[track_caller]
fn stretches(entries: &[Entry], expect: &[(&str, &str, f64)]) {
    let value = show::contents(&stream(), entries, &World::new().catalog);
    let items = value["RecordContentInfoList"]["RecordContentInfo"].as_array().unwrap().clone();
    let shown = items.iter().map(|item| {
        let time = |name: &str| item[name].as_str().unwrap().split_at(11).1.to_owned();
        (time("StartTime"), time("EndTime"), item["Duration"].as_f64().unwrap())
    });
    let expect: Vec<_> = expect.iter().map(|&(a, b, c)| (a.to_owned(), b.to_owned(), c)).collect();
    assert_eq!(shown.collect::<Vec<_>>(), expect);
}

#[test]
fn content_is_a_stretch_for_each_file_and_for_what_is_still_open() {
    let file = |start, length| entry(Part::File, start, length);
    let slice = |start, length| entry(slice(), start, length);
    stretches(&[], &[]);
    // Two files in a row, and two formats of one name.
    stretches(
        &[file(0, 60), file(60, 60)],
        &[("00:00:00Z", "00:01:00Z", 60.0), ("00:01:00Z", "00:02:00Z", 60.0)],
    );
    stretches(&[file(0, 60), file(0, 90)], &[("00:00:00Z", "00:01:30Z", 90.0)]);
    // One that began long before others did, and outlasts them.
    let longer = [file(0, 90), Entry { template: "other".to_owned(), ..file(10, 5) }, file(60, 60)];
    stretches(&longer, &[("00:00:00Z", "00:02:00Z", 120.0), ("00:00:10Z", "00:00:15Z", 5.0)]);
    // Slices of an open file, with a break.
    let open = [slice(0, 5), slice(5, 5), slice(30, 5)];
    stretches(&open, &[("00:00:00Z", "00:00:10Z", 10.0), ("00:00:30Z", "00:00:35Z", 5.0)]);
}

/// A day of the shortest cycles. To compare each file with all before it would take minutes.
#[test]
fn content_of_a_long_time_is_told_at_once() {
    let files: Vec<_> = (0..86_400).map(|second| entry(Part::File, second, 1)).collect();
    let value = show::contents(&stream(), &files, &World::new().catalog);
    let items = value["RecordContentInfoList"]["RecordContentInfo"].as_array().unwrap();
    assert_eq!(items.len(), files.len());
}

#[test]
fn what_was_deleted_is_told_one_by_one() {
    let outcomes = [("a".to_owned(), "OK".to_owned()), ("b".to_owned(), "NotFound".to_owned())];
    let expect = json!({ "Code": "OK", "Message": "OK", "RecordDeleteInfoList": { "RecordDeleteInfo": [
        { "RecordId": "a", "Message": "OK" }, { "RecordId": "b", "Message": "NotFound" },
    ] } });
    assert_eq!(show::deleted(&outcomes), expect);
}

#[test]
fn attempts_are_a_plain_list() {
    let Ok(Archive::Attempts(asked)) = asked(
        &World::new(),
        "DescribeLiveRecordNotifyRecords",
        &given(&[&[("DomainName", "live.local")], SPAN]),
    ) else {
        panic!("no question")
    };
    let attempt = NotifyRecord {
        stream: &stream(),
        kind: "file_created",
        url: "http://cb/",
        at: at("2026-11-20T00:00:00Z"),
        header: "h",
        content: "{}",
        response: "500",
        ok: false,
        description: "status 500",
    };
    let expect = json!({ "PageNum": 1, "PageSize": 20, "TotalNum": 1, "TotalPage": 1, "Code": 200, "Msg": "OK",
        "CallbackList": [{
            "DomainName": "live.local", "AppName": "app", "StreamName": "cam",
            "NotifyTime": "2026-11-20T00:00:00Z", "NotifyType": "file_created", "NotifyUrl": "http://cb/",
            "NotifyHeader": "h", "NotifyContent": "{}", "NotifyResponse": "500", "NotifyResult": "failed",
            "Description": "status 500", "StorageType": "oss",
        }] });
    assert_eq!(show::attempts(std::slice::from_ref(&attempt), asked.page, 1), expect);
    let arrived = NotifyRecord { ok: true, description: "HTTP 200", ..attempt };
    let shown = &show::attempts(&[arrived], asked.page, 1)["CallbackList"][0];
    assert_eq!((&shown["NotifyResult"], &shown["Description"]), (&json!("success"), &json!("success")));
}
