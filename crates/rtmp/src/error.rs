use container::amf0;

/// Why a connection cannot go on. `at` counts the bytes of chunks before the offending one, handshake left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first byte of the connection is not version 3: not RTMP, or RTMPE.
    #[error("handshake of version {version}, only 3 is spoken")]
    Version {
        /// That byte.
        version: u8,
    },
    /// A handshake packet was refused.
    #[error("handshake failed after {at} bytes")]
    Handshake {
        /// Bytes of the handshake taken.
        at: usize,
    },
    /// A chunk refers to the header of a chunk stream that had none.
    #[error("chunk of type {format} on chunk stream {csid} without a header before it, at byte {at}")]
    NoHeader {
        /// Chunk type 2 or 3.
        format: u8,
        /// The chunk stream.
        csid: u32,
        /// Where the chunk begins.
        at: u64,
    },
    /// More chunk streams than [`crate::Limits::max_chunk_streams`].
    #[error("more than {limit} chunk streams, at byte {at}")]
    ChunkStreams {
        /// The limit.
        limit: usize,
        /// Where the chunk begins.
        at: u64,
    },
    /// A chunk size of 0, or over [`crate::Limits::max_chunk_size`].
    #[error("chunk size of {size} bytes, at byte {at}")]
    ChunkSize {
        /// What the client announced.
        size: u32,
        /// Where the message ends.
        at: u64,
    },
    /// A message longer than its type may be.
    #[error("message of type {kind} with {size} bytes, the most is {limit}, at byte {at}")]
    MessageSize {
        /// Message type.
        kind: u8,
        /// Declared length.
        size: usize,
        /// The limit for its type.
        limit: usize,
        /// Where the chunk begins.
        at: u64,
    },
    /// More unfinished messages than [`crate::Limits::max_partial_messages`].
    #[error("more than {limit} unfinished messages, at byte {at}")]
    PartialMessages {
        /// The limit.
        limit: usize,
        /// Where the payload of the one too many begins.
        at: u64,
    },
    /// Unfinished messages want more memory than [`crate::Limits::max_partial_bytes`].
    #[error("unfinished messages of more than {limit} bytes, at byte {at}")]
    PartialBytes {
        /// The limit.
        limit: usize,
        /// Where the payload begins that does not fit.
        at: u64,
    },
    /// A protocol control message too short for its type.
    #[error("control message of type {kind} with {size} bytes, at byte {at}")]
    Control {
        /// Message type.
        kind: u8,
        /// Its length.
        size: usize,
        /// Where the message ends.
        at: u64,
    },
    /// A command or data message beyond the bounds of AMF0.
    #[error(transparent)]
    Amf(#[from] amf0::Error),
    /// An aggregate message that does not split into whole messages.
    #[error("aggregate message broken at its byte {at}")]
    Aggregate {
        /// Byte offset in the message.
        at: usize,
    },
    /// A command that needs `connect` before it.
    #[error("command before connect")]
    NotConnected,
    /// More commands than [`crate::Limits::max_commands`] before a publish was accepted.
    #[error("more than {limit} commands before a publish")]
    Commands {
        /// The limit.
        limit: usize,
    },
    /// More message streams than [`crate::Limits::max_streams`].
    #[error("more than {limit} message streams")]
    Streams {
        /// The limit.
        limit: usize,
    },
    /// More media before the answer to a publish than [`crate::Limits::max_queued_bytes`].
    #[error("more than {limit} bytes of media before the publish was answered")]
    Queued {
        /// The limit.
        limit: usize,
    },
}
