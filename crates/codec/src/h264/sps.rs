use media::Picture;

use super::{NAL_SPS, nal_type};
use crate::Error;
use crate::bits::Bits;
use crate::vui::{colour, ratio, sample_aspect};

const WHAT: &str = "H.264 SPS";

/// Longest side in macroblocks: sqrt(8 × MaxFS) of level 6.2 (ITU-T H.264 §A.3.1). Without it, a few bytes
/// could claim a picture that overflows every size computed from it.
const MAX_SIDE: u32 = 1055;

/// Profiles whose SPS states the chroma format (ITU-T H.264 §7.3.2.1.1).
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// What a sequence parameter set says of the picture (ITU-T H.264 §7.3.2.1.1, annex E). `sps` is one NAL unit
/// with its header byte and its emulation prevention bytes.
///
/// The frame rate is time_scale / (2 × num_units_in_tick), in lowest terms. A VUI that breaks off counts as
/// far as it goes: the size is known by then and decoders don't mind.
///
/// # Errors
/// Not an SPS, bytes that end before the VUI, or a size no level allows.
pub fn picture(sps: &[u8]) -> Result<Picture, Error> {
    if nal_type(sps) != Some(NAL_SPS) {
        return Err(Error::Invalid { what: WHAT, at: 0 });
    }
    let mut bits = Bits::nal(WHAT, sps);
    bits.skip(8)?;
    let chroma = Chroma::read(&mut bits)?;
    skip_order_and_references(&mut bits)?;
    let (width, height) = size(&mut bits, &chroma)?;
    let mut picture = Picture::of_size(width, height);
    if bits.flag()? {
        // A fault leaves what was read so far, as the doc says.
        let _ = vui(&mut bits, &mut picture);
    }
    Ok(picture)
}

/// How many luma samples one chroma sample spans; 1 × 1 when chroma has no planes of its own size.
struct Chroma {
    width: u32,
    height: u32,
}

impl Chroma {
    /// From profile_idc to the scaling lists.
    fn read(bits: &mut Bits<'_>) -> Result<Self, Error> {
        let profile = bits.u8()?;
        bits.skip(16)?; // constraint flags, level_idc
        bits.ue()?; // seq_parameter_set_id
        if !HIGH_PROFILES.contains(&profile) {
            return Ok(Self { width: 2, height: 2 });
        }
        let format = bits.ue()?;
        let separate_planes = format == 3 && bits.flag()?;
        bits.ue()?; // bit_depth_luma_minus8
        bits.ue()?; // bit_depth_chroma_minus8
        bits.skip(1)?; // qpprime_y_zero_transform_bypass_flag
        if bits.flag()? {
            skip_scaling_matrix(bits, if format == 3 { 12 } else { 8 })?;
        }
        match (format, separate_planes) {
            (1, _) => Ok(Self { width: 2, height: 2 }),
            (2, _) => Ok(Self { width: 2, height: 1 }),
            (0 | 3, _) => Ok(Self { width: 1, height: 1 }),
            _ => Err(bits.invalid()),
        }
    }
}

fn skip_scaling_matrix(bits: &mut Bits<'_>, lists: usize) -> Result<(), Error> {
    for list in 0..lists {
        if bits.flag()? {
            skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
        }
    }
    Ok(())
}

/// ITU-T H.264 §7.3.2.1.1.1: after a scale of 0 the list repeats its last value and nothing more is coded.
fn skip_scaling_list(bits: &mut Bits<'_>, size: usize) -> Result<(), Error> {
    let mut last = 8;
    for _ in 0..size {
        last = (last + bits.se()?).rem_euclid(256);
        if last == 0 {
            break;
        }
    }
    Ok(())
}

/// From log2_max_frame_num to gaps_in_frame_num_value_allowed_flag.
fn skip_order_and_references(bits: &mut Bits<'_>) -> Result<(), Error> {
    bits.ue()?; // log2_max_frame_num_minus4
    match bits.ue()? {
        0 => {
            bits.ue()?; // log2_max_pic_order_cnt_lsb_minus4
        }
        1 => {
            bits.skip(1)?; // delta_pic_order_always_zero_flag
            bits.se()?; // offset_for_non_ref_pic
            bits.se()?; // offset_for_top_to_bottom_field
            let cycle = bits.ue()?;
            if cycle > 255 {
                return Err(bits.invalid());
            }
            for _ in 0..cycle {
                bits.se()?; // offset_for_ref_frame
            }
        }
        2 => {}
        _ => return Err(bits.invalid()),
    }
    bits.ue()?; // max_num_ref_frames
    bits.skip(1) // gaps_in_frame_num_value_allowed_flag
}

/// Width and height after cropping (ITU-T H.264 §7.4.2.1.1, equations 7-19 to 7-22).
fn size(bits: &mut Bits<'_>, chroma: &Chroma) -> Result<(u32, u32), Error> {
    let across = side(bits)?;
    let map_units = side(bits)?;
    let fields = if bits.flag()? { 1 } else { 2 };
    if fields == 2 {
        bits.skip(1)?; // mb_adaptive_frame_field_flag
    }
    bits.skip(1)?; // direct_8x8_inference_flag
    let (mut width, mut height) = (across * 16, map_units * fields * 16);
    if bits.flag()? {
        width = crop(bits, width, chroma.width)?;
        height = crop(bits, height, chroma.height * fields)?;
    }
    Ok((width, height))
}

fn side(bits: &mut Bits<'_>) -> Result<u32, Error> {
    match bits.ue()? {
        blocks if blocks < MAX_SIDE => Ok(blocks + 1),
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

/// vui_parameters() as far as num_units_in_tick and time_scale (ITU-T H.264 §E.1.1).
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
    if bits.flag()? {
        let units_in_tick = bits.u(32)?;
        let time_scale = bits.u(32)?;
        picture.frame_rate = ratio(u64::from(time_scale), 2 * u64::from(units_in_tick));
    }
    Ok(())
}
