//! The same templates in Huawei's words (seed `002_2f047e957c4b6494.txt`, reference api-huawei-live §4).

use std::fmt;
use std::ops::RangeInclusive;

use output::name::Variable;
use serde::{Deserialize, Serialize};

use super::{SnapshotRaw, SnapshotRule};
use crate::notify::{masked, write_masked};
use crate::target::{is_web_address, pattern, required};
use crate::{Fault, Known, Param, Template};

/// Length of auth_key.
const AUTH_KEY: RangeInclusive<usize> = 32..=128;
/// Length of obs_location.bucket, .location and .object, and of image_access_domain, at most.
const MAX_BUCKET: usize = 64;
const MAX_LOCATION: usize = 128;
const MAX_OBJECT: usize = 1024;
const MAX_APP: usize = 128;
const MAX_ACCESS_DOMAIN: usize = 255;
/// Folder of pictures when obs_location has no object (seed, object_write_mode).
const FOLDER: &str = "snapshot";

/// The snapshot_mode that is there.
const KEY_FRAMES: &str = "keyframe";

/// LiveSnapshotConfig as it was written.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HuaweiSnapshotRaw {
    /// domain, required: an ingest or a streaming domain.
    pub domain: Option<String>,
    /// app_name, required.
    pub app_name: Option<String>,
    /// auth_key: 32 to 128 characters, signs callbacks.
    pub auth_key: Option<String>,
    /// time_interval in seconds, required.
    pub time_interval: Option<i64>,
    /// object_write_mode: 0 keeps every picture (default), 1 the newest.
    pub object_write_mode: Option<i64>,
    /// snapshot_mode: `keyframe` (default), `nokeyframe` or `random`.
    pub snapshot_mode: Option<String>,
    /// obs_location.bucket, required.
    pub bucket: Option<String>,
    /// obs_location.location, required: the name or endpoint of a storage.
    pub location: Option<String>,
    /// obs_location.object: a folder.
    pub object: Option<String>,
    /// call_back_enable: `on` or `off`.
    pub call_back_enable: Option<String>,
    /// call_back_url
    pub call_back_url: Option<String>,
    /// image_object_format: names of pictures, such as `{{.app}}/{{.stream}}/{{.unix_time}}.jpg`.
    pub image_object_format: Option<String>,
    /// image_access_protocol: `http` or `https`.
    pub image_access_protocol: Option<String>,
    /// image_access_domain
    pub image_access_domain: Option<String>,
}

impl fmt::Debug for HuaweiSnapshotRaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(f, Self { auth_key: masked(&self.auth_key), ..self.clone() })
    }
}

impl HuaweiSnapshotRaw {
    /// snapshot_mode, when it asks for other frames than key frames.
    pub(super) fn other_mode(&self) -> Option<String> {
        self.snapshot_mode.clone().filter(|mode| !mode.is_empty() && mode != KEY_FRAMES)
    }
}

/// Words of image_object_format, in all spellings that the sources have, and the variable of ours.
const WORDS: &[(&[&str], Variable)] = &[
    (&["app", "app_name", "AppName"], Variable::AppName),
    (&["stream", "stream_name", "StreamName"], Variable::StreamName),
    (&["unix_time", "UnixTimestamp"], Variable::UnixTimestamp),
    (&["unix_time_milli"], Variable::UnixMillis),
    (&["fmt_time_utc"], Variable::CompactTimeUtc),
    (&["fmt_time_local"], Variable::CompactTimeLocal),
    (&["Sequence"], Variable::Sequence),
];

