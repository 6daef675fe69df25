//! One run on its way into parts (packaging-rules §2): the leading track says where segments end, the others follow
//! at their own pace.
//!
//! Frames wait until the first segment is complete. Then its length and the frame rates are known, TARGETDURATION
//! and PART-TARGET are fixed, and from there on a frame is in a part as soon as it is here. So no cut can be moved back
//! to an earlier key frame, as it is in segments without parts.

use container::ts::Muxer;
use media::{Packet, Ticks, TrackId};

use self::lane::Lane;
use self::mux::{Mux, Ts};
use super::cutter::{Cut, Cutter};
use super::part::Made;
use super::rendition::Rendition;
use super::running;
use crate::{Effect, Effects, Error, Warning};

mod lane;
mod mux;
mod target;

/// How much media of the leading track a finished segment waits for the other track, in microseconds; and how far
/// another track gets ahead when the leading one has stalled.
const LAG_US: i64 = 1_000_000;
/// Most payload of an open segment. It is cut where this is reached; without it a run of huge frames within the
/// target duration would be limited by nothing.
const MAX_OPEN_BYTES: usize = 64 << 20;

/// How long parts are.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartLength {
    /// PartDuration in microseconds.
    pub wanted_us: i64,
    /// The longest PART-TARGET that was ever published.
    pub at_most_us: Option<i64>,
}

/// A run that is being cut.
pub(super) struct Live {
    /// The leading one first.
    lanes: Vec<Lane>,
    length: PartLength,
    begun: bool,
    /// Parts are made.
    going: bool,
    /// Payload of the open segment.
    open_bytes: usize,
    warned: bool,
}

/// How far renditions may go.
struct Ahead {
    /// Where the leading one is, in microseconds.
    lead: i64,
    /// Where everything ends, if it does.
    latest: Option<i64>,
    /// Segments end without those that are late.
    forced: bool,
}

impl Ahead {
    /// Where frames of `feed` must begin before.
    fn until(&self, feed: &Rendition) -> i64 {
        match self.latest {
            Some(latest) => latest,
            None if feed.leads() => i64::MAX,
            None => self.lead.max(feed.end().saturating_sub(LAG_US)).saturating_sub(feed.snap_us()),
        }
    }

    /// Whether a segment of `feed` that ends at `cut` has everything that will come.
    fn complete(&self, feed: &Rendition, cut: i64) -> bool {
        self.forced || feed.leads() || feed.reaches(cut) || self.lead >= cut.saturating_add(LAG_US)
    }
}

impl Live {
    /// Each of `renditions` with a playlist of its own, the leading one first; `target` says the PART-TARGET of one
    /// that had a playlist before.
    pub(super) fn cmaf(
        renditions: Vec<Rendition>,
        length: PartLength,
        target: impl Fn(TrackId) -> Option<i64>,
    ) -> Self {
        let lane = |feed: Rendition| {
            let target = target(feed.id());
            Lane::new(feed, Mux::Cmaf, target)
        };
        Self::new(renditions.into_iter().map(lane).collect(), length)
    }

    /// `lead` and `sound` in one transport stream.
    pub(super) fn ts(
        lead: Rendition,
        sound: Option<Rendition>,
        muxer: Muxer,
        length: PartLength,
        target: Option<i64>,
    ) -> Self {
        let mux = Mux::Ts(Box::new(Ts::new(muxer, sound)));
        Self::new(vec![Lane::new(lead, mux, target)], length)
    }

    fn new(lanes: Vec<Lane>, length: PartLength) -> Self {
        Self { lanes, length, begun: false, going: false, open_bytes: 0, warned: false }
    }

    /// Its renditions, the leading one first.
    pub(super) fn renditions(&self) -> impl Iterator<Item = &Rendition> {
        self.lanes.iter().map(|lane| &lane.feed)
    }

    /// Its renditions, to learn of them.
    pub(super) fn renditions_mut(&mut self) -> impl Iterator<Item = &mut Rendition> {
        self.lanes.iter_mut().map(|lane| &mut lane.feed)
    }

    /// What is in the segments of the leading rendition beside its own track.
    pub(super) fn muxed(&self) -> Option<&Rendition> {
        self.lanes.first().and_then(|lane| lane.mux().sound())
    }

