use std::collections::{BTreeMap, BTreeSet};

use media::{Codec, Gap, Packet, Track, Wall};
use mp4_atom::{Decode, DecodeMaybe, Moof};

use super::*;
use crate::name::{Name, Variable};
use crate::record::recording::Recording;
use crate::record::{Container, Slice as Slicing, story};
use crate::{Entry, Event, FileId, Output, Saved, Spec};

mod story_of_lists;

/// What a store would hold.
#[derive(Default)]
struct Stored {
    open: BTreeMap<FileId, Vec<u8>>,
    objects: BTreeMap<String, Vec<u8>>,
    /// Keys in the order in which they were stored.
    order: Vec<String>,
    entries: Vec<Entry>,
    saved: Saved,
}

impl Stored {
    fn take(&mut self, fx: Effects) {
        for effect in fx {
            match effect {
                Effect::Grow { file, body } => self.open.entry(file).or_default().extend(body.concat()),
                Effect::Seal { file, to, finish: Finish::AsIs, .. } => {
                    let bytes = self.open.remove(&file).unwrap();
                    self.put(to.key, bytes);
                }
                Effect::Put { to, body, .. } => self.put(to.key, body.concat()),
                Effect::Index(entry) => {
                    assert_eq!(self.order.last(), Some(&entry.object.key), "directly after its object");
                    self.entries.push(*entry);
                }
                Effect::Save(save) => self.saved.take(save),
                Effect::Notify(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn put(&mut self, key: String, bytes: Vec<u8>) {
        assert!(self.objects.insert(key.clone(), bytes).is_none(), "{key} is stored twice");
        self.order.push(key);
    }

    fn text(&self, key: &str) -> &str {
        std::str::from_utf8(self.objects.get(key).unwrap_or_else(|| panic!("{key} of {:?}", self.order)))
            .unwrap()
    }

    /// Keys of slices that end so.
    fn slices(&self, end: &str) -> Vec<&str> {
        self.order.iter().map(String::as_str).filter(|key| key.ends_with(end)).collect()
    }

    /// Decode times of all samples of a track's slices, in order, and where the last one ends.
    fn times(&self, end: &str) -> (Vec<u64>, u64) {
        let (mut times, mut at) = (Vec::new(), 0);
        for key in self.slices(end) {
            for moof in moofs(&self.objects[key]) {
                let traf = &moof.traf[0];
                at = traf.tfdt.as_ref().unwrap().base_media_decode_time;
                for entry in traf.trun[0].samples.iter() {
                    times.push(at);
                    at += u64::from(entry.duration.or(traf.tfhd.default_sample_duration).unwrap());
                }
            }
        }
        (times, at)
    }
}

fn moofs(mut bytes: &[u8]) -> Vec<Moof> {
    let mut moofs = Vec::new();
    while let Some(header) = mp4_atom::Header::decode_maybe(&mut { bytes }).unwrap() {
        let (mut whole, rest) = bytes.split_at(header.size.unwrap() + 8);
        if header.kind == mp4_atom::FourCC::new(b"moof") {
            moofs.push(Moof::decode(&mut whole).unwrap());
        }
        bytes = rest;
    }
    moofs
}

fn settings(slice_s: u32, cycle_duration_s: u32) -> Settings {
    let name = Name::parse("rec/{StreamName}_{Sequence}", Variable::RECORD_FILE).unwrap();
    let slice = Name::parse("rec/s/{Sequence}", Variable::RECORD_SLICE).unwrap();
    Settings {
        slice: Some(Slicing { duration_s: slice_s, name: slice }),
        cycle_duration_s,
        ..Settings::new(Container::Cmaf, story::bucket(), name)
    }
}

fn recording(slice_s: u32, cycle_s: u32) -> Recording<Cmaf> {
    Recording::new(settings(slice_s, cycle_s), &story::context())
}

/// Runs of 4 s each with 1 s GOPs, one after the other with 10 s of wall time between, as `changes` make them of the
/// usual one.
fn record(cycle_s: u32, changes: &[fn(&mut Run)]) -> Stored {
    let (mut recording, mut fx) = (recording(2, cycle_s), Vec::new());
    for (n, change) in (0..).zip(changes) {
        let mut run = story::run(n * 4_000_000, n * 14_000_000);
        change(&mut run);
        story::feed(&mut recording, &run, &story::frames(&run, 4, 1_000, 0), &mut fx);
        recording.on(Event::Gap(Gap::Dropped, run.wall.plus_micros(4_000_000)), &mut fx).unwrap();
    }
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    assert!(stored.open.is_empty(), "every slice is sealed");
    stored
}

fn gap(segment: &m3u8_rs::MediaSegment) -> bool {
    segment.unknown_tags.iter().any(|tag| tag.tag == "X-GAP")
}

fn same(_: &mut Run) {}

fn wider(run: &mut Run) {
    let Codec::H264(h264) = &mut run.tracks[0].codec else { panic!("no H.264") };
    h264.picture.width = 1280;
}

fn silent(run: &mut Run) {
    run.tracks.truncate(1);
}

fn sound(run: &mut Run) {
    run.tracks.remove(0);
}

#[test]
fn slices_hold_every_frame_once_cut_at_the_same_decode_time() {
    let stored = record(60, &[same]);
    assert_eq!(stored.slices("_v.m4s"), ["rec/s/0_v.m4s", "rec/s/1_v.m4s"]);
    assert_eq!(stored.slices("_a.m4s"), ["rec/s/0_a.m4s", "rec/s/1_a.m4s"]);
    let (video, audio) = (stored.times("_v.m4s"), stored.times("_a.m4s"));
    // Pictures are shown one frame after they are decoded, but for key frames, which are decoded when they are shown.
    let squeezed = |n: i64| if n % 25 < 2 { 3_600 * (n - n % 25 + 1) + n % 25 * 180 } else { 3_600 * n };
    assert_eq!(video.0, (0..100).map(|n| squeezed(n) as u64).collect::<Vec<_>>());
    assert_eq!(audio.0, (0..188).map(|n| n * 1_024).collect::<Vec<_>>());
    let first = moofs(&stored.objects["rec/s/1_a.m4s"])[0].traf[0].tfdt.clone().unwrap();
    assert_eq!(first.base_media_decode_time.div_ceil(1_024), 96_000_u64.div_ceil(1_024));
}

#[test]
fn a_run_begins_at_its_tfdt_and_no_composition_offset_is_negative() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 4, 1_000, 0);
    // Pictures are shown two frames after they are decoded; B-frames as soon as they are.
    for (n, packet) in packets.iter_mut().filter(|packet| packet.track == TrackId::VIDEO).enumerate() {
        packet.cts = if n % 25 == 0 { 2 } else { [4, 1, 0, 1][(n % 25 - 1) % 4] } * 3_600;
    }
    let (mut recording, mut fx) = (recording(2, 60), Vec::new());
    story::feed(&mut recording, &run, &packets, &mut fx);
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    let mut shown = Vec::new();
    for key in stored.slices("_v.m4s") {
        for moof in moofs(&stored.objects[key]) {
            let traf = &moof.traf[0];
            let mut at = traf.tfdt.as_ref().unwrap().base_media_decode_time as i64;
            for entry in traf.trun[0].samples.iter() {
                assert!(entry.cts.unwrap_or(0) >= 0);
                shown.push((at, at + entry.cts.unwrap_or(0)));
                at += i64::from(entry.duration.or(traf.tfhd.default_sample_duration).unwrap());
            }
        }
    }
    let sent = packets.iter().filter(|packet| packet.track == TrackId::VIDEO).map(|packet| packet.pts().0);
    assert_eq!(shown.iter().map(|(_, pts)| *pts).collect::<Vec<_>>(), sent.collect::<Vec<_>>());
    assert!(shown.windows(2).all(|pair| pair[0].0 < pair[1].0));
    for gop in shown.chunks(25) {
        assert_eq!(gop[0].0, gop[0].1, "a slice may begin here, at its tfdt");
        assert_eq!(gop[4].0, gop[0].0 + 2 * 3_600, "decoded when it was to be");
    }
}

/// Frames of a screen where little moves, with sound beside them: pictures that are late for a second get a length
/// that is not how long they are shown.
#[test]
fn a_picture_is_shown_until_the_next_one_though_its_length_was_only_assumed() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 13, 4_000, 0);
    packets.retain(|packet| packet.track == TrackId::AUDIO || packet.dts.0 % 180_000 == 0);
    let (mut recording, mut fx) = (recording(5, 60), Vec::new());
    story::feed(&mut recording, &run, &packets, &mut fx);
    recording.on(Event::Suspend(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    let saved = stored.saved.clone();
    let (_, mut resumed) = Spec::resume(&story::context(), &saved).unwrap();
    let mut fx = Vec::new();
    resumed.on(Event::End(story::EPOCH), &mut fx).unwrap();
    stored.take(fx);
    let (times, end) = stored.times("_v.m4s");
    let decoded = |n: u64| n * 180_000 + if n.is_multiple_of(2) { 3_600 } else { 0 };
    assert_eq!(
        times,
        (0..7).map(decoded).collect::<Vec<_>>(),
        "every picture, key frames when they are shown"
    );
    assert_eq!(end, 6 * 180_000 + 2 * 3_600, "how long the last one is shown nobody knows");
    let list = stored.text("rec/cam_0_video.m3u8");
    assert!(list.contains("#EXTINF:8.000000,"), "{list}");
    for key in stored.slices("_v.m4s") {
        assert!(moofs(&stored.objects[key]).len() <= 4);
    }
}

#[test]
fn a_slice_begins_with_a_styp_and_its_init_segment_is_there_before() {
    let stored = record(60, &[same]);
    for key in stored.slices(".m4s") {
        assert_eq!(&stored.objects[key][4..8], b"styp");
    }
    let at = |key: &str| stored.order.iter().position(|stored| stored == key).unwrap();
    assert!(at("rec/s/0_v_init.mp4") < at("rec/s/0_v.m4s"));
    assert!(at("rec/s/0_a_init.mp4") < at("rec/s/0_a.m4s"));
    assert_eq!(stored.order.last().unwrap(), "rec/cam_0.m3u8", "what names all others comes last");
}

#[test]
fn each_slice_is_in_the_index_with_its_init_segment() {
    let stored = record(60, &[same]);
    let slices = stored.entries.iter().filter_map(|entry| match &entry.part {
        crate::Part::Slice { init, audio, discontinuity } => {
            assert!(!discontinuity);
            Some((entry.object.key.as_str(), init.as_deref().unwrap(), *audio, entry.duration, entry.width))
        }
        crate::Part::File => None,
    });
    let expect = [
        ("rec/s/0_v.m4s", "rec/s/0_v_init.mp4", false, 2_000_000, 640),
        ("rec/s/0_a.m4s", "rec/s/0_a_init.mp4", true, 2_005_333, 0),
        ("rec/s/1_v.m4s", "rec/s/0_v_init.mp4", false, 2_000_000, 640),
        ("rec/s/1_a.m4s", "rec/s/0_a_init.mp4", true, 2_005_334, 0),
    ];
    assert_eq!(slices.collect::<Vec<_>>(), expect);
}

/// Where an object really is only who stores it knows: its name may be taken.
#[test]
fn the_row_of_a_file_says_what_lies_beside_it() {
    let stored = record(2, &[same]);
    let files = stored.entries.iter().filter(|entry| entry.part == crate::Part::File);
    let mut put: Vec<&str> = stored.slices(".m3u8");
    put.extend(stored.slices(".mpd"));
    for (number, file) in (0..).zip(files) {
        let beside = file.beside.as_deref().unwrap();
        let keys = ["video.m3u8", "audio.m3u8"].map(|key| format!("rec/cam_{number}_{key}"));
        assert_eq!(beside, [&keys[..], &[format!("rec/cam_{number}.mpd")]].concat());
        put.retain(|key| *key != file.object.key && !beside.iter().any(|beside| beside == key));
    }
    assert_eq!(put, [""; 0], "everything that was stored belongs to a file");
}

/// What waits in a spool may be of a version that had no such list.
#[test]
fn an_entry_need_not_say_what_lies_beside_it() {
    let mut json = serde_json::to_value(record(60, &[same]).entries.last().unwrap()).unwrap();
    json.as_object_mut().unwrap().remove("beside").unwrap();
    assert_eq!(serde_json::from_value::<Entry>(json).unwrap().beside, None);
}

#[test]
fn a_new_file_has_init_segments_of_its_own() {
    let stored = record(2, &[same]);
    assert_eq!(stored.slices("_v_init.mp4"), ["rec/s/0_v_init.mp4", "rec/s/1_v_init.mp4"]);
    assert!(stored.text("rec/cam_1_video.m3u8").contains("URI=\"s/1_v_init.mp4\""));
    assert_eq!(stored.slices(".mpd"), ["rec/cam_0.mpd", "rec/cam_1.mpd"]);
}

#[test]
fn another_set_of_tracks_is_another_file() {
    for change in [silent, sound] as [fn(&mut Run); 2] {
        let stored = record(60, &[same, change]);
        assert_eq!(stored.slices(".mpd"), ["rec/cam_0.mpd", "rec/cam_1.mpd"]);
    }
}

#[test]
fn further_tracks_have_files_with_their_index() {
    let more = |run: &mut Run| {
        let id = TrackId { index: 1, ..TrackId::AUDIO };
        run.tracks.push(Track { id, ..story::audio() });
    };
    let (mut recording, mut fx) = (recording(2, 60), Vec::new());
    let mut run = story::run(0, 0);
    more(&mut run);
    let mut packets = Vec::new();
    for packet in story::frames(&run, 2, 1_000, 0) {
        if packet.track == TrackId::AUDIO {
            packets.push(Packet { track: TrackId { index: 1, ..TrackId::AUDIO }, ..packet.clone() });
        }
        packets.push(packet);
    }
    story::feed(&mut recording, &run, &packets, &mut fx);
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    assert_eq!(stored.times("_a1.m4s"), stored.times("_a.m4s"));
    assert!(stored.text("rec/cam_0.m3u8").contains("NAME=\"audio 2\""));
    assert!(stored.objects.contains_key("rec/cam_0_audio1.m3u8"));
}

/// After any event the server may die: what was saved goes on, and nothing is stored twice.
#[test]
fn a_file_goes_on_where_it_was_saved() {
    let run = story::run(0, 0);
    let packets = story::frames(&run, 5, 1_000, 0);
    for dies in (1..packets.len()).step_by(23) {
        let (mut recording, mut stored) = (recording(2, 60), Stored::default());
        let mut fx = Vec::new();
        story::feed(&mut recording, &run, &packets[..dies], &mut fx);
        stored.take(fx);
        let Some((_, mut resumed)) = Spec::resume(&story::context(), &stored.saved) else {
            assert!(stored.order.is_empty() && stored.open.is_empty(), "what was written was saved");
            continue;
        };
        let back = resumed.reached();
        let again = Run { index: 1, ..story::run(back, back + 5_000_000) };
        let mut fx = Vec::new();
        story::feed(resumed.as_mut(), &again, &story::frames(&again, 3, 1_000, 0), &mut fx);
        resumed.on(Event::End(Wall(0)), &mut fx).unwrap();
        stored.take(fx);
        assert!(stored.open.is_empty());
        let times = stored.times("_v.m4s").0;
        assert_eq!(times.iter().collect::<BTreeSet<_>>().len(), times.len(), "no frame twice");
        assert!(times.is_sorted() && times.len() >= 75);
        let (_, list) =
            m3u8_rs::parse_media_playlist(stored.text("rec/cam_0_video.m3u8").as_bytes()).unwrap();
        let there = list.segments.iter().filter(|segment| !gap(segment)).count();
        assert_eq!(there, stored.slices("_v.m4s").len());
        assert_eq!(list.segments.iter().filter(|segment| segment.discontinuity).count(), 1);
    }
}
