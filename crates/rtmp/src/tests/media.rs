use bytes::Bytes;
use container::amf0::{self, Value};

use super::Client;
use crate::chunk::kind;
use crate::command::{encode, object};
use crate::{Error, Event, Kind, Message};

fn media(kind: Kind, timestamp: u32, payload: &'static [u8]) -> Event {
    Event::Media(Message { kind, timestamp, payload: Bytes::from_static(payload) })
}

#[test]
fn media_sent_in_one_segment_with_connect_is_kept_until_the_publish_is_accepted() {
    let mut client = Client::new();
    client.connect();
    client.command(0, "createStream", 2.0, &[]);
    client.command(1, "publish", 3.0, &["s".into(), "live".into()]);
    client.message(kind::DATA, 1, 0, encode(&["onMetaData".into(), object([])]));
    client.message(kind::VIDEO, 1, 0, &b"picture"[..]);
    client.message(kind::AUDIO, 1, 3, &b"sound"[..]);
    client.flush().unwrap();
    assert!(matches!(client.events[..], [Event::Publish(_)]));
    client.accept();
    client.message(kind::AUDIO, 1, 26, &b"more"[..]);
    client.flush().unwrap();
    let expected = [
        Event::Metadata(vec![object([])]),
        media(Kind::Video, 0, b"picture"),
        media(Kind::Audio, 3, b"sound"),
        media(Kind::Audio, 26, b"more"),
    ];
    assert_eq!(client.events[1..], expected);
}

#[test]
fn media_sent_ahead_is_bounded_in_bytes_and_in_messages() {
    let ahead = |size: usize, count: usize| {
        let mut client = Client::new();
        client.connect();
        client.command(1, "publish", 3.0, &["s".into()]);
        client.writer.set_chunk_size(0x10_0000, &mut client.sent);
        for _ in 0..count {
            client.message(kind::VIDEO, 1, 0, vec![0; size]);
        }
        client.flush()
    };
    let queued = Err(Error::Queued { limit: 16 << 20 });
    assert_eq!(ahead(1 << 20, 15), Ok(()));
    assert_eq!(ahead(1 << 20, 16), queued);
    assert_eq!(ahead(1, 200_000), Ok(()));
    assert_eq!(ahead(1, 300_000), queued);
}

#[test]
fn media_of_another_message_stream_or_without_a_publish_is_dropped() {
    let mut client = Client::publishing();
    client.message(kind::VIDEO, 2, 0, &b"other"[..]);
    client.message(kind::VIDEO, 1, 0, &b""[..]);
    client.message(kind::VIDEO, 1, 0, &b"ours"[..]);
    client.flush().unwrap();
    assert_eq!(client.events, [media(Kind::Video, 0, b"ours")]);
    let mut client = Client::new();
    client.message(kind::VIDEO, 1, 0, &b"early"[..]);
    client.flush().unwrap();
    assert_eq!(client.events, []);
}

#[test]
fn an_aggregate_is_split_and_its_timestamps_are_moved_to_its_own() {
    let mut client = Client::publishing();
    let tag = |kind: u8, timestamp: u32, data: &[u8]| {
        let [high, t @ ..] = timestamp.to_be_bytes();
        let head = [kind, 0, 0, data.len() as u8, t[0], t[1], t[2], high, 9, 9, 9];
        [&head[..], data, &[0, 0, 0, 11 + data.len() as u8]].concat()
    };
    let tags =
        [tag(9, 0x100_0000, b"v"), tag(8, 0x100_0017, b"a"), tag(22, 0, b"x"), tag(8, 0xff_fff0, b"b")];
    let aggregate = tags.concat();
    client.message(kind::AGGREGATE, 1, 500, aggregate.clone());
    client.message(kind::AGGREGATE, 1, 600, aggregate[..aggregate.len() - 4].to_vec());
    client.flush().unwrap();
    let told = |at| [(Kind::Video, at, "v"), (Kind::Audio, at + 23, "a"), (Kind::Audio, at - 16, "b")];
    let expected: Vec<Event> =
        [told(500), told(600)].concat().into_iter().map(|(k, t, p)| media(k, t, p.as_bytes())).collect();
    assert_eq!(client.events, expected);
    client.message(kind::AGGREGATE, 1, 700, aggregate[..40].to_vec());
    assert_eq!(client.flush(), Err(Error::Aggregate { at: 32 }));
    assert_eq!(client.events, expected);
}

#[test]
fn an_aggregate_of_nothing_but_headers_is_refused() {
    let mut client = Client::publishing();
    client.message(kind::AGGREGATE, 1, 0, vec![8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].repeat(5000));
    assert_eq!(client.flush(), Err(Error::Aggregate { at: 4096 * 15 }));
}

