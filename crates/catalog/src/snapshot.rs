//! Snapshot templates (seed `000_f7078a5cb00af4b6.txt`, AddLiveAppSnapshotConfig).

mod huawei;

use std::ops::RangeInclusive;
use std::sync::Arc;

use output::Bucket;
use output::name::{Name, Variable};
use output::snapshot::{Naming, Settings};

use serde::{Deserialize, Serialize};

pub use huawei::{HuaweiSnapshotRaw, huawei_view};

use crate::fault::number;
use crate::target::{domain, is_web_address, pattern};
use crate::{Fault, Known, Options, Param, Pattern, Rule, Selector, Target};

pub(crate) use huawei::adopt;

/// TimeInterval in seconds.
pub const TIME_INTERVAL: RangeInclusive<u32> = 5..=3600;

/// A template as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SnapshotRaw {
    /// DomainName, required.
    pub domain_name: Option<String>,
    /// AppName or `*`, required.
    pub app_name: Option<String>,
    /// TimeInterval in seconds, required.
    pub time_interval: Option<i64>,
    /// OssEndpoint, required.
    pub oss_endpoint: Option<String>,
    /// OssBucket, required.
    pub oss_bucket: Option<String>,
    /// OverwriteOssObject: this or the next.
    pub overwrite_oss_object: Option<String>,
    /// SequenceOssObject.
    pub sequence_oss_object: Option<String>,
    /// Callback: an http or https URL.
    pub callback: Option<String>,
    /// The template in Huawei's words, when it was made there.
    pub huawei: Option<HuaweiSnapshotRaw>,
}

/// A valid template.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotRule {
    /// Which streams; the stream is always any.
    pub target: Target,
    /// Seconds between captures.
    pub interval_s: u32,
    /// Where pictures go.
    pub store: Bucket,
    /// OverwriteOssObject.
    pub overwrite: Option<Name>,
    /// SequenceOssObject; at least one of the two is there.
    pub sequence: Option<Name>,
    /// Whom to tell of each picture.
    pub callback: Option<String>,
    /// Huawei's snapshot_mode, when it asks for other frames than key frames.
    pub mode: Option<String>,
}

impl SnapshotRule {
    /// Checks a template.
    ///
    /// # Errors
    /// The first fault, in the order of the seed's parameters.
    pub fn check(raw: &SnapshotRaw, known: &Known<'_>) -> Result<Self, Fault> {
        let domain = domain(raw.domain_name.as_ref(), known)?;
        let app = pattern(Param::AppName, raw.app_name.as_ref())?;
        let interval_s = match raw.time_interval {
            None => return Err(Fault::missing(Param::TimeInterval)),
            given => number(Param::TimeInterval, given, 0, TIME_INTERVAL)?,
        };
        let store = known.storages.bucket(raw.oss_endpoint.as_ref(), raw.oss_bucket.as_ref())?;
        let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let (overwrite, sequence) = (given(&raw.overwrite_oss_object), given(&raw.sequence_oss_object));
        check_one_of(overwrite.is_some(), sequence.is_some(), known)?;
        let variables = match raw.huawei.is_some() {
            true => Variable::HUAWEI_SNAPSHOT,
            false => Variable::SEQUENCE_SNAPSHOT,
        };
        Ok(Self {
            target: Target { domain, app, stream: Pattern::Any },
            interval_s,
            store,
            overwrite: overwrite.as_deref().map(overwrite_name).transpose()?,
            sequence: sequence.as_deref().map(|name| sequence_name(name, variables)).transpose()?,
            callback: given(&raw.callback).map(callback).transpose()?,
            mode: raw.huawei.as_ref().and_then(HuaweiSnapshotRaw::other_mode),
        })
    }

    /// Name of the counter behind `{Sequence}`: one per template and stream (design §11).
    fn counter(&self) -> Arc<str> {
        format!("snapshot/{}/{}", self.target.domain, self.target.app).into()
    }

    pub(crate) fn settings(&self, options: &Options) -> impl Iterator<Item = Settings> {
        let overwrite = self.overwrite.clone().map(Naming::Overwrite);
        let sequence = self.sequence.clone().map(Naming::Sequence);
        overwrite.into_iter().chain(sequence).map(move |naming| Settings {
            store: self.store.clone(),
            interval_s: self.interval_s,
            naming,
            counter: self.counter(),
            utc_offset: options.record_name_utc_offset,
        })
    }
}

impl Rule for SnapshotRule {
    type Raw = SnapshotRaw;
    const KIND: &'static str = "snapshot";

