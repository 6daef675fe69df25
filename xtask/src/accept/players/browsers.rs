//! hls.js, dash.js and Shaka Player in Chromium (`tests/players`).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::Report;
use super::super::server::Server;
use super::limits::SHAKA_PARTS;
use crate::Result;
use crate::shell::{command, output, root, run as run_command, which};

/// What npm installs, pinned.
const MODULES: &[&str] = &["playwright-core@1.65.1", "hls.js@1.7.4", "dashjs@5.2.1", "shaka-player@5.2.12"];

/// hls.js begins with a key frame, up to a segment farther behind than it aims at, and stays there if it may not catch
/// up.
const CATCH_UP: &str = r#"{"maxLiveSyncPlaybackRate":1.1}"#;

/// Who plays what for how many seconds.
const VIEWS: &[View] = &[
    View { low_latency: true, settings: CATCH_UP, ..View::of("hls.js", "/LLHLSDASH_CMAF/s.m3u8", 36) },
    View { low_latency: true, ..View::of("dash.js", "/LLHLSDASH_CMAF/s.mpd", 36) },
    View { low_latency: true, settings: CATCH_UP, ..View::of("hls.js", "/LLHLS_CMAF/s.m3u8", 20) },
    View { low_latency: true, settings: CATCH_UP, ..View::of("hls.js", "/LLHLS_TS/s.m3u8", 20) },
    View { limit: Some(SHAKA_PARTS), ..View::of("shaka", "/LLHLSDASH_CMAF/s.m3u8", 20) },
    View {
        // Its figures of latency are wrong then: it does not know the times of the media.
        settings: r#"{"manifest":{"hls":{"sequenceMode":true}}}"#,
        ..View::of("shaka", "/LLHLSDASH_CMAF/s.m3u8", 20)
    },
    View {
        settings: r#"{"streaming":{"lowLatencyMode":false}}"#,
        ..View::of("shaka", "/LLHLSDASH_CMAF/s.m3u8", 20)
    },
    View::of("shaka", "/LLHLSDASH_CMAF/s.mpd", 20),
    View { limit: Some(SHAKA_PARTS), ..View::of("shaka", "/LLHLS_TS/s.m3u8", 20) },
    View::of("shaka", "/HLSDASH_CMAF/s.m3u8", 20),
    View::of("shaka", "/HLSDASH_CMAF/s.mpd", 20),
    View::of("hls.js", "/HLSDASH_CMAF/s.m3u8", 20),
    View::of("dash.js", "/HLSDASH_CMAF/s.mpd", 20),
    View::of("hls.js", "/HLS_CMAF/s.m3u8", 20),
    View::of("dash.js", "/DASH_CMAF/s.mpd", 20),
];

/// What we aim at where parts are played, in seconds behind the arrival of the picture at the server.
const LATENCY: f64 = 2.0;
/// A player that shows less than this share of what it should have shown does not play.
const SHOWN: f64 = 0.9;
const RATE: f64 = 30.0;

/// One page.
#[derive(Clone, Copy)]
pub struct View {
    player: &'static str,
    path: &'static str,
    seconds: u32,
    /// Settings of the player's own, as JSON, over its defaults; hls.js is in low-latency mode in any case.
    settings: &'static str,
    /// Held against [`LATENCY`].
    low_latency: bool,
    /// Why this cannot work, whatever the server sends.
    limit: Option<&'static str>,
    /// Which share of the frames due it must show.
    enough: f64,
}

/// Sees to it that all modules are there; says where.
pub fn install() -> Result<PathBuf> {
    install_modules("npm", MODULES)
}

