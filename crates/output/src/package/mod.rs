//! Live packaging: a window of segments and the playlists of it (design §8, packaging-rules §1 to §4).
//!
//! `cutter` says where segments end. `running` is the current run: `live` cuts it into whole segments, `low_latency`
//! into parts of them, `rendition` has the frames of one track until then. `list` knows the segments and parts of one
//! rendition, `publishing` fills them, `window` makes of all lists what the origin serves; `measure` knows the rates that the multivariant
//! playlist states, `dash` what an MPD says of the same segments.

use std::collections::BTreeMap;
use std::sync::Arc;

use container::ts::Muxer;
use media::{Gap, Packet, Run, StreamId, Ticks, TrackId, Wall};

use crate::{Context, Effect, Effects, Error, Event, Output, Resource};
use cutter::Cutter;
use dash::Dash;
use list::List;
use low_latency::PartLength;
use measure::Rates;
use running::Running;
use window::{Beside, Lists};

mod cutter;
mod dash;
mod frame;
mod list;
mod live;
mod low_latency;
pub(crate) mod measure;
mod multivariant;
mod naming;
mod part;
mod publishing;
mod rendition;
mod running;
mod segment;
mod settings;
mod window;

pub use settings::{Protocol, Put, Settings};

#[cfg(test)]
mod tests;

/// Counter of media sequence numbers in [`crate::Memory`].
const SEQUENCE: &str = "package/sequence";
/// Counter of discontinuities in [`crate::Memory`].
const DISCONTINUITIES: &str = "package/discontinuities";
/// How many numbers ahead the remembered counter is: it is written once per as many segments.
const REMEMBER_AHEAD: u64 = 60;
/// A run shorter than this, in microseconds, is thrown away if nothing was published before: an encoder that only
/// settles its tracks and timestamps must not fix the target duration.
const SETTLING_US: i64 = 2_000_000;
/// PartDuration in milliseconds where the template has none.
const PART_DURATION_MS: u32 = 350;

