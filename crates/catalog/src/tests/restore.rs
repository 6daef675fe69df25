//! Whatever commands are given: what is kept makes the same catalog again.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::notify::{RecordNotifyRaw, SnapshotNotifyRaw};
use crate::snapshot::HuaweiSnapshotRaw;
use crate::{Applied, Command, Forbid, Kept, NewDomain, Selector};

/// What a database keeps of rows.
#[derive(Clone, Default)]
struct Table(BTreeMap<(String, String), String>);

impl Table {
    fn keep(&mut self, applied: &Applied) {
        for row in &applied.rows {
            let key = (row.kind.to_owned(), row.key.clone());
            match &row.value {
                Some(value) => drop(self.0.insert(key, value.clone())),
                None => drop(self.0.remove(&key)),
            }
        }
    }

    fn rows(&self) -> Vec<Kept> {
        let row = |((kind, key), value): (&(String, String), &String)| Kept {
            kind: kind.clone(),
            key: key.clone(),
            value: value.clone(),
        };
        self.0.iter().map(row).collect()
    }
}

/// Everything a catalog says of itself. The order of domains and of their ingest names means nothing.
fn described(catalog: &Catalog) -> String {
    let mut domains: Vec<_> = catalog.domains().iter().map(sorted).collect();
    domains.sort();
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        catalog.hosts().collect::<Vec<_>>(),
        domains,
        catalog.snapshots().all().collect::<Vec<_>>(),
        catalog.records().all().collect::<Vec<_>>(),
        catalog.packages().all().collect::<Vec<_>>(),
        catalog.record_notifies().all().collect::<Vec<_>>(),
        catalog.snapshot_notifies().all().collect::<Vec<_>>(),
        catalog.blocks(Wall(0)).collect::<Vec<_>>(),
    )
}

fn sorted(domain: &crate::Domain) -> String {
    let mut ingest = domain.ingest().to_vec();
    ingest.sort();
    format!("{} {ingest:?} {} {:?}", domain.name(), domain.is_default(), domain.second_publisher())
}

fn name() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(some("*")), Just(some("live")), Just(some("b")), Just(None)]
}

fn domain() -> impl Strategy<Value = Option<String>> {
    let names = ["live.local", "push.live.local", "a.tv", "b.tv"];
    proptest::sample::select(names.to_vec()).prop_map(some)
}

fn selector() -> impl Strategy<Value = Selector> {
    (domain(), name(), name()).prop_map(|(domain_name, app_name, stream_name)| Selector {
        domain_name,
        app_name,
        stream_name,
    })
}

fn number() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![Just(None), (1..40_i64).prop_map(Some)]
}

fn a_snapshot() -> impl Strategy<Value = SnapshotRaw> {
    (domain(), name(), number(), prop::bool::ANY).prop_map(|(domain_name, app_name, time_interval, twist)| {
        let (overwrite, sequence) = match twist {
            true => (some("-"), some("{Sequence}.jpg")),
            false => (some("a.jpg"), None),
        };
        SnapshotRaw {
            domain_name,
            app_name,
            time_interval,
            overwrite_oss_object: overwrite,
            sequence_oss_object: sequence,
            ..snapshot()
        }
    })
}

fn a_huawei_snapshot() -> impl Strategy<Value = HuaweiSnapshotRaw> {
    (domain(), name(), number(), 0..3_i64).prop_map(|(domain, app_name, time_interval, mode)| {
        HuaweiSnapshotRaw {
            domain,
            app_name,
            time_interval,
            object_write_mode: Some(mode),
            bucket: some("live-bucket"),
            location: some("oss-local"),
            ..HuaweiSnapshotRaw::default()
        }
    })
}

fn a_record() -> impl Strategy<Value = RecordRaw> {
    (domain(), name(), name(), number(), prop::bool::ANY).prop_map(
        |(domain_name, app_name, stream_name, delay_time, twist)| RecordRaw {
            domain_name,
            app_name,
            stream_name,
            delay_time,
            start_time: twist.then(|| "2026-11-20T01:00:00Z".to_owned()),
            record_format: if twist { vec![format("m3u8")] } else { vec![format("flv"), format("mp4")] },
            ..record()
        },
    )
}

fn a_package() -> impl Strategy<Value = PackageRaw> {
    (domain(), name(), name(), number(), number()).prop_map(
        |(domain_name, app_name, stream_name, segment_num, segment_duration)| PackageRaw {
            domain_name,
            app_name,
            stream_name,
            segment_num,
            segment_duration,
            ..package()
        },
    )
}

fn a_record_notify() -> impl Strategy<Value = RecordNotifyRaw> {
    (domain(), prop::bool::ANY).prop_map(|(domain_name, status)| RecordNotifyRaw {
        domain_name,
        notify_url: some("http://a"),
        need_status_notify: Some(status),
        ..RecordNotifyRaw::default()
    })
}

