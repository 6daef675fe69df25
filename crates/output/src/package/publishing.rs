//! From what a run made to the window.

use std::sync::Arc;

use manifest::low_latency::Terms;
use media::{TrackId, Wall};

use super::dash::{self, Dash};
use super::list::{Joined, List, Rules};
use super::part::{Made, Part, Step};
use super::segment::Closed;
use super::window::{Beside, Lists};
use super::{DISCONTINUITIES, Package, REMEMBER_AHEAD, SEQUENCE, multivariant, running};
use crate::{Effect, Effects};

impl Package {
    /// Lists what was `made` and publishes the window.
    pub(super) fn publish(&mut self, made: Vec<Made>, fx: &mut Effects) {
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
        let complete = |list: &List| list.sequence() > self.first;
        self.shown = self.shown || self.lists.iter().flat_map(Lists::iter).all(complete);
        if closed {
            self.remember(fx);
            self.describe();
        }
        if closed || self.announce_period() {
            let now = self.dash.as_ref().map_or(Wall(0), Dash::now);
            self.describe_dash(now, false);
        }
        self.show(fx);
    }

    /// Has a Period begin with the run's first parts, if DASH can do that.
    fn announce_period(&mut self) -> bool {
        let (Some(dash), Some(running), Some(lists)) = (&mut self.dash, &self.live, &self.lists) else {
            return false;
        };
        let first = |track| lists.get(track).filter(|list| list.sequence() == running.first)?.open_from();
        let begins: Option<Vec<i64>> = running.renditions().iter().map(|r| first(r.id())).collect();
        let lead = begins.and_then(|begins| begins.first().copied());
        lead.is_some_and(|from| dash.announce(running.first, from, running))
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
    pub(super) fn describe_dash(&mut self, now: Wall, over: bool) {
        if let Some(dash) = &mut self.dash {
            self.mpd = dash.render(now, &self.rates, over);
        }
    }

    /// Publishes what there is.
    pub(super) fn show(&self, fx: &mut Effects) {
        let Some(lists) = self.lists.as_ref().filter(|_| self.shown) else { return };
        let window = lists.window(self.beside());
        fx.push(Effect::Window(Some(Arc::new(window))));
    }

    pub(super) fn beside(&self) -> Beside {
        let next = self.lists.iter().flat_map(Lists::iter).map(List::next_sequence).max();
        Beside {
            multivariant: self.multivariant.clone(),
            mpd: self.mpd.clone(),
            next_sequence: next.unwrap_or(0).max(self.sequence),
            dash: self.settings.protocol.has_dash(),
            source_gone: self.source_gone,
            ended: None,
            put: self.settings.put.as_ref().map(|put| put.object(&self.stream)),
        }
    }

    /// Keeps the counter ahead of what is published, so that a restart goes on above it.
    fn remember(&mut self, fx: &mut Effects) {
        if self.sequence > self.remembered {
            self.remembered = self.sequence + REMEMBER_AHEAD;
            fx.push(Effect::Remember { counter: SEQUENCE.into(), value: self.remembered });
        }
        let used = self.discontinuities_used();
        if used > self.remembered_discontinuities {
            self.remembered_discontinuities = used;
            fx.push(Effect::Remember { counter: DISCONTINUITIES.into(), value: used });
        }
    }
}

fn complete(track: TrackId, closed: &Closed) -> dash::Complete {
    let &Closed { sequence: number, from, duration, frames, key, ticks, .. } = closed;
    dash::Complete { track, number, from, duration, frames, key, ticks }
}
