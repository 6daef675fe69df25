//! One track of a run on its way into segments.

use std::collections::VecDeque;

use bytes::Bytes;
use container::mp4;
use media::{Packet, Ratio, Ticks, Track, TrackId};

use super::frame::{Frame, ticks};
use super::measure;
use super::part::Part;
use super::segment::Form;
use crate::Error;

/// Most that the last frame of a segment may reach over its end, in microseconds. A frame that lasts longer
/// stands for a stall and is shortened, so that the segment keeps its length.
const STRADDLE_US: i64 = 200_000;
/// How far a key frame of a further video track may be off the main one's to be the same cut, in microseconds:
/// RTMP rounds both to milliseconds, and tracks of another frame rate have none in the very same place.
const SNAP_US: i64 = 100_000;

/// Frames of a track that no segment has yet.
pub(super) struct Rendition {
    track: Track,
    form: Form,
    frame_rate: Option<Ratio>,
    leads: bool,
    /// Segments end at the nearest key frame of its own rather than where it is told.
    snaps: bool,
    unaligned: Unaligned,
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

/// Whether a segment began where a further video track has no key frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unaligned {
    No,
    Found,
    Told,
}

impl Rendition {
    /// For the packets of `track` in one run, whose segments look like `form`. The first of a run leads the others.
    pub(super) fn new(track: Track, form: Form, leads: bool) -> Self {
        let frame_rate = track.picture().and_then(|picture| picture.frame_rate);
        Self {
            form,
            frame_rate: frame_rate.filter(|&rate| measure::plausible(rate)),
            leads,
            snaps: track.is_video() && !leads,
            unaligned: Unaligned::No,
            track,
            shift: None,
            queue: VecDeque::new(),
            bytes: 0,
            from: i64::MIN,
            end: i64::MIN,
            sequence: 0,
            awaits_key: true,
            cut: false,
            dropped: 0,
        }
    }

    /// Its track's id.
    pub(super) fn id(&self) -> TrackId {
        self.track.id
    }

    /// Its track.
    pub(super) fn track(&self) -> &Track {
        &self.track
    }

    /// How its segments look.
    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    /// Whether segments end where it says.
    pub(super) fn leads(&self) -> bool {
        self.leads
    }

    /// How far before or after a cut its own may be, in microseconds.
    pub(super) fn snap_us(&self) -> i64 {
        if self.snaps { SNAP_US } else { 0 }
    }

    /// Keeps times as they are: only CMAF has them moved (packaging-rules C-07).
    pub(super) fn unshifted(self) -> Self {
        Self { shift: Some(0), ..self }
    }

    /// Frames per second as the stream states it, or as its first segment had it.
    pub(super) fn frame_rate(&self) -> Option<Ratio> {
        self.frame_rate
    }

    /// Learns from `frames` that last `micros` together what the stream does not state.
    pub(super) fn measure(&mut self, frames: usize, micros: i64) {
        if self.track.is_video() && self.frame_rate.is_none() && frames > 0 {
            self.frame_rate = measure::frame_rate(frames, micros);
        }
    }

    /// When the packet begins and ends, in microseconds on the session's timeline, or `None` if it comes too
    /// late or nothing can decode it.
    ///
    /// Decode times of video are moved once per run, by the composition offset of its first key frame, so that
    /// a segment that begins with a key frame begins at its tfdt (packaging-rules C-07).
    pub(super) fn span(&mut self, packet: &Packet) -> Option<(i64, i64)> {
        if self.awaits_key && !packet.is_entry() {
            self.dropped += 1;
            return None;
        }
        let shift = self.shift.unwrap_or(i64::from(packet.cts));
        let at = self.micros(packet.dts.0.saturating_add(shift));
        if at < self.earliest() {
            // Sound from before the first picture is no loss.
            self.dropped += u64::from(self.cut);
            self.awaits_key = true;
            return None;
        }
        self.shift = Some(shift);
        Some((at, self.micros(packet.end().0.saturating_add(shift))))
    }

    /// When the frame that is decoded at `dts` begins, and `pts`, in microseconds on the session's timeline; `None` if
    /// it comes too late or is the first of all.
    pub(super) fn place(&self, dts: Ticks, pts: Ticks) -> Option<(i64, i64)> {
        let at = self.micros(dts.0.saturating_add(self.shift.filter(|_| !self.awaits_key)?));
        (at >= self.earliest()).then(|| (at, self.micros(pts.0)))
    }

