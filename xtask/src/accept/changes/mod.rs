//! 200 config changes a second from 50 connections while 50 streams publish: each answered change must be in the
//! catalog, also after a kill, and each frame in the recordings.

mod client;
mod expected;
mod load;
mod media;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::expected::Expected;
use self::load::{Load, Measured};
use self::media::Packets;
use super::Report;
use super::obs::account::files;
use super::server::Server;
use crate::process::Process;
use crate::shell::{build_release, command, output, root};
use crate::{Result, system};

/// Streams that publish.
const STREAMS: usize = 50;
/// What the changes are at once, and for how long.
const RATE: u32 = 200;
const CHANGES: Duration = Duration::from_secs(20);
/// Below this share of [`RATE`] the proof has shown less than it says.
const KEPT: f64 = 0.98;
/// What is still being changed when the server is killed.
const BURST: Duration = Duration::from_secs(4);
const KILLED_AFTER: Duration = Duration::from_secs(2);

/// All publishers are there within this time; a recording closes `delay_time` after its publisher went.
const PATIENCE: Duration = Duration::from_secs(60);

/// Packaging and recording run, as they would; [`client`] has the key.
const CONFIG: &str = r#"
throttle = false
[[access_key]]
id = "LTAIproof"
secret = "proof-secret"
[[package]]
domain_name = "live.local"
app_name = "*"
stream_name = "*"
protocol = "HLS_CMAF"
[[record]]
domain_name = "live.local"
app_name = "live"
stream_name = "*"
oss_endpoint = "local"
oss_bucket = "live"
delay_time = 15
[[record.record_format]]
format = "flv"
cycle_duration = 21600
oss_object_prefix = "flv/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
"#;

/// Runs the proof. Its folder, `target/accept/changes`, stays for a look.
pub fn run(_args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD, system::TEST])?;
    let binary = build_release("server", "millrace")?;
    let dir = root().join("target/accept/changes");
    let _ = std::fs::remove_dir_all(&dir); // of an earlier run; absent is fine
    std::fs::create_dir_all(&dir)?;
    let source = dir.join("source.flv");
    media::encode(&source)?;
    let date = output(command("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))?.trim().to_owned();

    let server = Server::start(&binary, &dir, CONFIG, "millrace.log")?;
    let load = Load { port: server.api, date: &date };
    let pushes = publish(&server, &source, &dir)?;
    let mut expected = load.prepare()?;
    let measured = load.run("run", RATE, CHANGES)?;
    let publishing = server.metric("millrace_publishers");
    let figures = measured.figures()?;
    expected.merge(measured.expected);
    if publishing != Some(STREAMS as f64) {
        return Err(format!("{publishing:?} of {STREAMS} streams publish after the changes").into());
    }
    pushes.iter().try_for_each(media::finish)?;
    expected.check(&load.read_back()?)?;

    let bucket = dir.join("objects/live");
    server.wait_until("the recordings", PATIENCE, |_| files(&bucket, "flv").len() >= STREAMS)?;
    let packets = account(&bucket, &source)?;
    quiet(&dir)?;
    let answered = kill_meanwhile(server, &date, &mut expected)?;

    let server = Server::start(&binary, &dir, CONFIG, "restarted.log")?;
    expected.check(&Load { port: server.api, date: &date }.read_back()?)?;
    server.stop()?;
    Ok(report(&figures, packets, &expected, answered))
}

/// Starts every push and waits until all are live.
fn publish(server: &Server, source: &Path, dir: &Path) -> Result<Vec<Process>> {
    let one = |number: usize| {
        let url = format!("{}/s{number}", server.rtmp_url());
        media::push(source, &url, &dir.join(format!("push{number}.log")))
    };
    let pushes = (0..STREAMS).map(one).collect::<Result<Vec<_>>>()?;
    let live = |server: &Server| server.metric("millrace_publishers") == Some(STREAMS as f64);
    server.wait_until("50 publishers", PATIENCE, live)?;
    Ok(pushes)
}

/// Finds the whole source in the one recording of each stream. Returns the packets of one.
fn account(bucket: &Path, source: &Path) -> Result<usize> {
    let sent = Packets::of(source)?;
    for number in 0..STREAMS {
        let recordings: Vec<PathBuf> = files(&bucket.join(format!("flv/s{number}")), "flv");
        let [recording] = recordings.as_slice() else {
            return Err(format!("{} recordings of s{number}, one is expected", recordings.len()).into());
        };
        let checked = Packets::of(recording)?.check(&sent);
        checked.map_err(|error| format!("{}: {error}", recording.display()))?;
    }
    match files(bucket, "jpg").len() {
        0 => Ok(sent.len()),
        pictures => {
            Err(format!("{pictures} snapshots: templates came into effect while streams were live").into())
        }
    }
}

/// What the server warned of, or an encoder complained about, was an effect.
fn quiet(dir: &Path) -> Result<()> {
    let log = std::fs::read_to_string(dir.join("millrace.log"))?;
    let warned = log.lines().find(|line| line.contains(" WARN ") || line.contains(" ERROR "));
    if let Some(line) = warned {
        return Err(format!("the server warned: {line}").into());
    }
    for number in 0..STREAMS {
        let said = std::fs::read_to_string(dir.join(format!("push{number}.log")))?;
        if !said.trim().is_empty() {
            return Err(format!("ffmpeg {number} complained: {}", said.trim()).into());
        }
    }
    Ok(())
}

/// Kills the server while changes come in. Returns how many were answered until then.
fn kill_meanwhile(server: Server, date: &str, expected: &mut Expected) -> Result<usize> {
    let port = server.api;
    // An error that may go to another thread is text.
    let burst = move || {
        let load = Load { port, date };
        load.until_killed("burst", RATE, BURST).map_err(|error| error.to_string())
    };
    let measured = std::thread::scope(|scope| -> Result<Measured> {
        let burst = scope.spawn(burst);
        let begun = Instant::now();
        server.wait_until("the kill", BURST, |_| begun.elapsed() >= KILLED_AFTER)?;
        server.kill()?;
        Ok(burst.join().map_err(|_| "a client panicked")??)
    })?;
    let answered = measured.answers.len();
    expected.merge(measured.expected);
    match answered {
        0 => Err("nothing was answered before the kill".into()),
        answered => Ok(answered),
    }
}

fn report(figures: &load::Figures, packets: usize, expected: &Expected, burst: usize) -> Report {
    let body = format!(
        "{} changes in {:.1} s from {} connections, {:.0} a second, all answered with 200: median {:.1} ms, p99 \
         {:.1} ms, longest {:.1} ms from when each was due. {STREAMS} streams published meanwhile (640x360, 25 fps, \
         {} s, pushed by ffmpeg): each FLV recording holds all {packets} packets of the source, with their times; the \
         server warned of nothing. Read back through Describe, every answered change was there, and nothing else: \
         after the run, and after a kill -9 amid {burst} more ({} fields of templates then).",
        figures.changes,
        figures.seconds,
        load::CONNECTIONS,
        figures.rate(),
        figures.median_ms,
        figures.p99_ms,
        figures.longest_ms,
        media::SECONDS,
        expected.len(),
    );
    let mut report = Report { body, short: Vec::new() };
    if figures.rate() < f64::from(RATE) * KEPT {
        report.short.push(format!("{:.0} changes a second; the aim is {RATE}", figures.rate()));
    }
    report
}
