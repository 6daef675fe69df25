//! What operators declared, and the plan it makes for one publish.
//!
//! A cloud request or a section of the config file is a `Raw` value; `check` makes a valid `Rule` of it or says
//! with a [`Fault`] which parameter is wrong, in the clouds' words. A [`Catalog`] holds the rules, and
//! [`Catalog::resolve`] turns them into the one [`Plan`] of a publish. Everything here is a value.

mod declared;
mod domain;
mod fault;
mod plan;
mod rules;
mod storage;
mod target;

pub mod package;
pub mod record;
pub mod snapshot;

pub use declared::{Catalog, Declared, Family, Misdeclared, Notice, Options, Place};
pub use domain::{Domain, DomainRaw, SecondPublisher, Unnamed};
pub use fault::{Fault, Field, Param};
pub use package::PackageRule;
pub use plan::{Plan, Publish};
pub use record::RecordRule;
pub use rules::Rules;
pub use snapshot::SnapshotRule;
pub use storage::{Storage, Storages};
pub use target::{Known, Pattern, Target};

#[cfg(test)]
mod tests;
