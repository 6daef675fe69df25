use media::Codec;

use super::*;
use crate::samples::{hex, mutate};

/// A syncframe of `size` bytes that begins like this.
fn frame(beginning: &str, size: usize) -> Vec<u8> {
    let mut frame = hex(beginning);
    frame.resize(size, 0);
    frame
}

/// Frames of FFmpeg's encoder: beginning, size, the `dac3` that its muxer makes, sampling rate, channels.
const AC3: &[(&str, usize, &str, u32, u8)] = &[
    ("0b77fe95144043e106", 768, "101140", 48_000, 2),
    ("0b77b50b1e40ebf840", 1_792, "103de0", 48_000, 6),
    ("0b7778624c402f842b", 416, "5008c0", 44_100, 1),
    ("0b77c4e54d402f8429", 418, "5008c0", 44_100, 1),
    ("0b77797b9a40aaf840", 1_920, "9029a0", 32_000, 4),
    ("0b775b6752408be103", 696, "502120", 44_100, 3),
    // the capture ffmpeg9-h264-ac3
    ("0b77480d0c402f842b", 384, "1008c0", 48_000, 1),
];

/// The same of E-AC-3: beginning, size, `dec3`, sampling rate, channels, samples.
const EAC3: &[(&str, usize, &str, u32, u8, u32)] = &[
    ("0b7700bf3487c00020fc21", 384, "0300200400", 48_000, 2, 1_536),
    ("0b77017f3f87c00020f820", 768, "0600200f00", 48_000, 6, 1_536),
    ("0b77005fb487c00020fc21", 192, "0100a00400", 32_000, 2, 1_536),
    ("0b7705db2f87c400065480", 3_000, "2ee0200f00", 48_000, 6, 768),
    ("0b7707cf1487c4000a8ffc", 4_000, "5dc0200400", 48_000, 2, 512),
    ("0b7707ff0487c40015ff9f", 4_096, "c000200400", 48_000, 2, 256),
    ("0b77017f3487c8e744000410842107", 768, "0600200400", 48_000, 2, 1_536),
];

#[test]
fn ac3_frames_give_the_box_that_ffmpeg_writes() {
    for &(beginning, size, dac3, sample_rate, channels) in AC3 {
        let unit = frame(beginning, size);
        let ac3 = config(&unit, false).unwrap();
        assert_eq!(
            ac3,
            Ac3 { enhanced: false, record: hex(dac3).into(), sample_rate, channels },
            "{beginning}"
        );
        assert_eq!(samples(&unit), Some(1_536), "{beginning}");
    }
}

#[test]
fn enhanced_frames_give_the_box_that_ffmpeg_writes() {
    for &(beginning, size, dec3, sample_rate, channels, length) in EAC3 {
        let unit = frame(beginning, size);
        let ac3 = config(&unit, true).unwrap();
        assert_eq!(
            ac3,
            Ac3 { enhanced: true, record: hex(dec3).into(), sample_rate, channels },
            "{beginning}"
        );
        assert_eq!(samples(&unit), Some(length), "{beginning}");
        assert_eq!(crate::samples(&Codec::Ac3(ac3), &unit), Some(length));
    }
}

#[test]
fn a_dependent_substream_adds_its_places_and_no_time() {
    // 5.1 with mixing metadata and bsmod 2; Lrs/Rrs beside it
    let unit =
        [frame("0b77017f3f86e0b64263930f0d5e6f7d4a9534b09a", 768), frame("0b77407f3486e0b020042b09a0", 256)]
            .concat();
    let ac3 = config(&unit, true).unwrap();
    // 256 kbit/s; num_dep_sub 1; chan_loc bit 1
    assert_eq!(ac3.record, hex("080020 2f02 02".replace(' ', "").as_str()));
    assert_eq!((ac3.channels, samples(&unit)), (6, Some(1_536)));
}

#[test]
fn an_ac3_frame_may_be_what_the_others_depend_on() {
    let unit = [frame(AC3[1].0, AC3[1].1), frame("0b77407f3486e0b020042b09a0", 256)].concat();
    let ac3 = config(&unit, true).unwrap();
    assert_eq!(ac3.record, hex("1000100f0202"), "bsid 8, 512 kbit/s");
    assert_eq!((ac3.sample_rate, samples(&unit)), (48_000, Some(1_536)));
}

