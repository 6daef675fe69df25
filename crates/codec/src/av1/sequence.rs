use bytes::Bytes;
use media::{Colour, Picture, Ratio};

use super::{OBU_SEQUENCE_HEADER, obus};
use crate::Error;
use crate::bits::Bits;
use crate::vui::{UNSPECIFIED, ratio, stated};

const WHAT: &str = "AV1 sequence header";
/// MaxHSize of level 6.3 (AV1 §A.3). A side has 16 bits at the most, so that larger ones could be claimed.
const MAX_SIDE: u32 = 16_384;

/// What a sequence header says (AV1 §5.5.1).
pub(super) struct Sequence {
    /// Largest size of a frame, frame rate and colour.
    pub(super) picture: Picture,
    /// Whether frame headers lack their first fields, for each is a key frame that is shown.
    pub(super) reduced_still_picture: bool,
}

/// The picture of the first sequence header among OBUs. A fault in the framing before it is an error.
pub(super) fn first(data: &Bytes) -> Result<Option<Picture>, Error> {
    for obu in obus(data) {
        let obu = obu?;
        if obu.kind == OBU_SEQUENCE_HEADER {
            return read(&obu.payload).map(|sequence| Some(sequence.picture));
        }
    }
    Ok(None)
}

/// sequence_header_obu() as far as the colours.
pub(super) fn read(payload: &[u8]) -> Result<Sequence, Error> {
    let mut bits = Bits::plain(WHAT, payload);
    let profile = bits.u(3)?;
    bits.skip(1)?; // still_picture
    let reduced = bits.flag()?;
    let frame_rate = if reduced {
        bits.skip(5)?; // seq_level_idx
        None
    } else {
        timing_and_operating_points(&mut bits)?
    };
    let (width, height) = size(&mut bits)?;
    let mut picture = Picture { frame_rate, ..Picture::of_size(width, height) };
    if !reduced && bits.flag()? {
        bits.skip(4 + 3)?; // delta_frame_id_length_minus_2, additional_frame_id_length_minus_1
    }
    skip_tools(&mut bits, reduced)?;
    picture.colour = color_config(&mut bits, profile)?;
    Ok(Sequence { picture, reduced_still_picture: reduced })
}

fn size(bits: &mut Bits<'_>) -> Result<(u32, u32), Error> {
    let (width_bits, height_bits) = (bits.u(4)? as u8 + 1, bits.u(4)? as u8 + 1);
    let (width, height) = (bits.u(width_bits)? + 1, bits.u(height_bits)? + 1);
    if width.max(height) > MAX_SIDE { Err(bits.invalid()) } else { Ok((width, height)) }
}

/// From timing_info_present_flag to the last operating point; the frame rate, if it is constant.
fn timing_and_operating_points(bits: &mut Bits<'_>) -> Result<Option<Ratio>, Error> {
    let mut frame_rate = None;
    let mut delay_bits = None;
    if bits.flag()? {
        frame_rate = timing_info(bits)?;
        if bits.flag()? {
            delay_bits = Some(bits.u(5)? + 1); // buffer_delay_length_minus_1
            bits.skip(32 + 5 + 5)?; // num_units_in_decoding_tick, lengths of times
        }
    }
    let display_delay = bits.flag()?;
    for _ in 0..=bits.u(5)? {
        bits.skip(12)?; // operating_point_idc
        if bits.u(5)? > 7 {
            bits.skip(1)?; // seq_tier
        }
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?; // operating_parameters_info()
        }
        if display_delay && bits.flag()? {
            bits.skip(4)?; // initial_display_delay_minus_1
        }
    }
    Ok(frame_rate)
}

/// timing_info() (AV1 §5.5.3).
fn timing_info(bits: &mut Bits<'_>) -> Result<Option<Ratio>, Error> {
    let units_in_tick = u64::from(bits.u(32)?);
    let time_scale = u64::from(bits.u(32)?);
    if !bits.flag()? {
        return Ok(None); // equal_picture_interval
    }
    // uvlc() is ue(v) of H.264 by another name.
    let ticks = u64::from(bits.ue()?) + 1;
    Ok(ticks.checked_mul(units_in_tick).and_then(|den| ratio(time_scale, den)))
}

/// From use_128x128_superblock to enable_restoration.
fn skip_tools(bits: &mut Bits<'_>, reduced: bool) -> Result<(), Error> {
    bits.skip(3)?; // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
    if !reduced {
        bits.skip(4)?; // enable_interintra_compound to enable_dual_filter
        let order_hint = bits.flag()?;
        if order_hint {
            bits.skip(2)?; // enable_jnt_comp, enable_ref_frame_mvs
        }
        // seq_choose_screen_content_tools, else seq_force_screen_content_tools
        let screen_content = bits.flag()? || bits.flag()?;
        // seq_choose_integer_mv, else seq_force_integer_mv
        if screen_content && !bits.flag()? {
            bits.skip(1)?;
        }
        if order_hint {
            bits.skip(3)?; // order_hint_bits_minus_1
        }
    }
    bits.skip(3) // enable_superres, enable_cdef, enable_restoration
}

/// color_config() (AV1 §5.5.2) as far as the range.
fn color_config(bits: &mut Bits<'_>, profile: u32) -> Result<Option<Colour>, Error> {
    if bits.flag()? && profile == 2 {
        bits.skip(1)?; // twelve_bit behind high_bitdepth
    }
    let monochrome = profile != 1 && bits.flag()?;
    let mut colour = UNSPECIFIED;
    if bits.flag()? {
        (colour.primaries, colour.transfer, colour.matrix) = (bits.u8()?, bits.u8()?, bits.u8()?);
    }
    // sRGB has no color_range of its own
    let srgb = !monochrome && (colour.primaries, colour.transfer, colour.matrix) == (1, 13, 0);
    colour.full_range = srgb || bits.flag()?;
    Ok(stated(colour))
}
