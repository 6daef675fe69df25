//! How much is written for what is recorded (`cargo xtask accept recording-cost`).

use std::process::Command;

use super::{FORMATS, Template};
use crate::encoder::Push;
use crate::machine::Server;

/// Seconds, and bits of video a second.
const SECONDS: u32 = 20;
const RATE: &str = "2400k";

#[test]
#[ignore = "cargo xtask accept recording-cost"]
fn bytes_for_each_byte_of_media() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source.flv");
    let picture = format!("testsrc2=size=1280x720:rate=30:duration={SECONDS},noise=alls=12:allf=t");
    let sound = format!("anoisesrc=sample_rate=48000:amplitude=0.2:duration={SECONDS}");
    let encoded = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound])
        .args(["-c:v", "libx264", "-preset", "superfast", "-b:v", RATE, "-minrate", RATE, "-maxrate", RATE])
        .args([
            "-bufsize", RATE, "-nal-hrd", "cbr", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a",
            "96k",
        ])
        .arg(&source)
        .status()
        .unwrap();
    assert!(encoded.success());
    let media = std::fs::metadata(&source).unwrap().len() as f64;
    for format in FORMATS {
        let server = Server::start(&Template { formats: &[format], ..Template::default() }.text());
        let before = written(&server);
        Push::start(&source, &server.publish_url("live", "s")).succeed();
        server.close_recordings("live", "s");
        super::wait_for_recordings(&server, &[format], "s", 1);
        println!("| {format} | {:.2} |", (written(&server) - before) / media);
    }
}

/// Bytes handed to write() and its like since the process began.
fn written(server: &Server) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/io", server.pid())).unwrap();
    text.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().parse().unwrap()
}
