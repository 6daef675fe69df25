use media::Kind;

use super::{bytes, read_all};
use crate::Error;
use crate::flv::*;

fn frame(key: bool, cts_ms: i32, data: &'static [u8]) -> Body {
    Body::Frame { key, cts_ms, data: bytes(data) }
}

fn start(record: &'static [u8]) -> Body {
    Body::SequenceStart(bytes(record))
}

fn unit(track: u8, format: Format, body: Body) -> Unit {
    Unit { track, format, body }
}

#[track_caller]
fn check(kind: Kind, payload: &[u8], expected: &[Unit]) {
    assert_eq!(read_all(kind, payload).unwrap().0, expected, "{payload:02x?}");
}

/// A payload whose one unit is of the main track.
#[track_caller]
fn check_one(kind: Kind, payload: &[u8], format: Format, body: Body) {
    check(kind, payload, &[unit(0, format, body)]);
}

#[track_caller]
fn fails(kind: Kind, payload: &[u8], expected: &'static str, offset: usize) {
    match read_all(kind, payload) {
        Err(Error::Flv { what, at }) => assert_eq!((what, at), (expected, offset), "{payload:02x?}"),
        other => panic!("{payload:02x?}: {other:?}"),
    }
}

use Format::{Aac, Ac3, Av1, Avc, Eac3, Flac, Hevc, Mp3, Opus, Other, Vp9};
use Kind::{Audio, Video};

#[test]
fn the_legacy_form_of_h264_is_read() {
    check_one(Video, b"\x17\0\0\0\0avcC", Avc, start(b"avcC"));
    check_one(Video, b"\x17\x01\0\0\x28key", Avc, frame(true, 40, b"key"));
    check_one(Video, b"\x27\x01\xff\xff\xd8inter", Avc, frame(false, -40, b"inter"));
    check_one(Video, b"\x17\x02\0\0\0", Avc, Body::SequenceEnd);
    check_one(Video, b"\x17\x02", Avc, Body::SequenceEnd);
    check_one(Video, b"\x57\0", Other, Body::Nothing);
}

#[test]
fn h265_and_av1_are_read_in_the_legacy_form_that_some_networks_use() {
    check_one(Video, b"\x1c\0\0\0\0hvcC", Hevc, start(b"hvcC"));
    check_one(Video, b"\x1c\x01\0\0\x28key", Hevc, frame(true, 40, b"key"));
    check_one(Video, b"\x1d\0\0\0\0av1C", Av1, start(b"av1C"));
    check_one(Video, b"\x2d\x01\0\0\0inter", Av1, frame(false, 0, b"inter"));
}

#[test]
fn the_legacy_forms_of_aac_and_mp3_are_read() {
    check_one(Audio, b"\xaf\0\x11\x88", Aac, start(b"\x11\x88"));
    check_one(Audio, b"\xaf\x01raw", Aac, frame(true, 0, b"raw"));
    check_one(Audio, b"\x2f\xff\xfb\x90", Mp3, frame(true, 0, b"\xff\xfb\x90"));
    check_one(Audio, b"\xe2\xff\xe3", Mp3, frame(true, 0, b"\xff\xe3"));
}

#[test]
fn silence_may_be_a_message_without_a_byte_or_a_frame_without_one() {
    check(Audio, b"", &[]);
    check_one(Audio, b"\xaf\x01", Aac, frame(true, 0, b""));
    check_one(Audio, b"\x91fLaC", Flac, frame(true, 0, b""));
}

#[test]
fn each_enhanced_codec_has_its_fourcc() {
    for (fourcc, format) in [(b"avc1", Avc), (b"hvc1", Hevc), (b"av01", Av1), (b"vp09", Vp9)] {
        let payload = [&[0x90], &fourcc[..], b"record"].concat();
        check_one(Video, &payload, format, start(b"record"));
    }
    let audio =
        [(b"mp4a", Aac), (b".mp3", Mp3), (b"Opus", Opus), (b"fLaC", Flac), (b"ac-3", Ac3), (b"ec-3", Eac3)];
    for (fourcc, format) in audio {
        let payload = [&[0x90], &fourcc[..], b"head"].concat();
        check_one(Audio, &payload, format, start(b"head"));
        let payload = [&[0x91], &fourcc[..], b"unit"].concat();
        check_one(Audio, &payload, format, frame(true, 0, b"unit"));
    }
}

