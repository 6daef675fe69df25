//! The tracks in the captures: what every message means, unit by unit.

use std::collections::BTreeMap;

use container::flv::{self, Body, ColourInfo, Format};

use super::captures::{capture, tell};
use crate::Kind;

/// What came of one track: `(frames, key frames, empty frames, sequence starts, ends, everything else)`.
type Counts = [usize; 6];

/// Counts of a capture by kind, track and format. Nothing in it is unsupported or an error.
fn tracks(name: &str) -> BTreeMap<(&'static str, u8, &'static str), Counts> {
    let mut tracks = BTreeMap::new();
    for message in tell(&capture(name), usize::MAX).0.media {
        let (kind, units) = match message.kind {
            Kind::Video => ("video", flv::video(&message.payload)),
            Kind::Audio => ("audio", flv::audio(&message.payload)),
            Kind::Data => continue,
        };
        for unit in units.unwrap() {
            let unit = unit.unwrap();
            let counts: &mut Counts = tracks.entry((kind, unit.track, name_of(unit.format))).or_default();
            match unit.body {
                Body::Frame { key, data, .. } => {
                    counts[0] += 1;
                    counts[1] += usize::from(key);
                    counts[2] += usize::from(data.is_empty());
                }
                Body::SequenceStart(_) => counts[3] += 1,
                Body::SequenceEnd => counts[4] += 1,
                Body::Colour(colour) => {
                    assert_eq!(colour, ColourInfo::default(), "FFmpeg was told of no colours");
                    counts[5] += 1;
                }
                Body::Nothing => counts[5] += 1,
                Body::Unsupported(name) => panic!("{name}"),
            }
        }
    }
    tracks
}

fn name_of(format: Format) -> &'static str {
    match format {
        Format::Avc => "avc",
        Format::Hevc => "hevc",
        Format::Av1 => "av1",
        Format::Vp9 => "vp9",
        Format::Aac => "aac",
        Format::Mp3 => "mp3",
        Format::Opus => "opus",
        Format::Flac => "flac",
        Format::Ac3 => "ac3",
        Format::Eac3 => "eac3",
        Format::Other => "other",
    }
}

#[track_caller]
fn check(name: &str, expected: &[(&'static str, u8, &'static str, Counts)]) {
    let expected: Vec<_> =
        expected.iter().map(|&(kind, track, format, n)| ((kind, track, format), n)).collect();
    assert_eq!(tracks(name).into_iter().collect::<Vec<_>>(), expected, "{name}");
}

#[test]
fn one_track_of_each_kind_in_the_legacy_form() {
    let video = ("video", 0, "avc", [90, 3, 0, 1, 1, 0]);
    check("ffmpeg5-h264-bframes-aac", &[("audio", 0, "aac", [142, 142, 0, 1, 0, 0]), video]);
    check("ffmpeg5-audio-only-aac", &[("audio", 0, "aac", [131, 131, 0, 1, 0, 0])]);
    check("ffmpeg5-h264-mp3", &[("audio", 0, "mp3", [116, 116, 0, 0, 0, 0]), video]);
    check("gstreamer-h264-aac", &[("audio", 0, "aac", [141, 141, 0, 1, 0, 0]), video]);
}

#[test]
fn h265_with_colours() {
    let audio = ("audio", 0, "aac", [142, 142, 0, 1, 0, 0]);
    check("ffmpeg9-hevc-aac", &[audio, ("video", 0, "hevc", [90, 3, 0, 1, 0, 1])]);
}

#[test]
fn av1_and_opus() {
    let audio = ("audio", 0, "opus", [151, 151, 0, 1, 0, 1]);
    check("ffmpeg9-av1-opus", &[audio, ("video", 0, "av1", [90, 3, 0, 1, 0, 1])]);
}

#[test]
fn vp9_and_flac_that_begins_with_an_empty_frame_and_ends_with_a_second_header() {
    let audio = ("audio", 0, "flac", [142, 142, 1, 2, 0, 2]);
    check("ffmpeg9-vp9-flac", &[audio, ("video", 0, "vp9", [90, 3, 0, 1, 0, 1])]);
}

#[test]
fn ac3_whose_header_is_empty() {
    let audio = ("audio", 0, "ac3", [94, 94, 0, 1, 0, 1]);
    check("ffmpeg9-h264-ac3", &[audio, ("video", 0, "avc", [90, 3, 0, 1, 1, 0])]);
}

#[test]
fn two_tracks_of_each_kind() {
    let aac = |track, other| ("audio", track, "aac", [142, 142, 0, 1, 0, other]);
    // FFmpeg ends the second video track in the name of the first
    let avc = |track, ends| ("video", track, "avc", [90, 3, 0, 1, ends, 0]);
    check("ffmpeg9-multitrack-h264-aac", &[aac(0, 0), aac(1, 1), avc(0, 2), avc(1, 0)]);
}

#[test]
fn a_connection_cut_inside_of_a_message_has_whole_units_only() {
    let tracks = tracks("obs29-h264-aac");
    let keys: Vec<_> = tracks.keys().copied().collect();
    assert_eq!(keys, [("audio", 0, "aac"), ("video", 0, "avc")]);
    assert!(tracks.values().all(|counts| counts[0] > 50 && counts[3] == 1), "{tracks:?}");
}
