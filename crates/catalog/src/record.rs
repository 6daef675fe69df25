//! Recording templates (seed `001_b4cfd81d467542c8.txt`, AddLiveAppRecordConfig).

mod format;
mod window;

use std::ops::RangeInclusive;

use output::{Bucket, Spec, record};
use serde::{Deserialize, Serialize};

pub use format::{Container, FormatRaw, FormatRule};
pub use window::{Window, show_moment};

pub(crate) use window::moment;

use crate::fault::number;
use crate::target::{domain, pattern, required};
use crate::{Fault, Known, Options, Param, Pattern, Publish, Rule, Selector, Target};

/// DelayTime in seconds.
pub const DELAY_TIME: RangeInclusive<u32> = 15..=21_600;
/// DelayTime when absent.
pub const DELAY_TIME_DEFAULT: u32 = 180;
/// Days after which recordings may be deleted: a century is for ever.
pub const RETENTION_DAYS: RangeInclusive<u32> = 1..=36_500;
/// TranscodeTemplates at most.
const MAX_TEMPLATES: usize = 10;

/// A template as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordRaw {
    /// DomainName, required.
    pub domain_name: Option<String>,
    /// AppName or `*`, required.
    pub app_name: Option<String>,
    /// StreamName; absent or empty is `*`.
    pub stream_name: Option<String>,
    /// OssEndpoint, required.
    pub oss_endpoint: Option<String>,
    /// OssBucket, required.
    pub oss_bucket: Option<String>,
    /// StartTime, `yyyy-MM-ddTHH:mm:ssZ`.
    pub start_time: Option<String>,
    /// EndTime, `yyyy-MM-ddTHH:mm:ssZ`.
    pub end_time: Option<String>,
    /// OnDemand: 0, 1, 2 or 7.
    pub on_demand: Option<i64>,
    /// DelayTime in seconds.
    pub delay_time: Option<i64>,
    /// RecordFormat.N
    pub record_format: Vec<FormatRaw>,
    /// TranscodeRecordFormat.N
    pub transcode_record_format: Vec<FormatRaw>,
    /// TranscodeTemplates.N
    pub transcode_templates: Vec<String>,
    /// Days after which what was recorded is deleted; absent: never. Of the config file: no cloud has it.
    pub retention_days: Option<i64>,
}

/// A valid template.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRule {
    /// Which streams.
    pub target: Target,
    /// Where recordings go.
    pub store: Bucket,
    /// When to record at all; stream-level templates only.
    pub window: Option<Window>,
    /// What starts a recording.
    pub on_demand: OnDemand,
    /// Seconds that a publisher may be away within one recording.
    pub delay_s: u32,
    /// What is made of the stream, each container at most once.
    pub formats: Vec<FormatRule>,
    /// What is made of its renditions.
    pub transcode_formats: Vec<FormatRule>,
    /// Which renditions; `*****` is all.
    pub transcode_templates: Vec<String>,
    /// Days after which what was recorded is deleted; `None`: never.
    pub retention_days: Option<u32>,
}

/// What starts a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDemand {
    /// 0: the publish.
    #[default]
    Automatic,
    /// 1: the answer of the operator's OnDemandUrl.
    Callback,
    /// 2: the publish, if its argument `record` says so.
    Arguments,
    /// 7: a command.
    Manual,
}

impl OnDemand {
    /// The seed's number.
    pub fn number(self) -> u8 {
        match self {
            Self::Automatic => 0,
            Self::Callback => 1,
            Self::Arguments => 2,
            Self::Manual => 7,
        }
    }

    fn check(value: Option<i64>) -> Result<Self, Fault> {
        match value {
            None | Some(0) => Ok(Self::Automatic),
            Some(1) => Ok(Self::Callback),
            Some(2) => Ok(Self::Arguments),
            Some(7) => Ok(Self::Manual),
            Some(other) => Err(Fault::malformed(Param::OnDemand, format!("is {other}, not 0, 1, 2 or 7"))),
        }
    }
}

