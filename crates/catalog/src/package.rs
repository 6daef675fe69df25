//! Packaging templates (seed `004_0006f455261b9fff.txt`, AddLivePackageConfig).

use std::fmt;
use std::ops::RangeInclusive;

use output::Bucket;
use output::package::{Put, Settings};
use serde::{Deserialize, Serialize};

use crate::fault::Kind;
use crate::target::{domain, required};
use crate::{Fault, Known, Options, Param, Pattern, Rule, Selector, Target};

mod put;

/// SegmentNum.
pub const SEGMENT_NUM: RangeInclusive<u32> = 3..=10;
/// SegmentNum when absent.
pub const SEGMENT_NUM_DEFAULT: u32 = 3;

/// A template as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageRaw {
    /// DomainName, required.
    pub domain_name: Option<String>,
    /// AppName or `*`, required.
    pub app_name: Option<String>,
    /// StreamName or `*`, required.
    pub stream_name: Option<String>,
    /// Protocol, required.
    pub protocol: Option<String>,
    /// SegmentNum.
    pub segment_num: Option<i64>,
    /// SegmentDuration in seconds.
    pub segment_duration: Option<i64>,
    /// PartDuration in milliseconds.
    pub part_duration: Option<i64>,
    /// IgnoreTranscode.
    pub ignore_transcode: Option<bool>,
    /// Of the config file only, as the next two: the storage of the bucket in which players find the stream, too.
    pub put_oss_endpoint: Option<String>,
    /// The bucket.
    pub put_oss_bucket: Option<String>,
    /// What all keys in it begin with.
    pub put_oss_prefix: Option<String>,
}

/// A valid template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRule {
    /// Which streams.
    pub target: Target,
    /// How they are packaged.
    pub protocol: Protocol,
    /// Segments in the playlist.
    pub segment_num: u32,
    /// SegmentDuration in seconds.
    pub segment_duration_s: u32,
    /// PartDuration in milliseconds; `None` where the protocol has no parts.
    pub part_duration_ms: Option<u32>,
    /// Whether renditions are left out.
    pub ignore_transcode: bool,
    /// Where it is stored for a CDN, too.
    pub put: Option<Put>,
}

