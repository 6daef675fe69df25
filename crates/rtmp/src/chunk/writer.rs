use bytes::{BufMut, BytesMut};

use super::{DEFAULT_CHUNK_SIZE, EXTENDED, Message, kind};

/// How much of a message header may be left out because the chunk stream's last one said it: the chunk types of
/// RTMP 1.0 §5.3.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Type 0: nothing is left out, the timestamp is absolute.
    Full,
    /// Type 1: the message stream is left out.
    SameStream,
    /// Type 2: length and message type, too.
    SameLength,
    /// Type 3: the timestamp delta, too.
    Same,
}

/// Cuts messages into chunks: the server's replies, and what a client sends in tests.
#[derive(Clone, Debug)]
pub struct Writer {
    chunk_size: u32,
    last: Vec<Last>,
}

/// What the receiver remembers of a chunk stream.
#[derive(Clone, Copy, Debug)]
struct Last {
    csid: u32,
    stream: u32,
    timestamp: u32,
    /// The timestamp field of its header: of type 0 the timestamp itself.
    delta: u32,
    absolute: bool,
    len: usize,
    kind: u8,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// A writer of 128-byte chunks that has sent nothing.
    pub fn new() -> Self {
        Self { chunk_size: DEFAULT_CHUNK_SIZE, last: Vec::new() }
    }

    /// Appends SetChunkSize to `out` and cuts the messages after it into chunks of `size` bytes, 1 at the least.
    pub fn set_chunk_size(&mut self, size: u32, out: &mut BytesMut) {
        let payload = bytes::Bytes::copy_from_slice(&size.to_be_bytes());
        let message = Message { kind: kind::SET_CHUNK_SIZE, stream: 0, timestamp: 0, payload };
        self.write(2, Format::Full, &message, out);
        self.chunk_size = size.max(1);
    }

    /// Appends `message` to `out` on chunk stream `csid` (2 to 65,599). Its header is the shortest one that says
    /// what is to be said, but leaves out no more than `most` allows.
    pub fn write(&mut self, csid: u32, most: Format, message: &Message, out: &mut BytesMut) {
        let (format, field) = self.header(csid, most, message);
        let small = field.min(EXTENDED);
        basic(format as u8, csid, out);
        if format < Format::Same {
            out.put_uint(small.into(), 3);
        }
        if format < Format::SameLength {
            out.put_uint(message.payload.len() as u64, 3);
            out.put_u8(message.kind);
        }
        if format < Format::SameStream {
            out.put_u32_le(message.stream);
        }
        let mut chunks = message.payload.chunks(self.chunk_size as usize);
        put_extended(field, out);
        out.extend_from_slice(chunks.next().unwrap_or_default());
        for chunk in chunks {
            basic(Format::Same as u8, csid, out);
            put_extended(field, out);
            out.extend_from_slice(chunk);
        }
    }

    /// The chunk type and the timestamp field of `message`; remembers it.
    fn header(&mut self, csid: u32, most: Format, message: &Message) -> (Format, u32) {
        let &Message { kind, stream, timestamp, ref payload } = message;
        let len = payload.len();
        let full = Last { csid, stream, timestamp, delta: timestamp, absolute: true, len, kind };
        let Some(last) = self.last.iter_mut().find(|last| last.csid == csid) else {
            self.last.push(full);
            return (Format::Full, timestamp);
        };
        let delta = timestamp.wrapping_sub(last.timestamp);
        // after an absolute extended timestamp receivers disagree on what type 3 means
        let repeats = delta == last.delta && !(last.absolute && delta >= EXTENDED);
        let least = match () {
            () if stream != last.stream => Format::Full,
            () if len != last.len || kind != last.kind => Format::SameStream,
            () if !repeats => Format::SameLength,
            () => Format::Same,
        };
        let format = least.min(most);
        let next = Last { delta, absolute: last.absolute && format == Format::Same, ..full };
        *last = if format == Format::Full { full } else { next };
        (format, last.delta)
    }
}

/// Basic header (RTMP 1.0 §5.3.1.1) in its shortest form.
fn basic(format: u8, csid: u32, out: &mut BytesMut) {
    let format = format << 6;
    match csid {
        ..=63 => out.put_u8(format | csid as u8),
        64..=319 => out.put_slice(&[format, (csid - 64) as u8]),
        _ => {
            out.put_u8(format | 1);
            out.put_u16_le((csid - 64) as u16);
        }
    }
}

fn put_extended(field: u32, out: &mut BytesMut) {
    if field >= EXTENDED {
        out.put_u32(field);
    }
}