    fn check(raw: &SnapshotRaw, known: &Known<'_>) -> Result<Self, Fault> {
        Self::check(raw, known)
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn store(&self) -> Option<&Bucket> {
        Some(&self.store)
    }

    fn fill(&self, given: &mut SnapshotRaw) {
        given.domain_name = Some(self.target.domain.to_string());
        let empty = |text: &Option<String>| text.as_ref().is_some_and(String::is_empty);
        for text in [&mut given.overwrite_oss_object, &mut given.sequence_oss_object, &mut given.callback] {
            if empty(text) {
                *text = None;
            }
        }
    }

    fn select(selector: &Selector, known: &Known<'_>) -> Result<Target, Fault> {
        let domain = domain(selector.domain_name.as_ref(), known)?;
        let app = pattern(Param::AppName, selector.app_name.as_ref())?;
        Ok(Target { domain, app, stream: Pattern::Any })
    }

    fn selector(raw: &SnapshotRaw) -> Selector {
        let (domain_name, app_name) = (raw.domain_name.clone(), raw.app_name.clone());
        Selector { domain_name, app_name, stream_name: None }
    }

    fn merge(old: &SnapshotRaw, change: &SnapshotRaw) -> Result<SnapshotRaw, Fault> {
        let mut merged = SnapshotRaw {
            domain_name: old.domain_name.clone(),
            app_name: old.app_name.clone(),
            time_interval: change.time_interval.or(old.time_interval),
            oss_endpoint: newer(&change.oss_endpoint, &old.oss_endpoint),
            oss_bucket: newer(&change.oss_bucket, &old.oss_bucket),
            overwrite_oss_object: newer_name(&change.overwrite_oss_object, &old.overwrite_oss_object),
            sequence_oss_object: newer_name(&change.sequence_oss_object, &old.sequence_oss_object),
            callback: newer(&change.callback, &old.callback),
            huawei: None,
        };
        merged.huawei = huawei::follow(old, &merged);
        Ok(merged)
    }

    fn unavailable(&self) -> Vec<String> {
        let mode = self
            .mode
            .as_ref()
            .map(|mode| format!("snapshot_mode {mode} is not available yet: key frames are taken"));
        mode.into_iter().collect()
    }

    fn exists() -> Fault {
        Fault::exists(Param::AppName)
    }

    fn not_found() -> Fault {
        Fault::no_config(400)
    }
}

/// Of a change: removes the name (reference §1.3).
const REMOVED: &str = "-";

fn newer(change: &Option<String>, old: &Option<String>) -> Option<String> {
    change.clone().filter(|text| !text.is_empty()).or_else(|| old.clone())
}

fn newer_name(change: &Option<String>, old: &Option<String>) -> Option<String> {
    newer(change, old).filter(|name| name != REMOVED)
}

fn check_one_of(overwrite: bool, sequence: bool, known: &Known<'_>) -> Result<(), Fault> {
    let detail = match (overwrite, sequence) {
        (true, true) if !known.options.snapshot_both_names => {
            "only one of OverwriteOssObject and SequenceOssObject can be given"
        }
        (false, false) => "one of OverwriteOssObject and SequenceOssObject must be given",
        _ => return Ok(()),
    };
    let param = if sequence { Param::SequenceOssObject } else { Param::OverwriteOssObject };
    Err(Fault::new(
        "InvalidOverwriteOssObjectOrSequenceOssObject.Malformed",
        "Specified paramters OverwriteOssObject or SequenceOssObject should have one.",
        param,
        detail.to_owned(),
    ))
}

fn overwrite_name(text: &str) -> Result<Name, Fault> {
    picture_name(Param::OverwriteOssObject, text, Variable::OVERWRITE_SNAPSHOT)
}

fn sequence_name(text: &str, variables: &[Variable]) -> Result<Name, Fault> {
    let param = Param::SequenceOssObject;
    let name = picture_name(param, text, variables)?;
    match Variable::TELLS_PICTURES_APART.iter().any(|variable| name.contains(*variable)) {
        true => Ok(name),
        false => Err(Fault::malformed(param, "needs {UnixTimestamp} or {Sequence}")),
    }
}

fn picture_name(param: Param, text: &str, variables: &[Variable]) -> Result<Name, Fault> {
    let name = Name::parse(text, variables).map_err(|error| Fault::malformed(param, error.to_string()))?;
    let stem = text.len().saturating_sub(".jpg".len());
    match text.get(stem..).is_some_and(|end| end.eq_ignore_ascii_case(".jpg")) {
        true => Ok(name),
        false => Err(Fault::malformed(param, "does not end in .jpg: only JPG images are supported")),
    }
}

fn callback(url: String) -> Result<String, Fault> {
    match is_web_address(&url) {
        true => Ok(url),
        false => Err(Fault::malformed(Param::Callback, format!("{url:?} is no http or https URL"))),
    }
}
