//! One run on its way into segments: the leading track says where they end, the others follow.

use std::collections::VecDeque;

use media::{Packet, Ticks, TrackId};

use super::cutter::{Cut, Cutter};
use super::part::{Made, Part, Step};
use super::rendition::Rendition;
use super::running;
use crate::{Effect, Effects, Error, Warning};

/// How much media of the leading track a finished segment waits for the other track, in microseconds.
const LAG_US: i64 = 1_000_000;
/// Most payload that waits in open segments. A segment is cut where it is reached; without it a run of huge
/// frames within the target duration would be limited by nothing.
const MAX_OPEN_BYTES: usize = 64 << 20;

/// A run that is being cut.
pub(super) struct Live {
    /// Its tracks, the leading one first: the first video track, or the first audio track where there is none.
    renditions: Vec<Rendition>,
    begun: bool,
    ends: VecDeque<i64>,
}

/// The same stretch of media in every rendition of a run: one media sequence number.
pub(super) struct Span {
    /// Its renditions, the leading one first.
    pub pieces: Vec<(TrackId, Part)>,
}

impl Span {
    /// A segment of one part in each rendition.
    pub(super) fn steps(self) -> impl Iterator<Item = Made> {
        self.pieces.into_iter().flat_map(|(track, part)| [(track, Step::Part(part)), (track, Step::Closed)])
    }

    /// The longest of its pieces, in microseconds.
    pub(super) fn longest(&self) -> i64 {
        self.pieces.iter().map(|(_, piece)| piece.duration).max().unwrap_or(0)
    }
}

impl Live {
    /// For `renditions` of a run, the leading one first.
    pub(super) fn new(renditions: Vec<Rendition>) -> Self {
        Self { renditions, begun: false, ends: VecDeque::new() }
    }

    /// Its tracks, the leading one first.
    pub(super) fn renditions(&self) -> impl Iterator<Item = &Rendition> {
        self.renditions.iter()
    }

    /// Its tracks, to learn of them.
    pub(super) fn renditions_mut(&mut self) -> impl Iterator<Item = &mut Rendition> {
        self.renditions.iter_mut()
    }

    /// Takes a packet; segments that it completes go to `out`.
    pub(super) fn packet(
        &mut self,
        packet: &Packet,
        cutter: &mut Cutter,
        out: &mut Vec<Span>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        match self.renditions.iter().position(|r| r.id() == packet.track) {
            Some(0) => self.lead(packet, cutter, fx),
            Some(at) => self.follow(at, packet, cutter),
            None => return Ok(()),
        }
        self.hand_out(out, fx)
    }

    /// A key frame of the leading track has come that is no packet yet: what is before it need not wait for that.
    pub(super) fn key_frame(
        &mut self,
        (dts, pts): (Ticks, Ticks),
        cutter: &mut Cutter,
        out: &mut Vec<Span>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        let place = self.renditions.first().filter(|_| self.begun).and_then(|lead| lead.place(dts, pts));
        let Some(cut) = place.and_then(|(at, shown)| cutter.before_key(at, shown)) else { return Ok(()) };
        self.end_at(cut, fx);
        self.hand_out(out, fx)
    }

    fn hand_out(&mut self, out: &mut Vec<Span>, fx: &mut Effects) -> Result<(), Error> {
        self.complete(out)?;
        if !out.is_empty() {
            running::report(self.renditions.iter_mut(), fx);
        }
        Ok(())
    }

    /// Ends the run: what waits becomes its last segments, none longer than `cutter` allows.
    pub(super) fn finish(&mut self, cutter: &mut Cutter, out: &mut Vec<Span>) -> Result<(), Error> {
        while let Some(end) = self.ends.pop_front() {
            out.push(self.close(|r| r.take(end))?);
        }
        let Some(first) = self.first() else { return Ok(()) };
        if !self.begun {
            self.begin(first, cutter);
        }
        let latest = cutter.start().saturating_add(cutter.limit());
        let mut span = self.close(|r| r.take_rest(latest))?;
        let longest = span.longest();
        for (_, piece) in span.pieces.iter_mut().filter(|(_, piece)| piece.body.is_empty()) {
            piece.duration = longest;
        }
        out.extend((longest > 0).then_some(span));
        Ok(())
    }