impl RecordRule {
    /// Checks a template.
    ///
    /// # Errors
    /// The first fault, in the order of the seed's parameters.
    pub fn check(raw: &RecordRaw, known: &Known<'_>) -> Result<Self, Fault> {
        let target = Self::select(&Self::selector(raw), known)?;
        let store = known.storages.bucket(raw.oss_endpoint.as_ref(), raw.oss_bucket.as_ref())?;
        let (start, end) = (raw.start_time.as_deref(), raw.end_time.as_deref());
        let window = match target.stream {
            Pattern::Name(_) => Window::check(start, end, known.now)?,
            // Valid for stream-level recording only (seed); elsewhere ignored (design §11), so long as they are times.
            Pattern::Any => {
                moment(Param::StartTime, start)?;
                moment(Param::EndTime, end)?;
                None
            }
        };
        check_templates(raw)?;
        Ok(Self {
            window,
            target,
            store,
            on_demand: OnDemand::check(raw.on_demand)?,
            delay_s: number(Param::DelayTime, raw.delay_time, DELAY_TIME_DEFAULT, DELAY_TIME)?,
            formats: format::check_all(Param::RecordFormat, &raw.record_format)?,
            transcode_formats: format::check_all(Param::TranscodeRecordFormat, &raw.transcode_record_format)?,
            transcode_templates: raw.transcode_templates.clone(),
            retention_days: retention_days(raw)?,
        })
    }

    /// What is recorded of `publish`, and what should be but cannot. `asks`: its domain has an OnDemandUrl.
    pub(crate) fn resolve(
        &self,
        publish: &Publish,
        asks: bool,
        options: &Options,
    ) -> (Vec<Spec>, Vec<String>) {
        let mut warnings = self.unavailable();
        let start = match self.on_demand {
            OnDemand::Automatic => Some(record::Start::Publish),
            OnDemand::Callback if asks => Some(record::Start::Answer),
            OnDemand::Callback => {
                warnings
                    .push("OnDemand 1 without an OnDemandUrl of its domain: nothing is recorded".to_owned());
                None
            }
            OnDemand::Manual => Some(record::Start::Command),
            OnDemand::Arguments => match asks_for_recording(publish) {
                Ok(wanted) => wanted.then_some(record::Start::Publish),
                Err(value) => {
                    warnings
                        .push(format!("publish argument record={value:?} is not yes, no, on, off, 1 or 0"));
                    None
                }
            },
        };
        let specs = start.map(|start| self.formats.iter().map(move |it| self.spec(it, start, options)));
        (specs.into_iter().flatten().collect(), warnings)
    }

    fn spec(&self, format: &FormatRule, start: record::Start, options: &Options) -> Spec {
        Spec::Record(record::Settings {
            slice: format.slice.clone(),
            cycle_duration_s: format.cycle_s,
            delay_s: self.delay_s,
            utc_offset: options.record_name_utc_offset,
            start,
            not_before: self.window.and_then(|window| window.start),
            not_after: self.window.and_then(|window| window.end),
            retention_days: self.retention_days,
            ..record::Settings::new(format.container, self.store.clone(), format.name.clone())
        })
    }
}

impl Rule for RecordRule {
    type Raw = RecordRaw;
    const KIND: &'static str = "record";

