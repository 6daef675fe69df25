use std::sync::Arc;

use media::{NameError, StreamId, Wall};
use rpds::RedBlackTreeMapSync;

use crate::target::required;
use crate::{Catalog, Fault, Origin, Param, Stamp};

/// A `[[domain]]` as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainRaw {
    /// Streaming domain.
    pub name: Option<String>,
    /// Hosts that encoders push to.
    pub ingest: Vec<String>,
    /// Whether it serves every host that is nobody's.
    pub default: bool,
    /// `refuse` (default) or `take-over`.
    pub second_publisher: Option<String>,
}

/// A streaming domain and the hosts that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    pub(crate) name: Arc<str>,
    ingest: Vec<String>,
    default: bool,
    second_publisher: SecondPublisher,
}

/// What becomes of a publisher whose stream is already live (design §7, rule 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondPublisher {
    /// It is refused while the first one still sends; a silent one is replaced.
    #[default]
    Refuse,
    /// It replaces the first.
    TakeOver,
}

impl Domain {
    /// The streaming domain, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hosts that encoders push to, in lower case.
    pub fn ingest(&self) -> &[String] {
        &self.ingest
    }

    /// Whether it serves every host that is nobody's.
    pub fn is_default(&self) -> bool {
        self.default
    }

    /// What becomes of a second publisher.
    pub fn second_publisher(&self) -> SecondPublisher {
        self.second_publisher
    }

    fn check(raw: &DomainRaw) -> Result<Self, Fault> {
        let name = host(Param::Name, required(Param::Name, raw.name.as_ref())?)?;
        let ingest = raw.ingest.iter().map(|name| host(Param::Ingest, name)).collect::<Result<_, _>>()?;
        let second_publisher = match raw.second_publisher.as_deref() {
            None | Some("refuse") => SecondPublisher::Refuse,
            Some("take-over") => SecondPublisher::TakeOver,
            Some(other) => {
                let detail = format!("is {other:?}, not \"refuse\" or \"take-over\"");
                return Err(Fault::malformed(Param::SecondPublisher, detail));
            }
        };
        Ok(Self { name: name.into(), ingest, default: raw.default, second_publisher })
    }
}

/// A host name, in lower case.
pub(crate) fn host(param: Param, name: &str) -> Result<String, Fault> {
    match StreamId::parse(name, "x", "x") {
        Ok(id) => Ok(id.domain().to_owned()),
        Err(error) => Err(Fault::malformed(param, format!("{name:?} {}", error.fault))),
    }
}

/// A name that hosts of URLs have, of either sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name, in lower case.
    pub name: Arc<str>,
    /// What it is for.
    pub role: Role,
    /// Region as given to AddLiveDomain.
    pub region: Option<String>,
    /// Scope as given to AddLiveDomain.
    pub scope: Option<String>,
    /// Who declared it, and when.
    pub stamp: Stamp,
}

/// What a host is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// LiveDomainType `liveVideo`: players, templates.
    Streaming,
    /// LiveDomainType `liveEdge`: encoders.
    Ingest {
        /// The streaming domain that it is mapped to.
        pull: Option<Arc<str>>,
    },
}

/// All domains: no host leads to two of them, and at most one serves the rest. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Domains {
    streaming: Arc<Vec<Domain>>,
    hosts: RedBlackTreeMapSync<Arc<str>, Host>,
}

impl Default for Domains {
    fn default() -> Self {
        Self { streaming: Arc::default(), hosts: RedBlackTreeMapSync::new_sync() }
    }
}

impl Domains {
    /// Takes what is right; the faults name the index of what is not.
    pub(crate) fn declare(raw: &[DomainRaw], at: Wall) -> (Self, Vec<(usize, Fault)>) {
        let (mut domains, mut faults) = (Self::default(), Vec::new());
        let stamp = Stamp { origin: Origin::File, created: at, updated: at };
        for (index, raw) in raw.iter().enumerate() {
            match Domain::check(raw).and_then(|domain| domains.check_free(domain)) {
                Ok(domain) => domains.add(domain, stamp),
                Err(fault) => faults.push((index, fault)),
            }
        }
        (domains, faults)
    }

