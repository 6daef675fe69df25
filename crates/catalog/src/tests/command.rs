//! What each command does, and every way it can fail.

use super::*;
use crate::notify::{RecordNotifyRaw, SnapshotNotifyRaw};
use crate::{
    Applied, Command, FORBID_DEFAULT, Forbid, Kept, Kind, NewDomain, Origin, Role, Selector, resume_time,
};

/// 2026-11-20T00:00:00Z
const NOW: Wall = Wall(1_795_132_800_000_000);

fn later(seconds: i64) -> Wall {
    NOW.plus_micros(seconds * 1_000_000)
}

fn apply(catalog: &Catalog, command: &Command) -> Catalog {
    catalog.apply(command, NOW).unwrap().catalog
}

/// The catalog after `commands`.
fn after(commands: &[Command]) -> Catalog {
    commands.iter().fold(catalog(), |catalog, command| apply(&catalog, command))
}

/// `status code: message`, or what was done.
#[track_caller]
fn refuses(catalog: &Catalog, command: Command, want: &str) {
    let said = match catalog.apply(&command, NOW) {
        Ok(_) => "taken".to_owned(),
        Err(fault) => format!("{} {} {}: {}", fault.status, fault.field, fault.code, fault.message),
    };
    assert_eq!(said, want, "{command:?}");
}

fn one(app: &str) -> Selector {
    Selector { domain_name: some("live.local"), app_name: some(app), stream_name: None }
}

fn stream(name: &str) -> Selector {
    Selector { stream_name: some(name), ..one("live") }
}

fn record_notify() -> RecordNotifyRaw {
    RecordNotifyRaw {
        domain_name: some("live.local"),
        notify_url: some("https://example.com/record"),
        ..RecordNotifyRaw::default()
    }
}

fn snapshot_notify() -> SnapshotNotifyRaw {
    SnapshotNotifyRaw {
        domain_name: some("live.local"),
        notify_url: some("https://example.com/snapshot"),
        ..SnapshotNotifyRaw::default()
    }
}

fn new_domain(name: &str, kind: &str) -> NewDomain {
    NewDomain {
        domain_name: some(name),
        live_domain_type: some(kind),
        region: some("cn-shanghai"),
        scope: None,
    }
}

fn package_change() -> PackageRaw {
    PackageRaw { segment_num: Some(3), segment_duration: Some(5), ..package() }
}

const EXISTS: &str = "ConfigAlreadyExists: Config has already exist.";
const NO_CONFIG: &str = "InvalidConfig.NotFound: The speicified config does not exist.";
const DENIED: &str =
    "OperationDenied: This is declared in the server's config file and can be changed only there.";

#[test]
fn a_key_can_be_taken_once() {
    let all = after(&[
        Command::AddSnapshot(snapshot()),
        Command::AddRecord(record()),
        Command::AddPackage(package()),
        Command::AddRecordNotify(record_notify()),
        Command::AddSnapshotNotify(snapshot_notify()),
    ]);
    refuses(&all, Command::AddSnapshot(snapshot()), &format!("400 AppName {EXISTS}"));
    refuses(&all, Command::AddRecord(record()), &format!("400 StreamName {EXISTS}"));
    let star = RecordRaw { stream_name: some("*"), ..record() };
    refuses(&all, Command::AddRecord(star), &format!("400 StreamName {EXISTS}"));
    refuses(
        &all,
        Command::AddPackage(package()),
        "400 StreamName ConfigAlreadyExists: There is another template for the same streams. \
         Please check and try again later.",
    );
    refuses(&all, Command::AddRecordNotify(record_notify()), &format!("400 DomainName {EXISTS}"));
    refuses(&all, Command::AddSnapshotNotify(snapshot_notify()), &format!("409 DomainName {EXISTS}"));
    let other = SnapshotRaw { app_name: some("live"), ..snapshot() };
    refuses(&all, Command::AddSnapshot(other), "taken");
}