/// Sees to it that `modules` are in `folder` of the proofs' folder.
pub fn install_modules(folder: &str, modules: &[&str]) -> Result<PathBuf> {
    let folder = root().join("target/accept").join(folder);
    let installed = folder.join("installed");
    let wanted = modules.join(" ");
    if std::fs::read_to_string(&installed).is_ok_and(|pins| pins == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
    let mut npm = command("npm");
    npm.current_dir(&folder).args(["install", "--no-fund", "--no-audit", "--ignore-scripts"]);
    run_command(npm.arg("--omit-lockfile-registry-resolved=true").args(modules))?;
    // Last: half an installation is none.
    std::fs::write(installed, wanted)?;
    Ok(folder)
}

/// Plays, one after the other, and adds a table to the report.
///
/// # Errors
/// A player that says an error or shows nothing, although it could.
pub fn play(server: &Server, modules: &Path, report: &mut Report) -> Result<()> {
    let said = watch(server, modules, VIEWS)?;
    std::fs::write(root().join("target/accept/players/browsers.json"), &said)?;
    report.body.push_str(
        "| player | plays | first frame ms | stalls | frames of due | latency p50 / p95 s | its own figure | rate | errors |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let mut failed = Vec::new();
    for (view, line) in VIEWS.iter().zip(said.lines()) {
        let seen: Value = serde_json::from_str(line)?;
        report.body.push_str(&row(view, &seen));
        failed.extend(view.failure(&seen));
        report.short.extend(view.shortfall(&seen));
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(failed.join("\n").into()),
    }
}

/// A line of JSON for each view.
pub fn watch(server: &Server, modules: &Path, views: &[View]) -> Result<String> {
    let url = |view: &View| server.play_url(view.path);
    let page =
        |view: &View| [view.seconds.to_string(), view.player.to_owned(), url(view), view.settings.to_owned()];
    open(modules, Path::new("."), &views.iter().map(page).collect::<Vec<_>>())
}

/// A line of JSON for each page: seconds, player, URL, and settings of the player's own. What is in `files` is there as
/// `/files/…`.
pub fn open(modules: &Path, files: &Path, pages: &[[String; 4]]) -> Result<String> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| which(name));
    let mut watch = command("node");
    watch.arg(root().join("tests/players/watch.mjs")).arg(modules).arg(chromium.ok_or("no Chromium")?);
    let said = output(watch.args(pages.iter().flatten()).env("MILLRACE_FILES", files))?;
    match said.lines().count() == pages.len() {
        true => Ok(said),
        false => Err(format!("{} of {} pages told what they saw", said.lines().count(), pages.len()).into()),
    }
}

fn number(seen: &Value, pointer: &str) -> Option<f64> {
    seen.pointer(pointer).and_then(Value::as_f64)
}

fn list<'a>(seen: &'a Value, name: &str) -> &'a [Value] {
    seen.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn row(view: &View, seen: &Value) -> String {
    let figure = |pointer: &str| number(seen, pointer).map_or("-".to_owned(), |value| format!("{value:.2}"));
    let version = seen.get("version").and_then(Value::as_str).unwrap_or("-");
    let stalls: Vec<String> = list(seen, "stalls").iter().map(stall).collect();
    format!(
        "| {} {version} | {}{} | {} | {}{} | {} | {} / {} | {} | {} – {} | {} |\n",
        view.player,
        view.path,
        view.remark(seen),
        number(seen, "/firstFrameMs").map_or("-".to_owned(), |ms| format!("{ms:.0}")),
        stalls.len(),
        if stalls.is_empty() { String::new() } else { format!(" ({})", stalls.join(", ")) },
        view.shown(seen).map_or("-".to_owned(), |share| format!("{share:.2}")),
        figure("/latency/p50"),
        figure("/latency/p95"),
        figure("/told/p50"),
        figure("/rate/min"),
        figure("/rate/max"),
        list(seen, "errors").len()
    )
}

fn stall(stall: &Value) -> String {
    let figure = |name: &str| stall.get(name).and_then(Value::as_f64).unwrap_or_default();
    format!("{:.0} ms at {:.1} s", figure("ms"), figure("at"))
}

impl View {
    /// With the player's own defaults.
    pub const fn of(player: &'static str, path: &'static str, seconds: u32) -> Self {
        Self { player, path, seconds, settings: "{}", low_latency: false, limit: None, enough: SHOWN }
    }

