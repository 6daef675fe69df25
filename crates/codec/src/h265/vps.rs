use media::Ratio;

use super::syntax::{profile_tier_level, sub_layer_ordering, sub_layers};
use super::{NAL_VPS, nal_type};
use crate::Error;
use crate::bits::Bits;
use crate::vui::ratio;

const WHAT: &str = "H.265 VPS";
/// vps_num_layer_sets_minus1 at the most (ITU-T H.265 §7.4.3.1).
const MAX_LAYER_SETS: u32 = 1023;

/// Frames per second of a video parameter set (ITU-T H.265 §7.3.2.1): vps_time_scale over
/// vps_num_units_in_tick, in lowest terms; `None` if it has no timing.
///
/// # Errors
/// Not a VPS, or bytes that end before that.
pub(super) fn frame_rate(vps: &[u8]) -> Result<Option<Ratio>, Error> {
    let mut bits = Bits::nal(WHAT, vps);
    if nal_type(vps) != Some(NAL_VPS) {
        return Err(Error::Invalid { what: WHAT, at: 0 });
    }
    bits.skip(16 + 4 + 2 + 6)?; // header, vps_video_parameter_set_id, base layer flags, vps_max_layers_minus1
    let max_sub_layers_minus1 = sub_layers(&mut bits)?;
    bits.skip(1 + 16)?; // vps_temporal_id_nesting_flag, vps_reserved_0xffff_16bits
    profile_tier_level(&mut bits, max_sub_layers_minus1)?;
    sub_layer_ordering(&mut bits, max_sub_layers_minus1)?;
    let max_layer_id = bits.u(6)?;
    let layer_sets = bits.ue()?; // vps_num_layer_sets_minus1
    if layer_sets > MAX_LAYER_SETS {
        return Err(bits.invalid());
    }
    bits.skip(layer_sets * (max_layer_id + 1))?; // layer_id_included_flag
    if !bits.flag()? {
        return Ok(None);
    }
    let units_in_tick = bits.u(32)?;
    let time_scale = bits.u(32)?;
    Ok(ratio(u64::from(time_scale), u64::from(units_in_tick)))
}
