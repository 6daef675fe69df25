//! Every codec, and every odd stream, in every format that takes it (`cargo xtask accept recording`).

use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use container::flv;

use super::material::{Material as Noise, RATE};
use super::{FORMATS, Template, account, list, only, recordings};
use crate::account::Account;
use crate::encoder::{Push, Source};
use crate::enhanced::{self, Material, Take};
use crate::machine::{Server, wait_for};

/// Its GOPs are open: pictures shown before a key frame need the GOP before it.
const HEVC: &[&str] =
    &["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=30:bframes=3:log-level=error"];
const HEVC_CLOSED: &[&str] = &[
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-x265-params",
    "keyint=30:bframes=3:open-gop=0:log-level=error",
];
const H264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "30"];
const AV1: &[&str] = &["-c:v", "libsvtav1", "-preset", "12", "-g", "30", "-svtav1-params", "lp=1"];
const VP9: &[&str] = &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "30"];
const AAC: &[&str] = &["-c:a", "aac"];
const OPUS: &[&str] = &["-c:a", "libopus"];
const MP3: &[&str] = &["-c:a", "libmp3lame"];
const FLAC: &[&str] = &["-c:a", "flac"];

/// Formats for what MPEG-TS has no place for.
const NOT_TS: &[&str] = &["cmaf", "flv", "mp4"];

/// A file after five of the eight seconds, or one for all of them.
const CUT: u32 = 5;
const UNCUT: u32 = 3600;

/// Pushes the material; each format in `whole` holds each of its tracks, the others have no recording.
#[track_caller]
fn hold(name: &str, material: &Material, whole: &[&str], cycle_s: u32) {
    let folder = tempfile::tempdir().unwrap();
    let source = material.encode(folder.path());
    let server = Server::start(&Template { cycle_s, ..Template::default() }.text());
    enhanced::push(&source, &server.publish_url("live", "s")).succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, whole, "s", if cycle_s == CUT { 2 } else { 1 });
    for format in FORMATS {
        let files = recordings(&server.bucket(), format, "live", "s");
        if !whole.contains(&format) {
            assert_eq!(files, [] as [PathBuf; 0], "{name} {format}");
            continue;
        }
        let takes =
            (0..material.video.len()).map(Take::video).chain((0..material.audio.len()).map(Take::audio));
        for take in takes {
            let sent = take.hashes(&source);
            let found: Vec<String> =
                files.iter().flat_map(|file| take.hashes(&track(format, file, take))).collect();
            let differs = sent.iter().zip(&found).position(|(a, b)| a != b);
            assert!(
                sent == found && !sent.is_empty(),
                "{name} {format} {take:?}: {} sent, {} found, first difference at {differs:?}",
                sent.len(),
                found.len()
            );
        }
    }
}

/// FFmpeg complains of the pictures that it was not asked for where they have a playlist of their own, be it FFmpeg's.
fn track(format: &str, file: &Path, take: Take) -> PathBuf {
    match format {
        "cmaf" if take.is_video() => list::renditions(file).swap_remove(0),
        "cmaf" => list::renditions(file).pop().unwrap(),
        _ => file.to_owned(),
    }
}

#[test]
#[ignore = "cargo xtask accept recording"]
fn h265_and_aac_are_whole_in_every_format() {
    hold("H.265", &Material { video: &[HEVC_CLOSED], audio: &[AAC] }, &FORMATS, CUT);
}

#[test]
#[ignore = "cargo xtask accept recording"]
fn h265_with_open_gops_is_whole_in_every_format() {
    hold("H.265, open", &Material { video: &[HEVC], audio: &[AAC] }, &FORMATS, UNCUT);
}

#[test]
#[ignore = "cargo xtask accept recording"]
fn av1_and_opus_are_whole_in_every_format_that_takes_them() {
    hold("AV1", &Material { video: &[AV1], audio: &[OPUS] }, NOT_TS, CUT);
}

#[test]
#[ignore = "cargo xtask accept recording"]
fn vp9_and_flac_are_whole_in_every_format_that_takes_them() {
    hold("VP9", &Material { video: &[VP9], audio: &[FLAC] }, NOT_TS, CUT);
}

