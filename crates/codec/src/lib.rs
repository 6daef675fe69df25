//! Parameter sets, framing, RFC 6381 strings.
//!
//! Reads what a publisher sent, so every function takes any bytes: it answers with a value or an [`Error`],
//! in time proportional to the input.
#![deny(clippy::indexing_slicing)]

pub mod aac;
mod bits;
pub mod h264;
mod rfc6381;

pub use rfc6381::rfc6381;

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
