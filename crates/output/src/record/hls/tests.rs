mod wire;

use std::collections::BTreeMap;

use m3u8_rs::MediaPlaylist;
use media::{Gap, Kind, Packet};
use mpeg2ts::pes::{PesPacketReader, ReadPesPacket};
use mpeg2ts::ts::{ReadTsPacket, TsPacketReader, TsPayload};

use super::*;
use crate::name::{Name, Variable};
use crate::record::recording::Recording;
use crate::record::{Container, Slice as Slicing, story};
use crate::{Event, Output};

/// What a store would hold after the effects.
#[derive(Default)]
struct Stored {
    /// Slices in the order they were sealed.
    slices: Vec<(String, Vec<u8>)>,
    playlists: Vec<(String, MediaPlaylist, String)>,
    warnings: Vec<Warning>,
}

impl Stored {
    /// Marks of the frames of each slice: DTS on the wire in 90 kHz ticks, and whether it is a key frame.
    fn frames(&self, kind: Kind) -> Vec<Vec<(u64, bool)>> {
        self.slices.iter().map(|(_, bytes)| frames(bytes, kind)).collect()
    }

    fn durations(&self) -> Vec<f32> {
        self.playlists[0].1.segments.iter().map(|segment| segment.duration).collect()
    }

    /// The keys that the first playlist names, resolved against its own.
    fn listed(&self) -> Vec<String> {
        let (key, list, _) = &self.playlists[0];
        let resolve = |uri: &str| {
            let mut path: Vec<&str> = key.split('/').collect();
            path.pop();
            for part in uri.split('/') {
                match part {
                    ".." => path.truncate(path.len() - 1),
                    part => path.push(part),
                }
            }
            path.join("/").replace("%3A", ":")
        };
        list.segments.iter().map(|segment| resolve(&segment.uri)).collect()
    }
}

/// The frames of a kind in a slice. An audio PES holds several frames: each ADTS header is one.
fn frames(bytes: &[u8], kind: Kind) -> Vec<(u64, bool)> {
    let mut reader = PesPacketReader::new(TsPacketReader::new(bytes));
    let mut out = Vec::new();
    while let Some(pes) = reader.read_pes_packet().unwrap() {
        let dts = pes.header.dts.or(pes.header.pts).unwrap().as_u64();
        if pes.header.stream_id.is_video() != (kind == Kind::Video) {
            continue;
        }
        match kind {
            Kind::Video => out.push((dts, pes.data.windows(4).any(|w| w == [0, 0, 1, 0x65]))),
            Kind::Audio => {
                let mut rest = &pes.data[..];
                for n in 0.. {
                    let Some(&[_, _, _, a, b, c, _]) = rest.first_chunk::<7>() else { break };
                    let len = usize::from(a & 3) << 11 | usize::from(b) << 3 | usize::from(c) >> 5;
                    rest = &rest[len..];
                    out.push((dts + n * 1_920, true));
                }
            }
        }
    }
    out.sort();
    out
}

fn settings(slice_duration_s: u32, cycle_duration_s: u32) -> Settings {
    let slice = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}";
    let name = "record/{AppName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}";
    Settings {
        slice: Some(Slicing {
            duration_s: slice_duration_s,
            name: Name::parse(slice, Variable::RECORD_SLICE).unwrap(),
        }),
        cycle_duration_s,
        ..Settings::new(Container::M3u8, story::bucket(), Name::parse(name, Variable::RECORD_FILE).unwrap())
    }
}

fn output(slice_duration_s: u32, cycle_duration_s: u32) -> Recording<Slices> {
    Recording::new(settings(slice_duration_s, cycle_duration_s), &story::context())
}

