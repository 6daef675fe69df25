//! Plays synthetic streams to a [`Package`] and reads what players would see, checking on the way what must
//! hold of every window.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use m3u8_rs::{MasterPlaylist, MediaPlaylist, Playlist};
use media::{
    Aac, Codec, Gap, H264, Kind, Packet, Picture, Run, StreamId, Ticks, Timescale, Track, TrackId, Wall,
};

use crate::package::{Package, Protocol, Put, Settings};
use crate::{Context, Effect, Effects, Event, Output, Warning, Window};

/// 2024-01-01T00:00:00Z.
pub const EPOCH: Wall = Wall(1_704_067_200_000_000);
/// Payload bytes of every frame.
pub const FRAME: usize = 1000;

/// How a stretch of video is encoded.
#[derive(Clone, Copy)]
pub struct Video {
    /// Frames per second.
    pub fps: (i64, i64),
    /// Frames from one key frame to the next.
    pub gop: i64,
    /// Composition offset of every frame, in ticks.
    pub cts: i32,
}

/// 25 fps.
pub fn gop(frames: i64) -> Video {
    Video { fps: (25, 1), gop: frames, cts: 0 }
}

/// What is said of one segment in a playlist, for comparing lists.
type Said = (u64, u64, String);

pub struct Story {
    pub package: Package,
    pub fx: Effects,
    /// End of the media so far, in microseconds.
    pub now: i64,
    /// How far behind video the audio arrives, in microseconds.
    pub audio_late: i64,
    /// How far the further video tracks' timestamps are behind the main one's, in milliseconds.
    pub further_off: i64,
    /// What the wall clock shows at media time 0.
    pub wall: Wall,
    run: Run,
    seen: HashMap<String, Said>,
    bytes: HashMap<Arc<str>, Arc<[Bytes]>>,
    target: Option<u64>,
}

impl Story {
    pub fn new(segment_duration_s: u32, segment_count: u32) -> Self {
        Self::with_memory(segment_duration_s, segment_count, &[])
    }

    /// With parts of at most `part_duration_ms`.
    pub fn in_parts(protocol: Protocol, segment_duration_s: u32, part_duration_ms: u32) -> Self {
        let settings = Settings {
            protocol,
            segment_count: 3,
            segment_duration_s,
            part_duration_ms: Some(part_duration_ms),
            reconnect_window_s: 30,
            put: None,
        };
        Self::of(settings, &[])
    }

    pub fn with_memory(segment_duration_s: u32, segment_count: u32, memory: &[(&str, u64)]) -> Self {
        let settings = Settings {
            protocol: Protocol::HlsCmaf,
            segment_count,
            segment_duration_s,
            part_duration_ms: None,
            reconnect_window_s: 30,
            put: None,
        };
        Self::of(settings, memory)
    }

    /// That is also stored.
    pub fn put(put: Put) -> Self {
        let settings = Settings {
            protocol: Protocol::HlsDashCmaf,
            segment_count: 3,
            segment_duration_s: 2,
            part_duration_ms: None,
            reconnect_window_s: 30,
            put: Some(put),
        };
        Self::of(settings, &[])
    }

    fn of(settings: Settings, memory: &[(&str, u64)]) -> Self {
        let context = Context {
            stream: StreamId::parse("live.local", "live", "cam").unwrap(),
            opened: EPOCH,
            memory: memory.iter().map(|&(k, v)| (k.into(), v)).collect(),
        };
        let run = Run { index: 0, tracks: vec![], start: 0, wall: EPOCH };
        Self {
            package: Package::new(settings, &context),
            fx: Vec::new(),
            now: 0,
            audio_late: 0,
            further_off: 0,
            wall: EPOCH,
            run,
            seen: HashMap::new(),
            bytes: HashMap::new(),
            target: None,
        }
    }

    pub fn run(&mut self, tracks: &[Track]) -> &mut Self {
        let wall = self.wall.plus_micros(self.now);
        self.run = Run { index: self.run.index + 1, tracks: tracks.to_vec(), start: self.now, wall };
        let run = self.run.clone();
        self.on(Event::Run(&run))
    }

