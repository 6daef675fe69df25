//! Ranges, codes and messages of the seeds.

use super::*;

/// `field: code: message`
fn said<R>(result: Result<R, Fault>) -> String {
    match result {
        Ok(_) => "taken".to_owned(),
        Err(fault) => format!("{}: {}: {}", fault.field, fault.code, fault.message),
    }
}

#[track_caller]
fn snapshots(change: impl FnOnce(&mut SnapshotRaw), want: &str) {
    let mut raw = snapshot();
    change(&mut raw);
    assert_eq!(said(SnapshotRule::check(&raw, &catalog().known())), want);
}

#[track_caller]
fn records(change: impl FnOnce(&mut RecordRaw), want: &str) {
    let mut raw = record();
    change(&mut raw);
    assert_eq!(said(RecordRule::check(&raw, &catalog().known())), want);
}

#[track_caller]
fn formats(change: impl FnOnce(&mut FormatRaw), want: &str) {
    records(|r| change(&mut r.record_format[0]), want);
}

#[track_caller]
fn packages(change: impl FnOnce(&mut PackageRaw), want: &str) {
    let mut raw = package();
    change(&mut raw);
    assert_eq!(said(PackageRule::check(&raw, &catalog().known())), want);
}

#[test]
fn time_interval_is_5_to_3600() {
    let wrong = "TimeInterval: InvalidTimeInterval.Malformed: Specified parameter TimeInterval is not valid.";
    snapshots(|s| s.time_interval = Some(5), "taken");
    snapshots(|s| s.time_interval = Some(3600), "taken");
    snapshots(|s| s.time_interval = Some(4), wrong);
    snapshots(|s| s.time_interval = Some(3601), wrong);
    snapshots(|s| s.time_interval = Some(-5), wrong);
    snapshots(|s| s.time_interval = Some(i64::MAX), wrong);
    snapshots(
        |s| s.time_interval = None,
        "TimeInterval: MissingTimeInterval: TimeInterval is mandatory for this action.",
    );
}

#[test]
fn a_snapshot_has_exactly_one_object_name() {
    let code = "InvalidOverwriteOssObjectOrSequenceOssObject.Malformed: \
                Specified paramters OverwriteOssObject or SequenceOssObject should have one.";
    snapshots(|s| s.overwrite_oss_object = None, &format!("OverwriteOssObject: {code}"));
    snapshots(|s| s.overwrite_oss_object = some(""), &format!("OverwriteOssObject: {code}"));
    snapshots(|s| s.sequence_oss_object = some("{Sequence}.jpg"), &format!("SequenceOssObject: {code}"));
}

#[test]
fn object_names_of_snapshots() {
    let overwrite = "OverwriteOssObject: InvalidOverwriteOssObject.Malformed: Specified parameter OverwriteOssObject is not valid.";
    let sequence = "SequenceOssObject: InvalidSequenceOssObject.Malformed: Specified parameter SequenceOssObject is not valid.";
    let set = |name: &str| {
        let name = name.to_owned();
        move |s: &mut SnapshotRaw| s.overwrite_oss_object = Some(name)
    };
    let set_sequence = |name: &str| {
        let name = name.to_owned();
        move |s: &mut SnapshotRaw| {
            s.overwrite_oss_object = None;
            s.sequence_oss_object = Some(name);
        }
    };
    snapshots(set(&format!("{}.jpg", "x".repeat(251))), "taken");
    snapshots(set(&format!("{}.jpg", "x".repeat(252))), overwrite);
    snapshots(set("a.png"), overwrite);
    snapshots(set("é"), overwrite);
    snapshots(set("{Sequence}.jpg"), overwrite);
    snapshots(set("../{AppName}.jpg"), overwrite);
    snapshots(set_sequence("snapshot/{AppName}/{StreamName}/{UnixTimestamp}.jpg"), "taken");
    snapshots(set_sequence("{Sequence}.jpg"), "taken");
    snapshots(set_sequence("{AppName}.jpg"), sequence);
    snapshots(set_sequence("{Sequence}/{EscapedStartTime}.jpg"), sequence);
}

