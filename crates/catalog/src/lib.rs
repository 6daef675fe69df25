//! What operators declared, and the plan it makes for one publish.
//!
//! A cloud request or a section of the config file is a `Raw` value; `check` makes a valid `Rule` of it or says
//! with a [`Fault`] which parameter is wrong, in the clouds' words. A [`Catalog`] holds the rules, and
//! [`Catalog::resolve`] turns them into the one [`Plan`] of a publish. A [`Command`] makes a new catalog of a
//! catalog, and rows of what must be kept ([`Catalog::apply`], [`Catalog::restore`]). Everything here is a value.

mod apply;
mod block;
mod command;
mod declared;
mod domain;
mod fault;
mod plan;
mod restore;
mod rules;
mod storage;
mod target;
mod view;

pub mod notify;
pub mod package;
pub mod record;
pub mod snapshot;

pub use apply::{FORBID_DEFAULT, MAX_BLOCKS, resume_time};
pub use block::Block;
pub use command::{Applied, Command, Forbid, Kept, NewDomain, Row, Selector};
pub use declared::{Catalog, Declared, Family, Misdeclared, Notice, Options, Place};
pub use domain::{Domain, DomainRaw, Host, Role, SecondPublisher, Unnamed};
pub use fault::{Fault, Field, Kind, Param};
pub use notify::{RecordNotifyRule, SnapshotNotifyRule};
pub use package::PackageRule;
pub use plan::{Plan, Publish};
pub use record::RecordRule;
pub use rules::{Origin, Rule, Rules, Stamp, Template};
pub use snapshot::SnapshotRule;
pub use storage::{Storage, Storages};
pub use target::{Known, Pattern, Target};

#[cfg(test)]
mod tests;
