//! Jumps, stalls and outliers, on the sender's milliseconds (design §7 rule 1).
//!
//! A timestamp within a second of where its neighbours are is believed. One further on is believed if it took
//! about as long to arrive: the source stalled. Any other is held back for one frame of its track: if the next
//! one follows it, time jumped and both go on where the old timeline ended; if the next one follows the old
//! timeline, it was a lone outlier and is moved there.

use media::{Kind, Wall};
use output::Warning;

use crate::demux::Frame;

/// Distance up to which a timestamp is believed, in milliseconds.
const JUMP_MILLIS: i64 = 1_000;
/// Duration to assume for a frame until one is known, in milliseconds.
const FIRST_DURATION_MILLIS: i64 = 33;

/// What became of frames that went in.
#[derive(Debug)]
pub(crate) enum Repaired {
    /// A frame; `millis` is now on the session's timeline.
    Frame(Frame),
    /// From the next frame of this track on, time had jumped.
    Jumped,
    /// Something an operator should know.
    Warn(Warning),
}

/// Repairs the timestamps of one connection.
#[derive(Debug)]
pub(crate) struct Repair {
    video: Lane,
    audio: Lane,
}

/// One track's view of its sender's clock.
#[derive(Debug)]
struct Lane {
    /// Session time minus sender's time, in milliseconds.
    offset: i64,
    /// The last believed frame: sender's time and arrival.
    last: Option<(i64, Wall)>,
    /// Last distance between believed frames, in milliseconds.
    step: i64,
    /// A frame that may be an outlier or the first after a jump.
    suspect: Option<Frame>,
}

impl Repair {
    /// A connection whose sender's time `origin` is session time `at`, both in milliseconds.
    pub(crate) fn new(origin: i64, at: i64) -> Self {
        let lane = || Lane { offset: at - origin, last: None, step: FIRST_DURATION_MILLIS, suspect: None };
        Self { video: lane(), audio: lane() }
    }

    /// Takes the next frame in order of arrival and appends what became of it.
    pub(crate) fn push(&mut self, frame: Frame, out: &mut Vec<Repaired>) {
        let (lane, other) = match frame.kind {
            Kind::Video => (&mut self.video, &self.audio),
            Kind::Audio => (&mut self.audio, &self.video),
        };
        if lane.believes(&frame, other) {
            if let Some(suspect) = lane.suspect.take() {
                lane.clamp(suspect, other, out);
            }
            return lane.emit(frame, out);
        }
        match lane.suspect.take() {
            Some(suspect) if near(suspect.millis, frame.millis) => lane.jump(suspect, frame, other, out),
            Some(suspect) => {
                lane.clamp(suspect, other, out);
                lane.suspect = Some(frame);
            }
            None => lane.suspect = Some(frame),
        }
    }

    /// Lets go of what is held: nothing follows.
    pub(crate) fn finish(&mut self, out: &mut Vec<Repaired>) {
        if let Some(suspect) = self.video.suspect.take() {
            self.video.clamp(suspect, &self.audio, out);
        }
        if let Some(suspect) = self.audio.suspect.take() {
            self.audio.clamp(suspect, &self.video, out);
        }
    }
}

impl Lane {
    fn believes(&self, frame: &Frame, other: &Lane) -> bool {
        let time = frame.millis + self.offset;
        let lasts = [self, other].map(|lane| lane.last.map(|(millis, at)| (millis + lane.offset, at)));
        lasts == [None, None]
            || lasts.into_iter().flatten().any(|(last, at)| {
                near(last, time) || stalled(time - last, frame.received.micros_since(at) / 1_000)
            })
    }

    /// Session time at which the next frame is due.
    fn due(&self) -> Option<i64> {
        self.last.map(|(last, _)| last + self.step + self.offset)
    }

    /// Session time of the last frame.
    fn now(&self) -> Option<i64> {
        self.last.map(|(last, _)| last + self.offset)
    }

    fn emit(&mut self, mut frame: Frame, out: &mut Vec<Repaired>) {
        if let Some((last, _)) = self.last
            && (1..=JUMP_MILLIS).contains(&(frame.millis - last))
        {
            self.step = frame.millis - last;
        }
        self.last = Some((frame.millis, frame.received));
        frame.millis += self.offset;
        out.push(Repaired::Frame(frame));
    }

    fn clamp(&mut self, mut suspect: Frame, other: &Lane, out: &mut Vec<Repaired>) {
        let due = self.due().or(other.now()).map_or(suspect.millis, |due| due - self.offset);
        out.push(Repaired::Warn(Warning::Outlier { millis: suspect.millis - due }));
        suspect.millis = due;
        self.emit(suspect, out);
    }

    fn jump(&mut self, suspect: Frame, frame: Frame, other: &Lane, out: &mut Vec<Repaired>) {
        let due = self.due().or(other.now()).unwrap_or(suspect.millis + self.offset);
        let by = suspect.millis + self.offset - due;
        // If the other track jumped before and its new clock fits, both stay in step.
        let follows = near(suspect.millis + other.offset, due) && other.last.is_some();
        self.offset = if follows { other.offset } else { due - suspect.millis };
        out.push(Repaired::Warn(Warning::Jump { millis: by }));
        out.push(Repaired::Jumped);
        self.last = None;
        self.emit(suspect, out);
        self.emit(frame, out);
    }
}

fn near(a: i64, b: i64) -> bool {
    (a - b).abs() <= JUMP_MILLIS
}

/// Whether waiting `waited` milliseconds explains a step of `step` milliseconds: three quarters of it, since a
/// sender's queue drains faster than real time.
fn stalled(step: i64, waited: i64) -> bool {
    step > 0 && waited >= step / 4 * 3 && waited <= step.saturating_mul(4)
}
