//! OBS Studio under Xvfb publishes for 20 s; each of its frames must be in both recordings. Then it must give up
//! at once where the name is taken.

pub mod account;
mod home;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::account::Recording;
use super::Report;
use super::server::Server;
use crate::process::Process;
use crate::shell::{build_release, command, root};
use crate::{Result, system};

/// How long OBS publishes, and the least that must be in the recordings.
const PUBLISH: Duration = Duration::from_secs(20);
const AT_LEAST_S: f64 = 15.0;

/// `time_interval` in [`CONFIG`]. OBS's own GOP is longer, so that each of its key frames becomes a picture.
const SNAPSHOT_S: f64 = 5.0;

/// OBS starts in 2 s on a quiet machine; software rendering on a busy one takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A refusal is an answer, not a timeout.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);

/// `{EscapedStartTime}` and the like stand in the names as in the cloud's own examples.
const CONFIG: &str = r#"
[[package]]
domain_name = "live.local"
app_name = "*"
stream_name = "*"
protocol = "HLS_CMAF"
segment_num = 5
segment_duration = 2
[[snapshot]]
domain_name = "live.local"
app_name = "*"
time_interval = 5
oss_endpoint = "local"
oss_bucket = "live"
sequence_oss_object = "snapshot/{StreamName}/{Sequence}.jpg"
[[record]]
domain_name = "live.local"
app_name = "live"
stream_name = "*"
oss_endpoint = "local"
oss_bucket = "live"
delay_time = 15
[[record.record_format]]
format = "m3u8"
slice_duration = 10
cycle_duration = 21600
slice_oss_object_prefix = "m3u8/{StreamName}/{UnixTimestamp}_{Sequence}"
oss_object_prefix = "m3u8/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
[[record.record_format]]
format = "flv"
cycle_duration = 21600
oss_object_prefix = "flv/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
"#;

/// Runs the proof. Its folder, `target/accept/obs`, stays for a look.
pub fn run(_args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD, system::TEST, system::OBS])?;
    let binary = build_release("server", "millrace")?;
    let dir = root().join("target/accept/obs");
    let _ = std::fs::remove_dir_all(&dir); // of an earlier run; absent is fine
    std::fs::create_dir_all(&dir)?;

    let server = Server::start(&binary, &dir, CONFIG, "millrace.log")?;
    let screen = Screen::start(&dir)?;
    let sent = publish(&server, &screen, &dir)?;
    let refused_after = be_refused(&server, &screen, &dir)?;
    let bucket = dir.join("objects/live");
    let stored = |_: &Server| {
        ["m3u8", "flv"].iter().all(|format| only(&bucket.join(format!("{format}/obs")), format).is_ok())
    };
    // DelayTime after the end; a shutdown closes nothing.
    server.wait_until("the recordings", PATIENCE, stored)?;
    server.stop()?;

    let hls = Recording::read(&only(&bucket.join("m3u8/obs"), "m3u8")?)?;
    let flv = Recording::read(&only(&bucket.join("flv/obs"), "flv")?)?;
    let snapshots = account::files(&bucket.join("snapshot/obs"), "jpg").len();
    judge(sent, &hls, &flv, snapshots)?;
    let body = format!(
        "{}: {sent} frames sent; m3u8: {hls}; flv: {flv}; {snapshots} snapshots. Refused {:.1} s after connecting \
         where the name was taken.",
        version()?,
        refused_after.as_secs_f64()
    );
    Ok(Report { body, short: Vec::new() })
}

fn version() -> Result<String> {
    Ok(crate::shell::output(command("obs").arg("--version").env("QT_QPA_PLATFORM", "offscreen"))?
        .trim()
        .to_owned())
}

/// What must hold: each frame once, in both recordings alike.
fn judge(sent: usize, hls: &Recording, flv: &Recording, snapshots: usize) -> Result<()> {
    for (name, recording) in [("m3u8", hls), ("flv", flv)] {
        if recording.video.len() != sent {
            return Err(format!("{name}: {} frames, OBS sent {sent}", recording.video.len()).into());
        }
        if recording.seconds < AT_LEAST_S {
            return Err(format!("{name}: {:.1} s, at least {AT_LEAST_S} were sent", recording.seconds).into());
        }
    }
    if hls.video != flv.video || hls.audio != flv.audio {
        return Err("the recordings decode to different frames".into());
    }
    match due(&flv.keys) {
        due if due == snapshots => Ok(()),
        due => Err(format!("{snapshots} snapshots, {due} key frames came 5 s apart or more").into()),
    }
}

/// How many of these key frames, at so many seconds, are at least the snapshot interval after the last one taken.
fn due(keys: &[f64]) -> usize {
    let mut taken: Vec<f64> = Vec::new();
    for &key in keys {
        if taken.last().is_none_or(|last| key - last >= SNAPSHOT_S) {
            taken.push(key);
        }
    }
    taken.len()
}