fn stored(fx: Effects) -> Stored {
    let mut open: BTreeMap<FileId, Vec<u8>> = BTreeMap::new();
    let mut out = Stored::default();
    for effect in story::written(fx) {
        match effect {
            Effect::Grow { file, body } => {
                let bytes = open.entry(file).or_default();
                for piece in body {
                    assert_eq!(piece.len() % 188, 0, "whole packets");
                    bytes.extend_from_slice(&piece);
                }
            }
            Effect::Seal { file, to, content_type: "video/mp2t", finish: Finish::AsIs } => {
                out.slices.push((to.key, open.remove(&file).unwrap()));
            }
            Effect::Put { to, content_type: "application/vnd.apple.mpegurl", body } => {
                let text = String::from_utf8(body.concat()).unwrap();
                let (rest, list) = m3u8_rs::parse_media_playlist(text.as_bytes()).unwrap();
                assert!(rest.is_empty());
                out.playlists.push((to.key, list, text));
            }
            Effect::Warn(warning) => out.warnings.push(warning),
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty(), "every slice is sealed");
    out
}

fn record(run: &Run, packets: &[Packet], slice: u32, cycle: u32) -> Stored {
    let (mut output, mut fx) = (output(slice, cycle), Vec::new());
    story::feed(&mut output, run, packets, &mut fx);
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    stored(fx)
}

/// Where a packet's DTS is on the wire: the muxer starts at 10 s.
fn on_wire(packet: &Packet) -> u64 {
    let scale = if packet.track.kind == Kind::Video { (1, 1) } else { (15, 8) };
    (packet.dts.0 * scale.0 / scale.1) as u64 + 900_000
}

#[track_caller]
fn assert_every_frame_once(stored: &Stored, packets: &[Packet]) {
    for kind in [Kind::Video, Kind::Audio] {
        let mut sent: Vec<u64> = packets.iter().filter(|p| p.track.kind == kind).map(on_wire).collect();
        sent.sort();
        let mut written: Vec<u64> = stored.frames(kind).concat().into_iter().map(|(dts, _)| dts).collect();
        written.sort();
        assert_eq!(written, sent, "{kind:?}");
    }
}

#[test]
fn cuts_on_the_first_key_frame_at_or_after_slice_duration() {
    let run = story::run(0, 0);
    let stored = record(&run, &story::frames(&run, 20, 2_000, 0), 5, 3_600);
    assert_eq!(stored.durations()[..3], [6.0, 6.0, 6.0]);
    assert_eq!(stored.playlists[0].1.target_duration, 6);
    let exact = record(&run, &story::frames(&run, 15, 1_000, 0), 5, 3_600);
    assert_eq!(exact.durations()[..2], [5.0, 5.0]);
}

#[test]
fn every_frame_is_in_exactly_one_slice_however_late_its_track_is() {
    let run = story::run(0, 0);
    for audio_late in [0, 150, 900, 1_500, -300] {
        let packets = story::frames(&run, 20, 2_000, audio_late);
        let stored = record(&run, &packets, 5, 3_600);
        assert_eq!(stored.slices.len(), 4, "audio {audio_late} ms late");
        assert_every_frame_once(&stored, &packets);
    }
}

#[test]
fn audio_from_before_the_cut_is_in_the_older_slice() {
    let run = story::run(0, 0);
    let stored = record(&run, &story::frames(&run, 20, 2_000, 400), 5, 3_600);
    let (video, audio) = (stored.frames(Kind::Video), stored.frames(Kind::Audio));
    for n in 1..video.len() {
        let cut = video[n][0].0;
        assert!(audio[n - 1].iter().all(|(dts, _)| *dts < cut), "slice {n}");
        assert!(audio[n].iter().all(|(dts, _)| *dts >= cut), "slice {n}");
    }
}

#[test]
fn a_slice_begins_with_tables_and_a_key_frame() {
    let run = story::run(0, 0);
    let stored = record(&run, &story::frames(&run, 12, 2_000, 0), 5, 3_600);
    for (key, bytes) in &stored.slices {
        let mut reader = TsPacketReader::new(&bytes[..]);
        let mut next = || reader.read_ts_packet().unwrap().unwrap().payload;
        assert!(matches!(next(), Some(TsPayload::Pat(_))), "{key}");
        assert!(matches!(next(), Some(TsPayload::Pmt(_))), "{key}");
        let Some(TsPayload::PesStart(pes)) = next() else { panic!("{key}") };
        assert!(pes.header.stream_id.is_video(), "{key}");
        assert!(frames(bytes, Kind::Video)[0].1, "{key}");
    }
}

#[test]
fn tables_come_at_least_every_half_second() {
    let run = story::run(0, 0);
    let stored = record(&run, &story::frames(&run, 10, 2_000, 0), 5, 3_600);
    let mut reader = TsPacketReader::new(&stored.slices[0].1[..]);
    let (mut tables_at, mut worst) = (None, 0);
    while let Some(packet) = reader.read_ts_packet().unwrap() {
        match packet.payload {
            Some(TsPayload::Pat(_)) => tables_at = None,
            Some(TsPayload::PesStart(pes)) if pes.header.stream_id.is_video() => {
                let dts = pes.header.dts.or(pes.header.pts).unwrap().as_u64();
                worst = worst.max(dts - *tables_at.get_or_insert(dts));
            }
            _ => {}
        }
    }
    assert!((1..=45_000).contains(&worst), "{worst}");
}

#[test]
fn continuity_goes_on_over_slices_and_files() {
    let run = story::run(0, 0);
    let stored = record(&run, &story::frames(&run, 20, 2_000, 100), 5, 9);
    assert_eq!(stored.playlists.len(), 2);
    let mut last: BTreeMap<u16, u8> = BTreeMap::new();
    for packet in stored.slices.iter().flat_map(|(_, bytes)| bytes.chunks(188)) {
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let counter = packet[3] & 0x0f;
        let has_payload = packet[3] & 0x10 != 0;
        if let Some(before) = last.insert(pid, counter) {
            assert_eq!(counter, (before + u8::from(has_payload)) & 0x0f, "pid {pid}");
        }
    }
}

#[test]
fn the_playlist_is_a_closed_vod_of_all_slices() {
    let run = story::run(0, 500_000);
    let stored = record(&run, &story::frames(&run, 12, 2_000, 0), 5, 3_600);
    let (key, list, text) = &stored.playlists[0];
    assert_eq!(key, "record/live/0_2024-01-01-08-00-00_2024-01-01-08-00-12.m3u8");
    assert!(list.end_list && list.independent_segments && text.contains("#EXT-X-VERSION:3\n"));
    assert_eq!(list.playlist_type, Some(m3u8_rs::MediaPlaylistType::Vod));
    assert_eq!(list.segments[0].uri, "cam/1704067200_0.ts");
    assert_eq!(list.segments[1].uri, "cam/1704067206_1.ts");
    let slices: Vec<&String> = stored.slices.iter().map(|(key, _)| key).collect();
    assert_eq!(stored.listed().iter().collect::<Vec<_>>(), slices);
    let dates: Vec<i64> =
        list.segments.iter().map(|s| s.program_date_time.unwrap().timestamp_millis()).collect();
    assert_eq!(dates, [1_704_067_200_500, 1_704_067_206_500]);
    assert!(list.segments.iter().all(|segment| !segment.discontinuity));
}

#[test]
fn a_cycle_ends_at_its_first_key_frame_and_slices_count_on() {
    let run = story::run(0, 0);
    let packets = story::frames(&run, 20, 2_000, 100);
    let stored = record(&run, &packets, 5, 9);
    let keys: Vec<&str> = stored.playlists.iter().map(|(key, ..)| key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "record/live/0_2024-01-01-08-00-00_2024-01-01-08-00-10.m3u8",
            "record/live/1_2024-01-01-08-00-10_2024-01-01-08-00-20.m3u8"
        ]
    );
    let slices: Vec<&str> = stored.slices.iter().map(|(key, _)| key.rsplit('/').next().unwrap()).collect();
    assert_eq!(slices, ["1704067200_0.ts", "1704067206_1.ts", "1704067210_2.ts", "1704067216_3.ts"]);
    assert_every_frame_once(&stored, &packets);
}

