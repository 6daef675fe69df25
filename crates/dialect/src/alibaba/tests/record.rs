use super::*;

const ADD: &str = "AddLiveAppRecordConfig";
const UPDATE: &str = "UpdateLiveAppRecordConfig";
const DELETE: &str = "DeleteLiveAppRecordConfig";
const DESCRIBE: &str = "DescribeLiveRecordConfig";

const SLICE: &str = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}";
const FILE: &str = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}";

const BASE: &[(&str, &str)] = &[
    ("DomainName", "live.local"),
    ("AppName", "app"),
    ("OssEndpoint", "oss-cn-shanghai.aliyuncs.com"),
    ("OssBucket", "live-bucket"),
    ("RecordFormat.1.Format", "m3u8"),
    ("RecordFormat.1.OssObjectPrefix", FILE),
    ("RecordFormat.1.SliceOssObjectPrefix", SLICE),
];

const STREAM: (&str, &str) = ("StreamName", "stream");

fn described(world: &mut World) -> Value {
    let all = world.done(DESCRIBE, &[("DomainName", "live.local")]);
    assert_eq!(all["TotalNum"], 1, "{all}");
    all["LiveAppRecordList"]["LiveAppRecord"][0].clone()
}

#[test]
fn describes_as_the_sample_does_with_defaults() {
    let mut world = World::new();
    world.done(ADD, BASE);
    let sample = json!({
        "PageNum": 1, "PageSize": 10, "TotalNum": 1, "TotalPage": 1, "Order": "asc",
        "LiveAppRecordList": { "LiveAppRecord": [{
            "DomainName": "live.local", "AppName": "app", "StreamName": "*",
            "OssEndpoint": "oss-cn-shanghai.aliyuncs.com", "OssBucket": "live-bucket",
            "CreateTime": "2026-11-20T08:00:00Z", "StartTime": "", "EndTime": "",
            "OnDemond": 0, "DelayTime": 180,
            "RecordFormatList": { "RecordFormat": [{
                "Format": "m3u8", "OssObjectPrefix": FILE, "SliceOssObjectPrefix": SLICE,
                "SliceDuration": 30, "CycleDuration": 21600,
            }] },
            "TranscodeRecordFormatList": { "RecordFormat": [] },
            "TranscodeTemplates": { "Templates": [] },
        }] },
    });
    assert_eq!(world.done(DESCRIBE, &[("DomainName", "live.local")]), sample);
}

#[test]
fn everything_given_is_told_again() {
    let mut world = World::new();
    let changes = [
        STREAM,
        ("OnDemand", "7"),
        ("DelayTime", "15"),
        ("StartTime", "2026-11-20T09:00:00Z"),
        ("EndTime", "2026-11-21T09:00:00Z"),
        ("RecordFormat.1.SliceDuration", "5"),
        ("RecordFormat.1.CycleDuration", "86400"),
        ("RecordFormat.2.Format", "mp4"),
        ("RecordFormat.2.OssObjectPrefix", FILE),
        ("TranscodeRecordFormat.1.Format", "cmaf"),
        ("TranscodeRecordFormat.1.OssObjectPrefix", FILE),
        ("TranscodeRecordFormat.1.SliceOssObjectPrefix", SLICE),
        ("TranscodeTemplates.1", "sd"),
        ("TranscodeTemplates.2", "hd"),
    ];
    world.done(ADD, &pairs(&with(BASE, &changes)));
    let shown = described(&mut world);
    assert_eq!(shown["StreamName"], "stream");
    assert_eq!((&shown["OnDemond"], &shown["DelayTime"]), (&json!(7), &json!(15)));
    assert_eq!(shown["StartTime"], "2026-11-20T09:00:00Z");
    assert_eq!(shown["EndTime"], "2026-11-21T09:00:00Z");
    let formats = &shown["RecordFormatList"]["RecordFormat"];
    assert_eq!((&formats[0]["SliceDuration"], &formats[0]["CycleDuration"]), (&json!(5), &json!(86_400)));
    assert_eq!((&formats[1]["Format"], &formats[1]["CycleDuration"]), (&json!("mp4"), &json!(3_600)));
    assert_eq!(formats[1]["SliceOssObjectPrefix"], "");
    assert_eq!(shown["TranscodeRecordFormatList"]["RecordFormat"][0]["Format"], "cmaf");
    assert_eq!(shown["TranscodeTemplates"], json!({ "Templates": ["sd", "hd"] }));
}

