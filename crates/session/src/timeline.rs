//! Exact time: milliseconds become ticks, durations become known (design §7 rules 2 and 3).
//!
//! One frame of each track is held until the next one tells how long it lasts. So within a run
//! `dts + duration` of a packet is the `dts` of the next, whatever the sender's clock did; only a track that
//! falls silent for over a second while another goes on leaves a hole. Sound is counted in samples (`drift`).

use bytes::Bytes;
use media::{Codec, Kind, Packet, Ticks, Timescale, Track, TrackId, Wall};

use crate::demux::Frame;
use crate::drift::Drift;

/// Assumed duration of a lone video frame, in 90 kHz ticks: 1/30 s.
const LONE_FRAME: i64 = 3_000;
/// How far other tracks may get on while a frame is held, in milliseconds of media.
const LONGEST_WAIT_MILLIS: i64 = 1_000;
/// Shortest step between video frames that is a duration and not repaired disorder, in 90 kHz ticks: 1 ms.
const SHORTEST_STEP: i64 = 90;

/// Timing of one track.
#[derive(Debug)]
pub(crate) struct Line {
    id: TrackId,
    timescale: Timescale,
    codec: Codec,
    /// Earliest tick the next frame may have.
    floor: i64,
    /// Last duration that was seen.
    usual: i64,
    held: Option<Held>,
    /// Of sound: how the sender's clock goes against the count of its samples.
    drift: Drift,
    /// Sender's time of the last frame, in milliseconds.
    stated: Option<i64>,
    /// How far each other track got on since then, in milliseconds.
    waited: Vec<(TrackId, i64)>,
}

#[derive(Debug)]
struct Held {
    dts: i64,
    /// Where the count of samples has it; decode time is later while time that was counted twice is caught up.
    count: i64,
    /// Ticks it lasts, if its codec says so.
    fixed: Option<i64>,
    cts: i32,
    key: bool,
    recovery: Option<u16>,
    received: Wall,
    data: Bytes,
}

impl Line {
    /// A track whose packets start at `floor` microseconds of session time or later.
    pub(crate) fn new(track: &Track, floor_micros: i64) -> Self {
        Self {
            id: track.id,
            timescale: track.timescale,
            codec: track.codec.clone(),
            floor: track.timescale.from_micros(floor_micros).0,
            usual: LONE_FRAME,
            held: None,
            drift: Drift::default(),
            stated: None,
            waited: Vec::new(),
        }
    }

    /// Takes the next frame; gives the one before it, whose duration is known now.
    pub(crate) fn push(&mut self, frame: Frame) -> Option<Packet> {
        self.stated = Some(frame.millis);
        self.waited.clear();
        let stated = self.stated_ticks(&frame);
        let (dts, count) = self.place(stated);
        let fixed = codec::samples(&self.codec, &frame.data).map(i64::from);
        let cts = Timescale::MILLIS.convert(Ticks(i64::from(frame.cts_millis)), self.timescale).0;
        // Video keeps its presentation time when its decode time had to move, as long as nothing is shown before it is
        // decoded.
        let cts = if self.id.kind == Kind::Video { (cts + stated - dts).max(cts.min(0)) } else { 0 };
        let next = Held {
            dts,
            count,
            fixed,
            cts: i32::try_from(cts).unwrap_or(0),
            key: frame.key,
            recovery: frame.recovery,
            received: frame.received,
            data: frame.data,
        };
        let done = self.held.take().map(|held| self.packet(held, dts));
        self.held = Some(next);
        done
    }

    /// Track, decode and presentation time of the held frame if it is a key frame of video.
    pub(crate) fn key_frame(&self) -> Option<(TrackId, Ticks, Ticks)> {
        let held = self.held.as_ref().filter(|held| held.key && self.id.kind == Kind::Video)?;
        Some((self.id, Ticks(held.dts), Ticks(held.dts + i64::from(held.cts))))
    }

    /// Lets go of the held frame. It lasts until `next`, or as long as frames usually do.
    pub(crate) fn finish(&mut self, next: Option<&Frame>) -> Option<Packet> {
        let held = self.held.take()?;
        let end = match next {
            Some(frame) => self.stated_ticks(frame),
            None => held.dts + held.fixed.unwrap_or(self.usual),
        };
        Some(self.packet(held, end))
    }

    /// How far `frame` gets this track on, in milliseconds; 0 if it begins it or comes after a stall.
    pub(crate) fn step(&self, frame: &Frame) -> i64 {
        let step = self.stated.map_or(0, |stated| frame.millis - stated);
        if (0..=LONGEST_WAIT_MILLIS).contains(&step) { step } else { 0 }
    }

    /// `other` got on by `step` milliseconds. When that was too much since this track's last frame, lets go of it:
    /// the next one then begins after a hole.
    pub(crate) fn other_got_on(&mut self, other: TrackId, step: i64) -> Option<Packet> {
        let at = self.waited.iter().position(|(track, _)| *track == other).unwrap_or_else(|| {
            self.waited.push((other, 0));
            self.waited.len() - 1
        });
        let (_, waited) = self.waited.get_mut(at)?;
        *waited += step;
        if *waited > LONGEST_WAIT_MILLIS { self.finish(None) } else { None }
    }

    /// Whose timing it is.
    pub(crate) fn track(&self) -> TrackId {
        self.id
    }

    /// Where the track's packets have got to, held frame included, in microseconds of session time.
    pub(crate) fn end_micros(&self) -> i64 {
        let end = self.held.as_ref().map_or(self.floor, |held| held.dts + held.fixed.unwrap_or(self.usual));
        self.timescale.micros(Ticks(end))
    }

    /// What the sender states of `frame`, in ticks.
    fn stated_ticks(&self, frame: &Frame) -> i64 {
        let nanos = i64::from(frame.nanos) * i64::from(self.timescale.hz());
        Timescale::MILLIS.convert(Ticks(frame.millis), self.timescale).0
            + (nanos + 500_000_000) / 1_000_000_000
    }

    /// Decode time of a frame that is `stated` to be there, and its place by the count of samples.
    fn place(&mut self, stated: i64) -> (i64, i64) {
        let Some(held) = &self.held else {
            self.drift = Drift::default();
            let dts = stated.max(self.floor);
            return (dts, dts);
        };
        // Sample-exact while the stated time is near the count of samples.
        let count = match held.fixed {
            Some(step) => self.drift.follow(held.count + step, stated, step, self.timescale),
            None => stated,
        };
        (count.max(held.dts + 1), count)
    }

    fn packet(&mut self, held: Held, end: i64) -> Packet {
        let duration = (end - held.dts).max(1);
        if held.fixed.is_none() && (SHORTEST_STEP..=i64::from(self.timescale.hz())).contains(&duration) {
            self.usual = duration;
        }
        self.floor = held.dts + duration;
        Packet {
            track: self.id,
            dts: Ticks(held.dts),
            cts: held.cts,
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            key: held.key,
            recovery: held.recovery,
            received: held.received,
            data: held.data,
        }
    }
}
