//! The one player that the gate has: hls.js in low-latency mode, in a headless Chromium.

use std::time::Duration;

use serde_json::Value;

use super::super::server::Server;
use super::browsers::{View, install_modules, watch};
use super::{PATIENCE, templates};
use crate::process::Process;
use crate::shell::{build, command, root, run as run_command};
use crate::{Result, system};

const MODULES: &[&str] = &["playwright-core@1.65.1", "hls.js@1.7.4"];
const PROTOCOL: &str = "LLHLSDASH_CMAF";
const PATH: &str = "/LLHLSDASH_CMAF/s.m3u8";
/// Seconds that it plays.
const SECONDS: u32 = 12;
/// A machine that builds is no place for figures, but who leaves out parts shows a third.
const VIEW: View = View::of("hls.js", PATH, SECONDS).showing(0.5);
/// Seconds behind the encoder, at most, for half of the time. Without parts it would be three target durations: six.
const BEHIND: f64 = 4.0;
const END: Duration = Duration::from_secs(20);

/// Plays one stream with the server that the gate has built.
///
/// Where the browser cannot be had (no apt-get, no registry), FFmpeg plays the same list instead.
///
/// # Errors
/// The player says an error, shows too little, or is no low-latency player.
pub fn play_in_gate() -> Result<()> {
    let modules = system::provide(&[system::BROWSER]).and_then(|()| install_modules("npm-gate", MODULES));
    let dir = root().join("target/accept/gate");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir)?;
    let server =
        Server::start(&build("millrace")?, &dir, &templates(&[(PROTOCOL, &["m3u8"])]), "server.log")?;
    let mut encode = command("ffmpeg");
    encode.args(["-nostdin", "-v", "warning", "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30"]);
    encode.args(["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "60"]);
    encode.args(["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"]);
    encode.args(["-g", "30", "-sc_threshold", "0", "-c:a", "aac", "-f", "flv"]);
    encode.arg(server.publish_url(PROTOCOL, "s"));
    let push = Process::start(encode, &dir.join("push.log"))?;
    server.wait_until(PATH, PATIENCE, |server| server.plays(PATH))?;
    let played = match modules {
        Ok(modules) => watch(&server, &modules, &[VIEW]).and_then(|said| judge(&said)),
        Err(reason) => {
            println!("no browser ({reason}): FFmpeg plays instead");
            decode(&server)
        }
    };
    push.end_with("INT", END)?;
    server.stop()?;
    played
}

fn judge(said: &str) -> Result<()> {
    let seen: Value = serde_json::from_str(said.lines().next().unwrap_or_default())?;
    if let Some(failure) = VIEW.failure(&seen) {
        return Err(failure.into());
    }
    let behind = seen.pointer("/latency/p50").and_then(Value::as_f64);
    println!("hls.js played {SECONDS} s of {PATH}, {:.2} s behind", behind.unwrap_or(f64::NAN));
    match behind.is_some_and(|behind| behind < BEHIND) {
        true => Ok(()),
        false => Err(format!("hls.js is {behind:?} s behind; at most {BEHIND} s is low latency").into()),
    }
}

fn decode(server: &Server) -> Result<()> {
    let mut play = command("timeout");
    play.args(["30", "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", &server.play_url(PATH)]);
    run_command(play.args(["-t", &SECONDS.to_string(), "-f", "null", "-"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(frames: u32, behind: f64) -> String {
        serde_json::json!({
            "firstFrameMs": 1000.0, "frames": frames, "stalls": [], "errors": [],
            "latency": { "p50": behind, "p95": behind },
        })
        .to_string()
    }

    #[test]
    fn a_player_that_shows_its_frames_soon_passes() {
        judge(&seen(325, 1.5)).unwrap();
    }

    #[test]
    fn a_player_that_shows_little_or_late_or_nothing_does_not() {
        assert!(judge(&seen(100, 1.5)).is_err());
        assert!(judge(&seen(325, 6.5)).is_err());
        assert!(judge("").is_err());
    }
}
