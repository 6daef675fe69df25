use std::time::Duration;

use media::{StreamId, Wall};
use output::Bucket;

use crate::domain::host;
use crate::fault::Kind;
use crate::restore::{block_row, host_row, template_row};
use crate::target::required;
use crate::{
    Applied, Block, Catalog, Command, Fault, Forbid, Host, Known, NewDomain, Origin, PackageRule, Param,
    RecordNotifyRule, RecordRule, Role, Row, Rule, Rules, Selector, SnapshotNotifyRule, SnapshotRule, Stamp,
    Template, record, snapshot,
};

/// How long a stream stays forbidden when ResumeTime is absent: six months (reference §5).
pub const FORBID_DEFAULT: Duration = Duration::from_secs(183 * 24 * 3600);

/// Streams that can be forbidden at once (reference §5).
pub const MAX_BLOCKS: usize = 10_000;

/// Reads ResumeTime, `yyyy-MM-ddTHH:mm:ssZ`; empty is `None`.
///
/// # Errors
/// `InvalidResumeTime.Malformed`.
pub fn resume_time(text: &str) -> Result<Option<Wall>, Fault> {
    record::moment(Param::ResumeTime, Some(text))
}

impl Catalog {
    /// The catalog after `command`, asked for at `now`. Either the whole command is done or nothing.
    ///
    /// # Errors
    /// The first fault, with the code of the command's family.
    pub fn apply(&self, command: &Command, now: Wall) -> Result<Applied, Fault> {
        let mut change = Change { catalog: self.clone(), rows: Vec::new(), kick: None, unseen: None, now };
        change.carry_out(command)?;
        let Change { catalog, rows, kick, unseen, .. } = change;
        Ok(Applied { catalog, rows, kick, unseen })
    }
}

/// A family of the catalog.
trait Listed: Rule {
    fn list(catalog: &mut Catalog) -> &mut Rules<Self>;
}

macro_rules! listed {
    ($($rule:ident: $field:ident),*) => {
        $(impl Listed for $rule {
            fn list(catalog: &mut Catalog) -> &mut Rules<Self> {
                &mut catalog.$field
            }
        })*
    };
}

listed!(
    SnapshotRule: snapshots,
    RecordRule: records,
    PackageRule: packages,
    RecordNotifyRule: record_notifies,
    SnapshotNotifyRule: snapshot_notifies
);

struct Change {
    catalog: Catalog,
    rows: Vec<Row>,
    kick: Option<StreamId>,
    unseen: Option<Bucket>,
    now: Wall,
}

impl Change {
    fn carry_out(&mut self, command: &Command) -> Result<(), Fault> {
        match command {
            Command::AddSnapshot(raw) => self.add::<SnapshotRule>(raw),
            Command::UpdateSnapshot(raw) => self.update::<SnapshotRule>(raw),
            Command::DeleteSnapshot(selector) => self.delete::<SnapshotRule>(selector),
            Command::CreateHuaweiSnapshot(raw) => {
                let raw = snapshot::adopt(raw, &self.catalog.known())?;
                self.add::<SnapshotRule>(&raw)
            }
            Command::ReplaceHuaweiSnapshot(raw) => {
                let raw = snapshot::adopt(raw, &self.catalog.known())?;
                self.replace::<SnapshotRule>(&raw)
            }
            Command::DeleteHuaweiSnapshot(selector) => {
                let name = required(Param::DomainName, selector.domain_name.as_ref())?;
                let domain = self.catalog.streaming_domain(name).ok_or_else(|| Fault::no_domain(name))?;
                let domain_name = Some(domain.to_owned());
                self.delete::<SnapshotRule>(&Selector { domain_name, ..selector.clone() })
            }
            Command::AddRecord(raw) => self.add::<RecordRule>(raw),
            Command::UpdateRecord(raw) => self.update::<RecordRule>(raw),
            Command::DeleteRecord(selector) => self.delete::<RecordRule>(selector),
            Command::AddPackage(raw) => self.add::<PackageRule>(raw),
            Command::UpdatePackage(raw) => self.update::<PackageRule>(raw),
            Command::DeletePackage(selector) => self.delete::<PackageRule>(selector),
            Command::AddRecordNotify(raw) => self.add::<RecordNotifyRule>(raw),
            Command::UpdateRecordNotify(raw) => self.update::<RecordNotifyRule>(raw),
            Command::DeleteRecordNotify(selector) => self.delete::<RecordNotifyRule>(selector),
            Command::AddSnapshotNotify(raw) => self.add::<SnapshotNotifyRule>(raw),
            Command::UpdateSnapshotNotify(raw) => self.update::<SnapshotNotifyRule>(raw),
            Command::DeleteSnapshotNotify(selector) => self.delete::<SnapshotNotifyRule>(selector),
            Command::AddDomain(new) => self.add_domain(new),
            Command::MapDomain { pull, push } => self.map_domain(pull.as_ref(), push.as_ref()),
            Command::Forbid(forbid) => self.forbid(forbid),
            Command::Resume(selector) => self.resume(selector),
        }
    }

