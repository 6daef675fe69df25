use bytes::Bytes;
use media::{Ac3, Flac, H264, H265, Mp3, Opus, Picture, Vp9};

use super::*;
use crate::samples::hex;

fn bytes(text: &str) -> Bytes {
    Bytes::from(hex(&text.replace([' ', '|'], "")))
}

#[track_caller]
fn aac(asc: &str, string: &str) {
    assert_eq!(rfc6381(&Codec::Aac(crate::aac::config(&bytes(asc)).unwrap())), string);
}

#[track_caller]
fn h265(record: &str, string: &str) {
    let codec = H265 { record: bytes(record), length_size: 4, picture: Picture::of_size(16, 16) };
    assert_eq!(rfc6381(&Codec::H265(codec)), string);
}

#[track_caller]
fn av1(record: &str, colour: Option<(u8, u8, u8, bool)>, string: &str) {
    let mut picture = Picture::of_size(16, 16);
    picture.colour = colour.map(|(primaries, transfer, matrix, full_range)| Colour {
        primaries,
        transfer,
        matrix,
        full_range,
    });
    assert_eq!(rfc6381(&Codec::Av1(Av1 { record: bytes(record), picture })), string);
}

#[track_caller]
fn vp9(record: &str, string: &str) {
    assert_eq!(rfc6381(&Codec::Vp9(crate::vp9::config(&bytes(record)).unwrap())), string);
}

#[test]
fn h264_is_named_by_bytes_1_to_3_of_its_record() {
    let picture = Picture::of_size(16, 16);
    let record = Bytes::from_static(&[1, 0x64, 0, 0x1F, 0xFF, 0xE1]);
    assert_eq!(rfc6381(&Codec::H264(H264 { record, length_size: 4, picture })), "avc1.64001f");
}

#[test]
fn h265_is_named_by_its_profile_reversed_flags_tier_level_and_constraints() {
    h265("01 | 01 | 60 00 00 00 | B0 00 00 00 00 00 | 78", "hvc1.1.6.L120.B0");
    h265("01 | 02 | 20 00 00 00 | B0 00 00 00 00 00 | 99", "hvc1.2.4.L153.B0");
    h265("01 | 01 | 60 00 00 00 | 90 00 00 00 00 00 | 3c", "hvc1.1.6.L60.90");
    h265("01 | 04 | 08 00 00 00 | 98 08 00 00 00 00 | 3f", "hvc1.4.10.L63.98.8");
    h265("01 | E1 | 60 00 00 00 | 90 00 00 00 00 01 | 99", "hvc1.C1.6.H153.90.0.0.0.0.1");
    h265("01 | 41 | 00 00 00 01 | 00 00 00 00 00 00 | 1e", "hvc1.A1.80000000.L30");
}

#[test]
fn av1_is_named_by_its_record_and_unusual_colours() {
    av1("81 08 0C 00", None, "av01.0.08M.08");
    av1("81 08 0C 00", Some((1, 1, 1, false)), "av01.0.08M.08");
    av1("81 08 0C 00", Some((1, 1, 1, true)), "av01.0.08M.08.0.110.01.01.01.1");
    av1("81 04 4C 00", Some((9, 16, 9, false)), "av01.0.04M.10.0.110.09.16.09.0");
    av1("81 04 4E 00", Some((9, 16, 9, false)), "av01.0.04M.10.0.112.09.16.09.0");
    av1("81 4D E8 00", None, "av01.2.13H.12.0.100.02.02.02.0");
    av1("81 00 1C 00", None, "av01.0.00M.08.1.110.02.02.02.0");
    av1("81 20 00 00", Some((1, 13, 0, true)), "av01.1.00M.08.0.000.01.13.00.1");
}

#[test]
fn vp9_is_named_by_its_record() {
    vp9("00 29 82 01 01 01 00 00", "vp09.00.41.08");
    vp9("01 00 00 00 00 0b 82 02 02 02 00 00", "vp09.00.11.08");
    vp9("01 00 00 00 02 33 a2 09 10 09 00 00", "vp09.02.51.10.01.09.16.09.00");
    vp9("01 00 00 00 01 14 87 02 02 01 00 00", "vp09.01.20.08.03.02.02.01.01");
}

#[test]
fn aac_is_named_by_the_extension_that_is_signalled() {
    aac("11 90", "mp4a.40.2");
    aac("13 90 56 E5 A0", "mp4a.40.5");
    aac("13 88 56 E5 A5 48 80", "mp4a.40.29");
}

#[test]
fn other_sound_is_named_by_its_sample_entry() {
    let mp3 = |sample_rate| Codec::Mp3(Mp3 { sample_rate, channels: 2, frame_samples: 1_152 });
    assert_eq!(rfc6381(&mp3(32_000)), "mp4a.6b");
    assert_eq!(rfc6381(&mp3(24_000)), "mp4a.69");
    let opus = Opus { head: Bytes::new(), channels: 2, pre_skip: 0 };
    assert_eq!(rfc6381(&Codec::Opus(opus)), "Opus");
    let stream_info = Bytes::new();
    let flac = Flac { stream_info, sample_rate: 48_000, channels: 2, bits_per_sample: 16 };
    assert_eq!(rfc6381(&Codec::Flac(flac)), "fLaC");
    let ac3 = |enhanced| Codec::Ac3(Ac3 { enhanced, record: Bytes::new(), sample_rate: 48_000, channels: 2 });
    assert_eq!([ac3(false), ac3(true)].map(|codec| rfc6381(&codec)), ["ac-3", "ec-3"]);
}

#[test]
fn a_record_that_is_too_short_gives_the_name_of_its_sample_entry() {
    let picture = Picture::of_size(16, 16);
    let record = Bytes::from_static(&[1, 2, 3]);
    let short = [
        Codec::H264(H264 { record: record.slice(..2), length_size: 4, picture }),
        Codec::H265(H265 { record: record.clone(), length_size: 4, picture }),
        Codec::Av1(Av1 { record: record.slice(..2), picture }),
        Codec::Vp9(Vp9 { record, picture }),
    ];
    assert_eq!(short.map(|codec| rfc6381(&codec)), ["avc1", "hvc1", "av01", "vp09"]);
}