/// A row of the seed's table: what provokes it, its code, its message. All are 400.
type Row = (&'static [(&'static str, &'static str)], &'static str, &'static str);

const TABLE: &[Row] = &[
    (
        &[("OssEndpoint", "nowhere")],
        "InvalidOssEndpoint.Malformed",
        "Specified parameter OssEndpoint is not valid.",
    ),
    (&[("OssBucket", "a/b")], "InvalidOssBucket.Malformed", "Specified parameter OssBucket is not valid."),
    (&[("OssBucket", "other")], "InvalidOssBucket.NotFound", "The parameter OssBucket does not exist."),
    (
        &[("RecordFormat.1.Format", "ts")],
        "InvalidFormat.Malformed",
        "Specified parameter Format is not valid.",
    ),
    (
        &[("RecordFormat.1.CycleDuration", "0")],
        "InvalidCycleDuration.Malformed",
        "Specified CycleDuration Format is not valid.",
    ),
    (
        &[("RecordFormat.1.CycleDuration", "1h")],
        "InvalidCycleDuration.Malformed",
        "Specified CycleDuration Format is not valid.",
    ),
    (
        &[("RecordFormat.1.SliceDuration", "4")],
        "InvalidSliceDuration.Malformed",
        "Specified SliceDuration Format is not valid.",
    ),
    (
        &[("RecordFormat.1.SliceDuration", "31")],
        "InvalidSliceDuration.Malformed",
        "Specified SliceDuration Format is not valid.",
    ),
    (&[("TranscodeTemplates.1", "raw")], "InvalidTemplate.ForbidRaw", "Template named raw is Forbidden."),
    (
        &[("TranscodeRecordFormat.1.Format", "mp4"), ("TranscodeRecordFormat.1.OssObjectPrefix", FILE)],
        "MissingTemplate",
        "Template is mandatory for this action.",
    ),
    (
        &[
            ("RecordFormat.1.Format", ""),
            ("RecordFormat.1.OssObjectPrefix", ""),
            ("RecordFormat.1.SliceOssObjectPrefix", ""),
        ],
        "MissingTemplate",
        "Template is mandatory for this action.",
    ),
    (
        &[("RecordFormat.1.OssObjectPrefix", "")],
        "MissingOssObjectPrefix",
        "OssObjectPrefix is mandatory for this action.",
    ),
    (
        &[("RecordFormat.1.SliceOssObjectPrefix", "")],
        "MissingSliceOssObjectPrefix",
        "SliceOssObjectPrefix is mandatory for this action.",
    ),
    (
        &[("RecordFormat.1.OssObjectPrefix", "{StartTime}")],
        "InvalidOssObjectPrefix.Malformed",
        "Specified parameter OssObjectPrefix is not valid.",
    ),
    (
        &[("RecordFormat.1.SliceOssObjectPrefix", "{Sequence}")],
        "InvalidSliceOssObjectPrefix.Malformed",
        "Specified parameter SliceOssObjectPrefix is not valid.",
    ),
    (
        &[
            ("RecordFormat.2.Format", "m3u8"),
            ("RecordFormat.2.OssObjectPrefix", FILE),
            ("RecordFormat.2.SliceOssObjectPrefix", SLICE),
        ],
        "InvalidFormat.IllegalOperation",
        "Specified parameter Format can not be multiple.",
    ),
    (&[("DelayTime", "14")], "InvalidDelayTime", "Specified Delaytime is invalid."),
    (&[("DelayTime", "21601")], "InvalidDelayTime", "Specified Delaytime is invalid."),
    (&[("DelayTime", "x")], "InvalidDelayTime", "Specified Delaytime is invalid."),
    (&[("OnDemand", "3")], "InvalidOnDemand.Malformed", "Specified parameter OnDemand is not valid."),
    (
        &[STREAM, ("StartTime", "2026-11-20 08:00:00")],
        "InvalidStartTime.Malformed",
        "Specified StartTime is malformed.",
    ),
    (&[STREAM, ("EndTime", "tomorrow")], "InvalidEndTime.Malformed", "Specified EndTime is malformed."),
    (
        &[STREAM, ("EndTime", "2026-11-20T08:00:00Z")],
        "InvalidEndTime.Mismatch",
        "Specified EndTime does not math the specified StartTime or current time.",
    ),
    (
        &[STREAM, ("StartTime", "2026-11-27T08:00:01Z")],
        "InvalidStartTime.Mismatch",
        "Specified StartTime does not math the current time.",
    ),
    (&[("AppName", "-")], "InvalidAppName.Malformed", "Specified parameter AppName is not valid."),
    (
        &[("StreamName", "直播")],
        "InvalidStreamName.Malformed",
        "Specified parameter StreamName is not valid.",
    ),
    (&[("AppName", "")], "MissingAppName", "AppName is mandatory for this action."),
    (&[("OssEndpoint", "")], "MissingOssEndpoint", "OssEndpoint is mandatory for this action."),
    (&[("OssBucket", "")], "MissingOssBucket", "OssBucket is mandatory for this action."),
];

#[test]
fn every_row_of_the_seeds_error_table_is_said_word_for_word() {
    for (changes, code, message) in TABLE {
        World::new().check_refused(ADD, BASE, changes, (400, code, message));
    }
}

#[test]
fn more_than_ten_templates_are_too_many() {
    let names: Vec<_> = (1..=11).map(|n| format!("TranscodeTemplates.{n}")).collect();
    let call = |world: &mut World, count: usize| {
        let mut all = with(BASE, &[]);
        all.extend(names.iter().take(count).map(|name| (name.clone(), format!("t{name}"))));
        world.call(ADD, &pairs(&all))
    };
    let refusal = call(&mut World::new(), 11).unwrap_err();
    let message = "Specified record template length is not valid.";
    assert_eq!(refusal, Refusal::new(400, "InvalidTemplateLength.Malformed", message));
    assert!(call(&mut World::new(), 10).is_ok());
}

#[test]
fn an_absent_and_a_starred_stream_are_one_key() {
    let mut world = World::new();
    world.done(ADD, BASE);
    let expected = (400, "ConfigAlreadyExists", "Config has already exist.");
    world.check_refused(ADD, BASE, &[("StreamName", "*")], expected);
    world.done(ADD, &pairs(&with(BASE, &[STREAM])));
    let names = |world: &mut World, name: &str| {
        let found = world.done(DESCRIBE, &[("DomainName", "live.local"), ("StreamName", name)]);
        found["TotalNum"].clone()
    };
    assert_eq!(
        (names(&mut world, ""), names(&mut world, "*"), names(&mut world, "stream")),
        (json!(2), json!(1), json!(1))
    );
}

#[test]
fn ranges_are_taken_at_both_ends() {
    for (name, value) in [
        ("RecordFormat.1.SliceDuration", "5"),
        ("RecordFormat.1.SliceDuration", "30"),
        ("RecordFormat.1.CycleDuration", "1"),
        ("RecordFormat.1.CycleDuration", "86400"),
        ("DelayTime", "15"),
        ("DelayTime", "21600"),
        ("OnDemand", "0"),
        ("OnDemand", "1"),
        ("OnDemand", "2"),
    ] {
        World::new().done(ADD, &pairs(&with(BASE, &[(name, value)])));
    }
}

#[test]
fn an_update_keeps_the_bucket_and_the_names() {
    let mut world = World::new();
    world.done(ADD, BASE);
    let update = [
        ("DomainName", "live.local"),
        ("AppName", "app"),
        ("OssEndpoint", "oss-local"),
        ("DelayTime", "60"),
        ("RecordFormat.1.Format", "m3u8"),
        ("RecordFormat.1.SliceDuration", "10"),
    ];
    world.done(UPDATE, &update);
    let shown = described(&mut world);
    assert_eq!((&shown["OssBucket"], &shown["OssEndpoint"]), (&json!("live-bucket"), &json!("oss-local")));
    assert_eq!(shown["DelayTime"], 60);
    let format = &shown["RecordFormatList"]["RecordFormat"][0];
    assert_eq!((&format["SliceDuration"], &format["OssObjectPrefix"]), (&json!(10), &json!(FILE)));
}

#[test]
fn what_is_not_there_is_neither_updated_nor_deleted() {
    let mut world = World::new();
    let key = [("DomainName", "live.local"), ("AppName", "app"), ("OssEndpoint", "oss-local")];
    let expected = (400, "InvalidConfig.NotFound", "The speicified config does not exist.");
    world.check_refused(UPDATE, &key, &[], expected);
    world.check_refused(DELETE, &key, &[], expected);
    world.done(ADD, BASE);
    world.done(DELETE, &key);
    assert_eq!(world.done(DESCRIBE, &key[..1])["TotalNum"], 0);
}

const NOTIFY: &[(&str, &str)] = &[("DomainName", "live.local"), ("NotifyUrl", "https://cb.example.com/")];

#[test]
fn a_notification_is_described_within_its_object() {
    let mut world = World::new();
    world.done("AddLiveRecordNotifyConfig", NOTIFY);
    let domain = [("DomainName", "live.local")];
    let describe = "DescribeLiveRecordNotifyConfig";
    let mut sample = json!({ "LiveRecordNotifyConfig": {
        "DomainName": "live.local", "NotifyUrl": "https://cb.example.com/", "NeedStatusNotify": false,
        "OnDemandUrl": "", "NotifyReqAuth": false, "NotifyAuthKey": "",
    } });
    assert_eq!(world.done(describe, &domain), sample);
    let changes = [
        ("NeedStatusNotify", "True"),
        ("OnDemandUrl", "http://ask/"),
        ("NotifyReqAuth", "TRUE"),
        ("NotifyAuthKey", "0123456789abcdef"),
    ];
    world.done("UpdateLiveRecordNotifyConfig", &pairs(&with(NOTIFY, &changes)));
    let config = &mut sample["LiveRecordNotifyConfig"];
    config["NeedStatusNotify"] = json!(true);
    config["NotifyReqAuth"] = json!(true);
    config["OnDemandUrl"] = json!("http://ask/");
    config["NotifyAuthKey"] = json!("0123456789abcdef");
    assert_eq!(world.done(describe, &domain), sample);
    world.done("UpdateLiveRecordNotifyConfig", &pairs(&with(NOTIFY, &[("NotifyReqAuth", "no")])));
    assert_eq!(world.done(describe, &domain)["LiveRecordNotifyConfig"]["NotifyReqAuth"], false);
}

#[test]
fn private_addresses_are_unsafe_where_the_operator_says_so() {
    let mut world = World::declaring(|declared| declared.options.deny_private_callbacks = true);
    let (status, code, _) = world
        .refused("AddLiveRecordNotifyConfig", &pairs(&with(NOTIFY, &[("NotifyUrl", "http://127.0.0.1/")])));
    assert_eq!((status, &*code), (400, "InvalidNotifyUrl.Unsafe"));
    world.done("AddLiveRecordNotifyConfig", NOTIFY);
}

#[test]
fn a_notification_is_refused_in_its_familys_words() {
    let mut world = World::new();
    for (changes, code) in [
        ([("NotifyUrl", "")], "MissingNotifyUrl"),
        ([("NotifyUrl", "x")], "InvalidNotifyUrl.Malformed"),
        ([("NeedStatusNotify", "yes")], "InvalidNeedStatusNotify.Malformed"),
        ([("NotifyReqAuth", "maybe")], "InvalidNotifyReqAuth.Malformed"),
        ([("NotifyAuthKey", "short")], "InvalidNotifyAuthKey.Malformed"),
    ] {
        let (status, refused, _) =
            world.refused("AddLiveRecordNotifyConfig", &pairs(&with(NOTIFY, &changes)));
        assert_eq!((status, &*refused), (400, code), "{changes:?}");
    }
    let not_found = (404, "InvalidConfig.NotFound", "The speicified config does not exist.");
    for action in ["Update", "Delete", "Describe"].map(|verb| format!("{verb}LiveRecordNotifyConfig")) {
        world.check_refused(&action, &NOTIFY[..1], &[], not_found);
    }
    world.done("AddLiveRecordNotifyConfig", NOTIFY);
    let expected = (400, "ConfigAlreadyExists", "Config has already exist.");
    world.check_refused("AddLiveRecordNotifyConfig", NOTIFY, &[], expected);
}
