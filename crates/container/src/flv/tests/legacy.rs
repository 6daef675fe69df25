//! The readers of H.264 and AAC only.

use super::bytes;
use crate::Error;
use crate::flv::*;
use ::bytes::Bytes;

#[test]
fn a_composition_time_is_signed() {
    for cts in [0, 1, -1, 80, 0x7f_ffff, -0x80_0000] {
        let payload = Bytes::copy_from_slice(&h264_header(false, cts));
        let frame = Video::Frame { key: false, cts_ms: cts, data: Bytes::new() };
        assert_eq!(legacy_video(&payload).unwrap(), frame);
    }
}

#[test]
fn headers_and_ends_are_told_from_frames() {
    let with = |head: &[u8]| Bytes::from([head, b"rest"].concat());
    let rest = || bytes(b"rest");
    assert_eq!(legacy_video(&with(&h264_sequence_header())).unwrap(), Video::SequenceHeader(rest()));
    assert_eq!(legacy_video(&bytes(b"\x17\x02")).unwrap(), Video::SequenceEnd);
    assert_eq!(legacy_video(&Bytes::copy_from_slice(&h264_end_of_sequence())).unwrap(), Video::SequenceEnd);
    assert_eq!(legacy_video(&bytes(b"\x57\x01")).unwrap(), Video::Command);
    assert_eq!(legacy_audio(&with(&aac_header(true))).unwrap(), Audio::SequenceHeader(rest()));
    assert_eq!(legacy_audio(&with(&aac_header(false))).unwrap(), Audio::Frame(rest()));
    assert_eq!(legacy_audio(&Bytes::new()).unwrap(), Audio::Frame(Bytes::new()));
}

#[test]
fn other_codecs_are_named() {
    let name_of = |b| match legacy_video(&bytes(b)).unwrap() {
        Video::Unsupported { name, .. } => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name_of(b"\x90hvc1\x01"), "hvc1");
    assert_eq!(name_of(b"\x90h\0"), "");
    assert_eq!(name_of(b"\x1c\0\0\0\0"), "H.265 (CodecID 12)");
    assert_eq!(legacy_audio(&bytes(b"\x2f\xff")).unwrap(), Audio::Unsupported { name: "MP3".into() });
    assert_eq!(legacy_audio(&bytes(b"\x90Opus")).unwrap(), Audio::Unsupported { name: "Opus".into() });
}

#[test]
fn cut_payloads_are_errors() {
    for payload in [&b""[..], b"\x17", b"\x17\x00\0\0", b"\x27\x01", b"\x17\x03\0\0\0"] {
        assert!(
            matches!(legacy_video(&Bytes::copy_from_slice(payload)), Err(Error::Flv { .. })),
            "{payload:?}"
        );
    }
    assert!(matches!(legacy_audio(&bytes(b"\xaf")), Err(Error::Flv { what: "AACPacketType", at: 1 })));
    assert!(legacy_audio(&bytes(b"\xaf\x02")).is_err());
}
