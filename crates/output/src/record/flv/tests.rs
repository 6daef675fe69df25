use bytes::BytesMut;
use container::amf0::{self, Value};
use container::flv::{Body, Tag, Unit};
use media::{Codec, Gap, Kind, Packet};

use super::*;
use crate::name::{Name, Variable};
use crate::record::recording::Recording;
use crate::record::{Container, story};
use crate::{Event, Order, Output, Saved};

/// A sealed file as it would be stored.
struct Stored {
    key: String,
    bytes: Bytes,
    tags: Vec<(usize, Tag)>,
    metadata: Vec<(String, Value)>,
}

impl Stored {
    fn number(&self, name: &str) -> f64 {
        match find(&self.metadata, name) {
            Value::Number(number) => *number,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// What the tags of a kind hold: position, timestamp and units.
    fn units(&self, kind: Kind) -> impl Iterator<Item = (usize, u32, Unit)> {
        let tags = self.tags.iter().filter(move |(_, tag)| match kind {
            Kind::Video => tag.kind == TagKind::Video,
            Kind::Audio => tag.kind == TagKind::Audio,
        });
        tags.flat_map(move |(at, tag)| {
            let units = match kind {
                Kind::Video => flv::video(&tag.payload).unwrap(),
                Kind::Audio => flv::audio(&tag.payload).unwrap(),
            };
            units.map(|unit| (*at, tag.timestamp, unit.unwrap()))
        })
    }

    /// DTS in ms of the frames of a track, sequence headers left out.
    fn frames_of(&self, id: TrackId) -> Vec<(u32, Bytes)> {
        let units = self.units(id.kind).filter(|(_, _, unit)| unit.track == id.index);
        units
            .filter_map(|(_, at, unit)| match unit.body {
                Body::Frame { data, .. } => Some((at, data)),
                _ => None,
            })
            .collect()
    }

    /// Those of the main track of a kind.
    fn frames(&self, kind: Kind) -> Vec<(u32, Bytes)> {
        self.frames_of(TrackId { kind, index: 0 })
    }
}

fn find<'a>(fields: &'a [(String, Value)], name: &str) -> &'a Value {
    &fields.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn output(cycle_duration_s: u32) -> Recording<Tags> {
    let name = "{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}";
    let name = Name::parse(name, Variable::RECORD_FILE).unwrap();
    let settings = Settings { cycle_duration_s, ..Settings::new(Container::Flv, story::bucket(), name) };
    Recording::new(settings, &story::context())
}

/// What a store would hold after the effects; every file must be sealed and read back.
fn stored(fx: &Effects) -> Vec<Stored> {
    let mut open: Vec<(FileId, BytesMut)> = Vec::new();
    let mut done = Vec::new();
    for effect in &story::written(fx.clone()) {
        match effect {
            Effect::Grow { file, body } => {
                if open.last().is_none_or(|(id, _)| id != file) {
                    open.push((*file, BytesMut::new()));
                }
                let (_, bytes) = open.last_mut().unwrap();
                body.iter().for_each(|piece| bytes.extend_from_slice(piece));
            }
            Effect::Seal { file, to, finish: Finish::Head { head, skip }, content_type } => {
                assert_eq!(*content_type, "video/x-flv");
                let (id, bytes) = open.pop().unwrap();
                assert_eq!(id, *file);
                flv::read(&bytes.clone().freeze()).unwrap().1.for_each(|tag| drop(tag.unwrap()));
                let bytes = [&head[..], &bytes[*skip as usize..]].concat();
                done.push(read(&to.key, bytes.into()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty());
    done
}

fn read(key: &str, bytes: Bytes) -> Stored {
    let (_, mut tags) = flv::read(&bytes).unwrap();
    let mut all = Vec::new();
    loop {
        let at = tags.at();
        let Some(tag) = tags.next() else { break };
        all.push((at, tag.unwrap()));
    }
    let script = &all[0].1;
    assert_eq!(script.kind, TagKind::Script);
    let [Value::String(name), Value::EcmaArray(metadata)] = &amf0::decode_all(&script.payload).unwrap()[..]
    else {
        panic!("onMetaData")
    };
    assert_eq!(name, "onMetaData");
    Stored { key: key.to_owned(), metadata: metadata.clone(), tags: all, bytes }
}

/// Records one run of `seconds` s.
fn record(run: &Run, packets: &[Packet], cycle: u32) -> Effects {
    let (mut output, mut fx) = (output(cycle), Vec::new());
    story::feed(&mut output, run, packets, &mut fx);
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    fx
}

#[test]
fn every_frame_is_in_the_file_once_with_its_time() {
    let run = story::run(0, 0);
    let packets = story::frames(&run, 5, 1_000, 150);
    let files = stored(&record(&run, &packets, 3_600));
    assert_eq!(files.len(), 1);
    for kind in [Kind::Video, Kind::Audio] {
        let sent = packets.iter().filter(|p| p.track.kind == kind);
        let rate = if kind == Kind::Video { 90.0 } else { 48.0 };
        let sent: Vec<_> = sent.map(|p| ((p.dts.0 as f64 / rate).round() as u32, p.data.clone())).collect();
        assert_eq!(files[0].frames(kind), sent);
    }
    let times: Vec<u32> = files[0].tags.iter().map(|(_, tag)| tag.timestamp).collect();
    assert!(times.is_sorted(), "one timeline for both tracks");
}

#[test]
fn a_run_that_begins_before_the_sound_of_the_last_one_ended_comes_after_it_at_its_own_pace() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    // 300 ms of sound more than of pictures.
    for (start, wall) in [(0, 0), (1_720_000, 5_000_000)] {
        let run = story::run(start, wall);
        let mut packets = story::frames(&run, 2, 1_000, 0);
        packets
            .retain(|packet| packet.track != TrackId::VIDEO || packet.dts.0 < (start + 1_720_000) * 9 / 100);
        let silent = if start == 0 { 0 } else { 300 * 48 };
        packets.retain(|packet| packet.track == TrackId::VIDEO || packet.dts.0 >= run_tick(&run) + silent);
        story::feed(&mut output, &run, &packets, &mut fx);
        output.on(Event::Gap(Gap::Jump, run.wall), &mut fx).unwrap();
    }
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let [file] = &stored(&fx)[..] else { panic!() };
    let times: Vec<u32> = file.frames(Kind::Video).into_iter().map(|(at, _)| at).collect();
    let steps: Vec<u32> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(steps.len(), 85);
    assert!(steps[..42].iter().chain(&steps[43..]).all(|step| *step == 40), "{steps:?}");
    assert!((320..=345).contains(&steps[42]), "{steps:?}");
    let sound = file.frames(Kind::Audio);
    assert!(sound.is_sorted_by(|a, b| a.0 < b.0));
    let later = sound.iter().find(|(at, _)| *at > 2_010).unwrap().0;
    assert!((300..=325).contains(&(later - times[43])), "sound of the second run keeps its distance");
    let said = file.number("duration");
    assert!((4.0..4.05).contains(&said), "{said}");
}

#[test]
fn a_run_that_breaks_off_amid_b_frames_is_shown_to_its_end_before_the_next_one() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    // I P B B: the last of three frames is shown before the one that was decoded before it.
    let cts = [1, 3, 0, 0].map(|frames| frames * 3_600);
    for (start, wall) in [(0, 0), (120_000, 5_000_000)] {
        let run = story::run(start, wall);
        let mut packets = story::frames(&run, 1, 1_000, 0);
        packets.retain(|packet| packet.track == TrackId::VIDEO);
        packets.truncate(3);
        packets.iter_mut().zip(cts).for_each(|(packet, cts)| packet.cts = cts);
        story::feed(&mut output, &run, &packets, &mut fx);
        output.on(Event::Gap(Gap::Dropped, run.wall), &mut fx).unwrap();
    }
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let files = stored(&fx);
    let shown: Vec<i32> = files[0]
        .units(Kind::Video)
        .filter_map(|(_, at, unit)| match unit.body {
            Body::Frame { cts_ms, .. } => Some(at as i32 + cts_ms),
            _ => None,
        })
        .collect();
    assert_eq!(shown, [40, 160, 80, 200, 320, 240]);
}

#[test]
fn another_codec_is_another_file_and_another_track_is_not() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let mp3 = Codec::Mp3(media::Mp3 { sample_rate: 48_000, channels: 2, frame_samples: 1_152 });
    let both = story::run(0, 0).tracks;
    let other = vec![both[0].clone(), Track { codec: mp3, ..both[1].clone() }];
    for (at, tracks) in [vec![both[0].clone()], both.clone(), other.clone(), vec![other[1].clone()], both]
        .into_iter()
        .enumerate()
    {
        let run = Run { tracks, ..story::run(at as i64 * 1_000_000, at as i64 * 1_000_000) };
        story::feed(&mut output, &run, &story::frames(&run, 1, 1_000, 0), &mut fx);
    }
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let lasts: Vec<f64> = stored(&fx).iter().map(|file| file.number("duration").round()).collect();
    assert_eq!(lasts, [2.0, 2.0, 1.0]);
}

/// Where a run begins, in ticks of its sound.
fn run_tick(run: &Run) -> i64 {
    run.audio().unwrap().timescale.from_micros(run.start).0
}

#[test]
fn no_two_pictures_have_one_time_though_they_are_less_than_a_millisecond_apart() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 1, 1_000, 0);
    packets.retain(|packet| packet.track == TrackId::VIDEO);
    packets.iter_mut().for_each(|packet| (packet.dts.0, packet.duration) = (packet.dts.0 / 100, 36));
    let times = stored(&record(&run, &packets, 3_600))[0].frames(Kind::Video);
    assert_eq!(times.len(), 25);
    assert!(times.is_sorted_by(|a, b| a.0 < b.0), "{times:?}");
}

