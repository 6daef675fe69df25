//! One track of a run on its way into segments.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use container::mp4;
use media::{Packet, Ticks, Track};

use super::strip::Strip;
use crate::{Error, Resource};

/// Most that the last frame of a segment may reach over its end, in microseconds. A frame that lasts longer
/// stands for a stall and is shortened, so that the segment keeps its length.
const STRADDLE_US: i64 = 200_000;

/// Frames of a track that no segment has yet.
pub(super) struct Rendition {
    track: Track,
    strip: Option<Strip>,
    shift: Option<i64>,
    queue: VecDeque<Frame>,
    bytes: usize,
    from: i64,
    end: i64,
    sequence: u32,
    awaits_key: bool,
    cut: bool,
    dropped: u64,
}

struct Frame {
    dts: i64,
    sample: mp4::Sample,
}

/// A rendition's part of a segment.
pub(super) struct Piece {
    /// EXTINF in microseconds. From one piece to the next these add up to the timeline.
    pub duration: i64,
    /// Where its first frame begins, in microseconds on the session's timeline.
    pub first: i64,
    /// Frames in it.
    pub frames: usize,
    /// Bytes of the segment.
    pub bytes: u64,
    /// The segment, payload shared with the packets; `None`: nothing came, a gap.
    pub body: Option<Arc<[Bytes]>>,
}

impl Rendition {
    /// For the packets of `track` in one run.
    pub(super) fn new(track: &Track) -> Result<Self, Error> {
        Ok(Self {
            track: track.clone(),
            strip: Strip::new(track)?,
            shift: None,
            queue: VecDeque::new(),
            bytes: 0,
            from: i64::MIN,
            end: i64::MIN,
            sequence: 0,
            awaits_key: true,
            cut: false,
            dropped: 0,
        })
    }

    /// Its track.
    pub(super) fn track(&self) -> &Track {
        &self.track
    }

    /// The initialization segment; its MIME type is that of the segments (packaging-rules H-03).
    pub(super) fn init(&self) -> Result<Resource, Error> {
        let content_type = if self.track.is_video() { "video/mp4" } else { "audio/mp4" };
        let body = Arc::from([mp4::init(&self.track)?]);
        Ok(Resource { content_type, body, immutable: true })
    }

    /// When the packet begins and ends, in microseconds on the session's timeline, or `None` if it comes too
    /// late or nothing can decode it.
    ///
    /// Decode times of video are moved once per run, by the composition offset of its first key frame, so that
    /// a segment that begins with a key frame begins at its tfdt (packaging-rules C-07).
    pub(super) fn span(&mut self, packet: &Packet) -> Option<(i64, i64)> {
        if self.awaits_key && !packet.key {
            self.dropped += 1;
            return None;
        }
        let shift = self.shift.unwrap_or(i64::from(packet.cts));
        let at = self.micros(packet.dts.0.saturating_add(shift));
        if at < self.from {
            // Sound from before the first picture is no loss.
            self.dropped += u64::from(self.cut);
            self.awaits_key = true;
            return None;
        }
        self.shift = Some(shift);
        Some((at, self.micros(packet.end().0.saturating_add(shift))))
    }

    /// Takes a packet that has a [`Self::span`].
    pub(super) fn push(&mut self, packet: &Packet) {
        let shift = self.shift.unwrap_or(0);
        let cts = i64::from(packet.cts).saturating_sub(shift);
        let sample = mp4::Sample {
            duration: packet.duration,
            cts: i32::try_from(cts).unwrap_or(0),
            key: packet.key,
            data: self.strip.as_ref().map_or_else(|| packet.data.clone(), |strip| strip.apply(&packet.data)),
        };
        let dts = packet.dts.0.saturating_add(shift);
        if let Some(last) = self.queue.back_mut() {
            // After a hole the frame before it lasts until this one: within a fragment only durations say when.
            let until = u32::try_from(dts.saturating_sub(last.dts)).unwrap_or(last.sample.duration);
            last.sample.duration = last.sample.duration.max(until);
        }
        self.awaits_key = false;
        self.bytes += sample.data.len();
        self.end = self.micros(packet.end().0.saturating_add(shift));
        self.queue.push_back(Frame { dts, sample });
    }

    /// Payload bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// End of the last frame so far, in microseconds; very early if there was none.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// Start of the first frame that waits, in microseconds.
    pub(super) fn first(&self) -> Option<i64> {
        self.queue.front().map(|f| self.micros(f.dts))
    }

    /// Frames left out since the last call.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// The run's segments begin at `at`: what is earlier has no place.
    pub(super) fn begin(&mut self, at: i64) {
        self.from = at;
        while self.first().is_some_and(|first| first < at) {
            self.pop();
        }
    }

    /// Ends a segment at `until`: it gets every frame that begins before, so one that straddles the cut stays
    /// whole and in the older segment (packaging-rules C-14).
    pub(super) fn take(&mut self, until: i64) -> Result<Piece, Error> {
        let mut frames = Vec::new();
        while self.first().is_some_and(|first| first < until) {
            frames.extend(self.pop());
        }
        let end = self.shorten_last(&mut frames, until).filter(|&end| end >= until).unwrap_or(until);
        self.piece(frames, end)
    }

    /// Ends the run's last segment with everything that waits and begins before `latest`.
    pub(super) fn take_rest(&mut self, latest: i64) -> Result<Piece, Error> {
        let mut frames = Vec::new();
        while self.first().is_some_and(|first| first < latest) {
            frames.extend(self.pop());
        }
        let end = self.shorten_last(&mut frames, latest);
        self.piece(frames, end.unwrap_or(self.from))
    }

    /// End of the last of `frames` after a stall in it was cut off at `until`.
    fn shorten_last(&self, frames: &mut [Frame], until: i64) -> Option<i64> {
        let last = frames.last_mut()?;
        let end = self.micros(last.dts.saturating_add(i64::from(last.sample.duration)));
        if end <= until.saturating_add(STRADDLE_US) {
            return Some(end);
        }
        let fits = self.track.timescale.from_micros(until).0 - last.dts;
        last.sample.duration = u32::try_from(fits).unwrap_or(1).max(1);
        Some(until)
    }

    fn piece(&mut self, frames: Vec<Frame>, end: i64) -> Result<Piece, Error> {
        let start = self.from;
        self.from = end;
        self.cut = true;
        let first = frames.first().map(|f| f.dts);
        let count = frames.len();
        let body = first.map(|dts| self.segment(dts, frames)).transpose()?;
        Ok(Piece {
            duration: end - start,
            first: first.map_or(start, |dts| self.micros(dts)),
            frames: count,
            bytes: body.iter().flat_map(|b| b.iter()).map(|b| b.len() as u64).sum(),
            body,
        })
    }

    /// One CMAF segment of one fragment (packaging-rules C-01, C-03, C-11).
    fn segment(&mut self, dts: i64, frames: Vec<Frame>) -> Result<Arc<[Bytes]>, Error> {
        self.sequence = self.sequence.wrapping_add(1);
        let samples: Vec<mp4::Sample> = frames.into_iter().map(|f| f.sample).collect();
        let base = u64::try_from(dts).unwrap_or(0);
        let mut body = vec![mp4::styp(false)];
        body.extend(mp4::fragment(self.sequence, &self.track, base, &samples)?);
        Ok(body.into())
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.queue.pop_front()?;
        self.bytes -= frame.sample.data.len();
        Some(frame)
    }

    fn micros(&self, ticks: i64) -> i64 {
        self.track.timescale.micros(Ticks(ticks))
    }
}