#[test]
#[ignore = "cargo xtask accept recording"]
fn h264_and_mp3_are_whole_in_every_format() {
    hold("MP3", &Material { video: &[H264], audio: &[MP3] }, &FORMATS, CUT);
}

#[test]
#[ignore = "cargo xtask accept recording"]
fn opus_alone_is_whole_in_every_format_that_takes_it() {
    // A slice of sound is cut where it is due.
    hold("Opus", &Material { video: &[], audio: &[OPUS] }, NOT_TS, CUT);
}

#[test]
#[ignore = "cargo xtask accept recording"]
fn sound_alone_and_pictures_alone_are_whole_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for source in [
        Source { video: false, seconds: 12, ..Source::default() },
        Source { audio: false, seconds: 12, ..Source::default() },
    ] {
        check_coded(&source.encode(folder.path()), 1, Template::default());
    }
}

#[test]
#[ignore = "cargo xtask accept recording"]
fn a_change_of_resolution_is_whole_in_one_file_of_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let half = Source { seconds: 8, ..Source::default() };
    let pieces = [half.encode(folder.path()), Source { size: (640, 360), ..half }.encode(folder.path())];
    let joined = splice(&pieces, 0, folder.path());
    let server = check_coded(&joined, 1, Template::default());
    let mp4 = only(&server, "mp4", "s");
    assert_eq!(sample_entries(&mp4), 2, "{}", mp4.display());
}

/// Encoders whose clock is set: a minute ahead from one frame to the next.
#[test]
#[ignore = "cargo xtask accept recording"]
fn a_jump_of_timestamps_is_a_discontinuity_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source { seconds: 8, ..Source::default() };
    let pieces = [source.encode(folder.path()), source.encode(folder.path())];
    let joined = splice(&pieces, 60_000, folder.path());
    let server = Server::start(&Template::default().text());
    // Without a pause where the jump is.
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "warning", "-i"]).arg(&joined);
    ffmpeg.args(["-map", "0", "-c", "copy", "-f", "flv", &server.publish_url("live", "s")]);
    Push::spawn(ffmpeg).succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &FORMATS, "s", 1);
    let sent = Account::of(&joined);
    for format in FORMATS {
        let file = only(&server, format, "s");
        sent.assert_same(&account(format, std::slice::from_ref(&file)), format);
        if super::is_sliced(format) {
            let lists = if format == "cmaf" { list::renditions(&file) } else { vec![file] };
            for list in lists.iter().map(|path| list::read(path)) {
                // Two where FFmpeg sends sound of after the jump a second later than the pictures.
                let count = list.discontinuities();
                assert!((1..=2).contains(&count), "{format}: {}{:#?}", list.text, super::loud(&server));
            }
        } else {
            let said = super::duration(&file);
            assert!((said - 16.0).abs() < 1.0, "{format} says {said} s of 16");
        }
    }
}

/// A clean end and a return within DelayTime; a clean end and a return after it.
#[test]
#[ignore = "cargo xtask accept recording"]
fn an_encoder_that_takes_leave_and_returns_is_joined_within_delay_time_and_not_after() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = [21, 22, 23].map(|seed| Noise::encode(folder.path(), 5, seed));
    let server = Server::start(&Template::default().text());
    let push = |piece: &Noise| Push::start(&piece.file, &server.publish_url("live", "s")).succeed();
    push(&pieces[0]);
    push(&pieces[1]);
    super::wait_for_recordings(&server, &FORMATS, "s", 1);
    wait_for("the session to end", || server.api_stream("s")["session"].is_null().then_some(()));
    push(&pieces[2]);
    server.close_recordings("live", "s");
    wait_for("the second file", || {
        let two = |format: &&str| recordings(&server.bucket(), format, "live", "s").len() == 2;
        FORMATS.iter().all(two).then_some(())
    });
    for format in FORMATS {
        let mut files = recordings(&server.bucket(), format, "live", "s");
        files.sort_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap());
        let (first, second) = pieces[0].split(&account(format, &files[..1]));
        pieces[0].find(&first, format).assert_whole(format);
        pieces[1].find(&second, format).assert_whole(format);
        pieces[2].find(&account(format, &files[1..]), format).assert_whole(format);
        assert_eq!(pieces[0].sent.slices.len(), 5 * RATE);
    }
}

