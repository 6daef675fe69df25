//! Storing a live stream for a CDN: `put_oss_*` of a packaging template in the config file. No cloud has it.

use output::name::{Name, Variable};
use output::package::Put;

use super::{PackageRaw, Protocol, fault, invalid, missing_param};
use crate::fault::Kind;
use crate::{Fault, Known, Param, Pattern, Target};

/// What keys begin with when the template does not say it.
const PREFIX_DEFAULT: &str = "{AppName}/";

/// What a template says of it.
pub(super) fn check(
    raw: &PackageRaw,
    target: &Target,
    protocol: Protocol,
    known: &Known<'_>,
) -> Result<Option<Put>, Fault> {
    let (endpoint, bucket) = (raw.put_oss_endpoint.as_ref(), raw.put_oss_bucket.as_ref());
    if endpoint.is_none() && bucket.is_none() && raw.put_oss_prefix.is_none() {
        return Ok(None);
    }
    if protocol.is_low_latency() {
        let detail =
            format!("is for protocols without parts, {protocol} has them: no store keeps up with parts");
        return Err(wrong(Param::PutOssBucket, detail));
    }
    let store = known.storages.bucket(endpoint, bucket).map_err(of_put)?;
    let prefix = raw.put_oss_prefix.as_deref().unwrap_or(PREFIX_DEFAULT);
    let name = name(prefix)?;
    if target.app == Pattern::Any && !name.contains(Variable::AppName) {
        let detail = format!("lacks {}: the template is for streams of any app", Variable::AppName);
        return Err(wrong(Param::PutOssPrefix, detail));
    }
    Ok(Some(Put { store, name }))
}

/// The key of a stream under `prefix`.
fn name(prefix: &str) -> Result<Name, Fault> {
    // The playlists refer to a folder of the stream's name beside them.
    if !prefix.is_empty() && !prefix.ends_with('/') {
        return Err(wrong(Param::PutOssPrefix, "does not end in /".to_owned()));
    }
    Name::parse(&format!("{prefix}{}", Variable::StreamName), Variable::LIVE_PUT)
        .map_err(|error| wrong(Param::PutOssPrefix, error.to_string()))
}

/// A fault of a storage's parameter, said of ours.
fn of_put(general: Fault) -> Fault {
    let param = match general.field.param {
        Param::OssEndpoint => Param::PutOssEndpoint,
        _ => Param::PutOssBucket,
    };
    match general.kind {
        Kind::Missing => missing_param(Fault::missing(param)),
        _ => wrong(param, general.detail),
    }
}

fn wrong(param: Param, detail: String) -> Fault {
    fault(invalid(param), param, detail)
}
