use output::record;

use super::*;
use crate::notify::RecordNotifyRaw;

fn outputs(catalog: &Catalog, publish: &Publish) -> Vec<&'static str> {
    catalog.resolve(publish).outputs.iter().map(Spec::name).collect()
}

fn build(change: impl FnOnce(&mut Declared)) -> Catalog {
    let mut input = declared();
    change(&mut input);
    Catalog::build(input).unwrap().0
}

#[test]
fn a_publish_gets_one_template_of_each_family() {
    let catalog = build(|d| {
        d.packages.push(package());
        d.records.push(RecordRaw {
            record_format: ["m3u8", "flv", "mp4", "cmaf"].map(format).to_vec(),
            ..record()
        });
        d.snapshots.push(snapshot());
    });
    let all = ["package", "record/m3u8", "record/flv", "record/mp4", "record/cmaf", "snapshot"];
    assert_eq!(outputs(&catalog, &publish("live", "demo")), all);
    assert_eq!(outputs(&catalog, &publish("other", "demo")), ["package", "snapshot"]);
    assert!(catalog.resolve(&publish("live", "demo")).warnings.is_empty());
}

#[test]
fn the_most_specific_template_wins_and_the_app_counts_more_than_the_stream() {
    let with = |app: &str, stream: &str, segments| PackageRaw {
        app_name: some(app),
        stream_name: some(stream),
        segment_num: Some(segments),
        ..package()
    };
    let catalog = build(|d| {
        d.packages =
            vec![with("*", "*", 3), with("*", "cam", 4), with("live", "*", 5), with("live", "cam", 6)];
    });
    let segments = |app: &str, stream: &str| match &catalog.resolve(&publish(app, stream)).outputs[..] {
        [Spec::Package(settings)] => settings.segment_count,
        other => panic!("{other:?}"),
    };
    assert_eq!(segments("live", "cam"), 6);
    assert_eq!(segments("live", "x"), 5);
    assert_eq!(segments("other", "cam"), 4);
    assert_eq!(segments("other", "x"), 3);
}

#[test]
fn a_template_is_for_its_domain_only() {
    let catalog = build(|d| {
        d.domains.push(DomainRaw { name: some("b"), ..DomainRaw::default() });
        d.packages.push(PackageRaw { domain_name: some("b"), ..package() });
    });
    assert!(outputs(&catalog, &publish("live", "x")).is_empty());
}

#[test]
fn defaults_are_the_seeds() {
    let catalog = build(|d| {
        d.packages.push(package());
        d.records.push(record());
    });
    let plan = catalog.resolve(&publish("live", "demo"));
    let [Spec::Package(package), Spec::Record(hls), Spec::Record(flv)] = &plan.outputs[..] else {
        panic!("{plan:?}");
    };
    assert_eq!((package.segment_count, package.segment_duration_s, package.reconnect_window_s), (3, 5, 30));
    assert_eq!(
        (hls.slice.as_ref().unwrap().duration_s, hls.cycle_duration_s, hls.delay_s),
        (30, 21_600, 180)
    );
    assert_eq!((flv.cycle_duration_s, flv.delay_s, flv.utc_offset), (3_600, 180, 28_800));
    assert_eq!((&*hls.store.storage, &*hls.store.name), ("oss-local", "live-bucket"));
}

#[track_caller]
fn warns(change: impl FnOnce(&mut Declared), outputs_left: &[&str], warning: &str) {
    let catalog = build(change);
    let plan = catalog.resolve(&publish("live", "demo"));
    assert_eq!(plan.warnings, [warning]);
    assert_eq!(plan.outputs.iter().map(Spec::name).collect::<Vec<_>>(), outputs_left);
}

#[test]
fn what_is_not_available_yet_is_said_at_each_publish() {
    let live = "record template live.local/live/*: ";
    let with = |change: fn(&mut RecordRaw)| {
        let mut raw = record();
        change(&mut raw);
        move |d: &mut Declared| d.records.push(raw)
    };
    let both = ["record/m3u8", "record/flv"];
    warns(
        with(|r| r.on_demand = Some(1)),
        &[],
        &format!("{live}OnDemand 1 without an OnDemandUrl of its domain: nothing is recorded"),
    );
    warns(
        with(|r| {
            r.transcode_record_format = vec![format("mp4")];
            r.transcode_templates = vec!["sd".to_owned()];
        }),
        &both,
        &format!("{live}recording of transcoded streams is not available yet"),
    );
    warns(
        |d| d.packages.push(PackageRaw { ignore_transcode: Some(false), ..package() }),
        &["package"],
        "package template live.local/*/*: packaging of transcoded streams is not available yet",
    );
}