    /// PART-TARGET of a rendition in microseconds, once it is fixed.
    pub(super) fn target(&self, track: TrackId) -> Option<i64> {
        self.lanes.iter().find(|lane| lane.feed.id() == track)?.target()
    }

    /// The muxer of a transport stream, which goes on in the next run.
    pub(super) fn into_muxer(self) -> Option<Muxer> {
        self.lanes.into_iter().find_map(|lane| lane.into_mux().into_muxer())
    }

    /// Takes a packet; what it completes goes to `out`.
    pub(super) fn packet(
        &mut self,
        packet: &Packet,
        cutter: &mut Cutter,
        out: &mut Vec<Made>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        match self.lanes.iter().position(|lane| lane.feed.id() == packet.track) {
            Some(0) => self.lead(packet, cutter, fx),
            Some(at) => {
                let end = self.lanes.get_mut(at).and_then(|lane| push(&mut lane.feed, packet));
                self.follow(end, cutter);
            }
            None => {
                let sound = self.lanes.first_mut().and_then(|lane| lane.mux_mut().sound_mut());
                let end =
                    sound.filter(|sound| sound.id() == packet.track).and_then(|sound| push(sound, packet));
                self.follow(end, cutter);
            }
        }
        self.hand_out(out, fx)
    }

    /// A key frame of the leading track has come that is no packet yet: what is before it need not wait for that.
    pub(super) fn key_frame(
        &mut self,
        (dts, pts): (Ticks, Ticks),
        cutter: &mut Cutter,
        out: &mut Vec<Made>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        let lead = self.lanes.first().filter(|_| self.begun).map(|lane| &lane.feed);
        let place = lead.and_then(|lead| lead.place(dts, pts));
        let Some(cut) = place.and_then(|(at, shown)| cutter.before_key(at, shown)) else { return Ok(()) };
        self.end_at(cut, cutter, fx);
        self.hand_out(out, fx)
    }

    fn hand_out(&mut self, out: &mut Vec<Made>, fx: &mut Effects) -> Result<(), Error> {
        self.advance(out)?;
        if out.iter().any(|(_, step)| matches!(step, super::part::Step::Closed)) {
            self.report(fx);
        }
        Ok(())
    }

    /// Ends the run: what waits becomes its last segments, none longer than `cutter` allows.
    pub(super) fn finish(&mut self, cutter: &mut Cutter, out: &mut Vec<Made>) -> Result<(), Error> {
        let Some(first) = self.first().or(self.begun.then_some(0)) else { return Ok(()) };
        if !self.begun {
            self.begin(first, cutter);
        }
        let latest = cutter.start().saturating_add(cutter.limit());
        if !self.going {
            self.fix(self.end().min(latest) - cutter.start(), cutter);
        }
        self.finish_lanes(latest, out)
    }

    /// Everything that waits and begins before `latest`; each rendition ends where its media does.
    fn finish_lanes(&mut self, latest: i64, out: &mut Vec<Made>) -> Result<(), Error> {
        self.advance_to(&Ahead { lead: i64::MAX, latest: Some(latest), forced: true }, out)?;
        for lane in &mut self.lanes {
            lane.finish(latest, out)?;
        }
        let open = self.lanes.iter().filter(|lane| lane.is_open());
        let Some(end) = open.map(Lane::position).max() else { return Ok(()) };
        for lane in &mut self.lanes {
            let at = if lane.is_open() { lane.position() } else { end };
            lane.close(at, out)?;
        }
        Ok(())
    }

    /// Whether the run has not ended a segment yet and is shorter than `micros`.
    pub(super) fn younger_than(&self, micros: i64, cutter: &Cutter) -> bool {
        !self.begun || (!self.going && self.end().saturating_sub(cutter.start()) < micros)
    }

    /// A packet of the leading track: cut before it, then take it.
    fn lead(&mut self, packet: &Packet, cutter: &mut Cutter, fx: &mut Effects) {
        let Some((at, end)) = self.lanes.first_mut().and_then(|lane| lane.feed.span(packet)) else { return };
        if !self.begun {
            self.begin(at, cutter);
        }
        let lead = self.lanes.first().filter(|_| packet.key);
        let shown = lead.map(|lead| lead.feed.track().timescale.micros(packet.pts()));
        while let Some(cut) = cutter.before(at, end, shown) {
            self.end_at(cut, cutter, fx);
        }
        if self.open_bytes + packet.data.len() > MAX_OPEN_BYTES && at > cutter.start() {
            let cut = Cut { forced: !packet.key, ..cutter.force(at) };
            self.end_at(cut, cutter, fx);
        }
        self.open_bytes += packet.data.len();
        if let Some(lead) = self.lanes.first_mut() {
            lead.feed.push(packet);
        }
    }

