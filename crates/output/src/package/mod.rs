//! Live packaging: a window of CMAF segments and the playlists of it (design §8, packaging-rules §1 and §3).
//!
//! `cutter` says where segments end, `live` cuts the current run there, `rendition` turns one track's
//! frames into CMAF, `window` keeps the list and makes what the origin serves of it, `measure` knows the
//! rates that the multivariant playlist states.

use std::sync::Arc;

use media::{Gap, Kind, Packet, Ratio, Run, StreamId, Ticks, Timescale, Wall};

use crate::{Context, Effect, Effects, Error, Event, Output};
use cutter::Cutter;
use live::{Live, Span};
use measure::Rates;
use window::{Entry, List, Listed, Named};

mod cutter;
mod live;
mod measure;
mod multivariant;
mod rendition;
mod strip;
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
    rates: Rates,
    list: Option<List>,
    live: Option<Running>,
    multivariant: Option<crate::Resource>,
    deadline: Option<Wall>,
}

/// The current run and what its segments have in common.
struct Running {
    live: Live,
    video_init: Option<Named>,
    audio_init: Option<Named>,
    frame_rate: Option<Ratio>,
    discontinuity: bool,
    wall_shift: Option<i64>,
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
            rates: Rates::default(),
            list: None,
            live: None,
            multivariant: None,
            deadline: None,
        }
    }

    fn run(&mut self, run: &Run, fx: &mut Effects) -> Result<(), Error> {
        self.finish_run(fx)?;
        self.deadline = None;
        let live = Live::new(run)?;
        let init = |rendition: Option<&rendition::Rendition>, letter: char| {
            let name: Arc<str> = format!("{letter}{}_init.mp4", self.sequence).into();
            rendition.map(|r| r.init().map(|init| (name, init))).transpose()
        };
        let (video_init, audio_init) = (init(live.video.as_ref(), 'v')?, init(live.audio.as_ref(), 'a')?);
        let discontinuity = self.list.is_some();
        let frame_rate = run.video().and_then(|t| t.picture()).and_then(|p| p.frame_rate);
        let frame_rate = frame_rate.filter(|&rate| measure::plausible(rate));
        self.live =
            Some(Running { live, video_init, audio_init, frame_rate, discontinuity, wall_shift: None });
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
        self.rates = Rates::default();
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
        let multivariant = multivariant::render(&self.stream, &running.live, running.frame_rate, &self.rates);
        self.remember(fx);
        if let Some(list) = &self.list {
            let window = list.window(multivariant.clone(), self.sequence, None);
            fx.push(Effect::Window(Some(Arc::new(window))));
        }
        self.multivariant = Some(multivariant);
    }

    fn list_span(&mut self, span: Span, target_s: u64) {
        let Some(running) = &mut self.live else { return };
        let duration = span.lead().map_or(0, |p| p.duration);
        self.rates.add(span.bytes(), duration, target_s);
        if let Some(video) = span.video.as_ref().filter(|v| v.body.is_some() && running.frame_rate.is_none())
        {
            running.frame_rate = measure::frame_rate(video.frames, video.duration);
        }
        let list = self.list.get_or_insert_with(|| List::new(self.settings.segment_count, target_s));
        self.discontinuities += u64::from(running.discontinuity);
        let first = span.lead().map_or(0, |p| p.first);
        let listing = Listing { sequence: self.sequence, first, duration, wall_end: self.wall_end };
        let mut segments = Vec::new();
        for (kind, piece) in [(Kind::Video, span.video), (Kind::Audio, span.audio)] {
            if piece.is_some() || list.has(kind) {
                let (listed, end) = running.list(kind, piece, &listing);
                self.wall_end = self.wall_end.max(end);
                segments.push(listed);
            }
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

/// What all renditions of one media sequence number share.
struct Listing {
    sequence: u64,
    first: i64,
    duration: i64,
    wall_end: Wall,
}

impl Running {
    /// Lists a rendition's piece; one that the run does not have is a gap, so that its list goes on. Also says
    /// when the piece ends.
    fn list(&mut self, kind: Kind, piece: Option<rendition::Piece>, listing: &Listing) -> (Listed, Wall) {
        let (letter, init) = match kind {
            Kind::Video => ('v', self.video_init.clone()),
            Kind::Audio => ('a', self.audio_init.clone()),
        };
        let name: Arc<str> = format!("{letter}{}.m4s", listing.sequence).into();
        let (first, duration) =
            piece.as_ref().map_or((listing.first, listing.duration), |p| (p.first, p.duration));
        let first = self.wall(first, listing.wall_end);
        let body = piece.and_then(|p| p.body);
        let line = manifest::media::Segment::new(manifest::media::Entry {
            discontinuity: self.discontinuity,
            map: init.as_ref().map(|(name, _)| name.clone()),
            program_date_time: first,
            gap: body.is_none(),
            duration_us: duration,
            uri: &name,
        });
        let content_type = init.as_ref().map_or("video/mp4", |(_, init)| init.content_type);
        let media = body.map(|body| (name, crate::Resource { content_type, body, immutable: true }));
        (Listed { kind, line, media, init }, first.plus_micros(duration))
    }

    /// Wall time of a moment of the run. A clock that was set back must not let it run backwards, so then the
    /// whole run is dated later (packaging-rules H-15).
    fn wall(&mut self, at: i64, earliest: Wall) -> Wall {
        let wall = self.live.run.wall_at(Ticks(at), Timescale::MICROS);
        let shift = *self.wall_shift.get_or_insert(earliest.micros_since(wall).max(0));
        wall.plus_micros(shift)
    }
}