/// Records 4 s, loses the source at 4 s of wall time, and goes on with 4 s at `back` s of wall time.
fn interrupted(back: i64, tick: bool) -> (Stored, Vec<Packet>) {
    let (mut output, mut fx) = (output(5, 3_600), Vec::new());
    let first = story::run(0, 0);
    let mut packets = story::frames(&first, 4, 2_000, 100);
    story::feed(&mut output, &first, &packets, &mut fx);
    output.on(Event::Gap(Gap::Dropped, story::EPOCH.plus_micros(4_000_000)), &mut fx).unwrap();
    let deadline = output.deadline().unwrap();
    assert_eq!(deadline, story::EPOCH.plus_micros(184_000_000));
    if tick {
        output.on(Event::Tick(deadline), &mut fx).unwrap();
    }
    let second = story::run(4_032_000, back * 1_000_000);
    let more = story::frames(&second, 4, 2_000, 100);
    story::feed(&mut output, &second, &more, &mut fx);
    assert_eq!(output.deadline(), None);
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    packets.extend(more);
    (stored(fx), packets)
}

#[test]
fn a_reconnect_within_delay_time_joins_the_file_with_a_discontinuity() {
    let (stored, packets) = interrupted(100, false);
    assert_eq!(stored.playlists.len(), 1);
    let (key, list, _) = &stored.playlists[0];
    assert!(key.ends_with("0_2024-01-01-08-00-00_2024-01-01-08-01-44.m3u8"), "{key}");
    let marks: Vec<(bool, i64)> =
        list.segments.iter().map(|s| (s.discontinuity, s.program_date_time.unwrap().timestamp())).collect();
    assert_eq!(marks, [(false, 1_704_067_200), (true, 1_704_067_300)]);
    assert_every_frame_once(&stored, &packets);
}