fn a_snapshot_notify() -> impl Strategy<Value = SnapshotNotifyRaw> {
    domain().prop_map(|domain_name| SnapshotNotifyRaw {
        domain_name,
        notify_url: some("http://a"),
        ..SnapshotNotifyRaw::default()
    })
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        a_snapshot().prop_map(Command::AddSnapshot),
        a_snapshot().prop_map(Command::UpdateSnapshot),
        selector().prop_map(Command::DeleteSnapshot),
        a_huawei_snapshot().prop_map(Command::CreateHuaweiSnapshot),
        a_huawei_snapshot().prop_map(Command::ReplaceHuaweiSnapshot),
        selector().prop_map(Command::DeleteHuaweiSnapshot),
        a_record().prop_map(Command::AddRecord),
        a_record().prop_map(Command::UpdateRecord),
        selector().prop_map(Command::DeleteRecord),
        a_package().prop_map(Command::AddPackage),
        a_package().prop_map(Command::UpdatePackage),
        selector().prop_map(Command::DeletePackage),
        a_record_notify().prop_map(Command::AddRecordNotify),
        a_record_notify().prop_map(Command::UpdateRecordNotify),
        selector().prop_map(Command::DeleteRecordNotify),
        a_snapshot_notify().prop_map(Command::AddSnapshotNotify),
        a_snapshot_notify().prop_map(Command::UpdateSnapshotNotify),
        selector().prop_map(Command::DeleteSnapshotNotify),
        (domain(), prop::bool::ANY).prop_map(|(domain_name, streaming)| Command::AddDomain(NewDomain {
            domain_name,
            live_domain_type: some(if streaming { "liveVideo" } else { "liveEdge" }),
            region: some("r"),
            scope: None,
        })),
        (domain(), domain()).prop_map(|(pull, push)| Command::MapDomain { pull, push }),
        (selector(), prop::bool::ANY, prop::bool::ANY).prop_map(|(stream, once, soon)| Command::Forbid(
            Forbid { stream, until: soon.then_some(Wall(1_795_132_800_000_000 + 5_000_000)), once }
        )),
        selector().prop_map(Command::Resume),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_makes_the_same_catalog_again(commands in prop::collection::vec(command(), 1..60)) {
        let (mut catalog, mut kept) = (catalog(), Table::default());
        for (second, command) in commands.iter().enumerate() {
            let now = Wall(1_795_132_800_000_000 + second as i64 * 1_000_000);
            let before = described(&catalog);
            match catalog.apply(command, now) {
                Ok(applied) => {
                    kept.keep(&applied);
                    catalog = applied.catalog;
                }
                Err(_) => prop_assert_eq!(before, described(&catalog)),
            }
        }
        let (again, notices) = super::catalog().restore(&kept.rows());
        prop_assert_eq!(notices, Vec::<String>::new());
        prop_assert_eq!(described(&again), described(&catalog));
    }
}

fn kept(commands: &[Command]) -> Vec<Kept> {
    let (mut catalog, mut kept) = (catalog(), Table::default());
    for command in commands {
        let applied = catalog.apply(command, Wall(1_795_132_800_000_000)).unwrap();
        kept.keep(&applied);
        catalog = applied.catalog;
    }
    kept.rows()
}

fn add_domain(name: &str, kind: &str) -> Command {
    Command::AddDomain(NewDomain {
        domain_name: some(name),
        live_domain_type: some(kind),
        region: some("r"),
        scope: None,
    })
}

#[test]
fn for_one_key_in_both_the_file_wins() {
    let rows = kept(&[Command::AddSnapshot(SnapshotRaw { time_interval: Some(60), ..snapshot() })]);
    let file = Catalog::build(Declared { snapshots: vec![snapshot()], ..declared() }).unwrap().0;
    let (catalog, notices) = file.restore(&rows);
    assert_eq!(
        notices,
        ["snapshot live.local/*/* of the database has no effect: the config file declares it, too, and wins"]
    );
    assert_eq!(catalog.snapshots().all().next().unwrap().rule.interval_s, 5);
}

#[test]
fn what_no_longer_fits_the_file_has_no_effect_and_is_said() {
    let rows = kept(&[
        add_domain("play.tv", "liveVideo"),
        add_domain("push.tv", "liveEdge"),
        Command::MapDomain { pull: some("play.tv"), push: some("push.tv") },
        Command::AddSnapshot(snapshot()),
    ]);
    let bare = Declared { storages: Vec::new(), ..declared() };
    let (catalog, notices) = Catalog::build(bare).unwrap().0.restore(&rows);
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].starts_with("snapshot live.local/*/* of the database has no effect: OssEndpoint"));
    assert_eq!(catalog.streaming_domain("push.tv"), Some("play.tv"));

    let taken = DomainRaw { name: some("play.tv"), ..DomainRaw::default() };
    let file = Declared { domains: vec![taken], ..declared() };
    let (catalog, notices) = Catalog::build(file).unwrap().0.restore(&rows);
    assert_eq!(catalog.streaming_domain("push.tv"), Some("play.tv"));
    assert_eq!(notices.len(), 2, "{notices:?}");

    let junk = ["snapshot", "domain", "block", "what"].map(|kind| Kept {
        kind: kind.to_owned(),
        key: "x".to_owned(),
        value: "{".to_owned(),
    });
    let (_, notices) = super::catalog().restore(&junk);
    assert_eq!(notices.len(), 4, "{notices:?}");
}
