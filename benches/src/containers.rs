//! FLV in, CMAF and MPEG-TS out.

use bytes::{Bytes, BytesMut};
use codec::h264;
use container::flv::{self, Body, TagKind};
use container::mp4::{self, Sample};
use container::ts::Muxer;
use media::{Kind, Packet};
use testkit::Message;

use crate::source::{clip, packets, slices, tracks};
use crate::{Error, Row};

/// Bytes after which a recording hands its slice on.
const BATCH: usize = 256 << 10;

/// Payloads as the session takes them apart, and a whole file.
pub(crate) fn flv() -> Result<Vec<Row>, Error> {
    let messages = clip(10).messages();
    let payloads = slices(messages.iter().map(|message| &message.payload));
    let units = ("message", messages.len());
    let demux = Row::measure("FLV: payload to access unit", units, &payloads, || (), |()| demux(&messages));
    let file = file(&messages)?;
    let units = ("tag", messages.len());
    let read = Row::measure(
        "FLV: file to tags",
        units,
        &[&file],
        || (),
        |()| flv::read(&file).map(|(_, tags)| tags.count()),
    );
    Ok(vec![demux, read].into_iter().map(|row| row.note("shares the bytes")).collect())
}

/// How many access units a decoder can begin with.
fn demux(messages: &[Message]) -> usize {
    let units = messages.iter().filter_map(|message| match message.kind {
        Kind::Video => flv::video(&message.payload).ok(),
        Kind::Audio => flv::audio(&message.payload).ok(),
    });
    let begins = |unit: &flv::Unit| match (&unit.body, unit.format) {
        (Body::Frame { data, .. }, flv::Format::Avc) => h264::is_idr(data, 4),
        (Body::Frame { .. }, _) => true,
        _ => false,
    };
    units.flatten().flatten().filter(begins).count()
}

fn file(messages: &[Message]) -> Result<Bytes, Error> {
    let mut pieces = vec![Bytes::copy_from_slice(&flv::header(true, true))];
    for message in messages {
        let kind = if message.kind == Kind::Video { TagKind::Video } else { TagKind::Audio };
        flv::write_tag(kind, message.timestamp, &[], &message.payload, &mut pieces)?;
    }
    Ok(pieces.concat().into())
}

/// Two seconds of video as one fragment.
pub(crate) fn cmaf() -> Result<Vec<Row>, Error> {
    let clip = clip(10);
    let tracks = tracks(&clip)?;
    let video = tracks.first().ok_or("a clip without video")?;
    let samples: Vec<Sample> = packets(&clip)?
        .into_iter()
        .filter(|packet| packet.track == video.id)
        .map(|Packet { duration, cts, key, data, .. }| Sample { duration, cts, key, open: false, data })
        .collect();
    let bytes = slices(samples.iter().map(|sample| &sample.data));
    let write = |()| samples.chunks(60).map(|gop| mp4::fragment(1, video, 0, gop)).collect::<Vec<_>>();
    let units = ("fragment", samples.len().div_ceil(60));
    let row = Row::measure("CMAF: fragments of 60 frames", units, &bytes, || (), write);
    Ok(vec![row.note("shares the bytes")])
}

/// Both tracks, multiplexed.
pub(crate) fn ts() -> Result<Vec<Row>, Error> {
    let clip = clip(10);
    let (tracks, packets) = (tracks(&clip)?, packets(&clip)?);
    let bytes = slices(packets.iter().map(|packet| &packet.data));
    let write = |()| -> Result<Vec<Bytes>, container::Error> {
        let (mut muxer, mut out, mut batches) = (Muxer::new(&tracks)?, BytesMut::new(), Vec::new());
        for packet in &packets {
            if packet.key {
                muxer.tables(&mut out);
            }
            muxer.write(packet, &mut out)?;
            if out.len() >= BATCH {
                batches.push(std::mem::take(&mut out).freeze());
            }
        }
        muxer.flush(&mut out)?;
        batches.push(out.freeze());
        Ok(batches)
    };
    let units = ("packet", packets.len());
    let row = Row::measure("MPEG-TS: both tracks", units, &bytes, || (), write);
    Ok(vec![row.note("new memory for every 256 KiB")])
}