#[test]
fn what_is_not_there_cannot_be_changed_or_deleted() {
    let none = catalog();
    let no_config = format!("400 DomainName {NO_CONFIG}");
    refuses(&none, Command::UpdateSnapshot(snapshot()), &no_config);
    refuses(&none, Command::DeleteSnapshot(one("*")), &no_config);
    refuses(&none, Command::UpdateRecord(record()), &no_config);
    refuses(&none, Command::DeleteRecord(one("live")), &no_config);
    let package_missing =
        "404 StreamName ConfigNotFound: StreamName names no template, please check and try again later.";
    refuses(&none, Command::UpdatePackage(package_change()), package_missing);
    refuses(&none, Command::DeletePackage(stream("*")), package_missing);
    refuses(&none, Command::UpdateRecordNotify(record_notify()), &format!("404 DomainName {NO_CONFIG}"));
    refuses(&none, Command::DeleteRecordNotify(one("")), &format!("404 DomainName {NO_CONFIG}"));
    let missing = "404 DomainName ConfigNotFound: The specified config does not exist.";
    refuses(&none, Command::UpdateSnapshotNotify(snapshot_notify()), missing);
    refuses(&none, Command::DeleteSnapshotNotify(one("")), missing);
}

#[test]
fn names_of_a_deletion_are_checked_in_the_words_of_the_family() {
    let none = catalog();
    let unknown = Selector { domain_name: some("x.y"), ..one("live") };
    let not_found =
        "404 DomainName InvalidDomain.NotFound: The domain provided does not exist in our records.";
    refuses(&none, Command::DeleteSnapshot(unknown.clone()), not_found);
    refuses(&none, Command::DeleteRecordNotify(unknown), not_found);
    refuses(
        &none,
        Command::DeleteRecord(Selector { domain_name: None, ..one("live") }),
        "400 DomainName MissingDomainName: DomainName is mandatory for this action.",
    );
    refuses(
        &none,
        Command::DeleteRecord(one("")),
        "400 AppName MissingAppName: AppName is mandatory for this action.",
    );
    refuses(
        &none,
        Command::DeletePackage(one("live")),
        "400 StreamName MissingParam: StreamName is missing, please check and try again later.",
    );
    refuses(
        &none,
        Command::DeleteSnapshotNotify(Selector::default()),
        "400 DomainName MissingParam: DomainName is mandatory for this action.",
    );
}

#[test]
fn what_the_file_declares_is_read_only() {
    let file = Declared {
        snapshots: vec![snapshot()],
        records: vec![record()],
        packages: vec![package()],
        record_notifies: vec![record_notify()],
        snapshot_notifies: vec![snapshot_notify()],
        ..declared()
    };
    let file = Catalog::build(file).unwrap().0;
    refuses(&file, Command::UpdateSnapshot(snapshot()), &format!("403 AppName {DENIED}"));
    refuses(&file, Command::DeleteSnapshot(one("*")), &format!("403 AppName {DENIED}"));
    refuses(&file, Command::UpdateRecord(record()), &format!("403 StreamName {DENIED}"));
    refuses(
        &file,
        Command::DeletePackage(Selector { app_name: some("*"), ..stream("*") }),
        &format!("403 StreamName {DENIED}"),
    );
    refuses(&file, Command::DeleteRecordNotify(one("")), &format!("403 DomainName {DENIED}"));
    refuses(&file, Command::DeleteSnapshotNotify(one("")), &format!("403 DomainName {DENIED}"));
    refuses(&file, Command::AddSnapshot(snapshot()), &format!("400 AppName {EXISTS}"));
}

#[test]
fn a_change_changes_what_it_gives() {
    let first = after(&[Command::AddSnapshot(SnapshotRaw { callback: some("http://a/b"), ..snapshot() })]);
    let change = SnapshotRaw {
        domain_name: some("LIVE.local"),
        app_name: some("*"),
        time_interval: Some(7),
        overwrite_oss_object: some("-"),
        sequence_oss_object: some("{Sequence}.jpg"),
        ..SnapshotRaw::default()
    };
    let second = first.apply(&Command::UpdateSnapshot(change), later(9)).unwrap().catalog;
    let template = second.snapshots().all().next().unwrap();
    assert_eq!(
        template.given,
        SnapshotRaw {
            time_interval: Some(7),
            overwrite_oss_object: None,
            sequence_oss_object: some("{Sequence}.jpg"),
            callback: some("http://a/b"),
            ..snapshot()
        }
    );
    assert_eq!((template.stamp.created, template.stamp.updated), (NOW, later(9)));
    assert_eq!(template.stamp.origin, Origin::Api);
    // the first value is as it was
    assert_eq!(first.snapshots().all().next().unwrap().rule.interval_s, 5);
}

