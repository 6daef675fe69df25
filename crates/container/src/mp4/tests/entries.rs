//! Sample entries, read back with another implementation; their configuration boxes byte for byte.

use media::{Ac3, Av1, ContentLight, Flac, H265, MasteringDisplay, Mp3, Opus, Vp9};
use mp4_atom::Codec as Entry;

use super::*;

/// A track as the session makes it.
pub(super) fn track(codec: Codec) -> Track {
    let id = TrackId { kind: codec.kind(), index: 0 };
    Track { id, timescale: codec.timescale().unwrap(), codec }
}

/// What ffmpeg 9 with x265 sends in FLV: 320x180 Main at 30 fps, all arrays marked incomplete.
const HVCC: &[u8] = b"\x01\x01\x60\x00\x00\x00\x90\x00\x00\x00\x00\x00\x3c\xf0\x00\xfc\xfd\xf8\xf8\x00\x00\x0f\x03\
    \x20\x00\x01\x00\x18\x40\x01\x0c\x01\xff\xff\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x3c\x95\x94\x09\
    \x21\x00\x01\x00\x2b\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x3c\xa0\x0a\x08\x0b\x9f\x79\
    \x65\x65\x92\x4c\xaf\x01\x68\x08\x00\x00\x03\x00\x08\x00\x00\x03\x00\xf0\x40\
    \x22\x00\x01\x00\x07\x44\x01\xc1\x72\xb4\x62\x40";
pub(super) const VPS: &[u8] =
    b"\x40\x01\x0c\x01\xff\xff\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x3c\x95\x94\x09";
pub(super) const PPS: &[u8] = b"\x44\x01\xc1\x72\xb4\x62\x40";

pub(super) fn h265() -> Track {
    let (record, picture) = (Bytes::from_static(HVCC), Picture::of_size(320, 180));
    track(Codec::H265(H265 { record, length_size: 4, picture }))
}

pub(super) fn av1(record: &'static [u8]) -> Track {
    let (record, picture) = (Bytes::from_static(record), Picture::of_size(320, 180));
    track(Codec::Av1(Av1 { record, picture }))
}

fn mp3(sample_rate: u32, channels: u8) -> Track {
    track(Codec::Mp3(Mp3 { sample_rate, channels, frame_samples: 1152 }))
}

fn flac(sample_rate: u32, bits_per_sample: u8) -> Track {
    let stream_info = Bytes::from_static(b"0123456789abcdefghijklmnopqrstuvwx");
    track(Codec::Flac(Flac { stream_info, sample_rate, channels: 2, bits_per_sample }))
}

fn ac3(enhanced: bool, record: &'static [u8]) -> Track {
    track(Codec::Ac3(Ac3 { enhanced, record: Bytes::from_static(record), sample_rate: 48_000, channels: 6 }))
}

fn opus() -> Track {
    let head = Bytes::from_static(b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00");
    track(Codec::Opus(Opus { head, channels: 2, pre_skip: 312 }))
}

fn entry(track: &Track) -> Entry {
    decoded(&init(track).unwrap()).1.trak[0].mdia.minf.stbl.stsd.codecs[0].clone()
}

/// Payload of the box of `kind`, of which there is one.
fn payload(track: &Track, kind: &[u8; 4]) -> Vec<u8> {
    let init = init(track).unwrap();
    let at = init.windows(4).position(|window| window == kind).unwrap();
    let size = u32::from_be_bytes(init[at - 4..at].try_into().unwrap()) as usize;
    init[at + 4..at - 4 + size].to_vec()
}

#[test]
fn h265_parameter_sets_are_complete_in_the_entry() {
    let mut complete = HVCC.to_vec();
    for at in [23, 23 + 29, 23 + 29 + 48] {
        complete[at] |= 0x80;
    }
    assert_eq!(payload(&h265(), b"hvcC"), complete);
    let Entry::Hvc1(hvc1) = entry(&h265()) else { panic!("no hvc1") };
    assert_eq!((hvc1.visual.width, hvc1.visual.height), (320, 180));
    assert!(hvc1.hvcc.arrays.iter().all(|array| array.completeness));
    assert_eq!(hvc1.hvcc.arrays[2].nalus, [PPS]);
}

#[test]
fn h265_arrays_other_than_parameter_sets_and_a_cut_record_stay_as_they_are() {
    let with = |arrays: &[u8]| {
        let record = [&HVCC[..22], arrays].concat();
        let mut track = h265();
        let Codec::H265(h265) = &mut track.codec else { panic!("no H.265") };
        h265.record = record.clone().into();
        (payload(&track, b"hvcC"), record)
    };
    let (written, record) = with(&[2, 0x27, 0, 1, 0, 2, 0x4E, 1, 0x22, 0, 1, 0, 2, 0x44, 1]);
    assert_eq!((written[23], written[30]), (0x27, 0xA2));
    assert_eq!((&written[..30], &written[31..]), (&record[..30], &record[31..]));
    for cut in [&[][..], &[9], &[1, 0x20, 0], &[2, 0xA0, 0xFF, 0xFF, 0, 9, 1]] {
        let (written, record) = with(cut);
        assert_eq!(written, record);
    }
}

#[test]
fn av1_and_vp9_records_go_in_byte_for_byte() {
    let track = av1(b"\x81\x08\x0C\x00");
    assert_eq!(payload(&track, b"av1C"), *b"\x81\x08\x0C\x00");
    let Entry::Av01(av01) = entry(&track) else { panic!("no av01") };
    assert_eq!((av01.visual.width, av01.visual.height, av01.av1c.seq_level_idx_0), (320, 180, 8));

    let record = b"\x01\0\0\0\x00\x29\x82\x01\x01\x01\0\0";
    let picture = Picture::of_size(1920, 1080);
    let track = self::track(Codec::Vp9(Vp9 { record: Bytes::from_static(record), picture }));
    assert_eq!(payload(&track, b"vpcC"), record);
    let Entry::Vp09(vp09) = entry(&track) else { panic!("no vp09") };
    assert_eq!((vp09.visual.width, vp09.vpcc.level, vp09.vpcc.bit_depth), (1920, 41, 8));
}

#[test]
fn an_av1_file_lists_the_brand_av01() {
    let (ftyp, _) = decoded(&init(&av1(b"\x81\x08\x0C\x00")).unwrap());
    let brands: Vec<_> = ftyp.compatible_brands.iter().map(ToString::to_string).collect();
    assert_eq!(brands, ["iso6", "cmfc", "cmf2", "av01"]);
}

#[test]
fn an_entry_states_the_display_it_was_mastered_on() {
    let mut track = h265();
    let picture = track.codec.picture_mut().unwrap();
    picture.mastering = Some(MasteringDisplay {
        primaries: [(8_500, 39_850), (6_550, 2_300), (35_400, 14_600)],
        white_point: (15_635, 16_450),
        max_luminance: 10_000_000,
        min_luminance: 1,
    });
    picture.light = Some(ContentLight { max_content: 1_000, max_frame_average: 400 });
    picture.colour = Some(Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false });
    let mdcv =
        b"\x21\x34\x9b\xaa\x19\x96\x08\xfc\x8a\x48\x39\x08\x3d\x13\x40\x42\x00\x98\x96\x80\x00\x00\x00\x01";
    assert_eq!(payload(&track, b"mdcv"), mdcv);
    assert_eq!(payload(&track, b"clli"), b"\x03\xe8\x01\x90");
    assert_eq!(payload(&track, b"colr"), b"nclx\0\x09\0\x10\0\x09\0");
    let silent = init(&h265()).unwrap();
    for kind in [b"mdcv", b"clli", b"colr"] {
        assert!(!silent.windows(4).any(|window| window == kind));
    }
}