#[test]
fn composition_times_are_exact() {
    let run = story::run(0, 0);
    let file = &stored(&record(&run, &story::frames(&run, 2, 1_000, 0), 3_600))[0];
    let frame = file.units(Kind::Video).find_map(|(_, _, unit)| match unit.body {
        Body::Frame { cts_ms, .. } => Some(cts_ms),
        _ => None,
    });
    assert_eq!(frame, Some(40));
}

#[test]
fn sequence_headers_come_first() {
    let run = story::run(0, 0);
    let file = &stored(&record(&run, &story::frames(&run, 1, 1_000, 0), 3_600))[0];
    let Codec::H264(h264) = story::video().codec else { panic!() };
    let first = |kind| file.units(kind).next().unwrap().2.body;
    assert_eq!(first(Kind::Video), Body::SequenceStart(h264.record));
    assert_eq!(first(Kind::Audio), Body::SequenceStart(Bytes::from_static(&[0x11, 0x90])));
    assert_eq!((file.tags[1].1.kind, file.tags[2].1.kind), (TagKind::Video, TagKind::Audio));
}

#[test]
fn the_index_points_at_the_key_frames() {
    let run = story::run(0, 0);
    let file = &stored(&record(&run, &story::frames(&run, 5, 1_000, 100), 3_600))[0];
    let Value::Object(index) = find(&file.metadata, "keyframes") else { panic!() };
    let numbers = |name| match find(index, name) {
        Value::StrictArray(values) => {
            values.iter().map(|v| if let Value::Number(n) = v { *n } else { panic!() }).collect::<Vec<f64>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(numbers("times"), [0.0, 1.0, 2.0, 3.0, 4.0]);
    let keys = file.units(Kind::Video).filter(|(_, _, u)| matches!(u.body, Body::Frame { key: true, .. }));
    let keys: Vec<f64> = keys.map(|(at, _, _)| at as f64).collect();
    assert_eq!(numbers("filepositions"), keys);
}

#[test]
fn the_head_tells_what_the_file_holds() {
    let run = story::run(0, 0);
    let file = &stored(&record(&run, &story::frames(&run, 5, 1_000, 0), 3_600))[0];
    assert_eq!(file.number("filesize"), file.bytes.len() as f64);
    assert!((file.number("duration") - 5.0).abs() < 0.025);
    assert!((file.number("framerate") - 25.0).abs() < 0.2);
    assert_eq!((file.number("width"), file.number("height")), (640.0, 360.0));
    assert_eq!((file.number("videocodecid"), file.number("audiocodecid")), (7.0, 10.0));
    assert_eq!(file.number("audiosamplerate"), 48_000.0);
    let last = file.tags.last().unwrap().1.timestamp;
    assert_eq!(file.number("lasttimestamp"), f64::from(last) / 1e3);
    assert_eq!(file.number("lastkeyframetimestamp"), 4.0);
    assert_eq!(find(&file.metadata, "stereo"), &Value::Boolean(true));
    assert_eq!(find(&file.metadata, "hasKeyframes"), &Value::Boolean(true));
    assert_eq!(find(&file.metadata, "canSeekToEnd"), &Value::Boolean(false));
    assert_eq!(file.key, "cam/0_2024-01-01-08-00-00_2024-01-01-08-00-05.flv");
}

#[test]
fn a_cycle_ends_at_the_first_key_frame_at_or_after_it_and_no_frame_is_lost() {
    let run = story::run(0, 0);
    let packets = story::frames(&run, 20, 2_000, 150);
    let files = stored(&record(&run, &packets, 5));
    let keys: Vec<&str> = files.iter().map(|file| file.key.as_str()).collect();
    assert_eq!(keys.len(), 4);
    assert_eq!(keys[1], "cam/1_2024-01-01-08-00-06_2024-01-01-08-00-12.flv");
    for kind in [Kind::Video, Kind::Audio] {
        let sent: Vec<Bytes> =
            packets.iter().filter(|p| p.track.kind == kind).map(|p| p.data.clone()).collect();
        let written = files.iter().flat_map(|file| file.frames(kind)).map(|(_, data)| data);
        assert_eq!(written.collect::<Vec<_>>(), sent);
    }
    assert!(files.iter().all(|file| file.frames(Kind::Video)[0].0 == 0), "each file begins at 0");
}

#[test]
fn a_key_frame_that_is_decoded_early_ends_the_file_when_it_is_shown_in_time() {
    let run = story::run(0, 0);
    let frames = (0..100).map(|n: i64| {
        let key = n == 0 || n % 50 == 48;
        let mut frame = story::frame(&run, TrackId::VIDEO, n * 40_000, 40_000, key, &[n as u8]);
        frame.cts = if key && n > 0 { 3 * 3_600 } else { 3_600 };
        frame
    });
    let files = stored(&record(&run, &frames.collect::<Vec<_>>(), 2));
    assert_eq!(files.iter().map(|file| file.frames(Kind::Video).len()).collect::<Vec<_>>(), [48, 50, 2]);
}

#[test]
fn a_reconnect_within_delay_time_goes_on_in_the_file() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let first = story::run(0, 0);
    story::feed(&mut output, &first, &story::frames(&first, 4, 2_000, 0), &mut fx);
    let gone = story::EPOCH.plus_micros(4_000_000);
    output.on(Event::Gap(Gap::Dropped, gone), &mut fx).unwrap();
    assert_eq!(output.deadline(), Some(gone.plus_micros(180_000_000)));
    let second = story::run(4_030_000, 100_000_000);
    story::feed(&mut output, &second, &story::frames(&second, 4, 2_000, 0), &mut fx);
    assert_eq!(output.deadline(), None);
    output.on(Event::End(gone), &mut fx).unwrap();
    let files = stored(&fx);
    assert_eq!(files.len(), 1);
    let video: Vec<u32> = files[0].frames(Kind::Video).into_iter().map(|(at, _)| at).collect();
    assert_eq!(video[99..101], [3_960, 4_011], "where the sound ended");
    let headers = files[0].units(Kind::Video).filter(|(_, _, u)| matches!(u.body, Body::SequenceStart(_)));
    assert_eq!(headers.map(|(_, at, _)| at).collect::<Vec<_>>(), [0, 4_011]);
    assert_eq!(files[0].key, "cam/0_2024-01-01-08-00-00_2024-01-01-08-01-44.flv");
}

#[test]
fn the_file_closes_when_delay_time_is_over() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut output, &run, &story::frames(&run, 4, 2_000, 0), &mut fx);
    output.on(Event::Gap(Gap::Unpublished, story::EPOCH), &mut fx).unwrap();
    let sealed = |fx: &Effects| fx.iter().filter(|e| matches!(e, Effect::Seal { .. })).count();
    output.on(Event::Tick(story::EPOCH.plus_micros(179_999_999)), &mut fx).unwrap();
    assert_eq!(sealed(&fx), 0);
    output.on(Event::Tick(story::EPOCH.plus_micros(180_000_000)), &mut fx).unwrap();
    assert_eq!((sealed(&fx), output.deadline()), (1, None));
    let late = story::run(4_000_000, 200_000_000);
    story::feed(&mut output, &late, &story::frames(&late, 1, 1_000, 0), &mut fx);
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let keys: Vec<String> = stored(&fx).into_iter().map(|file| file.key).collect();
    assert_eq!(keys[1], "cam/1_2024-01-01-08-03-20_2024-01-01-08-03-21.flv");
}

