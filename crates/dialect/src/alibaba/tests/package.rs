use super::*;

const ADD: &str = "AddLivePackageConfig";
const UPDATE: &str = "UpdateLivePackageConfig";
const DELETE: &str = "DeleteLivePackageConfig";
const DESCRIBE: &str = "DescribeLivePackageConfig";

const BASE: &[(&str, &str)] =
    &[("DomainName", "live.local"), ("AppName", "app"), ("StreamName", "*"), ("Protocol", "LLHLS_CMAF")];

fn described(world: &mut World) -> Value {
    let all = world.done(DESCRIBE, &[("DomainName", "live.local")]);
    assert_eq!(all["TotalNum"], 1, "{all}");
    all["LivePackageConfigList"]["LivePackageConfig"][0].clone()
}

#[test]
fn describes_as_the_sample_does_with_defaults() {
    let mut world = World::new();
    world.done(ADD, BASE);
    let sample = json!({
        "PageNum": 1, "PageSize": 10, "TotalNum": 1, "TotalPage": 1, "Order": "asc",
        "LivePackageConfigList": { "LivePackageConfig": [{
            "DomainName": "live.local", "AppName": "app", "StreamName": "*", "Protocol": "LLHLS_CMAF",
            "SegmentNum": 3, "SegmentDuration": 1, "PartDuration": 350, "IgnoreTranscode": true,
        }] },
    });
    assert_eq!(world.done(DESCRIBE, &[("DomainName", "live.local")]), sample);
}

#[test]
fn defaults_go_by_the_protocol() {
    for (protocol, segment, segment_default, part) in [
        ("HLS_CMAF", "", 5, None),
        ("LLHLS_TS", "", 1, Some(350)),
        ("LLHLS_CMAF", "2", 2, Some(700)),
        ("DASH_CMAF", "", 5, None),
        ("HLSDASH_CMAF", "", 5, None),
    ] {
        let mut world = World::new();
        let changes = [("Protocol", protocol), ("SegmentDuration", segment)];
        world.done(ADD, &pairs(&with(BASE, &changes)));
        let shown = described(&mut world);
        assert_eq!(shown["SegmentDuration"], segment_default, "{protocol}");
        assert_eq!(shown.get("PartDuration").and_then(Value::as_i64), part, "{protocol}");
    }
}

#[test]
fn ranges_are_taken_at_both_ends_and_no_further() {
    let taken: &[&[(&str, &str)]] = &[
        &[("SegmentNum", "3")],
        &[("SegmentNum", "10")],
        &[("SegmentDuration", "2"), ("PartDuration", "1000")],
        &[("PartDuration", "100")],
        &[("PartDuration", "500")],
        &[("Protocol", "HLS_CMAF"), ("SegmentDuration", "10")],
        &[("IgnoreTranscode", "False")],
    ];
    for changes in taken {
        let mut world = World::new();
        world.done(ADD, &pairs(&with(BASE, changes)));
        let shown = described(&mut world);
        for (name, value) in *changes {
            let shown = shown[name].as_str().map_or_else(|| shown[name].to_string(), str::to_owned);
            assert!(shown.eq_ignore_ascii_case(value), "{name}: {shown}");
        }
    }
    let refused: &[(&[(&str, &str)], &str)] = &[
        (&[("SegmentNum", "2")], "InvalidSegmentNum"),
        (&[("SegmentNum", "11")], "InvalidSegmentNum"),
        (&[("SegmentNum", "x")], "InvalidSegmentNum"),
        (&[("SegmentDuration", "0")], "InvalidSegmentDuration"),
        (&[("SegmentDuration", "3")], "InvalidSegmentDuration"),
        (&[("Protocol", "HLS_CMAF"), ("SegmentDuration", "11")], "InvalidSegmentDuration"),
        (&[("PartDuration", "99")], "InvalidPartDuration"),
        (&[("PartDuration", "501")], "InvalidPartDuration"),
        (&[("SegmentDuration", "2"), ("PartDuration", "1001")], "InvalidPartDuration"),
        (&[("Protocol", "HLS_TS")], "InvalidProtocol"),
        (&[("Protocol", "hls_cmaf")], "InvalidProtocol"),
        (&[("AppName", "-x")], "InvalidParams"),
        (&[("StreamName", "a b")], "InvalidParams"),
        (&[("IgnoreTranscode", "maybe")], "InvalidParams"),
        (&[("AppName", "")], "MissingParam"),
        (&[("StreamName", "")], "MissingParam"),
        (&[("Protocol", "")], "MissingParam"),
    ];
    for (changes, code) in refused {
        let (status, refused, message) = World::new().refused(ADD, &pairs(&with(BASE, changes)));
        assert_eq!((status, &*refused), (400, *code), "{changes:?}");
        assert!(message.ends_with(", please check and try again later."), "{message}");
    }
}

