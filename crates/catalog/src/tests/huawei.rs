//! Snapshot templates in Huawei's words, and the two clouds on one key space.

use super::*;
use crate::snapshot::{HuaweiSnapshotRaw, huawei_view};
use crate::{Command, Selector};

const NOW: Wall = Wall(1_795_132_800_000_000);

fn huawei() -> HuaweiSnapshotRaw {
    HuaweiSnapshotRaw {
        domain: some("push.live.local"),
        app_name: some("live"),
        time_interval: Some(5),
        bucket: some("live-bucket"),
        location: some("oss-local"),
        object: some("test1/"),
        ..HuaweiSnapshotRaw::default()
    }
}

fn created(raw: HuaweiSnapshotRaw) -> Result<Catalog, Fault> {
    catalog().apply(&Command::CreateHuaweiSnapshot(raw), NOW).map(|applied| applied.catalog)
}

/// Overwrite and sequence name of the template that `raw` makes.
fn names(raw: HuaweiSnapshotRaw) -> (Option<String>, Option<String>) {
    let catalog = created(raw).unwrap();
    let given = catalog.snapshots().all().next().unwrap().given.clone();
    (given.overwrite_oss_object, given.sequence_oss_object)
}

#[test]
fn the_domain_may_be_either_and_comes_back_as_it_was() {
    for domain in ["push.live.local", "LIVE.local"] {
        let catalog = created(HuaweiSnapshotRaw { domain: some(domain), ..huawei() }).unwrap();
        let template = catalog.snapshots().all().next().unwrap();
        assert_eq!(&*template.rule.target.domain, "live.local");
        let view = huawei_view(template).unwrap();
        assert_eq!((view.domain.as_deref(), view.object.as_deref()), (Some(domain), Some("test1/")));
        assert_eq!((view.object_write_mode, view.snapshot_mode), (Some(0), some("keyframe")));
    }
}

#[test]
fn a_publish_is_told_that_other_frames_than_key_frames_are_not_taken() {
    for (mode, warnings) in [
        (None, vec![]),
        (Some("keyframe"), vec![]),
        (
            Some("random"),
            vec![
                "snapshot template live.local/live/*: snapshot_mode random is not available yet: key frames are taken",
            ],
        ),
    ] {
        let raw = HuaweiSnapshotRaw { snapshot_mode: mode.map(str::to_owned), ..huawei() };
        let stream = StreamId::parse("live.local", "live", "s").unwrap();
        let plan = created(raw).unwrap().resolve(&Publish { stream, args: Vec::new() });
        assert_eq!(
            (plan.outputs.len(), plan.warnings),
            (1, warnings.into_iter().map(str::to_owned).collect())
        );
    }
}

#[test]
fn pictures_have_the_names_of_the_seed_unless_told_otherwise() {
    let overwrite = |raw| HuaweiSnapshotRaw { object_write_mode: Some(1), ..raw };
    assert_eq!(names(huawei()).1, some("test1/push.live.local/{AppName}/{StreamName}/{UnixTimestamp}.jpg"));
    assert_eq!(names(overwrite(huawei())).0, some("test1/push.live.local/{AppName}/{StreamName}.jpg"));
    let bare = HuaweiSnapshotRaw { object: None, ..overwrite(huawei()) };
    assert_eq!(names(bare).0, some("snapshot/push.live.local/{AppName}/{StreamName}.jpg"));
    for (format, name) in [
        (
            "{{.obs_object}}/{{.domain}}/{{.app}}/{{.stream}}/{{.unix_time}}.jpg",
            "test1/push.live.local/{AppName}/{StreamName}/{UnixTimestamp}.jpg",
        ),
        ("{{.app}}_{{.stream}}_{{.unix_time_milli}}.jpg", "{AppName}_{StreamName}_{UnixMillis}.jpg"),
        ("{app_name}/{stream_name}/{UnixTimestamp}.jpg", "{AppName}/{StreamName}/{UnixTimestamp}.jpg"),
        ("{{.fmt_time_utc}}{{.fmt_time_local}}.jpg", "{CompactTimeUtc}{CompactTimeLocal}.jpg"),
    ] {
        let raw = HuaweiSnapshotRaw { image_object_format: some(format), ..huawei() };
        assert_eq!(names(raw).1, some(name), "{format}");
    }
}