#[test]
fn a_timestamp_jump_does_not_start_delay_time() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut output, &run, &story::frames(&run, 1, 1_000, 0), &mut fx);
    output.on(Event::Gap(Gap::Jump, story::EPOCH), &mut fx).unwrap();
    assert_eq!(output.deadline(), None);
}

#[test]
fn at_most_half_a_second_of_media_waits_and_everything_at_a_gap() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    let packets = story::frames(&run, 3, 1_000, 0);
    output.on(Event::Run(&run), &mut fx).unwrap();
    let mut waiting = 0;
    for packet in &packets {
        output.on(Event::Packet(packet), &mut fx).unwrap();
        waiting = if fx.is_empty() { waiting + 1 } else { 0 };
        fx.clear();
        assert!(waiting <= 14 + 25, "frames of half a second and their interleave");
    }
    output.on(Event::Gap(Gap::Dropped, story::EPOCH), &mut fx).unwrap();
    let fx = story::written(fx);
    let Some(Effect::Grow { body, .. }) = fx.last() else { panic!("{fx:?}") };
    let last = packets.iter().rev().find(|p| p.track == TrackId::AUDIO).unwrap();
    assert!(body.contains(&last.data));
}

#[test]
fn frame_data_is_shared_not_copied() {
    let run = story::run(0, 0);
    let packets = story::frames(&run, 1, 1_000, 0);
    let fx = story::written(record(&run, &packets, 3_600));
    let Some(Effect::Grow { body, .. }) = fx.first() else { panic!() };
    assert!(body.iter().any(|piece| std::ptr::eq(piece.as_ptr(), packets[0].data.as_ptr())));
}

