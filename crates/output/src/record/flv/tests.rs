use bytes::BytesMut;
use container::amf0::{self, Value};
use container::flv::{Audio, Tag, Video};
use media::{Gap, Kind};

use super::*;
use crate::Warning;
use crate::name::Variable;
use crate::record::story;

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

    /// DTS in ms of the frames of a kind, sequence headers left out.
    fn frames(&self, kind: Kind) -> Vec<(u32, Bytes)> {
        let frame = |tag: &Tag| match (kind, tag.kind) {
            (Kind::Video, TagKind::Video) => match flv::legacy_video(&tag.payload).unwrap() {
                Video::Frame { data, .. } => Some((tag.timestamp, data)),
                _ => None,
            },
            (Kind::Audio, TagKind::Audio) => match flv::legacy_audio(&tag.payload).unwrap() {
                Audio::Frame(data) => Some((tag.timestamp, data)),
                _ => None,
            },
            _ => None,
        };
        self.tags.iter().filter_map(|(_, tag)| frame(tag)).collect()
    }
}

fn find<'a>(fields: &'a [(String, Value)], name: &str) -> &'a Value {
    &fields.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn output(cycle_duration_s: u32) -> Flv {
    let name = "{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}";
    let name = Name::parse(name, Variable::RECORD_FILE).unwrap();
    let settings =
        Settings { store: story::bucket(), cycle_duration_s, name, delay_s: 180, utc_offset: 8 * 3600 };
    Flv::new(settings, &story::context())
}

/// What a store would hold after the effects; every file must be sealed and read back.
fn stored(fx: &Effects) -> Vec<Stored> {
    let mut open: Vec<(FileId, BytesMut)> = Vec::new();
    let mut done = Vec::new();
    for effect in fx {
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
fn composition_times_are_exact() {
    let run = story::run(0, 0);
    let file = &stored(&record(&run, &story::frames(&run, 2, 1_000, 0), 3_600))[0];
    let frame = file.tags.iter().find_map(|(_, tag)| match tag.kind {
        TagKind::Video => match flv::legacy_video(&tag.payload).unwrap() {
            Video::Frame { cts_ms, .. } => Some(cts_ms),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(frame, Some(40));
}

#[test]
fn sequence_headers_come_first() {
    let run = story::run(0, 0);
    let file = &stored(&record(&run, &story::frames(&run, 1, 1_000, 0), 3_600))[0];
    let Codec::H264(h264) = story::video().codec else { panic!() };
    assert_eq!(flv::legacy_video(&file.tags[1].1.payload).unwrap(), Video::SequenceHeader(h264.record));
    let Audio::SequenceHeader(config) = flv::legacy_audio(&file.tags[2].1.payload).unwrap() else { panic!() };
    assert_eq!(&config[..], &[0x11, 0x90]);
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
    let keys = file.tags.iter().filter(|(_, tag)| {
        tag.kind == TagKind::Video
            && matches!(flv::legacy_video(&tag.payload).unwrap(), Video::Frame { key: true, .. })
    });
    let keys: Vec<f64> = keys.map(|(at, _)| *at as f64).collect();
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
    assert_eq!(video[99..101], [3_960, 4_030], "the timeline goes on");
    let headers = files[0].tags.iter().filter(|(_, tag)| {
        tag.kind == TagKind::Video && matches!(flv::legacy_video(&tag.payload), Ok(Video::SequenceHeader(_)))
    });
    assert_eq!(headers.map(|(_, tag)| tag.timestamp).collect::<Vec<_>>(), [0, 4_030]);
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
fn at_most_a_second_of_media_waits_and_everything_at_a_gap() {
    let (mut output, mut fx) = (output(3_600), Vec::new());
    let run = story::run(0, 0);
    let packets = story::frames(&run, 3, 1_000, 0);
    output.on(Event::Run(&run), &mut fx).unwrap();
    let mut waiting = 0;
    for packet in &packets {
        output.on(Event::Packet(packet), &mut fx).unwrap();
        waiting = if fx.is_empty() { waiting + 1 } else { 0 };
        fx.clear();
        assert!(waiting <= 25 + 48, "frames of one second and their interleave");
    }
    output.on(Event::Gap(Gap::Dropped, story::EPOCH), &mut fx).unwrap();
    let Some(Effect::Grow { body, .. }) = fx.last() else { panic!("{fx:?}") };
    let last = packets.iter().rev().find(|p| p.track == TrackId::AUDIO).unwrap();
    assert!(body.contains(&last.data));
}

#[test]
fn frame_data_is_shared_not_copied() {
    let run = story::run(0, 0);
    let packets = story::frames(&run, 1, 1_000, 0);
    let fx = record(&run, &packets, 3_600);
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

#[test]
fn a_second_video_track_is_left_out_with_a_warning() {
    let mut run = story::run(0, 0);
    let mut second = story::video();
    second.id.index = 1;
    run.tracks.insert(1, second.clone());
    let packets = [story::frame(&run, second.id, 0, 40_000, true, b"x")];
    let fx = record(&run, &packets, 3_600);
    assert!(matches!(fx[..], [Effect::Warn(Warning::TrackLeftOut { output: "record/flv", .. })]), "{fx:?}");
}
