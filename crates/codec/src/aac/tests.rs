use bytes::Bytes;

use super::*;
use crate::Error;

#[track_caller]
fn check(asc: &[u8], expect: (u8, u32, u8, u32)) {
    let aac = config(&Bytes::copy_from_slice(asc)).unwrap();
    assert_eq!((aac.object_type, aac.sample_rate, aac.channels, aac.frame_samples), expect);
    assert_eq!(aac.config, asc);
}

#[test]
fn recorded_encoders_are_low_complexity() {
    check(&[0x11, 0x90, 0x56, 0xE5, 0x00], (2, 48_000, 2, 1024)); // OBS 29
    check(&[0x11, 0x88, 0x56, 0xE5, 0x00], (2, 48_000, 1, 1024)); // FFmpeg 5
    check(&[0x12, 0x10], (2, 44_100, 2, 1024));
    check(&[0x11, 0x94], (2, 48_000, 2, 960));
}

#[test]
fn sbr_and_ps_are_found_where_they_are_signalled() {
    check(&[0x13, 0x90, 0x56, 0xE5, 0xA0], (5, 22_050, 2, 1024));
    check(&[0x13, 0x88, 0x56, 0xE5, 0xA5, 0x48, 0x80], (29, 22_050, 1, 1024));
    // explicit: AOT 5, 24 kHz, stereo, 48 kHz, core AOT 2
    check(&[0x2B, 0x11, 0x88, 0x00], (5, 24_000, 2, 1024));
    // explicit: AOT 29, 24 kHz, mono, 48 kHz, core AOT 2
    check(&[0xEB, 0x09, 0x88, 0x00], (29, 24_000, 1, 1024));
}

#[test]
fn a_sync_extension_that_breaks_off_is_no_extension() {
    check(&[0x13, 0x90, 0x56, 0xE5], (2, 22_050, 2, 1024));
    check(&[0x13, 0x90, 0x56], (2, 22_050, 2, 1024));
    check(&[0x13, 0x90, 0x12, 0x34, 0x56], (2, 22_050, 2, 1024));
}

#[test]
fn a_rate_outside_the_table_is_read_in_full() {
    // AOT 2, index 15, 24 bits of 37800, stereo
    let bits: u64 = 2 << 35 | 15 << 31 | 37_800 << 7 | 2 << 3;
    check(&bits.to_be_bytes()[3..], (2, 37_800, 2, 1024));
}

#[test]
fn channels_of_a_program_config_are_0() {
    // AOT 2, 48 kHz, configuration 0; PCE: tag 0, LC, 48 kHz, one front pair, no comment
    let asc = vec![0x11, 0x80, 0x04, 0xC4, 0x00, 0x00, 0x20, 0x00];
    assert!(config(&Bytes::copy_from_slice(&asc[..7])).is_err());
    let aac = config(&Bytes::from(asc)).unwrap();
    assert_eq!((aac.channels, aac.sample_rate), (0, 48_000));
}

#[test]
fn what_no_aac_decoder_knows_is_refused() {
    let refused = |asc: &[u8]| config(&Bytes::copy_from_slice(asc)).unwrap_err();
    assert_eq!(refused(&[]), Error::Truncated { what: "AudioSpecificConfig", at: 0 });
    assert_eq!(refused(&[0x12]), Error::Truncated { what: "AudioSpecificConfig", at: 1 });
    assert!(matches!(refused(&[0x16, 0x90]), Error::Invalid { .. }), "sampling frequency index 13");
    assert!(matches!(refused(&[0x11, 0xC8]), Error::Invalid { .. }), "channel configuration 9");
    assert!(matches!(refused(&[0xF9, 0x46, 0x40]), Error::Invalid { .. }), "USAC, an escaped object type");
    assert!(matches!(refused(&[0x17, 0x80, 0, 0, 0x10, 0]), Error::Invalid { .. }), "0 Hz");
}

#[test]
fn an_adts_header_states_core_rate_channels_and_length() {
    let header = |asc: &[u8], len| adts_header(&config(&Bytes::copy_from_slice(asc)).unwrap(), len);
    assert_eq!(header(&[0x11, 0x90], 100), Ok([0xFF, 0xF1, 0x4C, 0x80, 0x0D, 0x7F, 0xFC]));
    assert_eq!(header(&[0x13, 0x90, 0x56, 0xE5, 0xA0], 8184), Ok([0xFF, 0xF1, 0x5C, 0x83, 0xFF, 0xFF, 0xFC]));
    assert_eq!(header(&[0x11, 0xB8], 0), Ok([0xFF, 0xF1, 0x4D, 0xC0, 0x00, 0xFF, 0xFC]), "7.1");
}

#[test]
fn adts_refuses_what_it_cannot_say() {
    let aac = config(&Bytes::from_static(&[0x11, 0x90])).unwrap();
    assert!(adts_header(&aac, 8185).is_err());
    assert!(adts_header(&aac, usize::MAX).is_err());
    assert!(adts_header(&media::Aac { channels: 0, ..aac.clone() }, 1).is_err());
    assert!(adts_header(&media::Aac { sample_rate: 37_800, ..aac.clone() }, 1).is_err());
    assert!(adts_header(&media::Aac { frame_samples: 960, ..aac.clone() }, 1).is_err());
    assert!(adts_header(&media::Aac { object_type: 42, ..aac }, 1).is_err());
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..50_000 {
        let bytes: Vec<u8> = (0..random() % 12).map(|_| (random() >> 9) as u8).collect();
        if let Ok(aac) = config(&Bytes::from(bytes)) {
            assert!(aac.sample_rate > 0);
            let _ = adts_header(&aac, (random() % 10_000) as usize);
        }
    }
}