/// Publishes as `live/obs` until OBS's own timer stops it. Returns how many frames OBS says it sent.
fn publish(server: &Server, screen: &Screen, dir: &Path) -> Result<usize> {
    let home = home::write(dir.join("publish"), &server.rtmp_url(), "obs", PUBLISH)?;
    let obs = screen.obs(&home)?;
    obs.line_with(home::STARTED, PATIENCE)?;
    obs.line_with(home::STOPPED, PUBLISH + PATIENCE)?;
    let total = obs.line_with("Total frames output: ", Duration::ZERO)?;
    quit(&obs)?;
    let sent = total.rsplit(' ').next().and_then(|count| count.parse().ok());
    sent.ok_or_else(|| format!("no count in {total:?}").into())
}

/// Holds `live/taken` with ffmpeg, then lets OBS publish there. Returns how long OBS took to give up.
fn be_refused(server: &Server, screen: &Screen, dir: &Path) -> Result<Duration> {
    let mut holder = command("ffmpeg");
    holder.args([
        "-v",
        "info",
        "-re",
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=320x180:rate=15",
        "-c:v",
        "libx264",
    ]);
    holder.args(["-preset", "ultrafast", "-f", "flv"]).arg(format!("{}/taken", server.rtmp_url()));
    let holder = Process::start(holder, &dir.join("ffmpeg.log"))?;
    holder.line_with("Output #0, flv", PATIENCE)?;

    let home = home::write(dir.join("refused"), &server.rtmp_url(), "taken", PUBLISH)?;
    let obs = screen.obs(&home)?;
    obs.line_with("Connecting to RTMP URL", PATIENCE)?;
    let connected = Instant::now();
    obs.line_with("NetStream.Publish.BadName", REFUSED_WITHIN)?;
    obs.line_with(home::STOPPED, REFUSED_WITHIN)?;
    let took = connected.elapsed();
    drop(obs); // it now shows a message that nobody closes
    match holder.ended_within(Duration::ZERO) {
        None => Ok(took),
        Some(status) => Err(format!("the publisher who was first lost its connection: {status}").into()),
    }
}

/// Closes OBS's window, which it takes for a wish only while it does not stream.
fn quit(obs: &Process) -> Result<()> {
    match obs.end_with("INT", PATIENCE)? {
        status if status.success() => Ok(()),
        status => Err(format!("OBS ended with {status}").into()),
    }
}

/// The one file under `folder` with this ending.
fn only(folder: &Path, ending: &str) -> Result<PathBuf> {
    match account::files(folder, ending).as_slice() {
        [file] => Ok(file.clone()),
        files => {
            Err(format!("{} .{ending} files in {}, one is expected", files.len(), folder.display()).into())
        }
    }
}

/// A screen that nobody sees.
struct Screen {
    _xvfb: Process,
    display: String,
}

impl Screen {
    fn start(dir: &Path) -> Result<Screen> {
        let mut xvfb = command("Xvfb");
        // It writes the number of the display that it found free.
        xvfb.args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
        let process = Process::start(xvfb, &dir.join("xvfb.log"))?;
        let number = process.line_which(|line| line.parse::<u32>().is_ok(), "a display number", PATIENCE)?;
        Ok(Screen { _xvfb: process, display: format!(":{number}") })
    }

    /// OBS on this screen, with `home` as its home, publishing from the start.
    fn obs(&self, home: &Path) -> Result<Process> {
        let mut obs = command("obs");
        obs.args([
            "--startstreaming",
            "--profile",
            home::NAME,
            "--collection",
            home::NAME,
            "--scene",
            home::NAME,
        ]);
        obs.arg("--multi"); // no question when another OBS runs
        obs.env("HOME", home).env("XDG_CONFIG_HOME", home.join(".config")).env("XDG_RUNTIME_DIR", home);
        obs.env("DISPLAY", &self.display).env("QT_QPA_PLATFORM", "xcb").env("LIBGL_ALWAYS_SOFTWARE", "1");
        Process::start(obs, &home.join("obs.log"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `frames` at 30 fps with OBS's GOP of 250.
    fn recording(frames: usize) -> Recording {
        Recording {
            video: (0..frames).map(|n| n.to_string()).collect(),
            audio: vec!["a".to_owned()],
            seconds: frames as f64 / 30.0,
            keys: (0..frames).step_by(250).map(|n| n as f64 / 30.0).collect(),
        }
    }

    #[test]
    fn a_frame_that_is_missing_doubled_or_different_fails_the_proof() {
        let whole = recording(600);
        assert!(judge(600, &whole, &whole, 3).is_ok());
        assert!(judge(601, &whole, &whole, 3).is_err());
        assert!(judge(600, &whole, &recording(601), 3).is_err());
        let mut swapped = recording(600);
        swapped.video.swap(1, 2);
        assert!(judge(600, &whole, &swapped, 3).is_err());
        let silent = Recording { audio: Vec::new(), ..recording(600) };
        assert!(judge(600, &whole, &silent, 3).is_err());
    }

    #[test]
    fn a_snapshot_is_missed_when_it_is_not_there_and_when_it_is_there_twice() {
        let whole = recording(600);
        assert!(judge(600, &whole, &whole, 2).is_err());
        assert!(judge(600, &whole, &whole, 4).is_err());
        assert_eq!(due(&[0.0, 2.0, 4.0, 6.0, 8.0, 11.0]), 3);
    }

    #[test]
    fn less_than_fifteen_seconds_are_no_proof() {
        let short = recording(400);
        assert!(judge(400, &short, &short, 2).is_err());
    }
}
