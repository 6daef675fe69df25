//! FLV, ISO BMFF and MPEG-TS: tags, boxes, packets.
#![deny(clippy::indexing_slicing)]

/// Media that a container cannot hold, or bytes that are not the container they should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The codec's own framing is broken.
    #[error(transparent)]
    Codec(#[from] codec::Error),
}
