use bytes::Bytes;
use ffmpeg_next::codec::{self as av, Context, threading};
use ffmpeg_next::color::{Range, Space};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling;
use ffmpeg_next::{Dictionary, Packet, frame};
use media::{Codec, Colour, Picture};

use crate::Error;

/// Longest side of a picture in luma samples. An 8K picture needs some 100 MiB while it is decoded and
/// encoded; without a limit a few bytes of a header could ask for gigabytes.
pub const MAX_SIDE: u32 = 8192;

/// Start code of ISO/IEC 14496-10 Annex B and ISO/IEC 23008-2 Annex B.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Decodes one key frame to 8 bit 4:2:0, in the range and matrix the stream uses.
pub(crate) fn picture(codec: &Codec, data: &Bytes) -> Result<frame::Video, Error> {
    let decoder = Decoder::of(codec).ok_or(Error::NoPicture)?;
    let track = *codec.picture().ok_or(Error::NoPicture)?;
    let own = own_picture(codec, data)?;
    for picture in [track].iter().chain(&own) {
        // A configuration that states no size is no reason to refuse: the frame's own is looked at below.
        check_size(picture.width.max(1), picture.height.max(1))?;
    }
    let packet = Packet::copy(&self_contained(codec, data)?);
    let mut decoder = decoder.open()?;
    decoder.send_packet(&packet)?;
    // A stream with B-frames keeps the picture back until it is told that nothing follows.
    decoder.send_eof()?;
    let mut frame = frame::Video::empty();
    decoder.receive_frame(&mut frame).map_err(|_| Error::NoPicture)?;
    // The access unit may carry parameter sets of its own.
    check_size(frame.width(), frame.height())?;
    name_colours(&mut frame, codec, own.unwrap_or(track).colour.as_ref());
    to_420(frame)
}

/// What an AV1 access unit says of its picture, if that differs from what the track says.
fn own_picture(codec: &Codec, data: &Bytes) -> Result<Option<Picture>, Error> {
    match codec {
        Codec::Av1(av1) => Ok(codec::av1::with_picture(av1, data)?.map(|av1| av1.picture)),
        _ => Ok(None),
    }
}

fn check_size(width: u32, height: u32) -> Result<(), Error> {
    let fits = (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height);
    if fits { Ok(()) } else { Err(Error::TooLarge { width, height }) }
}

/// FFmpeg's software decoders of a codec, best one first. By name, because the first one of an id may need a
/// graphics card.
struct Decoder {
    codec: &'static str,
    names: &'static [&'static str],
}

impl Decoder {
    fn of(codec: &Codec) -> Option<Self> {
        match codec {
            Codec::H264(_) => Some(Self { codec: "H.264", names: &["h264"] }),
            Codec::H265(_) => Some(Self { codec: "H.265", names: &["hevc"] }),
            Codec::Av1(_) => Some(Self { codec: "AV1", names: &["libdav1d", "libaom-av1"] }),
            Codec::Vp9(_) => Some(Self { codec: "VP9", names: &["vp9", "libvpx-vp9"] }),
            _ => None,
        }
    }

    fn open(&self) -> Result<av::decoder::Opened, Error> {
        let found = self.names.iter().find_map(|name| av::decoder::find_by_name(name));
        let found = found.ok_or(Error::NoDecoder { codec: self.codec })?;
        let mut context = Context::new_with_codec(found);
        context.set_threading(threading::Config { count: 1, ..threading::Config::default() });
        let mut options = Dictionary::new();
        options.set("max_pixels", &(u64::from(MAX_SIDE) * u64::from(MAX_SIDE)).to_string());
        Ok(context.decoder().open_as_with(found, options)?)
    }
}

/// The access unit with everything that a decoder without a configuration needs: H.264 and H.265 as a byte
/// stream after its parameter sets, AV1 after its sequence header.
fn self_contained(codec: &Codec, data: &Bytes) -> Result<Vec<u8>, Error> {
    match codec {
        Codec::H264(h264) => annex_b(codec, h264.length_size, data),
        Codec::H265(h265) => annex_b(codec, h265.length_size, data),
        Codec::Av1(av1) if !codec::av1::has_sequence_header(data) => {
            Ok([&codec::av1::config_obus(&av1.record)[..], &data[..]].concat())
        }
        _ => Ok(data.to_vec()),
    }
}

