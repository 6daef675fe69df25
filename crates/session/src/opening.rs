//! Which tracks a publish has: decided from data, with a bounded wait (design §7 rule 4).

use std::collections::VecDeque;

use media::{Kind, TrackId, Wall};

use crate::configs::Configs;
use crate::demux::Frame;

/// Longest wait for a further track, in milliseconds of media.
const WAIT_MEDIA_MILLIS: i64 = 1_000;
/// As long while pictures come that nothing can be decoded from yet: a relay that was joined amid a GOP.
const WAIT_KEY_MILLIS: i64 = 3_000;
/// Longest wait for a further track in microseconds of wall time, for publishers that send no more media.
const WAIT_WALL_MICROS: i64 = 2_000_000;
/// As long for a track whose configuration came: encoders that look ahead send it seconds before their first picture, and
/// at once the first sound.
const WAIT_ANNOUNCED_MICROS: i64 = 10_000_000;
/// Most bytes held while waiting; beyond, the wait is over.
const MAX_BYTES: usize = 16 << 20;
/// Most frames held while waiting; beyond, the wait is over.
const MAX_FRAMES: usize = 4_096;

/// Holds the first frames of a publish until its tracks are known.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    frames: VecDeque<Frame>,
    /// Whose frames are held, in order.
    tracks: Vec<TrackId>,
    bytes: usize,
    since: Option<Wall>,
    undecodable: u64,
    /// A track whose configuration came is missing.
    announced: bool,
}

/// What the wait brought.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The tracks with something that can be decoded, in order.
    pub tracks: Vec<TrackId>,
    /// The frames held, those of a video track from the first on at which decoding can start.
    pub frames: VecDeque<Frame>,
    /// Video frames before that, left out.
    pub undecodable: u64,
}

impl Opened {
    /// The sender's time that the session's timeline goes on at: the earliest of the frames, but for those
    /// whose clock has nothing to do with the first one's.
    pub(crate) fn origin(&self) -> i64 {
        let first = self.frames.front().map_or(0, |frame| frame.millis);
        let near = |millis: &i64| (millis - first).abs() <= WAIT_KEY_MILLIS;
        self.frames.iter().map(|frame| frame.millis).filter(near).min().unwrap_or(first)
    }
}

impl Opening {
    /// Takes a frame whose decoder configuration is known.
    pub(crate) fn push(&mut self, frame: Frame) {
        self.since.get_or_insert(frame.received);
        let place = self.tracks.binary_search(&frame.track);
        if place.is_err() && frame.is_video() && !frame.is_entry() {
            self.undecodable += 1;
            return;
        }
        if let Err(place) = place {
            self.tracks.insert(place, frame.track);
        }
        self.bytes += frame.data.len();
        self.frames.push_back(frame);
    }

    /// Looks at which tracks are announced.
    pub(crate) fn compare(&mut self, configs: &Configs) {
        self.announced = configs.tracks().any(|track| self.tracks.binary_search(&track).is_err());
    }

    /// Whether to go on with what is there: both kinds and every announced track seen, or waited long enough.
    pub(crate) fn ready(&self, now: Wall) -> bool {
        let all = self.has(Kind::Video) && self.has(Kind::Audio) && !self.announced;
        let span = match (self.frames.front(), self.frames.back()) {
            (Some(first), Some(last)) => (last.millis - first.millis).abs(),
            _ => 0,
        };
        let awaits_key = self.undecodable > 0 && !self.has(Kind::Video);
        let enough = span >= if awaits_key { WAIT_KEY_MILLIS } else { WAIT_MEDIA_MILLIS };
        let waited = self.deadline().is_some_and(|deadline| now >= deadline);
        let full = self.bytes >= MAX_BYTES || self.frames.len() >= MAX_FRAMES;
        !self.frames.is_empty() && (all || enough || waited || full)
    }

    /// When [`Opening::ready`] turns true without further media.
    pub(crate) fn deadline(&self) -> Option<Wall> {
        let wait = if self.announced { WAIT_ANNOUNCED_MICROS } else { WAIT_WALL_MICROS };
        if self.frames.is_empty() { None } else { self.since.map(|at| at.plus_micros(wait)) }
    }

    /// Ends the wait.
    pub(crate) fn open(&mut self) -> Opened {
        let this = std::mem::take(self);
        Opened { tracks: this.tracks, frames: this.frames, undecodable: this.undecodable }
    }

    /// Whether anything is held.
    pub(crate) fn has_frames(&self) -> bool {
        !self.frames.is_empty()
    }

    fn has(&self, kind: Kind) -> bool {
        self.tracks.iter().any(|track| track.kind == kind)
    }
}
