//! FFmpeg and GStreamer, on every protocol at once.

use std::process::Command;
use std::thread;

use super::super::Report;
use super::super::server::Server;
use super::PROTOCOLS;
use crate::Result;
use crate::shell::command;

/// Seconds that each plays.
const SECONDS: u32 = 12;
/// Frames that each must show at least: those of 12 s but for a slow start.
const FEWEST: u64 = 8 * 30;

/// What one player made of one URL.
struct Outcome {
    player: &'static str,
    path: String,
    frames: u64,
    complaints: Vec<String>,
}

/// Plays everything with both side by side and adds a table to the report.
///
/// # Errors
/// A player that shows too little.
pub fn play(server: &Server, report: &mut Report) -> Result<()> {
    let paths: Vec<String> = PROTOCOLS
        .iter()
        .flat_map(|(protocol, extensions)| extensions.iter().map(move |e| format!("/{protocol}/s.{e}")))
        .collect();
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let run = |path: &String, play: fn(&str, &str) -> Outcome| {
            let (path, url) = (path.clone(), server.play_url(path));
            scope.spawn(move || play(&path, &url))
        };
        let threads: Vec<_> =
            paths.iter().flat_map(|path| [run(path, ffmpeg), run(path, gstreamer)]).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    report.body.push_str("| player | plays | frames in 12 s | complaints |\n|---|---|---|---|\n");
    for Outcome { player, path, frames, complaints } in &outcomes {
        let said = complaints.first().map_or("none", String::as_str);
        report.body.push_str(&format!("| {player} | {path} | {frames} | {}: {said} |\n", complaints.len()));
    }
    report.body.push('\n');
    for outcome in outcomes.iter().filter(|outcome| outcome.frames < FEWEST) {
        report.short.push(format!("{} on {}: {} frames", outcome.player, outcome.path, outcome.frames));
    }
    match outcomes.iter().any(|outcome| outcome.frames > 0) {
        true => Ok(()),
        false => Err("nothing plays anything".into()),
    }
}

/// Its words, stdout and stderr together.
fn said(command: &mut Command) -> String {
    let output = command.output();
    let text = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_else(|e| e.to_string().into_bytes());
    String::from_utf8_lossy(&text).into_owned()
}

fn ffmpeg(path: &str, url: &str) -> Outcome {
    let mut play = command("timeout");
    play.args([&format!("{}", SECONDS + 10), "ffmpeg", "-nostdin", "-v", "warning", "-nostats"]);
    play.args(["-progress", "-", "-i", url, "-t", &SECONDS.to_string(), "-f", "null", "-"]);
    let text = said(&mut play);
    let frames = text.lines().filter_map(|line| line.strip_prefix("frame=")?.trim().parse().ok()).max();
    let quirk = |line: &&str| {
        // The demuxer reads the init segment again after each reload and says so.
        line.contains('[') && !line.contains("Found duplicated MOOV Atom") && !line.contains("repeated")
    };
    let complaints = text.lines().filter(quirk).map(str::to_owned).collect();
    Outcome { player: "FFmpeg", path: path.to_owned(), frames: frames.unwrap_or(0), complaints }
}

fn gstreamer(path: &str, url: &str) -> Outcome {
    let mut play = command("timeout");
    play.args(["-s", "INT", &SECONDS.to_string(), "gst-launch-1.0", "-v", "playbin3", &format!("uri={url}")]);
    play.arg("video-sink=fpsdisplaysink text-overlay=false video-sink=fakesink sync=true");
    let text = said(play.arg("audio-sink=fakesink sync=true"));
    let rendered = |line: &str| {
        let (_, rest) = line.split_once("rendered: ")?;
        rest.split(',').next()?.parse().ok()
    };
    let frames = text.lines().filter_map(rendered).max().unwrap_or(0);
    let complaints = text.lines().filter(|line| line.contains("ERROR") || line.contains("WARN"));
    let complaints = complaints.map(str::to_owned).collect();
    Outcome { player: "GStreamer", path: path.to_owned(), frames, complaints }
}