/// Settings of the first recording of a publish.
fn recording(catalog: &Catalog) -> record::Settings {
    match catalog.resolve(&publish("live", "demo")).outputs.first() {
        Some(Spec::Record(settings)) => settings.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recording_starts_as_its_template_says() {
    let start = |on_demand| {
        recording(&build(|d| {
            d.records.push(RecordRaw { on_demand: Some(on_demand), ..record() });
            d.record_notifies.push(RecordNotifyRaw {
                domain_name: some("live.local"),
                notify_url: some("http://a/told"),
                on_demand_url: some("http://a/ask"),
                ..RecordNotifyRaw::default()
            });
        }))
        .start
    };
    assert_eq!(start(0), record::Start::Publish);
    assert_eq!(start(1), record::Start::Answer);
    assert_eq!(start(7), record::Start::Command);
}

#[test]
fn a_recording_knows_its_window_and_how_long_it_is_kept() {
    let settings = recording(&build(|d| {
        d.records.push(RecordRaw {
            stream_name: some("demo"),
            start_time: some("2018-04-10T09:57:21Z"),
            end_time: some("2018-04-11T09:57:21Z"),
            retention_days: Some(30),
            ..record()
        });
    }));
    let second = 1_523_354_241;
    assert_eq!(settings.not_before, Some(Wall(second * 1_000_000)));
    assert_eq!(settings.not_after, Some(Wall((second + 86_400) * 1_000_000)));
    assert_eq!(settings.retention_days, Some(30));
}

#[test]
fn start_time_of_a_wildcard_template_is_ignored() {
    let catalog =
        build(|d| d.records.push(RecordRaw { start_time: some("2018-04-10T09:57:21Z"), ..record() }));
    assert_eq!(outputs(&catalog, &publish("live", "demo")).len(), 2);
}

#[test]
fn on_demand_2_records_what_the_publish_argument_asks_for() {
    let catalog = build(|d| d.records.push(RecordRaw { on_demand: Some(2), ..record() }));
    let recorded = |values: &[&str]| {
        let mut publish = publish("live", "demo");
        publish.args = values.iter().map(|v| ("record".to_owned(), (*v).to_owned())).collect();
        let plan = catalog.resolve(&publish);
        (plan.outputs.len(), plan.warnings.len())
    };
    for yes in ["yes", "on", "1", "YES"] {
        assert_eq!(recorded(&[yes]), (2, 0), "{yes}");
    }
    for no in ["no", "off", "0"] {
        assert_eq!(recorded(&[no]), (0, 0), "{no}");
    }
    assert_eq!(recorded(&[]), (0, 0));
    assert_eq!(recorded(&["maybe"]), (0, 1));
    assert_eq!(recorded(&["no", "yes"]), (2, 0), "the last one counts");
}

#[test]
fn both_snapshot_names_are_two_outputs_where_the_option_allows_them() {
    let both = SnapshotRaw { sequence_oss_object: some("{Sequence}.jpg"), ..snapshot() };
    let catalog = build(|d| {
        d.options.snapshot_both_names = true;
        d.snapshots.push(both);
    });
    assert_eq!(outputs(&catalog, &publish("live", "demo")), ["snapshot", "snapshot"]);
}

#[test]
fn a_second_template_for_the_same_streams_is_refused() {
    let mut input = declared();
    input.records = vec![record(), RecordRaw { stream_name: some("*"), ..record() }];
    input.packages = vec![package(), package()];
    input.snapshots = vec![snapshot(), snapshot()];
    let faults = Catalog::build(input).unwrap_err();
    let codes: Vec<_> = faults.iter().map(|f| (f.place.index, f.fault.code)).collect();
    assert_eq!(codes, [(1, "ConfigAlreadyExists"); 3]);
}