    /// Takes a packet that has a [`Self::span`].
    pub(super) fn push(&mut self, packet: &Packet) {
        let shift = self.shift.unwrap_or(0);
        let cts = i64::from(packet.cts).saturating_sub(shift);
        let sample = mp4::Sample {
            duration: packet.duration,
            cts: i32::try_from(cts).unwrap_or(0),
            key: packet.key,
            open: packet.recovery == Some(0),
            data: packet.data.clone(),
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

    /// Whether a segment began where this track has no key frame; true once.
    pub(super) fn take_unaligned(&mut self) -> bool {
        let found = self.unaligned == Unaligned::Found;
        if found {
            self.unaligned = Unaligned::Told;
        }
        found
    }

    /// Whether everything that belongs before a cut at `until` is here.
    pub(super) fn reaches(&self, until: i64) -> bool {
        let may_snap = self.snaps && self.key_near(until).is_none();
        self.end >= until.saturating_add(if may_snap { SNAP_US } else { 0 })
    }

    /// The run's segments begin at `at`: what is earlier has no place.
    pub(super) fn begin(&mut self, at: i64) {
        self.from = at;
        let mut lost = false;
        while self
            .queue
            .front()
            .is_some_and(|f| self.micros(f.dts) < self.earliest() || lost && !f.sample.key)
        {
            lost = true;
            self.pop();
        }
        self.awaits_key |= lost && self.queue.is_empty();
    }

    /// The first moment that still has a place in a segment.
    fn earliest(&self) -> i64 {
        let early = if self.snaps && !self.cut { SNAP_US } else { 0 };
        self.from.saturating_sub(early)
    }

    /// Ends a segment at `until`: it gets every frame that begins before, so one that straddles the cut stays
    /// whole and in the older segment (packaging-rules C-14).
    pub(super) fn take(&mut self, until: i64) -> Result<Part, Error> {
        let until = self.own_cut(until);
        let mut frames = Vec::new();
        while self.first().is_some_and(|first| first < until) {
            frames.extend(self.pop());
        }
        let end = self.shorten_last(&mut frames, until).filter(|&end| end >= until).unwrap_or(until);
        self.piece(frames, end)
    }

    /// Where this track is cut when the leading one is cut at `until`.
    pub(super) fn own_cut(&mut self, until: i64) -> i64 {
        if !self.snaps {
            return until;
        }
        let key = self.key_near(until);
        if key.is_none() && self.unaligned == Unaligned::No && self.end > until {
            self.unaligned = Unaligned::Found;
        }
        key.unwrap_or(until)
    }

    /// The key frame nearest to `at`, if there is one within [`SNAP_US`].
    fn key_near(&self, at: i64) -> Option<i64> {
        let keys = self.queue.iter().filter(|f| f.sample.key).map(|f| self.micros(f.dts));
        let near = keys.filter(|&key| key > self.from && (key - at).abs() <= SNAP_US);
        near.min_by_key(|key| (key - at).abs())
    }

    /// Ends the run's last segment with everything that waits and begins before `latest`.
    pub(super) fn take_rest(&mut self, latest: i64) -> Result<Part, Error> {
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

    fn piece(&mut self, frames: Vec<Frame>, end: i64) -> Result<Part, Error> {
        let first = frames.first().map(|f| f.dts);
        let start = first.map_or(self.from, |dts| self.micros(dts).min(self.from));
        self.from = end;
        self.cut = true;
        Ok(Part {
            from: first.map_or(start, |dts| self.micros(dts)),
            duration: end - start,
            frames: frames.len(),
            independent: frames.iter().any(|frame| frame.sample.key),
            key: frames.first().is_some_and(|frame| frame.sample.key),
            ticks: ticks(&frames),
            body: self.fragment(frames, true)?,
        })
    }

    /// A CMAF chunk of `frames`; `head`: it begins a segment (packaging-rules C-01, C-03, C-11).
    pub(super) fn fragment(&mut self, frames: Vec<Frame>, head: bool) -> Result<Vec<Bytes>, Error> {
        let Some(dts) = frames.first().map(|frame| frame.dts) else { return Ok(Vec::new()) };
        self.sequence = self.sequence.wrapping_add(1);
        let samples: Vec<mp4::Sample> = frames.into_iter().map(|f| f.sample).collect();
        let base = u64::try_from(dts).unwrap_or(0);
        let mut body = mp4::fragment(self.sequence, &self.track, base, &samples)?;
        if head {
            body.insert(0, mp4::styp(false));
        }
        Ok(body)
    }

    /// The next frame that waits, if it begins before `until`: its place is taken, nothing earlier has one.
    pub(super) fn next_before(&mut self, until: i64) -> Option<Frame> {
        if self.first().is_none_or(|first| first >= until) {
            return None;
        }
        let frame = self.pop()?;
        self.settle(self.micros(frame.end()));
        Some(frame)
    }

    /// What is before `at` is listed, with or without media.
    pub(super) fn settle(&mut self, at: i64) {
        self.from = self.from.max(at);
        self.cut = true;
    }

    /// Payload bytes and ticks of the frames that wait, and how many they are.
    pub(super) fn waiting(&self) -> (usize, i64, usize) {
        let ticks = self.queue.iter().map(|frame| i64::from(frame.sample.duration)).sum();
        (self.bytes, ticks, self.queue.len())
    }

    /// Ticks of the shortest frame that waits.
    pub(super) fn shortest(&self) -> Option<i64> {
        self.queue.iter().map(|frame| i64::from(frame.sample.duration)).min()
    }

    /// The longest stretch of `count` frames in a row that wait, in microseconds.
    pub(super) fn longest_stretch(&self, count: usize) -> i64 {
        let ends = self.queue.iter().skip(count.saturating_sub(1));
        let spans = self.queue.iter().zip(ends).map(|(first, last)| last.end() - first.dts);
        self.micros(spans.max().unwrap_or(0))
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.queue.pop_front()?;
        self.bytes -= frame.sample.data.len();
        Some(frame)
    }

    /// `ticks` of the track in microseconds.
    pub(super) fn micros(&self, ticks: i64) -> i64 {
        self.track.timescale.micros(Ticks(ticks))
    }
}
