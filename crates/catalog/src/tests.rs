use media::{StreamId, Wall};
use output::Spec;

use crate::package::PackageRaw;
use crate::record::{FormatRaw, RecordRaw};
use crate::snapshot::SnapshotRaw;
use crate::{Catalog, Declared, DomainRaw, Fault, Known, Options, Publish, SecondPublisher, Storage};
use crate::{PackageRule, RecordRule, SnapshotRule};

mod command;
mod domain;
mod huawei;
mod plan;
mod restore;
mod rule;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn declared() -> Declared {
    Declared {
        storages: vec![Storage {
            name: "oss-local".to_owned(),
            endpoints: vec!["oss-cn-shanghai.aliyuncs.com".to_owned()],
            buckets: Some(vec!["live-bucket".to_owned()]),
        }],
        domains: vec![DomainRaw {
            name: some("live.local"),
            ingest: vec!["push.live.local".to_owned()],
            default: true,
            second_publisher: None,
        }],
        ..Declared::default()
    }
}

fn catalog() -> Catalog {
    Catalog::build(declared()).unwrap().0
}

fn snapshot() -> SnapshotRaw {
    SnapshotRaw {
        domain_name: some("live.local"),
        app_name: some("*"),
        time_interval: Some(5),
        oss_endpoint: some("oss-local"),
        oss_bucket: some("live-bucket"),
        overwrite_oss_object: some("{AppName}/{StreamName}.jpg"),
        ..SnapshotRaw::default()
    }
}

fn format(name: &str) -> FormatRaw {
    FormatRaw {
        format: some(name),
        slice_oss_object_prefix: some("record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"),
        oss_object_prefix: some(
            "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}",
        ),
        ..FormatRaw::default()
    }
}

fn record() -> RecordRaw {
    RecordRaw {
        domain_name: some("live.local"),
        app_name: some("live"),
        oss_endpoint: some("oss-local"),
        oss_bucket: some("live-bucket"),
        record_format: vec![format("m3u8"), format("flv")],
        ..RecordRaw::default()
    }
}

fn package() -> PackageRaw {
    PackageRaw {
        domain_name: some("live.local"),
        app_name: some("*"),
        stream_name: some("*"),
        protocol: some("HLS_CMAF"),
        ..PackageRaw::default()
    }
}

fn publish(app: &str, stream: &str) -> Publish {
    Publish { stream: StreamId::parse("live.local", app, stream).unwrap(), args: Vec::new() }
}
