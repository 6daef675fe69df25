//! Which tracks a publish has: decided from data, with a bounded wait (design §7 rule 4).

use std::collections::VecDeque;

use media::{Codec, Kind, Wall};

use crate::demux::Frame;

/// Longest wait for a second track, in milliseconds of media.
const WAIT_MEDIA_MILLIS: i64 = 1_000;
/// Longest wait for a second track in microseconds of wall time, for publishers that send no media.
const WAIT_WALL_MICROS: i64 = 2_000_000;
/// Most bytes held while waiting; beyond, the wait is over.
const MAX_BYTES: usize = 16 << 20;
/// Most frames held while waiting; beyond, the wait is over.
const MAX_FRAMES: usize = 4_096;

/// Holds the first frames of a publish until its tracks are known.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    frames: VecDeque<Frame>,
    bytes: usize,
    since: Option<Wall>,
    undecodable: u64,
}

/// What the wait brought.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Whether there is video that can be decoded.
    pub video: bool,
    /// Whether there is audio.
    pub audio: bool,
    /// The frames held, video from its first key frame on.
    pub frames: VecDeque<Frame>,
    /// Video frames before the first key frame, left out.
    pub undecodable: u64,
}

impl Opened {
    /// The sender's time that the session's timeline goes on at: the earliest of the frames, but for those
    /// whose clock has nothing to do with the first one's.
    pub(crate) fn origin(&self) -> i64 {
        let first = self.frames.front().map_or(0, |frame| frame.millis);
        let near = |millis: &i64| (millis - first).abs() <= WAIT_MEDIA_MILLIS;
        self.frames.iter().map(|frame| frame.millis).filter(near).min().unwrap_or(first)
    }
}

impl Opening {
    /// Takes a frame whose decoder configuration is known.
    pub(crate) fn push(&mut self, frame: Frame) {
        self.since.get_or_insert(frame.received);
        if frame.kind == Kind::Video && !frame.key && !self.has(Kind::Video) {
            self.undecodable += 1;
            return;
        }
        self.bytes += frame.data.len();
        self.frames.push_back(frame);
    }

    /// Notes that something arrived, so that the wait in wall time begins.
    pub(crate) fn touch(&mut self, at: Wall) {
        self.since.get_or_insert(at);
    }

    /// Whether to go on with what is there: both kinds seen, or waited long enough.
    pub(crate) fn ready(&self, now: Wall) -> bool {
        let both = self.has(Kind::Video) && self.has(Kind::Audio);
        let span = match (self.frames.front(), self.frames.back()) {
            (Some(first), Some(last)) => (last.millis - first.millis).abs(),
            _ => 0,
        };
        let waited = self.since.is_some_and(|since| now.micros_since(since) >= WAIT_WALL_MICROS);
        let full = self.bytes >= MAX_BYTES || self.frames.len() >= MAX_FRAMES;
        !self.frames.is_empty() && (both || span >= WAIT_MEDIA_MILLIS || waited || full)
    }

    /// When [`Opening::ready`] turns true without further media.
    pub(crate) fn deadline(&self) -> Option<Wall> {
        if self.frames.is_empty() { None } else { self.since.map(|at| at.plus_micros(WAIT_WALL_MICROS)) }
    }

    /// Ends the wait.
    pub(crate) fn open(&mut self) -> Opened {
        let (video, audio) = (self.has(Kind::Video), self.has(Kind::Audio));
        let this = std::mem::take(self);
        Opened { video, audio, frames: this.frames, undecodable: this.undecodable }
    }

    /// Whether anything is held.
    pub(crate) fn has_frames(&self) -> bool {
        !self.frames.is_empty()
    }

    fn has(&self, kind: Kind) -> bool {
        self.frames.iter().any(|frame| frame.kind == kind)
    }
}

/// The decoder configurations that the publisher sent last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configs {
    video: Option<Codec>,
    audio: Option<Codec>,
}

impl Configs {
    pub(crate) fn get(&self, kind: Kind) -> Option<&Codec> {
        match kind {
            Kind::Video => self.video.as_ref(),
            Kind::Audio => self.audio.as_ref(),
        }
    }

    pub(crate) fn set(&mut self, kind: Kind, codec: Codec) {
        match kind {
            Kind::Video => self.video = Some(codec),
            Kind::Audio => self.audio = Some(codec),
        }
    }
}