#[test]
fn storages_and_domains_of_templates_exist() {
    snapshots(|s| s.oss_endpoint = some("https://OSS-cn-shanghai.aliyuncs.com/"), "taken");
    snapshots(
        |s| s.oss_endpoint = some("elsewhere"),
        "OssEndpoint: InvalidOssEndpoint.Malformed: Specified parameter OssEndpoint is not valid.",
    );
    records(
        |r| r.oss_bucket = some("other"),
        "OssBucket: InvalidOssBucket.NotFound: The parameter OssBucket does not exist.",
    );
    records(
        |r| r.oss_bucket = some("../x"),
        "OssBucket: InvalidOssBucket.Malformed: Specified parameter OssBucket is not valid.",
    );
    let unknown =
        "DomainName: InvalidDomain.NotFound: The domain provided does not exist in our records.".to_owned();
    snapshots(|s| s.domain_name = some("x.y"), &unknown);
    records(|s| s.domain_name = some("push.live.local"), &unknown);
    packages(|s| s.domain_name = some("x.y"), &unknown);
    records(|s| s.domain_name = some("LIVE.local"), "taken");
}

#[test]
fn names_of_apps_and_streams_have_the_seeds_charset() {
    let app = "AppName: InvalidAppName.Malformed: Specified parameter AppName is not valid.";
    snapshots(|s| s.app_name = some("_a"), app);
    snapshots(|s| s.app_name = some(&"a".repeat(256)), app);
    records(|r| r.app_name = some("a.b"), app);
    records(|r| r.app_name = None, "AppName: MissingAppName: AppName is mandatory for this action.");
    records(
        |r| r.stream_name = some("a*"),
        "StreamName: InvalidStreamName.Malformed: Specified parameter StreamName is not valid.",
    );
}

#[test]
fn callbacks_are_web_addresses() {
    let wrong = "Callback: InvalidCallback.Malformed: Specified parameter Callback is not valid.";
    snapshots(|s| s.callback = some("https://learn.aliyundoc.com"), "taken");
    snapshots(|s| s.callback = some("ftp://a"), wrong);
    snapshots(|s| s.callback = some("http://"), wrong);
    snapshots(|s| s.callback = some("http://a\r\nb"), wrong);
    for good in
        ["http://a", "http://a:1?x", "https://u:p@a.b:65535/{x}#y", "http://[::1]:80", "http://1.2.3.4:/x"]
    {
        snapshots(|s| s.callback = some(good), "taken");
    }
    // Nobody could ever be called there.
    for bad in [
        "http://?x",
        "http://#x",
        "http://:80/",
        "http://a:0/",
        "http://a:65536/",
        "http://a:x/",
        "http://a:+8/",
        "http://[::1/",
        "http://[::g]/",
        "http://[::1]x/",
        "http://a\\b",
        "http://a/<x>",
        "http://u@/",
        "http://a%20b/",
    ] {
        snapshots(|s| s.callback = some(bad), wrong);
    }
}

#[test]
fn ranges_of_recordings() {
    let slice = "RecordFormat.1.SliceDuration: InvalidSliceDuration.Malformed: \
                 Specified SliceDuration Format is not valid.";
    formats(|f| f.slice_duration = Some(5), "taken");
    formats(|f| f.slice_duration = Some(30), "taken");
    formats(|f| f.slice_duration = Some(4), slice);
    formats(|f| f.slice_duration = Some(31), slice);
    records(|r| r.record_format[1].slice_duration = Some(1), "taken");
    let cycle = "RecordFormat.1.CycleDuration: InvalidCycleDuration.Malformed: \
                 Specified CycleDuration Format is not valid.";
    formats(|f| f.cycle_duration = Some(1), "taken");
    formats(|f| f.cycle_duration = Some(86_400), "taken");
    formats(|f| f.cycle_duration = Some(0), cycle);
    formats(|f| f.cycle_duration = Some(86_401), cycle);
    let delay = "DelayTime: InvalidDelayTime: Specified Delaytime is invalid.";
    records(|r| r.delay_time = Some(15), "taken");
    records(|r| r.delay_time = Some(21_600), "taken");
    records(|r| r.delay_time = Some(14), delay);
    records(|r| r.delay_time = Some(21_601), delay);
    records(
        |r| r.on_demand = Some(3),
        "OnDemand: InvalidOnDemand.Malformed: Specified parameter OnDemand is not valid.",
    );
}

