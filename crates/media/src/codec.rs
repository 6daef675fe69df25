use bytes::Bytes;

use crate::{Kind, Picture, Timescale};

/// A codec with its decoder configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264 / AVC; packets hold length-prefixed NAL units.
    H264(H264),
    /// H.265 / HEVC; packets hold length-prefixed NAL units.
    H265(H265),
    /// AV1; packets hold the OBUs of one temporal unit in the low-overhead format (AV1 §5.2).
    Av1(Av1),
    /// VP9; packets hold one frame or superframe.
    Vp9(Vp9),
    /// AAC; packets hold raw access units without ADTS.
    Aac(Aac),
    /// MPEG audio layer III; packets hold one frame with its header.
    Mp3(Mp3),
    /// Opus; packets hold one Opus packet.
    Opus(Opus),
    /// FLAC; packets hold one frame with its header.
    Flac(Flac),
    /// AC-3 or Enhanced AC-3; packets hold the syncframes of one access unit.
    Ac3(Ac3),
}

impl Codec {
    /// Pictures or sound.
    pub fn kind(&self) -> Kind {
        match self {
            Self::H264(_) | Self::H265(_) | Self::Av1(_) | Self::Vp9(_) => Kind::Video,
            Self::Aac(_) | Self::Mp3(_) | Self::Opus(_) | Self::Flac(_) | Self::Ac3(_) => Kind::Audio,
        }
    }

    /// The picture format; `None` for sound.
    pub fn picture(&self) -> Option<&Picture> {
        match self {
            Self::H264(h264) => Some(&h264.picture),
            Self::H265(h265) => Some(&h265.picture),
            Self::Av1(av1) => Some(&av1.picture),
            Self::Vp9(vp9) => Some(&vp9.picture),
            _ => None,
        }
    }

    /// The picture format, to add what the container says of it; `None` for sound.
    pub fn picture_mut(&mut self) -> Option<&mut Picture> {
        match self {
            Self::H264(h264) => Some(&mut h264.picture),
            Self::H265(h265) => Some(&mut h265.picture),
            Self::Av1(av1) => Some(&mut av1.picture),
            Self::Vp9(vp9) => Some(&mut vp9.picture),
            _ => None,
        }
    }

    /// Samples per second of sound; `None` for pictures.
    pub fn sample_rate(&self) -> Option<u32> {
        match self {
            Self::Aac(aac) => Some(aac.sample_rate),
            Self::Mp3(mp3) => Some(mp3.sample_rate),
            Self::Opus(_) => Some(Opus::SAMPLE_RATE),
            Self::Flac(flac) => Some(flac.sample_rate),
            Self::Ac3(ac3) => Some(ac3.sample_rate),
            _ => None,
        }
    }

    /// Ticks per second of the track's timestamps: 90,000 for pictures, the sample rate for sound; `None` for a
    /// sample rate of 0.
    pub fn timescale(&self) -> Option<Timescale> {
        self.sample_rate().map_or(Some(Timescale::VIDEO), Timescale::new)
    }

    /// Speakers that the sound is for, low frequencies included; `None` for pictures and where only the stream
    /// knows.
    pub fn channels(&self) -> Option<u8> {
        match self {
            Self::Aac(aac) => aac.speakers(),
            Self::Mp3(mp3) => Some(mp3.channels),
            Self::Opus(opus) => Some(opus.channels),
            Self::Flac(flac) => Some(flac.channels),
            Self::Ac3(ac3) => Some(ac3.channels),
            _ => None,
        }
    }
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

/// H.265 decoder configuration. `codec::h265::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct H265 {
    /// HEVCDecoderConfigurationRecord as received (ISO/IEC 14496-15 §8.3.3).
    pub record: Bytes,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// What the first SPS says of the picture.
    pub picture: Picture,
}

/// AV1 decoder configuration. `codec::av1::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Av1 {
    /// AV1CodecConfigurationRecord as received (AV1-ISOBMFF §2.3); its OBUs may be missing.
    pub record: Bytes,
    /// What the sequence header says of the picture.
    pub picture: Picture,
}

/// VP9 decoder configuration. `codec::vp9::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vp9 {
    /// VPCodecConfigurationRecord with the version and flags of its box (VP9-ISOBMFF §2).
    pub record: Bytes,
    /// What the last key frame says of the picture: the record states no size.
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

impl Aac {
    /// Speakers of the channelConfiguration (ISO/IEC 14496-3 table 1.19); `None` where only a program config
    /// element knows. Parametric stereo makes two of one.
    pub fn speakers(&self) -> Option<u8> {
        match (self.channels, self.object_type) {
            (0, _) => None,
            (1, 29) => Some(2),
            (7 | 12 | 14, _) => Some(8),
            (11, _) => Some(7),
            (13, _) => Some(24),
            (count, _) => Some(count),
        }
    }
}

/// What the header of an MPEG audio frame says (ISO/IEC 11172-3 §2.4.1.3). `codec::mp3::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mp3 {
    /// Samples per second: the track's timescale. Below 32,000 it is MPEG-2 or 2.5.
    pub sample_rate: u32,
    /// 1 or 2.
    pub channels: u8,
    /// Samples of one frame: 1152, or 576 in MPEG-2 and 2.5.
    pub frame_samples: u32,
}

/// Opus decoder configuration. `codec::opus::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opus {
    /// OpusHead as received, magic included (RFC 7845 §5.1).
    pub head: Bytes,
    /// Output channels.
    pub channels: u8,
    /// Samples at 48 kHz that a decoder drops at the beginning.
    pub pre_skip: u16,
}

impl Opus {
    /// Every Opus track's timescale (RFC 7845 §4).
    pub const SAMPLE_RATE: u32 = 48_000;
}

/// FLAC decoder configuration. `codec::flac::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flac {
    /// The 34 bytes of STREAMINFO (RFC 9639 §8.2), without the header of its metadata block; what only the end of
    /// a stream knows is 0.
    pub stream_info: Bytes,
    /// Samples per second: the track's timescale.
    pub sample_rate: u32,
    /// 1 to 8.
    pub channels: u8,
    /// 4 to 32.
    pub bits_per_sample: u8,
}

/// What syncframes of AC-3 or Enhanced AC-3 say (ETSI TS 102 366). `codec::ac3::config` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ac3 {
    /// Whether it is Enhanced AC-3.
    pub enhanced: bool,
    /// Payload of `dac3` or `dec3` (ETSI TS 102 366 annex F.4, F.6).
    pub record: Bytes,
    /// Samples per second: the track's timescale.
    pub sample_rate: u32,
    /// Channels of the first independent substream, low frequencies included.
    pub channels: u8,
}
