use ffmpeg_next::frame;

use crate::Error;
use crate::matrix::Conversion;

/// The samples of an 8 bit 4:2:0 picture, rows inside padded memory.
pub(crate) struct Planes<'a> {
    width: usize,
    height: usize,
    planes: [Plane<'a>; 3],
}

#[derive(Clone, Copy)]
struct Plane<'a> {
    data: &'a [u8],
    stride: usize,
}

impl<'a> Plane<'a> {
    /// Row `index`, `width` samples; empty where the frame has none.
    fn row(&self, index: usize, width: usize) -> &'a [u8] {
        let start = index * self.stride;
        self.data.get(start..start + width).unwrap_or(&[])
    }
}

impl<'a> Planes<'a> {
    /// The planes of `frame`, which is 8 bit 4:2:0.
    pub(crate) fn of(frame: &'a frame::Video) -> Result<Self, Error> {
        if frame.planes() < 3 {
            return Err(Error::NoPicture);
        }
        let plane = |index| Plane { data: frame.data(index), stride: frame.stride(index) };
        Ok(Self {
            width: frame.width() as usize,
            height: frame.height() as usize,
            planes: [plane(0), plane(1), plane(2)],
        })
    }

    /// The picture as JFIF samples, the three planes one after the other without padding between rows; an odd
    /// width or height is rounded up by repeating the border.
    pub(crate) fn to_jfif(&self, conversion: Conversion) -> Vec<u8> {
        let (half_width, half_height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let chroma_len = half_width * half_height;
        let mut pixels = vec![0; chroma_len * 6];
        let (luma, chroma) = pixels.split_at_mut(chroma_len * 4);
        let (cb, cr) = chroma.split_at_mut(chroma_len);
        let mut lift = vec![0; half_width];
        let [y_plane, cb_plane, cr_plane] = self.planes;
        let chroma_rows = cb.chunks_exact_mut(half_width).zip(cr.chunks_exact_mut(half_width));
        let rows = luma.chunks_exact_mut(half_width * 4).zip(chroma_rows);
        for (index, (luma, (cb_out, cr_out))) in rows.enumerate() {
            let chroma = [cb_plane.row(index, half_width), cr_plane.row(index, half_width)];
            conversion.chroma_row(chroma, [cb_out, cr_out], &mut lift);
            let (upper, lower) = luma.split_at_mut(half_width * 2);
            conversion.luma_row(y_plane.row(2 * index, self.width), &lift, upper);
            let below = (2 * index + 1).min(self.height - 1);
            conversion.luma_row(y_plane.row(below, self.width), &lift, lower);
        }
        pixels
    }
}
