//! Fragmented MP4 files as a crash may leave them, and what becomes of them.

use std::io::Cursor;

use bytes::Bytes;
use container::mp4::{self, Sample};
use media::{Codec, Timescale, Track, TrackId};
use testkit::Clip;

/// What the index says of a sample takes less than this many times the bytes that its fragment had for it.
const GROWTH: u64 = 8;
/// What an index has but for its samples: boxes around them, for each track that a small input can have.
const INDEX: u64 = 4_096;

/// A file becomes as long as was said, of no more than there was, and is no fragmented one any more.
pub fn progressive(input: &[u8]) {
    let mut out = Vec::new();
    let Ok(file) = mp4::progressive(&mut Cursor::new(input), &mut out) else { return };
    let len = input.len() as u64;
    assert_eq!(file.len(), out.len() as u64);
    assert!(file.cut() < len, "{} bytes cut of {len}", file.cut());
    assert!(file.len() <= len * GROWTH + INDEX, "{} bytes of {len}", file.len());
    assert_eq!(out.get(4..8), Some(b"ftyp".as_slice()));
    assert!(mp4::Progressive::read(&mut Cursor::new(&out)).is_err(), "fragments are left");
}

/// Files as recordings grow them: of both kinds, with B-frames, of sound alone, with parameters that change, torn.
pub(crate) fn files() -> Vec<Vec<u8>> {
    let tracks: Vec<Track> = [video(Clip::default()), audio()].into_iter().flatten().collect();
    let other = Clip { size: (320, 176), ..Clip::default() };
    let changed: Vec<Track> = [video(other), audio()].into_iter().flatten().collect();
    let both = file(&tracks, 0);
    let sound = file(tracks.get(1..).unwrap_or_default(), 7);
    let twice = [both.clone(), file(&changed, 90_000)].concat();
    let torn = both.get(..both.len() - 3).unwrap_or_default().to_vec();
    vec![both, sound, twice, torn]
}

fn file(tracks: &[Track], from: u64) -> Vec<u8> {
    let mut pieces = vec![mp4::movie(tracks).unwrap_or_default()];
    for round in 0..3_u64 {
        for (id, track) in (1..).zip(tracks) {
            let samples: Vec<Sample> = (0..4).map(|n| sample(n, track.is_video())).collect();
            let base = from + round * 12_010;
            pieces.extend(mp4::track_fragment(id, (id, track), base, &samples).unwrap_or_default());
        }
    }
    pieces.concat()
}

fn sample(n: i32, video: bool) -> Sample {
    let cts = if video { [0, 6_000, -3_000, 0][n as usize % 4] } else { 0 };
    let data = Bytes::from(vec![n as u8; 5 + n as usize]);
    Sample {
        duration: if n == 3 { 3_001 } else { 3_000 },
        cts,
        key: !video || n == 0,
        open: video && n == 2,
        data,
    }
}

fn video(clip: Clip) -> Option<Track> {
    let codec = Codec::H264(codec::h264::config(&clip.avc_record().into()).ok()?);
    Some(Track { id: TrackId::VIDEO, timescale: Timescale::VIDEO, codec })
}

fn audio() -> Option<Track> {
    let codec = Codec::Aac(codec::aac::config(&Bytes::from_static(&[0x11, 0x90])).ok()?);
    Some(Track { id: TrackId::AUDIO, timescale: codec.timescale()?, codec })
}
