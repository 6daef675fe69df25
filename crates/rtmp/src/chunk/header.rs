use bytes::Bytes;

use super::{EXTENDED, Message};

/// A message header with everything that was left out filled in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Header {
    pub kind: u8,
    pub len: usize,
    stream: u32,
    timestamp: u32,
    /// What a type 3 chunk that begins a message adds.
    delta: u32,
    /// The extended timestamp, if the last header had one.
    extended: Option<u32>,
    /// Whether the last header was of type 0.
    absolute: bool,
}

impl Header {
    /// The message of this header.
    pub fn message(&self, payload: Bytes) -> Message {
        Message { kind: self.kind, stream: self.stream, timestamp: self.timestamp, payload }
    }
}

/// Chunk type, chunk stream and what follows the basic header (RTMP 1.0 §5.3.1.1).
pub(super) fn basic(bytes: &[u8]) -> Option<(u8, u32, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let format = first >> 6;
    match first & 0x3f {
        0 => rest.split_first().map(|(&id, rest)| (format, 64 + u32::from(id), rest)),
        1 => {
            rest.split_first_chunk().map(|(&id, rest)| (format, 64 + u32::from(u16::from_le_bytes(id)), rest))
        }
        id => Some((format, id.into(), rest)),
    }
}

/// Reads a message header of type 0 to 3 that begins a message, on top of the one before it.
///
/// With type 3 the delta of the last header applies, after type 0 its timestamp (RTMP 1.0 §5.3.1.2.4), as FFmpeg
/// writes it. Only if that was an extended one does it stand for itself: nobody means a step of 4.6 hours.
pub(super) fn message_header(format: u8, before: Header, rest: &[u8]) -> Option<(Header, &[u8])> {
    let mut header = before;
    let (field, rest) = match format {
        0 => {
            let (&[a, b, c, l, m, n, kind, s @ ..], rest) = rest.split_first_chunk::<11>()?;
            (header.kind, header.len) = (kind, u24([l, m, n]) as usize);
            header.stream = u32::from_le_bytes(s);
            (u24([a, b, c]), rest)
        }
        1 => {
            let (&[a, b, c, l, m, n, kind], rest) = rest.split_first_chunk::<7>()?;
            (header.kind, header.len) = (kind, u24([l, m, n]) as usize);
            (u24([a, b, c]), rest)
        }
        2 => rest.split_first_chunk().map(|(&field, rest)| (u24(field), rest))?,
        _ if before.extended.is_some() => (EXTENDED, rest),
        _ => (before.delta, rest),
    };
    let extended = field == EXTENDED;
    let (value, rest) = match extended {
        true => rest.split_first_chunk().map(|(&value, rest)| (u32::from_be_bytes(value), rest))?,
        false => (field, rest),
    };
    header.extended = extended.then_some(value);
    header.absolute = format == 0 || format == 3 && before.absolute;
    header.delta = value;
    header.timestamp = match format == 0 || extended && header.absolute {
        true => value,
        false => before.timestamp.wrapping_add(value),
    };
    Some((header, rest))
}

/// Skips the extended timestamp of a type 3 chunk that continues a message. The specification demands it, but
/// librtmp before 2024 left it out: it is there if the same four bytes are. `None` if that is not known yet.
pub(super) fn skip_extended(header: Header, rest: &[u8]) -> Option<&[u8]> {
    let Some(extended) = header.extended else { return Some(rest) };
    let expected = extended.to_be_bytes();
    match rest.strip_prefix(&expected) {
        Some(rest) => Some(rest),
        None if expected.starts_with(rest) => None,
        None => Some(rest),
    }
}

fn u24([a, b, c]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}