#[test]
fn a_recording_of_sound_alone_has_no_key_frame_index() {
    let mut run = story::run(0, 0);
    run.tracks = vec![story::audio()];
    let packets = story::frames(&run, 3, 1_000, 0);
    let files = stored(&record(&run, &packets, 2));
    assert_eq!(files.len(), 2);
    assert_eq!(files[0].bytes[4], 4, "audio only");
    assert_eq!(find(&files[0].metadata, "hasKeyframes"), &Value::Boolean(false));
    assert!(files[0].metadata.iter().all(|(name, _)| name != "width"));
}

/// Two of each kind.
fn multitrack() -> Run {
    let mut run = story::run(0, 0);
    let further = |mut track: Track| {
        track.id.index = 1;
        track
    };
    run.tracks = vec![story::video(), further(story::video()), story::audio(), further(story::audio())];
    *run.tracks[1].codec.picture_mut().unwrap() = media::Picture::of_size(320, 180);
    run
}

/// Frames of the main tracks, and of each further one the same with other data.
fn doubled(run: &Run) -> Vec<Packet> {
    let further = |packet: &Packet| {
        let data = [&packet.data[..], b"1"].concat().into();
        Packet { track: TrackId { index: 1, ..packet.track }, data, ..packet.clone() }
    };
    story::frames(run, 5, 1_000, 0).iter().flat_map(|p| [p.clone(), further(p)]).collect()
}

