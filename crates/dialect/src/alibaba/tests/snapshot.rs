use super::*;

const ADD: &str = "AddLiveAppSnapshotConfig";
const UPDATE: &str = "UpdateLiveAppSnapshotConfig";
const DELETE: &str = "DeleteLiveAppSnapshotConfig";
const DESCRIBE: &str = "DescribeLiveSnapshotConfig";

const BASE: &[(&str, &str)] = &[
    ("DomainName", "live.local"),
    ("AppName", "app"),
    ("TimeInterval", "5"),
    ("OssEndpoint", "oss-cn-shanghai.aliyuncs.com"),
    ("OssBucket", "live-bucket"),
    ("OverwriteOssObject", "{AppName}/{StreamName}.jpg"),
];

const SHOULD_HAVE_ONE: (u16, &str, &str) = (
    400,
    "InvalidOverwriteOssObjectOrSequenceOssObject.Malformed",
    "Specified paramters OverwriteOssObject or SequenceOssObject should have one.",
);

/// The only config of the domain.
fn described(world: &mut World) -> Value {
    let all = world.done(DESCRIBE, &[("DomainName", "live.local")]);
    assert_eq!(all["TotalNum"], 1, "{all}");
    all["LiveStreamSnapshotConfigList"]["LiveStreamSnapshotConfig"][0].clone()
}

#[test]
fn describes_as_the_sample_does() {
    let mut world = World::new();
    assert_eq!(world.done(ADD, BASE), json!({}));
    let sample = json!({
        "PageNum": 1, "PageSize": 10, "TotalNum": 1, "TotalPage": 1, "Order": "asc",
        "LiveStreamSnapshotConfigList": { "LiveStreamSnapshotConfig": [{
            "DomainName": "live.local", "AppName": "app", "TimeInterval": 5,
            "OssEndpoint": "oss-cn-shanghai.aliyuncs.com", "OssBucket": "live-bucket",
            "OverwriteOssObject": "{AppName}/{StreamName}.jpg", "SequenceOssObject": "", "Callback": "",
            "CreateTime": "2026-11-20T08:00:00Z",
        }] },
    });
    assert_eq!(world.done(DESCRIBE, &[("DomainName", "live.local")]), sample);
}

#[test]
fn an_empty_list_keeps_its_wrapper() {
    let empty = World::new().done(DESCRIBE, &[("DomainName", "live.local")]);
    let sample = json!({
        "PageNum": 1, "PageSize": 10, "TotalNum": 0, "TotalPage": 0, "Order": "asc",
        "LiveStreamSnapshotConfigList": { "LiveStreamSnapshotConfig": [] },
    });
    assert_eq!(empty, sample);
}

#[test]
fn exactly_one_object_name_is_needed() {
    let mut world = World::new();
    world.check_refused(ADD, BASE, &[("OverwriteOssObject", "")], SHOULD_HAVE_ONE);
    world.check_refused(ADD, BASE, &[("SequenceOssObject", "{Sequence}.jpg")], SHOULD_HAVE_ONE);
}

#[test]
fn each_parameter_is_malformed_in_the_words_of_the_seed() {
    let mut world = World::new();
    let long = format!("{}.jpg", "a".repeat(252));
    let bad: &[(&str, &[&str])] = &[
        ("OssBucket", &["a/b", "..", "-x"]),
        ("OssEndpoint", &["oss-nowhere.aliyuncs.com"]),
        ("OverwriteOssObject", &["x.png", "x", &long, "{Sequence}.jpg", "../x.jpg"]),
        ("TimeInterval", &["4", "3601", "-1", "5.5", "five", "99999999999999999999"]),
        ("AppName", &["-app", "_app", "a b", "a/b", "**"]),
        ("Callback", &["ftp://x/", "x", "http://"]),
    ];
    for (name, values) in bad {
        for value in *values {
            let code = format!("Invalid{name}.Malformed");
            let message = format!("Specified parameter {name} is not valid.");
            world.check_refused(ADD, BASE, &[(name, value)], (400, &code, &message));
        }
    }
    for value in ["{AppName}.jpg", "{Sequence}.png", "{Sequence}{EndTime}.jpg"] {
        let changes = [("OverwriteOssObject", ""), ("SequenceOssObject", value)];
        let message = "Specified parameter SequenceOssObject is not valid.";
        world.check_refused(ADD, BASE, &changes, (400, "InvalidSequenceOssObject.Malformed", message));
    }
}

