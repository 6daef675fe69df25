//! FLV, ISO BMFF and MPEG-TS: tags, boxes, packets.
#![deny(clippy::indexing_slicing)]

pub mod amf0;
pub mod flv;
pub mod mp4;
mod nal;
pub mod ts;

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
    /// A box that can't be written.
    #[error("ISO BMFF: {0}")]
    Mp4(#[from] mp4_atom::Error),
    /// A file that could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file is not fragmented MP4 as [`mp4::movie`] and [`mp4::fragment`] write it.
    #[error("fragmented MP4: {what} at byte {at}")]
    Fragmented {
        /// What is wrong.
        what: &'static str,
        /// Byte offset in the file.
        at: u64,
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
    /// A codec, or a form of it, that has no place in the container.
    #[error("{container} cannot carry {codec}")]
    Unsupported {
        /// RFC 6381 string of the codec.
        codec: String,
        /// The container.
        container: &'static str,
    },
    /// No track, or more than one of a kind.
    #[error("{container} takes one video and one audio track, or one of them")]
    Tracks {
        /// The container.
        container: &'static str,
    },
    /// A packet of a track that the container was not told of.
    #[error("{container} has no such track")]
    NoTrack {
        /// The container.
        container: &'static str,
    },
}
