use bytes::{Buf, Bytes};

use crate::Error;

/// SoundFormat of AAC.
const AAC: u8 = 10;
/// SoundFormat of Enhanced RTMP: a FourCC follows.
const ENHANCED_AUDIO: u8 = 9;
/// CodecID of H.264.
const AVC: u8 = 7;
/// Bit 7 of a video payload: Enhanced RTMP, a FourCC follows.
const ENHANCED_VIDEO: u8 = 0x80;
/// FrameType of key frames.
const KEY: u8 = 1;
/// FrameType of inter frames.
const INTER: u8 = 2;
/// FrameType of commands to players.
const COMMAND: u8 = 5;

/// What a video message or tag holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Video {
    /// AVCDecoderConfigurationRecord of H.264; a slice of the payload, so it pins what that shares.
    SequenceHeader(Bytes),
    /// One H.264 access unit.
    Frame {
        /// What the encoder says of it; only an IDR picture starts decoding (`codec::h264::is_idr`).
        key: bool,
        /// Presentation minus decode time in milliseconds, 24 bit signed.
        cts_ms: i32,
        /// Length-prefixed NAL units; may be empty.
        data: Bytes,
    },
    /// The encoder will send no more of this sequence.
    SequenceEnd,
    /// A hint to players (seek begins or ends); no picture.
    Command,
    /// A codec that is not read yet.
    Unsupported {
        /// CodecID; 0 for Enhanced RTMP.
        codec: u8,
        /// Its name or FourCC, to tell an operator.
        name: String,
    },
}

/// Takes apart the payload of a video message or tag (annex E.4.3); `data` shares `payload`.
///
/// Errors: an empty or cut header, an AVCPacketType over 2.
pub fn legacy_video(payload: &Bytes) -> Result<Video, Error> {
    let first = *payload.first().ok_or(Error::Flv { what: "video tag header", at: 0 })?;
    if first & ENHANCED_VIDEO != 0 {
        return Ok(Video::Unsupported { codec: 0, name: fourcc(payload) });
    }
    let (frame_type, codec) = (first >> 4, first & 0x0f);
    if frame_type == COMMAND {
        return Ok(Video::Command);
    }
    if codec != AVC {
        return Ok(Video::Unsupported { codec, name: video_name(codec).to_owned() });
    }
    let at = payload.len();
    let cut = || Error::Flv { what: "AVC video tag header", at };
    let (head, data) = (payload.first_chunk::<5>(), payload.get(5..).map(|rest| payload.slice_ref(rest)));
    let packet_type = *payload.get(1).ok_or_else(cut)?;
    match (packet_type, head, data) {
        // its composition time says nothing, and some encoders leave it out
        (2, _, _) => Ok(Video::SequenceEnd),
        (0, Some(_), Some(data)) => Ok(Video::SequenceHeader(data)),
        (1, Some(&[_, _, a, b, c]), Some(data)) => {
            Ok(Video::Frame { key: frame_type == KEY, cts_ms: signed_24([a, b, c]), data })
        }
        (0 | 1, _, _) => Err(cut()),
        _ => Err(Error::Flv { what: "AVCPacketType", at: 1 }),
    }
}

/// What an audio message or tag holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audio {
    /// AudioSpecificConfig of AAC; a slice of the payload, so it pins what that shares.
    SequenceHeader(Bytes),
    /// One raw AAC access unit. Empty if the message said silence, or nothing at all: skip it.
    Frame(Bytes),
    /// The encoder will send no more of this sequence (Enhanced RTMP only).
    SequenceEnd,
    /// A codec that is not read yet.
    Unsupported {
        /// Its name or FourCC, to tell an operator.
        name: String,
    },
}

/// Takes apart the payload of an audio message or tag (annex E.4.2); `data` shares `payload`. An empty payload
/// is an empty frame: encoders send it for silence.
///
/// Errors: an AAC payload without AACPacketType, or one over 1.
pub fn legacy_audio(payload: &Bytes) -> Result<Audio, Error> {
    let Some(&first) = payload.first() else {
        return Ok(Audio::Frame(Bytes::new()));
    };
    match first >> 4 {
        AAC => {}
        ENHANCED_AUDIO => return Ok(Audio::Unsupported { name: fourcc(payload) }),
        format => return Ok(Audio::Unsupported { name: audio_name(format).to_owned() }),
    }
    let mut data = payload.clone();
    data.advance(1);
    match data.try_get_u8() {
        Ok(0) => Ok(Audio::SequenceHeader(data)),
        Ok(1) => Ok(Audio::Frame(data)),
        _ => Err(Error::Flv { what: "AACPacketType", at: 1 }),
    }
}

/// The 5 bytes before an H.264 access unit. `cts_ms` is cut to 24 bit signed.
pub fn h264_header(key: bool, cts_ms: i32) -> [u8; 5] {
    let frame_type = if key { KEY } else { INTER };
    let [_, a, b, c] = cts_ms.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
    [frame_type << 4 | AVC, 1, a, b, c]
}

/// The 5 bytes before an AVCDecoderConfigurationRecord.
pub fn h264_sequence_header() -> [u8; 5] {
    [KEY << 4 | AVC, 0, 0, 0, 0]
}

/// The whole payload that ends an H.264 sequence.
pub fn h264_end_of_sequence() -> [u8; 5] {
    [KEY << 4 | AVC, 2, 0, 0, 0]
}

/// The 2 bytes before an AudioSpecificConfig (`sequence`) or a raw access unit. Rate, size and channels are the
/// fixed values that annex E.4.2.1 demands for AAC; the real ones are in the AudioSpecificConfig.
pub fn aac_header(sequence: bool) -> [u8; 2] {
    [AAC << 4 | 0x0f, u8::from(!sequence)]
}

fn signed_24([a, b, c]: [u8; 3]) -> i32 {
    i32::from_be_bytes([a, b, c, 0]) >> 8
}

/// The FourCC of an Enhanced RTMP payload, as far as it is printable; multitrack and ModEx prefixes come out
/// as what stands at its place.
fn fourcc(payload: &[u8]) -> String {
    let code = payload.get(1..5).unwrap_or_default();
    code.iter().map(|&b| if b.is_ascii_graphic() { char::from(b) } else { '?' }).collect()
}

fn video_name(codec: u8) -> &'static str {
    match codec {
        2 => "Sorenson H.263",
        3 | 6 => "Screen Video",
        4 | 5 => "VP6",
        12 => "H.265 (CodecID 12)",
        13 => "AV1 (CodecID 13)",
        _ => "unknown CodecID",
    }
}

fn audio_name(format: u8) -> &'static str {
    match format {
        0 | 3 => "PCM",
        1 => "ADPCM",
        2 | 14 => "MP3",
        4..=6 => "Nellymoser",
        7 => "G.711 A-law",
        8 => "G.711 mu-law",
        11 => "Speex",
        13 => "Opus (SoundFormat 13)",
        _ => "unknown SoundFormat",
    }
}
