//! Sound goes by the count of its samples, not by what senders state: RTMP rounds to milliseconds, and many encoders
//! stamp what a queue gave them at one moment (design §7 rule 3). Only what stays off is followed.

use media::Timescale;

/// How far stated times may be off the count, if an access unit is shorter: this part of a second.
const TOLERANCE: i64 = 50;
/// Stated times that are off for this long in one direction are right, in seconds of media: queues are emptied more
/// often.
const PATIENCE: i64 = 1;
/// Stated times that are off by the same in this many frames are right: sound was lost.
const STEADY_FRAMES: u32 = 8;
/// By how much those may differ: this part of a second.
const STEADY: i64 = 200;
/// A hole this long is one at once, in milliseconds: no queue makes sound appear later by so much.
const HOLE_MILLIS: i64 = 300;
/// So much sound too many is not a queue's doing either, in seconds.
const SURPLUS: i64 = 1;

/// How the stated times of a track have been off the count of its samples of late. Times are ticks of the track.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// What was stated last.
    stated: Option<i64>,
    window: Option<Window>,
}

/// Frames in a row that were off in the same direction, and by how much.
#[derive(Debug)]
struct Window {
    since: i64,
    frames: u32,
    low: i64,
    high: i64,
}

impl Drift {
    /// Where a frame belongs that the count of samples has at `count` and the sender at `stated`; `step` is the
    /// length of the frame before.
    pub(crate) fn follow(&mut self, count: i64, stated: i64, step: i64, timescale: Timescale) -> i64 {
        let hz = i64::from(timescale.hz());
        let again = self.stated.replace(stated) == Some(stated);
        let off = stated.saturating_sub(count);
        if off.abs() <= step.max(hz / TOLERANCE) {
            self.window = None;
            return count;
        }
        // The same time again is not the time of a further frame.
        if again {
            return count;
        }
        if off.saturating_mul(1_000) > HOLE_MILLIS * hz || off < -SURPLUS * hz {
            self.window = None;
            return stated;
        }
        let begun = self.window.take().filter(|window| (window.low > 0) == (off > 0));
        let mut window = begun.unwrap_or(Window { since: count, frames: 0, low: off, high: off });
        window.take(off);
        if window.tells(count, hz) {
            return count.saturating_add(window.least());
        }
        self.window = Some(window);
        count
    }
}

impl Window {
    fn take(&mut self, off: i64) {
        self.frames += 1;
        (self.low, self.high) = (self.low.min(off), self.high.max(off));
    }

    /// Whether the sender's clock is right.
    fn tells(&self, count: i64, hz: i64) -> bool {
        let steady = self.frames >= STEADY_FRAMES && self.high - self.low <= hz / STEADY;
        steady || count.saturating_sub(self.since) >= PATIENCE * hz
    }

    /// By how much all of them are off.
    fn least(&self) -> i64 {
        if self.low > 0 { self.low } else { self.high }
    }
}