#[test]
fn ranges_are_taken_at_both_ends() {
    let longest = format!("{}.jpg", "a".repeat(251));
    for (index, changes) in [
        [("TimeInterval", "5")],
        [("TimeInterval", "3600")],
        [("OverwriteOssObject", &*longest)],
        [("AppName", "*")],
        [("Callback", "https://cb.example.com/x?a=1&b=2")],
    ]
    .iter()
    .enumerate()
    {
        let mut world = World::new();
        world.done(ADD, &pairs(&with(BASE, changes)));
        let (name, value) = changes[0];
        let shown = described(&mut world)[name].clone();
        let shown = shown.as_str().map_or_else(|| shown.to_string(), str::to_owned);
        assert_eq!(shown, value, "{index}");
    }
}

#[test]
fn required_parameters_are_missed_by_name() {
    for name in ["AppName", "TimeInterval", "OssEndpoint", "OssBucket"] {
        let expected = (400, &*format!("Missing{name}"), &*format!("{name} is mandatory for this action."));
        World::new().check_refused(ADD, BASE, &[(name, "")], expected);
    }
}

#[test]
fn a_bucket_that_is_not_there_is_not_found() {
    let expected = (400, "InvalidOssBucket.NotFound", "The parameter OssBucket does not exist.");
    World::new().check_refused(ADD, BASE, &[("OssBucket", "other-bucket")], expected);
}

#[test]
fn one_config_per_domain_and_app() {
    let mut world = World::new();
    world.done(ADD, BASE);
    let expected = (400, "ConfigAlreadyExists", "Config has already exist.");
    world.check_refused(ADD, BASE, &[("TimeInterval", "10")], expected);
    world.done(ADD, &pairs(&with(BASE, &[("AppName", "*")])));
}

#[test]
fn an_update_changes_what_it_names_and_a_dash_removes() {
    let mut world = World::new();
    world.done(ADD, &pairs(&with(BASE, &[("Callback", "http://x/")])));
    let key = [("DomainName", "live.local"), ("AppName", "app")];
    world.wait(60);
    world.done(UPDATE, &pairs(&with(&key, &[("TimeInterval", "9")])));
    let shown = described(&mut world);
    assert_eq!((&shown["TimeInterval"], &shown["Callback"]), (&json!(9), &json!("http://x/")));
    assert_eq!(shown["CreateTime"], "2026-11-20T08:00:00Z");
    let swap = [("OverwriteOssObject", "-"), ("SequenceOssObject", "{Sequence}.jpg")];
    world.done(UPDATE, &pairs(&with(&key, &swap)));
    let shown = described(&mut world);
    assert_eq!(shown["OverwriteOssObject"], "");
    assert_eq!(shown["SequenceOssObject"], "{Sequence}.jpg");
    world.check_refused(UPDATE, &key, &[("SequenceOssObject", "-")], SHOULD_HAVE_ONE);
    let message = "Specified parameter TimeInterval is not valid.";
    world.check_refused(
        UPDATE,
        &key,
        &[("TimeInterval", "4")],
        (400, "InvalidTimeInterval.Malformed", message),
    );
}

#[test]
fn what_is_not_there_is_neither_updated_nor_deleted() {
    let mut world = World::new();
    let key = [("DomainName", "live.local"), ("AppName", "app")];
    let expected = (400, "InvalidConfig.NotFound", "The speicified config does not exist.");
    world.check_refused(UPDATE, &key, &[("TimeInterval", "9")], expected);
    world.check_refused(DELETE, &key, &[], expected);
    world.done(ADD, BASE);
    world.done(DELETE, &key);
    world.check_refused(DELETE, &key, &[], expected);
}

