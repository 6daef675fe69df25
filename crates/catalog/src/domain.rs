use std::sync::Arc;

use media::{NameError, StreamId};

use crate::target::required;
use crate::{Catalog, Fault, Param};

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

    fn serves(&self, host: &str) -> bool {
        *self.name == *host || self.ingest.iter().any(|name| name == host)
    }
}

fn host(param: Param, name: &str) -> Result<String, Fault> {
    match StreamId::parse(name, "x", "x") {
        Ok(id) => Ok(id.domain().to_owned()),
        Err(error) => Err(Fault::malformed(param, format!("{name:?} {}", error.fault))),
    }
}

/// All domains: no host leads to two of them, and at most one serves the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Domains(Vec<Domain>);

impl Domains {
    /// Takes what is right; the faults name the index of what is not.
    pub(crate) fn declare(raw: &[DomainRaw]) -> (Self, Vec<(usize, Fault)>) {
        let (mut domains, mut faults) = (Self::default(), Vec::new());
        for (index, raw) in raw.iter().enumerate() {
            match Domain::check(raw).and_then(|domain| domains.check_free(domain)) {
                Ok(domain) => domains.0.push(domain),
                Err(fault) => faults.push((index, fault)),
            }
        }
        (domains, faults)
    }

    fn check_free(&self, domain: Domain) -> Result<Domain, Fault> {
        let hosts = std::iter::once((Param::Name, &*domain.name))
            .chain(domain.ingest.iter().map(|name| (Param::Ingest, name.as_str())));
        for (param, host) in hosts {
            if let Some(other) = self.0.iter().find(|other| other.serves(host)) {
                let detail = format!("{host:?} already leads to domain {:?}", other.name());
                return Err(Fault::malformed(param, detail));
            }
        }
        match self.0.iter().find(|other| other.default && domain.default) {
            Some(other) => {
                let detail = format!("{:?} is the default domain already", other.name());
                Err(Fault::malformed(Param::Default, detail))
            }
            None => Ok(domain),
        }
    }

    pub(crate) fn all(&self) -> &[Domain] {
        &self.0
    }

    /// The domain whose streaming name is `name`.
    pub(crate) fn streaming(&self, name: &str) -> Option<&Domain> {
        self.0.iter().find(|domain| domain.name.eq_ignore_ascii_case(name))
    }

    /// The domain that `host` leads to, or the default one.
    fn of(&self, host: Option<&str>) -> Option<&Domain> {
        let host = host.map(without_port).unwrap_or_default().to_ascii_lowercase();
        let named = self.0.iter().find(|domain| domain.serves(&host));
        named.or_else(|| self.0.iter().find(|domain| domain.default))
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
