use bytes::Bytes;
use media::{Colour, Ratio};

use super::*;
use crate::Error;
use crate::samples::hex;

type Row = (&'static str, (u32, u32), (u32, u32), Option<(u32, u32)>, Option<(u8, u8, u8, bool)>);

/// SPS of x264 and of recorded encoders; sizes, aspects, rates and colours as ffprobe names them.
const SPS: &[Row] = &[
    // High, 1080 lines out of 1088, BT.709
    (
        "67640028acd940780227e5c05a808080a000007d20001d4c01e30632c0",
        (1920, 1080),
        (1, 1),
        Some((30000, 1001)),
        Some((1, 1, 1, false)),
    ),
    ("6742c01ed900a02ff97011000003000100000300320f162e48", (640, 360), (1, 1), Some((25, 1)), None),
    // High 10, full range without a colour description
    (
        "676e0020a6cd9405005bb016c80000030008000003032078c18cb0",
        (1280, 720),
        (1, 1),
        Some((50, 1)),
        Some((2, 2, 2, true)),
    ),
    // High 4:2:2, interlaced
    ("677a001ebcd940b424d8208000000300800000190f8a14cb", (720, 576), (16, 11), Some((25, 1)), None),
    // High 4:4:4 Predictive, extended SAR, odd crop
    (
        "67f4000d919b282a33c7c5ffe000e000a2000003000200000300601e28532c",
        (322, 182),
        (7, 5),
        Some((24, 1)),
        None,
    ),
    ("6764000dacd941519e226c3840000003004000000c03c50a6580", (322, 182), (4, 3), Some((24, 1)), None),
    // the same with scaling lists: default, flat, broken off, coded to its end
    (
        "6764000dad847fffe14138afffffffffffffffcbb282a33c44d870800000030080000018078a14cb",
        (322, 182),
        (4, 3),
        Some((24, 1)),
        None,
    ),
    // monochrome
    (
        "6764000af3650a11f89c05b20000030002000003003c1e244b2c",
        (160, 120),
        (1, 1),
        Some((15, 1)),
        Some((2, 2, 2, true)),
    ),
    // High 4:2:2 Intra
    ("677a100db6cb8283f6022000000300200000078080", (320, 240), (1, 1), Some((30, 1)), None),
    // OBS 29
    (
        "6742c01eda0280bfe5c05a808080a0000003002000000791e2c5d4",
        (640, 360),
        (1, 1),
        Some((30, 1)),
        Some((1, 1, 1, false)),
    ),
];

#[test]
fn the_picture_of_an_sps_is_what_ffprobe_says() {
    for &(sps, (width, height), sample_aspect, rate, colour) in SPS {
        let picture = picture(&hex(sps)).unwrap();
        let ratio = |(num, den)| Ratio { num, den };
        assert_eq!((picture.width, picture.height), (width, height), "{sps}");
        assert_eq!(picture.sample_aspect, ratio(sample_aspect), "{sps}");
        assert_eq!(picture.frame_rate, rate.map(ratio), "{sps}");
        let colour = colour.map(|(primaries, transfer, matrix, full_range)| Colour {
            primaries,
            transfer,
            matrix,
            full_range,
        });
        assert_eq!(picture.colour, colour, "{sps}");
    }
}

#[test]
fn an_sps_that_breaks_off_before_its_vui_is_truncated() {
    let sps = hex(SPS[0].0);
    assert_eq!(picture(&sps[..6]), Err(Error::Truncated { what: "H.264 SPS", at: 6 }));
    assert_eq!(picture(&[]), Err(Error::Invalid { what: "H.264 SPS", at: 0 }));
}

#[test]
fn an_sps_that_breaks_off_in_its_vui_keeps_its_size() {
    let sps = hex(SPS[0].0);
    let cut = picture(&sps[..sps.len() - 10]).unwrap();
    assert_eq!((cut.width, cut.height, cut.frame_rate), (1920, 1080, None));
}

#[test]
fn a_size_beyond_every_level_is_refused() {
    // Baseline, then ue fields 0 0 0 0 0, gaps 0, width 2^16 macroblocks
    let sps = [0x67, 66, 0, 30, 0b1111_1000, 0, 0b0000_1000, 0, 0, 0x80, 0x80, 0x80];
    assert!(matches!(picture(&sps), Err(Error::Invalid { .. })));
}

/// The record OBS 29 sends.
const RECORD: &str = "0142c01effe1001b6742c01eda0280bfe5c05a808080a0000003002000000791e2c5d401000468ce3c80";

#[test]
fn a_record_gives_its_sets_and_the_picture_of_the_first() {
    let record = Bytes::from(hex(RECORD));
    let h264 = config(&record).unwrap();
    assert_eq!((h264.length_size, h264.picture.width, h264.picture.height), (4, 640, 360));
    assert_eq!(h264.record, record);
    assert_ne!(h264.record.as_ptr(), record.as_ptr());
    let sets = parameter_sets(&record).unwrap();
    assert_eq!(sets.sps, [hex(&RECORD[16..70])]);
    assert_eq!(sets.pps, [hex("68ce3c80")]);
}

#[test]
fn a_record_is_refused_with_the_offset_of_the_fault() {
    let what = "AVCDecoderConfigurationRecord";
    let changed = |at: usize, to: u8| {
        let mut record = hex(RECORD);
        record[at] = to;
        config(&Bytes::from(record))
    };
    assert_eq!(changed(0, 0), Err(Error::Invalid { what, at: 0 }));
    assert_eq!(changed(4, 0xFE), Err(Error::Invalid { what, at: 4 }));
    assert_eq!(changed(5, 0xE0), Err(Error::Invalid { what, at: 5 }), "no SPS");
    assert_eq!(changed(6, 1), Err(Error::Truncated { what, at: 42 }), "an SPS of 283 bytes");
    let record = Bytes::from(hex(RECORD));
    assert_eq!(config(&record.slice(..20)), Err(Error::Truncated { what, at: 20 }));
    assert_eq!(config(&Bytes::new()), Err(Error::Truncated { what, at: 0 }));
}

#[test]
fn units_come_without_their_length_and_share_memory() {
    let data = Bytes::from_static(&[0, 2, 0x09, 0xF0, 0, 0, 0, 3, 0x65, 1, 2]);
    let units: Vec<_> = nals(&data, 2).map(Result::unwrap).collect();
    assert_eq!(units, [&[0x09, 0xF0][..], &[0x65, 1, 2]]);
    assert_eq!(units[1].as_ptr(), data[8..].as_ptr());
    assert!(is_idr(&data, 2));
    assert_eq!(nal_type(&units[1]), Some(5));
}

#[test]
fn a_unit_beyond_the_end_is_the_last_item() {
    let data = Bytes::from_static(&[1, 0x65, 9, 0x65]);
    let mut units = nals(&data, 1);
    assert_eq!(units.next().unwrap().unwrap(), &[0x65][..]);
    assert_eq!(units.next(), Some(Err(Error::Truncated { what: "access unit", at: 4 })));
    assert_eq!(units.next(), None);
    assert!(!is_idr(&data, 1));
    let length_only = Bytes::from_static(&[0, 0, 0]);
    assert!(nals(&length_only, 4).next().unwrap().is_err());
}

#[test]
fn a_length_of_no_bytes_is_an_error_not_an_endless_loop() {
    let data = Bytes::from_static(&[0; 4]);
    assert_eq!(nals(&data, 0).collect::<Vec<_>>().len(), 1);
    assert_eq!(nals(&data, 1).count(), 0);
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..20_000 {
        let mut bytes: Vec<u8> = match round % 3 {
            0 => (0..random() % 64).map(|_| (random() >> 11) as u8 & (random() >> 23) as u8).collect(),
            1 => hex(SPS[round / 3 % SPS.len()].0),
            _ => hex(RECORD),
        };
        for _ in 0..random() % 4 {
            if let Some(byte) = bytes.get_mut((random() % 40) as usize) {
                *byte = random() as u8;
            }
        }
        let _ = picture(&bytes);
        let bytes = Bytes::from(bytes);
        let _ = config(&bytes);
        assert!(nals(&bytes, (random() % 6) as u8).count() <= bytes.len());
    }
}

/// An access unit of these NAL units.
fn unit(nals: &[&str]) -> Bytes {
    let nals = nals.iter().map(|nal| hex(nal));
    nals.flat_map(|nal| [vec![0, 0, 0, nal.len() as u8], nal].concat()).collect()
}

/// Slices: two of an I picture, of a P picture, of an IDR picture.
const I_SLICE: &str = "4188";
const OTHER_I_SLICE: &str = "41032880";
const P_SLICE: &str = "419a24";
const IDR_SLICE: &str = "658884";
/// Recovery points after 0 frames, as x264 writes it at the head of an open GOP, and after 20.
const OPEN: &str = "060601c480";
const REFRESH: &str = "0606020ac480";

#[test]
fn a_recovery_point_says_when_pictures_are_right() {
    let stated = |nals: &[&str]| recovery(&unit(nals), 4, false);
    assert_eq!(stated(&[OPEN, I_SLICE]), Some(0));
    assert_eq!(stated(&["09f0", OPEN, I_SLICE, I_SLICE]), Some(0));
    assert_eq!(stated(&[REFRESH, P_SLICE]), Some(20));
    assert_eq!(stated(&["06010200000601c480", I_SLICE]), Some(0), "behind other messages");
    assert_eq!(stated(&[IDR_SLICE]), None);
    assert_eq!(stated(&[OPEN, IDR_SLICE]), None, "a key frame is more than that");
    assert_eq!(stated(&[P_SLICE]), None);
    assert_eq!(stated(&[P_SLICE, OPEN]), None, "the message comes before its picture");
    assert_eq!(stated(&["06010200", P_SLICE]), None);
    assert_eq!(stated(&[I_SLICE]), None, "an I picture in the middle of a GOP");
}

#[test]
fn a_picture_of_i_slices_that_its_sender_calls_a_key_frame_is_a_recovery_point() {
    let flagged = |nals: &[&str]| recovery(&unit(nals), 4, true);
    assert_eq!(flagged(&[I_SLICE]), Some(0));
    assert_eq!(flagged(&[I_SLICE, OTHER_I_SLICE]), Some(0));
    assert_eq!(flagged(&[I_SLICE, P_SLICE]), None);
    assert_eq!(flagged(&[P_SLICE]), None);
    assert_eq!(flagged(&[REFRESH, P_SLICE]), Some(20));
    assert_eq!(flagged(&[IDR_SLICE]), None);
    assert_eq!(flagged(&["6742", "68ce"]), None, "no picture at all");
}

#[test]
fn broken_units_are_no_recovery_points() {
    let whole = unit(&[OPEN, I_SLICE]);
    for cut in 0..whole.len() {
        assert_eq!(recovery(&whole.slice(..cut), 4, true), None, "{cut}");
    }
    assert_eq!(recovery(&[&whole[..], &[0, 0, 0, 9, 1]].concat().into(), 4, true), None);
    let seeds = [whole.to_vec(), unit(&[REFRESH, P_SLICE]).to_vec()];
    crate::samples::mutate(&seeds, |bytes| {
        let _ = recovery(&Bytes::copy_from_slice(bytes), 4, bytes.len() % 2 == 0);
    });
}