    /// Less will do: `share` of the frames due.
    pub const fn showing(self, share: f64) -> Self {
        Self { enough: share, ..self }
    }

    /// What is to be known beside the figures.
    fn remark(&self, seen: &Value) -> String {
        let settings = if self.settings == "{}" { String::new() } else { format!(", `{}`", self.settings) };
        match self.limit {
            Some(_) if self.plays(seen) => format!("{settings}; beyond its limit"),
            Some(limit) => format!("{settings}; the player's limit: {limit}"),
            None => settings,
        }
    }

    /// Frames shown of those that were due since the first.
    fn shown(&self, seen: &Value) -> Option<f64> {
        let first = number(seen, "/firstFrameMs")?;
        Some(number(seen, "/frames")? / ((f64::from(self.seconds) - first / 1000.0) * RATE))
    }

    fn plays(&self, seen: &Value) -> bool {
        list(seen, "errors").is_empty() && self.shown(seen).is_some_and(|share| share > self.enough)
    }

    /// Why it did not play, if it should have.
    pub fn failure(&self, seen: &Value) -> Option<String> {
        let failed = !self.plays(seen) && self.limit.is_none();
        failed.then(|| {
            let share = self.shown(seen).unwrap_or_default();
            let errors = list(seen, "errors");
            format!("{} on {}: {share:.2} of the frames due, errors {errors:?}", self.player, self.path)
        })
    }

    /// What fell short of the aims.
    pub fn shortfall(&self, seen: &Value) -> Vec<String> {
        let mut short = Vec::new();
        if self.limit.is_some() {
            return short;
        }
        let stalls = list(seen, "stalls").len();
        if stalls > 0 {
            short.push(format!("{} on {}: {stalls} stalls; the aim is none", self.player, self.path));
        }
        let latency = number(seen, "/latency/p95").unwrap_or(f64::INFINITY);
        if self.low_latency && latency >= LATENCY {
            short.push(format!(
                "{} on {}: {latency:.2} s behind at p95; the aim is under {LATENCY}",
                self.player, self.path
            ));
        }
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: View = View { low_latency: true, ..View::of("hls.js", "/x.m3u8", 31) };

    fn seen(frames: u32, latency: f64) -> Value {
        serde_json::json!({
            "firstFrameMs": 1000.0, "frames": frames, "stalls": [], "errors": [], "latency": { "p95": latency },
        })
    }

    #[test]
    fn a_player_that_shows_its_frames_in_time_is_in_order() {
        assert_eq!((VIEW.failure(&seen(890, 1.5)), VIEW.shortfall(&seen(890, 1.5))), (None, vec![]));
    }

    #[test]
    fn a_player_that_hangs_or_shows_too_little_fails() {
        assert!(VIEW.failure(&serde_json::json!({ "errors": ["the page hangs"] })).is_some());
        assert!(VIEW.failure(&seen(400, 1.5)).is_some());
    }

    #[test]
    fn latency_and_stalls_are_held_against_the_aim() {
        assert_eq!(VIEW.shortfall(&seen(890, 2.0)).len(), 1);
        let mut stalled = seen(890, 1.0);
        stalled["stalls"] = serde_json::json!([{ "ms": 700, "at": 3 }]);
        assert_eq!(VIEW.shortfall(&stalled), ["hls.js on /x.m3u8: 1 stalls; the aim is none"]);
    }

    #[test]
    fn a_player_at_its_limit_neither_fails_nor_falls_short_and_the_table_says_why() {
        let limited = View { limit: Some("it cannot"), ..VIEW };
        let little = seen(300, 5.0);
        assert_eq!((limited.failure(&little), limited.shortfall(&little)), (None, vec![]));
        assert_eq!(limited.remark(&little), "; the player's limit: it cannot");
        assert_eq!(limited.remark(&seen(890, 1.0)), "; beyond its limit");
    }
}
