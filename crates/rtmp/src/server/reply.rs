use bytes::{Bytes, BytesMut};
use container::amf0::Value;

use crate::Capabilities;
use crate::chunk::{Format, Message, Writer, kind};
use crate::command::{Command, encode, object};

/// User control events (RTMP 1.0 §7.1.7).
const STREAM_BEGIN: u8 = 0;
pub(super) const PING_REQUEST: u8 = 6;
const PING_RESPONSE: u8 = 7;

/// Code of the status that ends a publish.
pub(super) const UNPUBLISHED: &str = "NetStream.Unpublish.Success";

/// Chunk streams of replies: control (RTMP 1.0 §5.4), commands of the connection, commands of a stream.
const CONTROL: u32 = 2;
const CONNECTION: u32 = 3;
const STREAM: u32 = 5;

/// Bytes of a chunk's payload that we send.
const CHUNK_SIZE: u32 = 60_000;
/// SetPeerBandwidth limit type: the client may lower a hard limit it had (RTMP 1.0 §5.4.5).
const DYNAMIC: u8 = 2;
/// The most bytes of a reason that is told a client.
const MAX_REASON: usize = 1024;

/// What is to be sent, as chunks.
#[derive(Debug, Default)]
pub(super) struct Replies {
    writer: Writer,
    out: BytesMut,
}

impl Replies {
    /// Everything not taken yet.
    pub fn take(&mut self) -> Option<Bytes> {
        (!self.out.is_empty()).then(|| self.out.split().freeze())
    }

    /// Where the handshake puts its bytes, that are no chunks.
    pub fn raw(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    /// Answers `connect`. What we can of Enhanced RTMP is told to clients that said what they can (`enhanced`): old
    /// ones get the answer they have always got.
    pub fn connected(&mut self, command: &Command, window: u32, enhanced: bool) {
        self.control(kind::WINDOW_ACK_SIZE, &window.to_be_bytes());
        let [a, b, c, d] = window.to_be_bytes();
        self.control(kind::SET_PEER_BANDWIDTH, &[a, b, c, d, DYNAMIC]);
        self.writer.set_chunk_size(CHUNK_SIZE, &mut self.out);
        let server = object([
            ("fmsVer", "FMS/3,5,7,7009".into()),
            ("capabilities", 31.0.into()),
            ("mode", 1.0.into()),
        ]);
        let mut info = object([
            ("level", "status".into()),
            ("code", "NetConnection.Connect.Success".into()),
            ("description", "Connected.".into()),
            ("objectEncoding", 0.0.into()),
        ]);
        if let (true, Value::Object(properties)) = (enhanced, &mut info) {
            properties.extend(Capabilities::of_server());
        }
        self.send(CONNECTION, 0, &["_result".into(), command.transaction.into(), server, info]);
    }

    /// Answers `command` with `value`, if it wants an answer.
    pub fn result(&mut self, command: &Command, value: Value) {
        if command.transaction != 0.0 {
            self.send(CONNECTION, 0, &["_result".into(), command.transaction.into(), Value::Null, value]);
        }
    }

    /// Calls `name` on the client's connection.
    pub fn call(&mut self, name: &str, info: &Value) {
        self.send(CONNECTION, 0, &[name.into(), 0.0.into(), Value::Null, info.clone()]);
    }

    /// onStatus on message stream `stream`.
    pub fn status(&mut self, stream: u32, level: &str, code: &str, description: &str) {
        let description = description.get(..description.floor_char_boundary(MAX_REASON)).unwrap_or_default();
        let info =
            object([("level", level.into()), ("code", code.into()), ("description", description.into())]);
        self.send(STREAM, stream, &["onStatus".into(), 0.0.into(), Value::Null, info]);
    }

    /// Tells that message stream `stream` is ready.
    pub fn stream_begin(&mut self, stream: u32) {
        let [a, b, c, d] = stream.to_be_bytes();
        self.control(kind::USER_CONTROL, &[0, STREAM_BEGIN, a, b, c, d]);
    }

    /// Answers a ping with its own four bytes.
    pub fn ping_response(&mut self, [a, b, c, d]: [u8; 4]) {
        self.control(kind::USER_CONTROL, &[0, PING_RESPONSE, a, b, c, d]);
    }

    /// Tells the total of bytes received; wraps at 32 bit.
    pub fn acknowledgement(&mut self, total: u64) {
        self.control(kind::ACKNOWLEDGEMENT, &(total as u32).to_be_bytes());
    }

    fn control(&mut self, kind: u8, payload: &[u8]) {
        let message = Message { kind, stream: 0, timestamp: 0, payload: Bytes::copy_from_slice(payload) };
        self.writer.write(CONTROL, Format::Full, &message, &mut self.out);
    }

    fn send(&mut self, csid: u32, stream: u32, values: &[Value]) {
        let message = Message { kind: kind::COMMAND, stream, timestamp: 0, payload: encode(values) };
        self.writer.write(csid, Format::Full, &message, &mut self.out);
    }
}
