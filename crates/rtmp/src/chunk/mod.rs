//! Chunks (RTMP 1.0 §5.3): messages cut into pieces, and pieces put together.

mod header;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use bytes::Bytes;

pub use reader::Reader;
pub use writer::{Format, Writer};

/// Bytes of a chunk's payload until SetChunkSize says otherwise (RTMP 1.0 §5.4.1).
pub const DEFAULT_CHUNK_SIZE: u32 = 128;

/// The value of a 24 bit timestamp that says: it is in the 32 bit after the header (RTMP 1.0 §5.3.1.3).
const EXTENDED: u32 = 0xff_ffff;

/// A message of any type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Message type id: one of [`kind`].
    pub kind: u8,
    /// Message stream id; 0 for control and for commands of the connection.
    pub stream: u32,
    /// Milliseconds; wraps.
    pub timestamp: u32,
    /// The message's bytes.
    pub payload: Bytes,
}

/// Message type ids (RTMP 1.0 §5.4, §7.1).
pub mod kind {
    /// Bytes of a chunk's payload from now on.
    pub const SET_CHUNK_SIZE: u8 = 1;
    /// Drop the unfinished message of a chunk stream.
    pub const ABORT: u8 = 2;
    /// So many bytes arrived.
    pub const ACKNOWLEDGEMENT: u8 = 3;
    /// Stream begin, ping and others.
    pub const USER_CONTROL: u8 = 4;
    /// Acknowledge after so many bytes.
    pub const WINDOW_ACK_SIZE: u8 = 5;
    /// Send so many bytes without an acknowledgement.
    pub const SET_PEER_BANDWIDTH: u8 = 6;
    /// Sound.
    pub const AUDIO: u8 = 8;
    /// Pictures.
    pub const VIDEO: u8 = 9;
    /// AMF3 data; in the field a 0 and then AMF0.
    pub const DATA_AMF3: u8 = 15;
    /// AMF3 command; in the field a 0 and then AMF0.
    pub const COMMAND_AMF3: u8 = 17;
    /// AMF0 data.
    pub const DATA: u8 = 18;
    /// AMF0 command.
    pub const COMMAND: u8 = 20;
    /// Several messages in one.
    pub const AGGREGATE: u8 = 22;
}
