//! The operations of ApsaraVideo Live: one list, in the order of the reference (`api-alibaba-live.md`).
//!
//! An entry says what an operation costs and touches, and how its parameters become a command or an answer. The
//! shell does the rest: who may, how often, and keeping what changed.

mod domain;
mod package;
mod page;
mod read;
mod record;
pub mod recorded;
mod snapshot;
mod stream;

use catalog::{Catalog, Command};
use media::Wall;
use serde_json::Value;

pub use page::Page;
pub use recorded::Archive;
pub use stream::{LiveAudio, LiveStream, LiveVideo};

use super::{Params, Refusal};

/// An operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its name, as `Action` or `x-acs-action` has it.
    pub name: &'static str,
    /// How often an account may call it.
    pub rate: Rate,
    /// What policies see that it touches.
    pub scope: Scope,
    /// What it does.
    pub run: Run,
}

/// So many calls in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub calls: u32,
    /// Seconds.
    pub seconds: u32,
}

/// Which resources an operation touches (wire reference §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The domains that these parameters name.
    Domains(&'static [&'static str]),
    /// It has no resource types: policies must say `*`.
    All,
}

/// What an operation does with its parameters.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// Changes the catalog; done when the change is kept, and answered with an empty object.
    Change(fn(&Params) -> Result<Command, Refusal>),
    /// Answers from the catalog.
    Describe(fn(&Params, &Catalog, Wall) -> Result<Value, Refusal>),
    /// Answers from the catalog and what is live.
    Online(fn(&Params, &Catalog, &[LiveStream]) -> Result<Value, Refusal>),
    /// Answers from the index of recordings.
    Ask(fn(&Params, &Catalog, Wall) -> Result<Archive, Refusal>),
    /// Orders recordings, or changes that index.
    Act(fn(&Params, &Catalog, Wall) -> Result<Archive, Refusal>),
}

impl Operation {
    /// The action that policies name: `live:…`.
    pub fn ram_action(&self) -> String {
        format!("live:{}", self.name)
    }

    /// The ARNs that it touches with these parameters. Domains are in lower case: a policy must not be evaded by
    /// spelling. `account` is the account's id.
    pub fn resources(&self, params: &Params, account: &str) -> Vec<String> {
        let arn = |name: &&str| {
            let domain = params.text(name).unwrap_or_default().to_ascii_lowercase();
            // Live's resources are named after the CDN's service (seeds).
            format!("acs:cdn:*:{account}:domain/{domain}")
        };
        match self.scope {
            Scope::Domains(names) => names.iter().map(arn).collect(),
            Scope::All => vec!["*".to_owned()],
        }
    }
}

/// The version of the API that these operations are of.
pub const VERSION: &str = "2016-11-01";

/// The operation of that version and name.
pub(super) fn find(version: &str, name: &str) -> Result<&'static Operation, Refusal> {
    if version != VERSION {
        return Err(Refusal::new(400, "InvalidVersion", "Specified parameter Version is not valid."));
    }
    OPERATIONS.iter().find(|operation| operation.name == name).ok_or_else(|| {
        let message = "Specified api is not found, please check your url and method.";
        Refusal::new(404, "InvalidAction.NotFound", message)
    })
}

const DOMAIN: Scope = Scope::Domains(&["DomainName"]);

const fn per_second(calls: u32) -> Rate {
    Rate { calls, seconds: 1 }
}

const fn per_minute(calls: u32) -> Rate {
    Rate { calls, seconds: 60 }
}

const fn op(name: &'static str, rate: Rate, scope: Scope, run: Run) -> Operation {
    Operation { name, rate, scope, run }
}

use Run::{Act, Ask, Change, Describe, Online};