#[test]
fn a_snapshot_keeps_one_object_name() {
    let catalog = after(&[Command::AddSnapshot(snapshot())]);
    let fault = "InvalidOverwriteOssObjectOrSequenceOssObject.Malformed: \
                 Specified paramters OverwriteOssObject or SequenceOssObject should have one.";
    let none = SnapshotRaw { overwrite_oss_object: some("-"), ..snapshot() };
    refuses(&catalog, Command::UpdateSnapshot(none), &format!("400 OverwriteOssObject {fault}"));
    let both = SnapshotRaw { sequence_oss_object: some("{Sequence}.jpg"), ..snapshot() };
    refuses(&catalog, Command::UpdateSnapshot(both), &format!("400 SequenceOssObject {fault}"));
}

#[test]
fn a_changed_recording_keeps_its_names_and_the_formats_that_are_not_named() {
    let catalog = after(&[Command::AddRecord(record())]);
    let m3u8 = FormatRaw {
        format: some("m3u8"),
        cycle_duration: Some(60),
        slice_duration: Some(9),
        ..FormatRaw::default()
    };
    let change = RecordRaw { oss_bucket: None, record_format: vec![m3u8], delay_time: Some(15), ..record() };
    let changed = apply(&catalog, &Command::UpdateRecord(change));
    let given = &changed.records().all().next().unwrap().given;
    assert_eq!(given.delay_time, Some(15));
    assert_eq!(given.oss_bucket, some("live-bucket"));
    let formats: Vec<_> = given
        .record_format
        .iter()
        .map(|f| (f.format.as_deref(), f.cycle_duration, f.slice_duration))
        .collect();
    assert_eq!(formats, [(Some("m3u8"), Some(60), Some(9)), (Some("flv"), Some(3600), None)]);
    assert_eq!(given.record_format[0].oss_object_prefix, format("m3u8").oss_object_prefix);

    let twice = RecordRaw { record_format: vec![format("flv"), format("flv")], ..record() };
    refuses(
        &catalog,
        Command::UpdateRecord(twice),
        "400 RecordFormat.3.Format InvalidFormat.IllegalOperation: Specified parameter Format can not be multiple.",
    );
    let nameless = FormatRaw { format: some("mp4"), ..FormatRaw::default() };
    refuses(
        &catalog,
        Command::UpdateRecord(RecordRaw { record_format: vec![nameless], ..record() }),
        "400 RecordFormat.3.OssObjectPrefix MissingOssObjectPrefix: OssObjectPrefix is mandatory for this action.",
    );
    refuses(
        &catalog,
        Command::UpdateRecord(RecordRaw { oss_endpoint: None, ..record() }),
        "400 OssEndpoint MissingOssEndpoint: OssEndpoint is mandatory for this action.",
    );
}

#[test]
fn a_recording_whose_window_has_passed_can_still_be_changed() {
    let window = RecordRaw { stream_name: some("cam"), end_time: some("2026-11-20T01:00:00Z"), ..record() };
    let catalog = after(&[Command::AddRecord(window.clone())]);
    let change = RecordRaw { end_time: None, delay_time: Some(20), ..window.clone() };
    assert!(catalog.apply(&Command::UpdateRecord(change), later(86_400)).is_ok());
    let fault = catalog.apply(&Command::UpdateRecord(window), later(86_400)).unwrap_err();
    assert_eq!(fault.code, "InvalidEndTime.Mismatch");
}

#[test]
fn a_changed_packaging_says_everything_again() {
    let catalog = after(&[Command::AddPackage(PackageRaw { ignore_transcode: Some(false), ..package() })]);
    let absent = |param: &str| {
        format!("400 {param} MissingParam: {param} is missing, please check and try again later.")
    };
    let change = package_change();
    refuses(
        &catalog,
        Command::UpdatePackage(PackageRaw { protocol: None, ..change.clone() }),
        &absent("Protocol"),
    );
    refuses(
        &catalog,
        Command::UpdatePackage(PackageRaw { segment_num: None, ..change.clone() }),
        &absent("SegmentNum"),
    );
    refuses(
        &catalog,
        Command::UpdatePackage(PackageRaw { segment_duration: None, ..change.clone() }),
        &absent("SegmentDuration"),
    );
    let low = PackageRaw { protocol: some("LLHLS_TS"), segment_duration: Some(1), ..change };
    refuses(&catalog, Command::UpdatePackage(low.clone()), &absent("PartDuration"));
    let changed = apply(&catalog, &Command::UpdatePackage(PackageRaw { part_duration: Some(200), ..low }));
    let given = &changed.packages().all().next().unwrap().given;
    assert_eq!((given.part_duration, given.ignore_transcode), (Some(200), Some(false)));
}

