use std::collections::BTreeSet;

use bytes::Bytes;
use media::{Codec, Gap, Kind, Run, SessionId, StreamId, Track, TrackId, Wall};
use output::{Context, Effect, Event, Memory, Spec, Warning};

use crate::demux::{Demuxed, Frame, Unwrapper, demux};
use crate::opening::{Configs, Opening};
use crate::repair::{Repair, Repaired};
use crate::report::{Count, OutputReport, Report, TrackReport};
use crate::slots::{SlotEffects, Slots};
use crate::timeline::Line;

/// Warnings of one kind after which a connection gets no more of them: a sender that is always wrong is one
/// finding, not a flood.
const MAX_WARNINGS: u32 = 32;

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Input {
    /// A video or audio message arrived.
    Media {
        /// Which of the two.
        kind: Kind,
        /// RTMP timestamp in milliseconds; wraps.
        timestamp: u32,
        /// FLV tag body.
        payload: Bytes,
        /// When its last byte arrived.
        received: Wall,
    },
    /// The publisher is gone.
    Gone(Gap, Wall),
    /// Time passed.
    Tick(Wall),
    /// Close everything: nothing follows.
    End(Wall),
}

/// One live stream from its first publish to its final end, over reconnects.
pub struct Session {
    id: SessionId,
    context: Context,
    pub(crate) slots: Slots,
    publish: Option<Publish>,
    run: Option<Run>,
    runs: u32,
    /// Where the next run begins at the earliest, in microseconds of session time.
    end: i64,
    ended: bool,
    last_media: Option<Wall>,
    video: Count,
    audio: Count,
    /// Reused from frame to frame.
    scratch: Vec<Repaired>,
}

/// One connection's media. A publisher that comes back starts afresh: its clock is a new one.
struct Publish {
    unwrapper: Unwrapper,
    configs: Configs,
    stage: Stage,
    /// A run ends at the next key frame, and why.
    pending: Option<Gap>,
    /// Audio of a format that the run does not have, left out until then.
    left_out: u64,
    /// Kinds of which a codec that is not supported was reported.
    unsupported: BTreeSet<Kind>,
    warnings: u32,
}

enum Stage {
    Opening(Opening),
    Running { repair: Repair, lines: Vec<(Kind, Line)> },
}

impl Session {
    /// A session of `stream` that begins at `opened`; `memory` is what earlier ones left.
    pub fn new(id: SessionId, stream: StreamId, opened: Wall, memory: Memory) -> Self {
        Self {
            id,
            context: Context { stream, opened, memory },
            slots: Slots::default(),
            publish: None,
            run: None,
            runs: 0,
            end: 0,
            ended: false,
            last_media: None,
            video: Count::default(),
            audio: Count::default(),
            scratch: Vec::new(),
        }
    }

    /// Its id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// A publisher is here (again): outputs whose spec is unchanged go on, others end, new ones open.
    pub fn publish(&mut self, specs: &[Spec], at: Wall, fx: &mut SlotEffects) {
        self.publish = Some(Publish {
            unwrapper: Unwrapper::default(),
            configs: Configs::default(),
            stage: Stage::Opening(Opening::default()),
            pending: None,
            left_out: 0,
            unsupported: BTreeSet::new(),
            warnings: 0,
        });
        self.slots.replan(specs, &self.context, at, fx);
    }

    /// Takes the next input and appends everything that it causes to `fx`.
    pub fn on(&mut self, input: Input, fx: &mut SlotEffects) {
        match input {
            Input::Media { kind, timestamp, payload, received } => {
                self.last_media = Some(received);
                self.media(kind, timestamp, &payload, received, fx);
            }
            Input::Gone(why, at) => self.gone(why, at, fx),
            Input::Tick(at) => {
                self.try_open(at, fx);
                self.slots.deliver(Event::Tick(at), fx);
            }
            Input::End(at) => {
                self.flush(fx);
                self.publish = None;
                self.ended = true;
                self.slots.deliver(Event::End(at), fx);
            }
        }
    }

