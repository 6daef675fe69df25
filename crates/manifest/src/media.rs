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
    discontinuity: bool,
    map: Option<Arc<str>>,
    lines: String,
}

impl Segment {
    /// Renders the segment's lines.
    pub fn new(entry: Entry<'_>) -> Self {
        let mut lines = String::with_capacity(96);
        tag::program_date_time(&mut lines, entry.program_date_time);
        if entry.gap {
            lines.push_str(tag::GAP);
        }
        tag::extinf(&mut lines, entry.duration_us, entry.uri);
        Self { discontinuity: entry.discontinuity, map: entry.map, lines }
    }

    /// Whether EXT-X-DISCONTINUITY stands before it: when it leaves the list, DISCONTINUITY-SEQUENCE grows by 1.
    pub fn discontinuity(&self) -> bool {
        self.discontinuity
    }
}

/// The playlist's text. EXT-X-MAP stands before the first segment that is listed and wherever it changes, so
/// that it stays in the list when the segments that had it first are gone.
pub fn render(list: &MediaPlaylist<'_>) -> String {
    let mut out = tag::head(list.version);
    tag::number(&mut out, "EXT-X-TARGETDURATION", list.target_duration_s.max(1));
    tag::number(&mut out, "EXT-X-MEDIA-SEQUENCE", list.media_sequence);
    tag::number(&mut out, "EXT-X-DISCONTINUITY-SEQUENCE", list.discontinuity_sequence);
    let mut map: Option<&str> = None;
    for segment in &list.segments {
        if segment.discontinuity {
            out.push_str(tag::DISCONTINUITY);
        }
        if let Some(uri) = segment.map.as_deref().filter(|&uri| map != Some(uri)) {
            tag::map(&mut out, uri);
            map = Some(uri);
        }
        out.push_str(&segment.lines);
    }
    if list.ended {
        out.push_str(tag::ENDLIST);
    }
    out
}
