use bytes::Bytes;

use crate::Timescale;

/// A track of a session; 0 is the main track of its kind (Enhanced RTMP v2, multitrack).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId {
    /// Video or audio.
    pub kind: Kind,
    /// 0 for the main track.
    pub index: u8,
}

impl TrackId {
    /// The main video track.
    pub const VIDEO: TrackId = TrackId { kind: Kind::Video, index: 0 };
    /// The main audio track.
    pub const AUDIO: TrackId = TrackId { kind: Kind::Audio, index: 0 };
}

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// One elementary stream and how to decode it. Two tracks are equal when a decoder opened for one goes on
/// with the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Which of the session's tracks.
    pub id: TrackId,
    /// Ticks per second of every timestamp of this track's packets.
    pub timescale: Timescale,
    /// How to decode it.
    pub codec: Codec,
}

impl Track {
    /// Whether this track carries pictures.
    pub fn is_video(&self) -> bool {
        self.id.kind == Kind::Video
    }

    /// The picture format; `None` for sound.
    pub fn picture(&self) -> Option<&Picture> {
        match &self.codec {
            Codec::H264(h264) => Some(&h264.picture),
            Codec::Aac(_) => None,
        }
    }
}

/// A codec with its decoder configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264 / AVC; packets hold length-prefixed NAL units.
    H264(H264),
    /// AAC; packets hold raw access units without ADTS.
    Aac(Aac),
}

/// H.264 decoder configuration. `codec::h264::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct H264 {
    /// AVCDecoderConfigurationRecord as received (ISO/IEC 14496-15 §5.3.3).
    pub record: Bytes,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// What the first SPS says of the picture.
    pub picture: Picture,
}

/// AAC decoder configuration. `codec::aac::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aac {
    /// AudioSpecificConfig as received (ISO/IEC 14496-3 §1.6.2.1).
    pub config: Bytes,
    /// Audio object type for the codec string: 2 LC, 5 SBR, 29 PS.
    pub object_type: u8,
    /// Samples per second of the core coder: the track's timescale.
    pub sample_rate: u32,
    /// channelConfiguration; 0 when a program config element says it.
    pub channels: u8,
    /// Samples of one access unit on the core rate: 1024 or 960.
    pub frame_samples: u32,
}

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
