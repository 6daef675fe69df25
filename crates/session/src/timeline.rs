//! Exact time: milliseconds become ticks, durations become known (design §7 rules 2 and 3).
//!
//! One frame of each track is held until the next one tells how long it lasts. So within a run
//! `dts + duration` of a packet is the `dts` of the next, whatever the sender's clock did; only a track that
//! falls silent for over a second while another goes on leaves a hole.

use bytes::Bytes;
use media::{Codec, Kind, Packet, Ticks, Timescale, Track, TrackId, Wall};

use crate::demux::Frame;

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
    /// Ticks of one access unit if the codec fixes them.
    fixed: Option<i64>,
    /// Earliest tick the next frame may have.
    floor: i64,
    /// Last duration that was seen.
    usual: i64,
    held: Option<Held>,
    /// Sender's time of the last frame, in milliseconds.
    stated: Option<i64>,
    /// How far other tracks got on since then, in milliseconds.
    waited: i64,
}

#[derive(Debug)]
struct Held {
    dts: i64,
    cts: i32,
    key: bool,
    received: Wall,
    data: Bytes,
}

impl Line {
    /// A track whose packets start at `floor` microseconds of session time or later.
    pub(crate) fn new(track: &Track, floor_micros: i64) -> Self {
        let fixed = match &track.codec {
            Codec::Aac(aac) => Some(i64::from(aac.frame_samples)),
            _ => None,
        };
        Self {
            id: track.id,
            timescale: track.timescale,
            fixed,
            floor: track.timescale.from_micros(floor_micros).0,
            usual: fixed.unwrap_or(LONE_FRAME),
            held: None,
            stated: None,
            waited: 0,
        }
    }

    /// Takes the next frame; gives the one before it, whose duration is known now.
    pub(crate) fn push(&mut self, frame: Frame) -> Option<Packet> {
        (self.stated, self.waited) = (Some(frame.millis), 0);
        let stated = Timescale::MILLIS.convert(Ticks(frame.millis), self.timescale).0;
        let dts = self.place(stated);
        let cts = Timescale::MILLIS.convert(Ticks(i64::from(frame.cts_millis)), self.timescale).0;
        // Video keeps its presentation time when its decode time had to move.
        let cts = if self.id.kind == Kind::Video { cts + stated - dts } else { 0 };
        let next = Held {
            dts,
            cts: i32::try_from(cts).unwrap_or(0),
            key: frame.key,
            received: frame.received,
            data: frame.data,
        };
        let done = self.held.take().map(|held| self.packet(held, dts));
        self.held = Some(next);
        done
    }

    /// Lets go of the held frame. It lasts until `next`, or as long as frames usually do.
    pub(crate) fn finish(&mut self, next: Option<&Frame>) -> Option<Packet> {
        let held = self.held.take()?;
        let end = match next {
            Some(frame) => Timescale::MILLIS.convert(Ticks(frame.millis), self.timescale).0,
            None => held.dts + self.usual,
        };
        Some(self.packet(held, end))
    }

    /// How far `frame` gets this track on, in milliseconds; 0 if it begins it or comes after a stall.
    pub(crate) fn step(&self, frame: &Frame) -> i64 {
        let step = self.stated.map_or(0, |stated| frame.millis - stated);
        if (0..=LONGEST_WAIT_MILLIS).contains(&step) { step } else { 0 }
    }

    /// Another track got on by `step` milliseconds. When that was too much since this one's last frame, lets go of
    /// it: the next one then begins after a hole.
    pub(crate) fn others_got_on(&mut self, step: i64) -> Option<Packet> {
        self.waited += step;
        if self.waited > LONGEST_WAIT_MILLIS { self.finish(None) } else { None }
    }

    /// Where the track's packets have got to, held frame included, in microseconds of session time.
    pub(crate) fn end_micros(&self) -> i64 {
        let end = self.held.as_ref().map_or(self.floor, |held| held.dts + self.usual);
        self.timescale.micros(Ticks(end))
    }

    fn place(&self, stated: i64) -> i64 {
        let Some(held) = &self.held else { return stated.max(self.floor) };
        match self.fixed {
            // Sample-exact while the stated time is within one access unit of the count.
            Some(step) if (stated - held.dts - step).abs() <= step => held.dts + step,
            _ => stated.max(held.dts + 1),
        }
    }

    fn packet(&mut self, held: Held, end: i64) -> Packet {
        let duration = (end - held.dts).max(1);
        if self.fixed.is_none() && (SHORTEST_STEP..=i64::from(self.timescale.hz())).contains(&duration) {
            self.usual = duration;
        }
        self.floor = held.dts + duration;
        Packet {
            track: self.id,
            dts: Ticks(held.dts),
            cts: held.cts,
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            key: held.key,
            received: held.received,
            data: held.data,
        }
    }
}
