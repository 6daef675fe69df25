//! Object names with variables (seeds `000_f7078a5cb00af4b6.txt`, `001_b4cfd81d467542c8.txt`; Huawei's times in
//! `002_2f047e957c4b6494.txt`).

#[cfg(test)]
mod tests;

use std::fmt::{self, Write};

use chrono::DateTime;
use media::{StreamId, Wall};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A name "must be less than 256 bytes in length" (both seeds); the limit is on the template, not on what comes out.
pub const MAX_NAME: usize = 255;

/// `YYYY-MM-DD-HH:MM:SS`, as in `{StartTime}`.
const TIME: &str = "%Y-%m-%d-%H:%M:%S";
/// The same without `:`, as in `{EscapedStartTime}`.
const ESCAPED_TIME: &str = "%Y-%m-%d-%H-%M-%S";

/// `YYYYMMDDhhmmss`, as in `{CompactTimeUtc}`.
const COMPACT_TIME: &str = "%Y%m%d%H%M%S";

/// What may stand in braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// App name of the ingest.
    AppName,
    /// Stream name of the ingest.
    StreamName,
    /// Whole seconds since 1970.
    UnixTimestamp,
    /// A counter.
    Sequence,
    /// When a file's first frame was captured, `2006-01-02-15:04:05`.
    StartTime,
    /// When a file's last frame ended, `2006-01-02-15:04:05`.
    EndTime,
    /// [`Variable::StartTime`] as `2006-01-02-15-04-05`.
    EscapedStartTime,
    /// [`Variable::EndTime`] as `2006-01-02-15-04-05`.
    EscapedEndTime,
    /// Whole milliseconds since 1970: Huawei's `unix_time_milli`.
    UnixMillis,
    /// When a picture was captured, `20060102070405` in UTC: Huawei's `fmt_time_utc`.
    CompactTimeUtc,
    /// The same in local time: Huawei's `fmt_time_local`.
    CompactTimeLocal,
    /// Day of the beginning, `2006-01-02`.
    Date,
    /// Its hour, `15`.
    Hour,
    /// Its minute, `04`.
    Minute,
    /// Its second, `05`.
    Second,
}

impl Variable {
    /// All of them.
    pub const ALL: &[Variable] = &[
        Self::AppName,
        Self::StreamName,
        Self::UnixTimestamp,
        Self::Sequence,
        Self::StartTime,
        Self::EndTime,
        Self::EscapedStartTime,
        Self::EscapedEndTime,
        Self::UnixMillis,
        Self::CompactTimeUtc,
        Self::CompactTimeLocal,
        Self::Date,
        Self::Hour,
        Self::Minute,
        Self::Second,
    ];
    /// Those of PutOssPrefix.
    pub const LIVE_PUT: &[Variable] = &[Self::AppName, Self::StreamName];
    /// Those of OverwriteOssObject.
    pub const OVERWRITE_SNAPSHOT: &[Variable] = &[Self::AppName, Self::StreamName];
    /// Those of SequenceOssObject.
    pub const SEQUENCE_SNAPSHOT: &[Variable] =
        &[Self::AppName, Self::StreamName, Self::UnixTimestamp, Self::Sequence];
    /// Those of a picture that Huawei's image_object_format names.
    pub const HUAWEI_SNAPSHOT: &[Variable] = &[
        Self::AppName,
        Self::StreamName,
        Self::UnixTimestamp,
        Self::Sequence,
        Self::UnixMillis,
        Self::CompactTimeUtc,
        Self::CompactTimeLocal,
    ];
    /// Those that differ from one picture of a stream to the next.
    pub const TELLS_PICTURES_APART: &[Variable] = &[
        Self::UnixTimestamp,
        Self::Sequence,
        Self::UnixMillis,
        Self::CompactTimeUtc,
        Self::CompactTimeLocal,
    ];
    /// Those of SliceOssObjectPrefix.
    pub const RECORD_SLICE: &[Variable] =
        &[Self::AppName, Self::StreamName, Self::UnixTimestamp, Self::Sequence];
    /// Those of OssObject of a list over slices (CreateLiveStreamRecordIndexFiles).
    pub const RECORD_LIST: &[Variable] =
        &[Self::AppName, Self::StreamName, Self::Date, Self::Hour, Self::Minute, Self::Second];
    /// Those of OssObjectPrefix.
    pub const RECORD_FILE: &[Variable] = &[
        Self::AppName,
        Self::StreamName,
        Self::Sequence,
        Self::StartTime,
        Self::EndTime,
        Self::EscapedStartTime,
        Self::EscapedEndTime,
    ];

    /// The word between the braces.
    pub fn word(self) -> &'static str {
        match self {
            Self::AppName => "AppName",
            Self::StreamName => "StreamName",
            Self::UnixTimestamp => "UnixTimestamp",
            Self::Sequence => "Sequence",
            Self::StartTime => "StartTime",
            Self::EndTime => "EndTime",
            Self::EscapedStartTime => "EscapedStartTime",
            Self::EscapedEndTime => "EscapedEndTime",
            Self::UnixMillis => "UnixMillis",
            Self::CompactTimeUtc => "CompactTimeUtc",
            Self::CompactTimeLocal => "CompactTimeLocal",
            Self::Date => "Date",
            Self::Hour => "Hour",
            Self::Minute => "Minute",
            Self::Second => "Second",
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.word())
    }
}

