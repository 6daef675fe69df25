//! Pictures from access units; the only crate that links FFmpeg.
//!
//! A snapshot is one key frame: a decoder is opened for it, fed, drained and dropped. Opening costs about a
//! millisecond, while a decoder kept open per stream would hold 4 to 16 MiB for nothing.
//!
//! Colours are those of the stream's matrix and range; HDR is not tone-mapped, so PQ and HLG pictures look flat.

#![deny(clippy::indexing_slicing)]

mod decode;
mod error;
mod jpeg;
mod matrix;
mod pictures;
mod planes;

pub use decode::MAX_SIDE;
pub use error::{Busy, Error};
pub use jpeg::QUALITY;
pub use pictures::Pictures;

use bytes::Bytes;
use media::Codec;

/// The JPEG of a key frame as [`media::Packet`] holds it, in the picture's own size. Takes some ten
/// milliseconds of a core: call it where that does not matter; [`Pictures`] does.
///
/// # Errors
/// Whatever [`Error`] names; the stream itself may be fine for other decoders.
pub fn snapshot(codec: &Codec, data: &Bytes) -> Result<Bytes, Error> {
    let frame = decode::picture(codec, data)?;
    let pixels = planes::Planes::of(&frame)?.to_jfif(matrix::Conversion::of(&frame));
    jpeg::encode(frame.width(), frame.height(), &pixels)
}

#[cfg(test)]
mod tests;