#[test]
fn metadata_with_dates_and_long_strings_is_told_whole() {
    let fields = object([
        ("creationdate", Value::Date(1.7e12)),
        ("comment", Value::String("x".repeat(60_000))),
        ("xml", Value::Xml("<a/>".into())),
        ("width", 320.0.into()),
    ]);
    let mut payload = encode(&["@setDataFrame".into(), "onMetaData".into()]).to_vec();
    let Value::Object(properties) = &fields else { panic!() };
    payload.extend(b"\x03");
    for (name, value) in properties {
        payload.extend((name.len() as u16).to_be_bytes());
        payload.extend(name.as_bytes());
        match value {
            Value::String(text) => {
                payload.push(12);
                payload.extend((text.len() as u32).to_be_bytes());
                payload.extend(text.as_bytes());
            }
            other => amf0::encode(other, &mut payload),
        }
    }
    payload.extend(b"\0\0\x09");
    let mut client = Client::publishing();
    client.message(kind::DATA, 1, 0, payload);
    client.flush().unwrap();
    assert_eq!(client.events, [Event::Metadata(vec![fields])]);
}

#[test]
fn metadata_with_a_fault_is_told_up_to_it_and_costs_no_publish() {
    let mut client = Client::publishing();
    let mut payload = encode(&["@setDataFrame".into(), "onMetaData".into()]).to_vec();
    payload.extend(b"\x03\0\x01w\0\x40\x74\0\0\0\0\0\0\0\x01q\x11\x0a");
    client.message(kind::DATA, 1, 0, payload);
    client.message(kind::DATA, 1, 0, encode(&["@setDataFrame".into(), "onMetaData".into()]));
    client.message(kind::DATA, 1, 0, encode(&["@setDataFrame".into()]));
    client.message(kind::DATA, 1, 0, encode(&["@clearDataFrame".into(), "onMetaData".into()]));
    client.flush().unwrap();
    let width = Event::Metadata(vec![object([("w", 320.0.into())])]);
    assert_eq!(client.events, [width, Event::Metadata(vec![])]);
}

#[test]
fn other_data_is_handed_on_as_amf0() {
    let mut client = Client::publishing();
    let text = encode(&["onTextData".into(), object([("text", "hi".into())])]);
    client.message(kind::DATA, 1, 40, text.clone());
    client.message(kind::DATA_AMF3, 1, 50, [&[0][..], &text].concat());
    client.flush().unwrap();
    let told = |timestamp| Event::Media(Message { kind: Kind::Data, timestamp, payload: text.clone() });
    assert_eq!(client.events, [told(40), told(50)]);
}

#[test]
fn a_ping_is_answered_and_other_user_control_events_are_ignored() {
    let mut client = Client::publishing();
    for event in [3_u8, 5, 26, 31, 32, 255] {
        client.message(kind::USER_CONTROL, 0, 0, vec![0, event, 1, 2, 3, 4]);
    }
    client.message(kind::USER_CONTROL, 0, 0, vec![0, 6, 0xde, 0xad, 0xbe, 0xef]);
    client.message(kind::USER_CONTROL, 0, 0, vec![0, 6, 1]);
    client.message(kind::USER_CONTROL, 0, 0, vec![]);
    client.flush().unwrap();
    let answers = client.messages();
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].kind, &answers[0].payload[..]),
        (kind::USER_CONTROL, &[0, 7, 0xde, 0xad, 0xbe, 0xef][..])
    );
}

#[test]
fn acknowledgements_tell_the_total_of_bytes_received() {
    let mut client = Client::publishing();
    client.message(kind::WINDOW_ACK_SIZE, 0, 0, 1000_u32.to_be_bytes().to_vec());
    client.flush().unwrap();
    client.messages();
    let mut totals: Vec<u64> = Vec::new();
    for _ in 0..5 {
        client.message(kind::VIDEO, 1, 0, vec![1; 700]);
        client.flush().unwrap();
        for ack in client.messages().into_iter().filter(|m| m.kind == kind::ACKNOWLEDGEMENT) {
            totals.push(u32::from_be_bytes(ack.payload[..].try_into().unwrap()).into());
            assert_eq!(totals.last(), Some(&client.server.received()));
        }
    }
    assert!(totals.windows(2).all(|pair| pair[1] - pair[0] >= 1000) && totals.len() >= 2, "{totals:?}");
}

#[test]
fn a_peer_that_asked_for_no_acknowledgements_gets_none() {
    let mut client = Client::publishing();
    for _ in 0..4 {
        client.message(kind::VIDEO, 1, 0, vec![1; 1 << 20]);
        client.flush().unwrap();
    }
    assert!(client.messages().iter().all(|message| message.kind != kind::ACKNOWLEDGEMENT));
}