    fn add(&mut self, domain: Domain, stamp: Stamp) {
        let host = |name: Arc<str>, role| Host { name, role, region: None, scope: None, stamp };
        let pull = domain.name.clone();
        for name in &domain.ingest {
            self.put(host(name.as_str().into(), Role::Ingest { pull: Some(pull.clone()) }));
        }
        self.put(host(pull, Role::Streaming));
        Arc::make_mut(&mut self.streaming).push(domain);
    }

    fn put(&mut self, host: Host) {
        self.hosts.insert_mut(host.name.clone(), host);
    }

    /// Adds what a command declared. The name must be free.
    pub(crate) fn insert(&mut self, host: Host) {
        if host.role == Role::Streaming {
            let (name, second_publisher) = (host.name.clone(), SecondPublisher::default());
            let domain = Domain { name, ingest: Vec::new(), default: false, second_publisher };
            Arc::make_mut(&mut self.streaming).push(domain);
        }
        self.put(host);
    }

    /// Maps the ingest domain `push` to the streaming domain `pull`; both are there.
    pub(crate) fn map(&mut self, push: &Host, pull: &Arc<str>, updated: Wall) {
        let stamp = Stamp { updated, ..push.stamp };
        self.put(Host { role: Role::Ingest { pull: Some(pull.clone()) }, stamp, ..push.clone() });
        for domain in Arc::make_mut(&mut self.streaming) {
            domain.ingest.retain(|name| **name != *push.name);
            if domain.name == *pull {
                domain.ingest.push(push.name.to_string());
            }
        }
    }

    fn check_free(&self, domain: Domain) -> Result<Domain, Fault> {
        let hosts = std::iter::once((Param::Name, &*domain.name))
            .chain(domain.ingest.iter().map(|name| (Param::Ingest, name.as_str())));
        for (param, host) in hosts {
            if let Some(other) = self.leading_to(host) {
                let detail = format!("{host:?} already leads to domain {other:?}");
                return Err(Fault::malformed(param, detail));
            }
        }
        match self.streaming.iter().find(|other| other.default && domain.default) {
            Some(other) => {
                let detail = format!("{:?} is the default domain already", other.name());
                Err(Fault::malformed(Param::Default, detail))
            }
            None => Ok(domain),
        }
    }

    pub(crate) fn all(&self) -> &[Domain] {
        &self.streaming
    }

    /// Every name, in order.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values()
    }

    /// The host called `name`, whatever its role.
    pub(crate) fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.get(name.to_ascii_lowercase().as_str())
    }

    /// The streaming domain that `name` is or is mapped to.
    pub(crate) fn leading_to(&self, name: &str) -> Option<&Arc<str>> {
        let host = self.host(name)?;
        match &host.role {
            Role::Streaming => Some(&host.name),
            Role::Ingest { pull } => pull.as_ref(),
        }
    }

    /// The domain whose streaming name is `name`.
    pub(crate) fn streaming(&self, name: &str) -> Option<&Domain> {
        let host = self.host(name).filter(|host| host.role == Role::Streaming)?;
        self.streaming.iter().find(|domain| domain.name == host.name)
    }

    /// The domain that `host` leads to, or the default one.
    fn of(&self, host: Option<&str>) -> Option<&Domain> {
        let named = self.leading_to(host.map(without_port).unwrap_or_default());
        match named {
            Some(name) => self.streaming.iter().find(|domain| domain.name == *name),
            None => self.streaming.iter().find(|domain| domain.default),
        }
    }
}

/// `host` without its port and without the dot that ends a fully qualified name.
fn without_port(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// Why a publish or a play names no stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unnamed {
    /// The host leads to no domain and there is no default one.
    #[error("no domain serves host {0:?}")]
    NoDomain(String),
    /// App or stream name that no stream can have.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Catalog {
    /// The domain that `host` leads to: a streaming or ingest domain, with or without a port; for any other
    /// host, and for none, the default domain if there is one.
    pub fn domain_of(&self, host: Option<&str>) -> Option<&Domain> {
        self.domains.of(host)
    }

    /// The stream that `host`, `app` and `stream` name.
    ///
    /// # Errors
    /// [`Unnamed`] says what is wrong with them.
    pub fn stream_id(&self, host: Option<&str>, app: &str, stream: &str) -> Result<StreamId, Unnamed> {
        let no_domain = || Unnamed::NoDomain(host.unwrap_or_default().to_owned());
        let domain = self.domain_of(host).ok_or_else(no_domain)?;
        Ok(StreamId::parse(domain.name(), app, stream)?)
    }
}