    /// When the session wants an [`Input::Tick`].
    pub fn deadline(&self) -> Option<Wall> {
        let opening = match self.publish.as_ref().map(|publish| &publish.stage) {
            Some(Stage::Opening(opening)) => opening.deadline(),
            _ => None,
        };
        [opening, self.slots.deadline()].into_iter().flatten().min()
    }

    /// Whether nothing can follow: ended, or the publisher is gone and no output waits for it.
    pub fn finished(&self) -> bool {
        self.ended || (self.publish.is_none() && self.slots.deadline().is_none())
    }

    /// The state of things.
    pub fn report(&self) -> Report {
        let tracks = self.run.iter().flat_map(|run| &run.tracks);
        Report {
            session: self.id,
            stream: self.context.stream.clone(),
            opened: self.context.opened,
            live: self.publish.is_some(),
            last_media: self.last_media,
            tracks: tracks.map(|track| self.track_report(track)).collect(),
            outputs: self
                .slots
                .iter()
                .map(|slot| OutputReport {
                    product: slot.id.product,
                    index: slot.id.index,
                    error: slot.error.clone(),
                })
                .collect(),
            runs: self.runs,
        }
    }

    fn track_report(&self, track: &Track) -> TrackReport {
        let count = if track.is_video() { &self.video } else { &self.audio };
        TrackReport {
            track: track.clone(),
            frames: count.frames,
            bytes: count.bytes,
            micros: count.micros,
            gop_frames: count.gop_frames,
        }
    }

    fn media(&mut self, kind: Kind, timestamp: u32, payload: &Bytes, received: Wall, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        let millis = publish.unwrapper.unwrap(timestamp);
        match demux(kind, payload, publish.configs.get(kind)) {
            Ok(Demuxed::Config(codec)) => self.config(kind, codec, received),
            Ok(Demuxed::Unit { key, cts_millis, data }) if publish.configs.get(kind).is_some() => {
                let frame = Frame { kind, millis, cts_millis, key, received, data };
                self.frame(frame, fx);
            }
            Ok(Demuxed::Unit { .. }) => {
                self.warn(Warning::FramesDropped { count: 1, why: "no decoder configuration yet" }, fx)
            }
            Ok(Demuxed::Nothing) => {}
            Ok(Demuxed::Unsupported(codec)) => self.unsupported(kind, codec, fx),
            Err(error) => self.warn(Warning::BadMedia(error.to_string()), fx),
        }
    }

    /// A codec that nothing is made of: said once of each kind, the other track goes on.
    fn unsupported(&mut self, kind: Kind, codec: String, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        if publish.unsupported.insert(kind) {
            self.warn(Warning::TrackLeftOut { output: "every output", codec }, fx);
        }
    }

    /// A decoder configuration. The same one again is no change (design §7 rule 4).
    fn config(&mut self, kind: Kind, codec: Codec, received: Wall) {
        let Some(publish) = self.publish.as_mut() else { return };
        if let Stage::Opening(opening) = &mut publish.stage {
            opening.touch(received);
        } else if kind == Kind::Video && !carries(self.run.as_ref(), kind, &codec) {
            // Audio announces its change by its frames: some encoders announce a track that never comes.
            publish.pending = Some(Gap::TracksChanged);
        }
        publish.configs.set(kind, codec);
    }

    fn frame(&mut self, frame: Frame, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        let received = frame.received;
        match &mut publish.stage {
            Stage::Opening(opening) => {
                opening.push(frame);
                self.try_open(received, fx);
            }
            Stage::Running { repair, .. } => {
                let mut repaired = std::mem::take(&mut self.scratch);
                repair.push(frame, &mut repaired);
                self.repaired(&mut repaired, fx);
                self.scratch = repaired;
            }
        }
    }

