use std::ops::RangeInclusive;

use catalog::snapshot::{HuaweiSnapshotRaw, huawei_view};
use catalog::{Catalog, Fault, Param, Selector};
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::http::Request;
use crate::percent;

/// Characters of domain.
const DOMAIN: RangeInclusive<usize> = 1..=255;
/// Characters of app_name.
const APP: RangeInclusive<usize> = 1..=128;
/// Templates on a page.
const LIMIT: RangeInclusive<u64> = 1..=100;
/// Of limit.
const DEFAULT_LIMIT: u64 = 10;

/// The query of ListSnapshotConfigs (seed, table 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// An ingest or streaming domain; its templates are listed.
    pub domain: String,
    /// Only this app's; `*` is the template for any app.
    pub app_name: Option<String>,
    /// Templates on a page.
    pub limit: u64,
    /// Which page, from 0 (design §11).
    pub offset: u64,
}

impl ListQuery {
    pub(super) fn read(request: &Request) -> Result<Self, Refusal> {
        let query = Query::of(request);
        Ok(Self {
            domain: query.required("domain", &DOMAIN)?,
            app_name: query.text("app_name", &APP)?,
            limit: query.number("limit", DEFAULT_LIMIT, *LIMIT.start(), *LIMIT.end())?,
            offset: query.number("offset", 0, 0, u64::MAX)?,
        })
    }

    /// The JSON of the page.
    pub(super) fn list(&self, catalog: &Catalog) -> Vec<u8> {
        let domain = catalog.streaming_domain(&self.domain);
        let matching: Vec<HuaweiSnapshotRaw> = catalog
            .snapshots()
            .all()
            .filter(|template| Some(&*template.rule.target.domain) == domain)
            .filter(|template| {
                let app = template.rule.target.app.to_string();
                self.app_name.as_ref().is_none_or(|wanted| *wanted == app)
            })
            .filter_map(|template| huawei_view(template))
            .collect();
        let first = usize::try_from(self.offset.saturating_mul(self.limit)).unwrap_or(usize::MAX);
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let list = List {
            total: matching.len(),
            offset: self.offset,
            limit: self.limit,
            snapshot_config_list: matching.into_iter().skip(first).take(limit).map(Config::from).collect(),
        };
        // Texts and numbers cannot fail to become JSON.
        serde_json::to_vec(&list).unwrap_or_default()
    }
}

/// The body of CreateSnapshotConfig and UpdateSnapshotConfig.
pub(super) fn read(request: &Request) -> Result<HuaweiSnapshotRaw, Refusal> {
    let kind = request.header("content-type").unwrap_or("application/json");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::media_type());
    }
    let config: Config =
        serde_json::from_slice(&request.body).map_err(|error| Refusal::illegal(format!("body: {error}")))?;
    Ok(config.into())
}

/// The query of DeleteSnapshotConfig.
pub(super) fn selector(request: &Request) -> Result<Selector, Refusal> {
    let query = Query::of(request);
    Ok(Selector {
        domain_name: Some(query.required("domain", &DOMAIN)?),
        app_name: Some(query.required("app_name", &APP)?),
        stream_name: None,
    })
}

#[derive(Serialize)]
struct List {
    total: usize,
    offset: u64,
    limit: u64,
    snapshot_config_list: Vec<Config>,
}

/// LiveSnapshotConfig (seed, table 5).
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_interval: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_write_mode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    obs_location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_back_enable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_back_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_object_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_access_protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_access_domain: Option<String>,
}

/// ObsFileAddr (seed, table 6).
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
}

impl From<Config> for HuaweiSnapshotRaw {
    fn from(config: Config) -> Self {
        let Location { bucket, location, object } = config.obs_location.unwrap_or_default();
        Self {
            domain: config.domain,
            app_name: config.app_name,
            auth_key: config.auth_key,
            time_interval: config.time_interval,
            object_write_mode: config.object_write_mode,
            snapshot_mode: config.snapshot_mode,
            bucket,
            location,
            object,
            call_back_enable: config.call_back_enable,
            call_back_url: config.call_back_url,
            image_object_format: config.image_object_format,
            image_access_protocol: config.image_access_protocol,
            image_access_domain: config.image_access_domain,
        }
    }
}

impl From<HuaweiSnapshotRaw> for Config {
    fn from(raw: HuaweiSnapshotRaw) -> Self {
        let HuaweiSnapshotRaw { bucket, location, object, .. } = raw;
        Self {
            domain: raw.domain,
            app_name: raw.app_name,
            auth_key: raw.auth_key,
            time_interval: raw.time_interval,
            object_write_mode: raw.object_write_mode,
            snapshot_mode: raw.snapshot_mode,
            obs_location: Some(Location { bucket, location, object }),
            call_back_enable: raw.call_back_enable,
            call_back_url: raw.call_back_url,
            image_object_format: raw.image_object_format,
            image_access_protocol: raw.image_access_protocol,
            image_access_domain: raw.image_access_domain,
        }
    }
}

/// Parameters of a query.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(request: &Request) -> Self {
        Self(percent::pairs(&request.query).collect())
    }

    /// The value of `name`; an empty one counts as absent.
    fn given(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str, length: &RangeInclusive<usize>) -> Result<Option<String>, Refusal> {
        match self.given(name) {
            Some(value) if !length.contains(&value.chars().count()) => {
                let (low, high) = (length.start(), length.end());
                Err(Refusal::illegal(format!("{name} must have {low} to {high} characters")))
            }
            value => Ok(value.map(str::to_owned)),
        }
    }

    fn required(&self, name: &str, length: &RangeInclusive<usize>) -> Result<String, Refusal> {
        self.text(name, length)?.ok_or_else(|| Refusal::illegal(format!("{name} is missing")))
    }

    fn number(&self, name: &str, default: u64, low: u64, high: u64) -> Result<u64, Refusal> {
        let Some(text) = self.given(name) else { return Ok(default) };
        text.parse().ok().filter(|value| (low..=high).contains(value)).ok_or_else(|| {
            let wanted = if high == u64::MAX { format!("{low} or more") } else { format!("{low} to {high}") };
            Refusal::illegal(format!("{name} is {text:?}, not {wanted}"))
        })
    }
}

/// What is wrong, with the parameter in this API's words.
pub(super) fn explain(fault: &Fault) -> String {
    let name = match fault.field.param {
        Param::DomainName => "domain",
        Param::AppName => "app_name",
        Param::TimeInterval => "time_interval",
        Param::OssEndpoint => "obs_location.location",
        Param::OssBucket => "obs_location.bucket",
        Param::Object => "obs_location.object",
        Param::ObsLocation => "obs_location",
        Param::AuthKey => "auth_key",
        Param::ObjectWriteMode => "object_write_mode",
        Param::SnapshotMode => "snapshot_mode",
        Param::OverwriteOssObject | Param::SequenceOssObject | Param::ImageObjectFormat => {
            "image_object_format"
        }
        Param::CallBackEnable => "call_back_enable",
        Param::Callback | Param::CallBackUrl => "call_back_url",
        Param::ImageAccessProtocol => "image_access_protocol",
        Param::ImageAccessDomain => "image_access_domain",
        other => other.name(),
    };
    format!("{name}: {}", fault.detail)
}
