//! H.265 / HEVC: decoder configuration records (ISO/IEC 14496-15 §8.3.3), NAL unit types (ITU-T H.265 table
//! 7-1), sequence parameter sets (§7.3.2.2).

mod record;
mod sps;
mod syntax;
#[cfg(test)]
mod tests;
mod vps;

use bytes::Bytes;

pub use record::{ParameterSets, config, parameter_sets};
pub use sps::picture;

use crate::nal;

/// nal_unit_type of a slice of an IDR picture that may have leading pictures.
pub const NAL_IDR_W_RADL: u8 = 19;
/// nal_unit_type of a slice of an IDR picture without leading pictures.
pub const NAL_IDR_N_LP: u8 = 20;
/// nal_unit_type of a slice of a clean random access picture: where an open GOP begins.
pub const NAL_CRA: u8 = 21;
/// nal_unit_type of a video parameter set.
pub const NAL_VPS: u8 = 32;
/// nal_unit_type of a sequence parameter set.
pub const NAL_SPS: u8 = 33;
/// nal_unit_type of a picture parameter set.
pub const NAL_PPS: u8 = 34;
/// nal_unit_type of an access unit delimiter.
pub const NAL_AUD: u8 = 35;
/// nal_unit_type of an end of sequence.
pub const NAL_EOS: u8 = 36;
/// nal_unit_type of an end of bitstream.
pub const NAL_EOB: u8 = 37;
/// nal_unit_type of filler data.
pub const NAL_FILLER: u8 = 38;
/// nal_unit_type of supplemental enhancement information before the slices it is about.
pub const NAL_PREFIX_SEI: u8 = 39;

/// Slices of pictures at which decoding may start: BLA, IDR and CRA. 22 and 23 are reserved.
const NAL_BLA_W_LP: u8 = 16;

/// nal_unit_type of a NAL unit; `None` when it has no bytes.
pub fn nal_type(nal: &[u8]) -> Option<u8> {
    nal.first().map(|header| header >> 1 & 0x3F)
}

/// Whether an access unit has a slice of an intra random access point picture (ITU-T H.265 §3, IRAP): BLA, IDR
/// or CRA. CRA counts, for encoders make open GOPs by default: a decoder that starts there drops the leading
/// pictures. False when the framing is broken anywhere, so that no decoder is sent to start at it.
pub fn is_irap(data: &Bytes, length_size: u8) -> bool {
    let irap = |nal: &[u8]| nal_type(nal).is_some_and(|kind| (NAL_BLA_W_LP..=NAL_CRA).contains(&kind));
    nal::any(data, length_size, irap)
}

/// Whether it has a slice of a clean random access picture: pictures that are shown before it may need earlier ones.
/// False when the framing is broken anywhere.
pub fn is_cra(data: &Bytes, length_size: u8) -> bool {
    nal::any(data, length_size, |nal| nal_type(nal) == Some(NAL_CRA))
}