/// A parsed name with variables.
///
/// No variable expands to nothing, to `/` or to `.`, and no component of the text between them is empty, `.` or
/// `..`. So what comes out is always a relative path that stays below where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(Variable),
}

/// What the variables stand for. Those that a name does not contain are not looked at.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// `{AppName}`, `{StreamName}`.
    pub stream: &'a StreamId,
    /// `{UnixTimestamp}`: whole seconds since 1970.
    pub unix: i64,
    /// `{Sequence}`.
    pub sequence: u64,
    /// `{StartTime}`, `{EscapedStartTime}`, and the moment of a picture.
    pub start: Wall,
    /// `{EndTime}`, `{EscapedEndTime}`.
    pub end: Wall,
    /// Offset of the times from UTC, in seconds; `{CompactTimeUtc}` has none.
    pub utc_offset: i32,
}

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No characters at all.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_NAME`] bytes.
    #[error("has {bytes} bytes, more than {MAX_NAME}")]
    TooLong {
        /// Bytes it has.
        bytes: usize,
    },
    /// Braces around something that is no variable here.
    #[error("has an unknown variable {{{0}}}")]
    UnknownVariable(String),
    /// A brace without its partner.
    #[error("has an unmatched brace at byte {at}")]
    UnmatchedBrace {
        /// Where it is, in bytes.
        at: usize,
    },
    /// A path component that is empty, `.` or `..`.
    #[error("has a path component {0:?}")]
    Component(String),
    /// A control character or a backslash.
    #[error("contains {0:?}")]
    Character(char),
}

impl Name {
    /// Reads a name in which only the variables `allowed` may stand.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong; a leading or trailing `/` counts as an empty component.
    pub fn parse(text: &str, allowed: &[Variable]) -> Result<Name, NameError> {
        match text.len() {
            0 => return Err(NameError::Empty),
            bytes if bytes > MAX_NAME => return Err(NameError::TooLong { bytes }),
            _ => {}
        }
        if let Some(c) = text.chars().find(|&c| c.is_control() || c == '\\') {
            return Err(NameError::Character(c));
        }
        let pieces = pieces(text, allowed)?;
        if let Some(component) = text.split('/').find(|c| matches!(*c, "" | "." | "..")) {
            return Err(NameError::Component(component.to_owned()));
        }
        Ok(Name { text: text.to_owned(), pieces })
    }

    /// Whether `variable` stands in it.
    pub fn contains(&self, variable: Variable) -> bool {
        self.pieces.contains(&Piece::Variable(variable))
    }

    /// The name with every variable replaced by its value.
    pub fn expand(&self, values: &Values<'_>) -> String {
        let mut out = String::with_capacity(self.text.len() * 2);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(variable) => values.write(*variable, &mut out),
            }
        }
        out
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Name {
    /// Takes every variable there is: which ones a parameter may have was checked when it was given.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text, Variable::ALL).map_err(de::Error::custom)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Values<'_> {
    fn write(&self, variable: Variable, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = match variable {
            Variable::AppName => out.write_str(self.stream.app()),
            Variable::StreamName => out.write_str(self.stream.stream()),
            Variable::UnixTimestamp => write!(out, "{}", self.unix),
            Variable::Sequence => write!(out, "{}", self.sequence),
            Variable::StartTime => self.write_local(self.start, TIME, out),
            Variable::EndTime => self.write_local(self.end, TIME, out),
            Variable::EscapedStartTime => self.write_local(self.start, ESCAPED_TIME, out),
            Variable::EscapedEndTime => self.write_local(self.end, ESCAPED_TIME, out),
            Variable::UnixMillis => write!(out, "{}", self.start.0.div_euclid(1_000)),
            Variable::CompactTimeUtc => write_time(self.start.unix_seconds(), COMPACT_TIME, out),
            Variable::CompactTimeLocal => self.write_local(self.start, COMPACT_TIME, out),
            Variable::Date => self.write_local(self.start, "%Y-%m-%d", out),
            Variable::Hour => self.write_local(self.start, "%H", out),
            Variable::Minute => self.write_local(self.start, "%M", out),
            Variable::Second => self.write_local(self.start, "%S", out),
        };
    }

    fn write_local(&self, at: Wall, format: &str, out: &mut String) -> fmt::Result {
        write_time(at.unix_seconds().saturating_add(i64::from(self.utc_offset)), format, out)
    }
}

fn write_time(seconds: i64, format: &str, out: &mut String) -> fmt::Result {
    // A moment that no calendar holds becomes 1970: no clock says so, and a name is still needed.
    let date = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    write!(out, "{}", date.format(format))
}

fn pieces(text: &str, allowed: &[Variable]) -> Result<Vec<Piece>, NameError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let (before, braced) = rest.split_at(open);
        let unmatched = NameError::UnmatchedBrace { at: at + open };
        let (word, after) = match braced.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((word, after)) if !word.contains('{') => (word, after),
            _ => return Err(unmatched),
        };
        let variable = allowed.iter().copied().find(|v| v.word() == word);
        let variable = variable.ok_or_else(|| NameError::UnknownVariable(word.to_owned()))?;
        push_text(&mut pieces, before);
        pieces.push(Piece::Variable(variable));
        at = text.len() - after.len();
        rest = after;
    }
    push_text(&mut pieces, rest);
    Ok(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}
