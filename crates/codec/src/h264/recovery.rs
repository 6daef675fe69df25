use bytes::Bytes;

use super::{NAL_IDR, nal_type};
use crate::bits::Bits;
use crate::{Error, nal};

/// nal_unit_type of a slice of a picture that is no IDR picture, whole or its first partition.
const NAL_SLICE: u8 = 1;
const NAL_PARTITION_A: u8 = 2;
/// nal_unit_type of supplemental enhancement information.
const NAL_SEI: u8 = 6;
/// payloadType of a recovery point (ITU-T H.264 §D.1.8).
const RECOVERY_POINT: u32 = 6;
/// How much of a unit of supplemental information is read: what is about the picture comes before what a user put in.
const MAX_SEI: usize = 4_096;
/// slice_type of slices without references, modulo 5 (ITU-T H.264 table 7-6).
const I: u32 = 2;
const SI: u32 = 4;

/// recovery_frame_cnt of an access unit that is no IDR picture, but at which decoding can start: after so many frames
/// what is shown is right (ITU-T H.264 §D.2.8). 0: it is right from this picture on, in the order in which pictures are
/// shown. That is an I picture where an open GOP begins; more than 0 where pictures are refreshed bit by bit.
///
/// Not all encoders send the message. `flagged`: the sender says that decoding can start here, which is believed of a
/// picture of I slices. `None` when the framing is broken anywhere, so that no decoder is sent to start at it.
pub fn recovery(data: &Bytes, length_size: u8, flagged: bool) -> Option<u16> {
    let (mut stated, mut pictured) = (None, false);
    for unit in nal::units(data, length_size) {
        let unit = unit.ok()?;
        match nal_type(&unit)? {
            NAL_IDR => return None,
            NAL_SEI if !pictured => stated = stated.or_else(|| recovery_frame_cnt(&unit)),
            NAL_SLICE | NAL_PARTITION_A => {
                pictured = true;
                if stated.is_none() && !(flagged && is_intra(&unit).ok()?) {
                    return None;
                }
            }
            _ => {}
        }
    }
    stated.or(Some(0)).filter(|_| pictured)
}

/// Of the recovery point message in a unit of supplemental information, if there is one (ITU-T H.264 §7.3.2.3).
fn recovery_frame_cnt(unit: &[u8]) -> Option<u16> {
    let unit = unit.get(..MAX_SEI).unwrap_or(unit);
    let mut bits = Bits::nal("SEI", unit);
    bits.skip(8).ok()?;
    loop {
        let (kind, size) = (number(&mut bits).ok()?, number(&mut bits).ok()?);
        if kind == RECOVERY_POINT {
            return u16::try_from(bits.ue().ok()?).ok();
        }
        bits.skip(size.checked_mul(8)?).ok()?;
    }
}

/// A payloadType or payloadSize: bytes of 255 and one that is less, added up.
fn number(bits: &mut Bits<'_>) -> Result<u32, Error> {
    let mut number = 0;
    loop {
        let byte = u32::from(bits.u8()?);
        number += byte;
        if byte < 255 {
            return Ok(number);
        }
    }
}

/// Whether a slice needs no other picture (ITU-T H.264 §7.3.3).
fn is_intra(slice: &[u8]) -> Result<bool, Error> {
    let mut bits = Bits::nal("slice header", slice);
    bits.skip(8)?;
    bits.ue()?; // first_mb_in_slice
    Ok(matches!(bits.ue()? % 5, I | SI))
}
