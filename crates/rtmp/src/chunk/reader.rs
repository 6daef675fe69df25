use bytes::{Buf, Bytes, BytesMut};

use super::header::{Header, basic, message_header, skip_extended};
use super::{DEFAULT_CHUNK_SIZE, Message, kind};
use crate::{Error, Limits};

/// Messages shorter than this are copied, for a slice keeps the whole read buffer it lies in alive.
const COPY_BELOW: usize = 2048;

/// What is reserved at most for a message before any of it came.
const RESERVE_FIRST: usize = 64 << 10;

/// Puts messages together from chunks, any number of chunk streams interleaved.
///
/// SetChunkSize and Abort are obeyed here and not handed on. A message that lies within one chunk and wholly in
/// the read buffer is a slice of it; any other is copied once.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    chunk_size: usize,
    streams: Vec<Stream>,
    /// The chunk of which the header was read, its payload not wholly.
    open: Option<Open>,
    /// How many streams have a partial message.
    partials: usize,
    /// Their capacity together.
    reserved: usize,
    /// Bytes taken so far.
    at: u64,
}

/// A chunk stream: the last header, and the message it began.
#[derive(Debug)]
struct Stream {
    csid: u32,
    header: Header,
    partial: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    /// Index in `streams`.
    stream: usize,
    /// Bytes of the chunk still to come.
    left: usize,
}

impl Reader {
    /// A reader at the first chunk after the handshake.
    pub fn new(limits: Limits) -> Self {
        let chunk_size = DEFAULT_CHUNK_SIZE as usize;
        Self { limits, chunk_size, streams: Vec::new(), open: None, partials: 0, reserved: 0, at: 0 }
    }

