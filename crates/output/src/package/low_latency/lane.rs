//! One rendition of a run on its way into parts.

use std::collections::VecDeque;

use super::super::frame::{Frame, ticks};
use super::super::part::{Made, Part, Step};
use super::super::rendition::Rendition;
use super::Ahead;
use super::mux::Mux;
use super::target::part_target;
use crate::Error;

/// A hole between two frames that is only rounding, in microseconds; what is longer is listed as lost.
const ROUNDING_US: i64 = 5_000;
/// How late the first frame of a run may be without something being lost, in microseconds.
const LATE_START_US: i64 = 200_000;
/// How much longer than its pictures a run's sound is when the encoder ends both at once, in microseconds at most.
const TRAILING_US: i64 = 200_000;
/// Least that a part has of PART-TARGET, in percent, but for the last of a segment (packaging-rules L-05).
const LEAST_PERCENT: i64 = 85;

/// A rendition whose frames become parts.
pub(super) struct Lane {
    /// Its frames that wait.
    pub feed: Rendition,
    mux: Mux,
    target: Option<i64>,
    /// Where segments end that it has not reached, in microseconds.
    cuts: VecDeque<i64>,
    /// Frames of the part that is open.
    frames: Vec<Frame>,
    /// Where that part begins.
    from: i64,
    /// How far the list goes, the open part included; `None` before its first frame.
    position: Option<i64>,
    begin: i64,
    /// How long the next frame is expected to be.
    expected: i64,
    /// The open segment has a part.
    begun: bool,
    /// The open segment has media.
    headed: bool,
    short: u64,
}

impl Lane {
    /// For the frames of `feed`, in parts of at most `target` microseconds if that is known.
    pub(super) fn new(feed: Rendition, mux: Mux, target: Option<i64>) -> Self {
        Self {
            feed,
            mux,
            target,
            cuts: VecDeque::new(),
            frames: Vec::new(),
            from: 0,
            position: None,
            begin: 0,
            expected: 0,
            begun: false,
            headed: false,
            short: 0,
        }
    }

    /// What is in its segments beside its own track.
    pub(super) fn mux(&self) -> &Mux {
        &self.mux
    }

    /// The same, to take packets.
    pub(super) fn mux_mut(&mut self) -> &mut Mux {
        &mut self.mux
    }

    /// What remains of it when the run is over.
    pub(super) fn into_mux(self) -> Mux {
        self.mux
    }

    /// PART-TARGET in microseconds.
    pub(super) fn target(&self) -> Option<i64> {
        self.target
    }

    /// Fixes PART-TARGET by the frames that wait.
    pub(super) fn fix_target(&mut self, part_us: i64, at_most: Option<i64>) {
        let target = part_target(&self.feed, part_us, at_most);
        self.target.get_or_insert(target);
        let (_, ticks, frames) = self.feed.waiting();
        self.feed.measure(frames, self.feed.micros(ticks));
    }

