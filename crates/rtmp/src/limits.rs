/// What one connection may make the server hold (design §10). Beyond any of them [`crate::Server::input`]
/// returns an error and the connection is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an audio, video or aggregate message.
    pub max_media_message: usize,
    /// Bytes of a command, data or shared object message, and of one of unknown type.
    pub max_command_message: usize,
    /// Bytes of a protocol control message (types 1 to 6).
    pub max_control_message: usize,
    /// Bytes of a chunk's payload that the client may announce, at least 1.
    pub max_chunk_size: u32,
    /// Chunk streams with a header to remember.
    pub max_chunk_streams: usize,
    /// Messages of which some chunks are still to come.
    pub max_partial_messages: usize,
    /// Bytes reserved for them together.
    pub max_partial_bytes: usize,
    /// Message streams a client may have open.
    pub max_streams: usize,
    /// Commands a client may send before a publish is accepted.
    pub max_commands: usize,
    /// Bytes of media, 64 per message added, that wait for the answer to a publish.
    pub max_queued_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_media_message: 8 << 20,
            max_command_message: 64 << 10,
            max_control_message: 64,
            max_chunk_size: 0xff_ffff,
            max_chunk_streams: 64,
            max_partial_messages: 8,
            max_partial_bytes: 16 << 20,
            max_streams: 8,
            max_commands: 64,
            max_queued_bytes: 16 << 20,
        }
    }
}
