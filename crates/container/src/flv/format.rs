use media::{Codec, Kind};

/// A codec as FLV tells them apart: by FourCC in the Enhanced form, by CodecID or SoundFormat in the legacy form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// H.264; legacy CodecID 7.
    Avc,
    /// H.265; legacy CodecID 12 by agreement of its users, Adobe never gave it one.
    Hevc,
    /// AV1; legacy CodecID 13, as for H.265.
    Av1,
    /// VP9.
    Vp9,
    /// AAC; legacy SoundFormat 10.
    Aac,
    /// MPEG audio layer III; legacy SoundFormat 2, at 8 kHz 14.
    Mp3,
    /// Opus.
    Opus,
    /// FLAC.
    Flac,
    /// AC-3.
    Ac3,
    /// Enhanced AC-3.
    Eac3,
    /// Any other codec, or none.
    Other,
}

impl Format {
    /// Every format of video that is read and written.
    pub const VIDEO: &[Self] = &[Self::Avc, Self::Hevc, Self::Av1, Self::Vp9];
    /// Every format of audio that is read and written.
    pub const AUDIO: &[Self] = &[Self::Aac, Self::Mp3, Self::Opus, Self::Flac, Self::Ac3, Self::Eac3];

    /// FourCC of the Enhanced form (enhanced-rtmp-v2, "ExVideoTagHeader" and "ExAudioTagHeader"); zeros for
    /// [`Format::Other`].
    pub fn fourcc(self) -> [u8; 4] {
        match self {
            Self::Avc => *b"avc1",
            Self::Hevc => *b"hvc1",
            Self::Av1 => *b"av01",
            Self::Vp9 => *b"vp09",
            Self::Aac => *b"mp4a",
            Self::Mp3 => *b".mp3",
            Self::Opus => *b"Opus",
            Self::Flac => *b"fLaC",
            Self::Ac3 => *b"ac-3",
            Self::Eac3 => *b"ec-3",
            Self::Other => [0; 4],
        }
    }

    /// Its FourCC as text; empty for [`Format::Other`].
    pub fn name(self) -> String {
        match self {
            Self::Other => String::new(),
            known => printable(known.fourcc()),
        }
    }

    /// The format that carries `codec`.
    pub fn of(codec: &Codec) -> Self {
        match codec {
            Codec::H264(_) => Self::Avc,
            Codec::H265(_) => Self::Hevc,
            Codec::Av1(_) => Self::Av1,
            Codec::Vp9(_) => Self::Vp9,
            Codec::Aac(_) => Self::Aac,
            Codec::Mp3(_) => Self::Mp3,
            Codec::Opus(_) => Self::Opus,
            Codec::Flac(_) => Self::Flac,
            Codec::Ac3(ac3) if ac3.enhanced => Self::Eac3,
            Codec::Ac3(_) => Self::Ac3,
        }
    }

    /// The format of `kind` with this FourCC; `None` if we read none such.
    pub(super) fn of_fourcc(kind: Kind, fourcc: [u8; 4]) -> Option<Self> {
        let known = match kind {
            Kind::Video => Self::VIDEO,
            Kind::Audio => Self::AUDIO,
        };
        known.iter().copied().find(|format| format.fourcc() == fourcc)
    }

    /// Whether coded frames begin with a composition time.
    pub(super) fn has_composition_time(self) -> bool {
        matches!(self, Self::Avc | Self::Hevc)
    }
}

/// What a message says its codec is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Known(Format),
    FourCc([u8; 4]),
    /// A legacy codec that is not read, by name.
    Legacy(&'static str),
}

impl Source {
    pub(super) fn of_fourcc(kind: Kind, fourcc: [u8; 4]) -> Self {
        Format::of_fourcc(kind, fourcc).map_or(Self::FourCc(fourcc), Self::Known)
    }

    pub(super) fn format(self) -> Format {
        match self {
            Self::Known(format) => format,
            Self::FourCc(_) | Self::Legacy(_) => Format::Other,
        }
    }

    /// Its name, to tell an operator: what is not printable of a FourCC is `?`.
    pub(super) fn name(self) -> String {
        match self {
            Self::Known(format) => format.name(),
            Self::FourCc(code) => printable(code),
            Self::Legacy(name) => name.to_owned(),
        }
    }
}

fn printable(code: [u8; 4]) -> String {
    code.map(|byte| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' })
        .iter()
        .collect()
}
