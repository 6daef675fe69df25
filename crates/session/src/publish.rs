//! One connection's media: from messages to frames on the session's timeline.

use std::collections::BTreeSet;

use bytes::Bytes;
use container::flv::{self, Format, Unit};
use media::{Gap, Kind, TrackId, Wall};
use output::{Effect, Event, Warning};

use crate::configs::Configs;
use crate::demux::{Access, Demuxed, Frame, Unwrapper, demux};
use crate::early::Early;
use crate::opening::Opening;
use crate::repair::{Repair, Repaired};
use crate::session::Session;
use crate::slots::SlotEffects;
use crate::timeline::Line;

/// Warnings after which a connection gets no more of them: a sender that is always wrong is one finding, not a
/// flood.
const MAX_WARNINGS: u32 = 32;

/// One connection's media. A publisher that comes back starts afresh: its clock is a new one.
#[derive(Default)]
pub(crate) struct Publish {
    unwrapper: Unwrapper,
    pub(crate) configs: Configs,
    pub(crate) stage: Stage,
    /// Where its first run begins, in microseconds of session time.
    pub(crate) start: i64,
    /// A run ends at the next key frame, and why.
    pub(crate) pending: Option<Gap>,
    /// When the last key frame of the main video came, in milliseconds of session time.
    pub(crate) keyed: Option<i64>,
    /// Sound that the run has no place for: the next one begins with it.
    pub(crate) early: Early,
    /// Frames that no run has a place for.
    pub(crate) left_out: u64,
    /// Whose either of those are.
    pub(crate) joining: BTreeSet<TrackId>,
    /// Tracks that were reported as nothing that a product carries.
    unsupported: BTreeSet<TrackId>,
    /// A frame without a decoder configuration was reported.
    told_undecodable: bool,
    warnings: u32,
}

pub(crate) enum Stage {
    /// Its tracks are not known yet.
    Opening(Opening),
    /// Frames go through `repair` to the line of their track.
    Running { repair: Repair, lines: Vec<Line> },
}

impl Default for Stage {
    fn default() -> Self {
        Self::Opening(Opening::default())
    }
}

/// When and how a message came.
#[derive(Clone, Copy)]
struct Arrival {
    millis: i64,
    nanos: u32,
    received: Wall,
}

impl Session {
    /// A video or audio message: what each track's part of it means.
    pub(crate) fn media(
        &mut self,
        kind: Kind,
        timestamp: u32,
        payload: &Bytes,
        received: Wall,
        fx: &mut SlotEffects,
    ) {
        let Some(publish) = self.publish.as_mut() else { return };
        let millis = publish.unwrapper.unwrap(timestamp);
        let units = match kind {
            Kind::Video => flv::video(payload),
            Kind::Audio => flv::audio(payload),
        };
        let units = match units {
            Ok(units) => units,
            Err(error) => return self.warn(Warning::BadMedia(error.to_string()), fx),
        };
        let arrival = Arrival { millis, nanos: units.nanos(), received };
        for unit in units {
            match unit {
                Ok(unit) => self.unit(TrackId { kind, index: unit.track }, unit, arrival, fx),
                Err(error) => self.warn(Warning::BadMedia(error.to_string()), fx),
            }
        }
    }

    fn unit(&mut self, track: TrackId, unit: Unit, arrival: Arrival, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        if !publish.configs.takes(track) {
            return self.unsupported(track, format!("track {} of a kind", track.index), fx);
        }
        let demuxed = match demux(unit, publish.configs.stated(track)) {
            Ok(demuxed) => demuxed,
            Err(error) => return self.warn(Warning::BadMedia(error.to_string()), fx),
        };
        self.describe(track, &demuxed);
        if let Some(name) = demuxed.unsupported {
            self.unsupported(track, name, fx);
        }
        if let Some(access) = demuxed.unit {
            self.access(track, access, arrival, fx);
        }
    }

    /// Decoder configurations. The same one again is no change (design §7 rule 4).
    fn describe(&mut self, track: TrackId, demuxed: &Demuxed) {
        let Some(publish) = self.publish.as_mut() else { return };
        if let Some(codec) = &demuxed.config {
            publish.configs.set(track, codec.clone());
            publish.left_out += publish.early.forget(track);
        }
        if let Some(colour) = &demuxed.colour {
            publish.configs.set_colour(track, *colour);
        }
        if demuxed.config.is_none() && demuxed.colour.is_none() {
            return;
        }
        let codec = publish.configs.get(track);
        let changed =
            codec.is_some_and(|codec| !self.run.as_ref().is_some_and(|run| run.carries(track, codec)));
        // Audio announces its change by its frames: some encoders announce a track that never comes.
        if changed && track.kind == Kind::Video && matches!(publish.stage, Stage::Running { .. }) {
            publish.pending = Some(Gap::TracksChanged);
        }
    }

