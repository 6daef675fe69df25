//! What is in a recording, as FFmpeg's tools see it: they share no code with us.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::shell::{command, output};

/// A recording: hashes of its decoded frames in order, and its length.
pub struct Recording {
    pub video: Vec<String>,
    pub audio: Vec<String>,
    /// From the first to the last video frame's DTS.
    pub seconds: f64,
    /// DTS of the key frames, seconds.
    pub keys: Vec<f64>,
}

impl Recording {
    /// Reads a file or a playlist with its slices.
    ///
    /// # Errors
    /// It cannot be decoded, a track is missing, the DTS do not rise, or a packet does not decode to a frame.
    pub fn read(file: &Path) -> Result<Recording> {
        let packets = packets(file)?;
        let times: Vec<f64> = packets.iter().map(|packet| packet.dts).collect();
        if let Some(pair) = times.windows(2).find(|pair| pair.first() >= pair.last()) {
            return Err(format!("{}: DTS do not rise: {pair:?}", file.display()).into());
        }
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return Err(format!("{}: no video", file.display()).into());
        };
        let video = frame_hashes(file, "0:v:0")?;
        if video.len() != times.len() {
            return Err(format!("{}: {} packets, {} frames", file.display(), times.len(), video.len()).into());
        }
        let audio = frame_hashes(file, "0:a:0")?;
        let keys = packets.iter().filter(|packet| packet.key).map(|packet| packet.dts).collect();
        Ok(Recording { video, audio, seconds: last - first, keys })
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} video frames, {} audio frames, {:.1} s",
            self.video.len(),
            self.audio.len(),
            self.seconds
        )
    }
}

/// A video packet.
struct Packet {
    /// Seconds.
    dts: f64,
    key: bool,
}

fn packets(file: &Path) -> Result<Vec<Packet>> {
    let mut probe = command("ffprobe");
    probe.args([
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-show_entries",
        "packet=dts_time,flags",
        "-of",
        "csv=p=0",
    ]);
    let text = output(probe.arg(file))?;
    let rows = text.lines().filter_map(|line| line.split_once(','));
    rows.map(|(dts, flags)| Ok(Packet { dts: dts.parse()?, key: flags.starts_with('K') })).collect()
}

/// A hash per decoded frame. Any complaint of the decoder is an error.
fn frame_hashes(file: &Path, stream: &str) -> Result<Vec<String>> {
    let mut decode = command("ffmpeg");
    decode.args(["-v", "error", "-xerror", "-i"]).arg(file);
    decode.args(["-map", stream, "-fps_mode", "passthrough", "-f", "framehash", "-hash", "md5", "-"]);
    let text = output(&mut decode)?;
    let frames = text.lines().filter(|line| !line.starts_with('#'));
    Ok(frames.filter_map(|line| line.rsplit(',').next()).map(|hash| hash.trim().to_owned()).collect())
}

/// Every file under `folder` with this ending, sorted.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files(&path, ending),
            path => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .collect();
    found.sort();
    found
}
