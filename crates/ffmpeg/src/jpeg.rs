use bytes::Bytes;
use turbojpeg::{Compressor, Subsamp, YuvImage};

use crate::Error;

/// JPEG quality of snapshots, 1 to 100: 4:2:0, about half a bit a pixel on ordinary pictures.
pub const QUALITY: i32 = 85;

/// Encodes JFIF samples as [`crate::planes::Planes::to_jfif`] lays them out.
pub(crate) fn encode(width: u32, height: u32, pixels: &[u8]) -> Result<Bytes, Error> {
    let mut compressor = Compressor::new()?;
    compressor.set_quality(QUALITY)?;
    let (width, height) = (width as usize, height as usize);
    let image = YuvImage { pixels, width, align: 1, height, subsamp: Subsamp::Sub2x2 };
    Ok(compressor.compress_yuv_to_vec(image)?.into())
}
