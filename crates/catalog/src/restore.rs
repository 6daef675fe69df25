//! How what was declared through an API is kept, and comes back.

use media::{StreamId, Wall};
use serde::{Deserialize, Serialize};

use crate::rules::Rules;
use crate::{
    Block, Catalog, Host, Kept, Origin, PackageRule, RecordNotifyRule, RecordRule, Role, Row, Rule,
    SnapshotNotifyRule, SnapshotRule, Stamp, Template,
};

/// Rows of domains.
pub(crate) const HOST: &str = "domain";
/// Rows of forbidden streams.
pub(crate) const BLOCK: &str = "block";

#[derive(Serialize, Deserialize)]
struct KeptTemplate<T> {
    created: i64,
    updated: i64,
    given: T,
}

#[derive(Serialize, Deserialize)]
struct KeptHost {
    created: i64,
    updated: i64,
    streaming: bool,
    pull: Option<String>,
    region: Option<String>,
    scope: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct KeptBlock {
    created: i64,
    until: i64,
    domain: String,
}

/// These values hold nothing that JSON cannot: no map keys but strings, no numbers but integers.
fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

pub(crate) fn template_row<R: Rule>(template: &Template<R>) -> Row {
    let Template { rule, given, stamp } = template;
    let kept = KeptTemplate { created: stamp.created.0, updated: stamp.updated.0, given };
    Row { kind: R::KIND, key: rule.target().to_string(), value: json(&kept) }
}

pub(crate) fn host_row(host: &Host) -> Row {
    let (streaming, pull) = match &host.role {
        Role::Streaming => (true, None),
        Role::Ingest { pull } => (false, pull.as_ref().map(ToString::to_string)),
    };
    let kept = KeptHost {
        created: host.stamp.created.0,
        updated: host.stamp.updated.0,
        streaming,
        pull,
        region: host.region.clone(),
        scope: host.scope.clone(),
    };
    Row { kind: HOST, key: host.name.to_string(), value: json(&kept) }
}

pub(crate) fn block_row(block: &Block) -> Row {
    let domain = block.domain.to_string();
    let kept = KeptBlock { created: block.stamp.created.0, until: block.until.0, domain };
    Row { kind: BLOCK, key: block.stream.to_string(), value: json(&kept) }
}

fn stamp(created: i64, updated: i64) -> Stamp {
    Stamp { origin: Origin::Api, created: Wall(created), updated: Wall(updated) }
}

impl Catalog {
    /// What the config file declares (`self`) and what commands declared later, in rows of any order. For what
    /// both declare the file wins. A row that does not fit the file any more has no effect, and a line says so.
    #[must_use]
    pub fn restore(self, rows: &[Kept]) -> (Catalog, Vec<String>) {
        let mut restored = Restored { catalog: self, notices: Vec::new() };
        restored.hosts(rows);
        for row in rows {
            restored.row(row);
        }
        (restored.catalog, restored.notices)
    }
}

struct Restored {
    catalog: Catalog,
    notices: Vec<String>,
}

impl Restored {
    fn row(&mut self, row: &Kept) {
        let Catalog {
            options,
            storages,
            domains,
            snapshots,
            records,
            packages,
            record_notifies,
            snapshot_notifies,
            ..
        } = &mut self.catalog;
        let known = crate::Known { domains, storages, options, now: None };
        let outcome = match row.kind.as_str() {
            SnapshotRule::KIND => put(snapshots, row, &known),
            RecordRule::KIND => put(records, row, &known),
            PackageRule::KIND => put(packages, row, &known),
            RecordNotifyRule::KIND => put(record_notifies, row, &known),
            SnapshotNotifyRule::KIND => put(snapshot_notifies, row, &known),
            BLOCK => self.block(row),
            HOST => Ok(()),
            _ => Err("is of a kind that this version does not know".to_owned()),
        };
        if let Err(why) = outcome {
            self.notices.push(format!("{} {} of the database has no effect: {why}", row.kind, row.key));
        }
    }

    fn block(&mut self, row: &Kept) -> Result<(), String> {
        let kept: KeptBlock = read(row)?;
        let mut names = row.key.splitn(3, '/');
        let mut name = || names.next().unwrap_or_default();
        let stream = StreamId::parse(name(), name(), name()).map_err(|error| error.to_string())?;
        let stamp = stamp(kept.created, kept.created);
        let (domain, until) = (kept.domain.into(), Wall(kept.until));
        self.catalog.blocks.put(Block { stream, domain, until, stamp });
        Ok(())
    }

    /// Domains first, and before the mappings to them, since everything else names them.
    fn hosts(&mut self, rows: &[Kept]) {
        let mut mapped = Vec::new();
        for row in rows.iter().filter(|row| row.kind == HOST) {
            match self.host(row) {
                Ok(Some(pull)) => mapped.push((row, pull)),
                Ok(None) => {}
                Err(why) => {
                    self.notices.push(format!("domain {} of the database has no effect: {why}", row.key));
                }
            }
        }
        for (row, pull) in mapped {
            let domains = &mut self.catalog.domains;
            let push = domains.host(&row.key).cloned();
            let pull = domains.streaming(&pull).map(|domain| domain.name.clone()).ok_or(pull);
            match (push, pull) {
                (Some(push), Ok(pull)) => domains.map(&push, &pull, push.stamp.updated),
                (_, Err(pull)) => {
                    let why = format!("domain {} leads nowhere: {pull} is no streaming domain", row.key);
                    self.notices.push(why);
                }
                (None, Ok(_)) => {}
            }
        }
    }

    /// Takes a domain; returns what it is mapped to.
    fn host(&mut self, row: &Kept) -> Result<Option<String>, String> {
        let kept: KeptHost = read(row)?;
        let name = crate::domain::host(crate::Param::DomainName, &row.key).map_err(|fault| fault.detail)?;
        if self.catalog.host(&name).is_some() {
            return Err("the config file declares it, too, and wins".to_owned());
        }
        let role = if kept.streaming { Role::Streaming } else { Role::Ingest { pull: None } };
        let stamp = stamp(kept.created, kept.updated);
        let host = Host { name: name.into(), role, region: kept.region, scope: kept.scope, stamp };
        self.catalog.domains.insert(host);
        Ok(kept.pull)
    }
}

fn put<R: Rule>(rules: &mut Rules<R>, row: &Kept, known: &crate::Known<'_>) -> Result<(), String> {
    let KeptTemplate { created, updated, mut given } = read::<KeptTemplate<R::Raw>>(row)?;
    let rule = R::check(&given, known).map_err(|fault| fault.to_string())?;
    if rules.get(rule.target()).is_some() {
        return Err("the config file declares it, too, and wins".to_owned());
    }
    rule.fill(&mut given);
    rules.put(Template { rule, given, stamp: stamp(created, updated) });
    Ok(())
}

fn read<'a, T: Deserialize<'a>>(row: &'a Kept) -> Result<T, String> {
    serde_json::from_str(&row.value).map_err(|error| format!("is unreadable: {error}"))
}
