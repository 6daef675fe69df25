use media::Aac;

use super::{LC, PS, SAMPLE_RATES, SBR};
use crate::Error;

/// Bytes of an ADTS header without a CRC.
const HEADER: usize = 7;

/// The ADTS header of one access unit of `payload_len` bytes (packaging-rules T-08, ISO/IEC 14496-3 §1.A.2.2):
/// no CRC, buffer fullness 0x7FF. HE-AAC is signalled as its core, so decoders find SBR and PS themselves.
///
/// # Errors
/// What ADTS has no code for: an object type above 4, a rate outside the table, channels other than
/// configuration 1 to 7, frames of 960 samples, and an access unit that makes 8192 bytes or more.
pub fn adts_header(aac: &Aac, payload_len: usize) -> Result<[u8; 7], Error> {
    let invalid = |what| Error::Invalid { what, at: 0 };
    let object_type = if matches!(aac.object_type, SBR | PS) { LC } else { aac.object_type };
    if !(1..=4).contains(&object_type) {
        return Err(invalid("AAC object type for ADTS"));
    }
    let rate = SAMPLE_RATES
        .iter()
        .position(|&rate| rate == aac.sample_rate)
        .ok_or(invalid("AAC sample rate for ADTS"))? as u8;
    if !(1..=7).contains(&aac.channels) {
        return Err(invalid("AAC channel configuration for ADTS"));
    }
    if aac.frame_samples != 1024 {
        return Err(invalid("AAC frame length for ADTS"));
    }
    let length = payload_len.saturating_add(HEADER);
    if length > 0x1FFF {
        return Err(invalid("AAC access unit size for ADTS"));
    }
    Ok([
        0xFF,
        0xF1, // MPEG-4, layer 0, no CRC
        (object_type - 1) << 6 | rate << 2 | aac.channels >> 2,
        (aac.channels & 3) << 6 | (length >> 11) as u8,
        (length >> 3) as u8,
        ((length & 7) << 5) as u8 | 0x1F,
        0xFC, // one raw data block
    ])
}
