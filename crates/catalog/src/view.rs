//! What a catalog says of itself, for describing it.

use media::{StreamId, Wall};

use crate::{
    Block, Catalog, Domain, Host, PackageRule, RecordNotifyRule, RecordRule, Rules, SnapshotNotifyRule,
    SnapshotRule,
};

impl Catalog {
    /// All streaming domains, the file's first.
    pub fn domains(&self) -> &[Domain] {
        self.domains.all()
    }

    /// Every streaming and every ingest domain, in order of their names.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.domains.hosts()
    }

    /// The streaming or ingest domain called `name`, in any case.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.domains.host(name)
    }

    /// The name of the streaming domain that `name` is, or that the ingest domain `name` is mapped to.
    pub fn streaming_domain(&self, name: &str) -> Option<&str> {
        self.domains.leading_to(name).map(AsRef::as_ref)
    }

    /// Snapshot templates.
    pub fn snapshots(&self) -> &Rules<SnapshotRule> {
        &self.snapshots
    }

    /// Recording templates.
    pub fn records(&self) -> &Rules<RecordRule> {
        &self.records
    }

    /// Packaging templates.
    pub fn packages(&self) -> &Rules<PackageRule> {
        &self.packages
    }

    /// Recording notifications: [`Rules::of_domain`].
    pub fn record_notifies(&self) -> &Rules<RecordNotifyRule> {
        &self.record_notifies
    }

    /// Snapshot notifications: [`Rules::of_domain`].
    pub fn snapshot_notifies(&self) -> &Rules<SnapshotNotifyRule> {
        &self.snapshot_notifies
    }

    /// Streams that may not be published at `now`, in order of their names.
    pub fn blocks(&self, now: Wall) -> impl Iterator<Item = &Block> {
        self.blocks.holding(now)
    }

    /// Whether `stream` may not be published at `now`.
    pub fn is_forbidden(&self, stream: &StreamId, now: Wall) -> bool {
        self.blocks.of(stream, now).is_some()
    }
}
