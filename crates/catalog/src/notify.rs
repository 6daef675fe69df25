//! Where to tell of recordings and snapshots: one config per domain (reference api-alibaba-live §1.8, §2.5).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::fault::Kind;
use crate::target::{domain, required};
use crate::{Fault, Known, Param, Rule, Selector, Target};

/// Longest NotifyUrl in characters.
pub const MAX_URL: usize = 500;
/// Length of NotifyAuthKey.
pub const AUTH_KEY: std::ops::RangeInclusive<usize> = 16..=32;

/// AddLiveRecordNotifyConfig as it was written.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordNotifyRaw {
    /// DomainName, required.
    pub domain_name: Option<String>,
    /// NotifyUrl, required: an http or https URL.
    pub notify_url: Option<String>,
    /// NeedStatusNotify: tell of starts, pauses and failures, too. Default false.
    pub need_status_notify: Option<bool>,
    /// OnDemandUrl: whom to ask under OnDemand 1.
    pub on_demand_url: Option<String>,
    /// NotifyReqAuth: sign. Default false.
    pub notify_req_auth: Option<bool>,
    /// NotifyAuthKey: 16 to 32 letters and digits.
    pub notify_auth_key: Option<String>,
}

/// AddLiveSnapshotNotifyConfig as it was written.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SnapshotNotifyRaw {
    /// DomainName, required.
    pub domain_name: Option<String>,
    /// NotifyUrl, required.
    pub notify_url: Option<String>,
    /// NotifyReqAuth: `yes` or `no` (default).
    pub notify_req_auth: Option<String>,
    /// NotifyAuthKey: 16 to 32 letters and digits, required with `yes`.
    pub notify_auth_key: Option<String>,
}

impl fmt::Debug for RecordNotifyRaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(f, Self { notify_auth_key: masked(&self.notify_auth_key), ..self.clone() })
    }
}

impl fmt::Debug for SnapshotNotifyRaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(f, Self { notify_auth_key: masked(&self.notify_auth_key), ..self.clone() })
    }
}

/// In place of a key that nobody should see in a log.
pub(crate) fn masked(key: &Option<String>) -> Option<String> {
    key.as_ref().map(|_| "***".to_owned())
}

pub(crate) fn write_masked(f: &mut fmt::Formatter<'_>, masked: impl Serialize) -> fmt::Result {
    f.write_str(&serde_json::to_string(&masked).map_err(|_| fmt::Error)?)
}

/// A valid recording notification.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordNotifyRule {
    /// The whole domain.
    pub target: Target,
    /// Whom to tell.
    pub url: String,
    /// Whether to tell of starts, pauses and failures, too.
    pub status: bool,
    /// Whom to ask under OnDemand 1.
    pub on_demand_url: Option<String>,
    /// Key to sign with; `None`: unsigned.
    pub auth_key: Option<String>,
}

/// A valid snapshot notification.
#[derive(Clone, PartialEq, Eq)]
pub struct SnapshotNotifyRule {
    /// The whole domain.
    pub target: Target,
    /// Whom to tell.
    pub url: String,
    /// Key to sign with; `None`: unsigned.
    pub auth_key: Option<String>,
}

impl fmt::Debug for RecordNotifyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, url, status, on_demand_url, auth_key } = self;
        let signed = auth_key.is_some();
        write!(f, "RecordNotify({target}, {url:?}, {status}, {on_demand_url:?}, signed {signed})")
    }
}

impl fmt::Debug for SnapshotNotifyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, url, auth_key } = self;
        write!(f, "SnapshotNotify({target}, {url:?}, signed {})", auth_key.is_some())
    }
}

impl Rule for RecordNotifyRule {
    type Raw = RecordNotifyRaw;
    const KIND: &'static str = "record_notify";

    fn check(raw: &RecordNotifyRaw, known: &Known<'_>) -> Result<Self, Fault> {
        let target = Target::of_domain(domain(raw.domain_name.as_ref(), known)?);
        let url = public_url(Param::NotifyUrl, required(Param::NotifyUrl, raw.notify_url.as_ref())?, known)?;
        let on_demand_url = given(raw.on_demand_url.as_ref());
        let on_demand_url =
            on_demand_url.map(|url| public_url(Param::OnDemandUrl, url, known)).transpose()?;
        let key = given(raw.notify_auth_key.as_ref());
        if key.is_some_and(|key| !is_auth_key(key)) {
            return Err(Fault::malformed(Param::NotifyAuthKey, not_a_key()));
        }
        let signed = raw.notify_req_auth.unwrap_or(false);
        if signed && key.is_none() {
            return Err(Fault::missing(Param::NotifyAuthKey));
        }
        let auth_key = key.filter(|_| signed).map(str::to_owned);
        let status = raw.need_status_notify.unwrap_or(false);
        Ok(Self { target, url, status, on_demand_url, auth_key })
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn fill(&self, given: &mut RecordNotifyRaw) {
        given.domain_name = Some(self.target.domain.to_string());
        given.need_status_notify = Some(self.status);
        given.notify_req_auth = Some(self.auth_key.is_some());
    }

    fn select(selector: &Selector, known: &Known<'_>) -> Result<Target, Fault> {
        Ok(Target::of_domain(domain(selector.domain_name.as_ref(), known)?))
    }

    fn selector(raw: &RecordNotifyRaw) -> Selector {
        Selector { domain_name: raw.domain_name.clone(), ..Selector::default() }
    }

    fn merge(old: &RecordNotifyRaw, change: &RecordNotifyRaw) -> Result<RecordNotifyRaw, Fault> {
        Ok(RecordNotifyRaw {
            domain_name: old.domain_name.clone(),
            notify_url: newer(&change.notify_url, &old.notify_url),
            need_status_notify: change.need_status_notify.or(old.need_status_notify),
            on_demand_url: newer(&change.on_demand_url, &old.on_demand_url),
            notify_req_auth: change.notify_req_auth.or(old.notify_req_auth),
            notify_auth_key: newer(&change.notify_auth_key, &old.notify_auth_key),
        })
    }

    fn exists() -> Fault {
        Fault::exists(Param::DomainName)
    }

    fn not_found() -> Fault {
        Fault::no_config(404)
    }
}

impl Rule for SnapshotNotifyRule {
    type Raw = SnapshotNotifyRaw;
    const KIND: &'static str = "snapshot_notify";

