//! What the video usability information of H.264 and H.265 has in common (annex E of both).

use media::{Colour, Ratio};

use crate::Error;
use crate::bits::Bits;

/// Table E-1 of both: aspect_ratio_idc 1 to 16.
const SAMPLE_ASPECTS: [(u32, u32); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];
const EXTENDED_SAR: u8 = 255;
const SQUARE: Ratio = Ratio { num: 1, den: 1 };

/// aspect_ratio_idc and, if it says so, the numbers themselves.
pub(crate) fn sample_aspect(bits: &mut Bits<'_>) -> Result<Ratio, Error> {
    let idc = bits.u8()?;
    let (num, den) = match idc {
        EXTENDED_SAR => (bits.u(16)?, bits.u(16)?),
        _ => {
            usize::from(idc).checked_sub(1).and_then(|row| SAMPLE_ASPECTS.get(row)).copied().unwrap_or((1, 1))
        }
    };
    Ok(ratio(u64::from(num), u64::from(den)).unwrap_or(SQUARE))
}

/// video_format to matrix_coefficients.
pub(crate) fn colour(bits: &mut Bits<'_>) -> Result<Option<Colour>, Error> {
    bits.skip(3)?; // video_format
    let full_range = bits.flag()?;
    if !bits.flag()? {
        return Ok(stated(Colour { full_range, ..UNSPECIFIED }));
    }
    Ok(stated(Colour { primaries: bits.u8()?, transfer: bits.u8()?, matrix: bits.u8()?, full_range }))
}

/// What a stream that says nothing of its colours means (ITU-T H.273): code points of 2 and the usual range.
pub(crate) const UNSPECIFIED: Colour = Colour { primaries: 2, transfer: 2, matrix: 2, full_range: false };

/// The colours, or `None` when that says nothing.
pub(crate) fn stated(colour: Colour) -> Option<Colour> {
    (colour != UNSPECIFIED).then_some(colour)
}

/// A rational number in lowest terms; `None` when a side is 0 or too large.
pub(crate) fn ratio(num: u64, den: u64) -> Option<Ratio> {
    if num == 0 || den == 0 {
        return None;
    }
    let (mut a, mut b) = (num, den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Some(Ratio { num: u32::try_from(num / a).ok()?, den: u32::try_from(den / a).ok()? })
}
