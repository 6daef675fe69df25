use std::net::IpAddr;
use std::str::FromStr as _;

use chrono::DateTime;

use super::glob::matches;
use super::{Circumstances, StatementFault};

/// One key of a Condition element: the request's value, compared with each of `values`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    operator: &'static Operator,
    key: Key,
    values: Vec<String>,
}

/// The common condition keys (`wire.md` §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    CurrentTime,
    SecureTransport,
    SourceIp,
    MfaPresent,
    PrincipalArn,
}

const KEYS: &[(&str, Key)] = &[
    ("acs:CurrentTime", Key::CurrentTime),
    ("acs:SecureTransport", Key::SecureTransport),
    ("acs:SourceIp", Key::SourceIp),
    ("acs:MFAPresent", Key::MfaPresent),
    ("acs:PrincipalARN", Key::PrincipalArn),
];

/// How a request's value is compared with a policy's. `None` when one of them is not of the operator's type.
type Compare = fn(request: &str, policy: &str) -> Option<bool>;

struct Operator {
    name: &'static str,
    compare: Compare,
    /// Holds when the comparison holds for none of the values; else when it holds for one.
    negated: bool,
}

impl PartialEq for Operator {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn is(name: &'static str, compare: Compare) -> Operator {
    Operator { name, compare, negated: false }
}

const fn is_not(name: &'static str, compare: Compare) -> Operator {
    Operator { name, compare, negated: true }
}

static OPERATORS: &[Operator] = &[
    is("StringEquals", |a, b| Some(a == b)),
    is_not("StringNotEquals", |a, b| Some(a == b)),
    is("StringEqualsIgnoreCase", |a, b| Some(a.eq_ignore_ascii_case(b))),
    is_not("StringNotEqualsIgnoreCase", |a, b| Some(a.eq_ignore_ascii_case(b))),
    is("StringLike", |a, b| Some(matches(b, a))),
    is_not("StringNotLike", |a, b| Some(matches(b, a))),
    is("NumericEquals", |a, b| numbers(a, b).map(|(a, b)| a == b)),
    is_not("NumericNotEquals", |a, b| numbers(a, b).map(|(a, b)| a == b)),
    is("NumericLessThan", |a, b| numbers(a, b).map(|(a, b)| a < b)),
    is("NumericLessThanEquals", |a, b| numbers(a, b).map(|(a, b)| a <= b)),
    is("NumericGreaterThan", |a, b| numbers(a, b).map(|(a, b)| a > b)),
    is("NumericGreaterThanEquals", |a, b| numbers(a, b).map(|(a, b)| a >= b)),
    is("DateEquals", |a, b| dates(a, b).map(|(a, b)| a == b)),
    is_not("DateNotEquals", |a, b| dates(a, b).map(|(a, b)| a == b)),
    is("DateLessThan", |a, b| dates(a, b).map(|(a, b)| a < b)),
    is("DateLessThanEquals", |a, b| dates(a, b).map(|(a, b)| a <= b)),
    is("DateGreaterThan", |a, b| dates(a, b).map(|(a, b)| a > b)),
    is("DateGreaterThanEquals", |a, b| dates(a, b).map(|(a, b)| a >= b)),
    is("Bool", |a, b| Some(boolean(a)? == boolean(b)?)),
    is("IpAddress", in_network),
    is_not("NotIpAddress", in_network),
];

impl Condition {
    pub(super) fn read(operator: &str, key: &str, values: Vec<String>) -> Result<Self, StatementFault> {
        let operator = OPERATORS
            .iter()
            .find(|known| known.name == operator)
            .ok_or_else(|| StatementFault::Operator(operator.to_owned()))?;
        let (_, key) = KEYS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .ok_or_else(|| StatementFault::Key(key.to_owned()))?;
        if values.is_empty() {
            return Err(StatementFault::Empty("Condition"));
        }
        let sample = key.sample();
        if let Some(value) = values.iter().find(|value| (operator.compare)(sample, value).is_none()) {
            return Err(StatementFault::Value { operator: operator.name, value: value.clone() });
        }
        Ok(Self { operator, key: *key, values })
    }

    pub(super) fn holds(&self, circumstances: &Circumstances) -> bool {
        let request = self.key.value(circumstances);
        let any = self.values.iter().any(|value| (self.operator.compare)(&request, value) == Some(true));
        any != self.operator.negated
    }
}

impl Key {
    fn value(self, circumstances: &Circumstances) -> String {
        match self {
            Self::CurrentTime => {
                let at = DateTime::from_timestamp(circumstances.now.unix_seconds(), 0).unwrap_or_default();
                at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
            }
            Self::SecureTransport => circumstances.secure.to_string(),
            Self::SourceIp => circumstances.source.to_canonical().to_string(),
            // No key of ours is used with a second factor.
            Self::MfaPresent => "false".to_owned(),
            Self::PrincipalArn => circumstances.principal.clone(),
        }
    }

    /// A value such as a request has: what an operator cannot compare with it, it can never compare.
    fn sample(self) -> &'static str {
        match self {
            Self::CurrentTime => "2026-11-20T08:00:00Z",
            Self::SecureTransport | Self::MfaPresent => "true",
            Self::SourceIp => "192.0.2.1",
            Self::PrincipalArn => "acs:ram::1:user/x",
        }
    }
}

fn numbers(a: &str, b: &str) -> Option<(f64, f64)> {
    Some((a.parse().ok()?, b.parse().ok()?))
}

fn dates(a: &str, b: &str) -> Option<(i64, i64)> {
    Some((date(a)?, date(b)?))
}

/// ISO 8601 with seconds or without, in UTC or with an offset; microseconds since 1970.
fn date(text: &str) -> Option<i64> {
    let whole = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%#z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%#z"));
    Some(whole.ok()?.timestamp_micros())
}

fn boolean(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

/// Whether an address is the policy's, or in its network `address/bits`.
fn in_network(address: &str, network: &str) -> Option<bool> {
    let address = IpAddr::from_str(address).ok()?;
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => (base, Some(bits.parse::<u32>().ok()?)),
        None => (network, None),
    };
    match (address, IpAddr::from_str(base).ok()?) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let host = 32_u32.checked_sub(bits.unwrap_or(32))?;
            Some(u32::from(address).checked_shr(host) == u32::from(base).checked_shr(host))
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let host = 128_u32.checked_sub(bits.unwrap_or(128))?;
            Some(u128::from(address).checked_shr(host) == u128::from(base).checked_shr(host))
        }
        (_, base) => bits.is_none_or(|bits| bits <= if base.is_ipv4() { 32 } else { 128 }).then_some(false),
    }
}