#[test]
fn formats_of_recordings() {
    let at = |field: &str, rest: &str| format!("RecordFormat.1.{field}: {rest}");
    let wrong = at("Format", "InvalidFormat.Malformed: Specified parameter Format is not valid.");
    formats(|f| f.format = some("M3U8"), &wrong);
    formats(|f| f.format = None, &wrong);
    records(
        |r| r.record_format[1].format = some("m3u8"),
        "RecordFormat.2.Format: InvalidFormat.IllegalOperation: Specified parameter Format can not be multiple.",
    );
    records(|r| r.record_format.extend([format("mp4"), format("cmaf")]), "taken");
    formats(
        |f| f.slice_oss_object_prefix = None,
        &at(
            "SliceOssObjectPrefix",
            "MissingSliceOssObjectPrefix: SliceOssObjectPrefix is mandatory for this action.",
        ),
    );
    records(|r| r.record_format[1].slice_oss_object_prefix = None, "taken");
    formats(
        |f| f.oss_object_prefix = some(""),
        &at("OssObjectPrefix", "MissingOssObjectPrefix: OssObjectPrefix is mandatory for this action."),
    );
}

#[test]
fn object_names_of_recordings() {
    let file = "RecordFormat.1.OssObjectPrefix: InvalidOssObjectPrefix.Malformed: \
                Specified parameter OssObjectPrefix is not valid.";
    formats(|f| f.oss_object_prefix = some("{StartTime}_{EscapedEndTime}"), "taken");
    formats(|f| f.oss_object_prefix = some("{StartTime}_{Sequence}"), file);
    formats(|f| f.oss_object_prefix = some("{EndTime}"), file);
    formats(|f| f.oss_object_prefix = some("{StartTime}{EndTime}{UnixTimestamp}"), file);
    formats(|f| f.oss_object_prefix = Some("{StartTime}{EndTime}".to_owned() + &"x".repeat(240)), file);
    let slice = "RecordFormat.1.SliceOssObjectPrefix: InvalidSliceOssObjectPrefix.Malformed: \
                 Specified parameter SliceOssObjectPrefix is not valid.";
    formats(|f| f.slice_oss_object_prefix = some("{Sequence}"), slice);
    formats(|f| f.slice_oss_object_prefix = some("{UnixTimestamp}"), slice);
    formats(|f| f.slice_oss_object_prefix = some("{UnixTimestamp}_{Sequence}_{StartTime}"), slice);
}

#[test]
fn transcode_templates() {
    let with = |templates: &[&str]| {
        let names: Vec<String> = templates.iter().map(|name| (*name).to_owned()).collect();
        move |r: &mut RecordRaw| {
            r.transcode_record_format = vec![format("mp4")];
            r.transcode_templates = names;
        }
    };
    records(
        |r| r.record_format.clear(),
        "RecordFormat: MissingTemplate: Template is mandatory for this action.",
    );
    records(with(&[]), "TranscodeTemplates: MissingTemplate: Template is mandatory for this action.");
    records(with(&["*****"]), "taken");
    records(with(&["x"; 10]), "taken");
    records(
        with(&["x"; 11]),
        "TranscodeTemplates: InvalidTemplateLength.Malformed: Specified record template length is not valid.",
    );
    records(
        with(&["sd", "raw"]),
        "TranscodeTemplates: InvalidTemplate.ForbidRaw: Template named raw is Forbidden.",
    );
    records(
        |r| {
            with(&["sd"])(r);
            r.transcode_record_format[0].format = some("avi");
        },
        "TranscodeRecordFormat.1.Format: InvalidFormat.Malformed: Specified parameter Format is not valid.",
    );
}

#[track_caller]
fn windows(start: &str, end: &str, now: Option<i64>, want: &str) {
    let raw =
        RecordRaw { stream_name: some("cam"), start_time: some(start), end_time: some(end), ..record() };
    let catalog = catalog();
    let known = Known { now: now.map(|seconds| Wall(seconds * 1_000_000)), ..catalog.known() };
    assert_eq!(said(RecordRule::check(&raw, &known)), want);
}

