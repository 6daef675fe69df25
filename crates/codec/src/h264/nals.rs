use bytes::Bytes;

use super::NAL_IDR;
use crate::nal;

/// nal_unit_type of a NAL unit; `None` when it has no bytes.
pub fn nal_type(nal: &[u8]) -> Option<u8> {
    nal.first().map(|header| header & 0x1F)
}

/// Whether an access unit has a slice of an IDR picture (packaging-rules C-05). False when its framing is
/// broken anywhere, so that no decoder is sent to start at it.
pub fn is_idr(data: &Bytes, length_size: u8) -> bool {
    nal::any(data, length_size, |nal| nal_type(nal) == Some(NAL_IDR))
}

/// [`nal::units`] of an H.264 access unit.
pub fn nals(data: &Bytes, length_size: u8) -> nal::Units {
    nal::units(data, length_size)
}