#[test]
fn defaults_are_read_back() {
    let catalog = after(&[
        Command::AddRecord(record()),
        Command::AddPackage(package()),
        Command::AddRecordNotify(record_notify()),
        Command::AddSnapshotNotify(snapshot_notify()),
    ]);
    let record = &catalog.records().all().next().unwrap().given;
    assert_eq!((record.on_demand, record.delay_time), (Some(0), Some(180)));
    assert_eq!(record.stream_name, some("*"));
    assert_eq!(record.record_format[0].slice_duration, Some(30));
    assert_eq!(record.record_format[0].cycle_duration, Some(21_600));
    assert_eq!(
        (record.record_format[1].slice_duration, record.record_format[1].cycle_duration),
        (None, Some(3600))
    );
    assert_eq!(record.record_format[1].slice_oss_object_prefix, None);
    let package = &catalog.packages().all().next().unwrap().given;
    assert_eq!((package.segment_num, package.segment_duration), (Some(3), Some(5)));
    assert_eq!((package.part_duration, package.ignore_transcode), (None, Some(true)));
    let notify = &catalog.record_notifies().of_domain("live.local").unwrap().given;
    assert_eq!((notify.need_status_notify, notify.notify_req_auth), (Some(false), Some(false)));
    let notify = &catalog.snapshot_notifies().of_domain("live.local").unwrap().given;
    assert_eq!(notify.notify_req_auth, some("no"));
}

#[test]
fn endpoints_are_read_back_as_they_were_written() {
    let catalog = after(&[Command::AddRecord(RecordRaw {
        oss_endpoint: some("https://OSS-cn-shanghai.aliyuncs.com"),
        ..record()
    })]);
    let template = catalog.records().all().next().unwrap();
    assert_eq!(template.given.oss_endpoint, some("https://OSS-cn-shanghai.aliyuncs.com"));
    assert_eq!(&*template.rule.store.storage, "oss-local");
}

#[test]
fn recording_notifications() {
    let refuse = |change: fn(&mut RecordNotifyRaw), want: &str| {
        let mut raw = record_notify();
        change(&mut raw);
        refuses(&catalog(), Command::AddRecordNotify(raw), want);
    };
    refuse(
        |r| r.notify_url = None,
        "400 NotifyUrl MissingNotifyUrl: NotifyUrl is mandatory for this action.",
    );
    let url = "400 NotifyUrl InvalidNotifyUrl.Malformed: Specified parameter NotifyUrl is not valid.";
    refuse(|r| r.notify_url = some("ftp://a"), url);
    refuse(|r| r.notify_url = Some(format!("http://{}", "a".repeat(494))), url);
    refuse(|r| r.notify_url = Some(format!("http://{}", "a".repeat(493))), "taken");
    refuse(
        |r| r.on_demand_url = some("x"),
        "400 OnDemandUrl InvalidOnDemandUrl.Malformed: Specified parameter OnDemandUrl is not valid.",
    );
    let key =
        "400 NotifyAuthKey InvalidNotifyAuthKey.Malformed: Specified parameter NotifyAuthKey is not valid.";
    refuse(|r| r.notify_auth_key = Some("k".repeat(15)), key);
    refuse(|r| r.notify_auth_key = Some("k".repeat(16)), "taken");
    refuse(|r| r.notify_auth_key = Some("k".repeat(32)), "taken");
    refuse(|r| r.notify_auth_key = Some("k".repeat(33)), key);
    refuse(|r| r.notify_auth_key = some("kkkkkkkkkkkkkkk-"), key);
    refuse(
        |r| r.notify_req_auth = Some(true),
        "400 NotifyAuthKey MissingNotifyAuthKey: NotifyAuthKey is mandatory for this action.",
    );
}

