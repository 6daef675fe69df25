//! What goes in: captures, and a clip with the sizes of an ordinary 1080p push.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use codec::{aac, h264};
use container::flv::{self, Body};
use media::{Codec, Kind, Packet, Ticks, Timescale, Track, TrackId};
use testkit::{Clip, Message};

use crate::Error;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// A recorded connection of `tests/data/`.
pub(crate) fn capture(name: &str) -> Result<Vec<u8>, Error> {
    Ok(std::fs::read(root().join(format!("tests/data/{name}.rtmp")))?)
}

/// 30 frames of 20 kB a second, an IDR of 160 kB every two seconds: 5.4 Mbit/s.
pub(crate) fn clip(seconds: u32) -> Clip {
    let clip = Clip { gop: 60, size: (1920, 1088), frame_bytes: 20_000, ..Clip::default() };
    Clip { millis: seconds * 1_000, ..clip }
}

/// The tracks of a clip.
pub(crate) fn tracks(clip: &Clip) -> Result<Vec<Track>, Error> {
    let video = Codec::H264(h264::config(&clip.avc_record().into())?);
    let audio = Codec::Aac(aac::config(&clip.audio_config().into())?);
    let rate = Timescale::new(clip.rate).ok_or("a clip without sound")?;
    Ok(vec![
        Track { id: TrackId::VIDEO, timescale: Timescale::VIDEO, codec: video },
        Track { id: TrackId::AUDIO, timescale: rate, codec: audio },
    ])
}

/// The packets of a clip, as a session would make them.
pub(crate) fn packets(clip: &Clip) -> Result<Vec<Packet>, Error> {
    let (mut packets, mut sound) = (Vec::new(), 0);
    for Message { kind, timestamp, payload, received } in clip.messages() {
        let units = if kind == Kind::Video { flv::video(&payload)? } else { flv::audio(&payload)? };
        for unit in units {
            let Body::Frame { key, data, .. } = unit?.body else { continue };
            let (track, dts, duration) = match kind {
                Kind::Video => (TrackId::VIDEO, Ticks(i64::from(timestamp) * 90), 3_000),
                Kind::Audio => {
                    sound += 1_024;
                    (TrackId::AUDIO, Ticks(sound - 1_024), 1_024)
                }
            };
            packets.push(Packet { track, dts, cts: 0, duration, key, recovery: None, received, data });
        }
    }
    Ok(packets)
}

/// Where the bytes of some messages or packets are.
pub(crate) fn slices<'a>(payloads: impl IntoIterator<Item = &'a Bytes>) -> Vec<&'a [u8]> {
    payloads.into_iter().map(|payload| &payload[..]).collect()
}
