//! Jumps, stalls and outliers, on the sender's milliseconds (design §7 rule 1).
//!
//! A timestamp within a second of where its neighbours are is believed, unless it falls back by more than frames in
//! disorder do. One further on is believed if it took about as long to arrive: the source stalled. Any other is held
//! back until the next ones of its track tell: if they follow it, time jumped and all of them go on where the old
//! timeline ended; if one follows the old timeline, it was an outlier and is moved there. One frame tells of a jump by
//! more than a second, two of a shorter one.

use media::{TrackId, Wall};
use output::Warning;

use crate::demux::Frame;

/// Distance up to which a timestamp is believed, in milliseconds.
const JUMP_MILLIS: i64 = 1_000;
/// How far a track may fall back by disorder, in milliseconds, unless two of its frames last longer.
const DISORDER_MILLIS: i64 = 100;
/// How long after another track one that jumps as far has part in the same jump, in milliseconds: senders interleave
/// within a second.
const SAME_JUMP_MILLIS: i64 = 2_000;
/// Duration to assume for a frame until one is known, in milliseconds.
const FIRST_DURATION_MILLIS: i64 = 33;

/// What became of frames that went in.
#[derive(Debug)]
pub(crate) enum Repaired {
    /// A frame; `millis` is now on the session's timeline.
    Frame(Frame),
    /// From the next frame of this track on, time had jumped; said once of a jump that several tracks have part in.
    Jumped,
    /// Something an operator should know.
    Warn(Warning),
}

/// Repairs the timestamps of one connection.
#[derive(Debug)]
pub(crate) struct Repair {
    /// Session time minus sender's time of a track that nothing else is known of, in milliseconds.
    offset: i64,
    /// The track that the last frame was of comes first.
    lanes: Vec<Lane>,
}

/// One track's view of its sender's clock.
#[derive(Debug)]
struct Lane {
    track: TrackId,
    /// Session time minus sender's time, in milliseconds.
    offset: i64,
    /// The last believed frame: sender's time and arrival.
    last: Option<(i64, Wall)>,
    /// Last distance between believed frames, in milliseconds.
    step: i64,
    /// Session time at which it jumped last.
    jumped: Option<i64>,
    /// Frames that may be outliers or the first after a jump; not more than two.
    suspects: Vec<Frame>,
}

impl Repair {
    /// A connection whose sender's time `origin` is session time `at`, both in milliseconds.
    pub(crate) fn new(origin: i64, at: i64) -> Self {
        Self { offset: at - origin, lanes: Vec::new() }
    }

    /// Takes the next frame in order of arrival and appends what became of it.
    pub(crate) fn push(&mut self, frame: Frame, out: &mut Vec<Repaired>) {
        self.turn_to(frame.track);
        let Some((lane, others)) = self.lanes.split_first_mut() else { return };
        if lane.believes(&frame, others) {
            lane.clamp(others, out);
            return lane.emit(frame, out);
        }
        if !lane.suspects.last().is_none_or(|last| lane.follows(&frame, last)) {
            lane.clamp(others, out);
        }
        let told = if lane.is_short_of_a_second(&frame) { 2 } else { 1 };
        lane.suspects.push(frame);
        if lane.suspects.len() > told {
            lane.jump(others, out);
        }
    }

    /// Lets go of what is held: nothing follows.
    pub(crate) fn finish(&mut self, out: &mut Vec<Repaired>) {
        let mut tracks: Vec<TrackId> = self.lanes.iter().map(|lane| lane.track).collect();
        tracks.sort_unstable();
        for track in tracks {
            self.turn_to(track);
            if let Some((lane, others)) = self.lanes.split_first_mut() {
                lane.clamp(others, out);
            }
        }
    }

    /// Brings the lane of `track` to the front. A new one goes by the clock of the others, which may have jumped.
    fn turn_to(&mut self, track: TrackId) {
        match self.lanes.iter().position(|lane| lane.track == track) {
            Some(at) => self.lanes.swap(0, at),
            None => {
                let offset = self.lanes.first().map_or(self.offset, |lane| lane.offset);
                let step = FIRST_DURATION_MILLIS;
                let suspects = Vec::new();
                self.lanes.insert(0, Lane { track, offset, last: None, step, jumped: None, suspects });
            }
        }
    }
}

