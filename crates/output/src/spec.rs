use std::collections::BTreeMap;
use std::sync::Arc;

use media::{StreamId, Wall};

use crate::{Output, package, record, snapshot};

/// Everything this server can make of a stream: if it is not in this list, it does not exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// m3u8 recording with TS slices.
    RecordHls(record::hls::Settings),
    /// FLV recording.
    RecordFlv(record::flv::Settings),
    /// Live packaging.
    Package(package::Settings),
    /// JPEGs of key frames.
    Snapshot(snapshot::Settings),
}

/// What an output learns of its session when it opens.
#[derive(Clone, Debug)]
pub struct Context {
    /// Whose session.
    pub stream: StreamId,
    /// When it began.
    pub opened: Wall,
    /// Counters that earlier sessions left.
    pub memory: Memory,
}

/// Counters by name, as [`crate::Effect::Remember`] left them.
pub type Memory = BTreeMap<Arc<str>, u64>;

impl Spec {
    /// The product's name in logs, metrics and `/api/streams`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RecordHls(_) => "record/m3u8",
            Self::RecordFlv(_) => "record/flv",
            Self::Package(_) => "package",
            Self::Snapshot(_) => "snapshot",
        }
    }

    /// Opens the output.
    pub fn open(&self, context: &Context) -> Box<dyn Output> {
        match self {
            Self::RecordHls(settings) => Box::new(record::hls::Hls::new(settings.clone(), context)),
            Self::RecordFlv(settings) => Box::new(record::flv::Flv::new(settings.clone(), context)),
            Self::Package(settings) => Box::new(package::Package::new(settings.clone(), context)),
            Self::Snapshot(settings) => Box::new(snapshot::Snapshot::new(settings.clone(), context)),
        }
    }
}
