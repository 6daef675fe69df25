//! RTMP media messages to frames and decoder configurations.

use bytes::Bytes;
use container::flv::{self, Audio, Video};
use media::{Codec, Kind, Wall};

/// An access unit with the timestamp its sender gave it.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Video or audio.
    pub kind: Kind,
    /// Decode time in milliseconds, unwrapped.
    pub millis: i64,
    /// Presentation minus decode time in milliseconds.
    pub cts_millis: i32,
    /// Whether decoding can start here.
    pub key: bool,
    /// When its last byte arrived.
    pub received: Wall,
    /// Payload.
    pub data: Bytes,
}

/// What a message means.
#[derive(Debug)]
pub(crate) enum Demuxed {
    /// A decoder configuration.
    Config(Codec),
    /// An access unit; its time is not known yet.
    Unit { key: bool, cts_millis: i32, data: Bytes },
    /// Nothing to do: end of sequence, commands.
    Nothing,
    /// A codec that no product carries yet.
    Unsupported(String),
}

/// Reads the payload of a video or audio message. `codec` is the configuration in force for the kind.
pub(crate) fn demux(kind: Kind, payload: &Bytes, codec: Option<&Codec>) -> Result<Demuxed, container::Error> {
    match kind {
        Kind::Video => video(payload, codec),
        Kind::Audio => audio(payload),
    }
}

fn video(payload: &Bytes, codec: Option<&Codec>) -> Result<Demuxed, container::Error> {
    Ok(match flv::legacy_video(payload)? {
        Video::SequenceHeader(record) => Demuxed::Config(Codec::H264(codec::h264::config(&record)?)),
        Video::Frame { key, cts_ms, data } => {
            // The FLV flag is a hint: recovery points and plain I frames carry it, too (packaging-rules C-05).
            let idr = match codec {
                Some(Codec::H264(h264)) => codec::h264::is_idr(&data, h264.length_size),
                _ => key,
            };
            Demuxed::Unit { key: idr, cts_millis: cts_ms, data }
        }
        Video::SequenceEnd | Video::Command => Demuxed::Nothing,
        Video::Unsupported { name, .. } => Demuxed::Unsupported(name),
    })
}

fn audio(payload: &Bytes) -> Result<Demuxed, container::Error> {
    Ok(match flv::legacy_audio(payload)? {
        Audio::SequenceHeader(config) => Demuxed::Config(Codec::Aac(codec::aac::config(&config)?)),
        Audio::Frame(data) if data.is_empty() => Demuxed::Nothing,
        Audio::Frame(data) => Demuxed::Unit { key: true, cts_millis: 0, data },
        Audio::SequenceEnd => Demuxed::Nothing,
        Audio::Unsupported { name } => Demuxed::Unsupported(name),
    })
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