#[test]
fn start_and_end_time() {
    // 2018-04-10T09:57:21Z
    let now = 1_523_354_241;
    let (start, end) = ("2018-04-10T09:57:21Z", "2018-04-16T09:57:21Z");
    windows(start, end, Some(now), "taken");
    windows(start, "", Some(now), "taken");
    windows(start, end, None, "taken");
    let mismatch = "EndTime: InvalidEndTime.Mismatch: \
                    Specified EndTime does not math the specified StartTime or current time.";
    windows(start, start, None, mismatch);
    windows("", end, Some(now + 7 * 86_400), mismatch);
    let far = "StartTime: InvalidStartTime.Mismatch: Specified StartTime does not math the current time.";
    windows(start, end, Some(now - 7 * 86_400 - 1), far);
    windows(start, end, Some(now + 7 * 86_400 + 1), far);
    windows(
        "2018-04-10 09:57:21",
        "",
        None,
        "StartTime: InvalidStartTime.Malformed: Specified StartTime is malformed.",
    );
    windows(
        "",
        "2018-4-1T9:57:21Z",
        None,
        "EndTime: InvalidEndTime.Malformed: Specified EndTime is malformed.",
    );
}

#[test]
fn start_and_end_time_of_a_whole_app_are_ignored() {
    let old = || some("2018-04-10T09:57:21Z");
    records(|r| (r.start_time, r.end_time) = (old(), old()), "taken");
    records(
        |r| r.end_time = some("soon"),
        "EndTime: InvalidEndTime.Malformed: Specified EndTime is malformed.",
    );
    let raw = RecordRaw { start_time: old(), end_time: old(), ..record() };
    let catalog = catalog();
    let known = Known { now: Some(Wall(1_795_132_800_000_000)), ..catalog.known() };
    assert_eq!(RecordRule::check(&raw, &known).unwrap().window, None);
}

#[test]
fn recordings_are_kept_for_days() {
    records(|r| r.retention_days = Some(1), "taken");
    records(|r| r.retention_days = Some(36_500), "taken");
    for days in [0, -1, 36_501] {
        records(
            |r| r.retention_days = Some(days),
            "RetentionDays: InvalidRetentionDays.Malformed: Specified parameter RetentionDays is not valid.",
        );
    }
}

#[test]
fn a_window_is_cut_to_seven_days() {
    let raw = RecordRaw {
        stream_name: some("cam"),
        start_time: some("2018-04-10T00:00:00Z"),
        end_time: some("2019-04-10T00:00:00Z"),
        ..record()
    };
    let window = RecordRule::check(&raw, &catalog().known()).unwrap().window.unwrap();
    assert_eq!(window.end.unwrap().micros_since(window.start.unwrap()), 7 * 86_400 * 1_000_000);
}

#[test]
fn ranges_of_packaging() {
    let invalid = |code: &str, detail: &str| {
        let (param, _) = detail.split_once(' ').unwrap();
        format!("{param}: {code}: {detail}, please check and try again later.")
    };
    packages(|p| p.segment_num = Some(3), "taken");
    packages(|p| p.segment_num = Some(10), "taken");
    packages(|p| p.segment_num = Some(2), &invalid("InvalidSegmentNum", "SegmentNum is 2, not 3 to 10"));
    packages(|p| p.segment_num = Some(11), &invalid("InvalidSegmentNum", "SegmentNum is 11, not 3 to 10"));
    let duration = |protocol: &str, seconds, want: &str| {
        packages(
            |p| {
                p.protocol = some(protocol);
                p.segment_duration = Some(seconds);
            },
            want,
        );
    };
    let code = "InvalidSegmentDuration";
    for protocol in ["HLS_CMAF", "DASH_CMAF", "HLSDASH_CMAF"] {
        duration(protocol, 1, "taken");
        duration(protocol, 10, "taken");
        duration(protocol, 11, &invalid(code, "SegmentDuration is 11, not 1 to 10"));
    }
    for protocol in ["LLHLS_TS", "LLHLS_CMAF", "LLHLSDASH_CMAF"] {
        duration(protocol, 1, "taken");
        duration(protocol, 2, "taken");
        duration(protocol, 3, &invalid(code, "SegmentDuration is 3, not 1 to 2"));
    }
    duration("HLS_CMAF", 0, &invalid(code, "SegmentDuration is 0, not 1 to 10"));
    packages(
        |p| p.protocol = some("HLS"),
        "Protocol: InvalidProtocol: Protocol is \"HLS\", not one of HLS_CMAF, LLHLS_TS, LLHLS_CMAF, \
         DASH_CMAF, HLSDASH_CMAF, LLHLSDASH_CMAF, please check and try again later.",
    );
    packages(|p| p.stream_name = None, &invalid("MissingParam", "StreamName is missing"));
    packages(|p| p.domain_name = None, &invalid("MissingParam", "DomainName is missing"));
    packages(|p| p.app_name = some("a b"), &invalid("InvalidParams", "AppName contains ' '"));
}