    /// A track that nothing is made of: said once, the others go on.
    fn unsupported(&mut self, track: TrackId, codec: String, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        if publish.unsupported.insert(track) {
            self.warn(Warning::TrackLeftOut { output: "every output", codec }, fx);
        }
    }

    fn access(&mut self, track: TrackId, access: Access, arrival: Arrival, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        let codec = publish.configs.get(track).filter(|codec| Format::of(codec) == access.format);
        let Some(codec) = codec else { return self.undecodable(fx) };
        let frame = Frame {
            track,
            millis: arrival.millis,
            nanos: arrival.nanos,
            cts_millis: access.cts_millis,
            // The sender's flag is a hint: recovery points and plain I frames carry it, too (packaging-rules C-05).
            key: codec::is_key(codec, &access.data),
            recovery: codec::recovery(codec, &access.data, access.flagged),
            received: arrival.received,
            data: access.data,
        };
        match &mut publish.stage {
            Stage::Opening(opening) => {
                opening.push(frame);
                self.try_open(arrival.received, fx);
            }
            Stage::Running { repair, .. } => {
                let mut repaired = std::mem::take(&mut self.scratch);
                repair.push(frame, &mut repaired);
                self.repaired(&mut repaired, fx);
                self.scratch = repaired;
            }
        }
    }

    /// A frame whose codec nobody configured: the first is told at once, the others when they are counted.
    fn undecodable(&mut self, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        if std::mem::replace(&mut publish.told_undecodable, true) {
            publish.left_out += 1;
        } else {
            let why = "no decoder configuration of their codec came before";
            self.warn(Warning::FramesDropped { count: 1, why }, fx);
        }
    }

    /// Begins the first run of this publish once its tracks are known.
    pub(crate) fn try_open(&mut self, now: Wall, fx: &mut SlotEffects) {
        let Some(Publish { stage: Stage::Opening(opening), configs, .. }) = &mut self.publish else { return };
        opening.compare(configs);
        if opening.ready(now) {
            self.open(fx);
        }
    }

    fn open(&mut self, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        let Stage::Opening(opening) = &mut publish.stage else { return };
        let opened = opening.open();
        let at_millis = self.end.div_euclid(1_000) + i64::from(self.end.rem_euclid(1_000) > 0);
        let mut repair = Repair::new(opened.origin(), at_millis);
        let tracks = opened.tracks.iter().filter_map(|&track| publish.configs.track(track)).collect();
        let wall = opened.frames.iter().map(|frame| frame.received).min().unwrap_or_default();
        let mut repaired = Vec::with_capacity(opened.frames.len());
        for frame in opened.frames {
            repair.push(frame, &mut repaired);
        }
        publish.start = at_millis * 1_000;
        publish.stage = Stage::Running { repair, lines: Vec::new() };
        if opened.undecodable > 0 {
            let why = "they come before the first key frame";
            self.warn(Warning::FramesDropped { count: opened.undecodable, why }, fx);
        }
        self.begin_run(tracks, at_millis * 1_000, wall, fx);
        self.repaired(&mut repaired, fx);
    }

    fn repaired(&mut self, repaired: &mut Vec<Repaired>, fx: &mut SlotEffects) {
        for item in repaired.drain(..) {
            match item {
                Repaired::Frame(frame) => self.timed(frame, fx),
                Repaired::Jumped => {
                    if let Some(publish) = self.publish.as_mut() {
                        publish.pending.get_or_insert(Gap::Jump);
                    }
                }
                Repaired::Warn(warning) => self.warn(warning, fx),
            }
        }
    }

    /// Lets go of everything that is held: nothing follows.
    pub(crate) fn flush(&mut self, fx: &mut SlotEffects) {
        if let Some(Publish { stage: Stage::Opening(opening), .. }) = &self.publish
            && opening.has_frames()
        {
            self.open(fx);
        }
        let mut repaired = Vec::new();
        if let Some(Publish { stage: Stage::Running { repair, .. }, .. }) = self.publish.as_mut() {
            repair.finish(&mut repaired);
        }
        self.repaired(&mut repaired, fx);
        self.end_lines(None, fx);
        let count = |publish: &mut Publish| publish.left_out + publish.early.take().len() as u64;
        let left_out = self.publish.as_mut().map_or(0, count);
        if left_out > 0 {
            let why = "nothing came to decode them from";
            self.warn(Warning::FramesDropped { count: left_out, why }, fx);
        }
    }

    /// The publisher is gone.
    pub(crate) fn gone(&mut self, why: Gap, at: Wall, fx: &mut SlotEffects) {
        if self.publish.is_none() {
            return;
        }
        self.flush(fx);
        self.publish = None;
        self.slots.deliver(Event::Gap(why, at), fx);
    }

    pub(crate) fn warn(&mut self, warning: Warning, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        publish.warnings += 1;
        if publish.warnings <= MAX_WARNINGS {
            fx.push((None, Effect::Warn(warning)));
        }
    }
}
