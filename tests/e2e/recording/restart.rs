//! Our own death and return in the middle of recordings.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::material::{AUDIO_RATE, Material, RATE};
use super::receiver::Receiver;
use super::{DELAY, FORMATS, Template, account, assert_untouched, came_in, contents, folder, only, order};
use crate::encoder::Push;
use crate::machine::{Server, files, wait_for};

/// What may be lost of what came before the kill, in seconds (issue 6, point 5).
const AT_RISK: f64 = 1.0;
/// Seconds until an encoder that tries each second is back and sends a key frame: one each.
const RETURN: f64 = 2.0;
/// Seconds that this test's own looks and the machine may be late.
const SLOW: f64 = 1.0;

/// FFmpeg that publishes in real time, and again within a second after the connection broke, with the frames that are
/// next then.
pub fn reconnecting(file: &Path, url: &str) -> Push {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "fatal", "-re", "-i"]).arg(file).args(["-map", "0", "-c", "copy"]);
    ffmpeg.args(["-f", "fifo", "-fifo_format", "flv", "-queue_size", "20", "-drop_pkts_on_overflow", "1"]);
    ffmpeg.args(["-attempt_recovery", "1", "-recover_any_error", "1", "-recovery_wait_time", "1"]);
    ffmpeg.args(["-restart_with_keyframe", "1", url]);
    Push::spawn(ffmpeg)
}

/// An RTMP port that stays the same over restarts.
pub fn fixed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Two streams are recorded when the server is killed; the encoder of one comes back.
#[test]
fn a_kill_costs_at_most_the_last_second_and_the_same_files_go_on() {
    let (data, bucket) = folder();
    let receiver = Receiver::willing(bucket.clone());
    let templates = format!("{}{}", Template::default().text(), receiver.template(""));
    let sources = tempfile::tempdir().unwrap();
    let material = Material::encode(sources.path(), 22, 3);
    let rtmp = fixed_port();
    let environment = [("MILLRACE__RTMP__LISTEN", rtmp.as_str())];
    let server = Server::start_in(data, &templates, &environment);
    let back = reconnecting(&material.file, &server.publish_url("live", "back"));
    let _gone = reconnecting(&material.file, &server.publish_url("live", "gone"));
    super::wait_for_pictures(&server, &["back", "gone"], 8 * RATE);
    let (came, told) = (["back", "gone"].map(|stream| came_in(&server, stream)), Instant::now());
    // The second of the two is gone for good.
    drop(_gone);
    let data = server.kill();
    let before = contents(&bucket);
    assert!(files(&bucket, "").len() >= 2, "slices of 5 s are there before the kill: {before:#?}");
    let mut server = Server::start_in(data, &templates, &environment);
    let down = told.elapsed().as_secs_f64();
    back.succeed();
    server.wait_until_gone("live", "back");
    order(&server, "back", "cancel_delay").done();
    super::wait_for_recordings(&server, &FORMATS, "back", 1);
    super::wait_for_recordings(&server, &FORMATS, "gone", 1);
    assert!(told.elapsed().as_secs() >= DELAY - 2, "DelayTime runs on from the last frame");
    assert_untouched(&before, &bucket);
    for format in FORMATS {
        let found = material.find(&account(format, &[only(&server, format, "back")]), format);
        check_hole(&found.holes(), came[0].0, RATE as f64, down, format);
        check_hole(&found.silences(), came[0].1, AUDIO_RATE, down, format);
        let found = material.find(&account(format, &[only(&server, format, "gone")]), format);
        let kept = found.video.len();
        assert_eq!(found.video, (0..kept).collect::<Vec<_>>(), "{format} of gone has no hole");
        assert!(
            kept + (RATE as f64 * AT_RISK) as usize >= came[1].0,
            "{format} of gone: {kept} of {}",
            came[1].0
        );
        check_sequence(&bucket, format);
    }
    check_told(&receiver);
    assert!(server.terminate().success());
}

/// One hole: from at most a second before the kill to when the encoder is back.
#[track_caller]
fn check_hole(holes: &[std::ops::Range<usize>], came: usize, rate: f64, down: f64, format: &str) {
    let [hole] = holes else {
        panic!("{format}: one hole expected, found {holes:?}; {came} frames came before")
    };
    let lost_before = came as f64 - hole.start as f64;
    assert!(lost_before <= AT_RISK * rate + 1.0, "{format}: {hole:?} though {came} came before the kill");
    let lost_after = hole.end as f64 - came as f64;
    let most = (down + RETURN + SLOW) * rate;
    assert!(
        lost_after <= most,
        "{format}: {hole:?} though {came} came before the kill, down for {down:.1} s"
    );
}

/// `{Sequence}` of slices counts on, and none is used twice.
#[track_caller]
fn check_sequence(bucket: &Path, format: &str) {
    let slices: Vec<PathBuf> = files(&bucket.join(format!("{format}/live/back")), "");
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let main =
        |name: &String| name.starts_with("slice_") && (name.ends_with(".ts") || name.ends_with("_v.m4s"));
    let mut numbers: Vec<(u64, u64)> = slices
        .iter()
        .map(name)
        .filter(main)
        .map(|name| {
            let mut words = name.split(['_', '.']).skip(1).map(|word| word.parse().unwrap());
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect();
    numbers.sort_unstable();
    let sequences: Vec<u64> = numbers.iter().map(|(_, sequence)| *sequence).collect();
    assert_eq!(sequences, (0..sequences.len() as u64).collect::<Vec<_>>(), "{format}: {numbers:?}");
}

/// Each file is told of, after it was stored, and what became of the recording in its order.
#[track_caller]
fn check_told(receiver: &Receiver) {
    for stream in ["back", "gone"] {
        wait_for("every file to be told of", || {
            let uris: std::collections::BTreeSet<String> =
                receiver.files(stream).iter().map(|call| call.text("uri").to_owned()).collect();
            (uris.len() >= FORMATS.len()).then_some(())
        });
        let files = receiver.files(stream);
        assert!(files.iter().all(|call| call.there), "an object is there when it is told of: {files:#?}");
    }
    let events = receiver.events("back");
    let count = |event: &str| events.iter().filter(|told| *told == event).count();
    assert_eq!(count("record_started"), 1, "a recording that goes on does not start: {events:?}");
    assert!((1..FORMATS.len()).contains(&count("record_resumed")), "told once for all formats: {events:?}");
}

/// SIGTERM closes nothing: what it interrupts goes on.
#[test]
fn a_restart_by_the_operator_loses_nothing_that_came() {
    let (data, bucket) = folder();
    let sources = tempfile::tempdir().unwrap();
    let (before, after) = (Material::encode(sources.path(), 6, 4), Material::encode(sources.path(), 4, 5));
    let templates = Template::default().text();
    let mut server = Server::start_in(data, &templates, &[]);
    Push::start(&before.file, &server.publish_url("live", "s")).succeed();
    server.wait_until_gone("live", "s");
    assert!(server.terminate().success());
    assert!(FORMATS.iter().all(|format| super::recordings(&bucket, format, "live", "s").is_empty()));
    let server = Server::start_in(server.kill(), &templates, &[]);
    Push::start(&after.file, &server.publish_url("live", "s")).succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &FORMATS, "s", 1);
    for format in FORMATS {
        let (first, second) = before.split(&account(format, &[only(&server, format, "s")]));
        before.find(&first, format).assert_whole(&format!("{format} before"));
        after.find(&second, format).assert_whole(&format!("{format} after"));
    }
}
