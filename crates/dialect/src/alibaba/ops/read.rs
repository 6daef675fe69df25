//! What the parameters of several operations have in common.

use std::sync::Arc;

use catalog::{Catalog, Fault, Param, Pattern, Rule, Rules, Selector, Stamp, Template};

use super::super::{Params, Refusal};

/// The names that say which config or stream is meant.
pub(super) fn selector(params: &Params) -> Selector {
    Selector {
        domain_name: params.string("DomainName"),
        app_name: params.string("AppName"),
        stream_name: params.string("StreamName"),
    }
}

/// A number of a template; text that is none is a fault of the template's family.
pub(super) fn number(
    params: &Params,
    param: Param,
    fault: fn(Param, String) -> Fault,
) -> Result<Option<i64>, Fault> {
    params.integer(param.name()).map_err(|not| fault(param, not.to_string()))
}

/// A truth value of a template, the same way.
pub(super) fn truth(
    params: &Params,
    param: Param,
    fault: fn(Param, String) -> Fault,
) -> Result<Option<bool>, Fault> {
    params.boolean(param.name()).map_err(|not| fault(param, not.to_string()))
}

/// `Invalid….Malformed`, the fault of most families.
pub(super) fn malformed(param: Param, detail: String) -> Fault {
    Fault::malformed(param, detail)
}

/// One of `words`, whatever its case; the first when there is none.
pub(super) fn word(
    params: &Params,
    name: &'static str,
    words: &[&'static str],
) -> Result<&'static str, Refusal> {
    let Some(text) = params.text(name) else { return Ok(words.first().copied().unwrap_or_default()) };
    let mut words = words.iter().copied();
    words.find(|word| word.eq_ignore_ascii_case(text)).ok_or_else(|| Refusal::malformed(name))
}

/// DomainName: a name that is there.
pub(super) fn domain_name(params: &Params) -> Result<&str, Refusal> {
    params.text("DomainName").ok_or_else(|| Refusal::missing("DomainName"))
}

/// DomainName as the streaming domain that it is or leads to.
pub(super) fn streaming<'a>(params: &Params, catalog: &'a Catalog) -> Result<&'a str, Refusal> {
    let name = domain_name(params)?;
    catalog.streaming_domain(name).ok_or_else(Refusal::no_domain)
}

/// The templates of `domain` that AppName and StreamName of `params` leave, oldest first. A name that is absent
/// leaves all; `*` leaves what is kept under `*` (reference §1.5).
pub(super) fn templates<R: Rule>(rules: &Rules<R>, domain: &str, params: &Params) -> Vec<Arc<Template<R>>> {
    let is = |pattern: &Pattern, name: &str| {
        params.text(name).is_none_or(|text| match pattern {
            Pattern::Any => text == "*",
            Pattern::Name(pattern) => **pattern == *text,
        })
    };
    let of_domain = rules.all().filter(|template| {
        let target = template.rule.target();
        *target.domain == *domain && is(&target.app, "AppName") && is(&target.stream, "StreamName")
    });
    let mut found: Vec<_> = of_domain.cloned().collect();
    found.sort_by_key(|template| template.stamp.created);
    found
}

/// The one config of the domain that `params` name.
pub(super) fn config<R: Rule>(
    rules: &Rules<R>,
    params: &Params,
    catalog: &Catalog,
) -> Result<Arc<Template<R>>, Fault> {
    let target = R::select(&selector(params), &catalog.known())?;
    rules.get(&target).cloned().ok_or_else(R::not_found)
}

/// When something was made, as the wire writes it.
pub(super) fn created(stamp: &Stamp) -> String {
    catalog::record::show_moment(stamp.created)
}
