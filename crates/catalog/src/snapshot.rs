//! Snapshot templates (seed `000_f7078a5cb00af4b6.txt`, AddLiveAppSnapshotConfig).

use std::ops::RangeInclusive;
use std::sync::Arc;

use output::Bucket;
use output::name::{Name, Variable};
use output::snapshot::{Naming, Settings};

use crate::fault::number;
use crate::target::{domain, pattern};
use crate::{Fault, Known, Param, Pattern, Target};

/// TimeInterval in seconds.
pub const TIME_INTERVAL: RangeInclusive<u32> = 5..=3600;

/// A template as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
        Ok(Self {
            target: Target { domain, app, stream: Pattern::Any },
            interval_s,
            store,
            overwrite: overwrite.as_deref().map(overwrite_name).transpose()?,
            sequence: sequence.as_deref().map(sequence_name).transpose()?,
            callback: given(&raw.callback).map(callback).transpose()?,
        })
    }

    /// Name of the counter behind `{Sequence}`: one per template and stream (design §11).
    fn counter(&self) -> Arc<str> {
        format!("snapshot/{}/{}", self.target.domain, self.target.app).into()
    }

    pub(crate) fn settings(&self) -> impl Iterator<Item = Settings> {
        let overwrite = self.overwrite.clone().map(Naming::Overwrite);
        let sequence = self.sequence.clone().map(Naming::Sequence);
        overwrite.into_iter().chain(sequence).map(|naming| Settings {
            store: self.store.clone(),
            interval_s: self.interval_s,
            naming,
            counter: self.counter(),
        })
    }

    /// What this template asks for that this version does not do.
    pub(crate) fn unavailable(&self) -> Vec<String> {
        let callback = self.callback.as_ref();
        callback.map(|_| "a snapshot callback is not available yet".to_owned()).into_iter().collect()
    }
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

fn sequence_name(text: &str) -> Result<Name, Fault> {
    let param = Param::SequenceOssObject;
    let name = picture_name(param, text, Variable::SEQUENCE_SNAPSHOT)?;
    match name.contains(Variable::UnixTimestamp) || name.contains(Variable::Sequence) {
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
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let plain = url.chars().all(|c| c.is_ascii_graphic());
    match plain && !rest.is_empty() && !rest.starts_with('/') {
        true => Ok(url),
        false => Err(Fault::malformed(Param::Callback, format!("{url:?} is no http or https URL"))),
    }
}