    fn check(raw: &SnapshotNotifyRaw, known: &Known<'_>) -> Result<Self, Fault> {
        let target = Self::select(&Self::selector(raw), known)?;
        let url = required(Param::NotifyUrl, raw.notify_url.as_ref()).map_err(in_snapshot_words)?;
        let url = public_url(Param::NotifyUrl, url, known).map_err(in_snapshot_words)?;
        let signed = match given(raw.notify_req_auth.as_ref()) {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("no") => false,
            Some(text) if text.eq_ignore_ascii_case("yes") => true,
            Some(text) => {
                let fault = Fault::malformed(Param::NotifyReqAuth, format!("is {text:?}, not yes or no"));
                return Err(in_snapshot_words(fault));
            }
        };
        let key = given(raw.notify_auth_key.as_ref());
        if key.is_some_and(|key| !is_auth_key(key)) {
            return Err(in_snapshot_words(Fault::malformed(Param::NotifyAuthKey, not_a_key())));
        }
        if signed && key.is_none() {
            return Err(in_snapshot_words(Fault::missing(Param::NotifyAuthKey)));
        }
        Ok(Self { target, url, auth_key: key.filter(|_| signed).map(str::to_owned) })
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn fill(&self, given: &mut SnapshotNotifyRaw) {
        given.domain_name = Some(self.target.domain.to_string());
        given.notify_req_auth = Some(if self.auth_key.is_some() { "yes" } else { "no" }.to_owned());
    }

    fn select(selector: &Selector, known: &Known<'_>) -> Result<Target, Fault> {
        domain(selector.domain_name.as_ref(), known).map(Target::of_domain).map_err(in_snapshot_words)
    }

    fn selector(raw: &SnapshotNotifyRaw) -> Selector {
        Selector { domain_name: raw.domain_name.clone(), ..Selector::default() }
    }

    fn merge(old: &SnapshotNotifyRaw, change: &SnapshotNotifyRaw) -> Result<SnapshotNotifyRaw, Fault> {
        Ok(SnapshotNotifyRaw {
            domain_name: old.domain_name.clone(),
            notify_url: newer(&change.notify_url, &old.notify_url),
            notify_req_auth: newer(&change.notify_req_auth, &old.notify_req_auth),
            notify_auth_key: newer(&change.notify_auth_key, &old.notify_auth_key),
        })
    }

    fn exists() -> Fault {
        Fault::exists(Param::DomainName).of_kind(Kind::Exists, 409)
    }

    fn not_found() -> Fault {
        let message = "The specified config does not exist.";
        let detail = "the domain has no snapshot notification".to_owned();
        Fault::new("ConfigNotFound", message, Param::DomainName, detail).of_kind(Kind::NotFound, 404)
    }
}

/// The codes of the snapshot notifications: `MissingParam` and `MalformedParam` (reference §1.8).
fn in_snapshot_words(fault: Fault) -> Fault {
    let (code, verb) = match fault.kind {
        Kind::Missing => ("MissingParam", "mandatory for this action"),
        Kind::Malformed => ("MalformedParam", "not valid"),
        _ => return fault,
    };
    let message = match fault.kind {
        Kind::Missing => format!("{} is {verb}.", fault.field),
        _ => format!("Specified parameter {} is {verb}.", fault.field),
    };
    Fault { code, message, ..fault }
}

fn newer(change: &Option<String>, old: &Option<String>) -> Option<String> {
    given(change.as_ref()).map(str::to_owned).or_else(|| old.clone())
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn is_auth_key(key: &str) -> bool {
    AUTH_KEY.contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn not_a_key() -> String {
    format!("is not {} to {} letters and digits", AUTH_KEY.start(), AUTH_KEY.end())
}

/// A web address that may be called.
fn public_url(param: Param, url: &str, known: &Known<'_>) -> Result<String, Fault> {
    if url.chars().count() > MAX_URL {
        return Err(Fault::malformed(param, format!("has more than {MAX_URL} characters")));
    }
    if !crate::target::is_web_address(url) {
        return Err(Fault::malformed(param, format!("{url:?} is no http or https URL")));
    }
    if known.options.deny_private_callbacks && is_private(url) {
        let message = format!("Specified {param} is unsafe.");
        let detail = "is a private address, and callbacks.deny_private is set".to_owned();
        return Err(Fault::new("InvalidNotifyUrl.Unsafe", message, param, detail));
    }
    Ok(url.to_owned())
}

/// Whether the URL says itself that it does not leave this network. Names are looked up when they are called.
fn is_private(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    if host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost") {
        return true;
    }
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_private_v4(address),
        Ok(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped().is_some_and(is_private_v4);
            mapped
                || address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
        Err(_) => false,
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    address.is_private() || address.is_loopback() || address.is_link_local() || address.is_unspecified()
}