#[test]
fn a_reconnect_after_delay_time_is_a_new_file_ticked_or_not() {
    for tick in [true, false] {
        let (stored, packets) = interrupted(184, tick);
        assert_eq!(stored.playlists.len(), 2);
        assert!(stored.playlists[1].0.contains("/1_2024-01-01-08-03-04_"));
        assert!(!stored.playlists[1].1.segments[0].discontinuity);
        assert_every_frame_once(&stored, &packets);
    }
}

#[test]
fn another_set_of_tracks_or_another_codec_is_another_list() {
    let silent = |run: &mut Run| run.tracks.truncate(1);
    let other = |run: &mut Run| {
        let mp3 = media::Mp3 { sample_rate: 48_000, channels: 2, frame_samples: 1_152 };
        run.tracks[1].codec = media::Codec::Mp3(mp3);
    };
    let wider = |run: &mut Run| {
        if let media::Codec::H264(h264) = &mut run.tracks[0].codec {
            h264.picture.width = 1280;
        }
    };
    for (change, lists) in [(silent as fn(&mut Run), 2), (other, 2), (wider, 1)] {
        let (mut output, mut fx) = (output(2, 3_600), Vec::new());
        for n in [0, 1] {
            let mut run = story::run(n * 4_000_000, n * 5_000_000);
            if n == 1 {
                change(&mut run);
            }
            let mut packets = story::frames(&run, 4, 1_000, 0);
            packets.retain(|packet| run.track(packet.track).is_some());
            story::feed(&mut output, &run, &packets, &mut fx);
            output.on(Event::Gap(Gap::Dropped, run.wall.plus_micros(4_000_000)), &mut fx).unwrap();
        }
        output.on(Event::End(story::EPOCH), &mut fx).unwrap();
        assert_eq!(stored(fx).playlists.len(), lists);
    }
}

#[test]
fn program_date_time_never_runs_backwards() {
    let (stored, _) = interrupted(-500, false);
    let dates: Vec<i64> = stored.playlists[0]
        .1
        .segments
        .iter()
        .map(|s| s.program_date_time.unwrap().timestamp_millis())
        .collect();
    assert!(dates[1] >= dates[0] + 4_000, "{dates:?}");
}

#[test]
fn the_slice_is_complete_as_soon_as_the_source_is_gone() {
    let (mut output, mut fx) = (output(5, 3_600), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut output, &run, &story::frames(&run, 3, 1_000, 500), &mut fx);
    output.on(Event::Gap(Gap::Unpublished, story::EPOCH), &mut fx).unwrap();
    assert!(matches!(story::written(fx).last(), Some(Effect::Seal { .. })));
}

