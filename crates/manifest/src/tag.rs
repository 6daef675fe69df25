//! Lines that several kinds of playlists have.

use std::fmt::Write;

use ::media::Wall;
use chrono::{DateTime, SecondsFormat};

/// Line before a segment that does not go on where the one before it ended (RFC 8216bis §4.4.4.3).
pub(crate) const DISCONTINUITY: &str = "#EXT-X-DISCONTINUITY\n";
/// Line before a segment without media (RFC 8216bis §4.4.4.7).
pub(crate) const GAP: &str = "#EXT-X-GAP\n";
/// Line of a playlist that never changes again (RFC 8216bis §4.4.3.4).
pub(crate) const ENDLIST: &str = "#EXT-X-ENDLIST\n";

/// First lines of every playlist (packaging-rules H-01).
pub(crate) fn head(version: u16) -> String {
    format!("#EXTM3U\n#EXT-X-VERSION:{version}\n")
}

/// A line `#NAME:value`.
pub(crate) fn number(out: &mut String, name: &str, value: u64) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "#{name}:{value}");
}

/// Initialization section of the segments from here on (RFC 8216bis §4.4.4.5).
pub(crate) fn map(out: &mut String, uri: &str) {
    let _ = writeln!(out, "#EXT-X-MAP:URI=\"{uri}\"");
}

/// Wall time of the next segment's first sample, in milliseconds and UTC (packaging-rules H-15). A moment that
/// has no four-digit year is left out: no reader takes it.
pub(crate) fn program_date_time(out: &mut String, at: Wall) {
    let date = DateTime::from_timestamp_micros(at.0).map(|d| d.to_rfc3339_opts(SecondsFormat::Millis, true));
    if let Some(date) = date.filter(|d| d.as_bytes().first().is_some_and(u8::is_ascii_digit)) {
        let _ = writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:{date}");
    }
}

/// Duration in exact microseconds, then the URI (packaging-rules H-13). A negative duration is written as 0.
pub(crate) fn extinf(out: &mut String, duration_us: i64, uri: &str) {
    let us = duration_us.max(0);
    let _ = writeln!(out, "#EXTINF:{}.{:06},\n{uri}", us / 1_000_000, us % 1_000_000);
}

/// `duration_us` in whole seconds, rounded to nearest, as EXTINF is compared with TARGETDURATION
/// (packaging-rules H-12).
pub(crate) fn nearest_second(duration_us: i64) -> u64 {
    u64::try_from(duration_us).map_or(0, |us| us.saturating_add(500_000) / 1_000_000)
}
