//! Live packaging: a window of segments and the playlists of it (design §8, packaging-rules §1 to §4).
//!
//! `cutter` says where segments end. `running` is the current run: `live` cuts it into whole segments, `low_latency`
//! into parts of them, `rendition` has the frames of one track until then. `list` knows the segments and parts of one
//! rendition, `window` makes of all lists what the origin serves; `measure` knows the rates that the multivariant
//! playlist states, `dash` what an MPD says of the same segments.

use std::collections::BTreeMap;
use std::sync::Arc;

use container::ts::Muxer;
use manifest::low_latency::Terms;
use media::{Gap, Packet, Run, StreamId, TrackId, Wall};

use crate::{Context, Effect, Effects, Error, Event, Output, Resource};
use cutter::Cutter;
use dash::Dash;
use list::{Closed, Joined, List, Rules};
use low_latency::PartLength;
use measure::Rates;
use part::{Made, Part, Step};
use running::Running;
use window::{Beside, Lists};

mod cutter;
mod dash;
mod list;
mod live;
mod low_latency;
mod measure;
mod multivariant;
mod naming;
mod part;
mod rendition;
mod running;
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
/// PartDuration in milliseconds where the template has none.
const PART_DURATION_MS: u32 = 350;

/// What the template asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How it is packaged.
    pub protocol: Protocol,
    /// SegmentNum: segments in the playlist, 3 to 10.
    pub segment_count: u32,
    /// SegmentDuration in seconds.
    pub segment_duration_s: u32,
    /// PartDuration in milliseconds, for the protocols that have parts.
    pub part_duration_ms: Option<u32>,
    /// Seconds after which a source that is gone stays gone.
    pub reconnect_window_s: u32,
}

/// Seed `004_0006f455261b9fff.txt`, Protocol; the last one is ours: it has what the others have, but for TS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HLS over CMAF.
    HlsCmaf,
    /// Low-latency HLS over MPEG-TS.
    LlHlsTs,
    /// Low-latency HLS over CMAF.
    LlHlsCmaf,
    /// DASH over CMAF.
    DashCmaf,
    /// HLS and DASH over the same CMAF.
    HlsDashCmaf,
    /// Low-latency HLS and DASH over the same CMAF.
    LlHlsDashCmaf,
}

impl Protocol {
    /// Whether segments come in parts.
    fn has_parts(self) -> bool {
        matches!(self, Self::LlHlsTs | Self::LlHlsCmaf | Self::LlHlsDashCmaf)
    }

    fn has_dash(self) -> bool {
        matches!(self, Self::DashCmaf | Self::HlsDashCmaf | Self::LlHlsDashCmaf)
    }

    fn has_hls(self) -> bool {
        self != Self::DashCmaf
    }

    fn is_ts(self) -> bool {
        self == Self::LlHlsTs
    }
}

