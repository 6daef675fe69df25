//! Real encoders: makes source files with ffmpeg and pushes them with ffmpeg, in real time.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::picture::{HEIGHT, Matrix, WIDTH, draw};

/// A source to push. Video frames carry their number.
#[derive(Clone, Copy)]
pub struct Source {
    pub video: bool,
    pub audio: bool,
    pub fps: u32,
    pub gop: u32,
    pub seconds: u32,
    pub matrix: Matrix,
    /// Scale the drawn picture to this size.
    pub size: (u32, u32),
}

impl Default for Source {
    fn default() -> Self {
        Self {
            video: true,
            audio: true,
            fps: 25,
            gop: 25,
            seconds: 20,
            matrix: Matrix::Bt709,
            size: (WIDTH, HEIGHT),
        }
    }
}

impl Source {
    /// Encodes the source into an FLV file in `folder`.
    pub fn encode(&self, folder: &Path) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = folder.join(format!("source{}.flv", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-y", "-v", "error", "-threads", "1"]);
        self.inputs(&mut command);
        self.codecs(&mut command);
        command.args(["-f", "flv"]).arg(&path).stdin(Stdio::piped());
        let mut ffmpeg = command.spawn().unwrap();
        let mut pixels = ffmpeg.stdin.take().unwrap();
        if self.video {
            for number in 0..self.fps * self.seconds {
                pixels.write_all(&draw(number, self.matrix)).unwrap();
            }
        }
        drop(pixels);
        assert!(ffmpeg.wait().unwrap().success());
        path
    }

    fn inputs(&self, command: &mut Command) {
        if self.video {
            let (size, rate) = (format!("{WIDTH}x{HEIGHT}"), self.fps.to_string());
            command.args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-r", &rate, "-i", "-"]);
        }
        if self.audio {
            let tone = format!("sine=frequency=440:sample_rate=48000:duration={}", self.seconds);
            command.args(["-f", "lavfi", "-i", &tone]);
        }
    }

    fn codecs(&self, command: &mut Command) {
        if self.video {
            let (gop, scale) =
                (self.gop.to_string(), format!("scale={}:{}:flags=neighbor", self.size.0, self.size.1));
            command.args(["-vf", &scale, "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", &gop]);
            command.args(["-keyint_min", &gop, "-sc_threshold", "0", "-crf", "18", "-color_range", "tv"]);
            let name = self.matrix.name();
            command.args(["-colorspace", name, "-color_primaries", name, "-color_trc", name]);
        }
        if self.audio {
            command.args(["-c:a", "aac", "-b:a", "64k", "-ac", "2"]);
        }
    }
}

/// An ffmpeg that pushes.
pub struct Push {
    child: Option<Child>,
}

impl Push {
    /// Pushes a file in real time without encoding it again.
    pub fn start(file: &Path, url: &str) -> Self {
        Self::with(Command::new("ffmpeg"), file, url)
    }

    /// The same with another ffmpeg, every track of the file.
    pub fn with(mut ffmpeg: Command, file: &Path, url: &str) -> Self {
        ffmpeg.args(["-nostdin", "-v", "warning", "-re", "-i"]).arg(file);
        ffmpeg.args(["-map", "0", "-c", "copy", "-f", "flv", url]);
        Self::spawn(ffmpeg)
    }

    /// An ffmpeg that knows what to do.
    pub fn spawn(mut ffmpeg: Command) -> Self {
        Self { child: Some(ffmpeg.stderr(Stdio::piped()).spawn().unwrap()) }
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Output {
        self.child.take().unwrap().wait_with_output().unwrap()
    }

    /// Waits for its end, which must be a success.
    #[track_caller]
    pub fn succeed(self) {
        let output = self.finish();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Ends it the hard way, as a power cut would.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Plays a URL for `seconds` of media with ffmpeg and returns what it complained about.
pub fn play(url: &str, seconds: u32) -> thread::JoinHandle<(bool, String)> {
    let seconds = seconds.to_string();
    let url = url.to_owned();
    thread::spawn(move || {
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "warning", "-i", &url, "-t", &seconds, "-f", "null", "-"])
            .output()
            .unwrap();
        (output.status.success(), complaints(&String::from_utf8_lossy(&output.stderr)))
    })
}

/// What ffmpeg said, but for the one thing it says of every live playlist with EXT-X-MAP: its demuxer reads the
/// init segment again after each reload, because it compares the parsed tags by address
/// (libavformat/hls.c, update_init_section), and then warns that it has it already.
fn complaints(said: &str) -> String {
    let mut quirk = false;
    let mut others = String::new();
    for line in said.lines().filter(|line| !line.trim().is_empty()) {
        let repeated = quirk && line.contains("Last message repeated");
        quirk = repeated || line.ends_with("Found duplicated MOOV Atom. Skipped it");
        if !quirk {
            others = others + line + "\n";
        }
    }
    others
}
