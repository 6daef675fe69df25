//! Domains and their mapping (reference §6).

use catalog::{Catalog, Command, Host, NewDomain, Role};
use media::Wall;
use serde_json::{Value, json};

use super::super::{Params, Refusal};
use super::page::{DOMAINS, listed};
use super::read;

pub(super) fn add(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::AddDomain(NewDomain {
        domain_name: params.string("DomainName"),
        live_domain_type: params.string("LiveDomainType"),
        region: params.string("Region"),
        scope: params.string("Scope"),
    }))
}

pub(super) fn map(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::MapDomain { pull: params.string("PullDomain"), push: params.string("PushDomain") })
}

pub(super) fn list(params: &Params, catalog: &Catalog, _: Wall) -> Result<Value, Refusal> {
    let words = ["fuzzy_match", "pre_match", "suf_match", "full_match"];
    let search = read::word(params, "DomainSearchType", &words)?;
    let status = read::word(params, "DomainStatus", &["online", "offline", "configuring"])?;
    let page = DOMAINS.read(params)?;
    let text = params.text("DomainName").unwrap_or_default().to_ascii_lowercase();
    let named = |name: &str| match search {
        _ if text.is_empty() => true,
        "pre_match" => name.starts_with(&text),
        "suf_match" => name.ends_with(&text),
        "full_match" => name == text,
        _ => name.contains(&text),
    };
    let is = |name: &str, value: &str| params.text(name).is_none_or(|wanted| wanted == value);
    let mut found: Vec<_> = catalog
        .hosts()
        .filter(|host| status == "online" && named(&host.name))
        .filter(|host| is("LiveDomainType", kind(host)) && is("RegionName", region(host)))
        .collect();
    found.sort_by_key(|host| host.stamp.created);
    let (found, shown) = page.cut(found);
    let items = found.into_iter().map(show).collect();
    Ok(listed(shown.counts(), "Domains", "PageData", items))
}

fn show(host: &Host) -> Value {
    json!({
        "DomainName": &*host.name,
        "Cname": "",
        "Description": "",
        "GmtCreated": read::created(&host.stamp),
        "GmtModified": catalog::record::show_moment(host.stamp.updated),
        "LiveDomainStatus": "online",
        "LiveDomainType": kind(host),
        "RegionName": region(host),
        "ResourceGroupId": "",
    })
}

pub(super) fn detail(params: &Params, catalog: &Catalog, _: Wall) -> Result<Value, Refusal> {
    let host = catalog.host(read::domain_name(params)?).ok_or_else(Refusal::no_domain)?;
    Ok(json!({ "DomainDetail": {
        "DomainName": &*host.name,
        "Cname": "",
        "CertName": "",
        "Description": "",
        "DomainStatus": "online",
        "GmtCreated": read::created(&host.stamp),
        "GmtModified": catalog::record::show_moment(host.stamp.updated),
        "LiveDomainType": kind(host),
        "Region": region(host),
        "ResourceGroupId": "",
        "SSLProtocol": "off",
        "SSLPub": "",
        "Scope": host.scope.as_deref().unwrap_or("domestic"),
    } }))
}

fn kind(host: &Host) -> &'static str {
    match host.role {
        Role::Streaming => "liveVideo",
        Role::Ingest { .. } => "liveEdge",
    }
}

fn region(host: &Host) -> &str {
    host.region.as_deref().unwrap_or_default()
}
