use bytes::Bytes;
use media::{Colour, Ratio};

use super::*;
use crate::samples::{hex, mutate};

/// Sequence headers of encoders; sizes and colours as ffprobe names them.
type Row = (&'static str, (u32, u32), Option<(u32, u32)>, Option<(u8, u8, u8, bool)>);
const SEQUENCES: &[Row] = &[
    // libaom: the capture ffmpeg9-av1-opus has the same but for the speed
    ("000000043cfeccdaf90040", (320, 180), None, None),
    // SVT-AV1: 10 bit, BT.2020 matrix
    ("0200000d26281b4805f0a040412080", (642, 362), None, Some((2, 2, 9, false))),
    // libaom: 4:4:4, full range
    ("200000043cffbcdaf920404032", (320, 240), None, Some((2, 2, 1, true))),
    // rav1e: 4:2:2, 10 bit
    ("400000fa1e836a210aa408080940", (322, 182), None, None),
    // libaom: monochrome, full range
    ("000000043cffbcdaf92a", (320, 240), None, Some((2, 2, 2, true))),
    // libaom: sRGB
    ("200000043cffbcdaf92021a004", (320, 240), None, Some((1, 13, 0, true))),
    // libaom: reduced still picture
    ("1821e7fded0040", (320, 240), None, None),
    // libaom: no order hint
    ("000000043cffbcd9a008", (320, 240), None, None),
    // everything at once: timing, decoder model, three operating points, display delays, frame ids, forced tools,
    // HDR; FFmpeg reads it the same
    (
        "0400000fa4000753024a400057e42878840dabe92c020274c0011be92c2753dff1f9affd77a122012980",
        (1920, 800),
        Some((30_000, 1_001)),
        Some((9, 16, 9, false)),
    ),
];

/// av1C of the capture ffmpeg9-av1-opus.
const RECORD: &str = "81000c000a0b0200000521e7f66017c002";
/// Temporal units of it, of each frame the first two bytes: key frame, delta frame, shown existing frame.
const KEY: &str = "12000a0b0200000521e7f66257c80232021008";
const DELTA: &str = "1200 32022810";
const EXISTING: &str = "12001a01e8";

fn unit(text: &str) -> Bytes {
    Bytes::from(hex(&text.replace(' ', "")))
}

/// An OBU with its size.
fn obu(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind << 3 | 2, payload.len() as u8], payload].concat()
}

fn record_of(sequence: &str) -> Bytes {
    [&hex("81000c00")[..], &obu(OBU_SEQUENCE_HEADER, &hex(sequence))].concat().into()
}

fn colour((primaries, transfer, matrix, full_range): (u8, u8, u8, bool)) -> Colour {
    Colour { primaries, transfer, matrix, full_range }
}

#[test]
fn the_picture_of_a_sequence_header_is_what_ffprobe_says() {
    for &(sequence, (width, height), rate, wanted) in SEQUENCES {
        let picture = config(&record_of(sequence)).unwrap().picture;
        assert_eq!((picture.width, picture.height), (width, height), "{sequence}");
        assert_eq!(picture.frame_rate, rate.map(|(num, den)| Ratio { num, den }), "{sequence}");
        assert_eq!(picture.colour, wanted.map(colour), "{sequence}");
    }
}

#[test]
fn the_record_of_a_capture_is_kept_and_its_obus_found() {
    let record = unit(RECORD);
    let av1 = config(&record).unwrap();
    assert_eq!((av1.picture.width, av1.picture.height), (320, 180));
    assert_eq!(av1.record, record);
    assert_ne!(av1.record.as_ptr(), record.as_ptr());
    assert_eq!(config_obus(&record), record.slice(4..));
}

#[test]
fn a_record_without_obus_waits_for_a_key_unit() {
    let av1 = config(&unit("815f4800")).unwrap();
    assert_eq!((av1.picture.width, av1.picture.height), (0, 0));
    assert_eq!(with_picture(&av1, &unit(DELTA)), Ok(None));
    let seen = with_picture(&av1, &unit(KEY)).unwrap().unwrap();
    assert_eq!((seen.picture.width, seen.picture.height, &seen.record), (320, 180, &av1.record));
    assert_eq!(with_picture(&seen, &unit(KEY)), Ok(None), "the same again is nothing new");
    assert!(config_obus(&av1.record).is_empty());
}

#[test]
fn another_size_is_another_picture_and_the_colour_that_is_known_stays() {
    let mut av1 = config(&unit(RECORD)).unwrap();
    assert_eq!(with_picture(&av1, &unit(KEY)), Ok(None));
    av1.picture.colour = Some(colour((9, 16, 9, false)));
    let hdr = av1.picture.colour;
    let key = [obu(OBU_SEQUENCE_HEADER, &hex(SEQUENCES[2].0)), obu(OBU_FRAME, &[0x10, 0])].concat();
    let seen = with_picture(&av1, &key.into()).unwrap().unwrap();
    assert_eq!((seen.picture.width, seen.picture.height, seen.picture.colour), (320, 240, hdr));
}

