use bytes::Bytes;
use media::{Codec, Mp3, Track};

use super::colour::{self, ColourInfo};
use super::format::Format;
use super::header::{ENHANCED_AUDIO, ENHANCED_VIDEO, INTER, KEY, audio_packet, legacy, video_packet};

/// The most bytes of a header: first byte, multitrack type, FourCC, track id, composition time.
const MAX_HEADER: usize = 10;
/// Multitrack type of a message with one track.
const ONE_TRACK: u8 = 0;
/// FrameType 5 with PacketType Metadata: what FFmpeg writes, for it is no frame.
const NO_FRAME: u8 = 5;
/// METADATA_BLOCK_HEADER of a last block of type STREAMINFO, 34 bytes (RFC 9639 §8.1), after FLAC's magic.
const FLAC_HEAD: [u8; 8] = *b"fLaC\x80\0\0\x22";

/// The bytes of a tag's or message's payload before its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyHeader {
    bytes: [u8; MAX_HEADER],
    len: usize,
}

impl BodyHeader {
    fn new(parts: &[&[u8]]) -> Self {
        let mut header = Self::default();
        for &byte in parts.iter().copied().flatten() {
            if let Some(place) = header.bytes.get_mut(header.len) {
                *place = byte;
                header.len += 1;
            }
        }
        header
    }
}

impl AsRef<[u8]> for BodyHeader {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl std::ops::Deref for BodyHeader {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_ref()
    }
}

/// What a packet is, as far as headers tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Start,
    Frame { key: bool, cts_ms: i32 },
    End,
}

/// Payload of the message that tells `track`'s decoder configuration: header and body. `None` for MP3, which has
/// none.
///
/// Main tracks of H.264 and AAC have the form of annex E.4, everything else that of Enhanced RTMP v2; tracks
/// beside the main one are wrapped as Multitrack of type OneTrack.
pub fn sequence_start(track: &Track) -> Option<(BodyHeader, Bytes)> {
    let body = match &track.codec {
        Codec::H264(h264) => h264.record.clone(),
        Codec::H265(h265) => h265.record.clone(),
        Codec::Av1(av1) => av1.record.clone(),
        Codec::Vp9(vp9) => vp9.record.clone(),
        Codec::Aac(aac) => aac.config.clone(),
        Codec::Mp3(_) => return None,
        Codec::Opus(opus) => opus.head.clone(),
        Codec::Flac(flac) => [&FLAC_HEAD[..], &flac.stream_info].concat().into(),
        // the frames say it all
        Codec::Ac3(_) => Bytes::new(),
    };
    Some((header(track, Part::Start), body))
}

/// The bytes before an access unit of `track`. `cts_ms` is presentation minus decode time, clamped to 24 bit
/// signed; audio, AV1 and VP9 have no place for it. `key` is for video.
pub fn frame(track: &Track, key: bool, cts_ms: i32) -> BodyHeader {
    header(track, Part::Frame { key, cts_ms: cts_ms.clamp(-0x80_0000, 0x7f_ffff) })
}

/// The whole payload that says that no more of `track` comes; `None` for those without: MP3, and AAC in the legacy
/// form.
pub fn sequence_end(track: &Track) -> Option<BodyHeader> {
    let has_end = match track.codec {
        Codec::Mp3(_) => false,
        Codec::Aac(_) => track.id.index > 0,
        _ => true,
    };
    has_end.then(|| header(track, Part::End))
}

/// Payload of the Metadata message of a track of high dynamic range: header and body (enhanced-rtmp-v2, "Metadata
/// Frame"). `None` for other tracks, and for a main track of H.264, whose readers know the legacy form only.
pub fn colour_info(track: &Track) -> Option<(BodyHeader, Bytes)> {
    let info = ColourInfo::of(track.picture()?);
    let format = Format::of(&track.codec);
    let is_legacy = format == Format::Avc && track.id.index == 0;
    if is_legacy || !info.is_high_dynamic_range() {
        return None;
    }
    let first = ENHANCED_VIDEO | NO_FRAME << 4;
    let header = enhanced(track, first, video_packet::METADATA, video_packet::MULTITRACK, &[]);
    Some((header, colour::write(&info).into()))
}

