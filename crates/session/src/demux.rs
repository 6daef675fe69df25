//! What the units of RTMP media messages mean: access units and decoder configurations.

use bytes::Bytes;
use codec::{ac3, av1, flac, h264, h265, mp3, opus, vp9};
use container::flv::{Body, ColourInfo, Format, Unit};
use media::{Ac3, Codec, Kind, TrackId, Wall};

/// An access unit with the timestamp its sender gave it.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Whose.
    pub track: TrackId,
    /// Decode time in milliseconds, unwrapped.
    pub millis: i64,
    /// What decode time has beyond those milliseconds, in nanoseconds; under a million.
    pub nanos: u32,
    /// Presentation minus decode time in milliseconds.
    pub cts_millis: i32,
    /// Whether decoding can start here.
    pub key: bool,
    /// As in [`media::Packet`].
    pub recovery: Option<u16>,
    /// When its last byte arrived.
    pub received: Wall,
    /// Payload.
    pub data: Bytes,
}

impl Frame {
    /// Whether it is a picture.
    pub(crate) fn is_video(&self) -> bool {
        self.track.kind == Kind::Video
    }

    /// Whether a decoder can be sent to start here.
    pub(crate) fn is_entry(&self) -> bool {
        self.key || self.recovery.is_some()
    }
}

/// What a unit means.
#[derive(Debug, Default)]
pub(crate) struct Demuxed {
    /// The decoder configuration from here on.
    pub config: Option<Codec>,
    /// What the sender says of colours, for this configuration and those that follow.
    pub colour: Option<ColourInfo>,
    /// An access unit; its time is not known yet.
    pub unit: Option<Access>,
    /// A codec that no product carries.
    pub unsupported: Option<String>,
}

/// An access unit without its time.
#[derive(Debug)]
pub(crate) struct Access {
    /// Its codec.
    pub format: Format,
    /// Whether the sender calls it a key frame.
    pub flagged: bool,
    /// Presentation minus decode time in milliseconds.
    pub cts_millis: i32,
    /// Payload.
    pub data: Bytes,
}

/// Reads one track's part of a message. `codec` is the configuration in force for the track.
pub(crate) fn demux(unit: Unit, codec: Option<&Codec>) -> Result<Demuxed, codec::Error> {
    let nothing = Demuxed::default();
    Ok(match unit.body {
        Body::SequenceStart(record) => Demuxed { config: announced(unit.format, &record, codec)?, ..nothing },
        // Encoders send empty messages for silence.
        Body::Frame { data, .. } if data.is_empty() => nothing,
        Body::Frame { key, cts_ms, data } => {
            let config = in_band(unit.format, &data, codec)?;
            Demuxed {
                config,
                unit: Some(Access { format: unit.format, flagged: key, cts_millis: cts_ms, data }),
                ..nothing
            }
        }
        Body::Colour(colour) => Demuxed { colour: Some(colour), ..nothing },
        Body::Unsupported(name) => Demuxed { unsupported: Some(name), ..nothing },
        Body::SequenceEnd | Body::Nothing => nothing,
    })
}

/// The configuration of a sequence header; `None` if `codec` is that already, or only frames can tell.
///
/// FFmpeg with libaom sends an empty one first, and the real one when the encoder has it.
fn announced(format: Format, record: &Bytes, codec: Option<&Codec>) -> Result<Option<Codec>, codec::Error> {
    if record.is_empty() {
        return Ok(None);
    }
    let config = match format {
        Format::Avc => Codec::H264(h264::config(record)?),
        Format::Hevc => Codec::H265(h265::config(record)?),
        Format::Av1 => Codec::Av1(av1::config(record)?),
        Format::Vp9 => Codec::Vp9(vp9::config(record)?),
        Format::Aac => Codec::Aac(codec::aac::config(record)?),
        Format::Opus => Codec::Opus(opus::config(record)?),
        Format::Flac => Codec::Flac(flac::config(record)?),
        Format::Mp3 | Format::Ac3 | Format::Eac3 | Format::Other => return Ok(None),
    };
    Ok(Some(config).filter(|config| !codec.is_some_and(|codec| is_same(config, codec))))
}

/// Whether a sequence header only says again what is known, of which frames told more than it has.
fn is_same(config: &Codec, known: &Codec) -> bool {
    match (config, known) {
        (Codec::Av1(config), Codec::Av1(known)) => config.record == known.record,
        (Codec::Vp9(config), Codec::Vp9(known)) => config.record == known.record,
        _ => config == known,
    }
}

/// The configuration that an access unit itself states, if it is not `codec`.
fn in_band(format: Format, data: &Bytes, codec: Option<&Codec>) -> Result<Option<Codec>, codec::Error> {
    let stated = match (format, codec) {
        (Format::Mp3, _) => Some(Codec::Mp3(mp3::config(data)?)),
        (Format::Ac3, _) => ac3_in_band(data, false, codec)?,
        (Format::Eac3, _) => ac3_in_band(data, true, codec)?,
        (Format::Av1, Some(Codec::Av1(known))) => av1::with_picture(known, data)?.map(Codec::Av1),
        (Format::Vp9, Some(Codec::Vp9(known))) => vp9::with_picture(known, data)?.map(Codec::Vp9),
        _ => None,
    };
    Ok(stated.filter(|stated| codec != Some(stated)))
}

/// The data rate in the record is the first unit's: one that varies is no other codec.
fn ac3_in_band(data: &Bytes, enhanced: bool, codec: Option<&Codec>) -> Result<Option<Codec>, codec::Error> {
    let stated = ac3::config(data, enhanced)?;
    let format = |ac3: &Ac3| (ac3.enhanced, ac3.sample_rate, ac3.channels);
    let known = matches!(codec, Some(Codec::Ac3(known)) if format(known) == format(&stated));
    Ok((!known).then_some(Codec::Ac3(stated)))
}

/// Extends RTMP's 32-bit milliseconds, which wrap after 49.7 days, to 64 bits.
#[derive(Debug, Default)]
pub(crate) struct Unwrapper {
    last: Option<i64>,
}

impl Unwrapper {
    /// The moment nearest to the previous one that has these low 32 bits.
    pub(crate) fn unwrap(&mut self, timestamp: u32) -> i64 {
        let value = match self.last {
            None => i64::from(timestamp),
            // Wrapping subtraction of the low halves is the signed distance.
            #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
            Some(last) => last + i64::from(timestamp.wrapping_sub(last as u32) as i32),
        };
        self.last = Some(value);
        value
    }
}
