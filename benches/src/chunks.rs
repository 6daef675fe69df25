//! RTMP: bytes from the socket to messages, and to the units of tracks in them.

use std::hint::black_box;

use bytes::BytesMut;
use container::flv;
use rtmp::chunk::{self, Format, Writer, kind};
use rtmp::{Event, Kind, Limits, Message, Server};

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

/// Captures of every codec, from bytes to access units.
pub(crate) fn demux() -> Result<Vec<Row>, Error> {
    let names = [
        "ffmpeg5-h264-bframes-aac",
        "ffmpeg5-h264-mp3",
        "ffmpeg9-hevc-aac",
        "ffmpeg9-av1-opus",
        "ffmpeg9-vp9-flac",
        "ffmpeg9-h264-ac3",
        "ffmpeg9-multitrack-h264-aac",
    ];
    names.into_iter().map(|name| units(name, 20)).collect()
}

/// Takes a capture apart `times` times over.
fn units(name: &str, times: usize) -> Result<Row, Error> {
    let bytes = capture(name)?;
    let count = || talk(&bytes, units_of).map_err(|error| format!("{name}: {error}"));
    let (all, units) = (vec![&bytes[..]; times], count()? * times);
    let what = format!("demux: capture {name}");
    let row = Row::measure(
        what,
        ("unit", units),
        &all,
        || (),
        |()| (0..times).map(|_| count()).collect::<Vec<_>>(),
    );
    Ok(row.note("one memcpy of it is the socket's"))
}

/// How many units a message has.
fn units_of(message: &Message) -> Result<usize, Error> {
    let units = match message.kind {
        Kind::Video => flv::video(&message.payload)?,
        Kind::Audio => flv::audio(&message.payload)?,
        Kind::Data => return Ok(0),
    };
    let mut count = 0;
    for unit in units {
        black_box(unit?);
        count += 1;
    }
    Ok(count)
}

/// Reads a connection `times` times over.
fn read(what: String, bytes: &[u8], times: usize) -> Result<Row, Error> {
    let one = |_: &Message| Ok(1);
    let messages = talk(bytes, one)?;
    let all = vec![bytes; times];
    let row = Row::measure(
        what,
        ("message", messages * times),
        &all,
        || (),
        |()| (0..times).map(|_| talk(bytes, one)).collect::<Vec<_>>(),
    );
    Ok(row.note("one memcpy of it is the socket's"))
}

/// What `count` makes of all media messages together. As the publisher's loop does it, less the socket.
fn talk(bytes: &[u8], count: impl Fn(&Message) -> Result<usize, Error>) -> Result<usize, Error> {
    let mut server = Server::after_handshake(Limits::default());
    let (mut buf, mut events, mut sum) = (BytesMut::new(), Vec::new(), 0);
    for piece in bytes.chunks(READ) {
        if buf.capacity() - buf.len() < READ {
            buf.reserve(READ);
        }
        buf.extend_from_slice(piece);
        server.input(&mut buf, &mut events)?;
        server.accept_publish(&mut events)?;
        server.output();
        for event in events.drain(..) {
            if let Event::Media(message) = event {
                sum += count(&message)?;
            }
        }
    }
    Ok(sum)
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
