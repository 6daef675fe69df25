use bytes::Bytes;
use media::{Av1, Picture};

use super::sequence;
use crate::Error;

const WHAT: &str = "AV1CodecConfigurationRecord";
/// marker 1, version 1.
const VERSION: u8 = 0x81;
/// Bytes before configOBUs.
const FIXED: usize = 4;

/// Reads an AV1CodecConfigurationRecord (AV1-ISOBMFF §2.3) and the picture that the sequence header of its
/// configOBUs states: 0 × 0 if it has none, until [`super::with_picture`] has seen a key unit. The record is
/// copied, so that it doesn't pin the buffer it was read into.
///
/// # Errors
/// Fewer than 4 bytes, a version other than 1, or OBUs that are not any.
pub fn config(record: &Bytes) -> Result<Av1, Error> {
    if record.len() < FIXED {
        return Err(Error::Truncated { what: WHAT, at: record.len() });
    }
    if record.first() != Some(&VERSION) {
        return Err(Error::Invalid { what: WHAT, at: 0 });
    }
    let picture = sequence::first(&config_obus(record))?.unwrap_or(Picture::of_size(0, 0));
    Ok(Av1 { record: Bytes::copy_from_slice(record), picture })
}

/// The configOBUs of a record: nothing, or a sequence header and metadata. They share its memory.
pub fn config_obus(record: &Bytes) -> Bytes {
    if record.len() > FIXED { record.slice(FIXED..) } else { Bytes::new() }
}
