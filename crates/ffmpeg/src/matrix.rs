//! From the stream's Y'CbCr to JFIF's: BT.601, full range (ITU-T T.871 §7).

use ffmpeg_next::color::{Range, Space};
use ffmpeg_next::frame;

use crate::decode::full_or_limited;

/// From this height on a stream that does not say its matrix is taken for BT.709, as encoders and players do.
const HD_HEIGHT: u32 = 720;

/// Fixed point: 14 bits after the point keep every product of two 8-bit values inside an `i32`.
const SHIFT: u32 = 14;
const HALF: i32 = 1 << (SHIFT - 1);

/// Luma weights of red and blue (ITU-T H.273 table 4).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Weights {
    kr: f64,
    kb: f64,
}

pub(crate) const BT601: Weights = Weights { kr: 0.299, kb: 0.114 };
pub(crate) const BT709: Weights = Weights { kr: 0.2126, kb: 0.0722 };
pub(crate) const BT2020: Weights = Weights { kr: 0.2627, kb: 0.0593 };
const FCC: Weights = Weights { kr: 0.30, kb: 0.11 };
const SMPTE240M: Weights = Weights { kr: 0.212, kb: 0.087 };

/// A linear map of Y'CbCr; coefficients in fixed point. Grey stays grey, so chroma needs no luma term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    y_black: i32,
    y_from_y: i32,
    y_from: Chroma,
    cb_from: Chroma,
    cr_from: Chroma,
}

/// What a centred Cb and a centred Cr add to an output sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chroma {
    cb: i32,
    cr: i32,
}

impl Chroma {
    fn apply(self, cb: i32, cr: i32) -> i32 {
        self.cb * cb + self.cr * cr
    }
}

impl Conversion {
    /// The conversion that `frame` asks for.
    pub(crate) fn of(frame: &frame::Video) -> Self {
        let weights = match frame.color_space() {
            Space::BT709 => BT709,
            Space::BT470BG | Space::SMPTE170M => BT601,
            Space::BT2020NCL | Space::BT2020CL => BT2020,
            Space::FCC => FCC,
            Space::SMPTE240M => SMPTE240M,
            _ if frame.height() >= HD_HEIGHT => BT709,
            _ => BT601,
        };
        Self::new(weights, full_or_limited(frame) == Range::JPEG)
    }

    /// From `weights` in full or limited range to BT.601 in full range.
    pub(crate) fn new(from: Weights, full_range: bool) -> Self {
        let (y_scale, c_scale) = if full_range { (1.0, 1.0) } else { (255.0 / 219.0, 255.0 / 224.0) };
        let (blue, red) = (2.0 * (1.0 - from.kb), 2.0 * (1.0 - from.kr));
        let kg = 1.0 - from.kr - from.kb;
        let to = BT601;
        let to_kg = 1.0 - to.kr - to.kb;
        // Output luma of the colour difference that one unit of Cb, or of Cr, is.
        let y_cb = to.kb * blue - to_kg * from.kb * blue / kg;
        let y_cr = to.kr * red - to_kg * from.kr * red / kg;
        let (to_blue, to_red) = (2.0 * (1.0 - to.kb), 2.0 * (1.0 - to.kr));
        let chroma = |cb: f64, cr: f64| Chroma { cb: fixed(cb * c_scale), cr: fixed(cr * c_scale) };
        Self {
            y_black: if full_range { 0 } else { 16 },
            y_from_y: fixed(y_scale),
            y_from: chroma(y_cb, y_cr),
            cb_from: chroma((blue - y_cb) / to_blue, -y_cr / to_blue),
            cr_from: chroma(-y_cb / to_red, (red - y_cr) / to_red),
        }
    }

    /// Converts a row of chroma and leaves in `lift` what each sample adds to the luma above it.
    pub(crate) fn chroma_row(
        &self,
        [cb, cr]: [&[u8]; 2],
        [cb_out, cr_out]: [&mut [u8]; 2],
        lift: &mut [i32],
    ) {
        let input = cb.iter().zip(cr);
        let output = cb_out.iter_mut().zip(cr_out).zip(lift);
        for ((&cb, &cr), ((cb_out, cr_out), lift)) in input.zip(output) {
            let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
            *cb_out = sample(self.cb_from.apply(cb, cr) + (128 << SHIFT));
            *cr_out = sample(self.cr_from.apply(cb, cr) + (128 << SHIFT));
            *lift = self.y_from.apply(cb, cr);
        }
    }

    /// Converts a row of luma. `out` holds two samples per `lift`; an odd row's last sample is repeated.
    pub(crate) fn luma_row(&self, row: &[u8], lift: &[i32], out: &mut [u8]) {
        let luma = |y: u8, lift: i32| sample((i32::from(y) - self.y_black) * self.y_from_y + lift);
        let (pairs, odd) = row.as_chunks::<2>();
        let (out, _) = out.as_chunks_mut::<2>();
        for ((out, &[left, right]), &lift) in out.iter_mut().zip(pairs).zip(lift) {
            *out = [luma(left, lift), luma(right, lift)];
        }
        if let ([last], Some(out), Some(&lift)) = (odd, out.last_mut(), lift.last()) {
            *out = [luma(*last, lift); 2];
        }
    }
}

fn fixed(value: f64) -> i32 {
    (value * f64::from(1 << SHIFT)).round() as i32
}

fn sample(fixed: i32) -> u8 {
    ((fixed + HALF) >> SHIFT).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(conversion: Conversion, input: [u8; 3], want: [u8; 3]) {
        assert_eq!(convert(conversion, input), want);
    }

    fn convert(conversion: Conversion, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let (mut cb_out, mut cr_out, mut lift, mut luma) = ([0], [0], [0], [0, 0]);
        conversion.chroma_row([&[cb], &[cr]], [&mut cb_out, &mut cr_out], &mut lift);
        conversion.luma_row(&[y, y], &lift, &mut luma);
        [luma[0], cb_out[0], cr_out[0]]
    }

    #[test]
    fn bt601_full_range_stays_as_it_is() {
        for value in 0..=255 {
            check(Conversion::new(BT601, true), [value, value, 255 - value], [value, value, 255 - value]);
        }
    }

    #[test]
    fn limited_range_is_stretched_and_what_lies_outside_is_clamped() {
        let limited = Conversion::new(BT709, false);
        check(limited, [16, 128, 128], [0, 128, 128]);
        check(limited, [235, 128, 128], [255, 128, 128]);
        check(limited, [0, 128, 128], [0, 128, 128]);
        check(limited, [255, 128, 128], [255, 128, 128]);
    }

    #[test]
    fn primaries_of_bt709_land_on_their_bt601_values() {
        // Red, green and blue at 100 %: limited BT.709 rounded to 8 bits in, JFIF out.
        let rows = [
            ([63, 102, 240], [76, 85, 255]),
            ([173, 42, 26], [150, 44, 21]),
            ([32, 240, 118], [29, 255, 107]),
        ];
        for (input, want) in rows {
            let got = convert(Conversion::new(BT709, false), input);
            assert!(got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 1), "{got:?}, {want:?}");
        }
    }

    #[test]
    fn an_odd_row_repeats_its_last_sample() {
        let mut out = [0; 4];
        Conversion::new(BT601, true).luma_row(&[10, 20, 30], &[0, 0], &mut out);
        assert_eq!(out, [10, 20, 30, 30]);
    }
}
