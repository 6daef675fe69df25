use bytes::Bytes;

use super::*;
use crate::samples::{hex, mutate};

/// OpusHead of FFmpeg 9 over RTMP: stereo, pre-skip 312.
const HEAD: &str = "4f707573486561640102380180bb0000000000";
/// libopus 5.1: family 1, 4 streams of which 2 are coupled.
const SURROUND: &str = "4f707573486561640106780080bb00000000010402000401020305";

fn read(head: &str) -> Result<Opus, Error> {
    config(&Bytes::from(hex(head)))
}

#[test]
fn the_head_becomes_a_box_with_big_endian_numbers() {
    let opus = read(HEAD).unwrap();
    assert_eq!((opus.channels, opus.pre_skip), (2, 312));
    assert_eq!(dops(&opus), hex("000201380000bb80000000"));
}

#[test]
fn the_box_of_a_mapping_family_has_its_table() {
    let opus = read(SURROUND).unwrap();
    assert_eq!((opus.channels, opus.pre_skip), (6, 120));
    assert_eq!(dops(&opus), hex("000600780000bb800000010402000401020305"), "as FFmpeg writes it");
}

#[test]
fn the_gain_is_kept() {
    let opus = read("4f707573486561640101380180bb000001ff00").unwrap();
    assert_eq!(dops(&opus), hex("000101380000bb80ff0100"));
}

#[test]
fn what_a_decoder_could_not_map_is_refused() {
    let refused =
        |head: &str, at| assert_eq!(read(head), Err(Error::Invalid { what: "OpusHead", at }), "{head}");
    refused("4f707573486561440102380180bb0000000000", 0);
    refused("4f707573486561641102380180bb0000000000", 8); // version 16 + 1
    refused("4f707573486561640100380180bb0000000000", 18); // no channels
    refused("4f707573486561640103380180bb0000000000", 18); // 3 of family 0
    refused("4f707573486561640104380180bb000000000304", 18); // a matrix
    refused("4f707573486561640102380180bb00000000010000", 20); // no streams
    refused("4f707573486561640102380180bb00000000010102", 20); // more coupled than streams
    refused("4f707573486561640102380180bb000000000101010002", 22); // stream 2 of 2
    let short = read("4f707573486561640102380180bb00000000");
    assert_eq!(short, Err(Error::Truncated { what: "OpusHead", at: 18 }));
    let short = read("4f707573486561640102380180bb0000000001010100");
    assert_eq!(short, Err(Error::Truncated { what: "OpusHead", at: 22 }));
    assert!(read("4f707573486561640102380180bb0000000001010100ff").is_ok(), "255 is silence");
}

#[test]
fn each_configuration_has_the_duration_of_table_2() {
    let silk = [480, 960, 1_920, 2_880];
    let hybrid = [480, 960, 480, 960];
    let celt = [120, 240, 480, 960];
    let table = [silk, silk, silk, hybrid, celt, celt, celt, celt].concat();
    for (config, duration) in (0..32).zip(table) {
        assert_eq!(samples(&[config << 3]), Some(duration), "configuration {config}");
    }
}

#[test]
fn a_packet_lasts_as_long_as_its_frames_together() {
    assert_eq!(samples(&hex("fc7e0299e7f9")), Some(960), "code 0");
    assert_eq!(samples(&[0x79, 0]), Some(1_920), "code 1");
    assert_eq!(samples(&[0x7a, 0]), Some(1_920), "code 2");
    assert_eq!(samples(&hex("7b038202b035")), Some(2_880), "code 3, 3 frames of 20 ms");
    assert_eq!(samples(&hex("ff067e0299e7")), Some(5_760), "code 3, 6 frames of 20 ms");
    assert_eq!(samples(&hex("9f06b01fc9aa")), Some(5_760), "code 3, 6 frames of 20 ms, mono");
    assert_eq!(samples(&hex("e402fffee402")), Some(120), "several streams");
}

#[test]
fn a_packet_without_frames_or_beyond_120_ms_has_no_duration() {
    assert_eq!(samples(&[]), None);
    assert_eq!(samples(&[0xFF]), None, "no frame count");
    assert_eq!(samples(&[0xFF, 0x40]), None, "0 frames");
    assert_eq!(samples(&[0xFF, 7]), None, "140 ms");
}

#[test]
fn no_bytes_make_it_panic() {
    mutate(&[hex(HEAD), hex(SURROUND)], |bytes| {
        let _ = samples(bytes);
        if let Ok(opus) = config(&Bytes::copy_from_slice(bytes)) {
            let table = if bytes[18] == 0 { 0 } else { 2 + usize::from(opus.channels) };
            assert_eq!(dops(&opus).len(), 11 + table);
        }
    });
}
