//! Frames on their way into segments.

use container::mp4;

/// A frame on its way into a segment.
pub(super) struct Frame {
    /// Decode time in ticks of the track.
    pub dts: i64,
    /// What a fragment has of it.
    pub sample: mp4::Sample,
}

impl Frame {
    /// Where the next frame begins, in ticks of the track.
    pub(super) fn end(&self) -> i64 {
        self.dts.saturating_add(i64::from(self.sample.duration))
    }
}

/// Where the first of `frames` begins and the last one ends.
pub(super) fn ticks(frames: &[Frame]) -> Option<(i64, i64)> {
    Some((frames.first()?.dts, frames.last()?.end()))
}
