//! Where runs begin and end, and the packets between.

use media::{Gap, Packet, Run, Track, TrackId, Wall};
use output::{Event, Warning};

use crate::demux::Frame;
use crate::publish::{Publish, Stage};
use crate::session::Session;
use crate::slots::SlotEffects;
use crate::timeline::Line;

/// A stream that had no key frame for this long, in milliseconds, has open GOPs: it may never have another one.
const KEYLESS_MILLIS: i64 = 5_000;

impl Session {
    /// A frame on the session's timeline: it may begin a new run, or belong to none.
    pub(crate) fn timed(&mut self, frame: Frame, fx: &mut SlotEffects) {
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
        let line = lines.iter_mut().find(|line| line.track() == frame.track).filter(|_| fits);
        match line {
            Some(line) => {
                if frame.key && run_leads(self.run.as_ref(), frame.track) {
                    publish.keyed = Some(frame.millis);
                }
                let before = line.push(frame);
                let key = line.key_frame();
                if let Some((track, dts, pts)) = key {
                    self.slots.deliver(Event::KeyFrame { track, dts, pts }, fx);
                }
                if let Some(packet) = before {
                    self.deliver(packet, fx);
                }
            }
            None => {
                publish.joining.insert(frame.track);
                publish.left_out += if frame.is_video() { 1 } else { publish.early.push(frame) };
            }
        }
    }

    /// A track that fell silent must not hold its last frame back while the others go on.
    fn let_go(&mut self, frame: &Frame, fx: &mut SlotEffects) {
        let Some(Publish { stage: Stage::Running { lines, .. }, .. }) = self.publish.as_mut() else { return };
        let own = lines.iter().find(|line| line.track() == frame.track);
        let step = own.map_or(0, |line| line.step(frame));
        let mut overdue = Vec::new();
        for line in lines.iter_mut().filter(|line| line.track() != frame.track) {
            overdue.extend(line.other_got_on(frame.track, step));
        }
        for packet in overdue {
            self.deliver(packet, fx);
        }
    }

    /// Whether the current run has a track that decodes this frame.
    fn fits(&self, frame: &Frame) -> bool {
        let track = self.run.as_ref().and_then(|run| run.track(frame.track));
        let announced = self.publish.as_ref().and_then(|publish| publish.configs.get(frame.track));
        match (track, announced) {
            // Audio in a new format cannot be read with the old one; video before its key frame still can.
            (Some(track), Some(codec)) => frame.is_video() || track.codec == *codec,
            _ => false,
        }
    }

    /// Begins a new run if one is due and this frame can begin it: a key frame, or audio where there is no video.
    fn turn_over(&mut self, frame: &Frame, fx: &mut SlotEffects) {
        let (Some(publish), Some(run)) = (self.publish.as_mut(), self.run.as_ref()) else { return };
        let Some(why) = publish.pending else { return };
        if !can_begin(run, frame, why, publish) {
            return;
        }
        let mut ids: Vec<TrackId> = run.tracks.iter().map(|track| track.id).collect();
        ids.extend(std::mem::take(&mut publish.joining));
        ids.push(frame.track);
        ids.sort_unstable();
        ids.dedup();
        let tracks: Vec<Track> = ids.into_iter().filter_map(|id| publish.configs.track(id)).collect();
        publish.pending = None;
        let left_out = std::mem::take(&mut publish.left_out);
        let early = publish.early.take();
        let at = frame.millis * 1_000;
        self.end_lines(Some(frame), fx);
        if left_out > 0 {
            let why = "their track begins with the next key frame";
            self.warn(Warning::FramesDropped { count: left_out, why }, fx);
        }
        self.slots.deliver(Event::Gap(why, frame.received), fx);
        self.begin_run(tracks, at, frame.received, fx);
        for frame in early {
            self.timed(frame, fx);
        }
    }

    pub(crate) fn begin_run(&mut self, tracks: Vec<Track>, start: i64, wall: Wall, fx: &mut SlotEffects) {
        let Some(publish) = self.publish.as_mut() else { return };
        let Stage::Running { lines, .. } = &mut publish.stage else { return };
        let floor = |track: &Track| {
            let line = lines.iter().find(|line| line.track() == track.id);
            line.map_or(publish.start.min(start), Line::end_micros)
        };
        *lines = tracks.iter().map(|track| Line::new(track, floor(track))).collect();
        let run = Run { index: self.runs, tracks, start, wall };
        self.runs += 1;
        self.slots.deliver(Event::Run(&run), fx);
        self.run = Some(run);
    }

    fn deliver(&mut self, packet: Packet, fx: &mut SlotEffects) {
        let Some(track) = self.run.as_ref().and_then(|run| run.track(packet.track)) else { return };
        self.counts.entry(packet.track).or_default().add(&packet, track);
        self.end = self.end.max(track.timescale.micros(packet.end()));
        self.slots.deliver(Event::Packet(&packet), fx);
    }

    /// Lets the held frame of every track go; one that `next` follows lasts until then.
    pub(crate) fn end_lines(&mut self, next: Option<&Frame>, fx: &mut SlotEffects) {
        let Some(Publish { stage: Stage::Running { lines, .. }, .. }) = self.publish.as_mut() else { return };
        let until = |track: TrackId| next.filter(|next| next.track == track && next.is_video());
        let packets: Vec<_> = lines.iter_mut().filter_map(|line| line.finish(until(line.track()))).collect();
        for packet in packets {
            self.deliver(packet, fx);
        }
    }
}

/// Whether `track` is the main video of a run.
fn run_leads(run: Option<&Run>, track: TrackId) -> bool {
    run.and_then(Run::video).is_some_and(|main| main.id == track)
}

/// Whether a run can begin with `frame`: a key frame of the main video, or a recovery point when none came for a while;
/// where there is no video, any of the two, or audio that no old run can take.
fn can_begin(run: &Run, frame: &Frame, why: Gap, publish: &Publish) -> bool {
    match run.video() {
        Some(main) => {
            let keyless = || publish.keyed.is_none_or(|at| frame.millis - at >= KEYLESS_MILLIS);
            frame.track == main.id && (frame.key || (frame.is_entry() && keyless()))
        }
        None if frame.is_video() => frame.is_entry(),
        None => {
            let codec = publish.configs.get(frame.track);
            why == Gap::Jump || codec.is_some_and(|codec| !run.carries(frame.track, codec))
        }
    }
}