    /// A packet of another track, which now goes to `end`. If that gets too far ahead the leading one has stalled:
    /// segments go on without.
    fn follow(&mut self, end: Option<i64>, cutter: &mut Cutter) {
        let Some(end) = end else { return };
        let first = self.first().unwrap_or_default();
        let full = self.waiting_bytes() > MAX_OPEN_BYTES;
        if !self.begun && (end - first > cutter.limit() + LAG_US || full) {
            self.begin(first, cutter);
        }
        while self.begun && cutter.outgrown(end - LAG_US) {
            let cut = cutter.lapse();
            self.cut(cut, cutter);
        }
        if self.begun && full && end > cutter.start() {
            let cut = cutter.force(end);
            self.cut(cut, cutter);
        }
    }

    /// The first segment of the run begins at `at` in every rendition.
    fn begin(&mut self, at: i64, cutter: &mut Cutter) {
        self.begun = true;
        cutter.begin(at);
        self.lanes.iter_mut().for_each(|lane| lane.begin(at));
        self.going = cutter.target_s().is_some();
    }

    fn end_at(&mut self, cut: Cut, cutter: &mut Cutter, fx: &mut Effects) {
        if cut.forced {
            fx.push(Effect::Warn(Warning::ForcedCut { micros: cut.at - cut.from }));
        }
        self.cut(cut, cutter);
    }

    fn cut(&mut self, cut: Cut, cutter: &mut Cutter) {
        self.open_bytes = 0;
        self.lanes.iter_mut().for_each(|lane| lane.cut(cut.at));
        if !self.going {
            self.fix(cut.at - cut.from, cutter);
        }
    }

    /// Fixes what never changes again, now that a segment of `longest` us is complete.
    fn fix(&mut self, longest: i64, cutter: &mut Cutter) {
        cutter.freeze(longest);
        self.going = true;
    }

    /// Makes parts of what may go ahead.
    fn advance(&mut self, out: &mut Vec<Made>) -> Result<(), Error> {
        if !self.going {
            return Ok(());
        }
        let lead = self.lanes.first().map_or(i64::MIN, |lane| lane.feed.end());
        let forced = self.waiting_bytes() > MAX_OPEN_BYTES;
        self.advance_to(&Ahead { lead, latest: None, forced }, out)
    }

    fn advance_to(&mut self, ahead: &Ahead, out: &mut Vec<Made>) -> Result<(), Error> {
        let PartLength { wanted_us, at_most_us } = self.length;
        for lane in &mut self.lanes {
            if lane.target().is_none() {
                lane.fix_target(wanted_us, at_most_us);
            }
            lane.advance(ahead, out)?;
        }
        Ok(())
    }

    /// Start of the earliest frame that waits, in microseconds.
    fn first(&self) -> Option<i64> {
        let sound = self.muxed().and_then(Rendition::first);
        self.renditions().filter_map(Rendition::first).chain(sound).min()
    }

    /// End of the latest frame, in microseconds.
    fn end(&self) -> i64 {
        self.renditions().chain(self.muxed()).map(Rendition::end).max().unwrap_or(0)
    }

    fn waiting_bytes(&self) -> usize {
        self.lanes.iter().map(Lane::waiting_bytes).sum()
    }

    /// Once per segment, so that a stall is not a warning for each of its frames.
    fn report(&mut self, fx: &mut Effects) {
        running::report(self.renditions_mut(), fx);
        let count: u64 = self.lanes.iter_mut().map(Lane::take_short).sum();
        if count > 0 && !std::mem::replace(&mut self.warned, true) {
            fx.push(Effect::Warn(Warning::ShortParts { count }));
        }
    }
}

/// Takes a packet, and says up to where there are some now.
fn push(feed: &mut Rendition, packet: &Packet) -> Option<i64> {
    feed.span(packet)?;
    feed.push(packet);
    Some(feed.end())
}
