//! Media playlists of closed recordings (packaging-rules §7, R-01 to R-04).

use ::media::Wall;

use crate::tag;

/// A recording's playlist. Render it with [`render`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VodPlaylist {
    /// EXT-X-VERSION: 3 for TS, 6 for fMP4 (packaging-rules R-04).
    pub version: u16,
    /// Whether every segment starts with an IDR, so that EXT-X-INDEPENDENT-SEGMENTS is true (packaging-rules R-04).
    pub independent: bool,
    /// The longest segment of its own or of any playlist beside it, in microseconds: they share TARGETDURATION.
    pub longest_us: i64,
    /// Its segments, in play order.
    pub segments: Vec<VodSegment>,
}

/// A segment of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VodSegment {
    /// Its URI, relative to the playlist; [`crate::uri::relative`] makes one.
    pub uri: String,
    /// Duration in microseconds.
    pub duration_us: i64,
    /// Whether the segment does not go on where the one before it ended (packaging-rules R-03).
    pub discontinuity: bool,
    /// Wall time of its first sample (packaging-rules R-03).
    pub program_date_time: Option<Wall>,
    /// URI of its initialization section; a TS segment has none.
    pub map: Option<String>,
    /// Whether there is nothing: it must not be fetched (packaging-rules H-19).
    pub gap: bool,
}

/// The playlist's text. TARGETDURATION is the longest duration, rounded to nearest (packaging-rules R-02); an
/// EXT-X-MAP is written where it changes.
pub fn render(list: &VodPlaylist) -> String {
    let mut out = tag::head(list.version);
    if list.independent {
        out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    let longest = list.segments.iter().map(|s| s.duration_us).fold(list.longest_us, i64::max);
    tag::number(&mut out, "EXT-X-TARGETDURATION", tag::nearest_second(longest).max(1));
    tag::number(&mut out, "EXT-X-MEDIA-SEQUENCE", 0);
    tag::number(&mut out, "EXT-X-DISCONTINUITY-SEQUENCE", 0);
    out.push_str("#EXT-X-PLAYLIST-TYPE:VOD\n");
    let mut map: Option<&str> = None;
    for segment in &list.segments {
        if segment.discontinuity {
            out.push_str(tag::DISCONTINUITY);
        }
        if let Some(uri) = segment.map.as_deref().filter(|&uri| map != Some(uri)) {
            tag::map(&mut out, uri);
            map = Some(uri);
        }
        if let Some(at) = segment.program_date_time {
            tag::program_date_time(&mut out, at);
        }
        if segment.gap {
            out.push_str(tag::GAP);
        }
        tag::extinf(&mut out, segment.duration_us, &segment.uri);
    }
    out.push_str(tag::ENDLIST);
    out
}