fn annex_b(codec: &Codec, length_size: u8, data: &Bytes) -> Result<Vec<u8>, Error> {
    let sets = codec::parameter_sets(codec)?;
    let mut out = Vec::with_capacity(data.len() + 1024);
    let mut push = |nal: &[u8]| {
        out.extend_from_slice(&START_CODE);
        out.extend_from_slice(nal);
    };
    sets.iter().for_each(|set| push(set));
    for nal in codec::nal::units(data, length_size) {
        push(&nal?);
    }
    Ok(out)
}

/// Sets what the frame does not say of its colours and the stream does.
///
/// The frame of an AV1 decoder is not asked for its matrix: it is whatever byte the stream has, and the enum
/// that ffmpeg-next would make of an unknown one is undefined behaviour. The other decoders replace such values.
fn name_colours(frame: &mut frame::Video, codec: &Codec, stated: Option<&Colour>) {
    if matches!(codec, Codec::Av1(_)) || frame.color_space() == Space::Unspecified {
        frame.set_color_space(stated.map_or(Space::Unspecified, space));
    }
    if let (Range::Unspecified, Some(colour)) = (frame.color_range(), stated) {
        frame.set_color_range(if colour.full_range { Range::JPEG } else { Range::MPEG });
    }
}

fn space(colour: &Colour) -> Space {
    match colour.matrix {
        1 => Space::BT709,
        4 => Space::FCC,
        5 => Space::BT470BG,
        6 => Space::SMPTE170M,
        7 => Space::SMPTE240M,
        9 => Space::BT2020NCL,
        10 => Space::BT2020CL,
        _ => Space::Unspecified,
    }
}

/// 4:2:2, 4:4:4, RGB, grey and deeper pictures become 8 bit 4:2:0. The scaler keeps matrix and range when both
/// ends name the same range, and it counts `YUVJ`, grey and RGB as full range, everything else as limited:
/// so the target is chosen to match the source and no sample is rescaled.
fn to_420(frame: frame::Video) -> Result<frame::Video, Error> {
    let target = match frame.format() {
        Pixel::YUV420P | Pixel::YUVJ420P => return Ok(frame),
        other if scaler_counts_as_full(other) => Pixel::YUVJ420P,
        _ => Pixel::YUV420P,
    };
    let (width, height) = (frame.width(), frame.height());
    let flags = scaling::Flags::AREA | scaling::Flags::ACCURATE_RND | scaling::Flags::FULL_CHR_H_INP;
    let mut scaler = scaling::Context::get(frame.format(), width, height, target, width, height, flags)?;
    let mut out = frame::Video::empty();
    scaler.run(&frame, &mut out)?;
    match is_rgb(frame.format()) {
        // The scaler made it: BT.601, full range.
        true => {
            out.set_color_space(Space::SMPTE170M);
            out.set_color_range(Range::JPEG);
        }
        false => {
            out.set_color_space(frame.color_space());
            out.set_color_range(full_or_limited(&frame));
        }
    }
    Ok(out)
}

fn scaler_counts_as_full(format: Pixel) -> bool {
    let grey = matches!(
        format,
        Pixel::GRAY8 | Pixel::GRAY9LE | Pixel::GRAY10LE | Pixel::GRAY12LE | Pixel::GRAY14LE | Pixel::GRAY16LE
    );
    grey || is_rgb(format) || matches!(format, Pixel::YUVJ422P | Pixel::YUVJ444P)
}

fn is_rgb(format: Pixel) -> bool {
    matches!(format, Pixel::GBRP | Pixel::GBRP9LE | Pixel::GBRP10LE | Pixel::GBRP12LE | Pixel::GBRP14LE)
}

/// The range of the frame's samples; `YUVJ` formats say it by their name.
pub(crate) fn full_or_limited(frame: &frame::Video) -> Range {
    let by_name = matches!(frame.format(), Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P);
    if by_name { Range::JPEG } else { frame.color_range() }
}
