//! Parameter sets, framing, RFC 6381 strings.
#![deny(clippy::indexing_slicing)]

/// Bytes that are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end too early.
    #[error("{what} ends at byte {at}")]
    Truncated {
        /// What was read.
        what: &'static str,
        /// Byte offset in it.
        at: usize,
    },
    /// A value that the format does not allow.
    #[error("{what} is invalid at byte {at}")]
    Invalid {
        /// What was read.
        what: &'static str,
        /// Byte offset in it.
        at: usize,
    },
}

/// RFC 6381 string of a codec.
pub fn rfc6381(codec: &media::Codec) -> String {
    format!("{codec:?}")
}
