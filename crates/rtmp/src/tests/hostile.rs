//! The inputs of `rtmp.md` §3 that abort, panic or swell other servers, by their names there.

use bytes::BytesMut;
use container::amf0;

use super::Client;
use crate::chunk::kind;
use crate::command::encode;
use crate::{Error, Event, Limits, Server, Stage};

fn feed(server: &mut Server, bytes: &[u8]) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    let result = server.input(&mut BytesMut::from(bytes), &mut events);
    server.assert_bounded();
    result.map(|()| events)
}

fn fresh(bytes: &[u8]) -> Result<Vec<Event>, Error> {
    feed(&mut Server::after_handshake(Limits::default()), bytes)
}

#[test]
fn p1_an_empty_command_is_dropped() {
    assert_eq!(fresh(b"\x03\0\0\0\0\0\0\x14\0\0\0\0"), Ok(vec![]));
}

#[test]
fn p2_a_set_data_frame_with_nothing_after_it_is_dropped() {
    assert_eq!(fresh(b"\x04\0\0\0\0\0\x10\x12\x01\0\0\0\x02\0\x0d@setDataFrame"), Ok(vec![]));
}

#[test]
fn p3_a_set_data_frame_with_only_a_name_is_taken_while_publishing() {
    let mut client = Client::publishing();
    client.message(kind::DATA, 1, 0, encode(&["@setDataFrame".into(), "onMetaData".into()]));
    client.flush().unwrap();
    assert_eq!(client.events, [Event::Metadata(vec![])]);
}

#[test]
fn i2_an_acknowledgement_inside_of_a_video_message_is_taken() {
    let mut bytes = b"\x04\0\0\0\0\x01\x2c\x09\x01\0\0\0".to_vec();
    bytes.extend([0; 128]);
    bytes.extend(b"\x02\0\0\0\0\0\x04\x03\0\0\0\0\0\0\0\x09");
    assert_eq!(fresh(&bytes), Ok(vec![]));
}

fn command_of(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\xff\xff\xff\x03\0\0\0".to_vec();
    bytes.extend(&(body.len() as u32).to_be_bytes()[1..]);
    bytes.extend(b"\x14\0\0\0\0");
    bytes.extend(body);
    bytes
}

#[test]
fn s1_deeply_nested_values_are_refused() {
    let deep = Err(Error::Amf(amf0::Error::TooDeep { at: 64 }));
    assert_eq!(fresh(&command_of(&b"\x03\0\x01a".repeat(4000))), deep);
    let deep = Err(Error::Amf(amf0::Error::TooDeep { at: 80 }));
    assert_eq!(fresh(&command_of(&b"\x0a\0\0\0\x01".repeat(10_000))), deep);
}

#[test]
fn m2_a_message_of_16_mb_is_refused_by_its_header() {
    let mut bytes = b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\xff\xff\xff".to_vec();
    bytes.extend(b"\x06\0\0\0\xff\xff\xff\x09\x01\0\0\0");
    let limit = 8 << 20;
    assert_eq!(fresh(&bytes), Err(Error::MessageSize { kind: 9, size: 0xff_ffff, limit, at: 16 }));
}

#[test]
fn m3_a_chunk_size_of_2_gib_and_a_command_of_nulls_are_refused() {
    let size = 0x7fff_ffff;
    let bytes = b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\x7f\xff\xff\xff";
    assert_eq!(fresh(bytes), Err(Error::ChunkSize { size, at: 16 }));
    assert_eq!(
        fresh(&command_of(&vec![5; 65_536])),
        Err(Error::Amf(amf0::Error::TooManyValues { at: 4096 }))
    );
    assert!(matches!(fresh(&command_of(&vec![5; 65_537])), Err(Error::MessageSize { .. })));
}

#[test]
fn m4_create_stream_is_refused_before_connect_and_bounded_after_it() {
    let mut client = Client::new();
    client.connect();
    for n in 0..100_000 {
        client.command(0, "createStream", 2.0 + f64::from(n), &[]);
    }
    assert_eq!(client.flush(), Err(Error::Streams { limit: 8 }));
    assert_eq!(client.answers().len(), 1 + 8);
    let mut client = Client::new();
    client.command(0, "createStream", 2.0, &[]);
    assert_eq!(client.flush(), Err(Error::NotConnected));
}

#[test]
fn m5_publishes_without_an_answer_are_bounded() {
    let mut client = Client::new();
    client.connect();
    for n in 0..100_000 {
        client.command(1, "publish", 2.0 + f64::from(n), &["s".into()]);
    }
    assert_eq!(client.flush(), Err(Error::Commands { limit: 64 }));
    assert!(matches!(client.events[..], [Event::Publish(_)]));
    assert_eq!((client.answers().len(), client.server.stage()), (64 - 1, Stage::Closed));
}

#[test]
fn m6_chunk_streams_are_bounded() {
    let header = |id: u16| [&[1], &id.to_le_bytes()[..], b"\0\0\0\0\0\0\x08\0\0\0\0"].concat();
    let bytes: Vec<u8> = (0..=u16::MAX).flat_map(header).collect();
    assert_eq!(fresh(&bytes), Err(Error::ChunkStreams { limit: 64, at: 64 * 14 }));
}

#[test]
fn a_connection_that_is_not_rtmp_is_told_by_its_first_byte() {
    let mut server = Server::new(Limits::default());
    assert_eq!(feed(&mut server, b"GET / HTTP/1.1\r\n"), Err(Error::Version { version: b'G' }));
    assert_eq!((server.stage(), server.output()), (Stage::Closed, None));
    assert_eq!(feed(&mut server, b"\x03"), Ok(vec![]));
}