/// All of them: if it is not in this list, it does not exist.
pub const OPERATIONS: &[Operation] = &[
    op("AddLiveAppSnapshotConfig", per_second(30), DOMAIN, Change(snapshot::add)),
    op("UpdateLiveAppSnapshotConfig", per_second(30), DOMAIN, Change(snapshot::update)),
    // "All Resources" in the documentation, against all its siblings.
    op("DeleteLiveAppSnapshotConfig", per_second(30), Scope::All, Change(snapshot::delete)),
    op("DescribeLiveSnapshotConfig", per_second(100), DOMAIN, Describe(snapshot::describe)),
    op("AddLiveSnapshotNotifyConfig", per_second(30), DOMAIN, Change(snapshot::add_notify)),
    op("UpdateLiveSnapshotNotifyConfig", per_second(30), DOMAIN, Change(snapshot::update_notify)),
    op("DeleteLiveSnapshotNotifyConfig", per_second(30), DOMAIN, Change(snapshot::delete_notify)),
    op("DescribeLiveSnapshotNotifyConfig", per_second(30), DOMAIN, Describe(snapshot::describe_notify)),
    op("AddLiveAppRecordConfig", per_second(30), DOMAIN, Change(record::add)),
    op("UpdateLiveAppRecordConfig", per_second(30), DOMAIN, Change(record::update)),
    op("DeleteLiveAppRecordConfig", per_second(50), DOMAIN, Change(record::delete)),
    op("DescribeLiveRecordConfig", per_second(100), DOMAIN, Describe(record::describe)),
    op("AddLiveRecordNotifyConfig", per_second(30), DOMAIN, Change(record::add_notify)),
    op("UpdateLiveRecordNotifyConfig", per_second(30), DOMAIN, Change(record::update_notify)),
    op("DeleteLiveRecordNotifyConfig", per_second(30), DOMAIN, Change(record::delete_notify)),
    op("DescribeLiveRecordNotifyConfig", per_second(30), DOMAIN, Describe(record::describe_notify)),
    op("DescribeLiveRecordNotifyRecords", per_second(100), DOMAIN, Ask(recorded::attempts)),
    op("RealTimeRecordCommand", per_second(50), DOMAIN, Act(recorded::command)),
    op("DescribeLiveStreamRecordContent", per_second(50), DOMAIN, Ask(recorded::contents)),
    op("DescribeLiveStreamRecordIndexFiles", per_second(15), DOMAIN, Ask(recorded::files)),
    op("DescribeLiveStreamRecordIndexFile", per_second(100), DOMAIN, Ask(recorded::file)),
    op("CreateLiveStreamRecordIndexFiles", per_second(45), DOMAIN, Act(recorded::make)),
    op("DeleteLiveStreamRecordIndexFiles", per_second(100), DOMAIN, Act(recorded::delete)),
    op("AddLivePackageConfig", per_minute(300), DOMAIN, Change(package::add)),
    op("UpdateLivePackageConfig", per_minute(300), DOMAIN, Change(package::update)),
    op("DeleteLivePackageConfig", per_minute(300), DOMAIN, Change(package::delete)),
    op("DescribeLivePackageConfig", per_minute(300), DOMAIN, Describe(package::describe)),
    op("DescribeLiveStreamsOnlineList", per_minute(10_000), DOMAIN, Online(stream::online)),
    op("ForbidLiveStream", per_second(20), DOMAIN, Change(stream::forbid)),
    op("ResumeLiveStream", per_second(30), DOMAIN, Change(stream::resume)),
    op("DescribeLiveStreamsBlockList", per_second(50), DOMAIN, Describe(stream::blocked)),
    op("AddLiveDomain", per_second(30), DOMAIN, Change(domain::add)),
    op("DescribeLiveUserDomains", per_second(100), Scope::All, Describe(domain::list)),
    op("DescribeLiveDomainDetail", per_second(50), DOMAIN, Describe(domain::detail)),
    op(
        "AddLiveDomainMapping",
        per_second(30),
        Scope::Domains(&["PullDomain", "PushDomain"]),
        Change(domain::map),
    ),
];