    /// Plays `frames` frames of every video track, with audio for as long in every audio track.
    pub fn video(&mut self, video: Video, frames: i64) -> &mut Self {
        let start = self.now;
        let ms = |n: i64| start / 1000 + (n * 1000 * video.fps.1 + video.fps.0 / 2) / video.fps.0;
        let end = ms(frames) * 1000;
        let mut all: Vec<(i64, Packet)> = Vec::new();
        for track in &self.run.tracks {
            match track.id.kind {
                Kind::Video => all.extend((0..frames).map(|n| {
                    let off = if track.id.index == 0 { 0 } else { self.further_off };
                    let dts = (ms(n) + off) * 90;
                    let packet = packet(track.id, dts, (ms(n + 1) - ms(n)) * 90, n % video.gop == 0);
                    (ms(n) * 1000, Packet { cts: video.cts, ..packet })
                })),
                Kind::Audio => {
                    let late = self.audio_late;
                    let frames = audio_frames(start, end).into_iter();
                    all.extend(frames.map(|(at, p)| (at + late, Packet { track: track.id, ..p })));
                }
            }
        }
        all.sort_by_key(|(at, _)| *at);
        self.now = end;
        self.in_time(all)
    }

    /// Plays audio alone.
    pub fn audio(&mut self, micros: i64) -> &mut Self {
        let start = self.now;
        self.now += micros;
        self.in_time(audio_frames(start, start + micros))
    }

    /// Plays packets, each at its media time.
    fn in_time(&mut self, packets: Vec<(i64, Packet)>) -> &mut Self {
        let wall = self.wall;
        let received = |(at, packet)| Packet { received: wall.plus_micros(at), ..packet };
        self.packets(packets.into_iter().map(received))
    }

    pub fn packets(&mut self, packets: impl IntoIterator<Item = Packet>) -> &mut Self {
        for packet in packets {
            self.on(Event::Packet(&packet));
        }
        self
    }

    pub fn gap(&mut self, why: Gap) -> &mut Self {
        let at = self.wall.plus_micros(self.now);
        self.on(Event::Gap(why, at))
    }

    pub fn on(&mut self, event: Event<'_>) -> &mut Self {
        let from = self.fx.len();
        self.package.on(event, &mut self.fx).unwrap();
        for window in self.fx[from..].iter().filter_map(as_window).collect::<Vec<_>>() {
            self.check(&window);
        }
        self
    }

    pub fn windows(&self) -> Vec<Arc<Window>> {
        self.fx.iter().filter_map(as_window).collect()
    }

    pub fn window(&self) -> Arc<Window> {
        self.windows().pop().expect("nothing published")
    }

    pub fn list(&self, name: &str) -> MediaPlaylist {
        read(&self.window(), name)
    }

    pub fn text(&self, name: &str) -> String {
        text(&self.window(), name)
    }

    pub fn multivariant(&self) -> MasterPlaylist {
        let body = self.window().multivariant.as_ref().unwrap().body.concat();
        match m3u8_rs::parse_playlist_res(&body).unwrap() {
            Playlist::MasterPlaylist(list) => list,
            Playlist::MediaPlaylist(_) => panic!("not a multivariant playlist"),
        }
    }

    /// EXTINF of a list, in microseconds.
    pub fn durations(&self, name: &str) -> Vec<i64> {
        durations(&self.text(name))
    }

    pub fn warnings(&self) -> Vec<Warning> {
        let warning = |effect: &Effect| match effect {
            Effect::Warn(warning) => Some(warning.clone()),
            _ => None,
        };
        self.fx.iter().filter_map(warning).collect()
    }

    pub fn remembered(&self) -> Vec<u64> {
        let value = |effect: &Effect| match effect {
            Effect::Remember { counter, value } if &**counter == "package/sequence" => Some(*value),
            _ => None,
        };
        self.fx.iter().filter_map(value).collect()
    }

    /// Base media decode time of a segment, in ticks.
    pub fn tfdt(&self, name: &str) -> u64 {
        let body = self.window().get(name).expect(name).body.concat();
        let at = body.windows(4).position(|w| w == b"tfdt").unwrap();
        u64::from_be_bytes(body[at + 8..at + 16].try_into().unwrap())
    }

    /// Parts as the newest playlist lists them: URI, microseconds, attributes after these; `None` between segments.
    pub fn parts(&self, name: &str) -> Vec<Option<(String, i64, String)>> {
        self.text(name).lines().filter_map(part).collect()
    }

