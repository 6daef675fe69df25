//! Pictures that can be told apart after a codec: a number in black and white cells, and bars of known colour.

use std::path::Path;

/// Width of a drawn picture.
pub const WIDTH: u32 = 320;
/// Height of a drawn picture; not a multiple of 16, so that cropping is tested.
pub const HEIGHT: u32 = 180;
/// Bits of the number.
const BITS: u32 = 16;
/// Height of the row of cells.
const CELLS: u32 = 40;

/// Colours of the bars below the cells, in RGB.
pub const BARS: [[u8; 3]; 6] =
    [[191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]];

/// How RGB becomes YUV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    Bt601,
    Bt709,
}

impl Matrix {
    /// ffmpeg's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bt601 => "smpte170m",
            Self::Bt709 => "bt709",
        }
    }

    /// Kr and Kb of ITU-T H.273 table 4.
    fn weights(self) -> (f64, f64) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
        }
    }

    /// 8-bit limited-range YUV of a colour.
    fn yuv(self, [r, g, b]: [u8; 3]) -> [u8; 3] {
        let (kr, kb) = self.weights();
        let [r, g, b] = [r, g, b].map(|c| f64::from(c) / 255.0);
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let (u, v) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
        [16.0 + 219.0 * y, 128.0 + 224.0 * u, 128.0 + 224.0 * v].map(|c| c.round() as u8)
    }
}

/// Draws picture `number` as planar YUV 4:2:0.
pub fn draw(number: u32, matrix: Matrix) -> Vec<u8> {
    let colour = |x: u32, y: u32| match y < CELLS {
        true => [if number >> (x * BITS / WIDTH) & 1 == 1 { 235 } else { 16 }, 128, 128],
        false => matrix.yuv(BARS[(x * BARS.len() as u32 / WIDTH) as usize]),
    };
    let plane = |index: usize, step: u32| {
        (0..HEIGHT / step)
            .flat_map(move |y| (0..WIDTH / step).map(move |x| (x * step, y * step)))
            .map(move |(x, y)| colour(x, y)[index])
    };
    plane(0, 1).chain(plane(1, 2)).chain(plane(2, 2)).collect()
}

/// A snapshot read back.
pub struct Seen {
    pub number: u32,
    pub size: (u32, u32),
    /// Largest distance of a bar's centre from its colour.
    pub colour_error: u8,
}

/// Reads a JPEG as `draw` drew it, whatever its size.
pub fn read(path: &Path) -> Seen {
    let image = image::open(path).unwrap().to_rgb8();
    let (width, height) = image.dimensions();
    let at = |x: u32, y: u32| image.get_pixel(x * width / WIDTH, y * height / HEIGHT).0;
    let number = (0..BITS).filter(|bit| at((bit * 2 + 1) * WIDTH / BITS / 2, CELLS / 2)[0] > 127);
    let bars = BARS.iter().enumerate().flat_map(|(n, bar)| {
        let x = (n as u32 * 2 + 1) * WIDTH / BARS.len() as u32 / 2;
        let seen = at(x, (CELLS + HEIGHT) / 2);
        (0..3).map(move |c| seen[c].abs_diff(bar[c]))
    });
    Seen {
        number: number.map(|bit| 1 << bit).sum(),
        size: (width, height),
        colour_error: bars.max().unwrap(),
    }
}
