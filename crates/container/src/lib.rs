//! FLV, ISO BMFF and MPEG-TS: tags, boxes, packets.
#![deny(clippy::indexing_slicing)]

pub mod amf0;
pub mod flv;

/// Media that a container cannot hold, or bytes that are not the container they should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The codec's own framing is broken.
    #[error(transparent)]
    Codec(#[from] codec::Error),
    /// A message or tag is not AMF0, or too much of it.
    #[error(transparent)]
    Amf(#[from] amf0::Error),
    /// A payload or a file is not FLV.
    #[error("FLV: {what} is cut or invalid at byte {at}")]
    Flv {
        /// What was read.
        what: &'static str,
        /// Byte offset in the payload or file.
        at: usize,
    },
    /// More bytes than the format can say the length of.
    #[error("{what} of {size} bytes, the most is {limit}")]
    TooLarge {
        /// What was written.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The most bytes it can have.
        limit: usize,
    },
}