    /// Whether the run has not ended a segment yet and is shorter than `micros`.
    pub(super) fn younger_than(&self, micros: i64, cutter: &Cutter) -> bool {
        let end = self.renditions.iter().map(Rendition::end).max().unwrap_or(0);
        !self.begun || (self.ends.is_empty() && end.saturating_sub(cutter.start()) < micros)
    }

    /// A packet of the leading track: cut before it, then take it.
    fn lead(&mut self, packet: &Packet, cutter: &mut Cutter, fx: &mut Effects) {
        let Some((at, end)) = self.renditions.first_mut().and_then(|r| r.span(packet)) else { return };
        if !self.begun {
            self.begin(at, cutter);
        }
        let shown = self.renditions.first().filter(|_| packet.key);
        let shown = shown.map(|lead| lead.track().timescale.micros(packet.pts()));
        while let Some(cut) = cutter.before(at, end, shown) {
            self.end_at(cut, fx);
        }
        if self.waiting_bytes() + packet.data.len() > MAX_OPEN_BYTES && at > cutter.start() {
            self.end_at(Cut { forced: !packet.key, ..cutter.force(at) }, fx);
        }
        if let Some(leading) = self.renditions.first_mut() {
            leading.push(packet);
        }
    }

    /// A packet of another track. If it gets too far ahead the leading one has stalled: segments go on without.
    fn follow(&mut self, at: usize, packet: &Packet, cutter: &mut Cutter) {
        let Some(follower) = self.renditions.get_mut(at) else { return };
        if follower.span(packet).is_none() {
            return;
        }
        follower.push(packet);
        let end = follower.end();
        let first = self.first().unwrap_or_default();
        if !self.begun && (end - first > cutter.limit() + LAG_US || self.waiting_bytes() > MAX_OPEN_BYTES) {
            self.begin(first, cutter);
        }
        while self.begun && cutter.outgrown(end - LAG_US) {
            self.ends.push_back(cutter.lapse().at);
        }
        if self.begun && self.waiting_bytes() > MAX_OPEN_BYTES && end > cutter.start() {
            self.ends.push_back(cutter.force(end).at);
        }
    }

    /// The first segment of the run begins at `at` in every rendition.
    fn begin(&mut self, at: i64, cutter: &mut Cutter) {
        self.begun = true;
        cutter.begin(at);
        for rendition in &mut self.renditions {
            rendition.begin(at);
        }
    }

    /// Hands out the segments that nobody waits for any more.
    fn complete(&mut self, out: &mut Vec<Span>) -> Result<(), Error> {
        while let Some(&end) = self.ends.front() {
            let full = self.waiting_bytes() > MAX_OPEN_BYTES;
            let late = self.renditions.first().is_none_or(|lead| lead.end() >= end.saturating_add(LAG_US));
            let reached = self.renditions.iter().skip(1).all(|follower| follower.reaches(end));
            if !(full || late || reached) {
                break;
            }
            self.ends.pop_front();
            out.push(self.close(|r| r.take(end))?);
        }
        Ok(())
    }

    fn close(&mut self, take: impl Fn(&mut Rendition) -> Result<Part, Error>) -> Result<Span, Error> {
        let pieces = self.renditions.iter_mut().map(|r| Ok((r.id(), take(r)?)));
        Ok(Span { pieces: pieces.collect::<Result<_, Error>>()? })
    }

    /// Start of the earliest frame that waits, in microseconds.
    fn first(&self) -> Option<i64> {
        self.renditions.iter().filter_map(Rendition::first).min()
    }

    fn waiting_bytes(&self) -> usize {
        self.renditions.iter().map(Rendition::bytes).sum()
    }

    fn end_at(&mut self, cut: Cut, fx: &mut Effects) {
        if cut.forced {
            fx.push(Effect::Warn(Warning::ForcedCut { micros: cut.at - cut.from }));
        }
        self.ends.push_back(cut.at);
    }
}
