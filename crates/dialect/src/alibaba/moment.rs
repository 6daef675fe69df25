//! `yyyy-MM-ddTHH:mm:ssZ`, the one form of a time on this wire.

use chrono::NaiveDateTime;
use media::Wall;

const FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Reads a time; `None` for anything that is not exactly of that form.
pub(super) fn parse(text: &str) -> Option<Wall> {
    let time = NaiveDateTime::parse_from_str(text, FORMAT).ok()?;
    (text.len() == "2018-04-10T09:57:21Z".len()).then(|| Wall(time.and_utc().timestamp_micros()))
}
