use bytes::Bytes;
use media::H265;

use super::{NAL_PPS, NAL_SPS, NAL_VPS, nal_type, picture, vps};
use crate::Error;

const WHAT: &str = "HEVCDecoderConfigurationRecord";
/// Where lengthSizeMinusOne is, in the low bits.
const LENGTH_SIZE: usize = 21;
/// Where numOfArrays is.
const ARRAYS: usize = 22;

/// Every parameter set of a record, in its order, each with its NAL unit header. They share the record's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSets {
    /// Video parameter sets.
    pub vps: Vec<Bytes>,
    /// Sequence parameter sets.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets.
    pub pps: Vec<Bytes>,
}

/// Reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1) and the picture format of its first SPS;
/// the frame rate of its first VPS where the SPS states none. The record is copied, so that it doesn't pin the
/// buffer it was read into.
///
/// # Errors
/// A version other than 1, a NAL unit length of 3 bytes, no SPS, or a first SPS that [`picture`] refuses.
pub fn config(record: &Bytes) -> Result<H265, Error> {
    let sets = parameter_sets(record)?;
    let sps = sets.sps.first().ok_or(Error::Invalid { what: WHAT, at: ARRAYS })?;
    let length_size = match byte(record, LENGTH_SIZE)? & 3 {
        0 => 1,
        1 => 2,
        3 => 4,
        _ => return Err(Error::Invalid { what: WHAT, at: LENGTH_SIZE }),
    };
    let mut picture = picture(sps)?;
    if picture.frame_rate.is_none() {
        picture.frame_rate = sets.vps.first().and_then(|set| vps::frame_rate(set).ok()).flatten();
    }
    Ok(H265 { record: Bytes::copy_from_slice(record), length_size, picture })
}

/// The parameter sets of an HEVCDecoderConfigurationRecord; SEI messages and what follows the arrays are left
/// out. A set counts as what its own header says it is.
///
/// # Errors
/// A version other than 1, or a set that reaches beyond the record.
pub fn parameter_sets(record: &Bytes) -> Result<ParameterSets, Error> {
    if byte(record, 0)? != 1 {
        return Err(Error::Invalid { what: WHAT, at: 0 });
    }
    let mut sets = ParameterSets { vps: Vec::new(), sps: Vec::new(), pps: Vec::new() };
    let mut at = ARRAYS + 1;
    for _ in 0..byte(record, ARRAYS)? {
        byte(record, at)?; // array_completeness, NAL_unit_type
        let count = length(record, at + 1)?;
        at += 3;
        for _ in 0..count {
            let set = set(record, &mut at)?;
            match nal_type(&set) {
                Some(NAL_VPS) => sets.vps.push(set),
                Some(NAL_SPS) => sets.sps.push(set),
                Some(NAL_PPS) => sets.pps.push(set),
                _ => {}
            }
        }
    }
    Ok(sets)
}

/// The set at `at`, which moves behind it.
fn set(record: &Bytes, at: &mut usize) -> Result<Bytes, Error> {
    let start = *at + 2;
    let end = start + length(record, *at)?;
    if end > record.len() {
        return Err(Error::Truncated { what: WHAT, at: record.len() });
    }
    *at = end;
    Ok(record.slice(start..end))
}

fn length(record: &Bytes, at: usize) -> Result<usize, Error> {
    Ok(usize::from(u16::from_be_bytes([byte(record, at)?, byte(record, at + 1)?])))
}

fn byte(record: &Bytes, at: usize) -> Result<u8, Error> {
    record.get(at).copied().ok_or(Error::Truncated { what: WHAT, at: record.len() })
}
