use std::fmt;

use crate::{Codec, Ticks, Timescale, Track, TrackId, Wall};

/// From the first publish of a stream to its final end; spans reconnects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u128);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A stretch of media with unbroken timestamps and unchanged tracks. If it has video it begins at a key frame, or at a
/// recovery point where no key frames come.
///
/// The timeline of a session never jumps: the next run goes on where the last one ended. What does change at
/// its border is the wall time it maps to, and the tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Counts up from 0 within the session.
    pub index: u32,
    /// Its tracks, video before audio, each kind in order of index. Never empty.
    pub tracks: Vec<Track>,
    /// Where it begins on the session's timeline, in microseconds. Sound that waited for it is from before.
    pub start: i64,
    /// Wall time of `start`: anchored once, so it does not follow the drift of either clock.
    pub wall: Wall,
}

impl Run {
    /// Wall time of media time `at` on `timescale`.
    pub fn wall_at(&self, at: Ticks, timescale: Timescale) -> Wall {
        self.wall.plus_micros(timescale.micros(at).saturating_sub(self.start))
    }

    /// The track of that id.
    pub fn track(&self, id: TrackId) -> Option<&Track> {
        self.tracks.iter().find(|track| track.id == id)
    }

    /// Whether track `id` is there with exactly this codec, so that its decoder goes on.
    pub fn carries(&self, id: TrackId, codec: &Codec) -> bool {
        self.track(id).is_some_and(|track| track.codec == *codec)
    }

    /// The main video track.
    pub fn video(&self) -> Option<&Track> {
        self.tracks.iter().find(|t| t.is_video())
    }

    /// The main audio track.
    pub fn audio(&self) -> Option<&Track> {
        self.tracks.iter().find(|t| !t.is_video())
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    /// The publisher said that it is done (FCUnpublish, deleteStream).
    Unpublished,
    /// The connection ended or fell silent without a word.
    Dropped,
    /// An operator ended it.
    Kicked,
    /// Another publisher of the same name took over.
    Replaced,
    /// Timestamps jumped.
    Jump,
    /// A track came, went or changed.
    TracksChanged,
}

impl Gap {
    /// Whether the publisher is gone, so that nothing follows until somebody publishes again.
    pub fn source_gone(self) -> bool {
        !matches!(self, Gap::Jump | Gap::TracksChanged)
    }
}
