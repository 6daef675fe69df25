//! The MPD of a stream (packaging-rules §4): the same segments as in the playlists, by row: what all renditions
//! have under one number.
//!
//! A row that does not go on from the one before it begins a new Period: a new run, a rendition that came or went, lost
//! media. MPD time is wall time since availabilityStartTime, anchored once per run.
//!
//! **Low latency** (packaging-rules D-32). As long as segments are of one length, that is what the MPD states, and players
//! count from the clock. When a segment is off that grid, a new Period begins with the length that was seen then; when
//! that happens again soon, the encoder places key frames as it likes, and what the MPD would promise of open segments
//! would be wrong again and again: then it lists complete segments only, like one without low latency.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use manifest::mpd::{self, Clock, Kind, Latency, Mpd};
use media::{Packet, Run, TrackId, Wall};

use self::late::Late;
use self::period::{Constant, Followed, Period, Set};
use super::measure::Rates;
use super::running::Running;
use crate::Resource;

mod late;
mod period;
mod steady;

const MIME: &str = "application/dash+xml";
/// Where the origin says what time it is (packaging-rules D-23).
const CLOCK: &str = "/time";
/// How much later than it was captured the first frame of a Period is said to be there, in microseconds, at least; then
/// no segment is late by the frames that a session holds and by jitter (packaging-rules D-04).
const MARGIN_US: i64 = 200_000;
/// The same at low latency, where who asks too early waits.
const LOW_MARGIN_US: i64 = 50_000;
/// Most that jitter before the first Period adds to that, in microseconds: more is a burst.
const MOST_MARGIN_US: i64 = 2_000_000;
/// A Period of fewer segments is not left for drift (packaging-rules D-21).
const LEAST_ROWS: usize = 3;
/// Target durations behind the clock at which players play that know no better (packaging-rules D-08).
const DELAY: i64 = 3;
/// Target durations that can be fetched: the delay and two segments.
const DEPTH: i64 = 5;
/// Chunks that a low-latency player holds, and the least it should, in milliseconds (packaging-rules D-29).
const LATENCY_CHUNKS: u32 = 4;
const LEAST_LATENCY_MS: u32 = 1_000;

/// What was settled when it opened.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Name of the stream: where its segments are, relative to the MPD.
    pub stream: String,
    /// Segments can be fetched while they grow.
    pub low_latency: bool,
    /// SegmentDuration in seconds.
    pub segment_s: u32,
}

/// The MPD of one list.
pub(super) struct Dash {
    terms: Terms,
    target_us: i64,
    /// availabilityStartTime.
    start: Option<Wall>,
    periods: VecDeque<Period>,
    pending: VecDeque<Row>,
    late: Late,
    /// Numbers at which a stated length failed last.
    failed: Vec<u64>,
    published: Option<(Wall, String)>,
    over: bool,
}

/// One number of all renditions.
pub(super) struct Row {
    number: u64,
    run: u32,
    /// Where the leading rendition begins and ends, in microseconds on the session's timeline.
    from: i64,
    end: i64,
    frames: usize,
    /// Whether pictures begin with a key frame.
    key: bool,
    tracks: Vec<(TrackId, Option<Ended>)>,
}

/// A segment with media.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// Where its first frame begins and its last one ends, in ticks of the track.
    pub ticks: (i64, i64),
}

/// A segment of one rendition is complete.
pub(super) struct Complete {
    /// Which rendition.
    pub track: TrackId,
    /// Media sequence number.
    pub number: u64,
    /// Where it begins, in microseconds on the session's timeline.
    pub from: i64,
    /// EXTINF in microseconds.
    pub duration: i64,
    /// Frames in it.
    pub frames: usize,
    /// Whether it begins with a key frame.
    pub key: bool,
    /// `None` for a gap.
    pub ticks: Option<(i64, i64)>,
}