    /// What must hold of every window: numbers and bytes never change, the target duration neither, it bounds
    /// every segment, and what is listed is there.
    fn check(&mut self, window: &Arc<Window>) {
        for name in window.playlists.iter().map(|(name, _)| &**name) {
            let list = read(window, name);
            assert_eq!(*self.target.get_or_insert(list.target_duration), list.target_duration);
            let text = text(window, name);
            for us in durations(&text) {
                assert!((us + 500_000) / 1_000_000 <= list.target_duration as i64, "{us} in {text}");
            }
            let mut discontinuities = list.discontinuity_sequence;
            for (n, segment) in list.segments.iter().enumerate() {
                discontinuities += u64::from(segment.discontinuity);
                let number = list.media_sequence + n as u64;
                let date = segment.program_date_time.unwrap().to_rfc3339();
                let said = (number, discontinuities, date);
                let before = self.seen.entry(segment.uri.clone()).or_insert(said.clone());
                assert_eq!(*before, said, "{} changed", segment.uri);
                let gap = segment.unknown_tags.iter().any(|t| t.tag == "X-GAP");
                assert_eq!(window.get(&segment.uri).is_none(), gap, "{}", segment.uri);
                if let Some(map) = segment.map.as_ref().filter(|_| !gap) {
                    assert!(window.get(&map.uri).is_some(), "{} is missing", map.uri);
                }
            }
        }
        for (name, resource) in window.resources.iter().filter(|(_, r)| r.immutable) {
            let before = self.bytes.entry(name.clone()).or_insert_with(|| resource.body.clone());
            assert_eq!(*before, resource.body, "bytes of {name} changed");
        }
        assert!(window.resources.is_sorted_by(|(a, _), (b, _)| a < b));
        if window.ended {
            self.target = None;
        }
    }
}

/// One that comes at its time.
pub fn packet(track: TrackId, dts: i64, duration: i64, key: bool) -> Packet {
    let timescale = match track.kind {
        Kind::Video => Timescale::VIDEO,
        Kind::Audio => Timescale::new(48_000).unwrap(),
    };
    Packet {
        track,
        dts: Ticks(dts),
        cts: 0,
        duration: duration as u32,
        key,
        recovery: None,
        received: EPOCH.plus_micros(timescale.micros(Ticks(dts))),
        data: Bytes::from(vec![0x65; FRAME]),
    }
}

fn audio_frames(start: i64, end: i64) -> Vec<(i64, Packet)> {
    let rate = Timescale::new(48_000).unwrap();
    let first = (rate.from_micros(start).0 + 1023) / 1024;
    (first..)
        .map(|n| (rate.micros(Ticks(n * 1024)), packet(TrackId::AUDIO, n * 1024, 1024, true)))
        .take_while(|(at, _)| *at < end)
        .collect()
}

pub fn text(window: &Window, name: &str) -> String {
    String::from_utf8(window.playlist(name).expect(name).full.body.concat()).unwrap()
}

pub fn read(window: &Window, name: &str) -> MediaPlaylist {
    match m3u8_rs::parse_playlist_res(text(window, name).as_bytes()).unwrap() {
        Playlist::MediaPlaylist(list) => list,
        Playlist::MasterPlaylist(_) => panic!("not a media playlist"),
    }
}

fn durations(text: &str) -> Vec<i64> {
    let micros = |line: &str| line.trim_end_matches(',').replace('.', "").parse().unwrap();
    text.lines().filter_map(|line| line.strip_prefix("#EXTINF:")).map(micros).collect()
}

fn part(line: &str) -> Option<Option<(String, i64, String)>> {
    if line.starts_with("#EXTINF:") {
        return Some(None);
    }
    let (duration, rest) = line.strip_prefix("#EXT-X-PART:DURATION=")?.split_once(",URI=\"")?;
    let (uri, rest) = rest.split_once('"')?;
    let (whole, fraction) = duration.split_once('.').unwrap_or((duration, ""));
    let micros = format!("{whole}{fraction:0<6}").parse().unwrap();
    Some(Some((uri.to_owned(), micros, rest.to_owned())))
}

fn as_window(effect: &Effect) -> Option<Arc<Window>> {
    match effect {
        Effect::Window(window) => window.clone(),
        _ => None,
    }
}

/// 640x360 baseline without VUI.
pub fn video_track() -> Track {
    let record = Bytes::from_static(&[
        1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 10, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x50,
        1, 0, 5, 0x68, 0xcb, 0x83, 0xcb, 0x20,
    ]);
    let picture = Picture::of_size(640, 360);
    let h264 = H264 { record, length_size: 4, picture };
    Track { id: TrackId::VIDEO, timescale: Timescale::VIDEO, codec: Codec::H264(h264) }
}

/// 48 kHz stereo AAC-LC.
pub fn audio_track() -> Track {
    let config = Bytes::from_static(&[0x11, 0x90]);
    let aac = Aac { config, object_type: 2, sample_rate: 48_000, channels: 2, frame_samples: 1024 };
    Track { id: TrackId::AUDIO, timescale: Timescale::new(48_000).unwrap(), codec: Codec::Aac(aac) }
}

pub fn both() -> [Track; 2] {
    [video_track(), audio_track()]
}

/// `track` as a further one of its kind.
pub fn further(track: Track, index: u8) -> Track {
    Track { id: TrackId { index, ..track.id }, ..track }
}
