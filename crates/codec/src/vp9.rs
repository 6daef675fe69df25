//! VP9: configuration records (VP9-ISOBMFF §2.2), superframes (VP9 bitstream specification, annex B) and
//! uncompressed headers (§6.2).

mod frame;
mod record;
#[cfg(test)]
mod tests;

use media::{Picture, Vp9};

pub use record::config;

use crate::Error;

/// Whether decoding may start at a frame or superframe: its first frame is a key frame. A hidden one counts, for
/// it comes in a superframe with the frame that shows. False on a broken header or superframe index.
pub fn is_key(unit: &[u8]) -> bool {
    matches!(frame::key(unit), Ok(Some(_)))
}

/// A key frame whose picture has another size than the configuration says, or a colour where it says none: the
/// configuration to use from here on, its record kept. `None` if nothing is new or it is no key frame. What
/// record or sender said of the colour goes before what the frame says: it is more precise.
///
/// # Errors
/// A frame header or superframe index that is not one.
pub fn with_picture(vp9: &Vp9, unit: &[u8]) -> Result<Option<Vp9>, Error> {
    let Some(key) = frame::key(unit)? else { return Ok(None) };
    let mut picture = Picture { width: key.width, height: key.height, ..vp9.picture };
    picture.colour = picture.colour.or(key.colour);
    Ok((picture != vp9.picture).then(|| Vp9 { record: vp9.record.clone(), picture }))
}
