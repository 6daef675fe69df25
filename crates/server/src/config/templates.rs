//! Domains, storages and templates, as the catalog wants them; its faults, as the file's author does.

use catalog::notify::{RecordNotifyRaw, SnapshotNotifyRaw};
use catalog::package::PackageRaw;
use catalog::record::{FormatRaw, RecordRaw};
use catalog::snapshot::SnapshotRaw;
use catalog::{Catalog, Declared, DomainRaw, Family, Misdeclared, Options, Place, Storage};
use media::Wall;

use super::error::{Problem, Problems};
use super::section::Section;
use super::settings::{Callbacks, Http};
use super::tree::{At, Node, Table, Value};

/// Offsets that are a time zone, in hours.
const UTC_OFFSETS: std::ops::RangeInclusive<i64> = -12..=14;

/// What templates depend on beside themselves.
pub(super) struct Given<'a> {
    pub(super) http: &'a Http,
    pub(super) callbacks: &'a Callbacks,
    /// When the file was written.
    pub(super) at: Wall,
}

/// The catalog; `None` when something in it is wrong.
pub(super) fn catalog(
    root: &Section<'_>,
    table: &Table,
    given: Given<'_>,
    problems: &Problems,
    warnings: &Problems,
) -> Option<Catalog> {
    let declared = Declared {
        options: options(root.section("compat"), &given),
        storages: storages(table),
        domains: root.sections("domain").into_iter().map(domain).collect(),
        snapshots: root.sections("snapshot").into_iter().map(snapshot).collect(),
        records: root.sections("record").into_iter().map(record).collect(),
        packages: root.sections("package").into_iter().map(package).collect(),
        record_notifies: root.sections("record_notify").into_iter().map(record_notify).collect(),
        snapshot_notifies: root.sections("snapshot_notify").into_iter().map(snapshot_notify).collect(),
        at: given.at,
    };
    if declared.domains.is_empty() {
        let message = "no [[domain]]: every publish is refused".to_owned();
        warnings.add(Problem { at: At::Nowhere, key: "domain".to_owned(), message });
    }
    // What was read with faults would only cause more of them.
    if !problems.is_empty() {
        return None;
    }
    match Catalog::build(declared) {
        Ok((catalog, notices)) => {
            for notice in notices {
                let (at, key) = locate(table, notice.place, &[]);
                warnings.add(Problem { at, key, message: notice.message });
            }
            Some(catalog)
        }
        Err(faults) => {
            faults.into_iter().for_each(|fault| problems.add(problem(table, &fault)));
            None
        }
    }
}

fn options(section: Section<'_>, Given { http, callbacks, .. }: &Given<'_>) -> Options {
    let default = Options::default();
    let hours =
        section.within("record_name_utc_offset", UTC_OFFSETS).and_then(|hours| i32::try_from(hours).ok());
    let options = Options {
        record_name_utc_offset: hours.map_or(default.record_name_utc_offset, |hours| hours * 3600),
        snapshot_both_names: section.boolean("snapshot_both_names").unwrap_or(default.snapshot_both_names),
        reconnect_window_s: u32::try_from(http.reconnect_window.as_secs()).unwrap_or(u32::MAX),
        deny_private_callbacks: callbacks.deny_private,
    };
    section.finish();
    options
}

/// The storages as templates see them. Their own faults are reported where they are read in full.
fn storages(table: &Table) -> Vec<Storage> {
    let unreported = Problems::default();
    let root = Section::root(table, &unreported);
    let storages = root.sections("storage").into_iter().map(|section| Storage {
        name: section.string("name").unwrap_or_default(),
        endpoints: section.strings("endpoints").unwrap_or_default(),
        // A service can be asked for its buckets, a folder has those that are named.
        buckets: match section.string("kind").as_deref() {
            Some("s3") => section.strings("buckets"),
            _ => Some(section.strings("buckets").unwrap_or_default()),
        },
    });
    storages.collect()
}

fn domain(section: Section<'_>) -> DomainRaw {
    let raw = DomainRaw {
        name: section.string("name"),
        ingest: section.strings("ingest").unwrap_or_default(),
        default: section.boolean("default").unwrap_or(false),
        second_publisher: section.string("second_publisher"),
    };
    // Streams that are meant to be guarded must not be open.
    for key in ["auth_key", "auth_key_backup", "auth_ttl", "on_publish_url"] {
        if section.has(key) {
            section.wrong(key, "is not available yet: publishes would go unchecked");
        }
    }
    section.finish();
    raw
}

fn snapshot(section: Section<'_>) -> SnapshotRaw {
    let raw = SnapshotRaw {
        domain_name: section.string("domain_name"),
        app_name: section.string("app_name"),
        time_interval: section.integer("time_interval"),
        oss_endpoint: section.string("oss_endpoint"),
        oss_bucket: section.string("oss_bucket"),
        overwrite_oss_object: section.string("overwrite_oss_object"),
        sequence_oss_object: section.string("sequence_oss_object"),
        callback: section.string("callback"),
        huawei: None,
    };
    section.finish();
    raw
}

