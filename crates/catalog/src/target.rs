use std::fmt;
use std::sync::Arc;

use media::{StreamId, Wall};

use crate::domain::Domains;
use crate::{Fault, Options, Param, Storages};

/// What a template is checked against: what else is declared.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub(crate) domains: &'a Domains,
    /// The storages.
    pub storages: &'a Storages,
    /// The server's choices.
    pub options: &'a Options,
    /// The moment, for StartTime and EndTime of a request. `None` for the config file: what was right when it
    /// was written does not become wrong because time passes.
    pub now: Option<Wall>,
}

/// A name, or any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// `*`
    Any,
    /// Exactly this name.
    Name(Arc<str>),
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, media::NameFault> {
        if text == "*" {
            return Ok(Self::Any);
        }
        // The charset of app and stream names is one: the stream's place will do for both.
        match StreamId::parse("x", "x", text) {
            Ok(id) => Ok(Self::Name(id.stream().into())),
            Err(error) => Err(error.fault),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Which streams a template is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Streaming domain.
    pub domain: Arc<str>,
    /// App name or `*`.
    pub app: Pattern,
    /// Stream name or `*`.
    pub stream: Pattern,
}

impl Target {
    /// Every stream of `domain`.
    pub fn of_domain(domain: Arc<str>) -> Self {
        Self { domain, app: Pattern::Any, stream: Pattern::Any }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.domain, self.app, self.stream)
    }
}

/// A required text: present and not empty.
pub(crate) fn required(param: Param, value: Option<&String>) -> Result<&str, Fault> {
    value.map(String::as_str).filter(|text| !text.is_empty()).ok_or_else(|| Fault::missing(param))
}

/// DomainName: one of the declared streaming domains.
pub(crate) fn domain(value: Option<&String>, known: &Known<'_>) -> Result<Arc<str>, Fault> {
    let name = required(Param::DomainName, value)?;
    known.domains.streaming(name).map(|domain| domain.name.clone()).ok_or_else(|| Fault::no_domain(name))
}

/// AppName or StreamName: required.
pub(crate) fn pattern(param: Param, value: Option<&String>) -> Result<Pattern, Fault> {
    let text = required(param, value)?;
    Pattern::parse(text).map_err(|fault| Fault::malformed(param, fault.to_string()))
}

/// Whether `url` is one that can be called: http or https, with a host.
pub(crate) fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    url.chars().all(|c| c.is_ascii_graphic()) && !rest.is_empty() && !rest.starts_with('/')
}
