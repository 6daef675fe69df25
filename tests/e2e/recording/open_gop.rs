//! Open GOPs of H.264: one IDR picture, then I pictures with a recovery point. Files and slices are cut at these, and
//! snapshots show them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{FORMATS, Template, account, duration, is_sliced, list, loud, probe, recordings};
use crate::account::Account;
use crate::encoder::Push;
use crate::machine::{Server, files, wait_for};

/// Length of each file: a GOP has 1.2 s, a cycle 5 s.
const FILES: [f64; 2] = [6.0, 3.0];
/// Where a file is cut and what it says differ by the delay of B-frames.
const CLOSE: f64 = 0.2;
/// Pictures that are shown before the first key frame of a file and need the file before.
const LEADING: usize = 3;

/// Every 5 s: of the IDR picture, and of that of the GOP which begins at 6 s.
const SNAPSHOTS: &str = "[[snapshot]]\ndomain_name = \"live.local\"\napp_name = \"live\"\ntime_interval = 5\n\
    oss_endpoint = \"oss-local\"\noss_bucket = \"live-bucket\"\n\
    sequence_oss_object = \"snapshot/{StreamName}/{UnixTimestamp}_{Sequence}.jpg\"\n";
/// Number of the picture that is shown at 6 s.
const SHOWN_AT_6_S: u32 = 150;
/// How far a sample may be from the source's after JPEG, on average.
const NEAR: f64 = 10.0;

#[test]
fn files_begin_with_open_gops_and_together_are_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let source = encode(folder.path());
    let server = Server::start(&(Template { cycle_s: 5, ..Template::default() }.text() + SNAPSHOTS));
    Push::start(&source, &server.publish_url("live", "s")).succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &FORMATS, "s", FILES.len());
    let sent = Account::of(&source);
    for format in FORMATS {
        let files = recordings(&server.bucket(), format, "live", "s");
        sent.assert_same(&account(format, &files), format);
        for (file, seconds) in files.iter().zip(FILES) {
            let said = length(format, file);
            assert!((said - seconds).abs() < CLOSE, "{format}: {said} s, not {seconds}");
            let (sent, shown) = pictures(file);
            assert!(shown + LEADING >= sent && shown <= sent, "{format}: {shown} of {sent} are shown");
        }
        assert_eq!(files.len(), FILES.len(), "{format}");
        if !is_sliced(format) {
            let keys = probe(&files[1], "packet=flags", &["-select_streams", "v:0"]);
            let keys = keys.lines().filter(|flags| flags.contains('K')).count();
            assert_eq!(keys, 3, "{format}: places to seek to");
        }
    }
    check_snapshots(&server.bucket().join("snapshot/s"), &source, folder.path());
    assert_eq!(loud(&server), [] as [String; 0]);
}

#[track_caller]
fn check_snapshots(taken: &Path, source: &Path, folder: &Path) {
    let pictures = wait_for("two snapshots", || Some(files(taken, ".jpg")).filter(|files| files.len() == 2));
    let expected = folder.join("expected.png");
    let select = format!("select=eq(n\\,{SHOWN_AT_6_S})");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(source)
        .args(["-vf", &select, "-frames:v", "1"])
        .arg(&expected)
        .status();
    assert!(made.unwrap().success());
    let [shown, expected] = [&pictures[1], &expected].map(|file| image::open(file).unwrap().to_rgb8());
    let apart: u64 = shown.iter().zip(expected.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    let apart = apart as f64 / expected.len() as f64;
    assert!(shown.dimensions() == expected.dimensions() && apart < NEAR, "{apart} apart");
}

fn encode(folder: &Path) -> PathBuf {
    let file = folder.join("open.flv");
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=192x108:rate=25:duration=9"])
        .args(["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=9", "-c:a", "aac"])
        .args(["-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-pix_fmt", "yuv420p"])
        .args(["-x264-params", "open-gop=1:keyint=30:min-keyint=30:scenecut=0:bframes=3:b-adapt=0"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    file
}

/// What a recording says of its length, in seconds.
fn length(format: &str, file: &Path) -> f64 {
    match format {
        "m3u8" => list::read(file).duration(),
        "cmaf" => list::read(&list::renditions(file)[0]).duration(),
        _ => duration(file),
    }
}

/// Pictures in a recording, and those that FFmpeg shows of it.
fn pictures(file: &Path) -> (usize, usize) {
    let count = |codec: &str| {
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "fatal", "-i"])
            .arg(file)
            .args(["-map", "0:v:0", "-c", codec, "-fps_mode", "passthrough", "-f", "framemd5", "-"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", file.display());
        String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.starts_with('#')).count()
    };
    (count("copy"), count("rawvideo"))
}
