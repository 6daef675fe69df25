//! MP3: headers of MPEG audio frames (ISO/IEC 11172-3 §2.4.1.3, ISO/IEC 13818-3 §2.4.2.3).

#[cfg(test)]
mod tests;

use media::Mp3;

use crate::Error;
use crate::bits::Bits;

const WHAT: &str = "MP3 frame";
/// ID of MPEG-1; 2 is MPEG-2 and 0 what is called MPEG-2.5, with half and a quarter of the sampling rates.
const MPEG_1: u32 = 3;
const MPEG_2: u32 = 2;
/// Layer III.
const LAYER_III: u32 = 1;
/// mode of one channel.
const MONO: u32 = 3;

/// Reads the header of a layer III frame.
///
/// # Errors
/// Fewer than 4 bytes, no sync word, another layer, or a reserved version, bit rate or sampling rate.
pub fn config(frame: &[u8]) -> Result<Mp3, Error> {
    let mut bits = Bits::plain(WHAT, frame);
    let sync = bits.u(11)?;
    let (version, layer) = (bits.u(2)?, bits.u(2)?);
    bits.skip(1)?; // protection_bit
    let bit_rate = bits.u(4)?;
    let rate = bits.u(2)?;
    bits.skip(2)?; // padding_bit, private_bit
    let channels = if bits.u(2)? == MONO { 1 } else { 2 };
    if sync != 0x7FF || layer != LAYER_III || bit_rate == 15 {
        return Err(Error::Invalid { what: WHAT, at: 0 });
    }
    let sample_rate = match rate {
        0 => 44_100,
        1 => 48_000,
        2 => 32_000,
        _ => return Err(Error::Invalid { what: WHAT, at: 2 }),
    };
    match version {
        MPEG_1 => Ok(Mp3 { sample_rate, channels, frame_samples: 1_152 }),
        MPEG_2 => Ok(Mp3 { sample_rate: sample_rate / 2, channels, frame_samples: 576 }),
        0 => Ok(Mp3 { sample_rate: sample_rate / 4, channels, frame_samples: 576 }),
        _ => Err(Error::Invalid { what: WHAT, at: 1 }),
    }
}
