//! AV1: configuration records (AV1-ISOBMFF §2.3), OBUs in the low-overhead format (AV1 §5.2), sequence headers
//! (§5.5) and the beginnings of frame headers (§5.9.2).

mod obu;
mod record;
mod sequence;
#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes};
use media::{Av1, Picture};

pub use obu::{OBU_FRAME, OBU_FRAME_HEADER, OBU_SEQUENCE_HEADER, OBU_TEMPORAL_DELIMITER, Obu, Obus, obus};
pub use record::{config, config_obus};

use crate::Error;
use crate::bits::Bits;

/// Whether decoding may start at a temporal unit: its first frame is a shown key frame (AV1-ISOBMFF §2.5). False
/// when its framing is broken anywhere.
pub fn is_key(unit: &Bytes) -> bool {
    let (mut reduced, mut key) = (false, None);
    for obu in obus(unit) {
        match obu {
            Ok(obu) if obu.kind == OBU_SEQUENCE_HEADER => {
                reduced = sequence::read(&obu.payload).is_ok_and(|sequence| sequence.reduced_still_picture);
            }
            Ok(obu) if matches!(obu.kind, OBU_FRAME | OBU_FRAME_HEADER) && key.is_none() => {
                key = Some(reduced || shows_key_frame(&obu.payload).unwrap_or(false));
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    key.unwrap_or(false)
}

/// The first fields of uncompressed_header() (AV1 §5.9.2) outside of a reduced still picture.
fn shows_key_frame(header: &[u8]) -> Result<bool, Error> {
    let mut bits = Bits::plain("AV1 frame header", header);
    let show_existing_frame = bits.flag()?;
    let frame_type = bits.u(2)?;
    Ok(!show_existing_frame && frame_type == 0 && bits.flag()?) // KEY_FRAME, show_frame
}

/// Whether a temporal unit has a sequence header.
pub fn has_sequence_header(unit: &Bytes) -> bool {
    obus(unit).any(|obu| obu.is_ok_and(|obu| obu.kind == OBU_SEQUENCE_HEADER))
}

/// A temporal unit without the temporal delimiters that it begins with: samples have none (AV1-ISOBMFF §2.4).
/// It shares the unit's memory.
pub fn without_delimiters(unit: &Bytes) -> Bytes {
    let mut rest = unit.clone();
    for obu in obus(unit) {
        match obu {
            Ok(obu) if obu.kind == OBU_TEMPORAL_DELIMITER => rest.advance(obu.bytes.len()),
            _ => break,
        }
    }
    rest
}

/// A key unit whose sequence header states another size than the configuration, or a frame rate or colour where
/// it has none: the configuration to use from here on, its record kept. `None` if nothing is new or it is no key
/// unit with a sequence header. What the sender said of the colour goes before what the header says.
///
/// # Errors
/// A sequence header that is not one.
pub fn with_picture(av1: &Av1, unit: &Bytes) -> Result<Option<Av1>, Error> {
    if !is_key(unit) {
        return Ok(None);
    }
    let Some(stated) = sequence::first(unit)? else { return Ok(None) };
    let Picture { width, height, frame_rate, colour, .. } = stated;
    let mut picture = Picture { width, height, ..av1.picture };
    picture.frame_rate = picture.frame_rate.or(frame_rate);
    picture.colour = picture.colour.or(colour);
    Ok((picture != av1.picture).then(|| Av1 { record: av1.record.clone(), picture }))
}
