use media::{StreamId, Wall};
use output::Bucket;

use crate::Catalog;
use crate::notify::{RecordNotifyRaw, SnapshotNotifyRaw};
use crate::package::PackageRaw;
use crate::record::RecordRaw;
use crate::snapshot::{HuaweiSnapshotRaw, SnapshotRaw};

/// A change that an operator asks for, as it was written. [`Catalog::apply`] checks it.
///
/// In an `Update…` the parts that make the key say which one; of the rest `None` and an empty list mean
/// unchanged. Text that is empty counts as absent everywhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// AddLiveAppSnapshotConfig; key (DomainName, AppName).
    AddSnapshot(SnapshotRaw),
    /// UpdateLiveAppSnapshotConfig; `-` for one of the object names removes it.
    UpdateSnapshot(SnapshotRaw),
    /// DeleteLiveAppSnapshotConfig.
    DeleteSnapshot(Selector),
    /// Huawei's POST `/stream/snapshot`; the key space is that of AddLiveAppSnapshotConfig.
    CreateHuaweiSnapshot(HuaweiSnapshotRaw),
    /// Huawei's PUT: replaces the whole template.
    ReplaceHuaweiSnapshot(HuaweiSnapshotRaw),
    /// Huawei's DELETE; the domain may be an ingest domain.
    DeleteHuaweiSnapshot(Selector),
    /// AddLiveAppRecordConfig; key (DomainName, AppName, StreamName).
    AddRecord(RecordRaw),
    /// UpdateLiveAppRecordConfig. A format is changed in place and keeps the names that are not given; formats
    /// that are not named stay.
    UpdateRecord(RecordRaw),
    /// DeleteLiveAppRecordConfig.
    DeleteRecord(Selector),
    /// AddLivePackageConfig; key (DomainName, AppName, StreamName).
    AddPackage(PackageRaw),
    /// UpdateLivePackageConfig: Protocol, SegmentNum and SegmentDuration are required, and PartDuration where
    /// the protocol has parts.
    UpdatePackage(PackageRaw),
    /// DeleteLivePackageConfig.
    DeletePackage(Selector),
    /// AddLiveRecordNotifyConfig; key DomainName.
    AddRecordNotify(RecordNotifyRaw),
    /// UpdateLiveRecordNotifyConfig.
    UpdateRecordNotify(RecordNotifyRaw),
    /// DeleteLiveRecordNotifyConfig.
    DeleteRecordNotify(Selector),
    /// AddLiveSnapshotNotifyConfig; key DomainName.
    AddSnapshotNotify(SnapshotNotifyRaw),
    /// UpdateLiveSnapshotNotifyConfig.
    UpdateSnapshotNotify(SnapshotNotifyRaw),
    /// DeleteLiveSnapshotNotifyConfig.
    DeleteSnapshotNotify(Selector),
    /// AddLiveDomain.
    AddDomain(NewDomain),
    /// AddLiveDomainMapping: streams pushed to the one are played from the other.
    MapDomain {
        /// PullDomain: a streaming domain.
        pull: Option<String>,
        /// PushDomain: an ingest domain.
        push: Option<String>,
    },
    /// ForbidLiveStream.
    Forbid(Forbid),
    /// ResumeLiveStream. What is not forbidden may be resumed: nothing changes.
    Resume(Selector),
}

/// Names that say which template, config or stream is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// DomainName. Streams may be named by their ingest domain, too.
    pub domain_name: Option<String>,
    /// AppName, where it is part of the key.
    pub app_name: Option<String>,
    /// StreamName, where it is part of the key.
    pub stream_name: Option<String>,
}

/// AddLiveDomain as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewDomain {
    /// DomainName, required.
    pub domain_name: Option<String>,
    /// LiveDomainType, required: `liveVideo` (streaming) or `liveEdge` (ingest).
    pub live_domain_type: Option<String>,
    /// Region, required; kept and told, without meaning here.
    pub region: Option<String>,
    /// Scope: `domestic` (default), `overseas` or `global`; kept and told, without meaning here.
    pub scope: Option<String>,
}

/// ForbidLiveStream as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forbid {
    /// Which stream, all three names; the domain may be the ingest or the streaming one.
    pub stream: Selector,
    /// ResumeTime, read with [`crate::resume_time`]; `None` is [`crate::FORBID_DEFAULT`] from now.
    pub until: Option<Wall>,
    /// Oneshot: only end the present publish.
    pub once: bool,
}

/// What a [`Command`] did.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The catalog after it.
    pub catalog: Catalog,
    /// What must be kept so that [`Catalog::restore`] makes the same catalog again.
    pub rows: Vec<Row>,
    /// The stream whose publisher must go now.
    pub kick: Option<StreamId>,
    /// A bucket that a template newly names and of which only its storage knows whether it exists. If it does not,
    /// [`crate::Fault::no_bucket`] is the answer.
    pub unseen: Option<Bucket>,
}

/// What is kept of one thing that was declared through an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which sort of thing: `snapshot`, `record`, `package`, `record_notify`, `snapshot_notify`, `domain`, `block`.
    pub kind: &'static str,
    /// Which one of its sort.
    pub key: String,
    /// JSON of what was declared; `None`: it is gone.
    pub value: Option<String>,
}

/// A [`Row`] that comes back from where it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// [`Row::kind`]
    pub kind: String,
    /// [`Row::key`]
    pub key: String,
    /// [`Row::value`]
    pub value: String,
}
