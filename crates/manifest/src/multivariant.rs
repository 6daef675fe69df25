//! Multivariant playlists (RFC 8216bis §4.4.6, packaging-rules H-21 to H-25).

use std::fmt::{self, Write};

use ::media::{Colour, Ratio};

use crate::tag;

/// What a multivariant playlist says. Render it with [`render`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multivariant {
    /// EXT-X-VERSION: the highest that one of its media playlists needs.
    pub version: u16,
    /// EXT-X-MEDIA of TYPE=AUDIO.
    pub audio: Vec<Rendition>,
    /// EXT-X-STREAM-INF, preferred one first.
    pub variants: Vec<Variant>,
}

/// An audio rendition (packaging-rules H-24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// GROUP-ID, as [`Variant::audio`] names it.
    pub group: String,
    /// NAME, unique in its group.
    pub name: String,
    /// LANGUAGE as in BCP 47, `und` when unknown.
    pub language: String,
    /// CHANNELS; `None` when unknown.
    pub channels: Option<u8>,
    /// DEFAULT, one of the group at most; AUTOSELECT is always YES.
    pub default: bool,
    /// URI of its media playlist.
    pub uri: String,
}

/// A variant stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// BANDWIDTH in bits per second (packaging-rules H-21).
    pub bandwidth: u64,
    /// AVERAGE-BANDWIDTH in bits per second.
    pub average_bandwidth: Option<u64>,
    /// CODECS: RFC 6381 strings of everything in it, audio group included (packaging-rules H-22); left out when there
    /// are none, because nobody knows them any more.
    pub codecs: Vec<String>,
    /// RESOLUTION: width and height.
    pub resolution: Option<(u32, u32)>,
    /// FRAME-RATE in frames per second, printed with three decimals.
    pub frame_rate: Option<Ratio>,
    /// VIDEO-RANGE; written unless it is SDR, which a list without it means.
    pub video_range: VideoRange,
    /// AUDIO: the GROUP-ID of its audio.
    pub audio: Option<String>,
    /// URI of its media playlist.
    pub uri: String,
}

/// VIDEO-RANGE (packaging-rules H-23).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VideoRange {
    /// Standard dynamic range.
    #[default]
    Sdr,
    /// Hybrid log-gamma.
    Hlg,
    /// SMPTE ST 2084.
    Pq,
}

impl VideoRange {
    /// The range of a transfer characteristic (ITU-T H.273 §8.2: 16 is PQ, 18 HLG); SDR when unknown.
    pub fn of(colour: Option<&Colour>) -> Self {
        match colour.map(|c| c.transfer) {
            Some(16) => Self::Pq,
            Some(18) => Self::Hlg,
            _ => Self::Sdr,
        }
    }
}

/// The playlist's text. Strings are written as they are: none may hold a quote or a line break.
pub fn render(list: &Multivariant) -> String {
    let mut out = tag::head(list.version);
    for rendition in &list.audio {
        let _ = writeln!(out, "{rendition}");
    }
    for variant in &list.variants {
        let _ = writeln!(out, "{variant}\n{}", variant.uri);
    }
    out
}

impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME=\"{}\"", self.group, self.name)?;
        write!(f, ",LANGUAGE=\"{}\"", self.language)?;
        let default = if self.default { "YES" } else { "NO" };
        write!(f, ",DEFAULT={default},AUTOSELECT=YES")?;
        if let Some(channels) = self.channels {
            write!(f, ",CHANNELS=\"{channels}\"")?;
        }
        write!(f, ",URI=\"{}\"", self.uri)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#EXT-X-STREAM-INF:BANDWIDTH={}", self.bandwidth)?;
        if let Some(average) = self.average_bandwidth {
            write!(f, ",AVERAGE-BANDWIDTH={average}")?;
        }
        if !self.codecs.is_empty() {
            write!(f, ",CODECS=\"{}\"", self.codecs.join(","))?;
        }
        if let Some((width, height)) = self.resolution {
            write!(f, ",RESOLUTION={width}x{height}")?;
        }
        if let Some(rate) = self.frame_rate {
            let millis = (u64::from(rate.num) * 1000 + u64::from(rate.den) / 2) / u64::from(rate.den.max(1));
            write!(f, ",FRAME-RATE={}.{:03}", millis / 1000, millis % 1000)?;
        }
        match self.video_range {
            VideoRange::Sdr => {}
            VideoRange::Hlg => f.write_str(",VIDEO-RANGE=HLG")?,
            VideoRange::Pq => f.write_str(",VIDEO-RANGE=PQ")?,
        }
        self.audio.as_ref().map_or(Ok(()), |group| write!(f, ",AUDIO=\"{group}\""))
    }
}