#[test]
fn snapshot_notifications() {
    let refuse = |change: fn(&mut SnapshotNotifyRaw), want: &str| {
        let mut raw = snapshot_notify();
        change(&mut raw);
        refuses(&catalog(), Command::AddSnapshotNotify(raw), want);
    };
    refuse(|r| r.notify_url = None, "400 NotifyUrl MissingParam: NotifyUrl is mandatory for this action.");
    let malformed =
        |param: &str| format!("400 {param} MalformedParam: Specified parameter {param} is not valid.");
    refuse(|r| r.notify_url = some("x"), &malformed("NotifyUrl"));
    refuse(|r| r.notify_req_auth = some("maybe"), &malformed("NotifyReqAuth"));
    refuse(|r| r.notify_auth_key = some("short"), &malformed("NotifyAuthKey"));
    refuse(
        |r| r.notify_req_auth = some("yes"),
        "400 NotifyAuthKey MissingParam: NotifyAuthKey is mandatory for this action.",
    );
}

#[test]
fn notifications_to_private_addresses_can_be_denied() {
    let options = Options { deny_private_callbacks: true, ..Options::default() };
    let catalog = Catalog::build(Declared { options, ..declared() }).unwrap().0;
    let unsafe_url = "400 NotifyUrl InvalidNotifyUrl.Unsafe: Specified NotifyUrl is unsafe.";
    for (url, want) in [
        ("http://10.1.2.3/x", unsafe_url),
        ("http://127.0.0.1:80", unsafe_url),
        ("http://u@localhost/x", unsafe_url),
        ("http://[::1]:80/x", unsafe_url),
        ("http://[::ffff:192.168.0.1]/", unsafe_url),
        ("http://169.254.169.254?x", unsafe_url),
        ("http://93.184.216.34/", "taken"),
        ("http://example.com/", "taken"),
    ] {
        let raw = RecordNotifyRaw { notify_url: some(url), ..record_notify() };
        refuses(&catalog, Command::AddRecordNotify(raw), want);
    }
}

#[test]
fn an_ingest_domain_leads_to_the_domain_it_is_mapped_to() {
    let unmapped = after(&[
        Command::AddDomain(new_domain("Play.example.com", "liveVideo")),
        Command::AddDomain(new_domain("push.example.com", "liveEdge")),
    ]);
    assert_eq!(unmapped.streaming_domain("push.example.com"), None);
    assert_eq!(unmapped.domain_of(Some("push.example.com")).unwrap().name(), "live.local");
    let map = |pull: &str, push: &str| Command::MapDomain { pull: some(pull), push: some(push) };
    let mapped = apply(&unmapped, &map("play.example.com", "push.example.com"));
    assert_eq!(mapped.streaming_domain("PUSH.example.com"), Some("play.example.com"));
    let domain = mapped.domain_of(Some("push.example.com:1935")).unwrap();
    assert_eq!((domain.name(), domain.ingest()), ("play.example.com", &["push.example.com".to_owned()][..]));
    assert!(mapped.apply(&map("play.example.com", "push.example.com"), NOW).unwrap().rows.is_empty());
    refuses(&mapped, map("live.local", "push.example.com"), &format!("400 PushDomain {EXISTS}"));
    refuses(&mapped, map("play.example.com", "push.live.local"), &format!("403 PushDomain {DENIED}"));
    let template = SnapshotRaw { domain_name: some("play.example.com"), ..snapshot() };
    refuses(&mapped, Command::AddSnapshot(template), "taken");
}