fn record(section: Section<'_>) -> RecordRaw {
    let formats = |key| section.sections(key).into_iter().map(format).collect();
    let raw = RecordRaw {
        domain_name: section.string("domain_name"),
        app_name: section.string("app_name"),
        stream_name: section.string("stream_name"),
        oss_endpoint: section.string("oss_endpoint"),
        oss_bucket: section.string("oss_bucket"),
        start_time: section.string("start_time"),
        end_time: section.string("end_time"),
        on_demand: section.integer("on_demand"),
        delay_time: section.integer("delay_time"),
        record_format: formats("record_format"),
        transcode_record_format: formats("transcode_record_format"),
        transcode_templates: section.strings("transcode_templates").unwrap_or_default(),
        retention_days: section.integer("retention_days"),
    };
    section.finish();
    raw
}

fn format(section: Section<'_>) -> FormatRaw {
    let raw = FormatRaw {
        format: section.string("format"),
        slice_duration: section.integer("slice_duration"),
        slice_oss_object_prefix: section.string("slice_oss_object_prefix"),
        cycle_duration: section.integer("cycle_duration"),
        oss_object_prefix: section.string("oss_object_prefix"),
    };
    section.finish();
    raw
}

fn package(section: Section<'_>) -> PackageRaw {
    let raw = PackageRaw {
        domain_name: section.string("domain_name"),
        app_name: section.string("app_name"),
        stream_name: section.string("stream_name"),
        protocol: section.string("protocol"),
        segment_num: section.integer("segment_num"),
        segment_duration: section.integer("segment_duration"),
        part_duration: section.integer("part_duration"),
        ignore_transcode: section.boolean("ignore_transcode"),
        put_oss_endpoint: section.string("put_oss_endpoint"),
        put_oss_bucket: section.string("put_oss_bucket"),
        put_oss_prefix: section.string("put_oss_prefix"),
    };
    section.finish();
    raw
}

fn record_notify(section: Section<'_>) -> RecordNotifyRaw {
    let raw = RecordNotifyRaw {
        domain_name: section.string("domain_name"),
        notify_url: section.string("notify_url"),
        need_status_notify: section.boolean("need_status_notify"),
        on_demand_url: section.string("on_demand_url"),
        notify_req_auth: section.boolean("notify_req_auth"),
        notify_auth_key: section.hidden("notify_auth_key"),
    };
    section.finish();
    raw
}

fn snapshot_notify(section: Section<'_>) -> SnapshotNotifyRaw {
    let raw = SnapshotNotifyRaw {
        domain_name: section.string("domain_name"),
        notify_url: section.string("notify_url"),
        notify_req_auth: section.string("notify_req_auth"),
        notify_auth_key: section.hidden("notify_auth_key"),
    };
    section.finish();
    raw
}

fn problem(table: &Table, Misdeclared { place, fault }: &Misdeclared) -> Problem {
    let param = snake_case(fault.field.param.name());
    let message = match place.family {
        // No API declares these: the codes would say nothing to anyone.
        Family::Storage | Family::Domain => fault.detail.clone(),
        _ => format!("{} ({})", fault.detail, fault.code),
    };
    let (at, key) = match fault.field.item {
        None => locate(table, *place, &[Step::Key(&param)]),
        Some((list, index)) => {
            let list = snake_case(list.name());
            locate(table, *place, &[Step::Key(&list), Step::Item(index), Step::Key(&param)])
        }
    };
    Problem { at, key, message }
}

/// A step down the tree.
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// Where `path` below an item is written, or the nearest thing above it that is; and its key.
fn locate(table: &Table, place: Place, path: &[Step<'_>]) -> (At, String) {
    let family = place.family.to_string();
    let mut key = family.clone();
    let mut here = table.get(&family).and_then(|node| item(node, place.index));
    let mut at = here.map_or(At::Nowhere, |node| node.at.clone());
    for step in path {
        here = match (step, here.map(|node| &node.value)) {
            (Step::Key(name), Some(Value::Table(table))) => table.get(name),
            (Step::Item(index), Some(_)) => here.and_then(|node| item(node, *index)),
            _ => None,
        };
        if let Step::Key(name) = step {
            key = format!("{key}.{name}");
        }
        if let Some(node) = here {
            at = node.at.clone();
        }
    }
    (at, key)
}

fn item(node: &Node, index: usize) -> Option<&Node> {
    match &node.value {
        Value::Array(items) => items.get(index),
        _ => None,
    }
}

/// `OssObjectPrefix` is `oss_object_prefix` in the file.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