/// Protocol of the seed, and one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HLS over CMAF.
    HlsCmaf,
    /// Low-latency HLS over MPEG-TS.
    LlHlsTs,
    /// Low-latency HLS over CMAF.
    LlHlsCmaf,
    /// DASH over CMAF.
    DashCmaf,
    /// HLS and DASH over the same CMAF.
    HlsDashCmaf,
    /// Low-latency HLS and DASH over the same CMAF. Ours: with the ranges and defaults of LLHLS_CMAF.
    LlHlsDashCmaf,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Protocol; 6] = [
        Self::HlsCmaf,
        Self::LlHlsTs,
        Self::LlHlsCmaf,
        Self::DashCmaf,
        Self::HlsDashCmaf,
        Self::LlHlsDashCmaf,
    ];

    /// The word in a template.
    pub fn word(self) -> &'static str {
        match self {
            Self::HlsCmaf => "HLS_CMAF",
            Self::LlHlsTs => "LLHLS_TS",
            Self::LlHlsCmaf => "LLHLS_CMAF",
            Self::DashCmaf => "DASH_CMAF",
            Self::HlsDashCmaf => "HLSDASH_CMAF",
            Self::LlHlsDashCmaf => "LLHLSDASH_CMAF",
        }
    }

    fn is_low_latency(self) -> bool {
        matches!(self, Self::LlHlsTs | Self::LlHlsCmaf | Self::LlHlsDashCmaf)
    }

    /// SegmentDuration in seconds: what it is when absent, and what it can be. The seed is silent on the two
    /// with DASH; they are as HLS_CMAF.
    fn segment_duration(self) -> (u32, RangeInclusive<u32>) {
        if self.is_low_latency() { (1, 1..=2) } else { (5, 1..=10) }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl PackageRule {
    /// Checks a template.
    ///
    /// # Errors
    /// The first fault, in the order of the seed's parameters.
    pub fn check(raw: &PackageRaw, known: &Known<'_>) -> Result<Self, Fault> {
        let target = Self::select(&Self::selector(raw), known)?;
        let protocol = protocol(raw.protocol.as_ref())?;
        let segment_num = number(Param::SegmentNum, raw.segment_num, SEGMENT_NUM_DEFAULT, SEGMENT_NUM)?;
        let (default, range) = protocol.segment_duration();
        let segment_duration_s = number(Param::SegmentDuration, raw.segment_duration, default, range)?;
        let put = put::check(raw, &target, protocol, known)?;
        Ok(Self {
            target,
            protocol,
            segment_num,
            segment_duration_s,
            part_duration_ms: part_duration(protocol, segment_duration_s, raw.part_duration)?,
            ignore_transcode: raw.ignore_transcode.unwrap_or(true),
            put,
        })
    }

    pub(crate) fn settings(&self, options: &Options) -> Settings {
        let protocol = match self.protocol {
            Protocol::HlsCmaf => output::package::Protocol::HlsCmaf,
            Protocol::LlHlsTs => output::package::Protocol::LlHlsTs,
            Protocol::LlHlsCmaf => output::package::Protocol::LlHlsCmaf,
            Protocol::DashCmaf => output::package::Protocol::DashCmaf,
            Protocol::HlsDashCmaf => output::package::Protocol::HlsDashCmaf,
            Protocol::LlHlsDashCmaf => output::package::Protocol::LlHlsDashCmaf,
        };
        Settings {
            protocol,
            segment_count: self.segment_num,
            segment_duration_s: self.segment_duration_s,
            part_duration_ms: self.part_duration_ms,
            reconnect_window_s: options.reconnect_window_s,
            put: self.put.clone(),
        }
    }
}

impl Rule for PackageRule {
    type Raw = PackageRaw;
    const KIND: &'static str = "package";

    fn check(raw: &PackageRaw, known: &Known<'_>) -> Result<Self, Fault> {
        Self::check(raw, known)
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn store(&self) -> Option<&Bucket> {
        self.put.as_ref().map(|put| &put.store)
    }

    fn fill(&self, given: &mut PackageRaw) {
        given.domain_name = Some(self.target.domain.to_string());
        given.segment_num = Some(self.segment_num.into());
        given.segment_duration = Some(self.segment_duration_s.into());
        given.part_duration = self.part_duration_ms.map(i64::from);
        given.ignore_transcode = Some(self.ignore_transcode);
    }

    fn select(selector: &Selector, known: &Known<'_>) -> Result<Target, Fault> {
        Ok(Target {
            domain: domain(selector.domain_name.as_ref(), known).map_err(missing_param)?,
            app: pattern(Param::AppName, selector.app_name.as_ref())?,
            stream: pattern(Param::StreamName, selector.stream_name.as_ref())?,
        })
    }

    fn selector(raw: &PackageRaw) -> Selector {
        let PackageRaw { domain_name, app_name, stream_name, .. } = raw.clone();
        Selector { domain_name, app_name, stream_name }
    }

    fn merge(old: &PackageRaw, change: &PackageRaw) -> Result<PackageRaw, Fault> {
        let protocol = protocol(change.protocol.as_ref())?;
        let absent = |param| Err(missing_param(Fault::missing(param)));
        if change.segment_num.is_none() {
            return absent(Param::SegmentNum);
        }
        if change.segment_duration.is_none() {
            return absent(Param::SegmentDuration);
        }
        if protocol.is_low_latency() && change.part_duration.is_none() {
            return absent(Param::PartDuration);
        }
        Ok(PackageRaw {
            domain_name: old.domain_name.clone(),
            app_name: old.app_name.clone(),
            stream_name: old.stream_name.clone(),
            protocol: change.protocol.clone(),
            segment_num: change.segment_num,
            segment_duration: change.segment_duration,
            part_duration: change.part_duration,
            ignore_transcode: change.ignore_transcode.or(old.ignore_transcode),
            ..PackageRaw::default()
        })
    }

    fn unavailable(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if !self.ignore_transcode {
            missing.push("packaging of transcoded streams is not available yet".to_owned());
        }
        missing
    }

    fn exists() -> Fault {
        let message = "There is another template for the same streams. Please check and try again later.";
        Fault { message: message.to_owned(), ..Fault::exists(Param::StreamName) }
    }

    fn not_found() -> Fault {
        let detail = "names no template".to_owned();
        fault("ConfigNotFound", Param::StreamName, detail).of_kind(Kind::NotFound, 404)
    }
}

/// A fault in this family's words: `<detail>, please check and try again later.`
pub fn fault(code: &'static str, param: Param, detail: String) -> Fault {
    let message = format!("{param} {detail}, please check and try again later.");
    Fault::new(code, message, param, detail)
}

/// The code of this family for a bad value of `param`.
pub fn invalid(param: Param) -> &'static str {
    match param {
        Param::Protocol => "InvalidProtocol",
        Param::SegmentNum => "InvalidSegmentNum",
        Param::SegmentDuration => "InvalidSegmentDuration",
        Param::PartDuration => "InvalidPartDuration",
        _ => "InvalidParams",
    }
}

fn missing_param(other: Fault) -> Fault {
    match other.kind == Kind::Missing {
        true => fault("MissingParam", other.field.param, other.detail).of_kind(Kind::Missing, 400),
        false => other,
    }
}

fn pattern(param: Param, value: Option<&String>) -> Result<Pattern, Fault> {
    let text = required(param, value).map_err(missing_param)?;
    Pattern::parse(text).map_err(|error| fault(invalid(param), param, error.to_string()))
}

fn protocol(value: Option<&String>) -> Result<Protocol, Fault> {
    let text = required(Param::Protocol, value).map_err(missing_param)?;
    Protocol::ALL.into_iter().find(|protocol| protocol.word() == text).ok_or_else(|| {
        let words: Vec<_> = Protocol::ALL.iter().map(|protocol| protocol.word()).collect();
        fault(
            invalid(Param::Protocol),
            Param::Protocol,
            format!("is {text:?}, not one of {}", words.join(", ")),
        )
    })
}

fn part_duration(protocol: Protocol, segment_s: u32, value: Option<i64>) -> Result<Option<u32>, Fault> {
    if !protocol.is_low_latency() {
        return Ok(None);
    }
    let (default, range) = if segment_s == 1 { (350, 100..=500) } else { (700, 100..=1000) };
    number(Param::PartDuration, value, default, range).map(Some)
}

fn number(param: Param, value: Option<i64>, default: u32, range: RangeInclusive<u32>) -> Result<u32, Fault> {
    crate::fault::number(param, value, default, range)
        .map_err(|general| fault(invalid(param), param, general.detail))
}
