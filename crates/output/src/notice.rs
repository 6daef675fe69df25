use serde::{Deserialize, Serialize};

use crate::{Entry, Object};
use media::Wall;

/// What callbacks tell of (`reference/api-callbacks.md` §2, §4, §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// A recording began.
    RecordStarted,
    /// It pauses: the source is gone or an operator stopped it; it may go on within DelayTime.
    RecordPaused,
    /// It goes on after a pause.
    RecordResumed,
    /// It failed, or lost frames.
    RecordFailed {
        /// What happened.
        reason: String,
    },
    /// A file was begun.
    RecordFileOpened,
    /// A file is stored.
    RecordFileStored(Box<Entry>),
    /// The recording ended: no file follows.
    RecordEnded,
    /// A picture is stored.
    SnapshotStored {
        /// Where.
        object: Object,
        /// When it was captured.
        at: Wall,
        /// Whether newer pictures replace it.
        overwrite: bool,
    },
}
