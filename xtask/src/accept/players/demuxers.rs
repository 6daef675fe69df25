//! FFmpeg and GStreamer, on every protocol at once.

use std::process::Command;
use std::thread;

use super::super::Report;
use super::super::server::Server;
use super::PROTOCOLS;
use super::limits::GSTREAMER_TIMELINE;
use crate::Result;
use crate::shell::command;

/// Seconds of media that FFmpeg reads, and seconds that GStreamer has, which first fills its buffer.
const SECONDS: u32 = 12;
const GSTREAMER_SECONDS: u32 = 20;
/// Frames that each must show at least: those of 8 s.
const FEWEST: u64 = 8 * 30;

/// The MPDs that have no SegmentTimeline while the encoder's key frames are steady.
const COUNTED: &str = "/LLHLSDASH_CMAF/";
/// dashdemux2 of 1.22 shows nothing until it holds 30 s, which takes half a minute of a live stream, unless it is told
/// that less will do: nanoseconds.
const ENOUGH: &str = "uridecodebin3::urisourcebin0::dashdemux2-0::low-watermark-time=2000000000";

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
/// A player that shows too little, although it could.
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
    report.body.push_str("| player | plays | frames (FFmpeg: of 12 s; GStreamer: within 20 s) | complaints |\n|---|---|---|---|\n");
    outcomes.iter().for_each(|outcome| report.body.push_str(&outcome.row()));
    report.body.push('\n');
    let failed: Vec<String> = outcomes.iter().filter_map(Outcome::failure).collect();
    match failed.is_empty() && outcomes.len() == 2 * paths.len() {
        true => Ok(()),
        false => Err(format!("{} runs; {}", outcomes.len(), failed.join("; ")).into()),
    }
}

impl Outcome {
    /// Why it cannot play, whatever the server sends.
    fn limit(&self) -> Option<&'static str> {
        let timeline = self.path.ends_with(".mpd") && !self.path.starts_with(COUNTED);
        (self.player == "GStreamer" && timeline).then_some(GSTREAMER_TIMELINE)
    }

    fn row(&self) -> String {
        let Self { player, path, frames, complaints } = self;
        let remark = match (self.limit(), complaints.first()) {
            (Some(_), _) if *frames >= FEWEST => "beyond its limit".to_owned(),
            (Some(limit), _) => format!("the player's limit: {limit}"),
            (None, Some(first)) => format!("{}: {first}", complaints.len()),
            (None, None) => "none".to_owned(),
        };
        format!("| {player} | {path} | {frames} | {remark} |\n")
    }

    fn failure(&self) -> Option<String> {
        let failed = self.frames < FEWEST && self.limit().is_none();
        failed.then(|| format!("{} on {}: {} frames", self.player, self.path, self.frames))
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
    play.args([
        "-s",
        "INT",
        &GSTREAMER_SECONDS.to_string(),
        "gst-launch-1.0",
        "-v",
        "playbin3",
        &format!("uri={url}"),
    ]);
    play.arg("video-sink=fpsdisplaysink text-overlay=false video-sink=fakesink sync=true");
    play.arg("audio-sink=fakesink sync=true");
    if path.ends_with(".mpd") {
        play.arg(ENOUGH);
    }
    let text = said(&mut play);
    let rendered = |line: &str| {
        let (_, rest) = line.split_once("rendered: ")?;
        rest.split(',').next()?.parse().ok()
    };
    let frames = text.lines().filter_map(rendered).max().unwrap_or(0);
    let complaints = text.lines().filter(|line| line.contains("ERROR") || line.contains("WARN"));
    let complaints = complaints.map(str::to_owned).collect();
    Outcome { player: "GStreamer", path: path.to_owned(), frames, complaints }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(player: &'static str, path: &str, frames: u64) -> Outcome {
        Outcome { player, path: path.to_owned(), frames, complaints: Vec::new() }
    }

    #[test]
    fn who_shows_too_little_fails_but_for_gstreamer_on_a_timeline() {
        assert_eq!(outcome("FFmpeg", "/DASH_CMAF/s.mpd", FEWEST).failure(), None);
        assert!(outcome("FFmpeg", "/DASH_CMAF/s.mpd", FEWEST - 1).failure().is_some());
        assert!(outcome("GStreamer", "/HLS_CMAF/s.m3u8", 0).failure().is_some());
        assert!(outcome("GStreamer", "/LLHLSDASH_CMAF/s.mpd", 0).failure().is_some());
        let limited = outcome("GStreamer", "/DASH_CMAF/s.mpd", 0);
        assert_eq!(limited.failure(), None);
        assert!(limited.row().contains("the player's limit"));
    }
}
