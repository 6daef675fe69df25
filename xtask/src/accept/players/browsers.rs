//! hls.js, dash.js and Shaka Player in Chromium (`tests/players`).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::Report;
use super::super::server::Server;
use crate::Result;
use crate::shell::{command, output, root, run as run_command, which};

/// What npm installs, pinned.
const MODULES: &[&str] = &["playwright-core@1.65.1", "hls.js@1.7.4", "dashjs@5.2.1", "shaka-player@5.2.12"];

/// Who plays what for how many seconds.
const VIEWS: &[View] = &[
    View { player: "hls.js", path: "/LLHLSDASH_CMAF/s.m3u8", seconds: 36, low_latency: true },
    View { player: "dash.js", path: "/LLHLSDASH_CMAF/s.mpd", seconds: 36, low_latency: true },
    View { player: "hls.js", path: "/LLHLS_TS/s.m3u8", seconds: 20, low_latency: true },
    View { player: "shaka", path: "/LLHLSDASH_CMAF/s.m3u8", seconds: 20, low_latency: false },
    View { player: "shaka", path: "/LLHLSDASH_CMAF/s.mpd", seconds: 20, low_latency: false },
    View { player: "hls.js", path: "/HLSDASH_CMAF/s.m3u8", seconds: 20, low_latency: false },
    View { player: "dash.js", path: "/HLSDASH_CMAF/s.mpd", seconds: 20, low_latency: false },
];

/// What we aim at where parts are played, in seconds behind the arrival of the picture at the server.
const LATENCY: f64 = 2.0;
/// A player that drops more than this share of what it should have shown does not play.
const SHOWN: f64 = 0.9;
const RATE: f64 = 30.0;

struct View {
    player: &'static str,
    path: &'static str,
    seconds: u32,
    low_latency: bool,
}

/// Sees to it that the modules are there; says where.
pub fn install() -> Result<PathBuf> {
    let folder = root().join("target/accept/npm");
    let installed = folder.join("installed");
    let wanted = MODULES.join(" ");
    if std::fs::read_to_string(&installed).is_ok_and(|pins| pins == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
    let mut npm = command("npm");
    npm.current_dir(&folder).args(["install", "--no-fund", "--no-audit", "--ignore-scripts"]);
    run_command(npm.arg("--omit-lockfile-registry-resolved=true").args(MODULES))?;
    // Last: half an installation is none.
    std::fs::write(installed, wanted)?;
    Ok(folder)
}

/// Plays, one after the other, and adds a table to the report.
///
/// # Errors
/// A player that says an error or shows nothing.
pub fn play(server: &Server, modules: &Path, report: &mut Report) -> Result<()> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| which(name));
    let mut watch = command("node");
    watch.arg(root().join("tests/players/watch.mjs")).arg(modules).arg(chromium.ok_or("no Chromium")?);
    for view in VIEWS {
        watch.args([&view.seconds.to_string(), view.player, &server.play_url(view.path)]);
    }
    let said = output(&mut watch)?;
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
        "| {} {version} | {} | {} | {}{} | {} | {} / {} | {} | {} – {} | {} |\n",
        view.player,
        view.path,
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
    /// Frames shown of those that were due since the first.
    fn shown(&self, seen: &Value) -> Option<f64> {
        let first = number(seen, "/firstFrameMs")?;
        Some(number(seen, "/frames")? / ((f64::from(self.seconds) - first / 1000.0) * RATE))
    }

    fn failure(&self, seen: &Value) -> Option<String> {
        let errors = list(seen, "errors");
        let shows = self.shown(seen).is_some_and(|share| share > SHOWN);
        let failed = !errors.is_empty() || !shows;
        failed.then(|| {
            let share = self.shown(seen).unwrap_or_default();
            format!("{} on {}: {share:.2} of the frames due, errors {errors:?}", self.player, self.path)
        })
    }

    fn shortfall(&self, seen: &Value) -> Vec<String> {
        let mut short = Vec::new();
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

    const VIEW: View = View { player: "hls.js", path: "/x.m3u8", seconds: 31, low_latency: true };

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
}
