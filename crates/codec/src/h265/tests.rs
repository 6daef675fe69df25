use bytes::Bytes;
use media::{Colour, Ratio};

use super::*;
use crate::Error;
use crate::samples::{hex, mutate};

type Row = (&'static str, (u32, u32), (u32, u32), Option<(u32, u32)>, Option<(u8, u8, u8, bool)>);

/// SPS; sizes, aspects, rates and colours as ffprobe names them.
#[rustfmt::skip]
const SPS: &[Row] = &[
    // x265: Main
    (
        "42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003c10",
        (320, 180), (1, 1), Some((30, 1)), None,
    ),
    // x265: Main 10, HDR10
    (
        "420101022000000300900000030000030078a003c08011075336595952930bc05a84880482000007d20000bb8010",
        (1918, 1078), (1, 1), Some((24_000, 1_001)), Some((9, 16, 9, false)),
    ),
    // x265: 4:2:2 10 bit, default scaling lists
    (
        "4201010408000003009d0800000300003fb005220171c44ed965654a4e178234040000030004000003006420",
        (642, 362), (16, 11), Some((25, 1)), None,
    ),
    // x265: 4:4:4 12 bit, full range, three temporal layers, extended SAR
    (
        "420104040800000300980800000300003f000090014901f3bb294b2b29594acb24995ffe000e000ad81000003e90000e\
         a60080",
        (326, 246), (7, 5), Some((60_000, 1_001)), Some((2, 2, 2, true)),
    ),
    // x265: monochrome, overscan, chroma location, default display window
    (
        "4201010408000003009fc800000300001ec05081e596566924caf01e6b62db70000003001000000300f080",
        (160, 120), (1, 1), Some((15, 1)), Some((2, 2, 2, true)),
    ),
    // Kvazaar: temporal sub-layers, a GOP of 8
    (
        "4201020160000003008000000300000300ba0000a00a080f16820464932ac04040000003004000000782",
        (320, 240), (1, 1), Some((30, 1)), None,
    ),
    // x265: interlaced, HRD parameters
    (
        "420101016000000300400000030000030099a00a080f165959a4932bc05a1a0000030002000003003cc2492cdc0061a8\
         00c351",
        (320, 240), (1, 1), Some((30, 1)), None,
    ),
    // Kvazaar: lossless, BT.709, full range
    (
        "4201020160000003008000000300000300ba0000a00a080f16c100864938561cac04040410000003001000000301e080",
        (320, 240), (4, 3), Some((30, 1)), Some((1, 1, 1, true)),
    ),
    // everything at once: 7 sub-layers with profiles and levels of their own, scaling lists coded, copied and
    // predicted, PCM, predicted reference picture sets, long-term pictures; FFmpeg reads it the same
    (
        "42010d04080000030090000003000003005a76703c04080000030090000003000003003d3e0408000003009000000300\
         000300400408000003009000000300000300419000509005b3219086c6cae572b95cae572bc9225d3216990b4c85a269\
         90b4c85a642d53216990b4c85aa642d3216990b54c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c852\
         6990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a6\
         42d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642c20990b4c85a642d3216990b4c\
         85a642d3216990b4c85a642d3216990a4c20990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b08264\
         2d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642c20990b4c85a642d3216990b4c85a642d3216990b4c8\
         5a642d3216990b082642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642c20990b4c85a642d3216990b4\
         c85a642d3216990b4c85a642d3216990bddee56b527d34ebeb0004ffffbffc00140012d42448242990b000003e90001d\
         4c0c40",
        (1280, 720), (5, 4), Some((120_000, 1_001)), Some((9, 18, 9, false)),
    ),
];

/// A VPS whose sub-layers have profiles and levels of their own, of 24,000 / 1,001 frames a second.
const VPS: &str = "40010c0dffff01600000030090000003000003005ad55001600000030090000003000003001e1f2021222315c3627000\
    003e900005dc05";

/// The record of the capture ffmpeg9-hevc-aac, without its SEI.
const RECORD: &str = "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff0160000003009000000300000300\
    3c959809a10001002b42010101600000030090000003000003003ca00a080b9f796566924caf01680800000300080000\
    0300f040a2000100074401c172b46240";

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
fn an_sps_that_breaks_off_before_its_size_is_truncated() {
    let sps = hex(SPS[0].0);
    assert_eq!(picture(&sps[..20]), Err(Error::Truncated { what: "H.265 SPS", at: 20 }));
    assert_eq!(picture(&[]), Err(Error::Invalid { what: "H.265 SPS", at: 0 }));
    assert_eq!(picture(&hex(VPS)), Err(Error::Invalid { what: "H.265 SPS", at: 0 }));
}

#[test]
fn an_sps_that_breaks_off_behind_its_size_keeps_it() {
    let sps = hex(SPS[1].0);
    let cut = picture(&sps[..sps.len() - 8]).unwrap();
    assert_eq!((cut.width, cut.height, cut.frame_rate), (1918, 1078, None));
    assert!(cut.colour.is_some(), "which stands before the rate");
}

#[test]
fn a_size_beyond_every_level_and_an_eighth_sub_layer_are_refused() {
    let what = "H.265 SPS";
    // one sub-layer, id 0, 4:2:0, a width, 160, no conformance window
    let of_width = |bits: &str| {
        let sps = format!("42010101600000009000000000003c{bits}");
        picture(&hex(&sps)).map(|picture| (picture.width, picture.height))
    };
    assert_eq!(of_width("a00020fc80a140"), Ok((16_888, 160)));
    assert!(matches!(of_width("a00020fd00a140"), Err(Error::Invalid { .. })), "16,889");
    assert!(matches!(of_width("a80a14"), Err(Error::Invalid { .. })), "0");
    assert_eq!(picture(&hex("42010f0160000000")), Err(Error::Invalid { what, at: 2 }));
}

#[test]
fn a_video_parameter_set_tells_the_rate() {
    assert_eq!(vps::frame_rate(&hex(VPS)), Ok(Some(Ratio { num: 24_000, den: 1_001 })));
    let silent = hex("40010c01ffff01600000030090000003000003003c959409");
    assert_eq!(vps::frame_rate(&silent), Ok(None));
    assert!(vps::frame_rate(&hex(SPS[0].0)).is_err());
}

#[test]
fn a_record_gives_its_sets_and_the_picture_of_the_first() {
    let record = Bytes::from(hex(RECORD));
    let h265 = config(&record).unwrap();
    assert_eq!((h265.length_size, h265.picture.width, h265.picture.height), (4, 320, 180));
    assert_eq!(h265.picture.frame_rate, Some(Ratio { num: 30, den: 1 }));
    assert_eq!(h265.record, record);
    assert_ne!(h265.record.as_ptr(), record.as_ptr());
    let sets = parameter_sets(&record).unwrap();
    assert_eq!(sets.vps, [hex("40010c01ffff01600000030090000003000003003c959809")]);
    assert_eq!((sets.sps.len(), sets.pps.len()), (1, 1));
    assert_eq!((nal_type(&sets.sps[0]), nal_type(&sets.pps[0])), (Some(NAL_SPS), Some(NAL_PPS)));
}

/// A record of the capture's head and these sets.
fn record_of(sets: &[Vec<u8>]) -> Bytes {
    let mut record = hex(RECORD)[..22].to_vec();
    record.push(sets.len() as u8);
    for set in sets {
        record.extend([0x80 | nal_type(set).unwrap(), 0, 1, 0, set.len() as u8]);
        record.extend(set);
    }
    Bytes::from(record)
}

#[test]
fn the_rate_of_a_vps_counts_where_the_sps_has_none() {
    let mut sps = hex(SPS[0].0);
    sps.truncate(sps.len() - 8);
    let rate = |sets: &[Vec<u8>]| config(&record_of(sets)).unwrap().picture.frame_rate;
    assert_eq!(rate(&[hex(VPS), sps.clone()]), Some(Ratio { num: 24_000, den: 1_001 }));
    assert_eq!(rate(&[hex(VPS), hex(SPS[0].0)]), Some(Ratio { num: 30, den: 1 }));
    assert_eq!(rate(&[sps]), None);
}

#[test]
fn sei_in_a_record_is_no_parameter_set() {
    let sei = hex("4e0105ffff80");
    let sets = parameter_sets(&record_of(&[sei, hex(SPS[0].0)])).unwrap();
    assert_eq!((sets.vps.len(), sets.sps.len(), sets.pps.len()), (0, 1, 0));
}

#[test]
fn a_record_is_refused_with_the_offset_of_the_fault() {
    let what = "HEVCDecoderConfigurationRecord";
    let changed = |at: usize, to: u8| {
        let mut record = hex(RECORD);
        record[at] = to;
        config(&Bytes::from(record))
    };
    let length = hex(RECORD).len();
    assert_eq!(changed(0, 0), Err(Error::Invalid { what, at: 0 }));
    assert_eq!(changed(21, 0x0E), Err(Error::Invalid { what, at: 21 }), "lengths of 3 bytes");
    assert_eq!(changed(22, 1), Err(Error::Invalid { what, at: 22 }), "no SPS");
    assert_eq!(changed(22, 4), Err(Error::Truncated { what, at: length }), "an array too many");
    assert_eq!(changed(26, 1), Err(Error::Truncated { what, at: length }), "a VPS of 280 bytes");
    assert_eq!(config(&Bytes::new()), Err(Error::Truncated { what, at: 0 }));
}

#[test]
fn decoding_starts_at_every_kind_of_random_access_picture() {
    let unit = |kind: u8| Bytes::from(vec![0, 3, NAL_AUD << 1, 1, 0x50, 0, 2, kind << 1, 1]);
    let starts: Vec<u8> = (0..64).filter(|kind| is_irap(&unit(*kind), 2)).collect();
    assert_eq!(starts, [16, 17, 18, NAL_IDR_W_RADL, NAL_IDR_N_LP, NAL_CRA]);
    assert!(is_irap(&Bytes::from_static(&[0, 0, 0, 2, 0x28, 1]), 4), "as x265 and the capture begin");
    let cra: Vec<u8> = (0..64).filter(|kind| is_cra(&unit(*kind), 2)).collect();
    assert_eq!(cra, [NAL_CRA], "an open GOP");
    let broken = [&unit(NAL_CRA)[..], &[0, 9, 2]].concat();
    assert!(!is_irap(&broken.into(), 2));
    assert!(!is_irap(&Bytes::new(), 4));
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seeds: Vec<Vec<u8>> = SPS.iter().map(|row| hex(row.0)).collect();
    seeds.extend([hex(VPS), hex(RECORD)]);
    mutate(&seeds, |bytes| {
        if let Ok(picture) = picture(bytes) {
            assert!(picture.width > 0 && picture.height > 0);
        }
        let _ = vps::frame_rate(bytes);
        let bytes = Bytes::copy_from_slice(bytes);
        let _ = config(&bytes);
        assert!(!(is_irap(&bytes, 4) && crate::nal::units(&bytes, 4).any(|unit| unit.is_err())));
    });
}