/// The template that `raw` describes, with Huawei's defaults written out. Whether it is valid otherwise says
/// [`SnapshotRule::check`].
///
/// # Errors
/// A value that only Huawei's words have and that is wrong.
pub(crate) fn adopt(raw: &HuaweiSnapshotRaw, known: &Known<'_>) -> Result<SnapshotRaw, Fault> {
    let domain = required(Param::DomainName, raw.domain.as_ref())?;
    let streaming = known.domains.leading_to(domain).ok_or_else(|| Fault::no_domain(domain))?;
    let app = required(Param::AppName, raw.app_name.as_ref())?;
    pattern(Param::AppName, raw.app_name.as_ref())?;
    at_most(Param::AppName, raw.app_name.as_ref(), MAX_APP)?;
    check_own(raw)?;
    let overwrite = match raw.object_write_mode {
        None | Some(0) => false,
        Some(1) => true,
        Some(other) => {
            return Err(Fault::malformed(Param::ObjectWriteMode, format!("is {other}, not 0 or 1")));
        }
    };
    let name = object_name(raw, domain, overwrite)?;
    let enabled = is_on(raw)?;
    let mut huawei = raw.clone();
    huawei.object_write_mode = Some(i64::from(overwrite));
    huawei.snapshot_mode.get_or_insert_with(|| KEY_FRAMES.to_owned());
    Ok(SnapshotRaw {
        domain_name: Some(streaming.to_string()),
        app_name: Some(app.to_owned()),
        time_interval: raw.time_interval,
        oss_endpoint: raw.location.clone(),
        oss_bucket: raw.bucket.clone(),
        overwrite_oss_object: overwrite.then(|| name.clone()),
        sequence_oss_object: (!overwrite).then_some(name),
        callback: raw.call_back_url.clone().filter(|_| enabled),
        huawei: Some(huawei),
    })
}

/// Any snapshot template in Huawei's words; `None` for one that they cannot say: with both object names.
pub fn huawei_view(template: &Template<SnapshotRule>) -> Option<HuaweiSnapshotRaw> {
    let given = &template.given;
    if let Some(huawei) = &given.huawei {
        return Some(huawei.clone());
    }
    let blank = HuaweiSnapshotRaw {
        domain: given.domain_name.clone(),
        app_name: given.app_name.clone(),
        snapshot_mode: Some(KEY_FRAMES.to_owned()),
        ..HuaweiSnapshotRaw::default()
    };
    let both = given.overwrite_oss_object.is_some() && given.sequence_oss_object.is_some();
    (!both).then(|| said_again(blank, given, true))
}

/// What Huawei says of `new`, which an Alibaba request made of `old`.
pub(super) fn follow(old: &SnapshotRaw, new: &SnapshotRaw) -> Option<HuaweiSnapshotRaw> {
    let renamed = old.overwrite_oss_object != new.overwrite_oss_object
        || old.sequence_oss_object != new.sequence_oss_object;
    old.huawei.clone().map(|huawei| said_again(huawei, new, renamed))
}

fn said_again(huawei: HuaweiSnapshotRaw, given: &SnapshotRaw, renamed: bool) -> HuaweiSnapshotRaw {
    let mut said = HuaweiSnapshotRaw {
        time_interval: given.time_interval,
        bucket: given.oss_bucket.clone(),
        location: given.oss_endpoint.clone(),
        ..huawei
    };
    if let Some(url) = &given.callback {
        said.call_back_enable = Some("on".to_owned());
        said.call_back_url = Some(url.clone());
    }
    if renamed {
        let name = given.overwrite_oss_object.as_ref().or(given.sequence_oss_object.as_ref());
        said.object_write_mode = Some(i64::from(given.overwrite_oss_object.is_some()));
        said.object = None;
        said.image_object_format = name.map(|name| in_huawei_words(name));
    }
    said
}

/// The values that Alibaba's words have no place for.
fn check_own(raw: &HuaweiSnapshotRaw) -> Result<(), Fault> {
    if let Some(key) = given(&raw.auth_key)
        && !AUTH_KEY.contains(&key.chars().count())
    {
        return Err(Fault::malformed(Param::AuthKey, "is not 32 to 128 characters"));
    }
    one_of(Param::SnapshotMode, &raw.snapshot_mode, &[KEY_FRAMES, "nokeyframe", "random"])?;
    one_of(Param::CallBackEnable, &raw.call_back_enable, &["on", "off"])?;
    one_of(Param::ImageAccessProtocol, &raw.image_access_protocol, &["http", "https"])?;
    at_most(Param::OssBucket, raw.bucket.as_ref(), MAX_BUCKET)?;
    at_most(Param::ObsLocation, raw.location.as_ref(), MAX_LOCATION)?;
    at_most(Param::Object, raw.object.as_ref(), MAX_OBJECT)?;
    at_most(Param::ImageAccessDomain, raw.image_access_domain.as_ref(), MAX_ACCESS_DOMAIN)?;
    match given(&raw.call_back_url) {
        Some(url) if !is_web_address(url) || url.contains('?') => {
            Err(Fault::malformed(Param::CallBackUrl, "is no http or https URL without a query"))
        }
        _ => Ok(()),
    }
}

