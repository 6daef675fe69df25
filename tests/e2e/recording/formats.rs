//! One push in every format at once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{FORMATS, Template, account, duration, index, is_sliced, list, loud, probe, recordings};
use crate::account::Account;
use crate::encoder::{Push, Source};
use crate::enhanced;
use crate::machine::{AUTHORIZATION, Server, get, wait_for};
use crate::picture;

/// A key frame each 2 s; cycles of 6 s of 14 s.
const GOP: u32 = 50;
const CYCLES: [f64; 3] = [6.0, 6.0, 2.0];
/// A frame or two: what ends a file differs with what it says of its last frames.
const CLOSE: f64 = 0.12;
/// Longest that a reader may take to open a file.
const OPENING: Duration = Duration::from_secs(10);

struct Recorded {
    server: Server,
    sent: Account,
    _folder: tempfile::TempDir,
}

impl Recorded {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = Source { gop: GOP, seconds: 14, ..Source::default() }.encode(folder.path());
        let server = Server::start(&Template { cycle_s: 6, ..Template::default() }.text());
        Push::start(&source, &server.publish_url("live", "s")).succeed();
        server.close_recordings("live", "s");
        super::wait_for_recordings(&server, &FORMATS, "s", CYCLES.len());
        Self { server, sent: Account::of(&source), _folder: folder }
    }

    fn files(&self, format: &str) -> Vec<PathBuf> {
        recordings(&self.server.bucket(), format, "live", "s")
    }
}

#[test]
fn every_format_holds_every_frame_once_over_its_cycles_and_opens_and_seeks_in_readers() {
    let recorded = Recorded::new();
    for format in FORMATS {
        let files = recorded.files(format);
        assert_eq!(files.len(), CYCLES.len(), "{format}: {files:?}");
        recorded.sent.assert_same(&account(format, &files), format);
        for (file, seconds) in files.iter().zip(CYCLES) {
            check_duration(format, file, seconds);
        }
        for (number, file) in files.iter().enumerate() {
            check_seeks(format, file, number as u32 * GOP * 3);
        }
    }
    recorded.files("mp4").iter().for_each(|file| check_progressive(file));
    recorded.files("flv").iter().for_each(|file| check_flv(file));
    check_players(&recorded);
    check_index(&recorded);
    assert_eq!(loud(&recorded.server), [] as [String; 0]);
}

#[track_caller]
fn check_duration(format: &str, file: &Path, seconds: f64) {
    let said = match format {
        "m3u8" => list::read(file).duration(),
        "cmaf" => list::read(&list::renditions(file)[0]).duration(),
        _ => duration(file),
    };
    assert!((said - seconds).abs() < CLOSE, "{format}: {} says {said} s, not {seconds}", file.display());
}

/// A seek to each key frame shows that frame: exactly, and where the reader goes by the file's own index, at once.
#[track_caller]
fn check_seeks(format: &str, file: &Path, first: u32) {
    let start: f64 = probe(file, "format=start_time", &[]).trim().parse().unwrap();
    let keys = key_frames(file);
    for (at, key) in keys.iter().enumerate() {
        let time: f64 = key.parse().unwrap();
        let (time, shown) = (time - start, first + at as u32 * GOP);
        // FFmpeg looks for a key frame a little before what it is asked for, and finds none before the first.
        if at > 0 {
            let exact = ["-ss", &format!("{:.6}", time - 0.001)];
            assert_eq!(
                picture_at(reader(format), file, &exact),
                shown,
                "{format}: {} at {time}",
                file.display()
            );
        }
        if !is_sliced(format) {
            let by_index = ["-noaccurate_seek", "-ss", &format!("{:.6}", time + 0.5)];
            assert_eq!(
                picture_at(reader(format), file, &by_index),
                shown,
                "{format}: {} by index at {time}",
                file.display()
            );
        }
    }
}

/// FFmpeg 5.1 cannot seek in fragments where pictures have a playlist of their own, be it FFmpeg's.
fn reader(format: &str) -> Command {
    if format == "cmaf" { enhanced::ffmpeg() } else { Command::new("ffmpeg") }
}

/// When each key frame is shown.
#[track_caller]
fn key_frames(file: &Path) -> Vec<String> {
    let text = probe(file, "packet=pts_time,flags", &["-select_streams", "v:0"]);
    let keys = text.lines().filter_map(|line| line.split_once(',')).filter(|(_, flags)| flags.contains('K'));
    let keys: Vec<String> = keys.map(|(time, _)| time.to_owned()).collect();
    assert!(!keys.is_empty(), "{} has no key frame", file.display());
    keys
}

/// The number in the first picture that ffmpeg shows of `file` with these options.
#[track_caller]
fn picture_at(mut ffmpeg: Command, file: &Path, options: &[&str]) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("shown.png");
    let output = ffmpeg
        .args(["-nostdin", "-v", "error", "-threads", "1"])
        .args(options)
        .arg("-i")
        .arg(file)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-frames:v", "1"])
        .arg(&shown)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && shown.exists(), "{} with {options:?}: {said}", file.display());
    picture::read(&shown).number
}