#[test]
fn every_frame_of_every_track_is_in_the_file_once() {
    let run = multitrack();
    let packets = doubled(&run);
    let file = &stored(&record(&run, &packets, 3_600))[0];
    for track in &run.tracks {
        let sent: Vec<Bytes> =
            packets.iter().filter(|p| p.track == track.id).map(|p| p.data.clone()).collect();
        let written: Vec<Bytes> = file.frames_of(track.id).into_iter().map(|(_, data)| data).collect();
        assert_eq!(written, sent, "{:?}", track.id);
    }
    let times: Vec<u32> = file.tags.iter().map(|(_, tag)| tag.timestamp).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_head_tells_of_further_tracks_and_the_index_is_of_the_main_one() {
    let run = multitrack();
    let file = &stored(&record(&run, &doubled(&run), 3_600))[0];
    let of = |map: &str| match find(&file.metadata, map) {
        Value::Object(tracks) => match find(tracks, "1") {
            Value::Object(fields) => fields.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(find(&of("videoTrackIdInfoMap"), "width"), &Value::Number(320.0));
    let id = f64::from(u32::from_be_bytes(*b"avc1"));
    assert!(
        matches!(find(&of("videoTrackIdInfoMap"), "videocodecid"), Value::Number(n) if *n == 7.0 || *n == id)
    );
    assert_eq!(find(&of("audioTrackIdInfoMap"), "samplerate"), &Value::Number(48_000.0));
    assert_eq!(find(&of("audioTrackIdInfoMap"), "channels"), &Value::Number(2.0));
    assert_eq!(file.number("width"), 640.0);
    assert!((file.number("framerate") - 25.0).abs() < 0.2, "of the main track");
    let Value::Object(index) = find(&file.metadata, "keyframes") else { panic!() };
    let Value::StrictArray(times) = find(index, "times") else { panic!() };
    assert_eq!(times.len(), 5);
}

/// A run of one track of `codec`, for half a second.
fn sound(codec: Codec) -> (Run, Vec<Packet>) {
    let mut run = story::run(0, 0);
    let timescale = codec.timescale().unwrap();
    run.tracks = vec![Track { id: TrackId::AUDIO, timescale, codec }];
    let frames =
        (0..25).map(|n| story::frame(&run, TrackId::AUDIO, n * 20_000, 20_000, true, &[n as u8 + 1]));
    let frames = frames.collect();
    (run, frames)
}

#[test]
fn every_codec_of_sound_is_recorded_with_its_id() {
    let opus = media::Opus {
        head: Bytes::from_static(b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"),
        channels: 2,
        pre_skip: 312,
    };
    let flac = media::Flac {
        stream_info: vec![0; 34].into(),
        sample_rate: 96_000,
        channels: 1,
        bits_per_sample: 24,
    };
    let mp3 = media::Mp3 { sample_rate: 44_100, channels: 2, frame_samples: 1152 };
    let ac3 = media::Ac3 {
        enhanced: false,
        record: Bytes::from_static(&[0x10, 0x3d, 0xe0]),
        sample_rate: 48_000,
        channels: 6,
    };
    let eac3 = media::Ac3 { enhanced: true, ..ac3.clone() };
    let fourcc = |name: &[u8; 4]| f64::from(u32::from_be_bytes(*name));
    for (codec, id, rate, headers) in [
        (Codec::Opus(opus), fourcc(b"Opus"), 48_000.0, 1),
        (Codec::Flac(flac), fourcc(b"fLaC"), 96_000.0, 1),
        (Codec::Mp3(mp3), 2.0, 44_100.0, 0),
        (Codec::Ac3(ac3), fourcc(b"ac-3"), 48_000.0, 1),
        (Codec::Ac3(eac3), fourcc(b"ec-3"), 48_000.0, 1),
    ] {
        let (run, packets) = sound(codec);
        let file = &stored(&record(&run, &packets, 3_600))[0];
        assert_eq!((file.number("audiocodecid"), file.number("audiosamplerate")), (id, rate));
        let written: Vec<Bytes> = file.frames(Kind::Audio).into_iter().map(|(_, data)| data).collect();
        assert_eq!(written, packets.iter().map(|p| p.data.clone()).collect::<Vec<_>>());
        let starts = file.units(Kind::Audio).filter(|(_, _, u)| matches!(u.body, Body::SequenceStart(_)));
        assert_eq!(starts.count(), headers);
    }
}

#[test]
fn colours_of_a_hdr_stream_follow_its_sequence_header() {
    let mut run = story::run(0, 0);
    let mut picture = media::Picture::of_size(640, 360);
    picture.colour = Some(media::Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false });
    picture.light = Some(media::ContentLight { max_content: 1000, max_frame_average: 400 });
    let record_bytes = Bytes::from_static(&[1, 0, 0, 0, 0, 40, 0xa2, 9, 16, 9, 0, 0]);
    run.tracks[0].codec = Codec::Vp9(media::Vp9 { record: record_bytes.clone(), picture });
    let file = &stored(&record(&run, &story::frames(&run, 1, 1_000, 0), 3_600))[0];
    let bodies: Vec<Body> = file.units(Kind::Video).take(3).map(|(_, _, unit)| unit.body).collect();
    assert_eq!(bodies[0], Body::SequenceStart(record_bytes));
    let Body::Colour(info) = &bodies[1] else { panic!("{bodies:?}") };
    let mut read = media::Picture::of_size(640, 360);
    info.apply(&mut read);
    assert_eq!((read.colour.map(|c| c.transfer), read.light), (Some(16), picture.light));
    assert!(matches!(bodies[2], Body::Frame { key: true, .. }));
    assert_eq!(file.number("videocodecid"), f64::from(u32::from_be_bytes(*b"vp09")));
}

/// What was saved of a recording, and a new output that goes on from there.
fn resumed(fx: &Effects) -> Recording<Tags> {
    let mut saved = Saved::default();
    for effect in fx {
        if let Effect::Save(save) = effect {
            saved.take(save.clone());
        }
    }
    Recording::resume(&story::context(), &saved).unwrap()
}

#[test]
fn a_file_that_goes_on_after_a_restart_has_its_whole_index_and_its_true_size() {
    let (mut before, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut before, &run, &story::frames(&run, 3, 1_000, 0), &mut fx);
    let mut after = resumed(&fx);
    let second = story::run(after.reached(), 10_000_000);
    story::feed(&mut after, &second, &story::frames(&second, 2, 1_000, 0), &mut fx);
    after.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let file = &stored(&fx)[0];
    assert_eq!(file.number("filesize"), file.bytes.len() as f64);
    let times: Vec<u32> = file.tags.iter().map(|(_, tag)| tag.timestamp).collect();
    assert!(times.is_sorted());
    let last = file.frames(Kind::Video).last().unwrap().0;
    assert!((file.number("duration") * 1e3 - f64::from(last)).abs() < 60.0);
    let Value::Object(index) = find(&file.metadata, "keyframes") else { panic!() };
    let Value::StrictArray(places) = find(index, "filepositions") else { panic!() };
    let keys = file.units(Kind::Video).filter(|(_, _, u)| matches!(u.body, Body::Frame { key: true, .. }));
    let keys: Vec<Value> = keys.map(|(at, _, _)| Value::Number(at as f64)).collect();
    assert_eq!((places.len(), places), (5, &keys));
    assert_eq!((file.number("width"), file.number("audiosamplerate")), (640.0, 48_000.0));
}

#[test]
fn a_pause_that_was_not_recorded_leaves_no_hole_in_the_times() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    let packets = story::frames(&run, 6, 1_000, 0);
    let (first, rest) = packets.split_at(packets.iter().position(|p| p.dts.0 == 2 * 90_000).unwrap());
    story::feed(&mut output, &run, first, &mut fx);
    output.order(Order::Stop, story::EPOCH.plus_micros(2_000_000), &mut fx).unwrap().unwrap();
    for packet in rest {
        if packet.dts.0 == 4 * 90_000 {
            output.order(Order::Start, story::EPOCH.plus_micros(4_000_000), &mut fx).unwrap().unwrap();
        }
        output.on(Event::Packet(packet), &mut fx).unwrap();
    }
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let video: Vec<u32> = stored(&fx)[0].frames(Kind::Video).into_iter().map(|(at, _)| at).collect();
    assert_eq!(video.len(), 100);
    assert!(video.windows(2).all(|two| (40..70).contains(&(two[1] - two[0]))), "{video:?}");
}
