//! Opus: identification headers (RFC 7845 §5.1), the durations of packets (RFC 6716 §3), the payload of `dOps`
//! (Opus in ISOBMFF §4.3.2).

#[cfg(test)]
mod tests;

use bytes::Bytes;
use media::Opus;

use crate::Error;
use crate::bits::Bits;

const WHAT: &str = "OpusHead";
const MAGIC: &[u8] = b"OpusHead";
/// Where the channel mapping family is; its table, if any, follows.
const FAMILY: usize = 18;
/// Samples of the longest packet, 120 ms (RFC 6716 §3.2.5).
const MAX_SAMPLES: u32 = 5_760;

/// Reads an OpusHead with its magic. The head is copied, so that it doesn't pin the buffer it was read into.
///
/// # Errors
/// Another magic, a major version other than 0, no channels, or a channel mapping that the family does not allow
/// or that names streams which are not there.
pub fn config(head: &Bytes) -> Result<Opus, Error> {
    if !head.starts_with(MAGIC) {
        return Err(Error::Invalid { what: WHAT, at: 0 });
    }
    let mut bits = Bits::plain(WHAT, head);
    bits.skip(8 * MAGIC.len() as u32)?;
    if bits.u8()? >> 4 != 0 {
        return Err(bits.invalid());
    }
    let channels = bits.u8()?;
    let pre_skip = u16::from_le_bytes([bits.u8()?, bits.u8()?]);
    bits.skip(32 + 16)?; // input sample rate, output gain
    check_mapping(&mut bits, channels)?;
    Ok(Opus { head: Bytes::copy_from_slice(head), channels, pre_skip })
}

/// The channel mapping (RFC 7845 §5.1.1). Family 3 has a matrix in the place of the table (RFC 8486 §3.2), which
/// `dOps` cannot carry.
fn check_mapping(bits: &mut Bits<'_>, channels: u8) -> Result<(), Error> {
    let family = bits.u8()?;
    match (family, channels) {
        (0, 1 | 2) => return Ok(()),
        (0 | 3, _) | (_, 0) => return Err(bits.invalid()),
        _ => {}
    }
    let (streams, coupled) = (u16::from(bits.u8()?), u16::from(bits.u8()?));
    let decoded = streams + coupled;
    if streams == 0 || coupled > streams || decoded > 255 {
        return Err(bits.invalid());
    }
    for _ in 0..channels {
        let stream = u16::from(bits.u8()?);
        if stream >= decoded && stream != 255 {
            return Err(bits.invalid());
        }
    }
    Ok(())
}

/// The payload of a `dOps` box: the head without its magic, version 0, its numbers big-endian.
pub fn dops(opus: &Opus) -> Vec<u8> {
    let head = opus.head.get(MAGIC.len()..).unwrap_or_default();
    // version, channels, pre-skip, input sample rate, output gain, family
    let swapped = [0, 1, 3, 2, 7, 6, 5, 4, 9, 8, 10].map(|at: usize| head.get(at).copied().unwrap_or(0));
    let mut dops = swapped.to_vec();
    if let Some(version) = dops.first_mut() {
        *version = 0;
    }
    if opus.head.get(FAMILY).is_some_and(|family| *family != 0) {
        let table = FAMILY + 1..FAMILY + 3 + usize::from(opus.channels);
        dops.extend_from_slice(opus.head.get(table).unwrap_or_default());
    }
    dops
}

/// Samples at 48 kHz of a packet, from its table-of-contents byte and frame count; of several streams, those of
/// the first, which are those of each (RFC 7845 §3). `None` without a byte, without a frame, or beyond 120 ms.
pub fn samples(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3F),
    };
    let samples = frames * frame_samples(toc >> 3);
    (1..=MAX_SAMPLES).contains(&samples).then_some(samples)
}

/// Samples of a frame of each configuration (RFC 6716 table 2).
fn frame_samples(config: u8) -> u32 {
    match (config, config & 3) {
        (0..=11, 3) => 2_880, // SILK: 10, 20, 40, 60 ms
        (0..=11, size) => 480 << size,
        (12..=15, size) => 480 << (size & 1), // hybrid: 10, 20 ms
        (_, size) => 120 << size,             // CELT: 2.5, 5, 10, 20 ms
    }
}