#[test]
fn what_the_config_file_declares_is_read_only() {
    let mut world = World::declaring(|declared| {
        declared.snapshots.push(catalog::snapshot::SnapshotRaw {
            domain_name: Some("live.local".to_owned()),
            app_name: Some("app".to_owned()),
            time_interval: Some(7),
            oss_endpoint: Some("oss-local".to_owned()),
            oss_bucket: Some("live-bucket".to_owned()),
            overwrite_oss_object: Some("a.jpg".to_owned()),
            ..Default::default()
        });
    });
    assert_eq!(described(&mut world)["TimeInterval"], 7);
    let key = [("DomainName", "live.local"), ("AppName", "app"), ("TimeInterval", "9")];
    for action in [UPDATE, DELETE] {
        let (status, code, _) = world.refused(action, &key);
        assert_eq!((status, &*code), (403, "OperationDenied"), "{action}");
    }
    let (status, code, _) = world.refused(ADD, BASE);
    assert_eq!((status, &*code), (400, "ConfigAlreadyExists"));
}

#[test]
fn a_list_is_filtered_ordered_and_paged() {
    let mut world = World::new();
    for app in ["b", "a", "*", "c", "d", "e", "f"] {
        world.done(ADD, &pairs(&with(BASE, &[("AppName", app)])));
        world.wait(1);
    }
    let mut apps = |changes: &[(&'static str, &str)]| {
        let page = world.done(DESCRIBE, &pairs(&with(&[("DomainName", "live.local")], changes)));
        let items =
            page["LiveStreamSnapshotConfigList"]["LiveStreamSnapshotConfig"].as_array().unwrap().clone();
        let apps: Vec<_> = items.iter().map(|item| item["AppName"].as_str().unwrap().to_owned()).collect();
        (apps.join(" "), page["TotalNum"].clone(), page["TotalPage"].clone())
    };
    assert_eq!(apps(&[("PageSize", "5")]), ("b a * c d".to_owned(), json!(7), json!(2)));
    assert_eq!(apps(&[("PageSize", "5"), ("PageNum", "2")]), ("e f".to_owned(), json!(7), json!(2)));
    assert_eq!(apps(&[("PageSize", "5"), ("PageNum", "3")]), (String::new(), json!(7), json!(2)));
    assert_eq!(apps(&[("Order", "desc")]).0, "f e d c * a b");
    assert_eq!(apps(&[("AppName", "*")]), ("*".to_owned(), json!(1), json!(1)));
    assert_eq!(apps(&[("AppName", "nobody")]).0, "");
}

#[test]
fn pages_beyond_their_range_are_refused() {
    let mut world = World::new();
    let base = [("DomainName", "live.local")];
    let refusals: &[(&str, &[&str])] =
        &[("PageSize", &["4", "31", "x"]), ("PageNum", &["0", "-1", "x"]), ("Order", &["up"])];
    for (name, values) in refusals {
        for value in *values {
            let expected = (
                400,
                &*format!("Invalid{name}.Malformed"),
                &*format!("Specified parameter {name} is not valid."),
            );
            world.check_refused(DESCRIBE, &base, &[(name, value)], expected);
        }
    }
    for size in ["5", "30"] {
        world.done(DESCRIBE, &pairs(&with(&base, &[("PageSize", size), ("PageNum", "9223372036854775807")])));
    }
}

const NOTIFY: &[(&str, &str)] = &[
    ("DomainName", "live.local"),
    ("NotifyUrl", "https://cb.example.com/"),
    ("NotifyReqAuth", "yes"),
    ("NotifyAuthKey", "0123456789abcdef"),
];

#[test]
fn a_notification_is_described_flat() {
    let mut world = World::new();
    world.done("AddLiveSnapshotNotifyConfig", NOTIFY);
    let sample = json!({
        "DomainName": "live.local", "NotifyUrl": "https://cb.example.com/", "NotifyReqAuth": "yes",
        "NotifyAuthKey": "0123456789abcdef",
    });
    let domain = [("DomainName", "live.local")];
    assert_eq!(world.done("DescribeLiveSnapshotNotifyConfig", &domain), sample);
    let off = [("DomainName", "live.local"), ("NotifyReqAuth", "no"), ("NotifyUrl", "http://b/")];
    world.done("UpdateLiveSnapshotNotifyConfig", &off);
    let shown = world.done("DescribeLiveSnapshotNotifyConfig", &domain);
    assert_eq!((&shown["NotifyReqAuth"], &shown["NotifyUrl"]), (&json!("no"), &json!("http://b/")));
    world.done("DeleteLiveSnapshotNotifyConfig", &domain);
    for action in [
        "DescribeLiveSnapshotNotifyConfig",
        "DeleteLiveSnapshotNotifyConfig",
        "UpdateLiveSnapshotNotifyConfig",
    ] {
        let (status, code, _) = world.refused(action, &domain);
        assert_eq!((status, &*code), (404, "ConfigNotFound"), "{action}");
    }
}

#[test]
fn a_notification_is_refused_in_its_familys_words() {
    let mut world = World::new();
    let long = format!("http://x/{}", "a".repeat(492));
    for (changes, code) in [
        ([("NotifyUrl", "")], "MissingParam"),
        ([("NotifyAuthKey", "")], "MissingParam"),
        ([("NotifyUrl", "ftp://x/")], "MalformedParam"),
        ([("NotifyUrl", &*long)], "MalformedParam"),
        ([("NotifyReqAuth", "true")], "MalformedParam"),
        ([("NotifyAuthKey", "0123456789abcde")], "MalformedParam"),
        ([("NotifyAuthKey", "0123456789abcdef0123456789abcdef0")], "MalformedParam"),
        ([("NotifyAuthKey", "0123456789abcde-")], "MalformedParam"),
    ] {
        let changed = with(NOTIFY, &changes);
        let (status, refused, _) = world.refused("AddLiveSnapshotNotifyConfig", &pairs(&changed));
        assert_eq!((status, &*refused), (400, code), "{changes:?}");
    }
    world.done("AddLiveSnapshotNotifyConfig", NOTIFY);
    let (status, code, _) = world.refused("AddLiveSnapshotNotifyConfig", NOTIFY);
    assert_eq!((status, &*code), (409, "ConfigAlreadyExists"));
}

#[test]
fn names_that_only_another_cloud_can_say_are_not_listed() {
    let mut world = World::new();
    let huawei = catalog::snapshot::HuaweiSnapshotRaw {
        domain: Some("live.local".to_owned()),
        app_name: Some("app".to_owned()),
        time_interval: Some(5),
        bucket: Some("live-bucket".to_owned()),
        location: Some("oss-local".to_owned()),
        image_object_format: Some("{{.stream}}/{{.unix_time_milli}}.jpg".to_owned()),
        ..Default::default()
    };
    let mut create = |app: &str, format: &str| {
        let (app_name, image_object_format) = (Some(app.to_owned()), Some(format.to_owned()));
        let raw = catalog::snapshot::HuaweiSnapshotRaw { app_name, image_object_format, ..huawei.clone() };
        let applied = world.catalog.apply(&catalog::Command::CreateHuaweiSnapshot(raw), world.now).unwrap();
        world.catalog = applied.catalog;
    };
    create("millis", "{{.stream}}/{{.unix_time_milli}}.jpg");
    create("seconds", "{{.stream}}/{{.unix_time}}.jpg");
    let shown = described(&mut world);
    assert_eq!(
        (&shown["AppName"], &shown["SequenceOssObject"]),
        (&json!("seconds"), &json!("{StreamName}/{UnixTimestamp}.jpg"))
    );
}