/// `videocodecid` or `audiocodecid` of onMetaData: the number in the legacy form, else the FourCC as a number
/// (packaging-rules R-15).
pub fn metadata_codec_id(codec: &Codec) -> f64 {
    match codec {
        Codec::H264(_) => legacy::AVC.into(),
        Codec::Aac(_) => legacy::AAC.into(),
        Codec::Mp3(mp3) => mp3_format(mp3).into(),
        other => u32::from_be_bytes(Format::of(other).fourcc()).into(),
    }
}

fn header(track: &Track, part: Part) -> BodyHeader {
    match (&track.codec, track.id.index) {
        (Codec::H264(_), 0) => avc(part),
        // rate, size and channels are fixed; the real ones are in the AudioSpecificConfig (annex E.4.2.1)
        (Codec::Aac(_), 0) => BodyHeader::new(&[&[legacy::AAC << 4 | 0x0f, u8::from(part != Part::Start)]]),
        (Codec::Mp3(mp3), 0) => BodyHeader::new(&[&[mp3_byte(mp3)]]),
        _ if track.is_video() => enhanced_video(track, part),
        _ => enhanced_audio(track, part),
    }
}

fn avc(part: Part) -> BodyHeader {
    let (frame_type, packet, cts_ms) = match part {
        Part::Start => (KEY, 0, 0),
        Part::Frame { key, cts_ms } => (frame_type(key), 1, cts_ms),
        Part::End => (KEY, 2, 0),
    };
    BodyHeader::new(&[&[frame_type << 4 | legacy::AVC, packet], &composition_time(cts_ms)])
}

fn enhanced_video(track: &Track, part: Part) -> BodyHeader {
    let has_time = Format::of(&track.codec).has_composition_time();
    let (key, packet, cts_ms) = match part {
        Part::Start => (true, video_packet::SEQUENCE_START, None),
        Part::Frame { key, cts_ms: 0 } if has_time => (key, video_packet::CODED_FRAMES_X, None),
        Part::Frame { key, cts_ms } => (key, video_packet::CODED_FRAMES, has_time.then_some(cts_ms)),
        Part::End => (true, video_packet::SEQUENCE_END, None),
    };
    let first = ENHANCED_VIDEO | frame_type(key) << 4;
    let time = cts_ms.map(composition_time);
    let time = time.as_ref().map_or(&[][..], |time| &time[..]);
    enhanced(track, first, packet, video_packet::MULTITRACK, time)
}

fn enhanced_audio(track: &Track, part: Part) -> BodyHeader {
    let packet = match part {
        Part::Start => audio_packet::SEQUENCE_START,
        Part::Frame { .. } => audio_packet::CODED_FRAMES,
        Part::End => audio_packet::SEQUENCE_END,
    };
    enhanced(track, ENHANCED_AUDIO << 4, packet, audio_packet::MULTITRACK, &[])
}

/// `first` is the first byte without its PacketType.
fn enhanced(track: &Track, first: u8, packet: u8, multitrack: u8, time: &[u8]) -> BodyHeader {
    let fourcc = Format::of(&track.codec).fourcc();
    match track.id.index {
        0 => BodyHeader::new(&[&[first | packet], &fourcc, time]),
        index => {
            let head = [first | multitrack, ONE_TRACK << 4 | packet];
            BodyHeader::new(&[&head, &fourcc, &[index], time])
        }
    }
}

fn frame_type(key: bool) -> u8 {
    if key { KEY } else { INTER }
}

fn composition_time(cts_ms: i32) -> [u8; 3] {
    let [_, a, b, c] = cts_ms.to_be_bytes();
    [a, b, c]
}

/// SoundFormat, and the rate, size and channels nearest to the truth (annex E.4.2.1); decoders go by the frame.
fn mp3_byte(mp3: &Mp3) -> u8 {
    let rate = match mp3.sample_rate {
        32_000.. => 3,
        22_050.. => 2,
        11_025.. => 1,
        _ => 0,
    };
    mp3_format(mp3) << 4 | rate << 2 | 1 << 1 | u8::from(mp3.channels > 1)
}

fn mp3_format(mp3: &Mp3) -> u8 {
    if mp3.sample_rate == 8_000 { legacy::MP3_8_KHZ } else { legacy::MP3 }
}
