use std::fmt;
use std::net::Ipv6Addr;
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

/// Whether `url` is one that can be called: http or https, with a host, and a port that there can be (RFC 3986 §3.2).
pub(crate) fn is_web_address(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (is_host, port) = match place.strip_prefix('[').and_then(|place| place.split_once(']')) {
        Some((address, port)) => (address.parse::<Ipv6Addr>().is_ok(), port),
        None => {
            let (name, port) = place.split_at(place.find(':').unwrap_or(place.len()));
            (is_host_name(name), port)
        }
    };
    is_host && is_port(port) && url.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\`".contains(c))
}

fn is_host_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// What follows a host: nothing, or `:` and a number, which may be missing.
fn is_port(text: &str) -> bool {
    let Some(number) = text.strip_prefix(':') else { return text.is_empty() };
    number.is_empty() || number.parse::<u16>().is_ok_and(|port| port > 0 && !number.starts_with('+'))
}