#[test]
fn only_codecs_that_reorder_have_a_composition_time() {
    check_one(Video, b"\x91hvc1\0\0\x28key", Hevc, frame(true, 40, b"key"));
    check_one(Video, b"\xa1avc1\xff\xff\xd8inter", Avc, frame(false, -40, b"inter"));
    check_one(Video, b"\xa3hvc1inter", Hevc, frame(false, 0, b"inter"));
    check_one(Video, b"\x91av01\x12\0\x0a", Av1, frame(true, 0, b"\x12\0\x0a"));
    check_one(Video, b"\xa1vp09\x86\0\x40", Vp9, frame(false, 0, b"\x86\0\x40"));
}

#[test]
fn ends_and_what_is_not_needed_are_told_from_frames() {
    check_one(Video, b"\x92hvc1", Hevc, Body::SequenceEnd);
    check_one(Audio, b"\x92Opus", Opus, Body::SequenceEnd);
    check_one(Video, b"\x95av01descriptor", Av1, Body::Nothing);
    check_one(Audio, b"\x94Opus\x01\x02\0\0\0\x03", Opus, Body::Nothing);
    check_one(Audio, b"\x90ac-3", Ac3, start(b""));
}

#[test]
fn a_command_has_no_fourcc_but_metadata_of_the_same_frame_type_has() {
    check_one(Video, b"\xd1\x01", Other, Body::Nothing);
    check_one(Video, b"\xd0", Other, Body::Nothing);
    let colour = Body::Colour(ColourInfo::default());
    let payload = b"\xd4hvc1\x02\0\x09colorInfo\x03\0\x0bcolorConfig\x03\0\0\x09\0\0\x09";
    check_one(Video, payload, Hevc, colour);
}

#[test]
fn one_track_of_several_takes_the_rest_of_its_message() {
    let payload = b"\x96\x01avc1\x03\0\0\x28key";
    check(Video, payload, &[unit(3, Avc, frame(true, 40, b"key"))]);
    check(Video, b"\xa6\x03avc1\x01inter", &[unit(1, Avc, frame(false, 0, b"inter"))]);
    check(Audio, b"\x95\0mp4a\x01\x11\x88", &[unit(1, Aac, start(b"\x11\x88"))]);
    check(Audio, b"\x95\x04mp4a\x01\x01\x01\0\0\0\x04", &[unit(1, Aac, Body::Nothing)]);
}

#[test]
fn tracks_of_one_codec_follow_each_other_with_their_sizes() {
    let payload = b"\x96\x11hvc1\0\0\0\x04\0\0\0A\x02\0\0\x05\0\0\x28BC\x07\0\0\x03\0\0\0";
    let expected = [
        unit(0, Hevc, frame(true, 0, b"A")),
        unit(2, Hevc, frame(true, 40, b"BC")),
        unit(7, Hevc, frame(true, 0, b"")),
    ];
    check(Video, payload, &expected);
    check(Audio, b"\x95\x10Opus", &[]);
}

#[test]
fn tracks_of_many_codecs_name_each_theirs() {
    let payload = b"\x95\x21mp4a\0\0\0\x01aOpus\x01\0\0\x02bbzzzz\x02\0\0\0ac-3\x03\0\0\x01c";
    let expected = [
        unit(0, Aac, frame(true, 0, b"a")),
        unit(1, Opus, frame(true, 0, b"bb")),
        unit(2, Other, Body::Unsupported("zzzz".into())),
        unit(3, Ac3, frame(true, 0, b"c")),
    ];
    check(Audio, payload, &expected);
}

#[test]
fn tracks_before_a_broken_one_are_good_and_nothing_comes_after_it() {
    let payload = bytes(b"\x95\x11Opus\0\0\0\x01a\x01\0\0\x09b\x02\0\0\x01c");
    let mut units = audio(&payload).unwrap();
    assert_eq!(units.next().unwrap().unwrap(), unit(0, Opus, frame(true, 0, b"a")));
    assert!(matches!(units.next(), Some(Err(Error::Flv { what: "body of a track", at: 21 }))));
    assert!(units.next().is_none());
}

#[test]
fn a_message_has_no_more_tracks_than_ids() {
    let tracks = |count: usize| [&b"\x95\x11Opus"[..], &b"\x01\0\0\0".repeat(count)].concat();
    assert_eq!(read_all(Audio, &tracks(256)).unwrap().0.len(), 256);
    fails(Audio, &tracks(257), "number of tracks", 6 + 256 * 4);
}

#[test]
fn the_bodies_of_tracks_share_the_message() {
    let payload = bytes(b"\x95\x11Opus\0\0\0\x01a\x01\0\0\x01b");
    let data: Vec<_> = audio(&payload).unwrap().map(Result::unwrap).collect();
    let Body::Frame { data, .. } = &data[1].body else { panic!("{data:?}") };
    assert_eq!(data.as_ptr(), payload[15..].as_ptr());
}

