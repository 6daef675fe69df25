use bytes::Bytes;
use ffmpeg_next::codec::{self as av, Context, threading};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling;
use ffmpeg_next::{Dictionary, Packet, frame};
use media::H264;

use crate::Error;

/// Longest side of a picture in luma samples. An 8K picture needs some 100 MiB while it is decoded and
/// encoded; without a limit a few bytes of SPS could ask for gigabytes.
pub const MAX_SIDE: u32 = 8192;

/// Start code of ISO/IEC 14496-10 Annex B.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Decodes one IDR to 8 bit 4:2:0, in the range and matrix the stream uses.
pub(crate) fn picture(codec: &H264, data: &Bytes) -> Result<frame::Video, Error> {
    check_size(codec.picture.width, codec.picture.height)?;
    let packet = Packet::copy(&annex_b(codec, data)?);
    let mut decoder = open()?;
    decoder.send_packet(&packet)?;
    // A stream with B-frames keeps the picture back until it is told that nothing follows.
    decoder.send_eof()?;
    let mut frame = frame::Video::empty();
    decoder.receive_frame(&mut frame).map_err(|_| Error::NoPicture)?;
    // The access unit may carry parameter sets of its own.
    check_size(frame.width(), frame.height())?;
    to_420(frame)
}

fn check_size(width: u32, height: u32) -> Result<(), Error> {
    let fits = (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height);
    if fits { Ok(()) } else { Err(Error::TooLarge { width, height }) }
}

fn open() -> Result<av::decoder::Opened, Error> {
    let h264 = av::decoder::find(av::Id::H264).ok_or(Error::NoDecoder)?;
    let mut context = Context::new_with_codec(h264);
    context.set_threading(threading::Config { count: 1, ..threading::Config::default() });
    let mut options = Dictionary::new();
    options.set("max_pixels", &(u64::from(MAX_SIDE) * u64::from(MAX_SIDE)).to_string());
    Ok(context.decoder().open_as_with(h264, options)?)
}

/// The parameter sets and the access unit as a byte stream, so that the decoder needs no other configuration.
fn annex_b(codec: &H264, data: &Bytes) -> Result<Vec<u8>, Error> {
    let sets = codec::h264::parameter_sets(&codec.record)?;
    let mut out = Vec::with_capacity(codec.record.len() + data.len() + 64);
    let mut push = |nal: &[u8]| {
        out.extend_from_slice(&START_CODE);
        out.extend_from_slice(nal);
    };
    sets.sps.iter().chain(&sets.pps).for_each(|set| push(set));
    for nal in codec::h264::nals(data, codec.length_size) {
        push(&nal?);
    }
    Ok(out)
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
            out.set_color_space(ffmpeg_next::color::Space::SMPTE170M);
            out.set_color_range(ffmpeg_next::color::Range::JPEG);
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
pub(crate) fn full_or_limited(frame: &frame::Video) -> ffmpeg_next::color::Range {
    let by_name = matches!(frame.format(), Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P);
    if by_name { ffmpeg_next::color::Range::JPEG } else { frame.color_range() }
}
