//! Synthetic runs and frames for the tests of recordings and snapshots.

use bytes::Bytes;
use media::{Aac, Codec, H264, Packet, Picture, Run, StreamId, Ticks, Timescale, Track, TrackId, Wall};

use crate::{Bucket, Context, Effect, Effects, Event, Output};

/// 2024-01-01T00:00:00Z.
pub const EPOCH: Wall = Wall(1_704_067_200_000_000);

/// SPS and PPS of a 640x360 baseline stream without VUI.
pub const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x50];
pub const PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];

pub fn video() -> Track {
    let mut record = vec![1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, SPS.len() as u8];
    record.extend_from_slice(SPS);
    record.extend([1, 0, PPS.len() as u8]);
    record.extend_from_slice(PPS);
    let picture = Picture::of_size(640, 360);
    let h264 = H264 { record: record.into(), length_size: 4, picture };
    Track { id: TrackId::VIDEO, timescale: Timescale::VIDEO, codec: Codec::H264(h264) }
}

pub fn audio() -> Track {
    let config = Bytes::from_static(&[0x11, 0x90]);
    let aac = Aac { config, object_type: 2, sample_rate: 48_000, channels: 2, frame_samples: 1024 };
    Track { id: TrackId::AUDIO, timescale: Timescale::new(48_000).unwrap(), codec: Codec::Aac(aac) }
}

/// A run of both tracks from `start` on, `start` and `wall` (after [`EPOCH`]) in microseconds.
pub fn run(start: i64, wall: i64) -> Run {
    Run { index: 0, tracks: vec![video(), audio()], start, wall: EPOCH.plus_micros(wall) }
}

/// A frame of `run` at `at` lasting `duration`, both in microseconds.
pub fn frame(run: &Run, track: TrackId, at: i64, duration: i64, key: bool, data: &[u8]) -> Packet {
    let timescale = run.tracks.iter().find(|t| t.id == track).unwrap().timescale;
    Packet {
        track,
        dts: timescale.from_micros(at),
        cts: 0,
        duration: timescale.from_micros(duration).0 as u32,
        key,
        recovery: None,
        received: run.wall.plus_micros(at - run.start),
        data: Bytes::copy_from_slice(data),
    }
}

/// Frames of `run` for `seconds` s: 25 fps with a key frame every `gop` ms, 48 kHz audio; in DTS order, audio
/// `audio_late` ms behind. Each frame's data is its own.
pub fn frames(run: &Run, seconds: i64, gop: i64, audio_late: i64) -> Vec<Packet> {
    let end = run.start + seconds * 1_000_000;
    let mut all: Vec<(i64, Packet)> = Vec::new();
    if run.video().is_some() {
        for at in (run.start..end).step_by(40_000) {
            let key = (at - run.start) % (gop * 1000) == 0;
            let mut packet = frame(run, TrackId::VIDEO, at, 40_000, key, &slice(key, at));
            packet.cts = 3600;
            all.push((at, packet));
        }
    }
    if let Some(track) = run.audio() {
        let first = track.timescale.from_micros(run.start).0;
        for n in 0.. {
            let dts = Ticks(first + n * 1024);
            let at = track.timescale.micros(dts);
            if at >= end {
                break;
            }
            let mut packet = frame(run, TrackId::AUDIO, at, 0, true, &dts.0.to_be_bytes());
            (packet.dts, packet.duration) = (dts, 1024);
            all.push((at + audio_late * 1000, packet));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, packet)| packet).collect()
}

/// A length-prefixed slice NAL unit without emulation trouble, with `at` in it.
fn slice(key: bool, at: i64) -> Vec<u8> {
    let mut nal = vec![if key { 0x65 } else { 0x41 }, 0x88];
    nal.extend(format!("frame {at}").bytes());
    let mut data = (nal.len() as u32).to_be_bytes().to_vec();
    data.extend(nal);
    data
}

pub fn bucket() -> Bucket {
    Bucket { storage: "oss".into(), name: "b".into() }
}

pub fn context() -> Context {
    let stream = StreamId::parse("live.local", "live", "cam").unwrap();
    Context { stream, opened: EPOCH, memory: Default::default() }
}

/// Feeds a run and its packets.
pub fn feed(output: &mut dyn Output, run: &Run, packets: &[Packet], fx: &mut Effects) {
    output.on(Event::Run(run), fx).unwrap();
    for packet in packets {
        output.on(Event::Packet(packet), fx).unwrap();
    }
}

/// What is written and warned of: no saves, rows of the index, notices.
pub fn written(fx: Effects) -> Effects {
    let other = |effect: &Effect| matches!(effect, Effect::Save(_) | Effect::Index(_) | Effect::Notify(_));
    fx.into_iter().filter(|effect| !other(effect)).collect()
}
