//! Packaging templates (reference §3; seed `004_0006f455261b9fff.txt`). Their faults have codes of their own.

use catalog::package::{PackageRaw, fault, invalid};
use catalog::{Catalog, Command, Fault, PackageRule, Param, Template};
use media::Wall;
use serde_json::{Value, json};

use super::super::{Params, Refusal};
use super::page::{CONFIGS, Paging, listed};
use super::read;

/// The same pages as of other configs, refused in this family's words.
const PAGES: Paging = Paging { malformed, ..CONFIGS };

pub(super) fn add(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::AddPackage(raw(params)?))
}

pub(super) fn update(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::UpdatePackage(raw(params)?))
}

pub(super) fn delete(params: &Params) -> Result<Command, Refusal> {
    Ok(Command::DeletePackage(read::selector(params)))
}

fn raw(params: &Params) -> Result<PackageRaw, Refusal> {
    let bad = |param, detail| -> Fault { fault(invalid(param), param, detail) };
    Ok(PackageRaw {
        domain_name: params.string("DomainName"),
        app_name: params.string("AppName"),
        stream_name: params.string("StreamName"),
        protocol: params.string("Protocol"),
        segment_num: read::number(params, Param::SegmentNum, bad)?,
        segment_duration: read::number(params, Param::SegmentDuration, bad)?,
        part_duration: read::number(params, Param::PartDuration, bad)?,
        ignore_transcode: read::truth(params, Param::IgnoreTranscode, bad)?,
        ..PackageRaw::default()
    })
}

pub(super) fn describe(params: &Params, catalog: &Catalog, _: Wall) -> Result<Value, Refusal> {
    if params.text("DomainName").is_none() {
        return Err(fault("MissingParam", Param::DomainName, "is missing".to_owned()).into());
    }
    let domain = read::streaming(params, catalog)?;
    let page = PAGES.read(params)?;
    let (templates, shown) = page.cut(read::templates(catalog.packages(), domain, params));
    let items = templates.iter().map(|template| show(template)).collect();
    Ok(listed(shown.numbers_and_order(), "LivePackageConfigList", "LivePackageConfig", items))
}

fn malformed(name: &'static str) -> Refusal {
    Refusal::new(400, "InvalidParams", format!("{name} is not valid, please check and try again later."))
}

fn show(template: &Template<PackageRule>) -> Value {
    let rule = &template.rule;
    let mut shown = json!({
        "DomainName": &*rule.target.domain,
        "AppName": rule.target.app.to_string(),
        "StreamName": rule.target.stream.to_string(),
        "Protocol": rule.protocol.word(),
        "SegmentNum": rule.segment_num,
        "SegmentDuration": rule.segment_duration_s,
        "IgnoreTranscode": rule.ignore_transcode,
    });
    // Absent where the protocol has no parts.
    if let (Some(fields), Some(part)) = (shown.as_object_mut(), rule.part_duration_ms) {
        fields.insert("PartDuration".to_owned(), part.into());
    }
    shown
}