impl Lane {
    fn believes(&self, frame: &Frame, others: &[Lane]) -> bool {
        let time = frame.millis + self.offset;
        if self.fell_back(time) {
            return false;
        }
        let mut lasts = std::iter::once(self).chain(others).filter_map(Lane::reached).peekable();
        lasts.peek().is_none()
            || lasts.any(|(last, at)| {
                near(last, time) || stalled(time - last, frame.received.micros_since(at) / 1_000)
            })
    }

    /// Whether session time `time` is further back than disorder explains: more than two frames before it is due.
    fn fell_back(&self, time: i64) -> bool {
        let held = i64::try_from(self.suspects.len()).unwrap_or(0) * self.step;
        match (self.reached(), self.due()) {
            (Some((last, _)), Some(due)) => {
                time < last && due + held - time > DISORDER_MILLIS.max(2 * self.step)
            }
            _ => false,
        }
    }

    /// Whether `frame` is where it could be if the time of `before`, which is held, were right.
    fn follows(&self, frame: &Frame, before: &Frame) -> bool {
        let ahead = frame.millis - before.millis;
        ahead.abs() <= JUMP_MILLIS && (ahead >= 0 || !self.is_short_of_a_second(before))
    }

    /// Whether a frame that is not believed is off by less than a second.
    fn is_short_of_a_second(&self, frame: &Frame) -> bool {
        self.due().is_some_and(|due| near(due, frame.millis + self.offset))
    }

    /// Session time of the last frame, and when it arrived.
    fn reached(&self) -> Option<(i64, Wall)> {
        self.last.map(|(millis, at)| (millis + self.offset, at))
    }

    /// Session time at which the next frame is due.
    fn due(&self) -> Option<i64> {
        self.last.map(|(last, _)| last + self.step + self.offset)
    }

    /// Session time of the last frame of any of `others`.
    fn now(others: &[Lane]) -> Option<i64> {
        others.iter().filter_map(Lane::reached).map(|(time, _)| time).max()
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

    /// The frames held are outliers: they come one after the other when they are due.
    fn clamp(&mut self, others: &[Lane], out: &mut Vec<Repaired>) {
        for mut suspect in std::mem::take(&mut self.suspects) {
            let due = self.due().or(Self::now(others)).map_or(suspect.millis, |due| due - self.offset);
            out.push(Repaired::Warn(Warning::Outlier { millis: suspect.millis - due }));
            suspect.millis = due;
            self.emit(suspect, out);
        }
    }

    /// Time jumped with the first of the frames held.
    fn jump(&mut self, others: &[Lane], out: &mut Vec<Repaired>) {
        let suspects = std::mem::take(&mut self.suspects);
        let Some(first) = suspects.first().map(|first| first.millis) else { return };
        let due = self.due().or(Self::now(others)).unwrap_or(first + self.offset);
        let by = first + self.offset - due;
        // If another track jumped before and its new clock fits, both stay in step.
        let fits = |other: &&Lane| {
            let off = (first + other.offset - due).abs();
            other.last.is_some() && off <= JUMP_MILLIS && 2 * off < by.abs()
        };
        let other = others.iter().find(fits);
        if other.is_some() || !self.comes_back(first + self.offset, due, others) {
            let known =
                other.and_then(|other| other.jumped).is_some_and(|at| (due - at).abs() <= SAME_JUMP_MILLIS);
            self.offset = other.map_or(due - first, |other| other.offset);
            if !known {
                out.push(Repaired::Warn(Warning::Jump { millis: by }));
                out.push(Repaired::Jumped);
            }
            (self.last, self.jumped) = (None, Some(due));
        }
        for suspect in suspects {
            self.emit(suspect, out);
        }
    }

    /// Whether this track is at session time `time` instead of `due` because it had run ahead of the others: then it
    /// must not stay ahead.
    fn comes_back(&self, time: i64, due: i64, others: &[Lane]) -> bool {
        let back = time < due && near(time, due);
        back && Self::now(others).is_some_and(|now| 2 * (time - now).abs() < (due - now).abs())
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
