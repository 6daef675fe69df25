//! Snapshot templates and their notifications (reference §1; seed `000_f7078a5cb00af4b6.txt`).

use catalog::notify::{SnapshotNotifyRaw, SnapshotNotifyRule};
use catalog::snapshot::SnapshotRaw;
use catalog::{Catalog, Command, Param, SnapshotRule, Template};
use media::Wall;
use output::name::{Name, Variable};
use serde_json::{Value, json};

use super::super::{Params, Refusal};
use super::page::{CONFIGS, listed};
use super::read;

pub(super) fn add(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::AddSnapshot(raw(params)?))
}

pub(super) fn update(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::UpdateSnapshot(raw(params)?))
}

pub(super) fn delete(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::DeleteSnapshot(read::selector(params)))
}

fn raw(params: &Params) -> Result<SnapshotRaw, Refusal> {
    Ok(SnapshotRaw {
        domain_name: params.string("DomainName"),
        app_name: params.string("AppName"),
        time_interval: read::number(params, Param::TimeInterval, read::malformed)?,
        oss_endpoint: params.string("OssEndpoint"),
        oss_bucket: params.string("OssBucket"),
        overwrite_oss_object: params.string("OverwriteOssObject"),
        sequence_oss_object: params.string("SequenceOssObject"),
        callback: params.string("Callback"),
        huawei: None,
    })
}

pub(super) fn describe(params: &Params, catalog: &Catalog, _: Wall) -> Result<Value, Refusal> {
    let domain = read::streaming(params, catalog)?;
    let page = CONFIGS.read(params)?;
    let mut found = read::templates(catalog.snapshots(), domain, params);
    found.retain(|template| is_expressible(&template.rule));
    let (templates, shown) = page.cut(found);
    let items = templates.iter().map(|template| show(template)).collect();
    Ok(listed(shown.numbers_and_order(), "LiveStreamSnapshotConfigList", "LiveStreamSnapshotConfig", items))
}

/// Names that Huawei's dialect made can have variables that this one has no word for (design §11).
fn is_expressible(rule: &SnapshotRule) -> bool {
    let name = rule.sequence.as_ref();
    name.is_none_or(|name| Name::parse(name.as_str(), Variable::SEQUENCE_SNAPSHOT).is_ok())
}

fn show(template: &Template<SnapshotRule>) -> Value {
    let (rule, given) = (&template.rule, &template.given);
    json!({
        "DomainName": &*rule.target.domain,
        "AppName": rule.target.app.to_string(),
        "TimeInterval": rule.interval_s,
        "OssEndpoint": given.oss_endpoint.as_deref().unwrap_or_default(),
        "OssBucket": given.oss_bucket.as_deref().unwrap_or_default(),
        "OverwriteOssObject": given.overwrite_oss_object.as_deref().unwrap_or_default(),
        "SequenceOssObject": given.sequence_oss_object.as_deref().unwrap_or_default(),
        "Callback": given.callback.as_deref().unwrap_or_default(),
        "CreateTime": read::created(&template.stamp),
    })
}

pub(super) fn add_notify(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::AddSnapshotNotify(notify_raw(params)))
}

pub(super) fn update_notify(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::UpdateSnapshotNotify(notify_raw(params)))
}

pub(super) fn delete_notify(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::DeleteSnapshotNotify(read::selector(params)))
}

fn notify_raw(params: &Params) -> SnapshotNotifyRaw {
    SnapshotNotifyRaw {
        domain_name: params.string("DomainName"),
        notify_url: params.string("NotifyUrl"),
        notify_req_auth: params.string("NotifyReqAuth"),
        notify_auth_key: params.string("NotifyAuthKey"),
    }
}

/// A flat answer, unlike that of the recordings.
pub(super) fn describe_notify(params: &Params, catalog: &Catalog, _: Wall) -> Result<Value, Refusal> {
    let template = read::config::<SnapshotNotifyRule>(catalog.snapshot_notifies(), params, catalog)?;
    let given = &template.given;
    Ok(json!({
        "DomainName": &*template.rule.target.domain,
        "NotifyUrl": template.rule.url,
        "NotifyReqAuth": given.notify_req_auth.as_deref().unwrap_or("no"),
        "NotifyAuthKey": given.notify_auth_key.as_deref().unwrap_or_default(),
    }))
}