    fn known(&self, timed: bool) -> Known<'_> {
        Known { now: timed.then_some(self.now), ..self.catalog.known() }
    }

    fn add<R: Listed>(&mut self, raw: &R::Raw) -> Result<(), Fault> {
        let rule = R::check(raw, &self.known(true))?;
        if R::list(&mut self.catalog).get(rule.target()).is_some() {
            return Err(R::exists());
        }
        self.put(rule, raw.clone(), self.now);
        Ok(())
    }

    fn update<R: Listed>(&mut self, change: &R::Raw) -> Result<(), Fault> {
        let old = self.present::<R>(&R::selector(change))?;
        let given = R::merge(&old.given, change)?;
        let rule = R::check(&given, &self.known(R::is_timed(change)))?;
        self.put(rule, given, old.stamp.created);
        Ok(())
    }

    fn replace<R: Listed>(&mut self, raw: &R::Raw) -> Result<(), Fault> {
        let old = self.present::<R>(&R::selector(raw))?;
        let rule = R::check(raw, &self.known(true))?;
        self.put(rule, raw.clone(), old.stamp.created);
        Ok(())
    }

    fn delete<R: Listed>(&mut self, selector: &Selector) -> Result<(), Fault> {
        let old = self.present::<R>(selector)?;
        let target = old.rule.target();
        R::list(&mut self.catalog).remove(target);
        self.rows.push(Row { kind: R::KIND, key: target.to_string(), value: None });
        Ok(())
    }

    /// The template that `selector` names, if it may be changed.
    fn present<R: Listed>(&mut self, selector: &Selector) -> Result<Template<R>, Fault> {
        let target = R::select(selector, &self.known(false))?;
        let found = R::list(&mut self.catalog).get(&target).ok_or_else(R::not_found)?;
        match found.stamp.origin {
            Origin::File => Err(Fault::denied(R::exists().field.param)),
            Origin::Api => Ok(Template::clone(found)),
        }
    }

    fn put<R: Listed>(&mut self, rule: R, mut given: R::Raw, created: Wall) {
        rule.fill(&mut given);
        let old = R::list(&mut self.catalog).get(rule.target()).and_then(|old| old.rule.store().cloned());
        let new = rule.store().filter(|store| old.as_ref() != Some(store));
        self.unseen = new.filter(|store| self.catalog.storages.asks(store)).cloned();
        let stamp = Stamp { origin: Origin::Api, created, updated: self.now };
        let template = Template { rule, given, stamp };
        self.rows.push(template_row(&template));
        R::list(&mut self.catalog).put(template);
    }

    fn add_domain(&mut self, new: &NewDomain) -> Result<(), Fault> {
        let name = host(Param::DomainName, required(Param::DomainName, new.domain_name.as_ref())?)?;
        let role = match required(Param::LiveDomainType, new.live_domain_type.as_ref())? {
            "liveVideo" => Role::Streaming,
            "liveEdge" => Role::Ingest { pull: None },
            other => {
                let detail = format!("is {other:?}, not liveVideo or liveEdge");
                return Err(Fault::malformed(Param::LiveDomainType, detail));
            }
        };
        let region = required(Param::Region, new.region.as_ref())?.to_owned();
        let scope = new.scope.as_deref().filter(|scope| !scope.is_empty()).unwrap_or("domestic");
        if !["domestic", "overseas", "global"].contains(&scope) {
            let detail = format!("is {scope:?}, not domestic, overseas or global");
            return Err(Fault::malformed(Param::Scope, detail));
        }
        if self.catalog.host(&name).is_some() {
            let detail = format!("{name:?} is declared already");
            let fault =
                Fault::new("DomainAlreadyExist", "The domain already exists.", Param::DomainName, detail);
            return Err(fault.of_kind(Kind::Exists, 400));
        }
        let stamp = Stamp { origin: Origin::Api, created: self.now, updated: self.now };
        let host =
            Host { name: name.into(), role, region: Some(region), scope: Some(scope.to_owned()), stamp };
        self.rows.push(host_row(&host));
        self.catalog.domains.insert(host);
        Ok(())
    }

    fn map_domain(&mut self, pull: Option<&String>, push: Option<&String>) -> Result<(), Fault> {
        let pull = self.live_domain(Param::PullDomain, pull)?;
        let push = self.live_domain(Param::PushDomain, push)?;
        let mapped = match (&pull.role, &push.role) {
            (Role::Streaming, Role::Ingest { pull }) => pull.clone(),
            (Role::Streaming, _) => return Err(wrong_type(Param::PushDomain)),
            _ => return Err(wrong_type(Param::PullDomain)),
        };
        match mapped {
            Some(already) if already == pull.name => return Ok(()),
            Some(_) if push.stamp.origin == Origin::File => return Err(Fault::denied(Param::PushDomain)),
            Some(_) => return Err(Fault::exists(Param::PushDomain)),
            None => {}
        }
        self.catalog.domains.map(&push, &pull.name, self.now);
        if let Some(host) = self.catalog.domains.host(&push.name) {
            self.rows.push(host_row(host));
        }
        Ok(())
    }

    /// A declared domain of either sort.
    fn live_domain(&self, param: Param, name: Option<&String>) -> Result<Host, Fault> {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            let code = match param {
                Param::PushDomain => "InvalidPushDomain.Miss",
                _ => "InvalidPullDomain.Miss",
            };
            let message = format!("The specified value of parameter {param} is miss.");
            return Err(Fault::new(code, message, param, "is missing".to_owned()).of_kind(Kind::Missing, 400));
        };
        let missing = || Fault { field: param.into(), ..Fault::no_domain(name) };
        self.catalog.host(name).cloned().ok_or_else(missing)
    }

    fn forbid(&mut self, forbid: &Forbid) -> Result<(), Fault> {
        let (stream, domain) = self.stream(&forbid.stream)?;
        let until = forbid.until.unwrap_or_else(|| self.now.plus(FORBID_DEFAULT));
        if until <= self.now {
            return Err(Fault::malformed(Param::ResumeTime, "is past"));
        }
        if !forbid.once {
            self.clear_past();
            if self.catalog.is_forbidden(&stream, self.now) {
                return Err(Fault::exists(Param::StreamName));
            }
            if self.catalog.blocks(self.now).count() >= MAX_BLOCKS {
                let message = "The number of forbidden streams has reached the upper limit.";
                let detail = format!("there are {MAX_BLOCKS} already");
                let fault = Fault::new("QuotaExceeded", message, Param::StreamName, detail);
                return Err(fault.of_kind(Kind::Limit, 400));
            }
            let stamp = Stamp { origin: Origin::Api, created: self.now, updated: self.now };
            let block = Block { stream: stream.clone(), domain: domain.as_str().into(), until, stamp };
            self.rows.push(block_row(&block));
            self.catalog.blocks.put(block);
        }
        self.kick = Some(stream);
        Ok(())
    }

    fn resume(&mut self, selector: &Selector) -> Result<(), Fault> {
        let (stream, _) = self.stream(selector)?;
        self.clear_past();
        if self.catalog.blocks.remove(&stream) {
            self.rows.push(unblocked(&stream));
        }
        Ok(())
    }

    fn clear_past(&mut self) {
        let past = self.catalog.blocks.clear_past(self.now);
        self.rows.extend(past.iter().map(unblocked));
    }

    /// The stream that a command names, and the domain as it named it, in lower case.
    fn stream(&self, selector: &Selector) -> Result<(StreamId, String), Fault> {
        let domain = required(Param::DomainName, selector.domain_name.as_ref())?;
        let app = required(Param::AppName, selector.app_name.as_ref())?;
        let name = required(Param::StreamName, selector.stream_name.as_ref())?;
        let streaming = self.catalog.streaming_domain(domain).ok_or_else(|| Fault::no_domain(domain))?;
        let id = StreamId::parse(streaming, app, name).map_err(|error| {
            let param = match error.part {
                media::NamePart::Stream => Param::StreamName,
                media::NamePart::App => Param::AppName,
                media::NamePart::Domain => Param::DomainName,
            };
            Fault::malformed(param, error.fault.to_string())
        })?;
        Ok((id, domain.to_ascii_lowercase()))
    }
}

fn unblocked(stream: &StreamId) -> Row {
    Row { kind: crate::restore::BLOCK, key: stream.to_string(), value: None }
}

fn wrong_type(param: Param) -> Fault {
    let detail = "is a domain of the other sort".to_owned();
    Fault::new("DomainType.Malformed", "Your domain type is not live type.", param, detail)
}