#[test]
fn sound_alone_is_cut_at_the_first_frame_at_or_after_slice_duration() {
    let mut run = story::run(0, 0);
    run.tracks = vec![story::audio()];
    let packets = story::frames(&run, 12, 1_000, 0);
    let stored = record(&run, &packets, 5, 3_600);
    let frames: Vec<usize> = stored.frames(Kind::Audio).iter().map(Vec::len).collect();
    assert_eq!(frames[..2], [235, 235], "234.4 frames are 5 s");
    assert_every_frame_once(&stored, &packets);
}

#[test]
fn pictures_alone_are_recorded() {
    let mut run = story::run(0, 0);
    run.tracks = vec![story::video()];
    let packets = story::frames(&run, 12, 2_000, 0);
    assert_every_frame_once(&record(&run, &packets, 5, 3_600), &packets);
}

#[test]
fn sound_from_before_the_first_key_frame_follows_it() {
    let run = story::run(0, 0);
    let packets: Vec<Packet> = story::frames(&run, 8, 2_000, 0)
        .into_iter()
        .map(|mut packet| {
            if packet.track == TrackId::VIDEO {
                packet.dts.0 += 27_000;
            }
            packet
        })
        .collect();
    let stored = record(&run, &packets, 5, 3_600);
    assert_every_frame_once(&stored, &packets);
    assert!(stored.slices[0].0.ends_with("1704067200_0.ts"));
    assert_eq!(
        stored.playlists[0].1.segments[0].program_date_time.unwrap().timestamp_millis(),
        1_704_067_200_300
    );
}

#[test]
fn at_most_half_a_second_of_media_or_256_kib_waits() {
    let run = story::run(0, 0);
    let (mut output, mut fx) = (output(5, 3_600), Vec::new());
    output.on(Event::Run(&run), &mut fx).unwrap();
    let mut waiting = 0;
    for packet in story::frames(&run, 4, 2_000, 0) {
        output.on(Event::Packet(&packet), &mut fx).unwrap();
        waiting = if fx.is_empty() { waiting + 1 } else { 0 };
        fx.clear();
        assert!(waiting <= 14 + 25);
    }
    let big = story::frame(
        &run,
        TrackId::VIDEO,
        4_000_000,
        40_000,
        false,
        &[&[0, 4, 0, 0], &vec![0x41; 0x4_0000][..]].concat(),
    );
    output.on(Event::Packet(&big), &mut fx).unwrap();
    output
        .on(Event::Packet(&story::frame(&run, TrackId::AUDIO, 4_010_000, 20_000, true, b"a")), &mut fx)
        .unwrap();
    assert!(matches!(story::written(fx)[..], [Effect::Grow { .. }]));
}

#[test]
fn a_frame_with_broken_framing_is_skipped_with_one_warning() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 4, 2_000, 0);
    for packet in packets.iter_mut().filter(|p| p.track == TrackId::VIDEO && !p.key).take(3) {
        packet.data = Bytes::from_static(&[0, 0, 1, 0, 0x41]);
    }
    let stored = record(&run, &packets, 5, 3_600);
    assert!(matches!(stored.warnings[..], [Warning::BadMedia(_)]), "{:?}", stored.warnings);
    assert_eq!(stored.frames(Kind::Video).concat().len(), 97);
}

#[test]
fn a_track_that_ts_cannot_carry_is_left_out_and_none_left_is_an_error() {
    let mut run = story::run(0, 0);
    let media::Codec::Aac(aac) = &mut run.tracks[1].codec else { panic!() };
    aac.channels = 0;
    let packets = story::frames(&run, 4, 2_000, 0);
    let left = record(&run, &packets, 5, 3_600);
    assert!(matches!(left.warnings[..], [Warning::TrackLeftOut { output: "record/m3u8", .. }]));
    assert_eq!(left.frames(Kind::Video)[0].len(), 100);
    run.tracks.remove(0);
    let (mut output, mut fx) = (output(5, 3_600), Vec::new());
    let error = output.on(Event::Run(&run), &mut fx).unwrap_err();
    assert!(matches!(error, Error::Unsupported { product: "m3u8", .. }), "{error}");
}

