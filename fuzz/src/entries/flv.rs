//! FLV: payloads of media messages, and whole files.

use bytes::Bytes;
use container::flv::{self, Body, BodyHeader, ColourInfo, Format, Unit, Units};
use media::{
    Aac, Ac3, Av1, Codec, Flac, H264, H265, Kind, Mp3, Opus, Picture, Timescale, Track, TrackId, Vp9,
};

/// Track ids have 8 bit.
const MAX_TRACKS: usize = 256;

/// Bytes as a file and as the payload of a message: what is one is refused at once as the other.
pub fn flv(input: &[u8]) {
    file(input);
    let payload = Bytes::copy_from_slice(input);
    for kind in [Kind::Video, Kind::Audio] {
        if let Ok(units) = read(kind, &payload) {
            message(kind, units, input.len());
        }
    }
}

fn read(kind: Kind, payload: &Bytes) -> Result<Units, container::Error> {
    match kind {
        Kind::Video => flv::video(payload),
        Kind::Audio => flv::audio(payload),
    }
}

/// The units of a payload of `len` bytes: no more than it can hold, nothing after an error, and each one, written
/// by us, reads back as it was.
fn message(kind: Kind, units: Units, len: usize) {
    assert!(units.nanos() <= 999_999, "{} ns", units.nanos());
    let (mut count, mut bytes, mut ended) = (0, 0, false);
    for unit in units {
        assert!(!ended, "nothing follows an error");
        let Ok(unit) = unit else {
            ended = true;
            continue;
        };
        count += 1;
        bytes += match &unit.body {
            Body::Frame { data, .. } | Body::SequenceStart(data) => data.len(),
            _ => 0,
        };
        parse(kind, &unit);
        written(kind, &unit);
    }
    assert!(count <= MAX_TRACKS && bytes <= len, "{count} units of {bytes} bytes in {len}");
}

/// What a unit holds, down to its NAL units.
fn parse(kind: Kind, unit: &Unit) {
    let is_read = !matches!(unit.body, Body::Unsupported(_) | Body::Nothing);
    assert!(unit.format != Format::Other || !is_read, "{unit:?} of no codec");
    match (&unit.body, unit.format) {
        (Body::SequenceStart(record), Format::Avc) => super::h264::record(record),
        (Body::SequenceStart(config), Format::Aac) => super::aac::config(config),
        (Body::Frame { key, cts_ms, data }, format) => {
            assert!((-0x80_0000..0x80_0000).contains(cts_ms), "composition time {cts_ms} in 24 bit");
            assert!(kind == Kind::Video || (*key && *cts_ms == 0), "sound with pictures' properties");
            if matches!(format, Format::Avc | Format::Hevc) {
                (0..=5).for_each(|length_size| super::h264::units(data, length_size));
            }
        }
        (Body::Unsupported(name), _) => assert!(name.len() <= 64),
        _ => {}
    }
}

/// Writes the unit as the recorder would, and reads that.
fn written(kind: Kind, unit: &Unit) {
    let Some(codec) = codec(unit) else { return };
    let id = TrackId { kind, index: unit.track };
    let track = Track { id, timescale: Timescale::VIDEO, codec };
    let same = |header: BodyHeader, data: &Bytes, body: Body| {
        let payload = Bytes::from([&header[..], data].concat());
        let units: Vec<Unit> = read(kind, &payload).into_iter().flatten().flatten().collect();
        assert_eq!(units, [Unit { body, ..unit.clone() }], "{payload:02x?}");
    };
    match &unit.body {
        Body::SequenceStart(_) => {
            if let Some((header, body)) = flv::sequence_start(&track) {
                same(header, &body, Body::SequenceStart(body.clone()));
            }
        }
        Body::Frame { key, cts_ms, data } => same(flv::frame(&track, *key, *cts_ms), data, unit.body.clone()),
        Body::SequenceEnd => {
            if let Some(end) = flv::sequence_end(&track) {
                same(end, &Bytes::new(), Body::SequenceEnd);
            }
        }
        Body::Colour(info) => {
            if let Some((header, body)) = flv::colour_info(&track) {
                same(header, &body, Body::Colour(*info));
            }
        }
        Body::Nothing | Body::Unsupported(_) => {}
    }
}

/// A codec of the unit's format, configured and coloured as the unit says; the rest of it is made up.
fn codec(unit: &Unit) -> Option<Codec> {
    let record = match &unit.body {
        Body::SequenceStart(record) => record.clone(),
        _ => Bytes::new(),
    };
    let colours = if let Body::Colour(info) = unit.body { info } else { ColourInfo::default() };
    let mut picture = Picture::of_size(320, 180);
    colours.apply(&mut picture);
    let (sample_rate, channels) = (48_000, 2);
    let ac3 = |enhanced| Codec::Ac3(Ac3 { enhanced, record: Bytes::new(), sample_rate, channels });
    Some(match unit.format {
        Format::Avc => Codec::H264(H264 { record, length_size: 4, picture }),
        Format::Hevc => Codec::H265(H265 { record, length_size: 4, picture }),
        Format::Av1 => Codec::Av1(Av1 { record, picture }),
        Format::Vp9 => Codec::Vp9(Vp9 { record, picture }),
        Format::Aac => {
            Codec::Aac(Aac { config: record, object_type: 2, sample_rate, channels, frame_samples: 1024 })
        }
        Format::Mp3 => Codec::Mp3(Mp3 { sample_rate, channels, frame_samples: 1152 }),
        Format::Opus => Codec::Opus(Opus { head: record, channels, pre_skip: 0 }),
        Format::Flac => Codec::Flac(Flac { stream_info: record, sample_rate, channels, bits_per_sample: 16 }),
        Format::Ac3 => ac3(false),
        Format::Eac3 => ac3(true),
        Format::Other => return None,
    })
}

/// A file. Its tags, written again, are its own bytes.
fn file(input: &[u8]) {
    let file = Bytes::copy_from_slice(input);
    let Ok((header, mut tags)) = flv::read(&file) else { return };
    let mut pieces = vec![Bytes::copy_from_slice(&flv::header(header.audio, header.video))];
    let mut good = tags.at();
    while let Some(Ok(tag)) = tags.next() {
        good = tags.at();
        let written = flv::write_tag(tag.kind, tag.timestamp, &[], &tag.payload, &mut pieces);
        assert!(written.is_ok(), "a tag that was read fits into a file");
    }
    assert!(pieces.concat() == input[..good], "the tags of the first {good} bytes are written differently");
}
