//! Lines and values that several kinds of playlists have.

use std::fmt::{self, Write};

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
    if let Some(date) = date(at) {
        let _ = writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:{date}");
    }
}

/// ISO 8601 in milliseconds and UTC; `None` for a moment that has no four-digit year.
pub(crate) fn date(at: Wall) -> Option<String> {
    let date = DateTime::from_timestamp_micros(at.0)?.to_rfc3339_opts(SecondsFormat::Millis, true);
    date.as_bytes().first().is_some_and(u8::is_ascii_digit).then_some(date)
}

/// Duration in exact microseconds, then the URI (packaging-rules H-13). A negative duration is written as 0.
pub(crate) fn extinf(out: &mut String, duration_us: i64, uri: &str) {
    let us = duration_us.max(0);
    let _ = writeln!(out, "#EXTINF:{}.{:06},\n{uri}", us / 1_000_000, us % 1_000_000);
}

/// Seconds as a decimal of at most six places, exact to the microsecond: so what is compared as microseconds
/// compares the same as it is printed (packaging-rules L-04). Negative is written as 0.
pub(crate) struct Seconds(pub(crate) i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.0.max(0);
        let (whole, mut fraction, mut places) = (us / 1_000_000, us % 1_000_000, 6);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        while fraction % 10 == 0 {
            fraction /= 10;
            places -= 1;
        }
        write!(f, "{whole}.{fraction:0places$}")
    }
}

/// `duration_us` in whole seconds, rounded to nearest, as EXTINF is compared with TARGETDURATION
/// (packaging-rules H-12).
pub(crate) fn nearest_second(duration_us: i64) -> u64 {
    u64::try_from(duration_us).map_or(0, |us| us.saturating_add(500_000) / 1_000_000)
}