#[test]
fn nanoseconds_come_before_the_packet_type_that_counts() {
    let (units, nanos) = read_all(Video, b"\x97\x02\x0f\x42\x3f\x01hvc1\0\0\0key").unwrap();
    assert_eq!((units, nanos), (vec![unit(0, Hevc, frame(true, 0, b"key"))], 999_999));
    let (units, nanos) = read_all(Audio, b"\x97\x02\0\0\x07\x01Opusx").unwrap();
    assert_eq!((units, nanos), (vec![unit(0, Opus, frame(true, 0, b"x"))], 7));
    let (_, nanos) = read_all(Audio, b"\x97\x02\0\0\x07\x05\x01Opus\x01x").unwrap();
    assert_eq!(nanos, 7, "before tracks, too");
}

#[test]
fn nanoseconds_beyond_a_millisecond_or_cut_are_none() {
    assert_eq!(read_all(Audio, b"\x97\x02\x0f\x42\x40\x01Opusx").unwrap().1, 0);
    assert_eq!(read_all(Audio, b"\x97\x01\0\x07\x01Opusx").unwrap().1, 0);
    assert_eq!(read_all(Audio, b"\x91Opusx").unwrap().1, 0);
}

#[test]
fn what_else_may_come_before_the_packet_type_is_skipped_whatever_its_size() {
    let of_size =
        |size: &[u8], data: usize| [b"\xa7", size, &vec![9; data], b"\xf7\x02\0\0\x05\x03hvc1x"].concat();
    for (size, data) in [(&b"\0"[..], 1), (b"\xfe", 255), (b"\xff\x00\xff", 256), (b"\xff\xff\xff", 65_536)] {
        let (units, nanos) = read_all(Video, &of_size(size, data)).unwrap();
        assert_eq!((units, nanos), (vec![unit(0, Hevc, frame(false, 0, b"x"))], 5), "{size:?}");
    }
}

#[test]
fn codecs_that_are_not_read_are_named() {
    let unsupported = |kind, payload: &[u8], name: &str| {
        check_one(kind, payload, Other, Body::Unsupported(name.into()));
    };
    unsupported(Video, b"\x90vvc1\x01", "vvc1");
    unsupported(Video, b"\xa1vp08\0\0\0", "vp08");
    unsupported(Video, b"\x90h\xff\0 \x01", "h?? ");
    unsupported(Video, b"\x90Opus", "Opus");
    unsupported(Audio, b"\x91avc1", "avc1");
    unsupported(Video, b"\x12\0", "Sorenson H.263");
    unsupported(Audio, b"\xb6\0", "Speex");
}

#[test]
fn cut_payloads_are_errors_with_their_offset() {
    fails(Video, b"", "video tag header", 0);
    fails(Video, b"\x17", "AVC video tag header", 1);
    fails(Video, b"\x17\x00\0\0", "AVC video tag header", 4);
    fails(Video, b"\x27\x01", "composition time", 2);
    fails(Video, b"\x91hvc1\0", "composition time", 6);
    fails(Audio, b"\xaf", "AACPacketType", 1);
    fails(Video, b"\x90hv", "FourCC", 3);
    fails(Audio, b"\x95", "multitrack type", 1);
    fails(Audio, b"\x95\x01Opus", "track id", 6);
    fails(Audio, b"\x95\x11Opus\x01\0", "size of a track", 8);
    fails(Audio, b"\x97", "ModEx size", 1);
    fails(Audio, b"\x97\xff\0", "ModEx size", 3);
    fails(Audio, b"\x97\x02\0\0", "ModEx data", 4);
    fails(Audio, b"\x97\x00\0", "ModEx type", 3);
}

#[test]
fn packet_types_that_mean_nothing_are_errors() {
    fails(Video, b"\x17\x03\0\0\0", "AVCPacketType", 1);
    fails(Audio, b"\xaf\x02", "AACPacketType", 1);
    fails(Video, b"\x98hvc1", "PacketType", 0);
    fails(Audio, b"\x93Opus", "PacketType", 0);
    fails(Audio, b"\x97\0\0\x03Opus", "PacketType", 3);
    fails(Video, b"\x96\x16hvc1", "PacketType", 1);
    fails(Audio, b"\x95\x17Opus", "PacketType", 1);
    fails(Audio, b"\x95\x31Opus", "multitrack type", 1);
}
