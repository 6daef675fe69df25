use bytes::{Buf, Bytes};

use crate::Error;
use crate::chunk::Message;

/// Bytes before and after the payload of a message inside (RTMP 1.0 §7.1.6): those of an FLV tag.
const HEAD: usize = 11;
const BACK_POINTER: usize = 4;

/// The most messages of one aggregate; beyond it is an error, so that 8 MiB of empty messages do not become
/// half a million events.
const MAX_MESSAGES: usize = 4096;

/// The messages inside of an aggregate message (type 22), sharing its payload. They are of its message stream,
/// and their timestamps are moved so that the first one has the aggregate's (RTMP 1.0 §7.1.6).
///
/// Errors: a message that is cut, or more than 4,096 of them. Nothing of a broken aggregate is used.
pub fn split(aggregate: &Message) -> Result<Vec<Message>, Error> {
    let mut rest = aggregate.payload.clone();
    let mut messages = Vec::new();
    let mut first = None;
    while !rest.is_empty() {
        let at = aggregate.payload.len() - rest.len();
        let (kind, timestamp, payload) = take(&mut rest).ok_or(Error::Aggregate { at })?;
        if messages.len() == MAX_MESSAGES {
            return Err(Error::Aggregate { at });
        }
        let offset = timestamp.wrapping_sub(*first.get_or_insert(timestamp));
        let timestamp = aggregate.timestamp.wrapping_add(offset);
        messages.push(Message { kind, stream: aggregate.stream, timestamp, payload });
    }
    Ok(messages)
}

fn take(rest: &mut Bytes) -> Option<(u8, u32, Bytes)> {
    let &[kind, s2, s1, s0, t2, t1, t0, t3, _, _, _] = rest.first_chunk::<HEAD>()?;
    let size = usize::try_from(u32::from_be_bytes([0, s2, s1, s0])).ok()?;
    if rest.len() < HEAD + size {
        return None;
    }
    rest.advance(HEAD);
    let payload = rest.split_to(size);
    // the back pointer repeats the length; some senders leave out the last one
    rest.advance(rest.len().min(BACK_POINTER));
    Some((kind, u32::from_be_bytes([t3, t2, t1, t0]), payload))
}
