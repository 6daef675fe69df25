use std::ops::RangeInclusive;

use output::name::{Name, Variable};
pub use output::record::Container;
use output::record::Slice;
use serde::{Deserialize, Serialize};

use crate::fault::number;
use crate::target::required;
use crate::{Fault, Param};

/// SliceDuration in seconds.
pub const SLICE_DURATION: RangeInclusive<u32> = 5..=30;
/// SliceDuration when absent.
pub const SLICE_DURATION_DEFAULT: u32 = 30;
/// CycleDuration in seconds: the seed names no range; design §11 does.
pub const CYCLE_DURATION: RangeInclusive<u32> = 1..=86_400;

/// RecordFormat.N or TranscodeRecordFormat.N as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FormatRaw {
    /// Format, required.
    pub format: Option<String>,
    /// SliceDuration in seconds.
    pub slice_duration: Option<i64>,
    /// SliceOssObjectPrefix, required for m3u8 and cmaf.
    pub slice_oss_object_prefix: Option<String>,
    /// CycleDuration in seconds.
    pub cycle_duration: Option<i64>,
    /// OssObjectPrefix, required.
    pub oss_object_prefix: Option<String>,
}

/// What one recording is made as.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatRule {
    /// The container.
    pub container: Container,
    /// Slices, for m3u8 and cmaf.
    pub slice: Option<Slice>,
    /// Seconds after which a new file begins.
    pub cycle_s: u32,
    /// OssObjectPrefix.
    pub name: Name,
}

/// Checks all items of `list`.
pub(super) fn check_all(list: Param, raw: &[FormatRaw]) -> Result<Vec<FormatRule>, Fault> {
    let mut rules: Vec<FormatRule> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let rule = check(raw).map_err(|fault| fault.within(list, index))?;
        if rules.iter().any(|other| other.container == rule.container) {
            let detail = format!("{} is there twice", rule.container);
            let message = "Specified parameter Format can not be multiple.";
            let fault = Fault::new("InvalidFormat.IllegalOperation", message, Param::Format, detail);
            return Err(fault.within(list, index));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Writes the defaults of `rules` into what was given for them.
pub(super) fn fill_all(rules: &[FormatRule], given: &mut [FormatRaw]) {
    for (rule, given) in rules.iter().zip(given) {
        given.cycle_duration = Some(rule.cycle_s.into());
        given.slice_duration = rule.slice.as_ref().map(|slice| slice.duration_s.into());
        if rule.slice.is_none() {
            given.slice_oss_object_prefix = None;
        }
    }
}

/// `old` with what `change` gives: each format in place, new ones at the end.
pub(super) fn merge_all(old: &[FormatRaw], change: &[FormatRaw]) -> Vec<FormatRaw> {
    let mut merged = old.to_vec();
    let mut changed: Vec<Option<&str>> = Vec::new();
    for new in change {
        let same = |old: &&mut FormatRaw| old.format == new.format;
        match merged.iter_mut().find(same).filter(|_| !changed.contains(&new.format.as_deref())) {
            Some(old) => merge(old, new),
            // A format that is there twice in one change stays so, for the check to refuse.
            None => merged.push(new.clone()),
        }
        changed.push(new.format.as_deref());
    }
    merged
}

fn merge(old: &mut FormatRaw, new: &FormatRaw) {
    old.cycle_duration = new.cycle_duration.or(old.cycle_duration);
    old.slice_duration = new.slice_duration.or(old.slice_duration);
    for (old, new) in [
        (&mut old.slice_oss_object_prefix, &new.slice_oss_object_prefix),
        (&mut old.oss_object_prefix, &new.oss_object_prefix),
    ] {
        if new.as_ref().is_some_and(|text| !text.is_empty()) {
            old.clone_from(new);
        }
    }
}

fn check(raw: &FormatRaw) -> Result<FormatRule, Fault> {
    let word = raw.format.as_deref().unwrap_or_default();
    let container = Container::ALL.into_iter().find(|container| container.word() == word);
    let container = container
        .ok_or_else(|| Fault::malformed(Param::Format, format!("is {word:?}, not m3u8, flv, mp4 or cmaf")))?;
    let slice = container.is_sliced().then(|| check_slice(raw)).transpose()?;
    let cycle_s =
        number(Param::CycleDuration, raw.cycle_duration, container.cycle_default(), CYCLE_DURATION)?;
    let name = file_name(required(Param::OssObjectPrefix, raw.oss_object_prefix.as_ref())?)?;
    Ok(FormatRule { container, slice, cycle_s, name })
}

fn check_slice(raw: &FormatRaw) -> Result<Slice, Fault> {
    let duration_s =
        number(Param::SliceDuration, raw.slice_duration, SLICE_DURATION_DEFAULT, SLICE_DURATION)?;
    let param = Param::SliceOssObjectPrefix;
    let text = required(param, raw.slice_oss_object_prefix.as_ref())?;
    let name = parse(param, text, Variable::RECORD_SLICE)?;
    for variable in [Variable::UnixTimestamp, Variable::Sequence] {
        if !name.contains(variable) {
            return Err(Fault::malformed(param, format!("needs {variable}")));
        }
    }
    Ok(Slice { duration_s, name })
}

fn file_name(text: &str) -> Result<Name, Fault> {
    let param = Param::OssObjectPrefix;
    let name = parse(param, text, Variable::RECORD_FILE)?;
    let pairs =
        [[Variable::StartTime, Variable::EscapedStartTime], [Variable::EndTime, Variable::EscapedEndTime]];
    for [plain, escaped] in pairs {
        if !name.contains(plain) && !name.contains(escaped) {
            return Err(Fault::malformed(param, format!("needs {plain} or {escaped}")));
        }
    }
    Ok(name)
}

fn parse(param: Param, text: &str, variables: &[Variable]) -> Result<Name, Fault> {
    Name::parse(text, variables).map_err(|error| Fault::malformed(param, error.to_string()))
}
