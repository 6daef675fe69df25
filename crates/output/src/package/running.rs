//! The current run: how it is cut, and what its segments have in common.

use container::mp4;
use container::ts::{self, Muxer};
use media::{Kind, Packet, Run, Ticks, Timescale, Track, TrackId, Wall};

use super::cutter::Cutter;
use super::live::Live;
use super::low_latency::{self, PartLength};
use super::naming::init_name;
use super::part::{Made, Part};
use super::rendition::Rendition;
use super::segment::Form;
use crate::{Effect, Effects, Error, Resource, Warning};

/// A run on its way into the lists.
pub(super) struct Running {
    /// The run.
    pub run: Run,
    /// Number of its first segment.
    pub first: u64,
    /// It goes on in lists that were there before, so it begins with a DISCONTINUITY.
    pub goes_on: bool,
    flow: Flow,
    shift: Option<i64>,
}

/// How its frames become segments.
enum Flow {
    /// Each at once.
    Segments(Live),
    /// Part by part.
    Parts(low_latency::Live),
}

impl Running {
    /// `run` in whole segments, the first of which has number `first`; `timed`: they are named by time.
    pub(super) fn in_segments(
        run: &Run,
        first: u64,
        goes_on: bool,
        timed: bool,
        fx: &mut Effects,
    ) -> Result<Self, Error> {
        let flow = Flow::Segments(Live::new(cmaf(run, first, timed, fx)?));
        Ok(Self { run: run.clone(), first, goes_on, flow, shift: None })
    }

    /// `run` in parts of CMAF; `target` says the PART-TARGET of a track that had a list before.
    pub(super) fn in_parts(
        run: &Run,
        first: u64,
        goes_on: bool,
        (length, target): (PartLength, impl Fn(TrackId) -> Option<i64>),
        fx: &mut Effects,
    ) -> Result<Self, Error> {
        let flow = Flow::Parts(low_latency::Live::cmaf(cmaf(run, first, false, fx)?, length, target));
        Ok(Self { run: run.clone(), first, goes_on, flow, shift: None })
    }

    /// `run` in parts of one transport stream, which goes on with `muxer` if there was one.
    pub(super) fn in_ts(
        run: &Run,
        first: u64,
        goes_on: bool,
        (length, target): (PartLength, impl Fn(TrackId) -> Option<i64>),
        muxer: Option<Muxer>,
        fx: &mut Effects,
    ) -> Result<Self, Error> {
        let tracks = muxed(run, fx)?;
        let muxer = match muxer {
            Some(mut muxer) => muxer.set_tracks(&tracks).map(|()| muxer),
            None => Muxer::new(&tracks),
        }?;
        let form = Form { init: None, content_type: "video/mp2t", suffix: "ts", timed: None };
        let feeds = tracks.into_iter().enumerate();
        let mut feeds = feeds.map(|(n, track)| Rendition::new(track, form.clone(), n == 0).unshifted());
        let Some(lead) = feeds.next() else {
            return Err(container::Error::Tracks { container: "MPEG-TS" }.into());
        };
        let target = target(lead.id());
        let flow = Flow::Parts(low_latency::Live::ts(lead, feeds.next(), muxer, length, target));
        Ok(Self { run: run.clone(), first, goes_on, flow, shift: None })
    }

    /// Takes a packet; what it completes goes to `out`.
    pub(super) fn packet(
        &mut self,
        packet: &Packet,
        cutter: &mut Cutter,
        out: &mut Vec<Made>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        match &mut self.flow {
            Flow::Parts(live) => live.packet(packet, cutter, out, fx),
            Flow::Segments(live) => {
                let mut spans = Vec::new();
                live.packet(packet, cutter, &mut spans, fx)?;
                list(spans, cutter, out);
                Ok(())
            }
        }
    }

