//! What is in the parts: FFmpeg's reading of them against what the list said.

use std::path::Path;
use std::process::Command;

use super::follow::Seen;
use super::list::Part;

/// A tick of the coarsest clock is 1/44100 s; printed numbers are to the microsecond.
const TICK_NS: u64 = 24_000;

/// A packet as ffprobe tells.
struct Packet {
    dts_ns: u64,
    /// Place in the file.
    position: usize,
    is_key: bool,
}

/// Checks everything that was kept of a list, with `track` (`v:0`, `a:0`) as the one whose time counts.
pub fn check(seen: &Seen, file: &Path, track: &str) {
    let (mut bytes, mut parts) = (seen.init.clone(), Vec::new());
    for (part, data) in seen.segments.iter().flatten() {
        parts.push((bytes.len(), part));
        bytes.extend(data);
    }
    std::fs::write(file, &bytes).unwrap();
    assert_eq!(complaints(file), "", "{}", file.display());
    let packets = packets(file, track);
    for pair in packets.windows(2) {
        assert!(pair[0].dts_ns < pair[1].dts_ns, "C-03: {} after {}", pair[1].dts_ns, pair[0].dts_ns);
    }
    for (at, (start, part)) in parts.iter().enumerate() {
        let end = parts.get(at + 1).map_or(bytes.len(), |(next, _)| *next);
        part_is_true(part, *start..end, &packets, at + 1 == parts.len());
    }
    if seen.init.is_empty() {
        transport(seen);
    }
}

/// Duration and independence of a part are what its packets say.
fn part_is_true(part: &Part, range: std::ops::Range<usize>, packets: &[Packet], is_last: bool) {
    let first = packets.iter().position(|packet| packet.position >= range.start).unwrap_or(packets.len());
    let after = packets.iter().position(|packet| packet.position >= range.end).unwrap_or(packets.len());
    if is_last && first == after {
        // Sound that is longer than the picture.
        return;
    }
    assert!(first < after, "L-02: no frame in {part:?}");
    let has_key = packets[first..after].iter().any(|packet| packet.is_key);
    assert_eq!(part.independent, has_key, "L-06: {part:?}");
    if !is_last && after < packets.len() {
        let lasts = packets[after].dts_ns - packets[first].dts_ns;
        assert!(lasts.abs_diff(part.duration) <= TICK_NS, "L-04: {part:?} lasts {lasts} ns");
    }
}

fn packets(file: &Path, track: &str) -> Vec<Packet> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", track, "-of", "csv=p=0"])
        .args(["-show_entries", "packet=dts_time,pos,flags"])
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let packet = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let seconds: f64 = fields[0].parse().unwrap();
        Packet {
            dts_ns: (seconds * 1e9) as u64,
            position: fields[1].parse().unwrap(),
            is_key: fields[2].starts_with('K'),
        }
    };
    text.lines().filter(|line| !line.is_empty()).map(packet).collect()
}

/// What ffmpeg says while it decodes everything. Times go through as they are: a rate that it guesses from the
/// first few would make it complain of its own rounding.
fn complaints(file: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "warning", "-i"])
        .arg(file)
        .args(["-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"])
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap()
}

/// Parts are whole packets and begin with PAT and PMT; counters run on through all of them (packaging-rules L-28).
fn transport(seen: &Seen) {
    let mut counters = [None; 8192];
    for (part, data) in seen.segments.iter().flatten() {
        assert_eq!(data.len() % 188, 0, "L-28: {part:?}");
        for (at, packet) in data.chunks(188).enumerate() {
            assert_eq!(packet[0], 0x47, "L-28: {part:?}");
            let pid = usize::from(u16::from_be_bytes([packet[1] & 0x1f, packet[2]]));
            assert!(at > 0 || pid == 0, "L-28: {part:?} begins with PID {pid}");
            assert!(at != 1 || pid != 0, "L-28: no PMT after the PAT of {part:?}");
            let starts_payload = packet[1] & 0x40 != 0;
            assert!(at > 1 || starts_payload, "L-28: a table of {part:?} is cut");
            if packet[3] & 0x10 == 0 {
                continue;
            }
            let counter = packet[3] & 0x0f;
            let before: &mut Option<u8> = &mut counters[pid];
            assert!(
                before.is_none_or(|before| (before + 1) & 0x0f == counter),
                "T-09: PID {pid} in {part:?}"
            );
            *before = Some(counter);
        }
    }
}
