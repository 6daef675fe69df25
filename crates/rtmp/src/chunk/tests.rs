use bytes::{Bytes, BytesMut};

use super::*;
use crate::{Error, Limits};

fn payload(len: usize) -> Bytes {
    (0..len).map(|i| (i * 7 + i / 251) as u8).collect()
}

fn video(timestamp: u32, len: usize) -> Message {
    Message { kind: kind::VIDEO, stream: 1, timestamp, payload: payload(len) }
}

fn audio(timestamp: u32, len: usize) -> Message {
    Message { kind: kind::AUDIO, ..video(timestamp, len) }
}

/// Feeds `bytes` in pieces of `piece` bytes.
fn read_in(piece: usize, bytes: &[u8]) -> Result<Vec<Message>, Error> {
    let (mut reader, mut buf, mut messages) = (Reader::new(Limits::default()), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        buf.extend_from_slice(piece);
        while let Some(message) = reader.next(&mut buf)? {
            messages.push(message);
        }
        assert!(buf.len() <= 17, "{} bytes left over", buf.len());
    }
    Ok(messages)
}

#[track_caller]
fn check(bytes: &[u8], expected: &[Message]) {
    for piece in [1, 3, 100, usize::MAX] {
        let read = read_in(piece, bytes).unwrap();
        assert!(read == expected, "in pieces of {piece}: {:?}", timestamps(&read));
    }
}

fn timestamps(messages: &[Message]) -> Vec<(u32, usize)> {
    messages.iter().map(|m| (m.timestamp, m.payload.len())).collect()
}

/// Writes with every format and chunk size, and reads back.
#[track_caller]
fn round_trip(csid: u32, messages: &[Message]) {
    for most in [Format::Full, Format::SameStream, Format::SameLength, Format::Same] {
        for size in [1, 128, 65_536, 0xff_ffff] {
            let (mut writer, mut out) = (Writer::new(), BytesMut::new());
            writer.set_chunk_size(size, &mut out);
            messages.iter().for_each(|m| writer.write(csid, most, m, &mut out));
            for piece in [1448, usize::MAX] {
                assert!(read_in(piece, &out).unwrap() == messages, "{most:?} in chunks of {size}");
            }
        }
    }
}

#[test]
fn messages_read_back_whatever_the_chunk_size_and_the_header() {
    let other = Message { stream: 2, ..audio(90, 300) };
    let messages =
        [video(0, 5_000), video(33, 5_000), video(66, 5_000), audio(70, 300), video(66, 70_000), other];
    for csid in [2, 63, 64, 319, 320, 65_599] {
        round_trip(csid, &messages);
    }
}

#[test]
fn extended_timestamps_and_deltas_read_back() {
    let at = |timestamp| video(timestamp, 300);
    round_trip(6, &[at(0xff_fffe), at(0xff_ffff), at(0x100_0000), at(0x100_0000)]);
    round_trip(6, &[at(0), at(0xff_ffff), at(0x1ff_fffe), at(0x300_0000), at(0x300_0001)]);
    round_trip(6, &[at(0x200_0000), at(0x400_0000), at(0x600_0000)]);
}

#[test]
fn timestamps_wrap_at_32_bit() {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    let messages = [video(0xffff_fff0, 10), video(17, 10), video(50, 10)];
    messages.iter().for_each(|m| writer.write(4, Format::Same, m, &mut out));
    check(&out, &messages);
    // the deltas are 33: one 4-byte header, one 1-byte header
    assert_eq!(out.len(), 12 + 4 + 10 + 4 + 10 + 1 + 10);
}

#[test]
fn type_3_that_begins_a_message_applies_the_delta_and_after_type_0_the_timestamp() {
    check(b"\x04\0\0\x14\0\0\x01\x08\x01\0\0\0a\xc4b\xc4c", &[20, 40, 60].map(|t| tiny(t, t)));
    let deltas = b"\x04\0\0\x14\0\0\x01\x08\x01\0\0\0a\x84\0\0\x05b\xc4c";
    check(deltas, &[(20, 20), (25, 40), (30, 60)].map(|(t, n)| tiny(t, n)));
}

fn tiny(timestamp: u32, n: u32) -> Message {
    let payload = Bytes::from(vec![b'a' + (n / 20 - 1) as u8]);
    Message { kind: kind::AUDIO, stream: 1, timestamp, payload }
}

#[test]
fn an_extended_timestamp_after_type_0_stands_for_itself() {
    let bytes = b"\x04\xff\xff\xff\0\0\x01\x08\x01\0\0\0\x01\0\0\0a\xc4\x01\0\0\x07b";
    check(bytes, &[tiny(0x100_0000, 20), tiny(0x100_0007, 40)]);
}