/// Packages one session. Answers with [`Effect::Window`], [`Effect::Remember`] and warnings.
pub struct Package {
    settings: Settings,
    stream: StreamId,
    /// The first number that no complete segment has.
    sequence: u64,
    discontinuities: u64,
    remembered: u64,
    /// Wall time at which what is listed ends.
    wall_end: Wall,
    cutter: Cutter,
    rates: BTreeMap<TrackId, Rates>,
    lists: Option<Lists>,
    /// Whether players know the lists.
    shown: bool,
    live: Option<Running>,
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
            // Every discontinuity needs a segment, so this one never passes the other and grows with it.
            discontinuities: sequence,
            remembered: 0,
            wall_end: Wall(i64::MIN),
            rates: BTreeMap::new(),
            lists: None,
            shown: false,
            live: None,
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
        self.deadline = None;
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
        if let Some(lists) = self.lists.take().filter(|_| self.shown) {
            let window = lists.window(Beside { ended: Some(at), ..self.beside() });
            fx.push(Effect::Window(Some(Arc::new(window))));
        }
        self.cutter = cutter(&self.settings);
        self.rates.clear();
        (self.shown, self.source_gone) = (false, false);
        (self.multivariant, self.muxer) = (None, None);
        (self.dash, self.mpd) = (None, None);
        self.discontinuities = self.sequence;
    }

    /// Lists what was `made` and publishes the window.
    fn publish(&mut self, made: Vec<Made>, fx: &mut Effects) {
        if made.is_empty() {
            return;
        }
        self.join_lists();
        let mut closed = false;
        for (track, step) in made {
            match step {
                Step::Part(part) => self.list_part(track, part),
                Step::Closed => {
                    closed = true;
                    self.close(track);
                }
            }
        }
        let complete = |list: &List| list.sequence() > self.discontinuities;
        self.shown = self.shown || self.lists.iter().flat_map(Lists::iter).all(complete);
        if closed {
            self.remember(fx);
            self.describe();
            let now = self.dash.as_ref().map_or(Wall(0), Dash::now);
            self.describe_dash(now, false);
        }
        self.show(fx);
    }

    /// Makes a list for each rendition of the run that has none.
    fn join_lists(&mut self) {
        let Some(running) = &self.live else { return };
        let (Some(target_s), protocol) = (self.cutter.target_s(), self.settings.protocol) else { return };
        let rules = Rules {
            count: self.settings.segment_count,
            target_s,
            version: if protocol.is_ts() { 3 } else { 6 },
        };
        let renditions = running.renditions();
        let targets = renditions.iter().filter_map(|rendition| running.target(rendition.id()));
        let longest = self.part_length().at_most_us.or(targets.max());
        if let Some(dash) = &mut self.dash {
            dash.set_target(target_s);
        }
        let lists = self.lists.get_or_insert_with(|| Lists::new(rules));
        let discontinuities = lists.iter().next().map_or(self.discontinuities, List::discontinuities_before);
        for rendition in renditions {
            let track = rendition.id();
            let target = running.target(track);
            let terms = target.map(|us| Terms::new(rules.version, target_s, us, longest.unwrap_or(us)));
            let joined = Joined {
                track,
                terms,
                sequence: running.first,
                discontinuities,
                discontinuity: running.goes_on,
                suffix: rendition.form().suffix,
            };
            lists.get_or_insert(track, |rules| List::new(rules, joined));
        }
    }

    fn list_part(&mut self, track: TrackId, part: Part) {
        let (Some(running), Some(lists)) = (&mut self.live, &mut self.lists) else { return };
        let date = running.date(part.from, self.wall_end);
        if let Some(list) = lists.iter_mut().find(|list| list.track == track) {
            list.part(part, &running.form(track), date);
        }
    }

    /// The segment of a rendition is complete. With the leading one, those that the run does not have get a gap, so
    /// that their lists go on.
    fn close(&mut self, track: TrackId) {
        let (Some(running), Some(lists)) = (&mut self.live, &mut self.lists) else { return };
        let Some(list) = lists.iter_mut().find(|list| list.track == track) else { return };
        let Some(closed) = list.close() else { return };
        let rules = lists.rules;
        self.rates.entry(track).or_default().add(closed.bytes, closed.duration, rules.target_s);
        running.measure(track, closed.frames, closed.duration);
        let date = running.date(closed.from, self.wall_end);
        self.wall_end = self.wall_end.max(date.plus_micros(closed.duration));
        if let Some(dash) = &mut self.dash {
            dash.complete(&complete(track, &closed), running);
        }
        if running.lead() != Some(track) {
            return;
        }
        self.sequence = closed.sequence + 1;
        let there: Vec<TrackId> = running.renditions().iter().map(|rendition| rendition.id()).collect();
        for gone in lists.iter_mut().filter(|list| !there.contains(&list.track)) {
            let form = running.form(gone.track);
            for part in running::lost(closed.from, closed.duration, gone.part_target_us()) {
                gone.part(part, &form, date);
            }
            gone.close();
        }
    }

    /// Says anew what there is to play.
    fn describe(&mut self) {
        let (Some(running), Some(lists)) = (&self.live, &self.lists) else { return };
        if running.renditions().iter().any(|rendition| lists.get(rendition.id()).is_none_or(List::is_empty)) {
            return;
        }
        if !self.settings.protocol.has_hls() {
            return;
        }
        self.multivariant = Some(multivariant::render(&multivariant::Run {
            stream: &self.stream,
            version: lists.rules.version,
            renditions: running.renditions(),
            muxed: running.muxed(),
            rates: &self.rates,
        }));
    }

    /// Says anew in DASH what there is to play, as of `now`.
    fn describe_dash(&mut self, now: Wall, over: bool) {
        if let Some(dash) = &mut self.dash {
            self.mpd = dash.render(now, &self.rates, over);
        }
    }

    /// Publishes what there is.
    fn show(&self, fx: &mut Effects) {
        let Some(lists) = self.lists.as_ref().filter(|_| self.shown) else { return };
        let window = lists.window(self.beside());
        fx.push(Effect::Window(Some(Arc::new(window))));
    }

    fn beside(&self) -> Beside {
        let next = self.lists.iter().flat_map(Lists::iter).map(List::next_sequence).max();
        Beside {
            multivariant: self.multivariant.clone(),
            mpd: self.mpd.clone(),
            next_sequence: next.unwrap_or(0).max(self.sequence),
            dash: self.settings.protocol.has_dash(),
            source_gone: self.source_gone,
            ended: None,
        }
    }

    /// Keeps the counter ahead of what is published, so that a restart goes on above it.
    fn remember(&mut self, fx: &mut Effects) {
        if self.sequence > self.remembered {
            self.remembered = self.sequence + REMEMBER_AHEAD;
            fx.push(Effect::Remember { counter: SEQUENCE.into(), value: self.remembered });
        }
    }
}

fn complete(track: TrackId, closed: &Closed) -> dash::Complete {
    let &Closed { sequence: number, from, duration, frames, key, ticks, .. } = closed;
    dash::Complete { track, number, from, duration, frames, key, ticks }
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
