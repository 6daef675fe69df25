//! Names: of objects with their variables, of streams.

use media::{StreamId, Wall};
use output::name::{Name, Values, Variable};

/// Where a variable may stand is the first byte's choice; the rest is the name.
pub fn name(input: &[u8]) {
    let Some((&choice, text)) = input.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let allowed = match choice % 4 {
        0 => Variable::OVERWRITE_SNAPSHOT,
        1 => Variable::SEQUENCE_SNAPSHOT,
        2 => Variable::RECORD_SLICE,
        _ => Variable::RECORD_FILE,
    };
    let Ok(name) = Name::parse(&text, allowed) else { return };
    assert_eq!(name.as_str(), text);
    for stream in streams(&text) {
        for wall in [i64::MIN, -1, 0, 1_700_000_000_000_000, i64::MAX].map(Wall) {
            for utc_offset in [0, 28_800, -86_399, i32::MIN, i32::MAX] {
                let unix = wall.unix_seconds();
                let values =
                    Values { stream: &stream, unix, sequence: u64::MAX, start: wall, end: wall, utc_offset };
                path(&name.expand(&values));
            }
        }
    }
}

/// Streams whose names are as long as they may be, or lines of the text itself.
fn streams(text: &str) -> Vec<StreamId> {
    let long = "a".repeat(255);
    let mut streams = vec![StreamId::parse("live.local", &long, &long), StreamId::parse("a", "0", "-")];
    let mut lines = text.split('\n');
    if let (Some(app), Some(stream)) = (lines.next(), lines.next()) {
        streams.push(StreamId::parse("live.local", app, stream));
    }
    streams.into_iter().flatten().collect()
}

/// An object's key: a relative path that stays below where it starts.
pub fn path(key: &str) {
    assert!(key.split('/').all(|part| !matches!(part, "" | "." | "..")), "{key:?} is no safe path");
    assert!(!key.contains(|c: char| c.is_control() || c == '\\'), "{key:?} is no safe path");
}