    /// Payload bytes that wait.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.feed.bytes() + self.mux.sound().map_or(0, Rendition::bytes)
    }

    /// The run's first segment begins at `at`.
    pub(super) fn begin(&mut self, at: i64) {
        self.begin = at;
        self.feed.begin(at);
        if let Some(sound) = self.mux.sound_mut() {
            sound.begin(at);
        }
    }

    /// A segment ends at `at`.
    pub(super) fn cut(&mut self, at: i64) {
        self.cuts.push_back(at);
    }

    /// Whether its open segment has anything.
    pub(super) fn is_open(&self) -> bool {
        self.begun || !self.frames.is_empty()
    }

    /// How far it has got, in microseconds.
    pub(super) fn position(&self) -> i64 {
        self.position.unwrap_or(self.begin)
    }

    /// Parts since the last call that are too short though their segment went on.
    pub(super) fn take_short(&mut self) -> u64 {
        std::mem::take(&mut self.short)
    }

    /// Makes parts of what waits and may go ahead.
    pub(super) fn advance(&mut self, ahead: &Ahead, out: &mut Vec<Made>) -> Result<(), Error> {
        loop {
            let cut = self.cuts.front().copied();
            let ready = cut.filter(|&cut| ahead.complete(&self.feed, cut));
            let until = match (ready, cut) {
                (Some(cut), _) => self.feed.own_cut(cut),
                (None, Some(cut)) => ahead.until(&self.feed).min(cut.saturating_sub(self.feed.snap_us())),
                (None, None) => ahead.until(&self.feed),
            };
            while let Some(frame) = self.feed.next_before(until) {
                self.add(frame, out)?;
            }
            if ready.is_none() {
                return Ok(());
            }
            self.cuts.pop_front();
            self.close(until, out)?;
        }
    }

    /// Ends the open part and the open segment, which goes to `at` at least.
    pub(super) fn close(&mut self, at: i64, out: &mut Vec<Made>) -> Result<(), Error> {
        self.finish_part(out)?;
        if at - self.position() > ROUNDING_US {
            self.fill(at, out);
        }
        if !self.begun {
            // Numbers must stay in step, whatever there is to list.
            self.fill(self.position() + 1_000, out);
        }
        self.feed.settle(self.position());
        out.push((self.feed.id(), Step::Closed));
        (self.begun, self.headed) = (false, false);
        Ok(())
    }

    /// Ends the open part of a run that is over, with the sound that no picture comes beside any more, up to `latest`.
    ///
    /// An encoder's last frames of sound belong to the last part that has pictures, and that is as long as these are
    /// (packaging-rules H-13). Where that part is listed already, or sound has gone on for longer, they have parts of
    /// their own, and what was open is filled up to be a whole part (packaging-rules L-05).
    pub(super) fn finish(&mut self, latest: i64, out: &mut Vec<Made>) -> Result<(), Error> {
        let sound = self.mux.sound().filter(|sound| sound.first().is_some_and(|first| first < latest));
        let Some(end) = sound.map(|sound| sound.end().min(latest)) else { return self.finish_part(out) };
        if end - self.position() <= TRAILING_US && !self.frames.is_empty() {
            return self.finish_part_with(end, out);
        }
        if !self.frames.is_empty() {
            let target = self.target.unwrap_or(i64::MAX);
            self.position = Some(end.min(self.from.saturating_add(target)));
            self.finish_part_with(self.position(), out)?;
        }
        self.fill(end.max(self.position() + 1_000), out);
        Ok(())
    }

    /// Ends the open part.
    fn finish_part(&mut self, out: &mut Vec<Made>) -> Result<(), Error> {
        self.finish_part_with(i64::MIN, out)
    }

    /// Ends the open part; sound that begins before `until` belongs to it, however long its pictures are.
    fn finish_part_with(&mut self, until: i64, out: &mut Vec<Made>) -> Result<(), Error> {
        let frames = std::mem::take(&mut self.frames);
        if frames.is_empty() {
            return Ok(());
        }
        let part = Part {
            from: self.from,
            duration: self.position() - self.from,
            frames: frames.len(),
            independent: frames.iter().any(|frame| frame.sample.key),
            key: frames.first().is_some_and(|frame| frame.sample.key),
            ticks: ticks(&frames),
            body: self.mux.part(&mut self.feed, frames, !self.headed, until)?,
        };
        (self.begun, self.headed) = (true, true);
        out.push((self.feed.id(), Step::Part(part)));
        Ok(())
    }

    fn add(&mut self, frame: Frame, out: &mut Vec<Made>) -> Result<(), Error> {
        let (at, end) = (self.feed.micros(frame.dts), self.feed.micros(frame.end()));
        let place = self.reach(at, out)?;
        let target = self.target.unwrap_or(i64::MAX);
        if !self.frames.is_empty() && end - self.from > target {
            self.count_short(target);
            self.finish_part(out)?;
        }
        if self.frames.is_empty() {
            self.from = place;
            self.expected = end - at;
        }
        self.expected = self.expected.min(end - at);
        self.frames.push(frame);
        // A frame that outlasts a part is not listed longer: what remains of it is lost to the list, not to players.
        self.position = Some(end.min(self.from.saturating_add(target)));
        let duration = self.position() - self.from;
        if duration + self.expected > target && duration * 100 >= target * LEAST_PERCENT {
            self.finish_part(out)?;
        }
        Ok(())
    }

    /// Where a frame that begins at `at` has its place: what is lost before it is listed as such.
    fn reach(&mut self, at: i64, out: &mut Vec<Made>) -> Result<i64, Error> {
        let (position, most) = match self.position {
            Some(position) => (position, ROUNDING_US),
            None if at - self.begin <= LATE_START_US => (at, 0),
            None => (self.begin, 0),
        };
        self.position = Some(position);
        if at - position > most {
            self.finish_part(out)?;
            self.fill(at, out);
        }
        Ok(self.position())
    }

    /// Lists what has no frames up to `until`, in parts.
    fn fill(&mut self, until: i64, out: &mut Vec<Made>) {
        let target = self.target.unwrap_or(until - self.position()).max(1_000);
        while self.position() < until {
            let from = self.position();
            let end = until.min(from + target);
            let part = Part { body: self.mux.rest(end), ..Part::gap(from, end - from) };
            self.headed |= !part.body.is_empty();
            self.begun = true;
            self.position = Some(end);
            out.push((self.feed.id(), Step::Part(part)));
        }
    }

    fn count_short(&mut self, target: i64) {
        let independent = self.frames.iter().any(|frame| frame.sample.key);
        if !independent && (self.position() - self.from) * 100 < target * LEAST_PERCENT {
            self.short += 1;
        }
    }
}
