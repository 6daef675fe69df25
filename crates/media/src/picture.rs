/// What pictures of a track look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width after cropping, in luma samples.
    pub width: u32,
    /// Height after cropping, in luma samples.
    pub height: u32,
    /// Shape of a sample, width over height; 1:1 when the stream is silent.
    pub sample_aspect: Ratio,
    /// Frames per second if the stream states it; RTMP streams often don't.
    pub frame_rate: Option<Ratio>,
    /// Colour description if the stream states it.
    pub colour: Option<Colour>,
    /// The display it was mastered on, if the sender states it.
    pub mastering: Option<MasteringDisplay>,
    /// How bright it gets, if the sender states it.
    pub light: Option<ContentLight>,
}

impl Picture {
    /// A picture of `width` × `height` square samples, of which nothing else is stated.
    pub fn of_size(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            sample_aspect: Ratio { num: 1, den: 1 },
            frame_rate: None,
            colour: None,
            mastering: None,
            light: None,
        }
    }
}

/// A rational number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Numerator.
    pub num: u32,
    /// Denominator, never 0.
    pub den: u32,
}

/// Code points of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// colour_primaries.
    pub primaries: u8,
    /// transfer_characteristics.
    pub transfer: u8,
    /// matrix_coefficients.
    pub matrix: u8,
    /// Whether samples use the whole range (0..255 at 8 bit).
    pub full_range: bool,
}

/// SMPTE ST 2086 as `mdcv` has it (ISO/IEC 14496-12 §12.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasteringDisplay {
    /// Chromaticity x and y of green, blue and red, in units of 0.00002.
    pub primaries: [(u16, u16); 3],
    /// Chromaticity x and y of white, in units of 0.00002.
    pub white_point: (u16, u16),
    /// Brightest, in units of 0.0001 cd/m².
    pub max_luminance: u32,
    /// Darkest, in units of 0.0001 cd/m².
    pub min_luminance: u32,
}

/// CTA-861.3 as `clli` has it (ISO/IEC 14496-12 §12.1.6), in cd/m².
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentLight {
    /// MaxCLL: the brightest sample.
    pub max_content: u16,
    /// MaxFALL: the brightest frame on average.
    pub max_frame_average: u16,
}