/// Packages one session. Answers with [`Effect::Window`], [`Effect::Remember`] and warnings.
pub struct Package {
    settings: Settings,
    stream: StreamId,
    /// The first number that no complete segment has.
    sequence: u64,
    /// Where the numbers of the current lists begin.
    first: u64,
    /// DISCONTINUITY-SEQUENCE that the next lists begin with.
    discontinuities: u64,
    remembered: u64,
    remembered_discontinuities: u64,
    /// Wall time at which what is listed ends.
    wall_end: Wall,
    cutter: Cutter,
    rates: BTreeMap<TrackId, Rates>,
    lists: Option<Lists>,
    /// Whether players know the lists.
    shown: bool,
    live: Option<Running>,
    /// A key frame of the leading track that is no packet yet, and its decode and presentation time: it ends a segment
    /// when it comes, not only when it is known how long it lasts.
    key_frame: Option<(TrackId, Ticks, Ticks)>,
    muxer: Option<Muxer>,
    multivariant: Option<Resource>,
    dash: Option<Dash>,
    mpd: Option<Resource>,
    source_gone: bool,
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
            cutter: cutter(&settings),
            settings,
            stream: context.stream.clone(),
            sequence,
            first: sequence,
            // Small on purpose: hls.js keeps an array that is as long as this number.
            discontinuities: context.memory.get(DISCONTINUITIES).map_or(1, |used| used + 1),
            remembered: 0,
            remembered_discontinuities: 0,
            wall_end: Wall(i64::MIN),
            rates: BTreeMap::new(),
            lists: None,
            shown: false,
            live: None,
            key_frame: None,
            muxer: None,
            multivariant: None,
            dash: None,
            mpd: None,
            source_gone: false,
            deadline: None,
        }
    }

    fn run(&mut self, run: &Run, fx: &mut Effects) -> Result<(), Error> {
        self.finish_run(fx)?;
        (self.deadline, self.key_frame) = (None, None);
        let (first, goes_on) = (self.sequence, self.lists.is_some());
        let protocol = self.settings.protocol;
        let length = self.part_length();
        let target = |track| self.lists.as_ref()?.get(track)?.part_target_us();
        let running = match protocol.has_parts() {
            false => Running::in_segments(run, first, goes_on, protocol.has_dash(), fx),
            true if protocol.is_ts() => {
                Running::in_ts(run, first, goes_on, (length, target), self.muxer.take(), fx)
            }
            true => Running::in_parts(run, first, goes_on, (length, target), fx),
        };
        self.live = Some(running?);
        if protocol.has_dash() && self.dash.is_none() {
            self.dash = Some(Dash::new(dash::Terms {
                stream: self.stream.stream().to_owned(),
                low_latency: protocol.has_parts(),
                segment_s: self.settings.segment_duration_s,
            }));
        }
        for list in self.lists.iter_mut().flat_map(Lists::iter_mut) {
            list.discontinuity = true;
        }
        if std::mem::take(&mut self.source_gone) {
            self.show(fx);
        }
        Ok(())
    }

    fn part_length(&self) -> PartLength {
        let wanted_us = i64::from(self.settings.part_duration_ms.unwrap_or(PART_DURATION_MS)) * 1_000;
        let hold_back = self.lists.iter().flat_map(Lists::iter).find_map(List::part_hold_back_us);
        PartLength { wanted_us, at_most_us: hold_back.map(|us| us / 3) }
    }

    fn packet(&mut self, packet: &Packet, fx: &mut Effects) -> Result<(), Error> {
        let Some(running) = &mut self.live else { return Ok(()) };
        if let (Some(dash), Some(timescale)) = (&mut self.dash, running.leads(packet.track)) {
            dash.packet(&running.run, packet, timescale.micros(packet.end()));
        }
        let mut made = Vec::new();
        running.packet(packet, &mut self.cutter, &mut made, fx)?;
        // What the key frame ends is published with the last part of it.
        let key = self.key_frame.take_if(|key| key.0 == packet.track).filter(|key| key.1 > packet.dts);
        if let Some((_, dts, pts)) = key {
            running.key_frame((dts, pts), &mut self.cutter, &mut made, fx)?;
        }
        self.publish(made, fx);
        Ok(())
    }

    /// Ends the current run and publishes what is left of it, unless it only settled.
    fn finish_run(&mut self, fx: &mut Effects) -> Result<(), Error> {
        let Some(running) = &mut self.live else { return Ok(()) };
        let mut made = Vec::new();
        if self.lists.is_some() || !running.younger_than(SETTLING_US, &self.cutter) {
            running.finish(&mut self.cutter, &mut made)?;
        }
        self.publish(made, fx);
        if let Some(dash) = &mut self.dash {
            dash.close();
        }
        self.muxer = self.live.take().and_then(Running::into_muxer);
        Ok(())
    }

    fn gap(&mut self, why: Gap, at: Wall, fx: &mut Effects) -> Result<(), Error> {
        self.source_gone = why.source_gone();
        self.finish_run(fx)?;
        if why.source_gone() && self.lists.is_some() {
            self.deadline = Some(at.plus_micros(i64::from(self.settings.reconnect_window_s) * 1_000_000));
        }
        if why.source_gone() || self.dash.is_some() {
            self.describe_dash(at, false);
            self.show(fx);
        }
        Ok(())
    }

    /// Nothing follows: the list ends. A later run begins a new one with higher numbers (packaging-rules H-20).
    fn end_list(&mut self, at: Wall, fx: &mut Effects) {
        self.deadline = None;
        self.describe_dash(at, true);
        self.discontinuities = self.discontinuities_used() + 1;
        if let Some(lists) = self.lists.take().filter(|_| self.shown) {
            let window = lists.window(Beside { ended: Some(at), ..self.beside() });
            fx.push(Effect::Window(Some(Arc::new(window))));
        }
        self.cutter = cutter(&self.settings);
        self.rates.clear();
        (self.shown, self.source_gone) = (false, false);
        (self.multivariant, self.muxer) = (None, None);
        (self.dash, self.mpd) = (None, None);
        self.first = self.sequence;
    }

    /// The highest DISCONTINUITY-SEQUENCE so far.
    fn discontinuities_used(&self) -> u64 {
        let lists = self.lists.iter().flat_map(Lists::iter);
        lists.map(List::discontinuities_before).max().unwrap_or(self.discontinuities)
    }
}

fn cutter(settings: &Settings) -> Cutter {
    let cutter = Cutter::new(settings.segment_duration_s);
    if settings.protocol.has_parts() { cutter.onward() } else { cutter }
}

impl Output for Package {
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        match event {
            Event::Run(run) => self.run(run, fx)?,
            Event::Packet(packet) => self.packet(packet, fx)?,
            Event::KeyFrame { track, dts, pts } => {
                let leads = self.live.as_ref().is_some_and(|live| live.leads(track).is_some());
                self.key_frame = leads.then_some((track, dts, pts)).or(self.key_frame);
            }
            Event::Gap(why, at) => self.gap(why, at, fx)?,
            Event::Tick(now) if self.deadline.is_some_and(|deadline| deadline <= now) => {
                self.end_list(now, fx);
            }
            Event::Tick(_) | Event::Answer(_) | Event::Blocked(_) | Event::Unblocked(_) => {}
            Event::Suspend(now) | Event::End(now) => {
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
