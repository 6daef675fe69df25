//! Chromium on recordings: MP4 by itself, CMAF through hls.js and dash.js.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::Report;
use super::super::players::browsers::open;
use crate::Result;

/// Seconds that each plays, of 24.
const SECONDS: u32 = 14;
/// Where it jumps after five seconds: a key frame, with more after it than is played.
const JUMP: f64 = 12.0;
/// A few frames: the browser tells of the next one that it shows.
const CLOSE: f64 = 0.25;
/// Frames that must be shown: those of half the time.
const FEWEST: f64 = SECONDS as f64 / 2.0 * 30.0;

/// What is played: folder of its format, ending of its name, player.
const PAGES: &[(&str, &str, &str)] = &[
    ("mp4", "mp4", "video"),
    ("cmaf", "m3u8", "hls.js"),
    ("cmaf", "mpd", "dash.js"),
    ("m3u8", "m3u8", "hls.js"),
];

/// Plays what the tests kept in `folder`, one after the other, and adds a table.
///
/// # Errors
/// A player that says an error, shows too little, or is elsewhere after a jump.
pub fn play(modules: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let page = |(format, ending, player): &(&str, &str, &str)| {
        let file = recording(&folder.join(format).join("live/s"), ending)?;
        let path = file.strip_prefix(folder)?.display().to_string();
        Ok([SECONDS.to_string(), (*player).to_owned(), format!("/files/{path}#t={JUMP}"), "{}".to_owned()])
    };
    let pages = PAGES.iter().map(page).collect::<Result<Vec<_>>>()?;
    let said = open(modules, folder, &pages)?;
    report.body.push_str("| player | plays | first frame ms | frames | after a jump to 12 s shows | stalls | errors |\n|---|---|---|---|---|---|---|\n");
    let mut failed = Vec::new();
    for ((format, ending, player), line) in PAGES.iter().zip(said.lines()) {
        let seen: Value = serde_json::from_str(line)?;
        report.body.push_str(&row(&format!("{player} | {format}: .{ending}"), &seen));
        if !plays(&seen) {
            failed.push(format!("{player} on {format}: {seen}"));
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(failed.join("\n").into()),
    }
}

/// The file that is the recording.
fn recording(folder: &Path, ending: &str) -> Result<PathBuf> {
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.ends_with(&format!(".{ending}"))
            && !name.starts_with("slice_")
            && !name.ends_with("_video.m3u8")
            && !name.ends_with("_audio.m3u8")
    };
    let files = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let found = files.flatten().map(|entry| entry.path()).find(named);
    found.ok_or_else(|| format!("no .{ending} in {}", folder.display()).into())
}

fn number(seen: &Value, pointer: &str) -> Option<f64> {
    seen.pointer(pointer).and_then(Value::as_f64)
}

fn count(seen: &Value, name: &str) -> usize {
    seen.get(name).and_then(Value::as_array).map_or(0, Vec::len)
}

fn plays(seen: &Value) -> bool {
    let jumped = number(seen, "/jumped/shown").is_some_and(|shown| (shown - JUMP).abs() < CLOSE);
    count(seen, "errors") == 0 && jumped && number(seen, "/frames").is_some_and(|frames| frames > FEWEST)
}

fn row(what: &str, seen: &Value) -> String {
    let figure = |pointer: &str, digits: usize| {
        number(seen, pointer).map_or("-".to_owned(), |value| format!("{value:.digits$}"))
    };
    format!(
        "| {what} | {} | {} | {} s | {} | {} |\n",
        figure("/firstFrameMs", 0),
        figure("/frames", 0),
        figure("/jumped/shown", 3),
        count(seen, "stalls"),
        count(seen, "errors")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_elsewhere_after_a_jump_does_not_play() {
        let seen =
            |shown: f64| serde_json::json!({ "frames": 400, "errors": [], "jumped": { "shown": shown } });
        assert!(plays(&seen(12.066)) && !plays(&seen(10.0)));
        assert!(!plays(&serde_json::json!({ "frames": 400, "errors": [] })));
        assert!(!plays(&serde_json::json!({ "frames": 9, "errors": [], "jumped": { "shown": 12.0 } })));
    }
}