fn is_on(raw: &HuaweiSnapshotRaw) -> Result<bool, Fault> {
    let on = raw.call_back_enable.as_deref() == Some("on");
    match on && given(&raw.call_back_url).is_none() {
        true => Err(Fault::missing(Param::CallBackUrl)),
        false => Ok(on),
    }
}

/// The name of pictures in our variables.
fn object_name(raw: &HuaweiSnapshotRaw, domain: &str, overwrite: bool) -> Result<String, Fault> {
    let folder = given(&raw.object).unwrap_or(FOLDER).trim_matches('/');
    let Some(format) = given(&raw.image_object_format) else {
        let picture = if overwrite { "{StreamName}" } else { "{StreamName}/{UnixTimestamp}" };
        return Ok(format!("{folder}/{domain}/{{AppName}}/{picture}.jpg"));
    };
    let name = in_our_words(format, folder, domain).map_err(|word| {
        Fault::malformed(Param::ImageObjectFormat, format!("has an unknown variable {word}"))
    })?;
    let timed =
        [Variable::UnixTimestamp, Variable::UnixMillis, Variable::CompactTimeUtc, Variable::CompactTimeLocal]
            .iter()
            .any(|variable| name.contains(&variable.to_string()));
    match (overwrite, timed) {
        (false, false) => Err(Fault::malformed(Param::ImageObjectFormat, "needs a time variable")),
        (true, true) => {
            Err(Fault::malformed(Param::ImageObjectFormat, "has a time variable, but overwrites"))
        }
        _ => Ok(name),
    }
}

/// `{{.app}}` and `{app}` become `{AppName}`, and so on; the folder and the domain become themselves.
fn in_our_words(format: &str, folder: &str, domain: &str) -> Result<String, String> {
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, braced)) = rest.split_once('{') {
        out.push_str(before);
        let (close, inner) = match braced.strip_prefix("{.") {
            Some(inner) => ("}}", inner),
            None => ("}", braced),
        };
        let Some((word, after)) = inner.split_once(close) else { return Err(format!("{{{braced}")) };
        match word {
            "obs_object" => out.push_str(folder),
            "domain" => out.push_str(domain),
            _ => {
                let known = WORDS.iter().find(|(words, _)| words.contains(&word));
                let (_, variable) = known.ok_or_else(|| word.to_owned())?;
                out.push_str(&variable.to_string());
            }
        }
        rest = after;
    }
    out.push_str(rest);
    // An object that ends in "/" and the "/" after it are one.
    Ok(out.replace("//", "/").trim_start_matches('/').to_owned())
}

/// `{AppName}` becomes `{{.app}}`, and so on.
fn in_huawei_words(name: &str) -> String {
    WORDS.iter().filter(|(_, variable)| *variable != Variable::Sequence).fold(
        name.to_owned(),
        |name, (words, variable)| {
            let word = words.first().copied().unwrap_or_default();
            name.replace(&variable.to_string(), &format!("{{{{.{word}}}}}"))
        },
    )
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

fn one_of(param: Param, value: &Option<String>, words: &[&str]) -> Result<(), Fault> {
    match given(value) {
        Some(value) if !words.contains(&value) => {
            Err(Fault::malformed(param, format!("is {value:?}, not one of {}", words.join(", "))))
        }
        _ => Ok(()),
    }
}

fn at_most(param: Param, value: Option<&String>, most: usize) -> Result<(), Fault> {
    match value {
        Some(value) if value.chars().count() > most => {
            Err(Fault::malformed(param, format!("has more than {most} characters")))
        }
        _ => Ok(()),
    }
}