    /// A key frame of the leading track has come, decoded and presented at these `times`, that is no packet yet; what
    /// that completes goes to `out`.
    pub(super) fn key_frame(
        &mut self,
        times: (Ticks, Ticks),
        cutter: &mut Cutter,
        out: &mut Vec<Made>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        match &mut self.flow {
            Flow::Parts(live) => live.key_frame(times, cutter, out, fx),
            Flow::Segments(live) => {
                let mut spans = Vec::new();
                live.key_frame(times, cutter, &mut spans, fx)?;
                list(spans, cutter, out);
                Ok(())
            }
        }
    }

    /// Ends the run: what waits becomes its last segments.
    pub(super) fn finish(&mut self, cutter: &mut Cutter, out: &mut Vec<Made>) -> Result<(), Error> {
        match &mut self.flow {
            Flow::Parts(live) => live.finish(cutter, out),
            Flow::Segments(live) => {
                let mut spans = Vec::new();
                live.finish(cutter, &mut spans)?;
                list(spans, cutter, out);
                Ok(())
            }
        }
    }

    /// Whether the run has not ended a segment yet and is shorter than `micros`.
    pub(super) fn younger_than(&self, micros: i64, cutter: &Cutter) -> bool {
        match &self.flow {
            Flow::Segments(live) => live.younger_than(micros, cutter),
            Flow::Parts(live) => live.younger_than(micros, cutter),
        }
    }

    /// Its renditions, the leading one first.
    pub(super) fn renditions(&self) -> Vec<&Rendition> {
        match &self.flow {
            Flow::Segments(live) => live.renditions().collect(),
            Flow::Parts(live) => live.renditions().collect(),
        }
    }

    /// The leading rendition's track.
    pub(super) fn lead(&self) -> Option<TrackId> {
        self.renditions().first().map(|lead| lead.id())
    }

    /// The timescale of `track` if it is the leading one.
    pub(super) fn leads(&self, track: TrackId) -> Option<Timescale> {
        let lead = match &self.flow {
            Flow::Segments(live) => live.renditions().next(),
            Flow::Parts(live) => live.renditions().next(),
        };
        lead.filter(|lead| lead.id() == track).map(|lead| lead.track().timescale)
    }

    /// A track that is in the segments of the leading rendition beside its own.
    pub(super) fn muxed(&self) -> Option<&Track> {
        match &self.flow {
            Flow::Segments(_) => None,
            Flow::Parts(live) => live.muxed().map(Rendition::track),
        }
    }

    /// PART-TARGET of a rendition in microseconds, if it has parts.
    pub(super) fn target(&self, track: TrackId) -> Option<i64> {
        match &self.flow {
            Flow::Segments(_) => None,
            Flow::Parts(live) => live.target(track),
        }
    }

    /// Learns from a segment of `track` what the stream does not state.
    pub(super) fn measure(&mut self, track: TrackId, frames: usize, micros: i64) {
        let learn = |rendition: &mut Rendition| rendition.measure(frames, micros);
        match &mut self.flow {
            Flow::Segments(live) => live.renditions_mut().filter(|r| r.id() == track).for_each(learn),
            Flow::Parts(live) => live.renditions_mut().filter(|r| r.id() == track).for_each(learn),
        }
    }

    /// How the segments of `track` look; one that the run does not have has gaps only.
    pub(super) fn form(&self, track: TrackId) -> Form {
        let renditions = self.renditions();
        let own = renditions.iter().find(|rendition| rendition.id() == track);
        let any = own.or(renditions.first()).map(|rendition| rendition.form().clone());
        let form = any.unwrap_or(Form { init: None, content_type: "video/mp4", suffix: "m4s", timed: None });
        if own.is_some() { form } else { Form { init: None, ..form } }
    }

    /// Wall time of a moment of the run. A clock that was set back must not let it run backwards, so then the
    /// whole run is dated later, at `earliest` (packaging-rules H-15).
    pub(super) fn date(&mut self, at: i64, earliest: Wall) -> Wall {
        let wall = self.run.wall_at(Ticks(at), Timescale::MICROS);
        let shift = *self.shift.get_or_insert(earliest.micros_since(wall).max(0));
        wall.plus_micros(shift)
    }