    /// Begins the first run of this publish once its tracks are known.
    fn try_open(&mut self, now: Wall, fx: &mut SlotEffects) {
        if let Some(Publish { stage: Stage::Opening(opening), .. }) = &self.publish
            && opening.ready(now)
        {
            self.open(fx);
        }
    }

    fn open(&mut self, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        let Stage::Opening(opening) = &mut publish.stage else { return };
        let opened = opening.open();
        let at_millis = self.end.div_euclid(1_000) + i64::from(self.end.rem_euclid(1_000) > 0);
        let mut repair = Repair::new(opened.origin(), at_millis);
        let mut tracks = Vec::with_capacity(2);
        tracks.extend(opened.video.then(|| track(Kind::Video, &publish.configs)).flatten());
        tracks.extend(opened.audio.then(|| track(Kind::Audio, &publish.configs)).flatten());
        let wall = opened.frames.iter().map(|frame| frame.received).min().unwrap_or_default();
        let mut repaired = Vec::with_capacity(opened.frames.len());
        for frame in opened.frames {
            repair.push(frame, &mut repaired);
        }
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

    /// A frame on the session's timeline: it may begin a new run, or belong to none.
    fn timed(&mut self, frame: Frame, fx: &mut SlotEffects) {
        if !self.fits(&frame)
            && let Some(publish) = self.publish.as_mut()
        {
            publish.pending.get_or_insert(Gap::TracksChanged);
        }
        self.turn_over(&frame, fx);
        let fits = self.fits(&frame);
        if fits {
            self.let_go(&frame, fx);
        }
        let Some(publish) = self.publish.as_mut() else { return };
        let Stage::Running { lines, .. } = &mut publish.stage else { return };
        let line = lines.iter_mut().find(|(kind, _)| *kind == frame.kind).filter(|_| fits);
        match line {
            Some((_, line)) => {
                if let Some(packet) = line.push(frame) {
                    self.deliver(packet, fx);
                }
            }
            None => publish.left_out += 1,
        }
    }

    /// A track that fell silent must not hold its last frame back while the others go on.
    fn let_go(&mut self, frame: &Frame, fx: &mut SlotEffects) {
        let Some(Publish { stage: Stage::Running { lines, .. }, .. }) = self.publish.as_mut() else { return };
        let own = lines.iter().find(|(kind, _)| *kind == frame.kind);
        let step = own.map_or(0, |(_, line)| line.step(frame));
        let others = lines.iter_mut().filter(|(kind, _)| *kind != frame.kind);
        let overdue = others.filter_map(|(_, line)| line.others_got_on(step)).next();
        if let Some(packet) = overdue {
            self.deliver(packet, fx);
        }
    }

    /// Whether the current run has a track that decodes this frame.
    fn fits(&self, frame: &Frame) -> bool {
        let track = self.run.iter().flat_map(|run| &run.tracks).find(|track| track.id.kind == frame.kind);
        let announced = self.publish.as_ref().and_then(|publish| publish.configs.get(frame.kind));
        match (track, announced) {
            // Audio in a new format cannot be read with the old one; video before its key frame still can.
            (Some(track), Some(codec)) => frame.kind == Kind::Video || track.codec == *codec,
            _ => false,
        }
    }

    /// Begins a new run if one is due and this frame can begin it: a key frame, or audio where there is no video.
    fn turn_over(&mut self, frame: &Frame, fx: &mut SlotEffects) {
        let (Some(publish), Some(run)) = (self.publish.as_mut(), self.run.as_ref()) else { return };
        let Some(why) = publish.pending else { return };
        let Some(kinds) = run_kinds(run, frame, why, publish) else { return };
        let tracks: Vec<Track> = kinds.iter().filter_map(|&kind| track(kind, &publish.configs)).collect();
        publish.pending = None;
        let left_out = std::mem::take(&mut publish.left_out);
        let at = frame.millis * 1_000;
        self.end_lines(Some(frame), fx);
        if left_out > 0 {
            let why = "their track begins with the next key frame";
            self.warn(Warning::FramesDropped { count: left_out, why }, fx);
        }
        self.slots.deliver(Event::Gap(why, frame.received), fx);
        self.begin_run(tracks, at, frame.received, fx);
    }

    fn begin_run(&mut self, tracks: Vec<Track>, start: i64, wall: Wall, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        let Stage::Running { lines, .. } = &mut publish.stage else { return };
        let floor = |track: &Track| {
            let line = lines.iter().find(|(kind, _)| *kind == track.id.kind);
            line.map_or(self.end.min(start), |(_, line)| line.end_micros())
        };
        *lines = tracks.iter().map(|track| (track.id.kind, Line::new(track, floor(track)))).collect();
        let run = Run { index: self.runs, tracks, start, wall };
        self.runs += 1;
        self.slots.deliver(Event::Run(&run), fx);
        self.run = Some(run);
    }

    fn deliver(&mut self, packet: media::Packet, fx: &mut SlotEffects) {
        let Some(track) = self.run.iter().flat_map(|run| &run.tracks).find(|t| t.id == packet.track) else {
            return;
        };
        match packet.track.kind {
            Kind::Video => self.video.add(&packet, track),
            Kind::Audio => self.audio.add(&packet, track),
        }
        self.end = self.end.max(track.timescale.micros(packet.end()));
        self.slots.deliver(Event::Packet(&packet), fx);
    }

    /// Lets the held frame of every track go; one that `next` follows lasts until then.
    fn end_lines(&mut self, next: Option<&Frame>, fx: &mut SlotEffects) {
        let Some(Publish { stage: Stage::Running { lines, .. }, .. }) = self.publish.as_mut() else { return };
        let until = |kind: Kind| next.filter(|next| next.kind == kind && kind == Kind::Video);
        let packets: Vec<_> = lines.iter_mut().filter_map(|(kind, line)| line.finish(until(*kind))).collect();
        for packet in packets {
            self.deliver(packet, fx);
        }
    }

    fn flush(&mut self, fx: &mut SlotEffects) {
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
        let left_out = self.publish.as_ref().map_or(0, |publish| publish.left_out);
        if left_out > 0 {
            let why = "their track had no key frame to begin with";
            self.warn(Warning::FramesDropped { count: left_out, why }, fx);
        }
    }

    fn gone(&mut self, why: Gap, at: Wall, fx: &mut SlotEffects) {
        if self.publish.is_none() {
            return;
        }
        self.flush(fx);
        self.publish = None;
        self.slots.deliver(Event::Gap(why, at), fx);
    }

    fn warn(&mut self, warning: Warning, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        publish.warnings += 1;
        if publish.warnings <= MAX_WARNINGS {
            fx.push((None, Effect::Warn(warning)));
        }
    }
}

/// The kinds of track that a run beginning with `frame` has; `None` if it cannot begin one.
fn run_kinds(run: &Run, frame: &Frame, why: Gap, publish: &Publish) -> Option<&'static [Kind]> {
    let audio = run.audio().is_some() || publish.left_out > 0;
    match frame.kind {
        Kind::Video if !frame.key => None,
        Kind::Video if audio => Some(&[Kind::Video, Kind::Audio]),
        Kind::Video => Some(&[Kind::Video]),
        Kind::Audio if run.video().is_some() => None,
        Kind::Audio => {
            let codec = publish.configs.get(Kind::Audio)?;
            let due = why == Gap::Jump || !carries(Some(run), Kind::Audio, codec);
            due.then_some(&[Kind::Audio])
        }
    }
}

fn carries(run: Option<&Run>, kind: Kind, codec: &Codec) -> bool {
    run.is_some_and(|run| run.tracks.iter().any(|track| track.id.kind == kind && track.codec == *codec))
}

fn track(kind: Kind, configs: &Configs) -> Option<Track> {
    let codec = configs.get(kind)?.clone();
    let timescale = codec.timescale()?;
    Some(Track { id: TrackId { kind, index: 0 }, timescale, codec })
}
