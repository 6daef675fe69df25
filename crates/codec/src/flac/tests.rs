use super::*;
use crate::samples::{hex, mutate};

/// STREAMINFO of the capture ffmpeg9-vp9-flac: at the beginning of the stream and at its end.
const BEGINNING: &str = "040004000000000008150bb800f00000000000000000000000000000000000000000";
const END: &str = "040004000000fc00018b0bb800f0000232800e9d7dce5ba2b3c21e0da827578eebfe";

fn info(text: &str) -> Bytes {
    let info = hex(text);
    assert_eq!(info.len(), STREAM_INFO);
    Bytes::from(info)
}

fn read(channels: u8, sample_rate: u32, bits_per_sample: u8) -> Flac {
    Flac { stream_info: Bytes::new(), sample_rate, channels, bits_per_sample }
}

#[test]
fn stream_info_is_found_in_each_of_its_wrappings() {
    let bare = info(END);
    let flac = config(&bare).unwrap();
    assert_eq!((flac.sample_rate, flac.channels, flac.bits_per_sample), (48_000, 1, 16));
    let block = [&hex("00000022")[..], &bare].concat();
    let file = [b"fLaC", &block[..], &hex("8400000400000000")].concat();
    let last = [&hex("80000022")[..], &bare].concat();
    for wrapped in [block, file, last, [b"fLaC\x80\0\0\x22", &bare[..]].concat()] {
        assert_eq!(config(&wrapped.into()), Ok(flac.clone()));
    }
}

#[test]
fn what_only_the_end_of_a_stream_knows_is_no_change() {
    let (beginning, end) = (config(&info(BEGINNING)).unwrap(), config(&info(END)).unwrap());
    assert_eq!(beginning, end);
    let kept = "040004000000000000000bb800f00000000000000000000000000000000000000000";
    assert_eq!(dfla(&end), [hex("80000022"), info(kept).to_vec()].concat());
}

#[test]
fn rates_channels_and_depths_are_those_that_ffprobe_says() {
    let check = |text: &str, rate, channels, bits| {
        let flac = config(&info(text)).unwrap();
        assert_eq!((flac.sample_rate, flac.channels, flac.bits_per_sample), (rate, channels, bits), "{text}");
    };
    check("04d204d200057900065617700b700000bb80f564deb1083e8e8db178bb7c99bfbfb4", 96_000, 6, 24);
    check("00c000c00000610000860ac440f000005622f92951abe8308de3f54a91cda07e7faa", 44_100, 1, 16);
    check("400040000008150010d40bb80ef000005dc0ef35ecf51f75a38815d91be5ab2a125f", 48_000, 8, 16);
}

#[test]
fn a_configuration_without_stream_info_is_refused() {
    let bare = info(END);
    let what = "FLAC configuration";
    let other = [b"fLaC\x84\0\0\x22", &bare[..]].concat();
    assert_eq!(config(&other.into()), Err(Error::Invalid { what, at: 4 }));
    let short = bare.slice(..33);
    assert_eq!(config(&short), Err(Error::Truncated { what, at: 33 }));
    assert_eq!(config(&Bytes::from_static(b"fLaC")), Err(Error::Truncated { what, at: 4 }));
    let mut no_rate = bare.to_vec();
    no_rate[10..13].copy_from_slice(&[0, 0, 0]);
    assert!(matches!(config(&no_rate.into()), Err(Error::Invalid { .. })));
}

#[test]
fn headers_of_ffmpeg_give_the_samples_that_ffprobe_says() {
    assert_eq!(samples(&read(1, 48_000, 16), &hex("fff8aa0800ed4c000000")), Some(1_024));
    assert_eq!(samples(&read(2, 48_000, 16), &hex("fff8aa88005b4c000000")), Some(1_024));
    assert_eq!(samples(&read(2, 48_000, 16), &hex("fff87a881701bf634af8")), Some(448), "16 bits at the end");
    assert_eq!(samples(&read(6, 96_000, 24), &hex("fff87b5c0004d16c0000")), Some(1_234));
    assert_eq!(samples(&read(1, 44_100, 16), &hex("fff8190800ba4c000001")), Some(192));
    assert_eq!(samples(&read(1, 8_000, 16), &hex("fff8640800c7b84e0000")), Some(200), "8 bits at the end");
    assert_eq!(samples(&read(8, 48_000, 16), &hex("fff8ea7800c900000000")), Some(16_384));
}

#[test]
fn every_block_size_is_that_of_table_14() {
    let size = |code: u8| samples(&read(2, 48_000, 16), &[0xFF, 0xF8, code << 4, 0x18, 0, 0xFF, 0xFE, 0]);
    let table =
        [192, 576, 1_152, 2_304, 4_608, 256, 65_535, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768];
    assert_eq!(size(0), None, "reserved");
    assert_eq!((1..16).map(|code| size(code).unwrap()).collect::<Vec<_>>(), table);
}

#[test]
fn the_coded_number_may_have_up_to_seven_bytes() {
    let flac = read(2, 48_000, 16);
    let size = |number: &str| samples(&flac, &hex(&format!("fff87918{number}04d1")));
    assert_eq!(size("7f"), Some(1_234));
    assert_eq!(size("c2bf"), Some(1_234));
    assert_eq!(size("efbfbf"), Some(1_234));
    assert_eq!(size("f48fbfbf"), Some(1_234));
    assert_eq!(size("fb80808080"), Some(1_234));
    assert_eq!(size("fd8080808080"), Some(1_234));
    assert_eq!(size("fe808080808080"), Some(1_234));
    assert_eq!(size("80"), None, "a byte that only continues");
    assert_eq!(size("ff"), None);
}

#[test]
fn what_is_no_frame_of_the_stream_has_no_samples() {
    let stereo = read(2, 48_000, 16);
    assert_eq!(samples(&stereo, &hex("fff8aa0800ed4c00")), None, "mono");
    assert_eq!(samples(&stereo, &hex("fff8aab800ed4c00")), None, "reserved channels");
    assert_eq!(samples(&stereo, &hex("ffe8aa8800ed4c00")), None, "no sync code");
    assert_eq!(samples(&stereo, &hex("fff87a881701")), None, "it breaks off");
    assert_eq!(samples(&stereo, &hex("fff8791800ffff00")), None, "65,536 samples are forbidden");
    assert_eq!(samples(&stereo, &[]), None);
}

#[test]
fn no_bytes_make_it_panic() {
    let file = [b"fLaC\x80\0\0\x22", &info(END)[..]].concat();
    mutate(&[info(END).to_vec(), file, hex("fff87a881701bf634af8")], |bytes| {
        assert!(samples(&read(2, 48_000, 16), bytes).is_none_or(|samples| (1..=65_535).contains(&samples)));
        if let Ok(flac) = config(&Bytes::copy_from_slice(bytes)) {
            assert_eq!(dfla(&flac).len(), 38);
        }
    });
}
