//! Stories of whole connections.

mod captures;
mod commands;
mod hostile;
mod media;
mod peer;
mod tracks;

use bytes::{Bytes, BytesMut};
use container::amf0::Value;

use crate::chunk::{self, Format, Reader, Writer, kind};
use crate::command::{Command, encode, object};
use crate::{Error, Event, Limits, Server};

/// A client's hand: what it sends, and what it reads of the answers.
struct Client {
    server: Server,
    writer: Writer,
    sent: BytesMut,
    reader: Reader,
    replies: BytesMut,
    events: Vec<Event>,
}

impl Client {
    fn new() -> Self {
        Self {
            server: Server::after_handshake(Limits::default()),
            writer: Writer::new(),
            sent: BytesMut::new(),
            reader: Reader::new(Limits::default()),
            replies: BytesMut::new(),
            events: Vec::new(),
        }
    }

    /// After connect, createStream and an accepted publish on message stream 1.
    fn publishing() -> Self {
        let mut client = Self::new();
        client.connect();
        client.command(0, "createStream", 2.0, &[]);
        client.command(1, "publish", 3.0, &["s".into(), "live".into()]);
        client.flush().unwrap();
        client.accept();
        client.events.clear();
        client.answers();
        client
    }

    fn message(&mut self, kind: u8, stream: u32, timestamp: u32, payload: impl Into<Bytes>) {
        let message = chunk::Message { kind, stream, timestamp, payload: payload.into() };
        let csid = if kind == kind::COMMAND { 3 } else { 6 };
        self.writer.write(csid, Format::Same, &message, &mut self.sent);
    }

    fn command(&mut self, stream: u32, name: &str, transaction: f64, args: &[Value]) {
        let head = [name.into(), transaction.into(), Value::Null];
        self.message(kind::COMMAND, stream, 0, encode(&[&head, args].concat()));
    }

    fn connect(&mut self) {
        let app = object([("app", "live".into()), ("tcUrl", "rtmp://h/live".into())]);
        self.message(kind::COMMAND, 0, 0, encode(&["connect".into(), 1.0.into(), app]));
    }

    /// Lets the server have what was sent.
    fn flush(&mut self) -> Result<(), Error> {
        let result = self.server.input(&mut self.sent, &mut self.events);
        self.replies.extend(self.server.output());
        result
    }

    fn accept(&mut self) {
        self.server.accept_publish(&mut self.events).unwrap();
        self.replies.extend(self.server.output());
    }

    /// Every message of the server not read yet.
    fn messages(&mut self) -> Vec<chunk::Message> {
        std::iter::from_fn(|| self.reader.next(&mut self.replies).unwrap()).collect()
    }

    /// The commands among them, with their message stream.
    fn answers(&mut self) -> Vec<(u32, Command)> {
        let commands = self.messages().into_iter().filter(|m| m.kind == kind::COMMAND);
        commands.map(|m| (m.stream, Command::read(&m.payload).unwrap().unwrap())).collect()
    }
}

fn code(command: &Command) -> &str {
    command.args[0].get("code").and_then(Value::as_str).unwrap_or_default()
}
