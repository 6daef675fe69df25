use std::fmt;

use media::Wall;

use crate::block::Blocks;
use crate::domain::Domains;
use crate::notify::{RecordNotifyRaw, RecordNotifyRule, SnapshotNotifyRaw, SnapshotNotifyRule};
use crate::package::PackageRaw;
use crate::record::RecordRaw;
use crate::snapshot::SnapshotRaw;
use crate::{
    DomainRaw, Fault, Known, Origin, PackageRule, RecordRule, Rule, Rules, SnapshotRule, Stamp, Storage,
    Storages, Template,
};

/// Everything that operators declare, as it was written.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The server's choices.
    pub options: Options,
    /// Storages.
    pub storages: Vec<Storage>,
    /// Domains.
    pub domains: Vec<DomainRaw>,
    /// Snapshot templates.
    pub snapshots: Vec<SnapshotRaw>,
    /// Recording templates.
    pub records: Vec<RecordRaw>,
    /// Packaging templates.
    pub packages: Vec<PackageRaw>,
    /// Recording notifications.
    pub record_notifies: Vec<RecordNotifyRaw>,
    /// Snapshot notifications.
    pub snapshot_notifies: Vec<SnapshotNotifyRaw>,
    /// When all this was declared: the file's last change.
    pub at: Wall,
}

/// Choices where the seeds are silent or disagree (design §11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Offset of the times in names of recordings from UTC, in seconds; the cloud's is 8 hours.
    pub record_name_utc_offset: i32,
    /// Whether a snapshot template may have both object names.
    pub snapshot_both_names: bool,
    /// Seconds after which live packaging gives up on a source that is gone.
    pub reconnect_window_s: u32,
    /// Whether URLs to call may not be private addresses.
    pub deny_private_callbacks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            record_name_utc_offset: 8 * 3600,
            snapshot_both_names: false,
            reconnect_window_s: 30,
            deny_private_callbacks: false,
        }
    }
}

/// A list of [`Declared`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `[[storage]]`
    Storage,
    /// `[[domain]]`
    Domain,
    /// `[[snapshot]]`
    Snapshot,
    /// `[[record]]`
    Record,
    /// `[[package]]`
    Package,
    /// `[[record_notify]]`
    RecordNotify,
    /// `[[snapshot_notify]]`
    SnapshotNotify,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Storage => "storage",
            Self::Domain => "domain",
            Self::Snapshot => "snapshot",
            Self::Record => "record",
            Self::Package => "package",
            Self::RecordNotify => "record_notify",
            Self::SnapshotNotify => "snapshot_notify",
        })
    }
}

/// An item of [`Declared`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which list.
    pub family: Family,
    /// Which item, from 0.
    pub index: usize,
}

/// An item that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misdeclared {
    /// Which.
    pub place: Place,
    /// Why.
    pub fault: Fault,
}

/// Something in an item that is taken but has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which.
    pub place: Place,
    /// What.
    pub message: String,
}

/// What operators declared, checked. An immutable value, cheap to clone: a change makes a new one and shares with
/// the old one what it does not touch.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub(crate) options: Options,
    pub(crate) storages: Storages,
    pub(crate) domains: Domains,
    pub(crate) snapshots: Rules<SnapshotRule>,
    pub(crate) records: Rules<RecordRule>,
    pub(crate) packages: Rules<PackageRule>,
    pub(crate) record_notifies: Rules<RecordNotifyRule>,
    pub(crate) snapshot_notifies: Rules<SnapshotNotifyRule>,
    pub(crate) blocks: Blocks,
}

impl Catalog {
    /// Checks everything.
    ///
    /// # Errors
    /// Every fault that was found, at most one per item.
    pub fn build(input: Declared) -> Result<(Catalog, Vec<Notice>), Vec<Misdeclared>> {
        let mut found = Found { at: input.at, ..Found::default() };
        let (storages, faults) = Storages::declare(input.storages);
        found.add(Family::Storage, faults);
        let (domains, faults) = Domains::declare(&input.domains, input.at);
        found.add(Family::Domain, faults);
        let options = input.options;
        let known = Known { domains: &domains, storages: &storages, options: &options, now: None };
        let snapshots = found.family(Family::Snapshot, &input.snapshots, &known);
        let records = found.family(Family::Record, &input.records, &known);
        let packages = found.family(Family::Package, &input.packages, &known);
        let record_notifies = found.family(Family::RecordNotify, &input.record_notifies, &known);
        let snapshot_notifies = found.family(Family::SnapshotNotify, &input.snapshot_notifies, &known);
        if !found.faults.is_empty() {
            return Err(found.faults);
        }
        let catalog = Catalog {
            options,
            storages,
            domains,
            snapshots,
            records,
            packages,
            record_notifies,
            snapshot_notifies,
            blocks: Blocks::default(),
        };
        Ok((catalog, found.notices))
    }

    /// What a new template is checked against.
    pub fn known(&self) -> Known<'_> {
        Known { domains: &self.domains, storages: &self.storages, options: &self.options, now: None }
    }
}

#[derive(Default)]
struct Found {
    at: Wall,
    faults: Vec<Misdeclared>,
    notices: Vec<Notice>,
}

impl Found {
    fn add(&mut self, family: Family, faults: impl IntoIterator<Item = (usize, Fault)>) {
        let located =
            faults.into_iter().map(|(index, fault)| Misdeclared { place: Place { family, index }, fault });
        self.faults.extend(located);
    }

    fn family<R: Rule>(&mut self, family: Family, raw: &[R::Raw], known: &Known<'_>) -> Rules<R> {
        let mut rules = Rules::default();
        for (index, raw) in raw.iter().enumerate() {
            let place = Place { family, index };
            let rule = match R::check(raw, known) {
                Ok(rule) => rule,
                Err(fault) => {
                    self.faults.push(Misdeclared { place, fault });
                    continue;
                }
            };
            let notices = rule.unavailable().into_iter().map(|message| Notice { place, message });
            self.notices.extend(notices);
            if rules.get(rule.target()).is_some() {
                self.faults.push(Misdeclared { place, fault: R::exists() });
                continue;
            }
            let mut given = raw.clone();
            rule.fill(&mut given);
            let stamp = Stamp { origin: Origin::File, created: self.at, updated: self.at };
            rules.put(Template { rule, given, stamp });
        }
        rules
    }
}
