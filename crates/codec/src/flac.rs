//! FLAC: STREAMINFO (RFC 9639 §8.2), frame headers (§9.1), the payload of `dfLa` (FLAC in ISOBMFF §3.3.2).

#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes};
use media::Flac;

use crate::Error;
use crate::bits::Bits;

const WHAT: &str = "FLAC configuration";
/// What a FLAC file begins with.
const MAGIC: &[u8] = b"fLaC";
/// Bytes of STREAMINFO.
const STREAM_INFO: usize = 34;
/// Block header of a STREAMINFO that is the last metadata block.
const LAST_STREAM_INFO: [u8; 4] = [0x80, 0, 0, STREAM_INFO as u8];

/// Reads a STREAMINFO: behind `fLaC` and the header of its metadata block, behind that header alone, or bare, as
/// FFmpeg sends it. Further metadata blocks are left out.
///
/// What only the end of a stream knows is set to 0, which means unknown (RFC 9639 §8.2): the sizes of the smallest
/// and largest frame, the number of samples and the checksum of all of them. Encoders send them when they end, and
/// that is no change of the configuration.
///
/// # Errors
/// Bytes that end too early, a first block that is no STREAMINFO, a sampling rate of 0, or fewer than 4 bits in
/// a sample.
pub fn config(config: &Bytes) -> Result<Flac, Error> {
    let stream_info = stream_info(config)?;
    let mut bits = Bits::plain(WHAT, &stream_info);
    bits.skip(2 * 16 + 2 * 24)?; // smallest and largest block, smallest and largest frame
    let sample_rate = bits.u(20)?;
    let channels = bits.u(3)? as u8 + 1;
    let bits_per_sample = bits.u(5)? as u8 + 1;
    if sample_rate == 0 || bits_per_sample < 4 {
        return Err(bits.invalid());
    }
    Ok(Flac { stream_info: without_outcome(&stream_info), sample_rate, channels, bits_per_sample })
}

/// A copy in which what only the end of a stream knows is 0.
fn without_outcome(stream_info: &[u8]) -> Bytes {
    let kept = |(at, byte): (usize, &u8)| match at {
        0..=3 | 10..=12 => *byte,
        13 => byte & 0xF0,
        _ => 0,
    };
    stream_info.iter().enumerate().map(kept).collect()
}

/// The 34 bytes of STREAMINFO.
fn stream_info(config: &Bytes) -> Result<Bytes, Error> {
    let mut rest = config.clone();
    let block = rest.starts_with(MAGIC) || rest.len() > STREAM_INFO;
    if rest.starts_with(MAGIC) {
        rest.advance(MAGIC.len());
    }
    if block {
        match rest.get(..4) {
            Some([0 | 0x80, 0, 0, 34]) => rest.advance(4),
            Some(_) => return Err(Error::Invalid { what: WHAT, at: config.len() - rest.len() }),
            None => return Err(Error::Truncated { what: WHAT, at: config.len() }),
        }
    }
    match rest.len() {
        STREAM_INFO.. => Ok(rest.slice(..STREAM_INFO)),
        _ => Err(Error::Truncated { what: WHAT, at: config.len() }),
    }
}

/// The payload of a `dfLa` box behind version and flags: STREAMINFO as the last metadata block.
pub fn dfla(flac: &Flac) -> Vec<u8> {
    [&LAST_STREAM_INFO, &flac.stream_info[..]].concat()
}

/// Samples of each channel in a frame, from its header (RFC 9639 §9.1). `None` without a frame header, for a
/// reserved block size, or for more channels than a FLAC stream has.
pub fn samples(flac: &Flac, frame: &[u8]) -> Option<u32> {
    let mut bits = Bits::plain("FLAC frame", frame);
    header(&mut bits, flac).ok().flatten()
}

fn header(bits: &mut Bits<'_>, flac: &Flac) -> Result<Option<u32>, Error> {
    let sync = bits.u(15)?;
    bits.skip(1)?; // blocking strategy
    let (block_size, _sample_rate) = (bits.u(4)?, bits.u(4)?);
    let channels = match bits.u(4)? {
        count @ 0..=7 => count as u8 + 1,
        8..=10 => 2, // left/side, side/right, mid/side
        _ => return Ok(None),
    };
    bits.skip(4)?; // bit depth, reserved
    if sync != 0b111_1111_1111_1100 || channels != flac.channels {
        return Ok(None);
    }
    skip_coded_number(bits)?;
    Ok(match block_size {
        0 => None,
        1 => Some(192),
        2..=5 => Some(144 << block_size),
        6 => Some(bits.u(8)? + 1),
        7 => Some(bits.u(16)? + 1).filter(|size| *size <= 65_535),
        _ => Some(1 << block_size),
    })
}

/// The number of the frame or of its first sample, in up to 7 bytes of which the first says how many
/// (RFC 9639 §9.1.5).
fn skip_coded_number(bits: &mut Bits<'_>) -> Result<(), Error> {
    let more = match bits.u8()?.leading_ones() {
        0 => 0,
        count @ 2..=7 => count - 1,
        _ => return Err(bits.invalid()),
    };
    bits.skip(8 * more)
}