/// A type 0 message with an extended timestamp in chunks of 128.
fn extended(message: &Message, repeated: bool) -> BytesMut {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    writer.write(4, Format::Full, message, &mut out);
    if repeated {
        return out;
    }
    let mut bare = BytesMut::from(&out[..16 + 128]);
    for chunk in out[16 + 128..].chunks(5 + 128) {
        bare.extend_from_slice(&[chunk[0]]);
        bare.extend_from_slice(&chunk[5..]);
    }
    bare
}

#[test]
fn continuations_with_and_without_the_extended_timestamp_are_read() {
    for len in [129, 130, 131, 132, 300, 1000] {
        let message = video(0x0102_0304, len);
        for repeated in [true, false] {
            // the bytes after it settle what a last chunk of under four bytes is
            let mut bytes = extended(&message, repeated);
            Writer::new().write(5, Format::Full, &audio(7, 3), &mut bytes);
            check(&bytes, &[message.clone(), audio(7, 3)]);
        }
    }
}

#[test]
fn chunk_streams_interleave() {
    let (mut writer, mut first, mut second) = (Writer::new(), BytesMut::new(), BytesMut::new());
    writer.write(6, Format::Full, &video(40, 300), &mut first);
    writer.write(4, Format::Full, &audio(41, 200), &mut second);
    let mixed = [&first[..140], &second[..140], &first[140..269], &second[140..], &first[269..]].concat();
    check(&mixed, &[audio(41, 200), video(40, 300)]);
}

#[test]
fn an_acknowledgement_inside_of_a_video_message_does_not_disturb_it() {
    let mut bytes = b"\x04\0\0\0\0\x01\x2c\x09\x01\0\0\0".to_vec();
    bytes.extend(&payload(300)[..128]);
    bytes.extend(b"\x02\0\0\0\0\0\x04\x03\0\0\0\0\0\0\0\x09");
    let got = read_in(usize::MAX, &bytes).unwrap();
    assert_eq!((got.len(), got[0].kind), (1, kind::ACKNOWLEDGEMENT));
    bytes.push(0xc4);
    bytes.extend(&payload(300)[128..256]);
    bytes.push(0xc4);
    bytes.extend(&payload(300)[256..]);
    assert_eq!(read_in(7, &bytes).unwrap()[1], video(0, 300));
}

