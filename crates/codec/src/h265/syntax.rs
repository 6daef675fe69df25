//! Syntax structures that stand between the fields we want: read to be left behind.

use crate::Error;
use crate::bits::Bits;

/// Delta POCs of a set: sps_max_dec_pic_buffering_minus1 is 15 at the most.
const MAX_PICTURES: usize = 16;
/// num_short_term_ref_pic_sets at the most (§7.4.3.2.1).
const MAX_SETS: u32 = 64;
/// num_long_term_ref_pics_sps at the most (§7.4.3.2.1).
const MAX_LONG_TERM: u32 = 32;

/// max_sub_layers_minus1 of a VPS or SPS: 6 at the most.
pub(super) fn sub_layers(bits: &mut Bits<'_>) -> Result<u32, Error> {
    match bits.u(3)? {
        layers @ 0..=6 => Ok(layers),
        _ => Err(bits.invalid()),
    }
}

/// profile_tier_level(1, max_sub_layers_minus1) (ITU-T H.265 §7.3.3).
pub(super) fn profile_tier_level(bits: &mut Bits<'_>, max_sub_layers_minus1: u32) -> Result<(), Error> {
    bits.skip(88 + 8)?; // general profile, general_level_idc
    if max_sub_layers_minus1 == 0 {
        return Ok(());
    }
    let mut present = 0;
    for _ in 0..max_sub_layers_minus1 {
        present += if bits.flag()? { 88 } else { 0 };
        present += if bits.flag()? { 8 } else { 0 };
    }
    bits.skip(2 * 8_u32.saturating_sub(max_sub_layers_minus1))?; // reserved_zero_2bits
    bits.skip(present)
}

/// The sizes of the picture buffer: for every sub-layer, or for the highest only.
pub(super) fn sub_layer_ordering(bits: &mut Bits<'_>, max_sub_layers_minus1: u32) -> Result<(), Error> {
    let layers = if bits.flag()? { max_sub_layers_minus1 + 1 } else { 1 };
    (0..3 * layers).try_for_each(|_| bits.ue().map(drop))
}

/// scaling_list_data() (ITU-T H.265 §7.3.4).
pub(super) fn scaling_lists(bits: &mut Bits<'_>) -> Result<(), Error> {
    for size in 0..4 {
        let matrices = if size == 3 { 2 } else { 6 };
        for _ in 0..matrices {
            scaling_list(bits, size)?;
        }
    }
    Ok(())
}

fn scaling_list(bits: &mut Bits<'_>, size: u32) -> Result<(), Error> {
    if !bits.flag()? {
        return bits.ue().map(drop); // scaling_list_pred_matrix_id_delta
    }
    if size > 1 {
        bits.se()?; // scaling_list_dc_coef_minus8
    }
    let coefficients = 64.min(1 << (4 + 2 * size));
    (0..coefficients).try_for_each(|_| bits.se().map(drop))
}

/// num_short_term_ref_pic_sets and the sets (ITU-T H.265 §7.3.7). Their delta POCs must be known, for a set
/// may be coded as the one before it with each picture kept or left out.
pub(super) fn short_term_sets(bits: &mut Bits<'_>) -> Result<(), Error> {
    let count = bits.ue()?;
    if count > MAX_SETS {
        return Err(bits.invalid());
    }
    let mut before: Option<Vec<i64>> = None;
    for _ in 0..count {
        let set = match before {
            Some(before) if bits.flag()? => predicted_set(bits, &before)?,
            _ => coded_set(bits)?,
        };
        before = Some(set);
    }
    Ok(())
}

/// A set coded by itself: its negative delta POCs, closest first, then its positive ones.
fn coded_set(bits: &mut Bits<'_>) -> Result<Vec<i64>, Error> {
    let (negative, positive) = (bits.ue()?, bits.ue()?);
    if u64::from(negative) + u64::from(positive) > MAX_PICTURES as u64 {
        return Err(bits.invalid());
    }
    let mut set = Vec::with_capacity(MAX_PICTURES);
    for (count, sign) in [(negative, -1), (positive, 1)] {
        let mut delta = 0;
        for _ in 0..count {
            delta += sign * (i64::from(bits.ue()?) + 1); // delta_poc_s0_minus1, delta_poc_s1_minus1
            bits.skip(1)?; // used_by_curr_pic_s0_flag, used_by_curr_pic_s1_flag
            set.push(delta);
        }
    }
    Ok(set)
}

/// A set predicted from the one before it (equations 7-61 and 7-62).
fn predicted_set(bits: &mut Bits<'_>, before: &[i64]) -> Result<Vec<i64>, Error> {
    let negative = bits.flag()?; // delta_rps_sign
    let distance = i64::from(bits.ue()?) + 1; // abs_delta_rps_minus1
    let delta = if negative { -distance } else { distance };
    let mut set = Vec::with_capacity(MAX_PICTURES);
    // The picture that `before` belongs to comes last: its own delta is 0.
    for &picture in before.iter().chain(&[0]) {
        let kept = bits.flag()? || bits.flag()?; // used_by_curr_pic_flag, else use_delta_flag
        if kept && picture + delta != 0 {
            set.push(picture + delta);
        }
    }
    if set.len() > MAX_PICTURES {
        return Err(bits.invalid());
    }
    set.sort_unstable_by_key(|delta| (*delta > 0, delta.abs()));
    Ok(set)
}

/// lt_ref_pic_poc_lsb_sps and its flag, as often as there are. `poc_bits` is the length of one.
pub(super) fn long_term_pictures(bits: &mut Bits<'_>, poc_bits: u32) -> Result<(), Error> {
    if !bits.flag()? {
        return Ok(());
    }
    let count = bits.ue()?;
    if count > MAX_LONG_TERM {
        return Err(bits.invalid());
    }
    bits.skip(count * (poc_bits + 1))
}