#[test]
fn mp3_is_an_object_type_without_a_configuration() {
    for (rate, object_type) in [(48_000, 0x6B), (32_000, 0x6B), (24_000, 0x69), (11_025, 0x69)] {
        let track = mp3(rate, 1);
        let Entry::Mp4a(mp4a) = entry(&track) else { panic!("no mp4a") };
        assert_eq!((mp4a.audio.channel_count, u32::from(mp4a.audio.sample_rate.integer())), (1, rate));
        let config = &mp4a.esds.es_desc.dec_config;
        assert_eq!((config.object_type_indication, config.stream_type), (object_type, 5));
        assert_eq!(config.dec_specific, None);
    }
}

#[test]
fn opus_says_48_khz_whatever_came_in() {
    let track = opus();
    assert_eq!(payload(&track, b"dOps"), [0, 2, 1, 0x38, 0, 0, 0xBB, 0x80, 0, 0, 0]);
    let Entry::Opus(opus) = entry(&track) else { panic!("no Opus") };
    assert_eq!((opus.audio.channel_count, opus.audio.sample_rate.integer()), (2, 48_000));
    assert_eq!((opus.dops.pre_skip, opus.dops.input_sample_rate), (312, 48_000));
}

#[test]
fn flac_has_its_stream_info_and_a_rate_that_fits() {
    let expect = [&[0, 0, 0, 0, 0x80, 0, 0, 0x22], &b"0123456789abcdefghijklmnopqrstuvwx"[..]].concat();
    for (rate, said) in
        [(48_000, 48_000), (65_535, 65_535), (96_000, 48_000), (176_400, 44_100), (192_000, 48_000)]
    {
        let track = flac(rate, 24);
        assert_eq!(payload(&track, b"dfLa"), expect);
        let (_, moov) = decoded(&init(&track).unwrap());
        let Entry::Flac(flac) = &moov.trak[0].mdia.minf.stbl.stsd.codecs[0] else { panic!("no fLaC") };
        assert_eq!((flac.audio.sample_size, flac.audio.sample_rate.integer()), (24, said));
        assert_eq!(moov.trak[0].mdia.mdhd.timescale, rate, "the timescale is the rate");
    }
}

#[test]
fn dolby_records_go_in_byte_for_byte() {
    let track = ac3(false, b"\x10\x3D\xE0");
    assert_eq!(payload(&track, b"dac3"), *b"\x10\x3D\xE0");
    let Entry::Ac3(entry_of) = entry(&track) else { panic!("no ac-3") };
    assert_eq!((entry_of.audio.channel_count, entry_of.audio.sample_rate.integer()), (6, 48_000));
    let track = ac3(true, b"\x06\x00\x20\x0F\x00");
    assert_eq!(payload(&track, b"dec3"), *b"\x06\x00\x20\x0F\x00");
    let Entry::Eac3(entry_of) = entry(&track) else { panic!("no ec-3") };
    assert_eq!((entry_of.audio.channel_count, entry_of.audio.sample_rate.integer()), (6, 48_000));
}
