use super::*;
use crate::samples::{hex, mutate};

#[track_caller]
fn check(header: &str, sample_rate: u32, channels: u8, frame_samples: u32) {
    assert_eq!(config(&hex(header)), Ok(Mp3 { sample_rate, channels, frame_samples }));
}

#[test]
fn headers_of_lame_read_as_ffprobe_says() {
    check("fffb9064", 44_100, 2, 1_152);
    check("fffbe464", 48_000, 2, 1_152);
    check("fffb50c4", 44_100, 1, 1_152); // of the capture ffmpeg5-h264-mp3
    check("fff340c4", 22_050, 1, 576);
    check("ffe33864", 8_000, 2, 576);
}

#[test]
fn every_version_has_its_rates() {
    let rate = |second: u8, third: u8| config(&[0xFF, second, third, 0]).map(|mp3| mp3.sample_rate).ok();
    let rates = |second| [0x90, 0x94, 0x98, 0x9C].map(|third| rate(second, third));
    assert_eq!(rates(0xFB), [Some(44_100), Some(48_000), Some(32_000), None], "MPEG-1");
    assert_eq!(rates(0xF3), [Some(22_050), Some(24_000), Some(16_000), None], "MPEG-2");
    assert_eq!(rates(0xE3), [Some(11_025), Some(12_000), Some(8_000), None], "MPEG-2.5");
    assert_eq!(rates(0xEB), [None; 4], "reserved");
}

#[test]
fn other_layers_and_other_bytes_are_refused() {
    let invalid = |header: &str| {
        let result = config(&hex(header));
        assert!(matches!(result, Err(Error::Invalid { .. })), "{header}: {result:?}");
    };
    invalid("fffd9064"); // layer II
    invalid("ffff9064"); // layer I
    invalid("fff99064"); // reserved layer
    invalid("fffbf064"); // bit rate 15
    invalid("49443304"); // ID3
    assert_eq!(config(&hex("fffb90")), Err(Error::Truncated { what: "MP3 frame", at: 3 }));
    assert!(config(&hex("fffb0064")).is_ok(), "a free bit rate");
}

#[test]
fn no_bytes_make_it_panic() {
    mutate(&[hex("fffb9064")], |bytes| {
        if let Ok(mp3) = config(bytes) {
            assert!(mp3.sample_rate >= 8_000 && matches!(mp3.channels, 1 | 2));
        }
    });
}
