mod joins;
mod tracks;

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
