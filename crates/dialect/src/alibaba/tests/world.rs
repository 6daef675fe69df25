//! A catalog that calls change, as the server does it.

use catalog::{Catalog, Declared, DomainRaw, Storage};

use super::super::{LiveStream, Operation, Params, Run};
use super::*;

/// What a test calls.
pub(super) struct World {
    pub(super) catalog: Catalog,
    pub(super) now: Wall,
    pub(super) live: Vec<LiveStream>,
}

pub(super) const NOW: &str = "2026-11-20T08:00:00Z";

impl World {
    /// One domain with an ingest domain, and one storage with one bucket.
    pub(super) fn new() -> Self {
        Self::declaring(|_| {})
    }

    /// The same with more in the config file.
    pub(super) fn declaring(declare: impl FnOnce(&mut Declared)) -> Self {
        let text = |text: &str| text.to_owned();
        let mut declared = Declared {
            storages: vec![Storage {
                name: text("oss-local"),
                endpoints: vec![text("oss-cn-shanghai.aliyuncs.com")],
                buckets: Some(vec![text("live-bucket")]),
            }],
            domains: vec![DomainRaw {
                name: Some(text("live.local")),
                ingest: vec![text("push.live.local")],
                default: true,
                second_publisher: None,
            }],
            ..Declared::default()
        };
        declare(&mut declared);
        Self { catalog: Catalog::build(declared).unwrap().0, now: at(NOW), live: Vec::new() }
    }

    /// Calls an operation with these parameters.
    pub(super) fn call(&mut self, action: &str, params: &[(&str, &str)]) -> Result<Value, Refusal> {
        let operation = operation(action)?;
        let params = super::params(params);
        match operation.run {
            Run::Change(read) => {
                let applied = self.catalog.apply(&read(&params)?, self.now)?;
                self.catalog = applied.catalog;
                Ok(json!({}))
            }
            Run::Describe(answer) => answer(&params, &self.catalog, self.now),
            Run::Online(answer) => answer(&params, &self.catalog, &self.live),
            // The answer is the shell's.
            Run::Ask(ask) | Run::Act(ask) => ask(&params, &self.catalog, self.now).map(|_| json!({})),
        }
    }

    /// Calls an operation that must be done.
    pub(super) fn done(&mut self, action: &str, params: &[(&str, &str)]) -> Value {
        self.call(action, params).unwrap_or_else(|refusal| panic!("{action} {params:?}: {refusal:?}"))
    }

    /// Status, code and message of a call that must be refused.
    pub(super) fn refused(&mut self, action: &str, params: &[(&str, &str)]) -> (u16, String, String) {
        match self.call(action, params) {
            Ok(value) => panic!("{action} {params:?} is done: {value}"),
            Err(refusal) => (refusal.status, refusal.code.into_owned(), refusal.message),
        }
    }

    /// Checks that `base` with `changes` is refused so.
    pub(super) fn check_refused(
        &mut self,
        action: &str,
        base: &[(&'static str, &'static str)],
        changes: &[(&'static str, &str)],
        (status, code, message): (u16, &str, &str),
    ) {
        let changed = with(base, changes);
        let refusal = self.refused(action, &pairs(&changed));
        assert_eq!(refusal, (status, code.to_owned(), message.to_owned()), "{action} {changes:?}");
    }

    /// Time goes on.
    pub(super) fn wait(&mut self, seconds: i64) {
        self.now = self.now.plus_micros(seconds * 1_000_000);
    }
}

pub(super) fn operation(action: &str) -> Result<&'static Operation, Refusal> {
    Call::read(&get(&format!("Action={action}&Version=2016-11-01"))).operation()
}

pub(super) fn params(pairs: &[(&str, &str)]) -> Params {
    Params::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// `base` with some values replaced or added; an empty one removes.
pub(super) fn with(
    base: &[(&'static str, &'static str)],
    changes: &[(&'static str, &str)],
) -> Vec<(String, String)> {
    let kept = base.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let all = kept.copied().chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty());
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(super) fn pairs(owned: &[(String, String)]) -> Vec<(&str, &str)> {
    owned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
