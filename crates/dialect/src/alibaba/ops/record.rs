//! Recording templates and their notifications (reference §2; seed `001_b4cfd81d467542c8.txt`).

use catalog::notify::{RecordNotifyRaw, RecordNotifyRule};
use catalog::record::{FormatRaw, RecordRaw};
use catalog::{Catalog, Command, Param, RecordRule, Template};
use media::Wall;
use serde_json::{Value, json};

use super::super::{Params, Refusal};
use super::page::{CONFIGS, listed};
use super::read;

pub(super) fn add(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::AddRecord(raw(params)?))
}

pub(super) fn update(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::UpdateRecord(raw(params)?))
}

pub(super) fn delete(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::DeleteRecord(read::selector(params)))
}

fn raw(params: &Params) -> Result<RecordRaw, Refusal> {
    Ok(RecordRaw {
        domain_name: params.string("DomainName"),
        app_name: params.string("AppName"),
        stream_name: params.string("StreamName"),
        oss_endpoint: params.string("OssEndpoint"),
        oss_bucket: params.string("OssBucket"),
        start_time: params.string("StartTime"),
        end_time: params.string("EndTime"),
        on_demand: read::number(params, Param::OnDemand, read::malformed)?,
        delay_time: read::number(params, Param::DelayTime, read::malformed)?,
        record_format: formats(params, "RecordFormat")?,
        transcode_record_format: formats(params, "TranscodeRecordFormat")?,
        transcode_templates: params.strings("TranscodeTemplates"),
        retention_days: None,
    })
}

fn formats(params: &Params, list: &str) -> Result<Vec<FormatRaw>, Refusal> {
    params.items(list).iter().map(format).collect()
}

fn format(item: &Params) -> Result<FormatRaw, Refusal> {
    Ok(FormatRaw {
        format: item.string("Format"),
        slice_duration: read::number(item, Param::SliceDuration, read::malformed)?,
        slice_oss_object_prefix: item.string("SliceOssObjectPrefix"),
        cycle_duration: read::number(item, Param::CycleDuration, read::malformed)?,
        oss_object_prefix: item.string("OssObjectPrefix"),
    })
}

pub(super) fn describe(params: &Params, catalog: &Catalog, _: Wall) -> Result<Value, Refusal> {
    let domain = read::streaming(params, catalog)?;
    let page = CONFIGS.read(params)?;
    let (templates, shown) = page.cut(read::templates(catalog.records(), domain, params));
    let items = templates.iter().map(|template| show(template)).collect();
    Ok(listed(shown.numbers_and_order(), "LiveAppRecordList", "LiveAppRecord", items))
}

fn show(template: &Template<RecordRule>) -> Value {
    let (rule, given) = (&template.rule, &template.given);
    json!({
        "DomainName": &*rule.target.domain,
        "AppName": rule.target.app.to_string(),
        "StreamName": given.stream_name.as_deref().unwrap_or_default(),
        "OssEndpoint": given.oss_endpoint.as_deref().unwrap_or_default(),
        "OssBucket": given.oss_bucket.as_deref().unwrap_or_default(),
        "CreateTime": read::created(&template.stamp),
        "StartTime": given.start_time.as_deref().unwrap_or_default(),
        "EndTime": given.end_time.as_deref().unwrap_or_default(),
        // The cloud's spelling.
        "OnDemond": rule.on_demand.number(),
        "DelayTime": rule.delay_s,
        "RecordFormatList": { "RecordFormat": shown(&given.record_format) },
        "TranscodeRecordFormatList": { "RecordFormat": shown(&given.transcode_record_format) },
        "TranscodeTemplates": { "Templates": given.transcode_templates },
    })
}

fn shown(formats: &[FormatRaw]) -> Vec<Value> {
    formats.iter().map(show_format).collect()
}

/// A number that has no meaning for the container is absent.
fn show_format(format: &FormatRaw) -> Value {
    let text = |text: &Option<String>| json!(text.as_deref().unwrap_or_default());
    let fields = [
        ("Format", text(&format.format)),
        ("OssObjectPrefix", text(&format.oss_object_prefix)),
        ("SliceOssObjectPrefix", text(&format.slice_oss_object_prefix)),
        ("SliceDuration", json!(format.slice_duration)),
        ("CycleDuration", json!(format.cycle_duration)),
    ];
    let given = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) fn add_notify(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::AddRecordNotify(notify_raw(params)?))
}

pub(super) fn update_notify(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::UpdateRecordNotify(notify_raw(params)?))
}

pub(super) fn delete_notify(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::DeleteRecordNotify(read::selector(params)))
}

fn notify_raw(params: &Params) -> Result<RecordNotifyRaw, Refusal> {
    Ok(RecordNotifyRaw {
        domain_name: params.string("DomainName"),
        notify_url: params.string("NotifyUrl"),
        need_status_notify: read::truth(params, Param::NeedStatusNotify, read::malformed)?,
        on_demand_url: params.string("OnDemandUrl"),
        notify_req_auth: req_auth(params)?,
        notify_auth_key: params.string("NotifyAuthKey"),
    })
}

/// NotifyReqAuth: a truth value here, and `yes` or `no` in the sibling of the snapshots and in some documentation.
fn req_auth(params: &Params) -> Result<Option<bool>, Refusal> {
    match params.text("NotifyReqAuth") {
        Some(text) if text.eq_ignore_ascii_case("yes") => Ok(Some(true)),
        Some(text) if text.eq_ignore_ascii_case("no") => Ok(Some(false)),
        _ => Ok(read::truth(params, Param::NotifyReqAuth, read::malformed)?),
    }
}

pub(super) fn describe_notify(params: &Params, catalog: &Catalog, _: Wall) -> Result<Value, Refusal> {
    let template = read::config::<RecordNotifyRule>(catalog.record_notifies(), params, catalog)?;
    let (rule, given) = (&template.rule, &template.given);
    Ok(json!({ "LiveRecordNotifyConfig": {
        "DomainName": &*rule.target.domain,
        "NotifyUrl": rule.url,
        "NeedStatusNotify": rule.status,
        "OnDemandUrl": rule.on_demand_url.as_deref().unwrap_or_default(),
        "NotifyReqAuth": given.notify_req_auth.unwrap_or(false),
        "NotifyAuthKey": given.notify_auth_key.as_deref().unwrap_or_default(),
    } }))
}
