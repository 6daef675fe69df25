use bytes::Bytes;
use media::H264;

use super::sps::picture;
use crate::Error;

const WHAT: &str = "AVCDecoderConfigurationRecord";

/// Every parameter set of a record, in its order, each with its NAL unit header. They share the record's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSets {
    /// Sequence parameter sets.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets.
    pub pps: Vec<Bytes>,
}

/// Reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1) and the picture format of its first
/// SPS. The record is copied, so that it doesn't pin the buffer it was read into.
///
/// # Errors
/// A version other than 1, a NAL unit length of 3 bytes, no SPS, or a first SPS that [`picture`] refuses.
pub fn config(record: &Bytes) -> Result<H264, Error> {
    let sets = parameter_sets(record)?;
    let sps = sets.sps.first().ok_or(Error::Invalid { what: WHAT, at: 5 })?;
    let length_size = match byte(record, 4)? & 3 {
        0 => 1,
        1 => 2,
        3 => 4,
        _ => return Err(Error::Invalid { what: WHAT, at: 4 }),
    };
    Ok(H264 { record: Bytes::copy_from_slice(record), length_size, picture: picture(sps)? })
}

/// The parameter sets of an AVCDecoderConfigurationRecord. What follows them (chroma format, bit depths,
/// SPS extensions) is left unread: many encoders leave it out.
///
/// # Errors
/// A version other than 1, or a set that reaches beyond the record.
pub fn parameter_sets(record: &Bytes) -> Result<ParameterSets, Error> {
    if byte(record, 0)? != 1 {
        return Err(Error::Invalid { what: WHAT, at: 0 });
    }
    let mut at = 5;
    let count = byte(record, at)? & 0x1F;
    at += 1;
    let sps = sets(record, &mut at, count)?;
    let count = byte(record, at)?;
    at += 1;
    let pps = sets(record, &mut at, count)?;
    Ok(ParameterSets { sps, pps })
}

fn sets(record: &Bytes, at: &mut usize, count: u8) -> Result<Vec<Bytes>, Error> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let length = usize::from(u16::from_be_bytes([byte(record, *at)?, byte(record, *at + 1)?]));
        let (start, end) = (*at + 2, *at + 2 + length);
        if end > record.len() {
            return Err(Error::Truncated { what: WHAT, at: record.len() });
        }
        if length > 0 {
            sets.push(record.slice(start..end));
        }
        *at = end;
    }
    Ok(sets)
}

fn byte(record: &Bytes, at: usize) -> Result<u8, Error> {
    record.get(at).copied().ok_or(Error::Truncated { what: WHAT, at: record.len() })
}
