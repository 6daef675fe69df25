//! The streams: one file, pushed by as many ffmpegs, and what of it is in the recordings.

use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::process::Process;
use crate::shell::{command, output, run};

/// Length of the file.
pub const SECONDS: u64 = 30;
const FPS: u32 = 25;

/// Encodes the file that every stream sends: a picture that moves, and a tone.
pub fn encode(file: &Path) -> Result<()> {
    let seconds = SECONDS.to_string();
    let picture = format!("testsrc2=size=640x360:rate={FPS}");
    let mut ffmpeg = command("ffmpeg");
    ffmpeg.args(["-y", "-v", "error", "-f", "lavfi", "-i", &picture]);
    ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", &seconds]);
    ffmpeg.args(["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "50"]);
    run(ffmpeg.args(["-b:v", "800k", "-c:a", "aac", "-b:a", "96k", "-f", "flv"]).arg(file))
}

/// Pushes the file in real time.
pub fn push(file: &Path, url: &str, log: &Path) -> Result<Process> {
    let mut ffmpeg = command("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "warning", "-re", "-i"]).arg(file);
    // A live stream has no header to go back to.
    ffmpeg.args(["-c", "copy", "-flvflags", "no_duration_filesize", "-f", "flv", url]);
    Process::start(ffmpeg, log)
}

/// Waits for the end of a push, which must be a success.
pub fn finish(push: &Process) -> Result<()> {
    match push.ended_within(Duration::from_secs(SECONDS * 2)) {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("a push ended with {status}").into()),
        None => Err("a push does not end".into()),
    }
}

/// Milliseconds that a packet's time may differ by: audio is put back onto the grid of its samples, which FLV's whole
/// milliseconds only come near to.
const NEAR: i64 = 2;

/// Every packet of a file: track after track, each in order.
pub struct Packets {
    packets: Vec<Packet>,
    /// The decoders' configurations.
    config: Vec<String>,
}

/// A packet. Times in milliseconds.
#[derive(Debug)]
struct Packet {
    stream: String,
    dts: i64,
    pts: i64,
    /// Size and hash.
    payload: String,
}

impl Packets {
    /// Takes a file apart with ffmpeg, without decoding.
    pub fn of(file: &Path) -> Result<Packets> {
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-xerror", "-copyts", "-i"]).arg(file);
        let text = output(ffmpeg.args(["-map", "0", "-c", "copy", "-f", "framehash", "-hash", "md5", "-"]))?;
        Packets::parse(&text)
    }

    /// Where a recording's clock starts is its own affair, and which of two tracks comes first at one moment.
    fn parse(text: &str) -> Result<Packets> {
        let config = text.lines().filter(|line| line.starts_with("#extradata")).map(str::to_owned).collect();
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        let packets = rows.map(|row| Packet::parse(row).ok_or_else(|| format!("no packet: {row:?}")));
        let mut packets = packets.collect::<std::result::Result<Vec<_>, _>>()?;
        packets.sort_by(|a, b| a.stream.cmp(&b.stream));
        let start = packets.iter().map(|packet| packet.dts).min().unwrap_or_default();
        for packet in &mut packets {
            packet.dts -= start;
            packet.pts -= start;
        }
        Ok(Packets { packets, config })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Says what is not as in `sent`.
    pub fn check(&self, sent: &Packets) -> Result<()> {
        if self.config != sent.config {
            return Err(format!("configured as {:?}, not {:?}", self.config, sent.config).into());
        }
        if self.len() != sent.len() {
            return Err(format!("{} packets, {} were sent", self.len(), sent.len()).into());
        }
        match self.packets.iter().zip(&sent.packets).find(|(found, sent)| !found.is(sent)) {
            Some((found, sent)) => Err(format!("{found:?}, sent was {sent:?}").into()),
            None => Ok(()),
        }
    }
}

impl Packet {
    /// A row of `stream, dts, pts, duration, size, hash`.
    fn parse(row: &str) -> Option<Packet> {
        let mut cells = row.split(',').map(str::trim);
        let mut cell = || cells.next();
        let (stream, dts, pts) = (cell()?.to_owned(), cell()?.parse().ok()?, cell()?.parse().ok()?);
        let (_duration, size, hash) = (cell()?, cell()?, cell()?);
        Some(Packet { stream, dts, pts, payload: format!("{size} {hash}") })
    }

    fn is(&self, other: &Packet) -> bool {
        let near = |ours: i64, theirs: i64| (ours - theirs).abs() <= NEAR;
        self.stream == other.stream
            && self.payload == other.payload
            && near(self.dts, other.dts)
            && near(self.pts, other.pts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(rows: &[(i64, &str)]) -> Packets {
        let rows: Vec<_> = rows.iter().map(|(dts, hash)| format!("0, {dts}, {dts}, 40, 9, {hash}")).collect();
        Packets::parse(&format!("#tb 0: 1/1000\n{}\n", rows.join("\n"))).unwrap()
    }

    #[test]
    fn a_packet_lost_moved_or_changed_is_found() {
        let sent = packets(&[(0, "a"), (40, "b"), (80, "c")]);
        assert!(packets(&[(5, "a"), (46, "b"), (85, "c")]).check(&sent).is_ok());
        for other in [
            &[(0, "a"), (80, "c")][..],
            &[(0, "a"), (43, "b"), (80, "c")],
            &[(0, "a"), (40, "x"), (80, "c")],
            &[(0, "a"), (40, "c"), (80, "b")],
        ] {
            assert!(packets(other).check(&sent).is_err());
        }
        let other = Packets { config: vec!["#extradata 0, 9".to_owned()], ..packets(&[(0, "a")]) };
        assert!(other.check(&packets(&[(0, "a")])).is_err());
        assert!(Packets::parse("nonsense").is_err());
    }
}
