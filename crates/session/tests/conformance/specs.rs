//! The products, all of them.

use output::name::{Name, Variable};
use output::package::Protocol;
use output::{Bucket, Spec, package, record, snapshot};

/// How often files, segments and pictures end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As often as possible, so that a story of seconds has many of each.
    Brief,
    /// As the example configuration has it: a story fits in one file.
    Usual,
}

/// Every [`Spec`] there is, snapshots in both namings, packaging as HLS_CMAF: [`package`] makes the others.
pub fn all(pace: Pace) -> Vec<Spec> {
    let (slice_duration_s, cycle_duration_s, interval_s) = match pace {
        Pace::Brief => (1, 3, 1),
        Pace::Usual => (30, 21_600, 5),
    };
    let store = || Bucket { storage: "oss-local".into(), name: "live-bucket".into() };
    let name = |text: &str, variables| Name::parse(text, variables).unwrap();
    let hls = record::Settings {
        slice: Some(record::Slice {
            duration_s: slice_duration_s,
            name: name("hls/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}", Variable::RECORD_SLICE),
        }),
        cycle_duration_s,
        ..record::Settings::new(
            record::Container::M3u8,
            store(),
            name("hls/{AppName}/{Sequence}_{EscapedStartTime}", Variable::RECORD_FILE),
        )
    };
    let flv = record::Settings {
        cycle_duration_s,
        ..record::Settings::new(
            record::Container::Flv,
            store(),
            name("flv/{StreamName}/{Sequence}_{EscapedEndTime}", Variable::RECORD_FILE),
        )
    };
    let mp4 = record::Settings {
        cycle_duration_s,
        ..record::Settings::new(
            record::Container::Mp4,
            store(),
            name("mp4/{StreamName}/{Sequence}_{EscapedEndTime}", Variable::RECORD_FILE),
        )
    };
    let cmaf = record::Settings {
        slice: Some(record::Slice {
            duration_s: slice_duration_s,
            name: name("cmaf/{StreamName}/{UnixTimestamp}_{Sequence}", Variable::RECORD_SLICE),
        }),
        cycle_duration_s,
        ..record::Settings::new(
            record::Container::Cmaf,
            store(),
            name("cmaf/{StreamName}/{Sequence}_{EscapedStartTime}_file", Variable::RECORD_FILE),
        )
    };
    let overwrite = name("{AppName}/{StreamName}.jpg", Variable::OVERWRITE_SNAPSHOT);
    let sequence = name("{AppName}/{UnixTimestamp}_{Sequence}.jpg", Variable::SEQUENCE_SNAPSHOT);
    let snapshot = |counter: &str, naming| {
        let settings =
            snapshot::Settings { store: store(), interval_s, naming, counter: counter.into(), utc_offset: 0 };
        Spec::Snapshot(settings)
    };
    vec![
        Spec::Record(hls),
        Spec::Record(flv),
        Spec::Record(mp4),
        Spec::Record(cmaf),
        package(pace, Protocol::HlsCmaf),
        snapshot("overwrite", snapshot::Naming::Overwrite(overwrite)),
        snapshot("sequence", snapshot::Naming::Sequence(sequence)),
    ]
}

/// Packaging alone.
pub fn package(pace: Pace, protocol: Protocol) -> Spec {
    let (segment_duration_s, part_duration_ms) = match pace {
        Pace::Brief => (1, 100),
        Pace::Usual => (2, 700),
    };
    Spec::Package(package::Settings {
        protocol,
        segment_count: 3,
        segment_duration_s,
        part_duration_ms: Some(part_duration_ms),
        reconnect_window_s: 30,
        put: None,
    })
}
