//! Live packaging: a window of CMAF segments and the playlists of it (design §8, packaging-rules §1 and §3).
//!
//! `cutter` says where segments end, `live` cuts the current run there, `rendition` turns one track's
//! frames into CMAF, `listing` says what a segment's lines are, `window` keeps the list and makes what the
//! origin serves of it, `measure` knows the rates that the multivariant playlist states.

use std::collections::BTreeMap;
use std::sync::Arc;

use media::{Gap, Packet, Run, StreamId, TrackId, Wall};

use crate::{Context, Effect, Effects, Error, Event, Output, Warning};
use cutter::Cutter;
use listing::{Listing, Running};
use live::{Live, Span};
use measure::Rates;
use rendition::Rendition;
use window::{Entry, List};

mod cutter;
mod listing;
mod live;
mod measure;
mod multivariant;
mod naming;
mod rendition;
mod window;

#[cfg(test)]
mod tests;

/// Counter of media sequence numbers in [`crate::Memory`].
const SEQUENCE: &str = "package/sequence";
/// How many numbers ahead the remembered counter is: it is written once per as many segments.
const REMEMBER_AHEAD: u64 = 60;
/// A run shorter than this, in microseconds, is thrown away if nothing was published before: an encoder that only
/// settles its tracks and timestamps must not fix the target duration.
const SETTLING_US: i64 = 2_000_000;

/// What the template asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How it is packaged.
    pub protocol: Protocol,
    /// SegmentNum: segments in the playlist, 3 to 10.
    pub segment_count: u32,
    /// SegmentDuration in seconds.
    pub segment_duration_s: u32,
    /// Seconds after which a source that is gone stays gone.
    pub reconnect_window_s: u32,
}

/// Seed `004_0006f455261b9fff.txt`, Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HLS over CMAF.
    HlsCmaf,
}

/// Packages one session. Answers with [`Effect::Window`], [`Effect::Remember`] and warnings.
pub struct Package {
    settings: Settings,
    stream: StreamId,
    sequence: u64,
    discontinuities: u64,
    remembered: u64,
    wall_end: Wall,
    cutter: Cutter,
    rates: BTreeMap<TrackId, Rates>,
    list: Option<List>,
    live: Option<Running>,
    multivariant: Option<crate::Resource>,
    deadline: Option<Wall>,
}

impl Package {
    /// Opens it for a session. Numbers go on from the highest that an earlier session may have used, and from
    /// the Unix time, which is ahead of it because segments last a second and more (design §8).
    pub fn new(settings: Settings, context: &Context) -> Self {
        let unix = u64::try_from(context.opened.unix_seconds()).unwrap_or(0);
        let remembered = context.memory.get(SEQUENCE).copied().unwrap_or(0);
        let sequence = unix.max(remembered).max(1);
        Self {
            cutter: Cutter::new(settings.segment_duration_s),
            settings,
            stream: context.stream.clone(),
            sequence,
            // Every discontinuity needs a segment, so this one never passes the other and grows with it.
            discontinuities: sequence,
            remembered: 0,
            wall_end: Wall(i64::MIN),
            rates: BTreeMap::new(),
            list: None,
            live: None,
            multivariant: None,
            deadline: None,
        }
    }

    fn run(&mut self, run: &Run, fx: &mut Effects) -> Result<(), Error> {
        self.finish_run(fx)?;
        self.deadline = None;
        let renditions = renditions(run, self.sequence, fx)?;
        self.live = Some(Running::new(Live::new(run, renditions), self.list.is_some()));
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, fx: &mut Effects) -> Result<(), Error> {
        let Some(running) = &mut self.live else { return Ok(()) };
        let mut spans = Vec::new();
        running.live.packet(packet, &mut self.cutter, &mut spans, fx)?;
        self.publish(spans, fx);
        Ok(())
    }

    /// Ends the current run and publishes what is left of it, unless it only settled.
    fn finish_run(&mut self, fx: &mut Effects) -> Result<(), Error> {
        let Some(running) = &mut self.live else { return Ok(()) };
        let mut spans = Vec::new();
        if self.list.is_some() || !running.live.younger_than(SETTLING_US, &self.cutter) {
            running.live.finish(&mut self.cutter, &mut spans)?;
        }
        self.publish(spans, fx);
        self.live = None;
        Ok(())
    }

    fn gap(&mut self, why: Gap, at: Wall, fx: &mut Effects) -> Result<(), Error> {
        self.finish_run(fx)?;
        if why.source_gone() && self.list.is_some() {
            self.deadline = Some(at.plus_micros(i64::from(self.settings.reconnect_window_s) * 1_000_000));
        }
        Ok(())
    }

