//! Media playlists of live windows (packaging-rules §1).

use std::sync::Arc;

use ::media::Wall;

use crate::tag;

/// What a live media playlist says. Render it with [`render`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPlaylist<'a> {
    /// EXT-X-VERSION: 3 for TS, 6 for CMAF (packaging-rules H-02).
    pub version: u16,
    /// EXT-X-TARGETDURATION in seconds, at least 1; must never change (packaging-rules H-06, H-12).
    pub target_duration_s: u64,
    /// EXT-X-MEDIA-SEQUENCE: number of the first segment (packaging-rules H-14).
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE: discontinuity tags that left the list so far (packaging-rules H-14).
    pub discontinuity_sequence: u64,
    /// What is listed, in play order.
    pub segments: Vec<&'a Segment>,
    /// Whether EXT-X-ENDLIST says that nothing follows (packaging-rules H-20).
    pub ended: bool,
}

/// What a playlist says of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Whether EXT-X-DISCONTINUITY stands before it (packaging-rules H-16).
    pub discontinuity: bool,
    /// URI of its initialization section; a TS segment has none (packaging-rules H-18).
    pub map: Option<Arc<str>>,
    /// Wall time of its first sample (packaging-rules H-15).
    pub program_date_time: Wall,
    /// Whether it has no media and must not be fetched (packaging-rules H-19).
    pub gap: bool,
    /// Duration in microseconds (packaging-rules H-13).
    pub duration_us: i64,
    /// Its URI, relative to the playlist.
    pub uri: &'a str,
}

/// A segment of a list with its text: rendered once, however often the list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub(crate) start: Start,
    /// Its EXT-X-PART lines, in low-latency lists only.
    pub(crate) parts: Parts,
    /// Its own EXTINF and URI.
    pub(crate) lines: String,
    pub(crate) duration_us: i64,
}

impl Segment {
    /// Renders the segment's lines. It has no parts; [`crate::low_latency::OpenSegment::close`] makes one that has.
    pub fn new(entry: Entry<'_>) -> Self {
        let start = Start::new(entry.discontinuity, entry.map, entry.program_date_time);
        Self::with(start, Parts::default(), entry.gap, entry.duration_us, entry.uri)
    }

    pub(crate) fn with(start: Start, parts: Parts, gap: bool, duration_us: i64, uri: &str) -> Self {
        let mut lines = String::with_capacity(48);
        if gap {
            lines.push_str(tag::GAP);
        }
        tag::extinf(&mut lines, duration_us, uri);
        Self { start, parts, lines, duration_us }
    }

    /// Whether EXT-X-DISCONTINUITY stands before it: when it leaves the list, DISCONTINUITY-SEQUENCE grows by 1.
    pub fn discontinuity(&self) -> bool {
        self.start.discontinuity
    }

    /// How many parts it has, listed or not; 0 in plain lists.
    pub fn parts(&self) -> u64 {
        self.parts.count
    }
}

/// What stands before a segment and its parts (packaging-rules H-18, L-03).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) discontinuity: bool,
    map: Option<Arc<str>>,
    /// The line with its date; empty if it has none that can be written.
    date: String,
}

impl Start {
    pub(crate) fn new(discontinuity: bool, map: Option<Arc<str>>, program_date_time: Wall) -> Self {
        let mut date = String::with_capacity(56);
        tag::program_date_time(&mut date, program_date_time);
        Self { discontinuity, map, date }
    }

    /// Writes its lines. EXT-X-MAP is written unless it is `map`, the one that is already in force.
    pub(crate) fn write<'a>(&'a self, map: &mut Option<&'a str>, out: &mut String) {
        if self.discontinuity {
            out.push_str(tag::DISCONTINUITY);
        }
        if let Some(uri) = self.map.as_deref().filter(|&uri| *map != Some(uri)) {
            tag::map(out, uri);
            *map = Some(uri);
        }
        out.push_str(&self.date);
    }
}

/// Lines of the parts of one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) lines: String,
    pub(crate) count: u64,
    pub(crate) duration_us: i64,
}

/// The playlist's text, without parts. EXT-X-MAP stands before the first segment that is listed and wherever it
/// changes, so that it stays in the list when the segments that had it first are gone.
pub fn render(list: &MediaPlaylist<'_>) -> String {
    let mut out = tag::head(list.version);
    tag::number(&mut out, "EXT-X-TARGETDURATION", list.target_duration_s.max(1));
    tag::number(&mut out, "EXT-X-MEDIA-SEQUENCE", list.media_sequence);
    tag::number(&mut out, "EXT-X-DISCONTINUITY-SEQUENCE", list.discontinuity_sequence);
    let mut map: Option<&str> = None;
    for segment in &list.segments {
        segment.start.write(&mut map, &mut out);
        out.push_str(&segment.lines);
    }
    if list.ended {
        out.push_str(tag::ENDLIST);
    }
    out
}