    /// Bytes taken so far: where the next byte of the buffer is on the connection, handshake left out.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next whole message, or `None` if `buf` holds no more of one. What stays in `buf` then is part of a
    /// chunk's header, at most 17 bytes.
    ///
    /// Errors: [`Error::NoHeader`], and whatever exceeds the limits; the reader is of no use after one.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Message>, Error> {
        loop {
            let open = match self.open {
                Some(open) => open,
                None => match self.begin(buf)? {
                    Some(open) => open,
                    None => return Ok(None),
                },
            };
            match self.payload(open, buf)? {
                Some(message) if message.kind == kind::SET_CHUNK_SIZE => self.set_chunk_size(&message)?,
                Some(message) if message.kind == kind::ABORT => self.abort(&message)?,
                Some(message) => return Ok(Some(message)),
                None if self.open.is_some() => return Ok(None),
                None => {}
            }
        }
    }

    /// Reads a chunk's header; `None` if it is not all there yet.
    fn begin(&mut self, buf: &mut BytesMut) -> Result<Option<Open>, Error> {
        let Some((format, csid, rest)) = basic(buf) else { return Ok(None) };
        let index = self.streams.iter().position(|stream| stream.csid == csid);
        let known = index.and_then(|index| self.streams.get(index));
        let partial = known.is_some_and(|stream| stream.partial.is_some());
        let before = known.map(|stream| stream.header);
        let (header, rest) = match (format, before) {
            (3, Some(header)) if partial => match skip_extended(header, rest) {
                Some(rest) => (header, rest),
                None => return Ok(None),
            },
            // some clients open a chunk stream with type 1: message stream 0 is meant
            (2 | 3, None) => return Err(Error::NoHeader { format, csid, at: self.at }),
            (format, before) => match message_header(format, before.unwrap_or_default(), rest) {
                Some(read) => read,
                None => return Ok(None),
            },
        };
        let size = buf.len() - rest.len();
        let index = match (format, partial) {
            (3, true) => index,
            _ => Some(self.start(index, csid, header)?),
        };
        buf.advance(size);
        self.at += size as u64;
        self.open = index.map(|index| Open { stream: index, left: self.chunk_left(index) });
        Ok(self.open)
    }

    /// A chunk begins a message: an unfinished one on its stream is dropped.
    fn start(&mut self, index: Option<usize>, csid: u32, header: Header) -> Result<usize, Error> {
        let limit = self.limits.of(header.kind);
        if header.len > limit {
            return Err(Error::MessageSize { kind: header.kind, size: header.len, limit, at: self.at });
        }
        if let Some((index, stream)) = index.and_then(|i| Some((i, self.streams.get_mut(i)?))) {
            stream.header = header;
            self.drop_partial(index);
            return Ok(index);
        }
        let limit = self.limits.max_chunk_streams;
        if self.streams.len() >= limit {
            return Err(Error::ChunkStreams { limit, at: self.at });
        }
        self.streams.push(Stream { csid, header, partial: None });
        Ok(self.streams.len() - 1)
    }

    /// Bytes of the payload of a chunk that begins now.
    fn chunk_left(&self, index: usize) -> usize {
        let Some(stream) = self.streams.get(index) else { return 0 };
        let have = stream.partial.as_ref().map_or(0, Vec::len);
        stream.header.len.saturating_sub(have).min(self.chunk_size)
    }

    /// Takes what there is of the open chunk. The message, if this is its end.
    fn payload(&mut self, open: Open, buf: &mut BytesMut) -> Result<Option<Message>, Error> {
        let Some(stream) = self.streams.get_mut(open.stream) else { return Ok(None) };
        let len = stream.header.len;
        if stream.partial.is_none() && open.left == len && buf.len() >= len {
            let payload = take(buf, len);
            self.at += len as u64;
            self.open = None;
            return Ok(Some(stream.header.message(payload)));
        }
        let n = open.left.min(buf.len());
        let whole = self.append(open.stream, n, buf)?;
        buf.advance(n);
        self.at += n as u64;
        self.open = (n < open.left).then_some(Open { left: open.left - n, ..open });
        Ok(whole)
    }

    /// Appends the first `n` bytes of `buf` to the partial message. The message, if it is whole now.
    fn append(&mut self, index: usize, n: usize, buf: &BytesMut) -> Result<Option<Message>, Error> {
        let (Some(stream), Some(bytes)) = (self.streams.get_mut(index), buf.get(..n)) else {
            return Ok(None);
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        let len = stream.header.len;
        let mut partial = match stream.partial.take() {
            Some(partial) => partial,
            None if self.partials >= self.limits.max_partial_messages => {
                return Err(Error::PartialMessages { limit: self.limits.max_partial_messages, at: self.at });
            }
            None => {
                self.partials += 1;
                Vec::new()
            }
        };
        let capacity = partial.capacity();
        let limit = self.limits.max_partial_bytes;
        if grow(&mut partial, n, len, limit - self.reserved).is_none() {
            self.partials -= 1;
            self.reserved -= capacity;
            return Err(Error::PartialBytes { limit, at: self.at });
        }
        self.reserved += partial.capacity() - capacity;
        partial.extend_from_slice(bytes);
        if partial.len() < len {
            stream.partial = Some(partial);
            return Ok(None);
        }
        self.partials -= 1;
        self.reserved -= partial.capacity();
        Ok(Some(stream.header.message(partial.into())))
    }

    fn drop_partial(&mut self, index: usize) {
        if let Some(partial) = self.streams.get_mut(index).and_then(|stream| stream.partial.take()) {
            self.partials -= 1;
            self.reserved -= partial.capacity();
        }
    }

    fn set_chunk_size(&mut self, message: &Message) -> Result<(), Error> {
        let size = self.control_u32(message)?;
        if size == 0 || size > self.limits.max_chunk_size {
            return Err(Error::ChunkSize { size, at: self.at });
        }
        self.chunk_size = size as usize;
        Ok(())
    }

    fn abort(&mut self, message: &Message) -> Result<(), Error> {
        let csid = self.control_u32(message)?;
        if let Some(index) = self.streams.iter().position(|stream| stream.csid == csid) {
            self.drop_partial(index);
        }
        Ok(())
    }

    fn control_u32(&self, message: &Message) -> Result<u32, Error> {
        let &Message { kind, ref payload, .. } = message;
        let value = payload.first_chunk().copied().map(u32::from_be_bytes);
        value.ok_or(Error::Control { kind, size: payload.len(), at: self.at })
    }

    /// Chunk streams remembered, partial messages, and the bytes reserved for them.
    #[cfg(test)]
    pub(crate) fn holds(&self) -> (usize, usize, usize) {
        let capacity = |stream: &Stream| stream.partial.as_ref().map(Vec::capacity);
        let partials: Vec<usize> = self.streams.iter().filter_map(capacity).collect();
        assert_eq!((partials.len(), partials.iter().sum()), (self.partials, self.reserved));
        (self.streams.len(), self.partials, self.reserved)
    }
}

impl Limits {
    /// The most bytes of a message of type `kind`.
    fn of(&self, kind: u8) -> usize {
        match kind {
            kind::SET_CHUNK_SIZE..=kind::SET_PEER_BANDWIDTH => self.max_control_message,
            kind::AUDIO | kind::VIDEO | kind::AGGREGATE => self.max_media_message,
            _ => self.max_command_message,
        }
    }
}

/// Makes room for `n` more bytes of a message of `len`, within `budget` bytes: room for all of a small message at
/// once, and for a large one as much again as came so far.
fn grow(partial: &mut Vec<u8>, n: usize, len: usize, budget: usize) -> Option<()> {
    let capacity = partial.capacity();
    let need = partial.len() + n;
    if need > capacity {
        let target = need.max(2 * capacity).max(RESERVE_FIRST).min(len);
        if target - capacity > budget {
            return None;
        }
        partial.reserve_exact(target - partial.len());
    }
    Some(())
}

fn take(buf: &mut BytesMut, len: usize) -> Bytes {
    if len >= COPY_BELOW {
        return buf.split_to(len).freeze();
    }
    let payload = buf.get(..len).map(Bytes::copy_from_slice).unwrap_or_default();
    buf.advance(len);
    payload
}
