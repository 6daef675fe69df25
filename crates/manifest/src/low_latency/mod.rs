//! Media playlists of live windows with parts: Low-Latency HLS (packaging-rules §2).
//!
//! A list is rendered whenever a part or a segment completes, so every line that can be kept is: a part's when it
//! is added to its [`OpenSegment`], a segment's when that is closed. Rendering puts them together.

use std::fmt::Write;
use std::sync::Arc;

use ::media::Wall;

use crate::media::{Parts, Segment, Start};

mod text;

#[cfg(test)]
mod tests;

pub use text::{Delta, Texts, render};

/// What a list says of itself as long as it lives (packaging-rules H-06: AVPlayer gives up when one of them
/// changes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// EXT-X-VERSION of the whole list: 3 for TS, 6 for CMAF. Parts need no higher one (packaging-rules H-02).
    pub version: u16,
    /// EXT-X-TARGETDURATION in seconds, at least 1, the same in all renditions (packaging-rules H-12).
    pub target_duration_s: u64,
    /// PART-TARGET in microseconds: no part of this rendition is longer (packaging-rules L-04).
    pub part_target_us: i64,
    /// PART-HOLD-BACK in microseconds, the same in all renditions (packaging-rules L-01, H-26).
    pub part_hold_back_us: i64,
    /// HOLD-BACK in microseconds (packaging-rules L-01).
    pub hold_back_us: i64,
    /// CAN-SKIP-UNTIL in microseconds: delta updates leave out what is farther from the end (packaging-rules L-19).
    pub can_skip_until_us: i64,
}

impl Terms {
    /// The least that L-01 asks for: PART-HOLD-BACK of 3 × `longest_part_target_us`, which is the longest
    /// PART-TARGET of all renditions of the stream; HOLD-BACK of 3 and CAN-SKIP-UNTIL of 6 target durations.
    pub fn new(
        version: u16,
        target_duration_s: u64,
        part_target_us: i64,
        longest_part_target_us: i64,
    ) -> Self {
        let target_duration_s = target_duration_s.max(1);
        Self {
            version,
            target_duration_s,
            part_target_us,
            part_hold_back_us: part_target_us.max(longest_part_target_us).saturating_mul(3),
            hold_back_us: target_durations(target_duration_s, 3),
            can_skip_until_us: target_durations(target_duration_s, 6),
        }
    }

    /// The Advance Part Limit: how many parts past the newest one a player may ask for, and wait; 3 s of them where
    /// they are shorter than a second, else 3 (RFC 8216bis §6.2.5.2, packaging-rules L-16).
    pub fn advance_part_limit(&self) -> u64 {
        let target = u64::try_from(self.part_target_us).unwrap_or_default();
        if (1..1_000_000).contains(&target) { 3_000_000_u64.div_ceil(target) } else { 3 }
    }
}

/// What a list with parts says. Render it with [`render`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playlist<'a> {
    /// What never changes.
    pub terms: &'a Terms,
    /// EXT-X-MEDIA-SEQUENCE: number of the first segment (packaging-rules H-14).
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE: discontinuity tags that left the list so far (packaging-rules H-14).
    pub discontinuity_sequence: u64,
    /// Complete segments, in play order.
    pub segments: Vec<&'a Segment>,
    /// The segment after them, of which only parts are complete.
    pub open: Option<&'a OpenSegment>,
    /// EXT-X-RENDITION-REPORT of every other media playlist of the stream (packaging-rules L-15).
    pub reports: Vec<Report<'a>>,
    /// What follows.
    pub end: End<'a>,
}

/// The end of a list: one that goes on always names its next part (packaging-rules L-11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// EXT-X-PRELOAD-HINT.
    Next(Hint<'a>),
    /// EXT-X-ENDLIST (packaging-rules L-23).
    Ended,
}

/// What a player may request before it exists (packaging-rules L-11 to L-13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint<'a> {
    /// URI that the next part will have, whatever happens.
    pub part: &'a str,
    /// URI of the next part's initialization section, if it is another one and already known.
    pub map: Option<&'a str>,
}

/// How far another rendition is (packaging-rules L-15). [`Playlist::report`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report<'a> {
    /// URI of its playlist, relative to this one.
    pub uri: &'a str,
    /// LAST-MSN and LAST-PART.
    pub newest: Newest,
}

/// The newest that a list has. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Newest {
    /// Media sequence number of the newest part, or of the newest segment where that has no parts.
    pub msn: u64,
    /// Index of the newest part in its segment; `None` for a segment without parts.
    pub part: Option<u64>,
}

/// A segment of which only some parts are complete, with their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSegment {
    start: Start,
    parts: Parts,
}

/// A complete part (packaging-rules L-02 to L-06).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// URI, relative to the playlist: the one that was hinted.
    pub uri: &'a str,
    /// DURATION in microseconds; at most PART-TARGET.
    pub duration_us: i64,
    /// Whether it has an independent frame; every part of audio has.
    pub independent: bool,
    /// Whether it has no media and must not be fetched (packaging-rules L-21).
    pub gap: bool,
}

/// What a segment says once it is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing<'a> {
    /// Whether all its media is missing (packaging-rules H-19, L-21).
    pub gap: bool,
    /// Duration in microseconds (packaging-rules H-13).
    pub duration_us: i64,
    /// Its URI, relative to the playlist.
    pub uri: &'a str,
}

impl OpenSegment {
    /// A segment without parts; the arguments are as in [`crate::media::Entry`].
    pub fn new(discontinuity: bool, map: Option<Arc<str>>, program_date_time: Wall) -> Self {
        Self { start: Start::new(discontinuity, map, program_date_time), parts: Parts::default() }
    }

    /// Adds its next part.
    pub fn push(&mut self, part: &Part<'_>) {
        let _ = writeln!(self.parts.lines, "{part}");
        self.parts.count += 1;
        self.parts.duration_us = self.parts.duration_us.saturating_add(part.duration_us.max(0));
    }

    /// Whether EXT-X-DISCONTINUITY stands before it.
    pub fn discontinuity(&self) -> bool {
        self.start.discontinuity
    }

    /// Complete parts so far: the next one has this index.
    pub fn parts(&self) -> u64 {
        self.parts.count
    }

    /// The complete segment. EXT-X-GAP stands after the parts: only now is it known, and lists only grow at their
    /// end (packaging-rules H-06).
    pub fn close(self, closing: &Closing<'_>) -> Segment {
        Segment::with(self.start, self.parts, closing.gap, closing.duration_us, closing.uri)
    }
}

impl Playlist<'_> {
    /// The newest part or segment; `None` for an empty list.
    pub fn newest(&self) -> Option<Newest> {
        let next = self.media_sequence.saturating_add(u64::try_from(self.segments.len()).unwrap_or(u64::MAX));
        if let Some(part) = self.open.and_then(|open| open.parts.count.checked_sub(1)) {
            return Some(Newest { msn: next, part: Some(part) });
        }
        let last = self.segments.last()?;
        Some(Newest { msn: next.saturating_sub(1), part: last.parts.count.checked_sub(1) })
    }

    /// What the other lists report of this one, which is at `uri` relative to them; `None` while it is empty.
    pub fn report<'a>(&self, uri: &'a str) -> Option<Report<'a>> {
        self.newest().map(|newest| Report { uri, newest })
    }
}

/// `count` target durations in microseconds.
fn target_durations(target_duration_s: u64, count: u64) -> i64 {
    let us = target_duration_s.max(1).saturating_mul(count).saturating_mul(1_000_000);
    i64::try_from(us).unwrap_or(i64::MAX)
}