impl Dash {
    /// Of no list yet.
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            target_us: 0,
            start: None,
            periods: VecDeque::new(),
            pending: VecDeque::new(),
            late: Late::default(),
            failed: Vec::new(),
            published: None,
            over: false,
        }
    }

    /// Lists have this target duration in seconds.
    pub(super) fn set_target(&mut self, target_s: u64) {
        self.target_us = i64::try_from(target_s.saturating_mul(1_000_000)).unwrap_or(i64::MAX / DEPTH);
    }

    /// A packet of the leading rendition arrived that ends at `end` microseconds of the session's timeline.
    pub(super) fn packet(&mut self, run: &Run, packet: &Packet, end: i64) {
        self.late.packet(run, packet, end);
    }

    /// The moment of the last packet.
    pub(super) fn now(&self) -> Wall {
        self.late.received
    }

    /// A segment of a rendition is complete.
    pub(super) fn complete(&mut self, segment: &Complete, running: &Running) {
        let leads = running.lead() == Some(segment.track);
        let at = match self.pending.iter().position(|row| row.number == segment.number) {
            Some(at) => at,
            None => {
                self.pending.push_back(Row::new(segment.number, running.run.index));
                self.pending.len() - 1
            }
        };
        let Some(row) = self.pending.get_mut(at) else { return };
        if leads {
            (row.from, row.end) = (segment.from, segment.from + segment.duration);
            row.frames = segment.frames;
            row.key = segment.key;
        }
        row.tracks.push((segment.track, segment.ticks.map(|ticks| Ended { ticks })));
        let all = running.renditions().len();
        while self.pending.front().is_some_and(|row| row.tracks.len() >= all) {
            if let Some(row) = self.pending.pop_front() {
                self.row(&row, running);
            }
        }
    }

    /// Nothing follows in this Period.
    pub(super) fn close(&mut self) {
        self.pending.clear();
        if let Some(open) = self.periods.back_mut() {
            open.closed = true;
        }
    }

    fn row(&mut self, row: &Row, running: &Running) {
        let sets: Vec<Set> = running
            .renditions()
            .into_iter()
            .filter(|rendition| row.tracks.iter().any(|(id, ended)| *id == rendition.id() && ended.is_some()))
            .filter_map(|rendition| {
                let part_us = running.target(rendition.id()).filter(|_| self.terms.low_latency);
                Set::new(rendition, part_us)
            })
            .collect();
        if sets.is_empty() {
            return self.close();
        }
        if !self.goes_on(row, &sets) {
            self.begin(row, sets, running, None);
        }
        if let Some(period) = self.periods.back_mut() {
            period.push(row);
        }
        let newest = self.periods.back().map_or(0, Period::end_us);
        let oldest = newest - DEPTH * self.target_us;
        self.periods.retain_mut(|period| period.forget(oldest));
    }

    /// Whether `row` belongs to the last Period.
    fn goes_on(&mut self, row: &Row, sets: &[Set]) -> bool {
        let Some(open) = self.periods.back().filter(|open| !open.closed && open.run == row.run) else {
            return false;
        };
        if !open.tracks().eq(sets.iter().map(|set| set.track.id)) {
            return false;
        }
        if self.late.drift() != 0 && open.rows() >= LEAST_ROWS {
            return false;
        }
        let Some(constant) = open.constant else { return true };
        let length = constant.micros();
        let steps = i64::try_from(row.number.saturating_sub(open.first)).unwrap_or(i64::MAX);
        let due = open.media_from.saturating_add(length.saturating_mul(steps));
        if (row.from - due).abs() > length / 4 {
            self.failed.push(row.number);
            return false;
        }
        true
    }

    /// Begins a Period with `row`, of segments of the `expected` length if there is one.
    fn begin(&mut self, row: &Row, sets: Vec<Set>, running: &Running, expected: Option<Constant>) {
        let media_from = row.from;
        let wall = running.run.wall.plus_micros(media_from.saturating_sub(running.run.start));
        let start = *self.start.get_or_insert(Wall(wall.unix_seconds().saturating_mul(1_000_000)));
        let least = if self.terms.low_latency { LOW_MARGIN_US } else { MARGIN_US };
        let margin = self.late.most.clamp(least, MOST_MARGIN_US);
        let mut period = Period::new(row, media_from, sets);
        period.start_us = wall.micros_since(start).saturating_add(margin);
        if let Some(before) = self.periods.back_mut() {
            before.closed = true;
            if before.run == row.run {
                // The anchor of the run holds, but for the drift.
                let due = before.start_us.saturating_add(media_from - before.media_from);
                let drift = self.late.drift();
                period.start_us = due.saturating_add(drift).max(before.least_end_us());
                let seamless = drift == 0 && media_from == before.media_end;
                period.follows = Some(Followed { first: before.first, seamless });
                before.end_by(period.start_us);
                self.late.corrected(period.start_us - due);
            }
            period.start_us = period.start_us.max(before.end_us());
        } else {
            period.start_us = period.start_us.max(0);
        }
        period.constant = expected.or_else(|| self.constant(row, &period));
        self.periods.push_back(period);
    }

    /// The MPD as it is now; nothing follows when it is `over`.
    pub(super) fn render(
        &mut self,
        now: Wall,
        rates: &BTreeMap<TrackId, Rates>,
        over: bool,
    ) -> Option<Resource> {
        self.over = over;
        if over {
            self.close();
        }
        self.periods.front()?;
        let (before, said) = self.published.take().unwrap_or((now, String::new()));
        // publishTime is when anything else changed (packaging-rules D-06).
        let mut text = mpd::render(&self.mpd(before, rates)?);
        let mut published = before;
        if text != said {
            published = now.max(before);
            text = mpd::render(&self.mpd(published, rates)?);
        }
        self.published = Some((published, text.clone()));
        Some(Resource { content_type: MIME, body: [Bytes::from(text)].into(), immutable: false })
    }

    fn mpd(&self, publish_time: Wall, rates: &BTreeMap<TrackId, Rates>) -> Option<Mpd> {
        let segment_us = i64::from(self.terms.segment_s) * 1_000_000;
        let early = self.periods.back().is_some_and(|period| period.constant.is_some());
        let part =
            self.periods.back().and_then(|period| period.sets.iter().filter_map(|set| set.part_us).max());
        let chunk = part.filter(|_| early);
        let (delay_us, depth_us) = self.depth(early);
        let live = mpd::Live {
            availability_start: self.start?,
            publish_time,
            minimum_update_period_us: (!self.over).then_some((segment_us / 2).max(500_000)),
            time_shift_buffer_depth_us: depth_us,
            suggested_presentation_delay_us: delay_us,
            clocks: vec![Clock::HttpIso(CLOCK.to_owned())],
        };
        Some(Mpd {
            kind: Kind::Live(live),
            min_buffer_time_us: chunk.map_or(segment_us, |us| us * 2),
            max_segment_duration_us: self.target_us,
            latency: chunk.map(latency),
            periods: self.describe(rates),
        })
    }
}