    /// Nothing follows: the list ends. A later run begins a new one with higher numbers (packaging-rules H-20).
    fn end_list(&mut self, at: Wall, fx: &mut Effects) {
        self.deadline = None;
        if let (Some(list), Some(multivariant)) = (self.list.take(), self.multivariant.take()) {
            let window = list.window(multivariant, self.sequence, Some(at));
            fx.push(Effect::Window(Some(Arc::new(window))));
        }
        self.cutter = Cutter::new(self.settings.segment_duration_s);
        self.rates.clear();
        self.discontinuities = self.sequence;
    }

    /// Lists `spans` and publishes the window.
    fn publish(&mut self, spans: Vec<Span>, fx: &mut Effects) {
        let Some(longest) = spans.iter().map(Span::longest).max() else { return };
        let target_s = self.cutter.target_s().unwrap_or_else(|| self.cutter.freeze(longest));
        for span in spans {
            self.list_span(span, target_s);
        }
        let Some(running) = &self.live else { return };
        let multivariant = multivariant::render(&self.stream, &running.live, &self.rates);
        self.remember(fx);
        if let Some(list) = &self.list {
            let window = list.window(multivariant.clone(), self.sequence, None);
            fx.push(Effect::Window(Some(Arc::new(window))));
        }
        self.multivariant = Some(multivariant);
    }

    fn list_span(&mut self, span: Span, target_s: u64) {
        let Some(running) = &mut self.live else { return };
        for (track, piece) in &span.pieces {
            self.rates.entry(*track).or_default().add(piece.bytes, piece.duration, target_s);
            if let Some(rendition) = running.live.rendition(*track) {
                rendition.measure(piece);
            }
        }
        let list = self.list.get_or_insert_with(|| List::new(self.settings.segment_count, target_s));
        self.discontinuities += u64::from(running.discontinuity);
        let (first, duration) = span.lead().map_or((0, 0), |p| (p.first, p.duration));
        let listing = Listing { sequence: self.sequence, first, duration, wall_end: self.wall_end };
        let gone = list.tracks().iter().filter(|&id| span.pieces.iter().all(|(track, _)| track != id));
        let gone: Vec<TrackId> = gone.copied().collect();
        let pieces = span.pieces.into_iter().map(|(track, piece)| (track, Some(piece)));
        let mut segments = Vec::new();
        for (track, piece) in pieces.chain(gone.into_iter().map(|track| (track, None))) {
            let (listed, end) = running.list(track, piece, &listing);
            self.wall_end = self.wall_end.max(end);
            segments.push(listed);
        }
        let discontinuities = self.discontinuities;
        list.push(Entry { sequence: self.sequence, discontinuities, duration, segments });
        running.discontinuity = false;
        self.sequence += 1;
    }

    /// Keeps the counter ahead of what is published, so that a restart goes on above it.
    fn remember(&mut self, fx: &mut Effects) {
        if self.sequence > self.remembered {
            self.remembered = self.sequence + REMEMBER_AHEAD;
            fx.push(Effect::Remember { counter: SEQUENCE.into(), value: self.remembered });
        }
    }
}

impl Output for Package {
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        match event {
            Event::Run(run) => self.run(run, fx)?,
            Event::Packet(packet) => self.packet(packet, fx)?,
            Event::Gap(why, at) => self.gap(why, at, fx)?,
            Event::Tick(now) if self.deadline.is_some_and(|deadline| deadline <= now) => {
                self.end_list(now, fx);
            }
            Event::Tick(_) => {}
            Event::End(now) => {
                self.finish_run(fx)?;
                self.end_list(now, fx);
            }
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Wall> {
        self.deadline
    }
}

/// A rendition for each track of `run` that CMAF has a place for, the leading one first. Others are left out with
/// a warning.
fn renditions(run: &Run, sequence: u64, fx: &mut Effects) -> Result<Vec<Rendition>, Error> {
    let mut renditions: Vec<Rendition> = Vec::new();
    let mut refused = None;
    for track in &run.tracks {
        match listing::init(track, sequence) {
            Ok(init) => renditions.push(Rendition::new(track.clone(), init, renditions.is_empty())),
            Err(error) => {
                let codec = codec::rfc6381(&track.codec);
                fx.push(Effect::Warn(Warning::TrackLeftOut { output: "package", codec }));
                refused.get_or_insert(error);
            }
        }
    }
    match refused {
        Some(error) if renditions.is_empty() => Err(error),
        _ => Ok(renditions),
    }
}
