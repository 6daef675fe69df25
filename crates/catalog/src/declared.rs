use std::fmt;

use crate::domain::Domains;
use crate::package::{self, PackageRaw};
use crate::record::RecordRaw;
use crate::snapshot::SnapshotRaw;
use crate::{
    Domain, DomainRaw, Fault, Known, PackageRule, Param, RecordRule, Rules, SnapshotRule, Storage, Storages,
    Target,
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
}

impl Default for Options {
    fn default() -> Self {
        Self { record_name_utc_offset: 8 * 3600, snapshot_both_names: false, reconnect_window_s: 30 }
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
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Storage => "storage",
            Self::Domain => "domain",
            Self::Snapshot => "snapshot",
            Self::Record => "record",
            Self::Package => "package",
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

/// What operators declared, checked. An immutable value: a change makes a new one.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub(crate) options: Options,
    pub(crate) storages: Storages,
    pub(crate) domains: Domains,
    pub(crate) snapshots: Rules<SnapshotRule>,
    pub(crate) records: Rules<RecordRule>,
    pub(crate) packages: Rules<PackageRule>,
}

impl Catalog {
    /// Checks everything.
    ///
    /// # Errors
    /// Every fault that was found, at most one per item.
    pub fn build(input: Declared) -> Result<(Catalog, Vec<Notice>), Vec<Misdeclared>> {
        let mut found = Found::default();
        let (storages, faults) = Storages::declare(input.storages);
        found.add(Family::Storage, faults);
        let (domains, faults) = Domains::declare(&input.domains);
        found.add(Family::Domain, faults);
        let options = input.options;
        let known = Known { domains: &domains, storages: &storages, options: &options, now: None };
        let snapshots = found.family(Family::Snapshot, &input.snapshots, &known);
        let records = found.family(Family::Record, &input.records, &known);
        let packages = found.family(Family::Package, &input.packages, &known);
        match found.faults.is_empty() {
            true => Ok((Catalog { options, storages, domains, snapshots, records, packages }, found.notices)),
            false => Err(found.faults),
        }
    }

    /// What a new template is checked against.
    pub fn known(&self) -> Known<'_> {
        Known { domains: &self.domains, storages: &self.storages, options: &self.options, now: None }
    }

    /// All domains, in the order they were declared.
    pub fn domains(&self) -> &[Domain] {
        self.domains.all()
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
}

/// A family of templates, seen from [`Catalog::build`].
trait Rule: Sized {
    type Raw;
    fn read(raw: &Self::Raw, known: &Known<'_>) -> Result<Self, Fault>;
    fn target(&self) -> &Target;
    fn unavailable(&self) -> Vec<String>;
    fn exists() -> Fault;
}

macro_rules! rule {
    ($rule:ident, $raw:ident, $exists:expr) => {
        impl Rule for $rule {
            type Raw = $raw;
            fn read(raw: &$raw, known: &Known<'_>) -> Result<Self, Fault> {
                Self::check(raw, known)
            }
            fn target(&self) -> &Target {
                &self.target
            }
            fn unavailable(&self) -> Vec<String> {
                $rule::unavailable(self)
            }
            fn exists() -> Fault {
                $exists
            }
        }
    };
}

rule!(SnapshotRule, SnapshotRaw, Fault::exists(Param::AppName));
rule!(RecordRule, RecordRaw, Fault::exists(Param::StreamName));
rule!(PackageRule, PackageRaw, package::exists());

#[derive(Default)]
struct Found {
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
            let rule = match R::read(raw, known) {
                Ok(rule) => rule,
                Err(fault) => {
                    self.faults.push(Misdeclared { place, fault });
                    continue;
                }
            };
            let notices = rule.unavailable().into_iter().map(|message| Notice { place, message });
            self.notices.extend(notices);
            if rules.insert(rule.target().clone(), rule).is_err() {
                self.faults.push(Misdeclared { place, fault: R::exists() });
            }
        }
        rules
    }
}