#[test]
fn a_chunk_size_set_inside_of_a_message_holds_from_the_next_chunk_on() {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    writer.write(6, Format::Full, &video(0, 1000), &mut out);
    let mut bytes = out[..140].to_vec();
    bytes.extend(b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\0\x02\0");
    bytes.push(0xc6);
    bytes.extend(&payload(1000)[128..640]);
    bytes.push(0xc6);
    bytes.extend(&payload(1000)[640..]);
    check(&bytes, &[video(0, 1000)]);
}

#[test]
fn abort_and_a_new_header_drop_what_is_unfinished() {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    writer.write(6, Format::Full, &video(0, 300), &mut out);
    let begun = &out[..140];
    let abort = b"\x02\0\0\0\0\0\x04\x02\0\0\0\0\0\0\0\x06";
    let aborted = [begun, abort, &out[..]].concat();
    check(&aborted, &[video(0, 300)]);
    check(&[begun, &out[..]].concat(), &[video(0, 300)]);
    let mut reader = Reader::new(Limits::default());
    let mut buf = BytesMut::from(begun);
    assert_eq!(reader.next(&mut buf), Ok(None));
    assert_eq!(reader.holds(), (1, 1, 300));
    buf.extend_from_slice(abort);
    assert_eq!(reader.next(&mut buf), Ok(None));
    assert_eq!(reader.holds(), (2, 0, 0));
}

#[test]
fn a_chunk_stream_may_begin_with_type_1_but_not_2_or_3() {
    let expected = Message { kind: kind::ACKNOWLEDGEMENT, stream: 0, timestamp: 5, payload: payload(4) };
    let bytes = [b"\x42\0\0\x05\0\0\x04\x03", &payload(4)[..]].concat();
    check(&bytes, &[expected]);
    assert_eq!(read_in(9, b"\x84\0\0\0"), Err(Error::NoHeader { format: 2, csid: 4, at: 0 }));
    assert_eq!(read_in(9, b"\xc0\x05"), Err(Error::NoHeader { format: 3, csid: 69, at: 0 }));
}

#[test]
fn a_message_of_2_kib_in_one_chunk_is_a_slice_and_a_smaller_one_a_copy() {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    writer.set_chunk_size(4096, &mut out);
    writer.write(6, Format::Full, &video(0, 2048), &mut out);
    writer.write(6, Format::Full, &video(0, 2047), &mut out);
    let mut reader = Reader::new(Limits::default());
    let range = out.as_ptr_range();
    let large = reader.next(&mut out).unwrap().unwrap();
    let small = reader.next(&mut out).unwrap().unwrap();
    assert!(range.contains(&large.payload.as_ptr()));
    assert!(!range.contains(&small.payload.as_ptr()));
}

#[test]
fn what_is_reserved_follows_what_came() {
    let mut reader = Reader::new(Limits::default());
    let mut buf = BytesMut::from(&b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\xff\xff\xff"[..]);
    buf.extend_from_slice(b"\x06\0\0\0\x80\0\0\x09\x01\0\0\0");
    assert_eq!(reader.next(&mut buf), Ok(None));
    assert_eq!(reader.holds().2, 0);
    let mut came = 0;
    for n in [1, 60_000, 10_000, 200_000, 3_000_000] {
        buf.extend_from_slice(&vec![0; n]);
        assert_eq!(reader.next(&mut buf), Ok(None));
        came += n;
        assert!(reader.holds().2 <= (2 * came).max(64 << 10), "{:?} of {came}", reader.holds());
    }
    buf.extend_from_slice(&vec![0; (8 << 20) - came]);
    assert_eq!(reader.next(&mut buf).unwrap().unwrap().payload.len(), 8 << 20);
    assert_eq!(reader.holds().2, 0);
}

#[test]
fn messages_over_the_limit_of_their_type_are_refused_by_their_header() {
    let refused = |bytes: &[u8]| matches!(read_in(99, bytes), Err(Error::MessageSize { .. }));
    assert!(refused(b"\x06\0\0\0\x80\0\x01\x09\x01\0\0\0"));
    assert!(refused(b"\x06\0\0\0\x01\0\x01\x14\x01\0\0\0"));
    assert!(refused(b"\x06\0\0\0\x01\0\x01\x63\x01\0\0\0"));
    assert!(refused(b"\x06\0\0\0\0\0\x41\x04\x01\0\0\0"));
    assert!(!refused(b"\x06\0\0\0\x80\0\0\x09\x01\0\0\0"));
    assert!(!refused(b"\x06\0\0\0\x01\0\0\x14\x01\0\0\0"));
}

#[test]
fn chunk_sizes_of_0_and_over_16_mib_are_refused() {
    let set = |size: u32| [&b"\x02\0\0\0\0\0\x04\x01\0\0\0\0"[..], &size.to_be_bytes()].concat();
    assert_eq!(read_in(99, &set(1)), Ok(vec![]));
    assert_eq!(read_in(99, &set(0xff_ffff)), Ok(vec![]));
    for size in [0, 0x100_0000, 0x7fff_ffff] {
        assert_eq!(read_in(99, &set(size)), Err(Error::ChunkSize { size, at: 16 }));
    }
    let short = read_in(99, b"\x02\0\0\0\0\0\x03\x01\0\0\0\0\0\0\x01");
    assert_eq!(short, Err(Error::Control { kind: 1, size: 3, at: 15 }));
}

#[test]
fn chunk_streams_and_partial_messages_are_bounded() {
    let header = |csid: u8, len: u8| [csid, 0, 0, 0, 0, 0, len, 9, 1, 0, 0, 0];
    let streams: Vec<u8> = (2..=63).flat_map(|csid| header(csid, 0)).collect();
    let more: Vec<u8> = (0..3).flat_map(|id| [&[0, id], &header(0, 0)[1..]].concat()).collect();
    let fault = read_in(99, &[streams, more].concat());
    assert_eq!(fault, Err(Error::ChunkStreams { limit: 64, at: 62 * 12 + 2 * 13 }));
    let begun = |csid| [&header(csid, 200)[..], &[0; 128]].concat();
    let partials: Vec<u8> = (2..=10).flat_map(begun).collect();
    assert_eq!(read_in(99, &partials[..8 * 140]), Ok(vec![]));
    assert_eq!(read_in(9, &partials), Err(Error::PartialMessages { limit: 8, at: 8 * 140 + 12 }));
}

#[test]
fn bytes_of_partial_messages_are_bounded_together() {
    let mut reader = Reader::new(Limits::default());
    let mut buf = BytesMut::from(&b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\x7f\xff\xff"[..]);
    let mut fault = None;
    for csid in 3..=10 {
        buf.extend_from_slice(&[csid, 0, 0, 0, 0x80, 0, 0, 9, 1, 0, 0, 0]);
        buf.extend_from_slice(&vec![0; 0x7f_ffff]);
        match reader.next(&mut buf) {
            Ok(message) => assert_eq!(message, None),
            Err(error) => {
                fault = Some(error);
                break;
            }
        }
        assert!(reader.holds().2 <= 16 << 20);
    }
    assert!(matches!(fault, Some(Error::PartialBytes { limit: 0x100_0000, .. })), "{fault:?}");
    assert_eq!(reader.holds().1, 2);
}