#[test]
fn one_config_per_domain_app_and_stream() {
    let mut world = World::new();
    world.done(ADD, BASE);
    let (status, code, message) = world.refused(ADD, BASE);
    assert_eq!((status, &*code), (400, "ConfigAlreadyExists"));
    assert!(message.ends_with(" Please check and try again later."), "{message}");
    world.done(ADD, &pairs(&with(BASE, &[("StreamName", "stream"), ("Protocol", "DASH_CMAF")])));
}

#[test]
fn an_update_says_all_that_is_required_of_it() {
    let mut world = World::new();
    world.done(ADD, BASE);
    let update = [
        ("DomainName", "live.local"),
        ("AppName", "app"),
        ("StreamName", "*"),
        ("Protocol", "HLS_CMAF"),
        ("SegmentNum", "4"),
        ("SegmentDuration", "6"),
    ];
    world.done(UPDATE, &update);
    let shown = described(&mut world);
    assert_eq!((&shown["Protocol"], &shown["SegmentNum"]), (&json!("HLS_CMAF"), &json!(4)));
    assert_eq!((&shown["SegmentDuration"], shown.get("PartDuration")), (&json!(6), None));
    for name in ["Protocol", "SegmentNum", "SegmentDuration"] {
        let (status, code, _) = world.refused(UPDATE, &pairs(&with(&update, &[(name, "")])));
        assert_eq!((status, &*code), (400, "MissingParam"), "{name}");
    }
    let low_latency = [("Protocol", "LLHLS_CMAF"), ("SegmentDuration", "1")];
    let (_, code, message) = world.refused(UPDATE, &pairs(&with(&update, &low_latency)));
    assert_eq!(code, "MissingParam");
    assert!(message.contains("PartDuration"), "{message}");
}

#[test]
fn what_is_not_there_is_neither_updated_nor_deleted() {
    let mut world = World::new();
    let update = with(BASE, &[("SegmentNum", "4"), ("SegmentDuration", "1"), ("PartDuration", "350")]);
    for (action, params) in [(UPDATE, pairs(&update)), (DELETE, BASE.to_vec())] {
        let (status, code, _) = world.refused(action, &params);
        assert_eq!((status, &*code), (404, "ConfigNotFound"), "{action}");
    }
    world.done(ADD, BASE);
    world.done(DELETE, BASE);
    assert_eq!(world.done(DESCRIBE, BASE)["TotalNum"], 0);
}

#[test]
fn pages_are_refused_in_the_familys_words() {
    for (name, value) in [("PageSize", "4"), ("PageSize", "31"), ("PageNum", "0"), ("Order", "x")] {
        let params = [("DomainName", "live.local"), (name, value)];
        let (status, code, message) = World::new().refused(DESCRIBE, &params);
        assert_eq!((status, &*code), (400, "InvalidParams"));
        assert!(message.starts_with(name) && message.ends_with(", please check and try again later."));
    }
}
