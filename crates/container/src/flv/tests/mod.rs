mod colour;
mod file;
mod read;
mod write;

use ::bytes::Bytes;
use media::{Aac, Ac3, Av1, Codec, Flac, H264, H265, Kind, Mp3, Opus, Picture, Track, TrackId, Vp9};

use super::*;
use crate::Error;

fn bytes(b: &'static [u8]) -> Bytes {
    Bytes::from_static(b)
}

/// What `kind`'s reader makes of a payload, and its nanoseconds.
fn read_all(kind: Kind, payload: &[u8]) -> Result<(Vec<Unit>, u32), Error> {
    let payload = Bytes::copy_from_slice(payload);
    let units = match kind {
        Kind::Video => video(&payload)?,
        Kind::Audio => audio(&payload)?,
    };
    let nanos = units.nanos();
    Ok((units.collect::<Result<_, _>>()?, nanos))
}

fn track(index: u8, codec: Codec) -> Track {
    let id = TrackId { kind: codec.kind(), index };
    Track { id, timescale: codec.timescale().unwrap(), codec }
}

fn hevc(picture: Picture) -> Codec {
    Codec::H265(H265 { record: bytes(b"hvcC"), length_size: 4, picture })
}

fn mp3(sample_rate: u32, channels: u8) -> Codec {
    Codec::Mp3(Mp3 { sample_rate, channels, frame_samples: 1152 })
}

fn ac3(enhanced: bool) -> Codec {
    Codec::Ac3(Ac3 { enhanced, record: bytes(b"box"), sample_rate: 48_000, channels: 2 })
}

/// One of each.
fn codecs() -> Vec<Codec> {
    let picture = Picture::of_size(320, 180);
    let config = bytes(b"\x11\x88");
    vec![
        Codec::H264(H264 { record: bytes(b"avcC"), length_size: 4, picture }),
        hevc(picture),
        Codec::Av1(Av1 { record: bytes(b"av1C"), picture }),
        Codec::Vp9(Vp9 { record: bytes(b"vpcC"), picture }),
        Codec::Aac(Aac { config, object_type: 2, sample_rate: 48_000, channels: 1, frame_samples: 1024 }),
        mp3(44_100, 2),
        Codec::Opus(Opus { head: bytes(b"OpusHead"), channels: 2, pre_skip: 312 }),
        Codec::Flac(Flac {
            stream_info: bytes(&[7; 34]),
            sample_rate: 48_000,
            channels: 2,
            bits_per_sample: 16,
        }),
        ac3(false),
        ac3(true),
    ]
}
