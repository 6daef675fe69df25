use media::Picture;

use super::syntax::{
    long_term_pictures, profile_tier_level, scaling_lists, short_term_sets, sub_layer_ordering, sub_layers,
};
use super::{NAL_SPS, nal_type};
use crate::Error;
use crate::bits::Bits;
use crate::vui::{colour, ratio, sample_aspect};

const WHAT: &str = "H.265 SPS";

/// Longest side in luma samples: sqrt(8 × MaxLumaPs) of level 6.2 (ITU-T H.265 §A.4.1). Without it, a few bytes
/// could claim a picture that overflows every size computed from it.
const MAX_SIDE: u32 = 16_888;

/// What a sequence parameter set says of the picture (ITU-T H.265 §7.3.2.2.1, annex E). `sps` is one NAL unit
/// with its header and its emulation prevention bytes.
///
/// The size is that of the conformance window; the frame rate is vui_time_scale over vui_num_units_in_tick, in
/// lowest terms. What breaks off behind the size counts as far as it goes, as it does for decoders.
///
/// # Errors
/// Not an SPS, bytes that end before the size, or a size no level allows.
pub fn picture(sps: &[u8]) -> Result<Picture, Error> {
    if nal_type(sps) != Some(NAL_SPS) {
        return Err(Error::Invalid { what: WHAT, at: 0 });
    }
    let mut bits = Bits::nal(WHAT, sps);
    bits.skip(16 + 4)?; // header, sps_video_parameter_set_id
    let max_sub_layers_minus1 = sub_layers(&mut bits)?;
    bits.skip(1)?; // sps_temporal_id_nesting_flag
    profile_tier_level(&mut bits, max_sub_layers_minus1)?;
    bits.ue()?; // sps_seq_parameter_set_id
    let (width, height) = size(&mut bits)?;
    let mut picture = Picture::of_size(width, height);
    // A fault leaves what was read so far, as the doc says.
    let _ = behind_the_size(&mut bits, max_sub_layers_minus1, &mut picture);
    Ok(picture)
}

/// Width and height after cropping, from chroma_format_idc to the conformance window (§7.4.3.2.1).
fn size(bits: &mut Bits<'_>) -> Result<(u32, u32), Error> {
    let chroma = match bits.ue()? {
        0 => (1, 1),
        1 => (2, 2),
        2 => (2, 1),
        3 => {
            bits.skip(1)?; // separate_colour_plane_flag
            (1, 1)
        }
        _ => return Err(bits.invalid()),
    };
    let (mut width, mut height) = (side(bits)?, side(bits)?);
    if bits.flag()? {
        width = crop(bits, width, chroma.0)?;
        height = crop(bits, height, chroma.1)?;
    }
    Ok((width, height))
}

fn side(bits: &mut Bits<'_>) -> Result<u32, Error> {
    match bits.ue()? {
        side @ 1..=MAX_SIDE => Ok(side),
        _ => Err(bits.invalid()),
    }
}

fn crop(bits: &mut Bits<'_>, size: u32, unit: u32) -> Result<u32, Error> {
    let cropped = (u64::from(bits.ue()?) + u64::from(bits.ue()?)) * u64::from(unit);
    match u32::try_from(cropped) {
        Ok(cropped) if cropped < size => Ok(size - cropped),
        _ => Err(bits.invalid()),
    }
}

/// From bit_depth_luma_minus8 to the VUI.
fn behind_the_size(
    bits: &mut Bits<'_>,
    max_sub_layers_minus1: u32,
    picture: &mut Picture,
) -> Result<(), Error> {
    bits.ue()?; // bit_depth_luma_minus8
    bits.ue()?; // bit_depth_chroma_minus8
    let poc_bits = bits.ue()? + 4; // log2_max_pic_order_cnt_lsb_minus4
    if poc_bits > 16 {
        return Err(bits.invalid());
    }
    sub_layer_ordering(bits, max_sub_layers_minus1)?;
    (0..6).try_for_each(|_| bits.ue().map(drop))?; // sizes and depths of blocks
    if bits.flag()? && bits.flag()? {
        scaling_lists(bits)?;
    }
    bits.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.flag()? {
        bits.skip(8)?; // pcm_sample_bit_depth_luma_minus1 and chroma
        bits.ue()?; // log2_min_pcm_luma_coding_block_size_minus3
        bits.ue()?; // log2_diff_max_min_pcm_luma_coding_block_size
        bits.skip(1)?; // pcm_loop_filter_disabled_flag
    }
    short_term_sets(bits)?;
    long_term_pictures(bits, poc_bits)?;
    bits.skip(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    if bits.flag()? { vui(bits, picture) } else { Ok(()) }
}

/// vui_parameters() as far as vui_num_units_in_tick and vui_time_scale (ITU-T H.265 §E.2.1).
fn vui(bits: &mut Bits<'_>, picture: &mut Picture) -> Result<(), Error> {
    if bits.flag()? {
        picture.sample_aspect = sample_aspect(bits)?;
    }
    if bits.flag()? {
        bits.skip(1)?; // overscan_appropriate_flag
    }
    if bits.flag()? {
        picture.colour = colour(bits)?;
    }
    if bits.flag()? {
        bits.ue()?; // chroma_sample_loc_type_top_field
        bits.ue()?; // chroma_sample_loc_type_bottom_field
    }
    bits.skip(3)?; // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
    if bits.flag()? {
        (0..4).try_for_each(|_| bits.ue().map(drop))?; // default display window
    }
    if bits.flag()? {
        let units_in_tick = bits.u(32)?;
        let time_scale = bits.u(32)?;
        picture.frame_rate = ratio(u64::from(time_scale), u64::from(units_in_tick));
    }
    Ok(())
}
