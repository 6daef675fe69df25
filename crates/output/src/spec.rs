use std::collections::BTreeMap;
use std::sync::Arc;

use media::{StreamId, Wall};

use crate::{Output, Saved, package, record, snapshot};

/// Everything this server can make of a stream: if it is not in this list, it does not exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// A recording in one format.
    Record(record::Settings),
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
            Self::Record(settings) => settings.container.product(),
            Self::Package(_) => "package",
            Self::Snapshot(_) => "snapshot",
        }
    }

    /// Opens the output that left `saved`, where it was. Its source is gone since then. `None`: nothing was left that
    /// could go on.
    pub fn resume(context: &Context, saved: &Saved) -> Option<(Self, Box<dyn Output>)> {
        record::resume(context, saved).map(|(settings, output)| (Self::Record(settings), output))
    }

    /// Opens the output.
    pub fn open(&self, context: &Context) -> Box<dyn Output> {
        match self {
            Self::Record(settings) => record::open(settings, context),
            Self::Package(settings) => Box::new(package::Package::new(settings.clone(), context)),
            Self::Snapshot(settings) => Box::new(snapshot::Snapshot::new(settings.clone(), context)),
        }
    }
}