    fn check(raw: &RecordRaw, known: &Known<'_>) -> Result<Self, Fault> {
        Self::check(raw, known)
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn store(&self) -> Option<&Bucket> {
        Some(&self.store)
    }

    fn fill(&self, given: &mut RecordRaw) {
        given.domain_name = Some(self.target.domain.to_string());
        given.stream_name = Some(self.target.stream.to_string());
        given.on_demand = Some(self.on_demand.number().into());
        given.delay_time = Some(self.delay_s.into());
        for text in [&mut given.start_time, &mut given.end_time] {
            if text.as_ref().is_some_and(String::is_empty) {
                *text = None;
            }
        }
        format::fill_all(&self.formats, &mut given.record_format);
        format::fill_all(&self.transcode_formats, &mut given.transcode_record_format);
    }

    fn select(selector: &Selector, known: &Known<'_>) -> Result<Target, Fault> {
        // Empty and `*` are one key (reference §2.2).
        let stream = match required(Param::StreamName, selector.stream_name.as_ref()) {
            Ok(_) => pattern(Param::StreamName, selector.stream_name.as_ref())?,
            Err(_) => Pattern::Any,
        };
        let domain = domain(selector.domain_name.as_ref(), known)?;
        Ok(Target { domain, app: pattern(Param::AppName, selector.app_name.as_ref())?, stream })
    }

    fn selector(raw: &RecordRaw) -> Selector {
        let RecordRaw { domain_name, app_name, stream_name, .. } = raw.clone();
        Selector { domain_name, app_name, stream_name }
    }

    fn merge(old: &RecordRaw, change: &RecordRaw) -> Result<RecordRaw, Fault> {
        required(Param::OssEndpoint, change.oss_endpoint.as_ref())?;
        let newer = |new: &Option<String>, old: &Option<String>| {
            new.clone().filter(|text| !text.is_empty()).or_else(|| old.clone())
        };
        let templates = match change.transcode_templates.is_empty() {
            true => &old.transcode_templates,
            false => &change.transcode_templates,
        };
        Ok(RecordRaw {
            domain_name: old.domain_name.clone(),
            app_name: old.app_name.clone(),
            stream_name: old.stream_name.clone(),
            oss_endpoint: change.oss_endpoint.clone(),
            oss_bucket: newer(&change.oss_bucket, &old.oss_bucket),
            start_time: newer(&change.start_time, &old.start_time),
            end_time: newer(&change.end_time, &old.end_time),
            on_demand: change.on_demand.or(old.on_demand),
            delay_time: change.delay_time.or(old.delay_time),
            record_format: format::merge_all(&old.record_format, &change.record_format),
            transcode_record_format: format::merge_all(
                &old.transcode_record_format,
                &change.transcode_record_format,
            ),
            transcode_templates: templates.clone(),
            retention_days: change.retention_days.or(old.retention_days),
        })
    }

    fn is_timed(change: &RecordRaw) -> bool {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        given(&change.start_time) || given(&change.end_time)
    }

    fn unavailable(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if !self.transcode_formats.is_empty() {
            missing.push("recording of transcoded streams is not available yet".to_owned());
        }
        missing
    }

    fn exists() -> Fault {
        Fault::exists(Param::StreamName)
    }

    fn not_found() -> Fault {
        Fault::no_config(400)
    }
}

fn retention_days(raw: &RecordRaw) -> Result<Option<u32>, Fault> {
    let days = |days| number(Param::RetentionDays, Some(days), 0, RETENTION_DAYS);
    raw.retention_days.map(days).transpose()
}

/// The publish argument `record` of OnDemand 2; absent is no (design §11). Said twice, the last one counts.
fn asks_for_recording(publish: &Publish) -> Result<bool, &str> {
    let Some((_, value)) = publish.args.iter().rev().find(|(name, _)| name == "record") else {
        return Ok(false);
    };
    let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    match () {
        () if is(&["yes", "on", "1"]) => Ok(true),
        () if is(&["no", "off", "0"]) => Ok(false),
        () => Err(value),
    }
}

fn check_templates(raw: &RecordRaw) -> Result<(), Fault> {
    let param = Param::TranscodeTemplates;
    let missing = |param, detail: &str| {
        let message = "Template is mandatory for this action.";
        Err(Fault::new("MissingTemplate", message, param, detail.to_owned()))
    };
    if raw.record_format.is_empty() && raw.transcode_record_format.is_empty() {
        return missing(
            Param::RecordFormat,
            "at least one of RecordFormat and TranscodeRecordFormat must be given",
        );
    }
    if !raw.transcode_record_format.is_empty() && raw.transcode_templates.is_empty() {
        return missing(param, "TranscodeRecordFormat needs at least one of TranscodeTemplates");
    }
    if raw.transcode_templates.len() > MAX_TEMPLATES {
        let message = "Specified record template length is not valid.";
        let detail = format!("has more than {MAX_TEMPLATES}");
        return Err(Fault::new("InvalidTemplateLength.Malformed", message, param, detail));
    }
    if raw.transcode_templates.iter().any(|name| name == "raw") {
        let message = "Template named raw is Forbidden.";
        return Err(Fault::new(
            "InvalidTemplate.ForbidRaw",
            message,
            param,
            "raw is a reserved name".to_owned(),
        ));
    }
    Ok(())
}
