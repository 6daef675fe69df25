use media::Colour;

use crate::Error;
use crate::bits::Bits;
use crate::vui::stated;

const WHAT: &str = "VP9 frame";
const SYNC_CODE: u32 = 0x49_83_42;
/// color_space of RGB; what the others are in H.273 is in [`colour_of`].
const CS_RGB: u32 = 7;
/// Longest side of level 6.2 (VP9 bitstream specification, annex A).
const MAX_SIDE: u32 = 16_384;

/// What the uncompressed header of a key frame says of its picture.
pub(super) struct Key {
    /// Width in samples.
    pub(super) width: u32,
    /// Height in samples.
    pub(super) height: u32,
    /// `None` where color_space is unknown.
    pub(super) colour: Option<Colour>,
}

/// The first frame of a frame or superframe, if it is a key frame.
pub(super) fn key(unit: &[u8]) -> Result<Option<Key>, Error> {
    uncompressed_header(first_frame(unit)?)
}

/// The first frame of a superframe (annex B), or the unit itself. The index stands at the end, between two
/// equal marker bytes.
fn first_frame(unit: &[u8]) -> Result<&[u8], Error> {
    let Some(&marker) = unit.last().filter(|last| **last & 0xE0 == 0xC0) else { return Ok(unit) };
    let (frames, magnitude) = (usize::from(marker & 7) + 1, usize::from(marker >> 3 & 3) + 1);
    let index = 2 + frames * magnitude;
    let Some((data, index)) = unit.len().checked_sub(index).and_then(|at| unit.split_at_checked(at)) else {
        return Ok(unit);
    };
    if index.first() != Some(&marker) {
        return Ok(unit);
    }
    let sizes = index.get(1..1 + frames * magnitude).unwrap_or_default().chunks(magnitude);
    let sizes =
        sizes.map(|size| size.iter().rev().fold(0_usize, |size, byte| size << 8 | usize::from(*byte)));
    let mut first = None;
    let mut total = 0;
    for size in sizes {
        first = first.or(Some(size));
        total += size;
    }
    match first.and_then(|size| data.get(..size)) {
        Some(frame) if total <= data.len() => Ok(frame),
        _ => Err(Error::Invalid { what: "VP9 superframe", at: data.len() }),
    }
}

/// uncompressed_header() of a key frame as far as its size (§6.2); `None` for other frames.
fn uncompressed_header(frame: &[u8]) -> Result<Option<Key>, Error> {
    let mut bits = Bits::plain(WHAT, frame);
    if bits.u(2)? != 2 {
        return Err(bits.invalid()); // frame_marker
    }
    let profile = bits.u(1)? | bits.u(1)? << 1;
    if profile == 3 && bits.flag()? {
        return Err(bits.invalid()); // reserved_zero
    }
    // show_existing_frame, or a frame_type other than KEY_FRAME
    if bits.flag()? || bits.flag()? {
        return Ok(None);
    }
    bits.skip(2)?; // show_frame, error_resilient_mode
    if bits.u(24)? != SYNC_CODE {
        return Err(bits.invalid());
    }
    let colour = color_config(&mut bits, profile)?;
    let (width, height) = (bits.u(16)? + 1, bits.u(16)? + 1);
    if width.max(height) > MAX_SIDE {
        return Err(bits.invalid());
    }
    Ok(Some(Key { width, height, colour }))
}

/// color_config() (§6.2.2).
fn color_config(bits: &mut Bits<'_>, profile: u32) -> Result<Option<Colour>, Error> {
    if profile >= 2 {
        bits.skip(1)?; // ten_or_twelve_bit
    }
    let space = bits.u(3)?;
    let full_range = space == CS_RGB || bits.flag()?;
    let odd_profile = profile & 1 == 1;
    match (odd_profile, space) {
        (false, CS_RGB) => return Err(bits.invalid()),
        (true, CS_RGB) => bits.skip(1)?, // reserved_zero
        (true, _) => bits.skip(3)?,      // subsampling_x, subsampling_y, reserved_zero
        (false, _) => {}
    }
    Ok(colour_of(space, full_range))
}

/// The code points of ITU-T H.273 that a color_space stands for (§7.2.2). BT.2020 says nothing of the transfer.
fn colour_of(space: u32, full_range: bool) -> Option<Colour> {
    let (primaries, transfer, matrix) = match space {
        1 => (5, 6, 5),
        2 => (1, 1, 1),
        3 => (6, 6, 6),
        4 => (7, 7, 7),
        5 => (9, 2, 9),
        CS_RGB => (1, 13, 0),
        _ => (2, 2, 2),
    };
    stated(Colour { primaries, transfer, matrix, full_range })
}