#[test]
fn further_programmes_and_short_frames_count_once() {
    let pair = [
        frame("0b7700c72486e0b930f0d5e6f7d4b5584e80", 400),
        frame("0b7708632086e0bb82e4c98786af37be026c04da94b0984e80", 200),
    ]
    .concat();
    let unit = pair.repeat(2);
    let ac3 = config(&unit, true).unwrap();
    // 300 kbit/s in two programmes: 2/0 with bsmod 5, 1+1 with bsmod 1
    assert_eq!(ac3.record, hex("0961205400201000"));
    assert_eq!((ac3.channels, samples(&unit)), (2, Some(1_536)));
}

#[test]
fn half_rates_and_converted_frames_are_read() {
    let unit = frame("0b770095d386e0b8e4c3c3579bdf0136a54a9b6128", 300);
    let ac3 = config(&unit, true).unwrap();
    assert_eq!((ac3.sample_rate, ac3.channels, samples(&unit)), (22_050, 2, Some(1_536)));
    assert_eq!(ac3.record[2..], hex("e03300"), "fscod 3, bsmod 3, 1/0 with lfe");
    let converted = frame("0b7780951a86e0b6426d84ea20", 300).repeat(3);
    let ac3 = config(&converted, true).unwrap();
    assert_eq!((ac3.channels, samples(&converted)), (4, Some(1_536)));
    assert_eq!(ac3.record[2..], hex("203a00"), "bsmod 3, 2/1 with lfe: 3 of 512 samples");
}

#[test]
fn joint_object_coding_is_told_behind_the_substreams() {
    let ac3 = config(&frame("0b77017f3f86e0a4101108", 768), true).unwrap();
    assert_eq!(ac3.record, hex("0600200f000110"));
}

#[test]
fn half_and_quarter_rates_of_ac3_have_the_size_of_the_whole_rate() {
    for (bsid, rate) in [(6, 48_000), (8, 48_000), (9, 24_000), (10, 12_000)] {
        let mut unit = frame(AC3[0].0, AC3[0].1);
        unit[5] = bsid << 3;
        assert_eq!(config(&unit, false).unwrap().sample_rate, rate);
    }
}

#[test]
fn what_is_no_syncframe_is_refused() {
    let what = "AC-3 syncframe";
    let good = frame(AC3[0].0, AC3[0].1);
    let changed = |at: usize, to: u8| {
        let mut unit = good.clone();
        unit[at] = to;
        assert_eq!(samples(&unit), None, "{at}: {to}");
        config(&unit, false)
    };
    assert_eq!(changed(0, 0), Err(Error::Invalid { what, at: 0 }));
    assert!(changed(4, 0xD4).is_err(), "fscod 3");
    assert!(changed(4, 0x26).is_err(), "frmsizecod 38");
    assert!(changed(5, 17 << 3).is_err(), "bsid 17");
    assert_eq!(config(&good[..700], false), Err(Error::Truncated { what, at: 700 }));
    assert_eq!(config(&[], true), Err(Error::Truncated { what, at: 0 }));
    assert_eq!(samples(&[]), None);
    let enhanced = frame(EAC3[0].0, EAC3[0].1);
    assert_eq!(config(&enhanced, false), Err(Error::Invalid { what, at: 0 }));
    let dependent = frame("0b77407f3486e0b020042b09a0", 256);
    assert_eq!(config(&dependent, true), Err(Error::Invalid { what, at: 0 }));
    assert_eq!(samples(&dependent), None);
}

#[test]
fn a_fault_behind_the_first_frame_has_its_place() {
    let what = "AC-3 syncframe";
    let mut unit = frame(EAC3[0].0, EAC3[0].1);
    unit.extend([0; 8]);
    assert_eq!(config(&unit, true), Err(Error::Invalid { what, at: 384 }));
    assert_eq!(samples(&unit), None);
    unit.truncate(387);
    assert_eq!(config(&unit, true), Err(Error::Truncated { what, at: 387 }));
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seeds: Vec<Vec<u8>> = AC3.iter().map(|row| frame(row.0, row.1)).collect();
    seeds.extend(EAC3.iter().map(|row| frame(row.0, row.1)));
    seeds.push(frame("0b77407f3486e0b020042b09a0", 256).repeat(9));
    mutate(&seeds, |bytes| {
        let length = samples(bytes);
        for enhanced in [false, true] {
            if let Ok(ac3) = config(bytes, enhanced) {
                assert!(ac3.sample_rate >= 8_000 && (1..=6).contains(&ac3.channels));
                assert!(!enhanced || length.is_some());
                assert!(ac3.record.len() <= 2 + 8 * 4 + 2);
            }
        }
    });
}
