//! RTMP: bytes from the socket to messages.

use bytes::BytesMut;
use rtmp::chunk::{self, Format, Writer, kind};
use rtmp::{Event, Limits, Server};

use crate::source::{capture, clip};
use crate::{Error, Row};

/// Bytes of a read, as `ingest` reserves them. Their copy out of the kernel is one memcpy of the ratio.
const READ: usize = 64 << 10;

pub(crate) fn run() -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for name in ["obs29-h264-aac", "gstreamer-h264-aac"] {
        rows.push(read(format!("chunks: capture {name}"), &capture(name)?, 20)?);
    }
    let begin = capture("ffmpeg5-h264-bframes-aac")?;
    for size in [128, 4_096, 60_000] {
        rows.push(read(format!("chunks: 5.4 Mbit/s in chunks of {size}"), &connection(&begin, size)?, 1)?);
    }
    Ok(rows)
}

/// Reads a connection `times` times over.
fn read(what: String, bytes: &[u8], times: usize) -> Result<Row, Error> {
    let messages = talk(bytes)?;
    let all = vec![bytes; times];
    let row = Row::measure(
        what,
        ("message", messages * times),
        &all,
        || (),
        |()| (0..times).map(|_| talk(bytes)).collect::<Vec<_>>(),
    );
    Ok(row.note("one memcpy of it is the socket's"))
}

/// How many media messages come out. As the publisher's loop does it, less the socket.
fn talk(bytes: &[u8]) -> Result<usize, Error> {
    let mut server = Server::after_handshake(Limits::default());
    let (mut buf, mut events, mut count) = (BytesMut::new(), Vec::new(), 0);
    for piece in bytes.chunks(READ) {
        if buf.capacity() - buf.len() < READ {
            buf.reserve(READ);
        }
        buf.extend_from_slice(piece);
        server.input(&mut buf, &mut events)?;
        server.accept_publish(&mut events)?;
        server.output();
        count += events.drain(..).filter(|event| matches!(event, Event::Media(_))).count();
    }
    Ok(count)
}

/// The commands of a capture, then the media of a clip in chunks of `size`.
fn connection(capture: &[u8], size: u32) -> Result<Vec<u8>, Error> {
    let mut reader = chunk::Reader::new(Limits::default());
    let (mut buf, mut out, mut writer) = (BytesMut::from(capture), BytesMut::new(), Writer::new());
    let mut stream = 0;
    while let Some(message) = reader.next(&mut buf)? {
        if matches!(message.kind, kind::AUDIO | kind::VIDEO) {
            stream = message.stream;
            break;
        }
        writer.write(3, Format::Full, &message, &mut out);
    }
    writer.set_chunk_size(size, &mut out);
    for message in clip(10).messages() {
        let (csid, kind) =
            if message.kind == media::Kind::Video { (6, kind::VIDEO) } else { (4, kind::AUDIO) };
        let testkit::Message { timestamp, payload, .. } = message;
        writer.write(csid, Format::Same, &chunk::Message { kind, stream, timestamp, payload }, &mut out);
    }
    Ok(out.to_vec())
}