#[test]
fn domains() {
    let catalog = after(&[Command::AddDomain(new_domain("edge.example.com", "liveEdge"))]);
    let add = |change: fn(&mut NewDomain), want: &str| {
        let mut new = new_domain("new.example.com", "liveVideo");
        change(&mut new);
        refuses(&catalog, Command::AddDomain(new), want);
    };
    let missing = |param: &str| format!("400 {param} Missing{param}: {param} is mandatory for this action.");
    let malformed = |param: &str| {
        format!("400 {param} Invalid{param}.Malformed: Specified parameter {param} is not valid.")
    };
    add(|d| d.domain_name = None, &missing("DomainName"));
    add(|d| d.domain_name = some("a/b"), &malformed("DomainName"));
    add(|d| d.live_domain_type = None, &missing("LiveDomainType"));
    add(|d| d.live_domain_type = some("liveedge"), &malformed("LiveDomainType"));
    add(|d| d.region = None, &missing("Region"));
    add(|d| d.scope = some("mars"), &malformed("Scope"));
    let taken = "400 DomainName DomainAlreadyExist: The domain already exists.";
    add(|d| d.domain_name = some("LIVE.local"), taken);
    add(|d| d.domain_name = some("push.live.local"), taken);
    add(|d| d.domain_name = some("edge.example.com"), taken);

    let map = |pull: &str, push: &str, want: &str| {
        refuses(&catalog, Command::MapDomain { pull: some(pull), push: some(push) }, want);
    };
    map(
        "",
        "x",
        "400 PullDomain InvalidPullDomain.Miss: The specified value of parameter PullDomain is miss.",
    );
    map(
        "live.local",
        "",
        "400 PushDomain InvalidPushDomain.Miss: The specified value of parameter PushDomain is miss.",
    );
    let unknown = "InvalidDomain.NotFound: The domain provided does not exist in our records.";
    map("x.y", "edge.example.com", &format!("404 PullDomain {unknown}"));
    map("live.local", "x.y", &format!("404 PushDomain {unknown}"));
    let wrong = "DomainType.Malformed: Your domain type is not live type.";
    map("edge.example.com", "edge.example.com", &format!("400 PullDomain {wrong}"));
    map("live.local", "live.local", &format!("400 PushDomain {wrong}"));
    map("live.local", "edge.example.com", "taken");
    let hosts: Vec<_> = catalog.hosts().map(|host| (&*host.name, host.role == Role::Streaming)).collect();
    assert_eq!(hosts, [("edge.example.com", false), ("live.local", true), ("push.live.local", false)]);
}

fn forbidden(catalog: &Catalog, name: &str, now: Wall) -> bool {
    catalog.is_forbidden(&publish("live", name).stream, now)
}

#[test]
fn a_forbidden_stream_is_kicked_and_blocked_until_it_is_resumed() {
    let forbid = Forbid {
        stream: Selector { domain_name: some("PUSH.live.local"), ..stream("cam") },
        ..Forbid::default()
    };
    let Applied { catalog, kick, .. } = catalog().apply(&Command::Forbid(forbid.clone()), NOW).unwrap();
    assert_eq!(kick, Some(publish("live", "cam").stream));
    assert!(forbidden(&catalog, "cam", NOW) && !forbidden(&catalog, "other", NOW));
    let end = NOW.plus(FORBID_DEFAULT);
    assert!(forbidden(&catalog, "cam", end.plus_micros(-1)) && !forbidden(&catalog, "cam", end));
    let block = catalog.blocks(NOW).next().unwrap();
    assert_eq!((&*block.domain, block.until), ("push.live.local", end));
    refuses(&catalog, Command::Forbid(forbid), &format!("400 StreamName {EXISTS}"));

    let resumed = catalog.apply(&Command::Resume(stream("cam")), NOW).unwrap();
    assert!(!forbidden(&resumed.catalog, "cam", NOW));
    assert_eq!(resumed.kick, None);
    // What is not forbidden may be resumed: nothing to keep.
    assert!(resumed.catalog.apply(&Command::Resume(stream("cam")), NOW).unwrap().rows.is_empty());
}

#[test]
fn a_block_ends_by_itself_and_is_cleared_up() {
    let until = resume_time("2026-11-20T00:01:00Z").unwrap();
    let forbid = |name: &str| Command::Forbid(Forbid { stream: stream(name), until, once: false });
    let catalog = apply(&catalog(), &forbid("cam"));
    assert!(!forbidden(&catalog, "cam", later(60)));
    let later_block = Command::Forbid(Forbid { stream: stream("two"), until: None, once: false });
    let applied = catalog.apply(&later_block, later(60)).unwrap();
    let rows: Vec<_> = applied.rows.iter().map(|row| (row.key.as_str(), row.value.is_some())).collect();
    assert_eq!(rows, [("live.local/live/cam", false), ("live.local/live/two", true)]);
}

#[test]
fn once_only_kicks() {
    let forbid = Forbid { stream: stream("cam"), until: None, once: true };
    let applied = catalog().apply(&Command::Forbid(forbid), NOW).unwrap();
    assert!(applied.rows.is_empty() && !forbidden(&applied.catalog, "cam", NOW));
    assert_eq!(applied.kick, Some(publish("live", "cam").stream));
}

