use std::collections::VecDeque;

use media::{Packet, Run, TrackId};

/// How long a frame waits for the other track, in microseconds of media. Tracks of a run are at most this far
/// apart; when one is later still, its frames are out of order rather than all others late.
const HOLD_MICROS: i64 = 1_000_000;

/// Puts the frames of a run in order of DTS over its tracks; of two with the same, the first track's comes first.
///
/// A frame leaves when no other track can have an earlier one: frames of a track join without a gap, so the end
/// of one is where the next begins.
#[derive(Debug, Default)]
pub(super) struct Interleave {
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    track: TrackId,
    /// Frames and their DTS on the session's timeline.
    waiting: VecDeque<(i64, Packet)>,
    /// Where the next frame of the track begins.
    end: i64,
}

impl Interleave {
    /// For frames of `tracks`; others are not taken.
    pub fn of(tracks: &[TrackId]) -> Self {
        let lane = |&track| Lane { track, waiting: VecDeque::new(), end: i64::MIN };
        Self { lanes: tracks.iter().map(lane).collect() }
    }

    /// Takes a frame of `run` if it is of one of the tracks.
    pub fn push(&mut self, run: &Run, packet: &Packet) {
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.track == packet.track) else { return };
        if let Some((begin, end)) = super::span(run, packet) {
            lane.waiting.push_back((begin, packet.clone()));
            lane.end = end;
        }
    }

    /// The next frame in order; with `all` without waiting for frames that may come.
    pub fn pop(&mut self, all: bool) -> Option<Packet> {
        let (next, at) = self.earliest()?;
        let waited = self.lanes.get(next)?.end.saturating_sub(at) > HOLD_MICROS;
        let ready = all || waited || !self.may_precede(next, at);
        if !ready {
            return None;
        }
        self.lanes.get_mut(next)?.waiting.pop_front().map(|(_, packet)| packet)
    }

    fn earliest(&self) -> Option<(usize, i64)> {
        let fronts = self.lanes.iter().enumerate();
        let fronts = fronts.filter_map(|(i, lane)| lane.waiting.front().map(|(at, _)| (i, *at)));
        fronts.min_by_key(|&(i, at)| (at, i))
    }

    /// Whether a lane with nothing waiting could still bring a frame that goes before the one of `lane` at `at`.
    fn may_precede(&self, lane: usize, at: i64) -> bool {
        let mut empty = self.lanes.iter().enumerate().filter(|(_, other)| other.waiting.is_empty());
        empty.any(|(i, other)| (other.end, i) < (at, lane))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::story;

    /// Pushes frames given as (v or a, DTS in ms), each 100 ms long, and notes the order in which they leave.
    fn order(frames: &[(char, i64)], all: bool) -> String {
        let run = story::run(0, 0);
        let mut queue = Interleave::of(&[TrackId::VIDEO, TrackId::AUDIO]);
        let mut out = String::new();
        for &(kind, ms) in frames {
            let track = if kind == 'v' { TrackId::VIDEO } else { TrackId::AUDIO };
            queue.push(&run, &story::frame(&run, track, ms * 1000, 100_000, true, &[0]));
            while let Some(packet) = queue.pop(false) {
                out += &name(&packet);
            }
        }
        while let Some(packet) = if all { queue.pop(true) } else { None } {
            out += &name(&packet);
        }
        out
    }

    fn name(packet: &Packet) -> String {
        let (kind, rate) = if packet.track == TrackId::VIDEO { ('v', 90) } else { ('a', 48) };
        format!("{kind}{} ", packet.dts.0 / rate)
    }

    #[test]
    fn late_audio_comes_before_later_video() {
        let frames = [('v', 0), ('v', 100), ('v', 200), ('a', 0), ('a', 100), ('a', 200)];
        assert_eq!(order(&frames, false), "v0 a0 v100 a100 v200 a200 ");
    }

    #[test]
    fn a_frame_that_none_can_precede_leaves_at_once() {
        assert_eq!(order(&[('v', 0), ('a', 0), ('v', 100)], false), "v0 a0 v100 ");
        assert_eq!(order(&[('a', 0)], false), "");
        assert_eq!(order(&[('a', 0)], true), "a0 ");
    }

    #[test]
    fn a_silent_track_holds_the_other_for_a_second_only() {
        let frames: Vec<(char, i64)> = (0..15).map(|n| ('v', n * 100)).collect();
        assert_eq!(order(&frames, false), "v0 v100 v200 v300 v400 ");
        let late = [&frames[..], &[('a', 0)]].concat();
        assert!(order(&late, false).ends_with("v400 a0 "), "the late frame is not lost");
    }
}
