//! Parameter sets, framing, RFC 6381 strings.
//!
//! Reads what a publisher sent, so every function takes any bytes: it answers with a value or an [`Error`],
//! in time proportional to the input.
#![deny(clippy::indexing_slicing)]

pub mod aac;
pub mod ac3;
pub mod av1;
mod bits;
pub mod flac;
pub mod h264;
pub mod h265;
pub mod mp3;
pub mod nal;
pub mod opus;
mod rfc6381;
#[cfg(test)]
mod samples;
mod unit;
pub mod vp9;
mod vui;

pub use rfc6381::rfc6381;
pub use unit::{is_key, parameter_sets, recovery, samples};

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

impl Error {
    /// The error of bytes that begin `offset` bytes into what was given.
    fn after(self, offset: usize) -> Self {
        match self {
            Self::Truncated { what, at } => Self::Truncated { what, at: at + offset },
            Self::Invalid { what, at } => Self::Invalid { what, at: at + offset },
        }
    }
}