#[test]
fn streams_to_forbid_are_named_in_full() {
    let forbid = |stream: Selector, until: Option<Wall>, want: &str| {
        refuses(&catalog(), Command::Forbid(Forbid { stream, until, once: false }), want);
    };
    forbid(one("live"), None, "400 StreamName MissingStreamName: StreamName is mandatory for this action.");
    forbid(
        stream("*"),
        None,
        "400 StreamName InvalidStreamName.Malformed: Specified parameter StreamName is not valid.",
    );
    let past = "400 ResumeTime InvalidResumeTime.Malformed: Specified parameter ResumeTime is not valid.";
    forbid(stream("cam"), Some(NOW), past);
    assert_eq!(resume_time("tomorrow").unwrap_err().code, "InvalidResumeTime.Malformed");
    assert_eq!(resume_time("").unwrap(), None);
    let elsewhere = Selector { domain_name: some("x.y"), ..stream("cam") };
    forbid(
        elsewhere,
        None,
        "404 DomainName InvalidDomain.NotFound: The domain provided does not exist in our records.",
    );
}

#[test]
fn ten_thousand_streams_can_be_forbidden() {
    let forbid = Forbid { stream: stream("s"), ..Forbid::default() };
    let row = catalog().apply(&Command::Forbid(forbid), NOW).unwrap().rows.remove(0);
    let kept = |number| Kept {
        kind: row.kind.to_owned(),
        key: format!("{}{number}", row.key),
        value: row.value.clone().unwrap(),
    };
    let (full, notices) = catalog().restore(&(0..crate::MAX_BLOCKS).map(kept).collect::<Vec<_>>());
    assert!(notices.is_empty() && forbidden(&full, "s9999", NOW));
    let one_more = Command::Forbid(Forbid { stream: stream("more"), ..Forbid::default() });
    let fault = full.apply(&one_more, NOW).unwrap_err();
    assert_eq!((fault.code, fault.kind), ("QuotaExceeded", Kind::Limit));
}

#[test]
fn keys_that_sign_are_in_no_log() {
    let secret = Some("hunter2hunter2hunter2hunter2hunter2".to_owned());
    let short = some("hunter2hunter2hunter2");
    let record =
        RecordNotifyRaw { notify_auth_key: short.clone(), notify_req_auth: Some(true), ..record_notify() };
    let snapshot =
        SnapshotNotifyRaw { notify_auth_key: short, notify_req_auth: some("yes"), ..snapshot_notify() };
    let huawei = crate::snapshot::HuaweiSnapshotRaw {
        domain: some("live.local"),
        app_name: some("live"),
        auth_key: secret,
        time_interval: Some(5),
        bucket: some("live-bucket"),
        location: some("oss-local"),
        ..Default::default()
    };
    let commands = [
        Command::AddRecordNotify(record),
        Command::AddSnapshotNotify(snapshot),
        Command::CreateHuaweiSnapshot(huawei),
    ];
    let shown = format!("{commands:?}{:?}", after(&commands));
    assert!(shown.contains("***") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_bucket_that_only_the_storage_knows_is_to_be_asked_for_when_it_is_new() {
    let mut declared = declared();
    declared.storages[0].buckets = None;
    let catalog = Catalog::build(declared).unwrap().0;
    let added = catalog.apply(&Command::AddSnapshot(snapshot()), NOW).unwrap();
    let unseen = added.unseen.unwrap();
    assert_eq!((&*unseen.storage, &*unseen.name), ("oss-local", "live-bucket"));
    let slower = SnapshotRaw { time_interval: Some(6), ..snapshot() };
    assert_eq!(added.catalog.apply(&Command::UpdateSnapshot(slower), NOW).unwrap().unseen, None);
    let moved = SnapshotRaw { oss_bucket: some("other"), ..snapshot() };
    let unseen = added.catalog.apply(&Command::UpdateSnapshot(moved), NOW).unwrap().unseen;
    assert_eq!(&*unseen.unwrap().name, "other");
}

#[test]
fn a_bucket_that_the_file_names_is_not_asked_for() {
    assert_eq!(catalog().apply(&Command::AddSnapshot(snapshot()), NOW).unwrap().unseen, None);
}
