use bytes::Bytes;

use super::bytes;
use crate::Error;
use crate::flv::*;

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
        (TagKind::Video, 0x0123_4567, b"\x17\x01\xff\xff\xd8", b"\x65"),
        (TagKind::Audio, u32::MAX, b"\xaf\x01", b""),
    ]);
    let (header, tags) = read(&Bytes::from(file)).unwrap();
    assert_eq!(header, Header { audio: true, video: true });
    let tags: Vec<Tag> = tags.map(Result::unwrap).collect();
    let kinds: Vec<_> = tags.iter().map(|tag| (tag.kind, tag.timestamp)).collect();
    let expected = [(TagKind::Script, 0), (TagKind::Video, 0x0123_4567), (TagKind::Audio, u32::MAX)];
    assert_eq!(kinds, expected);
    let payloads: Vec<_> = tags.iter().map(|tag| &tag.payload[..]).collect();
    assert_eq!(payloads, [&b"\x02\0\x01x"[..], b"\x17\x01\xff\xff\xd8\x65", b"\xaf\x01"]);
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
