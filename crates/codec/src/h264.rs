//! H.264 / AVC: decoder configuration records (ISO/IEC 14496-15 §5.3.3), length-prefixed NAL units,
//! sequence parameter sets (ITU-T H.264 §7.3.2.1), recovery points.

mod nals;
mod record;
mod recovery;
mod sps;
#[cfg(test)]
mod tests;

pub use nals::{is_idr, nal_type, nals};
pub use record::{ParameterSets, config, parameter_sets};
pub use recovery::recovery;
pub use sps::picture;

/// nal_unit_type of a coded slice of an IDR picture.
pub const NAL_IDR: u8 = 5;
/// nal_unit_type of a sequence parameter set.
pub const NAL_SPS: u8 = 7;
/// nal_unit_type of a picture parameter set.
pub const NAL_PPS: u8 = 8;
/// nal_unit_type of an access unit delimiter.
pub const NAL_AUD: u8 = 9;
/// nal_unit_type of filler data.
pub const NAL_FILLER: u8 = 12;
