//! One run on its way into segments: the leading track says where they end, the other one follows.

use std::collections::VecDeque;

use media::{Packet, Run};

use super::cutter::{Cut, Cutter};
use super::rendition::{Piece, Rendition};
use crate::{Effect, Effects, Error, Warning};

/// How much media of the leading track a finished segment waits for the other track, in microseconds.
const LAG_US: i64 = 1_000_000;
/// Most payload that waits in open segments. A segment is cut where it is reached; without it a run of huge
/// frames within the target duration would be limited by nothing.
const MAX_OPEN_BYTES: usize = 64 << 20;

/// A run that is being cut.
pub(super) struct Live {
    /// The run.
    pub run: Run,
    /// Its main video track.
    pub video: Option<Rendition>,
    /// Its main audio track.
    pub audio: Option<Rendition>,
    begun: bool,
    ends: VecDeque<i64>,
}

/// The same stretch of media in every rendition of a run: one media sequence number.
pub(super) struct Span {
    /// Its video, if the run has video.
    pub video: Option<Piece>,
    /// Its audio, if the run has audio.
    pub audio: Option<Piece>,
}

impl Span {
    /// The piece of the leading track.
    pub(super) fn lead(&self) -> Option<&Piece> {
        self.video.as_ref().or(self.audio.as_ref())
    }

    /// The longest of its pieces, in microseconds.
    pub(super) fn longest(&self) -> i64 {
        self.pieces().map(|p| p.duration).max().unwrap_or(0)
    }

    /// Bytes of all renditions.
    pub(super) fn bytes(&self) -> u64 {
        self.pieces().map(|p| p.bytes).sum()
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.video.iter().chain(&self.audio)
    }
}

impl Live {
    /// For the main tracks of `run`.
    pub(super) fn new(run: &Run) -> Result<Self, Error> {
        Ok(Self {
            run: run.clone(),
            video: run.video().map(Rendition::new).transpose()?,
            audio: run.audio().map(Rendition::new).transpose()?,
            begun: false,
            ends: VecDeque::new(),
        })
    }

    /// Takes a packet; segments that it completes go to `out`.
    pub(super) fn packet(
        &mut self,
        packet: &Packet,
        cutter: &mut Cutter,
        out: &mut Vec<Span>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        match (&mut self.video, &mut self.audio) {
            (Some(video), _) if packet.track == video.track().id => self.lead(packet, cutter, fx),
            (None, Some(audio)) if packet.track == audio.track().id => self.lead(packet, cutter, fx),
            (Some(_), Some(audio)) if packet.track == audio.track().id => self.follow(packet, cutter),
            // Further tracks of a multitrack stream are not packaged.
            _ => {}
        }
        self.complete(out)?;
        if !out.is_empty() {
            self.report(fx);
        }
        Ok(())
    }

    /// Ends the run: what waits becomes its last segments, none longer than `cutter` allows.
    pub(super) fn finish(&mut self, cutter: &mut Cutter, out: &mut Vec<Span>) -> Result<(), Error> {
        while let Some(end) = self.ends.pop_front() {
            out.push(self.close(|r| r.take(end))?);
        }
        let Some(first) = self.renditions().filter_map(Rendition::first).min() else { return Ok(()) };
        if !self.begun {
            self.begin(first, cutter);
        }
        let latest = cutter.start().saturating_add(cutter.limit());
        let mut span = self.close(|r| r.take_rest(latest))?;
        let longest = span.longest();
        for piece in [&mut span.video, &mut span.audio].into_iter().flatten().filter(|p| p.body.is_none()) {
            piece.duration = longest;
        }
        out.extend((longest > 0).then_some(span));
        Ok(())
    }

    /// Whether the run has not ended a segment yet and is shorter than `micros`.
    pub(super) fn younger_than(&self, micros: i64, cutter: &Cutter) -> bool {
        let end = self.renditions().map(Rendition::end).max().unwrap_or(0);
        !self.begun || (self.ends.is_empty() && end.saturating_sub(cutter.start()) < micros)
    }

    /// A packet of the leading track: cut before it, then take it.
    fn lead(&mut self, packet: &Packet, cutter: &mut Cutter, fx: &mut Effects) {
        let Some((at, end)) = self.leading().and_then(|r| r.span(packet)) else { return };
        if !self.begun {
            self.begin(at, cutter);
        }
        while let Some(cut) = cutter.before(at, end, packet.key) {
            self.end_at(cut, fx);
        }
        if self.waiting_bytes() + packet.data.len() > MAX_OPEN_BYTES && at > cutter.start() {
            self.end_at(Cut { forced: !packet.key, ..cutter.force(at) }, fx);
        }
        if let Some(leading) = self.leading() {
            leading.push(packet);
        }
    }

    /// A packet of audio beside video. If it gets too far ahead the video has stalled: segments go on without.
    fn follow(&mut self, packet: &Packet, cutter: &mut Cutter) {
        let Some(audio) = &mut self.audio else { return };
        if audio.span(packet).is_none() {
            return;
        }
        audio.push(packet);
        let (first, end) = (audio.first().unwrap_or_default(), audio.end());
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
        for rendition in self.video.iter_mut().chain(&mut self.audio) {
            rendition.begin(at);
        }
    }

    /// Hands out the segments that nobody waits for any more.
    fn complete(&mut self, out: &mut Vec<Span>) -> Result<(), Error> {
        while let Some(&end) = self.ends.front() {
            let full = self.waiting_bytes() > MAX_OPEN_BYTES;
            let late = self.video.as_ref().is_none_or(|v| v.end() >= end.saturating_add(LAG_US));
            let reached = self.audio.as_ref().is_none_or(|a| a.end() >= end);
            if !(full || late || reached) {
                break;
            }
            self.ends.pop_front();
            out.push(self.close(|r| r.take(end))?);
        }
        Ok(())
    }

    fn close(&mut self, mut take: impl FnMut(&mut Rendition) -> Result<Piece, Error>) -> Result<Span, Error> {
        Ok(Span {
            video: self.video.as_mut().map(&mut take).transpose()?,
            audio: self.audio.as_mut().map(&mut take).transpose()?,
        })
    }

    fn leading(&mut self) -> Option<&mut Rendition> {
        self.video.as_mut().or(self.audio.as_mut())
    }

    fn renditions(&self) -> impl Iterator<Item = &Rendition> {
        self.video.iter().chain(&self.audio)
    }

    fn waiting_bytes(&self) -> usize {
        self.renditions().map(Rendition::bytes).sum()
    }

    fn end_at(&mut self, cut: Cut, fx: &mut Effects) {
        if cut.forced {
            fx.push(Effect::Warn(Warning::ForcedCut { micros: cut.at - cut.from }));
        }
        self.ends.push_back(cut.at);
    }

    /// Once per segment, so that a stall is not a warning for each of its frames.
    fn report(&mut self, fx: &mut Effects) {
        let renditions = self.video.iter_mut().chain(&mut self.audio);
        let count: u64 = renditions.map(Rendition::take_dropped).sum();
        if count > 0 {
            fx.push(Effect::Warn(Warning::FramesDropped {
                count,
                why: "their segment is closed, or nothing to decode them from",
            }));
        }
    }
}
