use bytes::{Buf, Bytes};
use media::Kind;

use super::format::{Format, Source};
use super::units::{Layout, Packet, Units};
use crate::Error;

/// Bit 7 of a video payload: Enhanced RTMP.
pub(super) const ENHANCED_VIDEO: u8 = 0x80;
/// SoundFormat of Enhanced RTMP.
pub(super) const ENHANCED_AUDIO: u8 = 9;
/// FrameType of key frames.
pub(super) const KEY: u8 = 1;
/// FrameType of inter frames.
pub(super) const INTER: u8 = 2;
/// FrameType of commands to players.
pub(super) const COMMAND: u8 = 5;
/// PacketType of both kinds that says more about the message, before the PacketType that counts.
const MOD_EX: u8 = 7;
/// The most that TimestampOffsetNano may say.
const MAX_NANOS: u32 = 999_999;

/// PacketType of video (enhanced-rtmp-v2, "ExVideoTagHeader").
pub(super) mod video_packet {
    pub const SEQUENCE_START: u8 = 0;
    pub const CODED_FRAMES: u8 = 1;
    pub const SEQUENCE_END: u8 = 2;
    pub const CODED_FRAMES_X: u8 = 3;
    pub const METADATA: u8 = 4;
    pub const MPEG2_TS_SEQUENCE_START: u8 = 5;
    pub const MULTITRACK: u8 = 6;
}

/// PacketType of audio (enhanced-rtmp-v2, "ExAudioTagHeader").
pub(super) mod audio_packet {
    pub const SEQUENCE_START: u8 = 0;
    pub const CODED_FRAMES: u8 = 1;
    pub const SEQUENCE_END: u8 = 2;
    pub const MULTICHANNEL_CONFIG: u8 = 4;
    pub const MULTITRACK: u8 = 5;
}

/// CodecID and SoundFormat (annex E.4.3.1, E.4.2.1).
pub(super) mod legacy {
    pub const AVC: u8 = 7;
    pub const HEVC: u8 = 12;
    pub const AV1: u8 = 13;
    pub const MP3: u8 = 2;
    pub const AAC: u8 = 10;
    pub const MP3_8_KHZ: u8 = 14;
}

/// Takes apart the payload of a video message or tag: annex E.4.3 and Enhanced RTMP v2.
///
/// Errors: an empty or cut header, packet types that cannot be there. What is wrong with a track's part is told by
/// the iterator.
pub fn video(payload: &Bytes) -> Result<Units, Error> {
    let mut units = Units::new(Kind::Video, payload);
    let first = units.field("video tag header", |rest| rest.try_get_u8())?;
    if first & ENHANCED_VIDEO == 0 {
        legacy_video(&mut units, first)?;
        return Ok(units);
    }
    let frame_type = first >> 4 & 7;
    units.key = frame_type == KEY;
    let packet = mod_ex(&mut units, first & 0x0f)?;
    if packet != video_packet::METADATA && frame_type == COMMAND {
        return Ok(units);
    }
    tracks(&mut units, packet, video_packet::MULTITRACK, |packet| {
        Some(match packet {
            video_packet::SEQUENCE_START => Packet::SequenceStart,
            video_packet::CODED_FRAMES => Packet::CodedFrames,
            video_packet::SEQUENCE_END => Packet::SequenceEnd,
            video_packet::CODED_FRAMES_X => Packet::CodedFramesX,
            video_packet::METADATA => Packet::Metadata,
            video_packet::MPEG2_TS_SEQUENCE_START => Packet::Other,
            _ => return None,
        })
    })?;
    Ok(units)
}

/// Takes apart the payload of an audio message or tag: annex E.4.2 and Enhanced RTMP v2. An empty payload has no
/// units: encoders send it for silence.
///
/// Errors: as [`video`].
pub fn audio(payload: &Bytes) -> Result<Units, Error> {
    let mut units = Units::new(Kind::Audio, payload);
    let Ok(first) = units.rest.try_get_u8() else {
        units.layout = Layout::Done;
        return Ok(units);
    };
    if first >> 4 != ENHANCED_AUDIO {
        legacy_audio(&mut units, first >> 4)?;
        return Ok(units);
    }
    let packet = mod_ex(&mut units, first & 0x0f)?;
    tracks(&mut units, packet, audio_packet::MULTITRACK, |packet| {
        Some(match packet {
            audio_packet::SEQUENCE_START => Packet::SequenceStart,
            audio_packet::CODED_FRAMES => Packet::CodedFrames,
            audio_packet::SEQUENCE_END => Packet::SequenceEnd,
            audio_packet::MULTICHANNEL_CONFIG => Packet::Other,
            _ => return None,
        })
    })?;
    Ok(units)
}

