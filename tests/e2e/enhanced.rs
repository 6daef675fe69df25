//! An FFmpeg that sends and reads Enhanced RTMP: the one that the PyPI wheel `imageio-ffmpeg` carries, installed with
//! the SDKs (`cargo xtask sdk`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use media::Kind;

use crate::encoder::Push;

/// Tracks to encode, each by FFmpeg's encoder options.
pub struct Material {
    /// Video tracks: a moving picture of 320x180 at 30 frames a second.
    pub video: &'static [&'static [&'static str]],
    /// Audio tracks: tones of different pitch at 48 kHz.
    pub audio: &'static [&'static [&'static str]],
}

/// Seconds of every material: enough for three live segments.
const SECONDS: u32 = 8;

impl Material {
    /// Encodes it into one file in `folder`.
    pub fn encode(&self, folder: &Path) -> PathBuf {
        let mut tracks = Vec::new();
        for (at, options) in self.video.iter().enumerate() {
            let source = format!("testsrc2=size=320x180:rate=30:duration={SECONDS},hue=h={}", at * 90);
            tracks.push(encode(folder, tracks.len(), &source, options, &["-pix_fmt", "yuv420p"]));
        }
        for (at, options) in self.audio.iter().enumerate() {
            let source = format!("sine=frequency={}:sample_rate=48000:duration={SECONDS}", 440 * (at + 1));
            tracks.push(encode(folder, tracks.len(), &source, options, &["-ac", "2"]));
        }
        let file = folder.join("source.mkv");
        let mut command = ffmpeg();
        for track in &tracks {
            command.arg("-i").arg(track);
        }
        for at in 0..tracks.len() {
            command.args(["-map", &at.to_string()]);
        }
        run(command.args(["-c", "copy"]).arg(&file));
        file
    }
}

fn encode(folder: &Path, number: usize, source: &str, options: &[&str], format: &[&str]) -> PathBuf {
    let file = folder.join(format!("track{number}.mkv"));
    run(ffmpeg().args(["-f", "lavfi", "-i", source]).args(format).args(options).arg(&file));
    file
}

/// One track of a file.
#[derive(Clone, Copy, Debug)]
pub struct Take {
    kind: Kind,
    index: usize,
}

impl Take {
    pub fn video(index: usize) -> Self {
        Self { kind: Kind::Video, index }
    }

    pub fn audio(index: usize) -> Self {
        Self { kind: Kind::Audio, index }
    }

    /// The same of a file that has no other track of its kind.
    pub fn alone(self) -> Self {
        Self { index: 0, ..self }
    }

    pub fn is_video(self) -> bool {
        self.kind == Kind::Video
    }

    /// Whether it is the main track of its kind.
    pub fn is_main(self) -> bool {
        self.index == 0
    }

    /// Hashes of its decoded pictures, or of its audio packets as they are coded, in order.
    #[track_caller]
    pub fn hashes(self, file: &Path) -> Vec<String> {
        let mut command = ffmpeg();
        command.arg("-i").arg(file);
        match self.kind {
            Kind::Video => command.args(["-map", &format!("0:v:{}", self.index), "-fps_mode", "passthrough"]),
            // What ADTS adds to AAC in TS is taken away again.
            Kind::Audio => command.args(["-map", &format!("0:a:{}", self.index), "-c", "copy"]),
        };
        if self.kind == Kind::Audio && is_aac(file, self.index) {
            command.args(["-bsf:a", "aac_adtstoasc"]);
        }
        let output = command.args(["-f", "framemd5", "-"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{}: {said}", file.display());
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        // Stream, DTS, PTS, duration, size, hash, and what of side data there may be.
        lines.filter_map(|line| line.split(',').nth(5)).map(|hash| hash.trim().to_owned()).collect()
    }
}

fn is_aac(file: &Path, index: usize) -> bool {
    let select = format!("a:{index}");
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "quiet",
            "-select_streams",
            &select,
            "-show_entries",
            "stream=codec_name",
            "-of",
            "csv=p=0",
        ])
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).contains("aac")
}

/// Checks that a product's track holds exactly what the source's has, in order.
#[track_caller]
pub fn assert_same(what: &str, source: (&Path, Take), product: (&Path, Take)) {
    let (sent, found) = (source.1.hashes(source.0), product.1.hashes(product.0));
    let differs = sent.iter().zip(&found).position(|(a, b)| a != b);
    assert!(
        sent == found && !sent.is_empty(),
        "{what}, {:?}: {} sent, {} found, first difference at {differs:?}",
        source.1,
        sent.len(),
        found.len()
    );
}

/// Pushes every track of a file in real time.
pub fn push(file: &Path, url: &str) -> Push {
    Push::with(Command::new(program()), file, url)
}

/// That FFmpeg, which says errors only.
pub fn ffmpeg() -> Command {
    let mut command = Command::new(program());
    command.args(["-nostdin", "-y", "-v", "error", "-threads", "1"]).stdin(Stdio::null());
    command
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Where pip puts it: `…/site-packages/imageio_ffmpeg/binaries/ffmpeg-…`.
fn program() -> PathBuf {
    let libraries = crate::sdk::environment().join("lib");
    let packages = std::fs::read_dir(&libraries).into_iter().flatten().flatten();
    let binaries = packages.map(|python| python.path().join("site-packages/imageio_ffmpeg/binaries"));
    let mut found = binaries.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let program = found.find(|file| file.file_name().to_string_lossy().starts_with("ffmpeg"));
    program.expect("cargo xtask sdk installs imageio-ffmpeg").path()
}
