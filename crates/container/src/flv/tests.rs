use bytes::Bytes;

use super::*;
use crate::Error;

fn bytes(b: &'static [u8]) -> Bytes {
    Bytes::from_static(b)
}

fn file(tags: &[(TagKind, u32, &[u8], &'static [u8])]) -> Vec<u8> {
    let mut out = vec![Bytes::copy_from_slice(&header(true, true))];
    for (kind, timestamp, head, data) in tags {
        let before: usize = out.iter().map(Bytes::len).sum();
        let appended = write_tag(*kind, *timestamp, head, &bytes(data), &mut out).unwrap();
        assert_eq!(out.iter().map(Bytes::len).sum::<usize>(), before + appended);
    }
    out.concat()
}

#[test]
fn tags_read_back_as_written() {
    let file = file(&[
        (TagKind::Script, 0, b"", b"\x02\0\x01x"),
        (TagKind::Video, 0x0123_4567, &h264_header(true, -40), b"\0\0\0\x01\x65"),
        (TagKind::Audio, u32::MAX, &aac_header(false), b""),
    ]);
    let (header, tags) = read(&Bytes::from(file)).unwrap();
    assert_eq!(header, Header { audio: true, video: true });
    let tags: Vec<Tag> = tags.map(Result::unwrap).collect();
    let kinds: Vec<_> = tags.iter().map(|tag| (tag.kind, tag.timestamp)).collect();
    let expected = [(TagKind::Script, 0), (TagKind::Video, 0x0123_4567), (TagKind::Audio, u32::MAX)];
    assert_eq!(kinds, expected);
    let frame = Video::Frame { key: true, cts_ms: -40, data: bytes(b"\0\0\0\x01\x65") };
    assert_eq!(legacy_video(&tags[1].payload).unwrap(), frame);
    assert_eq!(legacy_audio(&tags[2].payload).unwrap(), Audio::Frame(Bytes::new()));
}

#[test]
fn a_tag_is_laid_out_as_annex_e_says() {
    let file = file(&[(TagKind::Audio, 0x0100_0002, b"\xaf\x01", b"\x21")]);
    assert_eq!(&file[..13], b"FLV\x01\x05\0\0\0\x09\0\0\0\0");
    assert_eq!(&file[13..], b"\x08\0\0\x03\0\0\x02\x01\0\0\0\xaf\x01\x21\0\0\0\x0e");
    assert_eq!(header(true, false)[4], 4);
    assert_eq!(header(false, true)[4], 1);
}

#[test]
fn the_data_of_a_tag_is_shared_not_copied() {
    let data = bytes(b"payload");
    let mut out = Vec::new();
    write_tag(TagKind::Video, 0, &[], &data, &mut out).unwrap();
    assert_eq!(out[1].as_ptr(), data.as_ptr());
}

#[test]
fn a_tag_over_24_bit_is_refused() {
    let data = Bytes::from(vec![0; 0xff_ffff]);
    let mut out = Vec::new();
    assert_eq!(write_tag(TagKind::Video, 0, &[], &data, &mut out).unwrap(), 0xff_ffff + 15);
    let fault = write_tag(TagKind::Video, 0, &[0], &data, &mut out).unwrap_err();
    assert!(matches!(fault, Error::TooLarge { size: 0x100_0000, .. }));
    assert_eq!(out.len(), 3);
}

#[track_caller]
fn torn(bytes: &[u8], what: &str, at: usize) {
    let fault = match read(&Bytes::copy_from_slice(bytes)) {
        Err(fault) => fault,
        Ok((_, mut tags)) => {
            let fault = tags.find_map(Result::err).unwrap();
            assert!(tags.next().is_none(), "nothing after an error");
            fault
        }
    };
    assert!(matches!(fault, Error::Flv { what: w, at: a } if (w, a) == (what, at)), "{fault:?}");
}

#[test]
fn a_broken_file_is_told_with_its_offset() {
    let good = file(&[(TagKind::Audio, 0, b"\xaf\x01", b"\x21")]);
    torn(&good[..3], "file signature", 3);
    torn(&good[..11], "PreviousTagSize0", 11);
    torn(&good[..20], "TimestampExtended", 20);
    torn(&good[..26], "tag data", 26);
    torn(&good[..29], "PreviousTagSize", 29);
    for (byte, what, at) in [
        (0, "file signature", 0),
        (4, "file flags", 4),
        (8, "DataOffset", 5),
        (12, "PreviousTagSize0", 9),
        (13, "TagType", 13),
        (23, "StreamID", 21),
        (30, "PreviousTagSize", 27),
    ] {
        let mut bad = good.clone();
        bad[byte] ^= 0x40;
        torn(&bad, what, at);
    }
}

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
