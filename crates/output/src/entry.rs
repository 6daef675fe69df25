use media::Wall;
use serde::{Deserialize, Serialize};

use crate::Object;
use crate::record::Container;

/// A row of the index of recordings: one file, or one slice of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which of the two.
    pub part: Part,
    /// Of which format.
    pub format: Container,
    /// The object: of a file in several objects its playlist.
    pub object: Object,
    /// Keys of the objects that `object` names and that belong to the file with it, beside its slices and their init
    /// segments; in the same bucket. `None`: not known.
    #[serde(default)]
    pub beside: Option<Vec<String>>,
    /// OssObjectPrefix as the template has it.
    pub template: String,
    /// `{Sequence}` of its name.
    pub sequence: u64,
    /// When its first frame was captured.
    pub start: Wall,
    /// When its last frame ended.
    pub end: Wall,
    /// Media that it holds, in microseconds. Less than `end - start` by the pauses that were joined.
    pub duration: i64,
    /// Pixels of its last picture; 0 without video.
    pub width: u32,
    /// As `width`.
    pub height: u32,
    /// Where it goes on after a pause.
    pub pauses: Vec<Pause>,
    /// Days after which it may be deleted; `None`: never.
    pub retention_days: Option<u32>,
}

/// What an [`Entry`] is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// A whole recording file.
    File,
    /// A slice of a file that is a playlist.
    Slice {
        /// Whether decoding starts afresh: it does not go on where the slice before it ended.
        discontinuity: bool,
        /// Key of the init segment that it needs (CMAF).
        init: Option<String>,
        /// Whether it holds sound alone, of a recording that has a track per file (CMAF).
        audio: bool,
    },
}

/// A break of the source within a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Where the media goes on, in microseconds from the file's beginning.
    pub at: i64,
    /// How long nothing was recorded, in microseconds of wall time.
    pub wall: i64,
}