#[test]
fn parts_exist_under_low_latency_only() {
    let part = |protocol: &str, segment: i64, part: Option<i64>| {
        let raw = PackageRaw {
            protocol: some(protocol),
            segment_duration: Some(segment),
            part_duration: part,
            ..package()
        };
        PackageRule::check(&raw, &catalog().known()).map(|rule| rule.part_duration_ms).ok()
    };
    assert_eq!(part("HLS_CMAF", 5, Some(9999)), Some(None));
    assert_eq!(part("LLHLS_CMAF", 1, None), Some(Some(350)));
    assert_eq!(part("LLHLSDASH_CMAF", 1, None), Some(Some(350)));
    assert_eq!(part("HLSDASH_CMAF", 1, Some(350)), Some(None));
    assert_eq!(part("LLHLS_TS", 2, None), Some(Some(700)));
    assert_eq!(part("LLHLS_TS", 1, Some(500)), Some(Some(500)));
    assert_eq!(part("LLHLS_TS", 1, Some(501)), None);
    assert_eq!(part("LLHLS_TS", 2, Some(1000)), Some(Some(1000)));
    assert_eq!(part("LLHLS_TS", 2, Some(99)), None);
}

#[test]
fn templates_may_have_both_snapshot_names_only_by_option() {
    let options = Options { snapshot_both_names: true, ..Options::default() };
    let raw = SnapshotRaw { sequence_oss_object: some("{Sequence}.jpg"), ..snapshot() };
    let catalog = catalog();
    let known = Known { options: &options, ..catalog.known() };
    assert_eq!(said(SnapshotRule::check(&raw, &known)), "taken");
}

#[test]
fn a_live_stream_is_put_where_recordings_may_be() {
    let put = |change: fn(&mut PackageRaw), want: &str| {
        packages(
            |p| {
                (p.put_oss_endpoint, p.put_oss_bucket) = (some("oss-local"), some("live-bucket"));
                change(p);
            },
            want,
        );
    };
    let wrong = |param: &str, detail: &str| {
        format!("{param}: InvalidParams: {param} {detail}, please check and try again later.")
    };
    put(|_| {}, "taken");
    put(|p| p.protocol = some("DASH_CMAF"), "taken");
    put(|p| p.put_oss_prefix = some("cdn/{AppName}/"), "taken");
    put(|p| (p.put_oss_prefix, p.app_name) = (some(""), some("live")), "taken");
    put(|p| p.put_oss_prefix = some("cdn/{AppName}"), &wrong("PutOssPrefix", "does not end in /"));
    put(|p| p.put_oss_prefix = some("../{AppName}/"), &wrong("PutOssPrefix", "has a path component \"..\""));
    put(
        |p| p.put_oss_prefix = some("{Sequence}/"),
        &wrong("PutOssPrefix", "has an unknown variable {Sequence}"),
    );
    let apps = wrong("PutOssPrefix", "lacks {AppName}: the template is for streams of any app");
    put(|p| p.put_oss_prefix = some("cdn/"), &apps);
    let parts = "is for protocols without parts, LLHLS_CMAF has them: no store keeps up with parts";
    put(|p| p.protocol = some("LLHLS_CMAF"), &wrong("PutOssBucket", parts));
    let elsewhere = "\"elsewhere\" is the name or endpoint of no storage";
    put(|p| p.put_oss_endpoint = some("elsewhere"), &wrong("PutOssEndpoint", elsewhere));
    put(
        |p| p.put_oss_bucket = some("other"),
        &wrong("PutOssBucket", "storage \"oss-local\" has no bucket \"other\""),
    );
    let missing = "PutOssBucket: MissingParam: PutOssBucket is missing, please check and try again later.";
    put(|p| p.put_oss_bucket = None, missing);
    packages(|p| p.put_oss_prefix = some("{AppName}/"), &missing.replace("Bucket", "Endpoint"));
}
