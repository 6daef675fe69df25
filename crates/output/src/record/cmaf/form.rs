use media::{Colour, Picture, Ratio, Timescale, Track};
use serde::{Deserialize, Serialize};

use crate::record::fragments::Lane;

/// An init segment, with what playlists say of the track: as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form {
    pub lane: Lane,
    pub key: String,
    pub codec: String,
    timescale: u32,
    picture: Option<Shape>,
    pub sample_rate: u32,
    pub channels: Option<u8>,
}

/// A picture: size, sample aspect, and colour as primaries, transfer, matrix and range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    size: (u32, u32),
    aspect: (u32, u32),
    colour: Option<(u8, u8, u8, bool)>,
}

impl Form {
    pub fn new(track: &Track, key: String) -> Self {
        let shape = |picture: &Picture| Shape {
            size: (picture.width, picture.height),
            aspect: (picture.sample_aspect.num, picture.sample_aspect.den),
            colour: picture.colour.map(|c| (c.primaries, c.transfer, c.matrix, c.full_range)),
        };
        Self {
            lane: track.id.into(),
            key,
            codec: codec::rfc6381(&track.codec),
            timescale: track.timescale.hz(),
            picture: track.picture().map(shape),
            sample_rate: track.codec.sample_rate().unwrap_or(track.timescale.hz()),
            channels: track.codec.channels(),
        }
    }

    pub fn timescale(&self) -> Timescale {
        Timescale::new(self.timescale).unwrap_or(Timescale::VIDEO)
    }

    pub fn picture(&self) -> Option<Picture> {
        let Shape { size: (width, height), aspect: (num, den), colour } = self.picture?;
        let colour = colour.map(|(primaries, transfer, matrix, full_range)| Colour {
            primaries,
            transfer,
            matrix,
            full_range,
        });
        let sample_aspect = Ratio { num, den: den.max(1) };
        Some(Picture { sample_aspect, colour, ..Picture::of_size(width, height) })
    }
}

impl Lane {
    /// `v`, `a`, and with the index for all but the main track.
    pub(super) fn letter(self) -> String {
        self.name("v", "a")
    }

    /// What its media playlist is called.
    pub(super) fn word(self) -> String {
        self.name("video", "audio")
    }

    fn name(self, video: &str, audio: &str) -> String {
        let kind = if self.audio { audio } else { video };
        match self.index {
            0 => kind.to_owned(),
            index => format!("{kind}{index}"),
        }
    }
}