    /// The muxer of a transport stream, which goes on in the next run.
    pub(super) fn into_muxer(self) -> Option<Muxer> {
        match self.flow {
            Flow::Segments(_) => None,
            Flow::Parts(live) => live.into_muxer(),
        }
    }
}

/// Whole segments as steps; the first ones fix the target duration.
fn list(spans: Vec<super::live::Span>, cutter: &mut Cutter, out: &mut Vec<Made>) {
    let Some(longest) = spans.iter().map(super::live::Span::longest).max() else { return };
    if cutter.target_s().is_none() {
        cutter.freeze(longest);
    }
    out.extend(spans.into_iter().flat_map(super::live::Span::steps));
}

/// A rendition for each track of `run` that CMAF has a place for, the leading one first. Others are left out with
/// a warning.
fn cmaf(run: &Run, sequence: u64, timed: bool, fx: &mut Effects) -> Result<Vec<Rendition>, Error> {
    let mut renditions: Vec<Rendition> = Vec::new();
    let mut refused = None;
    for track in &run.tracks {
        match init(track, sequence, timed.then_some(sequence)) {
            Ok(form) => renditions.push(Rendition::new(track.clone(), form, renditions.is_empty())),
            Err(error) => {
                fx.push(left_out(track));
                refused.get_or_insert(error);
            }
        }
    }
    match refused {
        Some(error) if renditions.is_empty() => Err(error),
        _ => Ok(renditions),
    }
}

/// CMAF segments of `track` from number `sequence` on (packaging-rules C-02, C-18, H-03).
fn init(track: &Track, sequence: u64, timed: Option<u64>) -> Result<Form, Error> {
    let content_type = if track.is_video() { "video/mp4" } else { "audio/mp4" };
    let init = Resource { content_type, body: [mp4::init(track)?].into(), immutable: true };
    let name = init_name(track.id, sequence).into();
    Ok(Form { init: Some((name, init)), content_type, suffix: "m4s", timed })
}

/// The first track of each kind that a transport stream has a place for (packaging-rules T-13). Others are left out
/// with a warning.
fn muxed(run: &Run, fx: &mut Effects) -> Result<Vec<Track>, Error> {
    let first = |kind: Kind| run.tracks.iter().find(|t| t.id.kind == kind && ts::carries(&t.codec));
    let tracks: Vec<Track> = [Kind::Video, Kind::Audio].into_iter().filter_map(first).cloned().collect();
    let others = run.tracks.iter().filter(|track| tracks.iter().all(|taken| taken.id != track.id));
    fx.extend(others.map(left_out));
    match (tracks.is_empty(), run.tracks.first()) {
        (true, Some(track)) => Err(Error::unsupported("package", &track.codec)),
        _ => Ok(tracks),
    }
}

fn left_out(track: &Track) -> Effect {
    Effect::Warn(Warning::TrackLeftOut { output: "package", codec: codec::rfc6381(&track.codec) })
}

/// Nothing, from `from` on for `duration` microseconds, in pieces of at most `target`.
pub(super) fn lost(from: i64, duration: i64, target: Option<i64>) -> impl Iterator<Item = Part> {
    let most = target.unwrap_or(duration).max(1_000);
    let end = from + duration;
    let starts = std::iter::successors(Some(from), move |&at| Some(at + most).filter(|&at| at < end));
    starts.map(move |at| Part::gap(at, most.min(end - at)))
}

/// Tells what was dropped and what is not aligned. Once per segment, so that a stall is not a warning for each of its
/// frames.
pub(super) fn report<'a>(renditions: impl Iterator<Item = &'a mut Rendition>, fx: &mut Effects) {
    let mut count = 0;
    for rendition in renditions {
        count += rendition.take_dropped();
        if rendition.take_unaligned() {
            fx.push(Effect::Warn(Warning::Unaligned { index: rendition.id().index }));
        }
    }
    if count > 0 {
        let why = "their segment is closed, or nothing to decode them from";
        fx.push(Effect::Warn(Warning::FramesDropped { count, why }));
    }
}
