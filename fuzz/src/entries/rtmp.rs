//! A connection in pieces of any size: the handshake, and what comes after it.

use bytes::BytesMut;
use media::StreamId;
use rtmp::{Event, Limits, Server, Stage};

use crate::dice::Dice;

/// Most bytes of answers to one piece of input: they must not grow with what a stranger repeats.
const MAX_ANSWER: usize = 1 << 20;

/// A whole connection from C0 on.
pub fn handshake(input: &[u8]) {
    talk(Server::new(Limits::default()), input);
}

/// Chunks, messages and commands, the handshake done. One input in four meets limits that it can reach.
pub fn chunks(input: &[u8]) {
    let limits = match Dice::of(input).roll(4) {
        0 => Limits {
            max_media_message: 20_000,
            max_command_message: 2_000,
            max_chunk_size: 30_000,
            max_chunk_streams: 4,
            max_partial_messages: 2,
            max_partial_bytes: 16_000,
            max_queued_bytes: 8_000,
            ..Limits::default()
        },
        _ => Limits::default(),
    };
    talk(Server::after_handshake(limits), input);
}

fn talk(mut server: Server, input: &[u8]) {
    let mut dice = Dice::of(input);
    let (mut buf, mut events) = (BytesMut::new(), Vec::new());
    let (mut rest, most, patience) = (input, 1 + dice.scale(16), dice.roll(4));
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + dice.roll(most)).min(rest.len()));
        rest = after;
        buf.extend_from_slice(piece);
        let result = server.input(&mut buf, &mut events);
        answer(&mut server, &mut events, patience, &mut dice);
        let said = server.output().map_or(0, |bytes| bytes.len());
        assert!(said <= MAX_ANSWER, "{said} bytes of answers to {} of input", piece.len());
        if let Err(error) = result {
            assert_eq!(server.stage(), Stage::Closed, "after {error}");
            assert!(!error.to_string().is_empty());
        }
        if server.stage() == Stage::Closed {
            server.input(&mut buf, &mut events).ok();
            assert!(buf.is_empty(), "a closed connection keeps nothing");
            return;
        }
        assert!(server.stage() == Stage::Handshake || buf.len() <= 17, "{} bytes left unread", buf.len());
    }
}

/// What the shell does: looks at a request, and answers it at once or `patience` pieces later.
fn answer(server: &mut Server, events: &mut Vec<Event>, patience: usize, dice: &mut Dice) {
    let mut refuse = false;
    for event in events.drain(..) {
        match event {
            Event::Publish(request) | Event::Play(request) => {
                let domain = request.vhost.as_deref().or(request.tc_host.as_deref());
                let _ = StreamId::parse(domain.unwrap_or("localhost"), &request.app, &request.stream);
                assert!(request.args.len() <= 64 && request.client.len() <= 128, "unbounded {request:?}");
                refuse = dice.roll(16) == 0;
            }
            Event::Media(message) => assert!(!message.payload.is_empty(), "empty media says nothing"),
            Event::Metadata(_) | Event::Unpublish => {}
        }
    }
    if refuse {
        server.refuse_publish("the name is taken");
    } else if dice.roll(patience) == 0 {
        // An error closes the connection, which the next input sees.
        let _ = server.accept_publish(events);
        events.clear();
    }
    server.refuse_play("nothing is played here");
}
