use bytes::Bytes;
use media::{Colour, Picture, Vp9};

use crate::Error;
use crate::bits::Bits;
use crate::vui::stated;

const WHAT: &str = "VPCodecConfigurationRecord";
/// Version and flags of the `vpcC` box.
const VERSION_1: [u8; 4] = [1, 0, 0, 0];
/// Bytes of the record behind them, without codec initialization data, which VP9 has none of.
const RECORD: usize = 8;

/// Reads a VPCodecConfigurationRecord with the version and flags of its box, or the bare 8 bytes behind them,
/// which are completed. The record states no size: the picture is 0 × 0 until [`super::with_picture`] has seen a
/// key frame.
///
/// # Errors
/// Bytes that end too early, a version other than 1, a profile above 3, a bit depth other than 8, 10 or 12, or
/// codec initialization data.
pub fn config(record: &Bytes) -> Result<Vp9, Error> {
    let body = if record.len() == RECORD { Some(&record[..]) } else { record.strip_prefix(&VERSION_1[..]) };
    let body = body.ok_or(Error::Invalid { what: WHAT, at: 0 })?;
    let mut bits = Bits::plain(WHAT, body);
    let profile = bits.u8()?;
    bits.skip(8)?; // level
    let depth = bits.u(4)?;
    bits.skip(3)?; // chromaSubsampling
    let full_range = bits.flag()?;
    let (primaries, transfer, matrix) = (bits.u8()?, bits.u8()?, bits.u8()?);
    if profile > 3 || !matches!(depth, 8 | 10 | 12) || bits.u(16)? != 0 {
        return Err(bits.invalid());
    }
    let mut picture = Picture::of_size(0, 0);
    picture.colour = stated(Colour { primaries, transfer, matrix, full_range });
    let record = [&VERSION_1, body.get(..RECORD).unwrap_or_default()].concat();
    Ok(Vp9 { record: record.into(), picture })
}
