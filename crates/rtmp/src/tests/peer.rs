//! An implementation we did not write publishes through the server.

use bytes::{Bytes, BytesMut};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult, PublishRequestType,
    StreamMetadata,
};
use rml_rtmp::time::RtmpTimestamp;

use crate::{Event, Kind, Limits, Message, Server, Stage};

/// Carries bytes between the two until both are silent. What the client was told.
struct Wire {
    server: Server,
    session: ClientSession,
    to_server: BytesMut,
    events: Vec<Event>,
    told: Vec<ClientSessionEvent>,
}

impl Wire {
    fn take(&mut self, results: Vec<ClientSessionResult>) {
        for result in results {
            match result {
                ClientSessionResult::OutboundResponse(packet) => {
                    self.to_server.extend_from_slice(&packet.bytes)
                }
                ClientSessionResult::RaisedEvent(event) => self.told.push(event),
                // it does not know SetPeerBandwidth
                ClientSessionResult::UnhandleableMessageReceived(message) => assert_eq!(message.type_id, 6),
            }
        }
    }

    fn carry(&mut self) {
        while !self.to_server.is_empty() {
            self.server.input(&mut self.to_server, &mut self.events).unwrap();
            self.answer();
        }
    }

    fn answer(&mut self) {
        if let Some(bytes) = self.server.output() {
            let results = self.session.handle_input(&bytes).unwrap();
            self.take(results);
        }
    }
}

/// Shakes hands, the client's bytes in pieces of `piece`.
fn shake(server: &mut Server, piece: usize) {
    let mut client = Handshake::new(PeerType::Client);
    let mut to_server = client.generate_outbound_p0_and_p1().unwrap();
    for _ in 0..2 {
        let mut answers = Vec::new();
        for piece in to_server.chunks(piece) {
            assert_eq!(server.stage(), Stage::Handshake);
            server.input(&mut BytesMut::from(piece), &mut Vec::new()).unwrap();
            answers.extend(server.output().unwrap_or_default());
        }
        if answers.is_empty() {
            break;
        }
        match client.process_bytes(&answers).unwrap() {
            HandshakeProcessResult::Completed { response_bytes, .. } => to_server = response_bytes,
            HandshakeProcessResult::InProgress { .. } => panic!("not enough answered"),
        }
    }
    assert_eq!(server.stage(), Stage::Connected);
}

fn connected() -> Wire {
    let mut server = Server::new(Limits::default());
    shake(&mut server, 1000);
    let mut config = ClientSessionConfig::new();
    config.tc_url = Some("rtmp://push.live.local:1935/live".to_owned());
    let (session, results) = ClientSession::new(config).unwrap();
    let mut wire = Wire { server, session, to_server: BytesMut::new(), events: vec![], told: vec![] };
    wire.take(results);
    let request = wire.session.request_connection("live".to_owned()).unwrap();
    wire.take(vec![request]);
    wire.carry();
    assert_eq!(wire.told, [ClientSessionEvent::ConnectionRequestAccepted]);
    let request = wire.session.request_publishing("s".to_owned(), PublishRequestType::Live).unwrap();
    wire.take(vec![request]);
    wire.carry();
    wire
}

#[test]
fn the_digest_handshake_is_taken_in_pieces_of_any_size() {
    for piece in [1, 1536, 1537, 5000] {
        shake(&mut Server::new(Limits::default()), piece);
    }
}

#[test]
fn the_simple_handshake_is_answered_with_an_echo() {
    let mut server = Server::new(Limits::default());
    let c1: Vec<u8> = [0; 8].into_iter().chain((0..1528).map(|i| (i % 251) as u8)).collect();
    let mut events = Vec::new();
    server.input(&mut BytesMut::from(&[&[3], &c1[..]].concat()[..]), &mut events).unwrap();
    let answer = server.output().unwrap();
    assert_eq!((answer.len(), answer[0], &answer[1537..]), (1 + 2 * 1536, 3, &c1[..]));
    // C2 and the first chunks in one segment
    let rest = [&answer[1..1537], b"\x03\0\0\0\0\0\0\x14\0\0\0\0\xc3"].concat();
    let mut buf = BytesMut::from(&rest[..]);
    server.input(&mut buf, &mut events).unwrap();
    assert_eq!((server.stage(), buf.len()), (Stage::Connected, 0));
}

#[test]
fn an_independent_client_publishes() {
    let mut wire = connected();
    let Some(Event::Publish(publish)) = wire.events.pop() else { panic!("{:?}", wire.events) };
    assert_eq!((publish.app.as_str(), publish.stream.as_str()), ("live", "s"));
    assert_eq!(publish.tc_host.as_deref(), Some("push.live.local"));
    wire.server.accept_publish(&mut wire.events).unwrap();
    wire.answer();
    assert_eq!(wire.told.last(), Some(&ClientSessionEvent::PublishRequestAccepted));

    let mut metadata = StreamMetadata::new();
    metadata.video_width = Some(320);
    let sent = wire.session.publish_metadata(&metadata).unwrap();
    wire.take(vec![sent]);
    let video: Bytes = (0..10_000).map(|i| i as u8).collect();
    for timestamp in [0, 40, 80] {
        let at = RtmpTimestamp::new(timestamp);
        let sent = wire.session.publish_video_data(video.clone(), at, false).unwrap();
        wire.take(vec![sent]);
        let sent = wire.session.publish_audio_data(Bytes::from_static(b"aac"), at, false).unwrap();
        wire.take(vec![sent]);
    }
    wire.carry();
    let results = wire.session.stop_publishing().unwrap();
    wire.take(results);
    wire.carry();

    assert!(
        matches!(&wire.events[0], Event::Metadata(values) if values[0].get("width") == Some(&320.0.into()))
    );
    let mut expected = Vec::new();
    for timestamp in [0, 40, 80] {
        expected.push(Event::Media(Message { kind: Kind::Video, timestamp, payload: video.clone() }));
        let payload = Bytes::from_static(b"aac");
        expected.push(Event::Media(Message { kind: Kind::Audio, timestamp, payload }));
    }
    expected.push(Event::Unpublish);
    assert!(wire.events[1..] == expected, "{:?}", wire.events.len());
}

#[test]
fn an_independent_client_understands_a_refusal() {
    let mut wire = connected();
    wire.server.refuse_publish("busy");
    wire.answer();
    let code = "NetStream.Publish.BadName".to_owned();
    assert_eq!(wire.told.last(), Some(&ClientSessionEvent::UnhandleableOnStatusCode { code }));
}