/// GStreamer shows every picture, and from a key frame on exactly those that follow.
#[test]
#[ignore = "cargo xtask accept recording"]
fn gstreamer_opens_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source { seconds: 12, ..Source::default() }.encode(folder.path());
    let server = check_coded(&source, 1, Template::default());
    let pictures = 12 * RATE;
    for format in FORMATS {
        let file = only(&server, format, "s");
        for second in [0, 4, 8] {
            // Sound begins a little before the pictures, so a picture is on at the full second, and on a busy machine the
            // one from before the seek may still be shown; in a playlist it may begin with the key frame before.
            let early = if super::is_sliced(format) { RATE } else { 2 };
            let early = if second == 0 { 0 } else { early };
            let (shown, due) = (shown_from(&file, second), pictures - second * RATE);
            assert!((due..=due + early).contains(&shown), "{format} from {second} s: {shown} of {due}");
        }
    }
}

/// How many pictures GStreamer shows of a file from that second on.
fn shown_from(file: &Path, second: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("%05d.jpg");
    let sink = format!("videoconvert ! jpegenc ! multifilesink location={}", pictures.display());
    let output = Command::new("timeout")
        .args(["60", "gst-play-1.0", "--no-interactive", "-s", &second.to_string()])
        .args(["--videosink", &sink, "--audiosink", "fakesink"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    crate::machine::files(folder.path(), ".jpg").len()
}

/// Pushes a file; each format holds its frames as they are coded, in `count` files.
#[track_caller]
fn check_coded(source: &Path, count: usize, template: Template<'_>) -> Server {
    let server = Server::start(&template.text());
    enhanced::push(source, &server.publish_url("live", "s")).succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &FORMATS, "s", count);
    let sent = Account::of(source);
    for format in FORMATS {
        let files = recordings(&server.bucket(), format, "live", "s");
        assert_eq!(files.len(), count, "{format}: {files:?}");
        sent.assert_same(&account(format, &files), format);
    }
    server
}

/// FLV files one after the other on one timeline, the next one `jump_ms` later than it would be.
fn splice(files: &[PathBuf], jump_ms: u32, folder: &Path) -> PathBuf {
    let mut out = flv::header(true, true).to_vec();
    let mut offset = 0;
    for file in files {
        let bytes = Bytes::from(std::fs::read(file).unwrap());
        let (_, tags) = flv::read(&bytes).unwrap();
        let mut end = offset;
        for tag in tags.map(Result::unwrap) {
            let mut pieces = Vec::new();
            flv::write_tag(tag.kind, tag.timestamp + offset, &[], &tag.payload, &mut pieces).unwrap();
            pieces.iter().for_each(|piece| out.extend_from_slice(piece));
            end = end.max(tag.timestamp + offset + 40);
        }
        offset = end + jump_ms;
    }
    let path = folder.join(format!("spliced{jump_ms}.flv"));
    std::fs::write(&path, out).unwrap();
    path
}

/// Sample entries of an MP4 file's first track.
fn sample_entries(file: &Path) -> u32 {
    let bytes = std::fs::read(file).unwrap();
    let at = bytes.windows(4).position(|window| window == b"stsd").unwrap();
    u32::from_be_bytes(bytes[at + 8..at + 12].try_into().unwrap())
}

/// Makes what the browsers play: `cargo xtask accept recording` gives the folder, and serves what is in it.
#[test]
#[ignore = "cargo xtask accept recording"]
fn a_recording_for_browsers() {
    let Some(to) = std::env::var_os("MILLRACE_TEST_KEEP").map(PathBuf::from) else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = Source { seconds: 24, fps: 30, gop: 60, ..Source::default() }.encode(folder.path());
    let server = check_coded(&source, 1, Template::default());
    for path in crate::machine::files(&server.bucket(), "") {
        let kept = to.join(path.strip_prefix(server.bucket()).unwrap());
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::copy(path, kept).unwrap();
    }
}