/// The index comes before the media, nothing is in fragments, and a reader that we did not write opens it.
#[track_caller]
fn check_progressive(file: &Path) {
    let boxes = boxes(file);
    let at = |name: &[u8; 4]| boxes.iter().position(|found| found == name);
    assert_eq!(at(b"ftyp"), Some(0), "{}", file.display());
    assert!(at(b"moov").unwrap() < at(b"mdat").unwrap(), "{}", file.display());
    assert_eq!((at(b"moof"), boxes.iter().filter(|name| *name == b"moov").count()), (None, 1));
    let (done, opened) = mpsc::sync_channel(1);
    let path = file.to_owned();
    thread::spawn(move || {
        let file = std::fs::File::open(path).unwrap();
        let reader = mp4::read_mp4(file).unwrap();
        let frames = |track: &mp4::Mp4Track| (track.media_type().unwrap().to_string(), track.sample_count());
        done.send(reader.tracks().values().map(frames).collect::<Vec<_>>()).unwrap();
    });
    let mut tracks = opened.recv_timeout(OPENING).expect("the mp4 crate opens it in time");
    tracks.sort();
    let Account { slices, aac } = Account::of(file);
    let expected = [("aac".to_owned(), aac.len() as u32), ("h264".to_owned(), slices.len() as u32)];
    assert_eq!(tracks, expected, "{}", file.display());
}

/// Names of the top-level boxes.
fn boxes(file: &Path) -> Vec<[u8; 4]> {
    let bytes = std::fs::read(file).unwrap();
    let (mut at, mut names) = (0, Vec::new());
    while let Some(head) = bytes.get(at..at + 8) {
        let size = match u32::from_be_bytes(head[..4].try_into().unwrap()) {
            1 => u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap()) as usize,
            size => size as usize,
        };
        names.push(head[4..].try_into().unwrap());
        at += size;
    }
    assert_eq!(at, bytes.len(), "{} ends with its last box", file.display());
    names
}

/// onMetaData says how long it is and where its key frames are.
#[track_caller]
fn check_flv(file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    for word in ["duration", "filesize", "keyframes", "filepositions", "times"] {
        let found = bytes.windows(word.len()).take(4096).any(|window| window == word.as_bytes());
        assert!(found, "{} has no {word}", file.display());
    }
}

/// FFmpeg plays the playlists and the MPD as they are, with all frames.
#[track_caller]
fn check_players(recorded: &Recorded) {
    for format in ["m3u8", "cmaf"] {
        recorded.sent.assert_same(&Account::of_all(&recorded.files(format)), &format!("{format}, played"));
    }
    let mpds: Vec<PathBuf> = recorded.files("cmaf").iter().map(|list| list.with_extension("mpd")).collect();
    recorded.sent.assert_same(&Account::of_all(&mpds), "MPD, played");
}

/// Every file is in the index, with what it holds, and can be fetched where the index says.
#[track_caller]
fn check_index(recorded: &Recorded) {
    let Recorded { server, .. } = recorded;
    let count = FORMATS.len() * CYCLES.len();
    let rows = wait_for("the index", || Some(index(server, "s")).filter(|rows| rows.len() == count));
    for format in FORMATS {
        for (file, seconds) in recorded.files(format).iter().zip(CYCLES) {
            let key = file.strip_prefix(server.bucket()).unwrap().to_str().unwrap();
            let row = rows
                .iter()
                .find(|row| row["OssObject"] == key)
                .unwrap_or_else(|| panic!("{key} in {rows:#?}"));
            assert_eq!((&row["Format"], &row["OssBucket"]), (&format.into(), &"live-bucket".into()), "{row}");
            assert_eq!((&row["Width"], &row["Height"]), (&320.into(), &180.into()), "{row}");
            assert!((row["Duration"].as_f64().unwrap() - seconds).abs() < CLOSE, "{row}");
            let url = row["RecordUrl"].as_str().unwrap();
            let path =
                url.split_once("//").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap();
            let (status, body) = get(server.api, path, AUTHORIZATION);
            assert!(status == 200 && body == std::fs::read(file).unwrap(), "{url}: {status}");
            let id = row["RecordId"].as_str().unwrap();
            assert_eq!(describe(server, id)["OssObject"], key);
        }
    }
    let range = format!("{AUTHORIZATION}Range: bytes=0-9\r\n");
    let key = recorded.files("mp4")[0].strip_prefix(server.bucket()).unwrap().to_str().unwrap().to_owned();
    let (status, body) = get(server.api, &format!("/objects/live-bucket/{key}"), &range);
    assert_eq!((status, body.len()), (206, 10));
}

fn describe(server: &Server, id: &str) -> serde_json::Value {
    let params = [("DomainName", "live.local"), ("AppName", "live"), ("StreamName", "s"), ("RecordId", id)];
    crate::rpc::call(server.api, "DescribeLiveStreamRecordIndexFile", &params).done()["RecordIndexInfo"]
        .clone()
}