#[test]
fn values_that_are_wrong() {
    let refuse = |change: fn(&mut HuaweiSnapshotRaw), want: &str| {
        let mut raw = huawei();
        change(&mut raw);
        let said = created(raw)
            .map_or_else(|fault| format!("{} {}", fault.status, fault.code), |_| "taken".to_owned());
        assert_eq!(said, want);
    };
    refuse(|r| r.domain = some("x.y"), "404 InvalidDomain.NotFound");
    refuse(|r| r.app_name = None, "400 MissingAppName");
    refuse(|r| r.app_name = Some("a".repeat(129)), "400 InvalidAppName.Malformed");
    refuse(|r| r.time_interval = Some(4), "400 InvalidTimeInterval.Malformed");
    refuse(|r| r.time_interval = None, "400 MissingTimeInterval");
    refuse(|r| r.bucket = some("other"), "400 InvalidOssBucket.NotFound");
    refuse(|r| r.location = some("elsewhere"), "400 InvalidOssEndpoint.Malformed");
    refuse(|r| r.object_write_mode = Some(2), "400 InvalidObjectWriteMode.Malformed");
    refuse(|r| r.snapshot_mode = some("always"), "400 InvalidSnapshotMode.Malformed");
    refuse(|r| r.auth_key = Some("k".repeat(31)), "400 InvalidAuthKey.Malformed");
    refuse(|r| r.auth_key = Some("k".repeat(32)), "taken");
    refuse(|r| r.call_back_url = some("http://a/b?c=d"), "400 InvalidCallBackUrl.Malformed");
    refuse(|r| r.call_back_enable = some("on"), "400 MissingCallBackUrl");
    refuse(|r| r.call_back_enable = some("yes"), "400 InvalidCallBackEnable.Malformed");
    refuse(|r| r.image_access_protocol = some("ftp"), "400 InvalidImageAccessProtocol.Malformed");
    refuse(|r| r.image_object_format = some("{{.app}}.jpg"), "400 InvalidImageObjectFormat.Malformed");
    refuse(|r| r.image_object_format = some("{{.what}}.jpg"), "400 InvalidImageObjectFormat.Malformed");
    refuse(|r| r.image_object_format = some("{{.unix_time}}.png"), "400 InvalidSequenceOssObject.Malformed");
    refuse(
        |r| {
            r.object_write_mode = Some(1);
            r.image_object_format = some("{{.unix_time}}.jpg");
        },
        "400 InvalidImageObjectFormat.Malformed",
    );
}

#[test]
fn the_clouds_share_one_key_space() {
    let alibaba =
        catalog().apply(&Command::AddSnapshot(SnapshotRaw { app_name: some("live"), ..snapshot() }), NOW);
    let alibaba = alibaba.unwrap().catalog;
    let fault = alibaba.apply(&Command::CreateHuaweiSnapshot(huawei()), NOW).unwrap_err();
    assert_eq!(fault.code, "ConfigAlreadyExists");
    let view = huawei_view(alibaba.snapshots().all().next().unwrap()).unwrap();
    assert_eq!(view.image_object_format, some("{{.app}}/{{.stream}}.jpg"));
    assert_eq!((view.object_write_mode, view.domain.as_deref()), (Some(1), Some("live.local")));

    let catalog = created(HuaweiSnapshotRaw {
        call_back_enable: some("on"),
        call_back_url: some("http://a"),
        ..huawei()
    })
    .unwrap();
    let change = SnapshotRaw {
        domain_name: some("live.local"),
        app_name: some("live"),
        time_interval: Some(9),
        sequence_oss_object: some("{StreamName}/{UnixTimestamp}.jpg"),
        ..SnapshotRaw::default()
    };
    let changed = catalog.apply(&Command::UpdateSnapshot(change), NOW).unwrap().catalog;
    let view = huawei_view(changed.snapshots().all().next().unwrap()).unwrap();
    assert_eq!(view.time_interval, Some(9));
    assert_eq!(view.image_object_format, some("{{.stream}}/{{.unix_time}}.jpg"));
    assert_eq!((view.domain, view.call_back_url), (some("push.live.local"), some("http://a")));
}

#[test]
fn a_replacement_replaces_everything() {
    let catalog = created(HuaweiSnapshotRaw { auth_key: Some("k".repeat(32)), ..huawei() }).unwrap();
    let replaced = catalog.apply(
        &Command::ReplaceHuaweiSnapshot(HuaweiSnapshotRaw { time_interval: Some(60), ..huawei() }),
        NOW,
    );
    let view = huawei_view(replaced.unwrap().catalog.snapshots().all().next().unwrap()).unwrap();
    assert_eq!((view.time_interval, view.auth_key), (Some(60), None));
    let missing = super::catalog().apply(&Command::ReplaceHuaweiSnapshot(huawei()), NOW).unwrap_err();
    assert_eq!(missing.code, "InvalidConfig.NotFound");
    let selector =
        Selector { domain_name: some("push.live.local"), app_name: some("live"), stream_name: None };
    let left = catalog.apply(&Command::DeleteHuaweiSnapshot(selector), NOW).unwrap().catalog;
    assert_eq!(left.snapshots().all().count(), 0);
}