#[test]
fn a_key_frame_that_is_decoded_early_cuts_when_it_is_shown_in_time() {
    let run = story::run(0, 0);
    let frames = (0..300).map(|n: i64| {
        // An open GOP: from the second on, key frames are decoded 80 ms before where an IDR would be.
        let key = n == 0 || n % 50 == 48;
        let mut frame = story::frame(&run, TrackId::VIDEO, n * 40_000, 40_000, key, b"\0\0\0\x02\x65\x88");
        frame.cts = if key && n > 0 { 3 * 3_600 } else { 3_600 };
        frame
    });
    let stored = record(&run, &frames.collect::<Vec<_>>(), 2, 3_600);
    assert_eq!(stored.durations(), [1.92, 2.0, 2.0, 2.0, 2.0, 2.0, 0.08]);
}

fn opus() -> media::Codec {
    let head = Bytes::from_static(b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0");
    media::Codec::Opus(media::Opus { head, channels: 2, pre_skip: 312 })
}

fn vp9() -> media::Codec {
    let record = Bytes::from_static(&[1, 0, 0, 0, 0, 31, 0x82, 1, 1, 1, 0, 0]);
    media::Codec::Vp9(media::Vp9 { record, picture: media::Picture::of_size(640, 360) })
}

#[track_caller]
fn assert_left_out(stored: &Stored, codecs: &[&str]) {
    let left_out = |codec: &&str| Warning::TrackLeftOut { output: "record/m3u8", codec: (*codec).to_owned() };
    assert_eq!(stored.warnings, codecs.iter().map(left_out).collect::<Vec<_>>());
}

#[test]
fn the_first_track_of_a_kind_that_ts_carries_is_recorded() {
    let mut run = story::run(0, 0);
    let mut main = story::audio();
    main.codec = opus();
    run.tracks[1].id.index = 1;
    run.tracks.insert(1, main);
    let mut packets = story::frames(&story::run(0, 0), 4, 2_000, 0);
    for packet in packets.iter_mut().filter(|packet| packet.track == TrackId::AUDIO) {
        packet.track.index = 1;
    }
    let stored = record(&run, &packets, 5, 3_600);
    assert_left_out(&stored, &["Opus"]);
    assert_every_frame_once(&stored, &packets);
}

#[test]
fn further_tracks_are_left_out() {
    let mut run = story::run(0, 0);
    for at in [1, 3] {
        let mut further = run.tracks[at - 1].clone();
        further.id.index = 1;
        run.tracks.insert(at, further);
    }
    let packets = story::frames(&run, 4, 2_000, 0);
    let stored = record(&run, &packets, 5, 3_600);
    assert_left_out(&stored, &["avc1.42c01e", "mp4a.40.2"]);
    assert_every_frame_once(&stored, &packets);
}

#[test]
fn sound_is_recorded_though_ts_cannot_carry_the_pictures() {
    let mut run = story::run(0, 0);
    run.tracks[0].codec = vp9();
    let packets = story::frames(&run, 12, 2_000, 0);
    let stored = record(&run, &packets, 5, 3_600);
    assert_left_out(&stored, &["vp09.00.31.08"]);
    let sound: Vec<Packet> = packets.into_iter().filter(|p| p.track == TrackId::AUDIO).collect();
    assert_every_frame_once(&stored, &sound);
    assert_eq!(stored.slices.len(), 3, "cut by the sound");
}

#[test]
fn what_was_recorded_is_complete_when_the_recording_fails() {
    let (mut output, mut fx) = (output(5, 3_600), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut output, &run, &story::frames(&run, 3, 1_000, 0), &mut fx);
    let mut broken = story::run(3_000_000, 3_000_000);
    broken.tracks.remove(0);
    let media::Codec::Aac(aac) = &mut broken.tracks[0].codec else { panic!() };
    aac.channels = 0;
    assert!(output.on(Event::Run(&broken), &mut fx).is_err());
    let stored = stored(fx);
    assert_eq!((stored.slices.len(), stored.playlists.len()), (1, 1));
}
