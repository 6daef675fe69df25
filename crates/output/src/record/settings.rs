//! What a recording template asks for (seed `001_b4cfd81d467542c8.txt`, AddLiveAppRecordConfig).

use std::fmt;

use media::Wall;
use serde::{Deserialize, Serialize};

use crate::Bucket;
use crate::name::Name;

/// One format of a recording template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Format.
    pub container: Container,
    /// Where everything goes.
    pub store: Bucket,
    /// OssObjectPrefix.
    pub name: Name,
    /// SliceDuration and SliceOssObjectPrefix, of the formats that are sliced.
    pub slice: Option<Slice>,
    /// CycleDuration in seconds.
    pub cycle_duration_s: u32,
    /// DelayTime in seconds.
    pub delay_s: u32,
    /// Offset of the times in names from UTC, in seconds.
    pub utc_offset: i32,
    /// What starts it.
    pub start: Start,
    /// StartTime: nothing is recorded before.
    pub not_before: Option<Wall>,
    /// EndTime: nothing is recorded from then on.
    pub not_after: Option<Wall>,
    /// Days after which what was recorded may be deleted; `None`: never.
    pub retention_days: Option<u32>,
}

impl Settings {
    /// With the seed's defaults; slices are for the caller to add where [`Container::is_sliced`].
    pub fn new(container: Container, store: Bucket, name: Name) -> Self {
        Self {
            container,
            store,
            name,
            slice: None,
            cycle_duration_s: container.cycle_default(),
            delay_s: 180,
            utc_offset: 8 * 3_600,
            start: Start::Publish,
            not_before: None,
            not_after: None,
            retention_days: None,
        }
    }
}

/// How a recording is sliced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// SliceDuration in seconds.
    pub duration_s: u32,
    /// SliceOssObjectPrefix.
    pub name: Name,
}

/// What starts a recording (OnDemand; 0 and 2 are decided before there is one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// The publish.
    #[default]
    Publish,
    /// The answer of the operator's OnDemandUrl.
    Answer,
    /// A command.
    Command,
}

/// Format of the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// A playlist of MPEG-TS slices.
    M3u8,
    /// One FLV file.
    Flv,
    /// One MP4 file.
    Mp4,
    /// Playlists of CMAF slices.
    Cmaf,
}

impl Container {
    /// All of them.
    pub const ALL: [Container; 4] = [Self::M3u8, Self::Flv, Self::Mp4, Self::Cmaf];

    /// The seed's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::M3u8 => "m3u8",
            Self::Flv => "flv",
            Self::Mp4 => "mp4",
            Self::Cmaf => "cmaf",
        }
    }

    /// Its name as a product, in logs, metrics and `/api/streams`.
    pub fn product(self) -> &'static str {
        match self {
            Self::M3u8 => "record/m3u8",
            Self::Flv => "record/flv",
            Self::Mp4 => "record/mp4",
            Self::Cmaf => "record/cmaf",
        }
    }

    /// CycleDuration in seconds when absent.
    pub fn cycle_default(self) -> u32 {
        if self.is_sliced() { 21_600 } else { 3_600 }
    }

    /// Whether it has slices.
    pub fn is_sliced(self) -> bool {
        matches!(self, Self::M3u8 | Self::Cmaf)
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
