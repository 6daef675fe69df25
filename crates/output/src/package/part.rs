//! What a run makes of its frames: parts, and segments of them.

use bytes::Bytes;
use media::TrackId;

/// How far a rendition has got.
pub(super) enum Step {
    /// A part is complete; where there are no parts, the only one of a segment.
    Part(Part),
    /// The segment that the parts so far belong to is complete.
    Closed,
}

/// A step of the rendition of that track.
pub(super) type Made = (TrackId, Step);

/// A stretch of a rendition.
pub(super) struct Part {
    /// Where it begins, in microseconds on the session's timeline.
    pub from: i64,
    /// EXTINF or DURATION in microseconds. From one part to the next these add up to the timeline.
    pub duration: i64,
    /// Frames in it.
    pub frames: usize,
    /// Whether it has a frame that needs no other (packaging-rules L-06).
    pub independent: bool,
    /// Whether its first frame is one.
    pub key: bool,
    /// Where its first frame begins and its last one ends, in ticks of the track; `None`: nothing came, a gap.
    pub ticks: Option<(i64, i64)>,
    /// Its bytes, payload shared with the packets; empty for a gap.
    pub body: Vec<Bytes>,
}

impl Part {
    /// Nothing, from `from` on for `duration`, in microseconds.
    pub(super) fn gap(from: i64, duration: i64) -> Self {
        Self { from, duration, frames: 0, independent: false, key: false, ticks: None, body: Vec::new() }
    }
}