impl Dash {
    fn describe(&self, rates: &BTreeMap<TrackId, Rates>) -> Vec<mpd::Period> {
        let last = self.periods.len().saturating_sub(1);
        let periods = self.periods.iter().enumerate();
        periods
            .map(|(at, period)| period.describe(&self.terms.stream, rates, at == last && !self.over))
            .collect()
    }

    /// suggestedPresentationDelay and timeShiftBufferDepth in microseconds (packaging-rules D-08).
    ///
    /// Where players count from the clock the depth is not more than there ever was: FFmpeg takes a moment before
    /// availabilityStartTime for one in a far future. Who goes by a delay there has a latency to go by.
    fn depth(&self, early: bool) -> (i64, i64) {
        let most = DEPTH * self.target_us;
        let first = self.periods.front().map_or(0, |period| period.start_us);
        let there = self.periods.back().map_or(0, Period::end_us) - first;
        let depth = if early { there.clamp(1_000_000, most) } else { most };
        ((DELAY * self.target_us).min(depth / DEPTH * DELAY), depth)
    }
}

impl Row {
    fn new(number: u64, run: u32) -> Self {
        Self { number, run, from: 0, end: 0, frames: 0, key: true, tracks: Vec::new() }
    }
}

/// What a player should hold with chunks of this many microseconds.
fn latency(chunk_us: i64) -> Latency {
    let chunk_ms = u32::try_from(chunk_us / 1_000).unwrap_or(u32::MAX / 16);
    let target_ms = (chunk_ms * LATENCY_CHUNKS).max(LEAST_LATENCY_MS);
    Latency { target_ms, min_ms: target_ms / 2, max_ms: target_ms * 2 }
}