#[test]
fn a_record_that_is_none_is_refused() {
    let what = "AV1CodecConfigurationRecord";
    assert_eq!(config(&unit("81000c")), Err(Error::Truncated { what, at: 3 }));
    assert_eq!(config(&unit("01000c00")), Err(Error::Invalid { what, at: 0 }));
    assert_eq!(config(&unit("82000c00")), Err(Error::Invalid { what, at: 0 }));
    assert!(config(&unit("81000c000a0b0200000521")).is_err(), "an OBU that breaks off");
    let what = "AV1 sequence header";
    assert!(matches!(config(&record_of("0000000fff")), Err(Error::Truncated { what: w, .. }) if w == what));
    // 16 bits a side, 65,536 samples
    assert!(
        matches!(config(&record_of("00000007ffffffffffe0")), Err(Error::Invalid { what: w, .. }) if w == what)
    );
}

#[test]
fn only_a_shown_key_frame_is_a_place_to_start() {
    assert!(is_key(&unit(KEY)));
    assert!(!is_key(&unit(DELTA)));
    assert!(!is_key(&unit(EXISTING)));
    let frame = |byte: u8| is_key(&obu(OBU_FRAME_HEADER, &[byte, 0]).into());
    assert!(frame(0x10), "a key frame, shown");
    assert!(!frame(0x00), "a key frame, hidden");
    assert!(!frame(0x50), "an intra-only frame");
    assert!(!frame(0x90), "an existing frame");
    let layers = [obu(OBU_FRAME, &[0x28]), obu(OBU_FRAME, &[0x10])].concat();
    assert!(!is_key(&layers.into()), "the first frame decides");
    assert!(!is_key(&unit("1200")), "nothing but a delimiter");
}

#[test]
fn every_frame_of_a_reduced_still_picture_is_a_key_frame() {
    let still = |sequence: &str| {
        let unit = [obu(OBU_SEQUENCE_HEADER, &hex(sequence)), obu(OBU_FRAME, &[0xFF])].concat();
        is_key(&unit.into())
    };
    assert!(still(SEQUENCES[6].0));
    assert!(!still(SEQUENCES[0].0));
}

#[test]
fn broken_framing_is_no_place_to_start() {
    let key = hex(KEY);
    for cut in 3..key.len() {
        assert!(!is_key(&Bytes::copy_from_slice(&key[..cut])), "{cut}");
    }
    assert!(!is_key(&[&key[..], &[0x80]].concat().into()), "the forbidden bit");
}

#[test]
fn sequence_headers_are_seen() {
    assert!(has_sequence_header(&unit(KEY)));
    assert!(!has_sequence_header(&unit(DELTA)));
    assert!(!has_sequence_header(&Bytes::new()));
}

#[test]
fn a_unit_loses_its_delimiters_and_no_byte_is_copied() {
    let unit = unit(KEY);
    let rest = without_delimiters(&unit);
    assert_eq!(rest, unit.slice(2..));
    assert_eq!(rest.as_ptr(), unit[2..].as_ptr());
    assert_eq!(without_delimiters(&rest), rest);
    let twice = [&hex("12001200")[..], &rest].concat();
    assert_eq!(without_delimiters(&twice.into()), rest);
    let broken = Bytes::from_static(&[0x32, 9, 0]);
    assert_eq!(without_delimiters(&broken), broken);
}

#[test]
fn obus_have_sizes_extensions_or_neither() {
    let data = unit("0e08 828000 1000 3401");
    // an extension and a size of 2 in three bytes; an extension alone
    let obus: Vec<Obu> = obus(&data).map(Result::unwrap).collect();
    assert_eq!(obus.len(), 2);
    assert_eq!((obus[0].kind, &obus[0].bytes[..], &obus[0].payload[..]), (1, &data[..7], &data[5..7]));
    assert_eq!((obus[1].kind, &obus[1].payload[..]), (6, &[][..]));
}

#[test]
fn an_obu_without_size_reaches_to_the_end() {
    let data = unit("1200 30 1008");
    let last = obus(&data).last().unwrap().unwrap();
    assert_eq!((last.kind, &last.payload[..]), (OBU_FRAME, &[0x10, 8][..]));
    assert!(is_key(&data));
}

#[test]
fn the_first_fault_among_obus_is_the_last_item() {
    let items: Vec<_> = obus(&unit("1200 3205 1008")).collect();
    assert_eq!(items.len(), 2);
    assert_eq!(items[1], Err(Error::Truncated { what: "AV1 OBU", at: 6 }));
    let endless: Vec<_> = obus(&unit("32 8080808080808080 00")).collect();
    assert_eq!(endless, [Err(Error::Invalid { what: "AV1 OBU", at: 1 })]);
    let large: Vec<_> = obus(&unit("32 ffffffff1f")).collect();
    assert_eq!(large, [Err(Error::Invalid { what: "AV1 OBU", at: 1 })], "2^33 - 1");
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seeds: Vec<Vec<u8>> = SEQUENCES.iter().map(|row| record_of(row.0).to_vec()).collect();
    seeds.extend([KEY, RECORD, EXISTING].map(hex));
    let av1 = config(&unit("815f4800")).unwrap();
    mutate(&seeds, |bytes| {
        let bytes = Bytes::copy_from_slice(bytes);
        assert!(obus(&bytes).count() <= bytes.len());
        assert!(bytes.ends_with(&without_delimiters(&bytes)));
        let _ = (config(&bytes), with_picture(&av1, &bytes), has_sequence_header(&bytes));
        assert!(!(is_key(&bytes) && obus(&bytes).any(|obu| obu.is_err())));
    });
}