/// Reads what comes before the PacketType that counts, and that. Each round takes at least three bytes.
fn mod_ex(units: &mut Units, mut packet: u8) -> Result<u8, Error> {
    while packet == MOD_EX {
        let mut size = usize::from(units.field("ModEx size", |rest| rest.try_get_u8())?) + 1;
        if size == 256 {
            size = usize::from(units.field("ModEx size", |rest| rest.try_get_u16())?) + 1;
        }
        if size > units.rest.len() {
            return Err(Error::Flv { what: "ModEx data", at: units.len });
        }
        let mut data = units.rest.split_to(size);
        let types = units.field("ModEx type", |rest| rest.try_get_u8())?;
        if let (0, Ok(nanos)) = (types >> 4, data.try_get_uint(3)) {
            units.nanos = u32::try_from(nanos).ok().filter(|&nanos| nanos <= MAX_NANOS).unwrap_or(0);
        }
        packet = types & 0x0f;
    }
    Ok(packet)
}

/// Reads what `packet` is, how the tracks follow if it is `multitrack`, and the FourCC that all of them have.
/// `meaning` knows the PacketTypes that tracks can have.
fn tracks(
    units: &mut Units,
    mut packet: u8,
    multitrack: u8,
    meaning: impl Fn(u8) -> Option<Packet>,
) -> Result<(), Error> {
    let mut at = units.at().saturating_sub(1);
    if packet == multitrack {
        at = units.at();
        let types = units.field("multitrack type", |rest| rest.try_get_u8())?;
        units.layout = match types >> 4 {
            0 => Layout::OneTrack,
            1 => Layout::ManyTracks,
            2 => Layout::ManyTracksManyCodecs,
            _ => return Err(Error::Flv { what: "multitrack type", at }),
        };
        packet = types & 0x0f;
    }
    units.packet = meaning(packet).ok_or(Error::Flv { what: "PacketType", at })?;
    if units.layout != Layout::ManyTracksManyCodecs {
        units.source = units.fourcc()?;
    }
    Ok(())
}

/// Reads the header of H.264 (annex E.4.3.1), which users of other codecs took over.
fn legacy_video(units: &mut Units, first: u8) -> Result<(), Error> {
    let (frame_type, codec) = (first >> 4, first & 0x0f);
    units.key = frame_type == KEY;
    if frame_type == COMMAND {
        return Ok(());
    }
    units.source = Source::Known(match codec {
        legacy::AVC => Format::Avc,
        legacy::HEVC => Format::Hevc,
        legacy::AV1 => Format::Av1,
        _ => {
            units.source = Source::Legacy(video_name(codec));
            return Ok(());
        }
    });
    let packet = units.field("AVC video tag header", |rest| rest.try_get_u8())?;
    units.packet = match packet {
        0 => Packet::SequenceStart,
        1 => Packet::CodedFrames,
        // its composition time says nothing, and some encoders leave it out
        2 => Packet::SequenceEnd,
        _ => return Err(Error::Flv { what: "AVCPacketType", at: 1 }),
    };
    let has_time = units.source.format().has_composition_time();
    if units.packet == Packet::SequenceStart || (units.packet == Packet::CodedFrames && !has_time) {
        units.field("AVC video tag header", |rest| rest.try_get_uint(3))?;
    }
    Ok(())
}

fn legacy_audio(units: &mut Units, format: u8) -> Result<(), Error> {
    match format {
        legacy::AAC => {
            units.source = Source::Known(Format::Aac);
            units.packet = match units.rest.try_get_u8() {
                Ok(0) => Packet::SequenceStart,
                Ok(1) => Packet::CodedFrames,
                _ => return Err(Error::Flv { what: "AACPacketType", at: 1 }),
            };
        }
        legacy::MP3 | legacy::MP3_8_KHZ => {
            units.source = Source::Known(Format::Mp3);
            units.packet = Packet::CodedFrames;
        }
        _ => units.source = Source::Legacy(audio_name(format)),
    }
    Ok(())
}

fn video_name(codec: u8) -> &'static str {
    match codec {
        2 => "Sorenson H.263",
        3 | 6 => "Screen Video",
        4 | 5 => "VP6",
        _ => "unknown CodecID",
    }
}

fn audio_name(format: u8) -> &'static str {
    match format {
        0 | 3 => "PCM",
        1 => "ADPCM",
        4..=6 => "Nellymoser",
        7 => "G.711 A-law",
        8 => "G.711 mu-law",
        11 => "Speex",
        13 => "Opus (SoundFormat 13)",
        _ => "unknown SoundFormat",
    }
}
