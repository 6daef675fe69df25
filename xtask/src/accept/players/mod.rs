//! Real players on every protocol: hls.js, dash.js and Shaka Player in a headless Chromium, FFmpeg and GStreamer; and
//! the long ones of the tests that follow playlists and MPDs themselves (`tests/e2e/low_latency`, `dash`).

pub(super) mod browsers;
mod demuxers;
mod in_gate;
mod limits;

pub use in_gate::play_in_gate;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::Report;
use super::server::Server;
use crate::process::Process;
use crate::shell::{build_release, cargo, command, root, run as run_command};
use crate::{Result, sdk, system};

/// Every protocol, and the extensions of the URLs that play it.
const PROTOCOLS: &[(&str, &[&str])] = &[
    ("HLS_CMAF", &["m3u8"]),
    ("LLHLS_TS", &["m3u8"]),
    ("LLHLS_CMAF", &["m3u8"]),
    ("DASH_CMAF", &["mpd"]),
    ("HLSDASH_CMAF", &["m3u8", "mpd"]),
    ("LLHLSDASH_CMAF", &["m3u8", "mpd"]),
];

/// PartDuration of the protocols with parts, in milliseconds.
const PART_MS: u32 = 350;

/// Until a stream that has just begun can be played.
const PATIENCE: Duration = Duration::from_secs(30);

/// `args`: `--browsers` leaves out everything but the browsers.
pub fn run(args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD, system::TEST, system::SDK, system::BROWSER, system::PLAYERS])?;
    let modules = browsers::install()?;
    let mut report = Report::default();
    let only_browsers = args.iter().any(|arg| arg == "--browsers");
    if !only_browsers {
        followed(&mut report)?;
    }
    let binary = build_release("server", "millrace")?;
    let dir = root().join("target/accept/players");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir)?;
    let server = Server::start(&binary, &dir, &templates(PROTOCOLS), "server.log")?;
    let pushes = push(&server, &dir)?;
    for (protocol, extensions) in PROTOCOLS {
        for extension in *extensions {
            let path = format!("/{protocol}/s.{extension}");
            server.wait_until(&path, PATIENCE, |server| server.plays(&path))?;
        }
    }
    let watched = browsers::play(&server, &modules, &mut report);
    report.body.push('\n');
    // After minutes: a window that still has its first segment hides faults.
    let demuxed = if only_browsers { Ok(()) } else { demuxers::play(&server, &mut report) };
    pushes.into_iter().try_for_each(|push| push.end_with("INT", PATIENCE).map(drop))?;
    server.stop()?;
    let failed: Vec<String> =
        [watched, demuxed].into_iter().filter_map(|o| Some(o.err()?.to_string())).collect();
    if failed.is_empty() {
        return Ok(report);
    }
    println!("{}", report.body);
    Err(failed.join("\n").into())
}

/// The tests that take longer than the gate has. What they find is a target that was missed.
fn followed(report: &mut Report) -> Result<()> {
    sdk::provide()?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--package", "server", "--test", "e2e", "--", "low_latency::", "dash::"]);
    let done = tests.args(["--include-ignored", "--test-threads=1"]).stderr(Stdio::inherit()).output()?;
    std::fs::create_dir_all(root().join("target/accept"))?;
    std::fs::write(root().join("target/accept/followed.txt"), &done.stdout)?;
    let said = String::from_utf8_lossy(&done.stdout);
    let verdicts: Vec<&str> = said.lines().filter(|line| line.starts_with("test ")).collect();
    if verdicts.is_empty() {
        return Err("the tests that follow lists and MPDs did not run".into());
    }
    report.body.push_str(&format!("```text\n{}\n```\n\n", verdicts.join("\n")));
    let failed = verdicts.iter().filter(|line| line.contains("FAILED"));
    report.short.extend(failed.map(|line| (*line).to_owned()));
    Ok(())
}

/// Each protocol has an app of its name.
fn templates(protocols: &[(&str, &[&str])]) -> String {
    let template = |(protocol, _): &(&str, &[&str])| {
        let parts = match protocol.starts_with("LL") {
            true => format!("segment_duration = 1\npart_duration = {PART_MS}\n"),
            false => "segment_duration = 2\n".to_owned(),
        };
        format!(
            "[[package]]\ndomain_name = \"live.local\"\napp_name = \"{protocol}\"\nstream_name = \"*\"\n\
             protocol = \"{protocol}\"\nsegment_num = 5\n{parts}"
        )
    };
    protocols.iter().map(template).collect()
}

/// An FFmpeg for each protocol that sends eleven minutes of H.264 and AAC, a key frame each second: longer than all of
/// it takes, as FFmpeg's own loops have a seam.
fn push(server: &Server, dir: &Path) -> Result<Vec<Process>> {
    let source = dir.join("source.flv");
    let mut encode = command("ffmpeg");
    encode.args([
        "-nostdin",
        "-y",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=640x360:rate=30:duration=660",
    ]);
    encode.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=660"]);
    encode.args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30", "-bf", "2"]);
    encode.args(["-keyint_min", "30", "-sc_threshold", "0", "-c:a", "aac", "-ac", "2", "-f", "flv"]);
    run_command(encode.arg(&source))?;
    let start = |(protocol, _): &(&str, &[&str])| {
        let mut push = command("ffmpeg");
        push.args(["-nostdin", "-v", "warning", "-re", "-i"]).arg(&source);
        push.args(["-c", "copy", "-f", "flv", &server.publish_url(protocol, "s")]);
        Process::start(push, &dir.join(format!("push-{protocol}.log")))
    };
    PROTOCOLS.iter().map(start).collect()
}
