use std::collections::BTreeMap;
use std::io::Cursor;

use bytes::Bytes;
use media::{Codec, Gap, Packet, Timescale, Wall};
use mp4_atom::{Decode, Ftyp, Moov, StszSamples};

use super::*;
use crate::name::{Name, Variable};
use crate::record::recording::Recording;
use crate::record::{Container, story};
use crate::{Entry, Event, Output, Saved, Spec};

/// What a store would hold.
#[derive(Default)]
struct Stored {
    open: BTreeMap<FileId, Vec<u8>>,
    /// Key, type and fragments of each file.
    files: Vec<(String, &'static str, Vec<u8>)>,
    entries: Vec<Entry>,
    saved: Saved,
    grown: usize,
}

impl Stored {
    fn take(&mut self, fx: Effects) {
        for effect in fx {
            match effect {
                Effect::Grow { file, body } => {
                    self.grown += 1;
                    self.open.entry(file).or_default().extend(body.concat());
                }
                Effect::Seal { file, to, content_type, finish: Finish::Progressive } => {
                    self.files.push((to.key, content_type, self.open.remove(&file).unwrap()));
                }
                Effect::Index(entry) => self.entries.push(*entry),
                Effect::Save(save) => self.saved.take(save),
                Effect::Notify(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn movie(&self, at: usize) -> Movie {
        Movie::of(&self.files[at].2)
    }
}

/// A stored file: its index, and its media.
struct Movie {
    moov: Moov,
    media: Vec<u8>,
}

impl Movie {
    fn of(fragments: &[u8]) -> Self {
        let mut file = Vec::new();
        let done = container::mp4::progressive(&mut Cursor::new(fragments), &mut file).unwrap();
        assert_eq!(done.cut(), 0, "whole fragments only");
        let mut rest: &[u8] = &file;
        Ftyp::decode(&mut rest).unwrap();
        let moov = Moov::decode(&mut rest).unwrap();
        Self { moov, media: rest[8..].to_vec() }
    }

    fn samples(&self, track: usize) -> usize {
        match &self.moov.trak[track].mdia.minf.stbl.stsz.samples {
            StszSamples::Different { sizes } => sizes.len(),
            StszSamples::Identical { .. } => panic!("one size"),
        }
    }

    /// In seconds.
    fn duration(&self, track: usize) -> f64 {
        let mdhd = &self.moov.trak[track].mdia.mdhd;
        mdhd.duration as f64 / f64::from(mdhd.timescale)
    }

    fn descriptions(&self, track: usize) -> usize {
        self.moov.trak[track].mdia.minf.stbl.stsd.codecs.len()
    }

    /// How often each packet's data is in it.
    fn count(&self, packet: &Packet) -> usize {
        self.media.windows(packet.data.len()).filter(|window| *window == packet.data).count()
    }
}

fn settings(cycle_duration_s: u32) -> Settings {
    let name = Name::parse("{AppName}/{StreamName}_{Sequence}", Variable::RECORD_FILE).unwrap();
    Settings { cycle_duration_s, ..Settings::new(Container::Mp4, story::bucket(), name) }
}

fn recording() -> Recording<Mp4> {
    Recording::new(settings(3_600), &story::context())
}

/// Runs of 2 s each, one after the other, as `change` makes them of the usual one.
fn record(changes: &[&dyn Fn(&mut Run)]) -> Stored {
    let (mut recording, mut fx) = (recording(), Vec::new());
    for (n, change) in (0..).zip(changes) {
        let mut run = story::run(n * 2_000_000, n * 2_000_000);
        change(&mut run);
        story::feed(&mut recording, &run, &story::frames(&run, 2, 1_000, 0), &mut fx);
        recording.on(Event::Gap(Gap::TracksChanged, run.wall.plus_micros(2_000_000)), &mut fx).unwrap();
    }
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    assert!(stored.open.is_empty(), "every file is sealed");
    stored
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

fn slower(run: &mut Run) {
    let Codec::Aac(aac) = &mut run.tracks[1].codec else { panic!("no AAC") };
    (aac.sample_rate, aac.config) = (44_100, Bytes::from_static(&[0x12, 0x10]));
    run.tracks[1].timescale = Timescale::new(44_100).unwrap();
}

fn flac(run: &mut Run) {
    let stream_info = Bytes::from_static(&[0; 34]);
    let flac = media::Flac { stream_info, sample_rate: 48_000, channels: 2, bits_per_sample: 16 };
    run.tracks[1].codec = Codec::Flac(flac);
}

/// The sound changes its parameters a second before the key frame that the next run begins with.
#[test]
fn sound_that_waited_for_its_run_goes_on_where_it_was_and_no_picture_waits_for_it() {
    let (mut output, mut fx) = (recording(), Vec::new());
    let (first, second) = (story::run(0, 0), story::run(4_000_000, 4_000_000));
    let early = story::run(3_000_000, 3_000_000);
    let is_sound = |packet: &Packet| packet.track == TrackId::AUDIO;
    let before = |packet: &Packet| !is_sound(packet) || packet.dts.0 < 3 * 48_000;
    let mut packets = story::frames(&first, 4, 1_000, 0);
    packets.retain(before);
    story::feed(&mut output, &first, &packets, &mut fx);
    output.on(Event::Gap(Gap::TracksChanged, first.wall), &mut fx).unwrap();
    let waited = story::frames(&early, 2, 1_000, 0).into_iter().filter(is_sound);
    let pictures = story::frames(&second, 1, 1_000, 0).into_iter().filter(|packet| !is_sound(packet));
    let packets: Vec<Packet> = waited.chain(pictures).collect();
    story::feed(&mut output, &second, &packets, &mut fx);
    output.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    let movie = stored.movie(0);
    assert_eq!((movie.samples(0), movie.samples(1)), (125, 235));
    for track in [0, 1] {
        assert!((movie.duration(track) - 5.0).abs() < 0.05, "{}", movie.duration(track));
    }
}

#[test]
fn every_frame_is_in_the_file_once() {
    let run = story::run(0, 0);
    let packets = story::frames(&run, 2, 1_000, 300);
    let (mut recording, mut fx) = (recording(), Vec::new());
    story::feed(&mut recording, &run, &packets, &mut fx);
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    let movie = stored.movie(0);
    // The first sound of all is nothing but zeros.
    for packet in packets.iter().filter(|packet| packet.data.iter().any(|&byte| byte != 0)) {
        assert_eq!(movie.count(packet), 1, "{packet:?}");
    }
    assert_eq!((movie.samples(0), movie.samples(1)), (50, 94));
    assert_eq!(stored.files[0].0, "live/cam_0.mp4");
    assert_eq!(stored.files[0].1, "video/mp4");
}

#[test]
fn a_batch_leaves_every_half_second() {
    let stored = record(&[&same]);
    assert!((4..=6).contains(&stored.grown), "{} batches of 2 s", stored.grown);
}

#[test]
fn parameters_that_change_are_one_more_sample_entry() {
    let stored = record(&[&same, &wider, &same]);
    let movie = stored.movie(0);
    assert_eq!((stored.files.len(), movie.descriptions(0), movie.descriptions(1)), (1, 2, 1));
    assert_eq!(movie.samples(0), 150);
    assert_eq!((stored.entries[0].width, stored.entries[0].height), (640, 360));
}

#[test]
fn another_codec_timescale_or_set_of_tracks_is_another_file() {
    for change in [flac, slower, silent, sound] as [fn(&mut Run); 4] {
        let stored = record(&[&same, &change]);
        let keys: Vec<&str> = stored.files.iter().map(|(key, ..)| key.as_str()).collect();
        assert_eq!(keys, ["live/cam_0.mp4", "live/cam_1.mp4"]);
        stored.movie(1);
    }
}

#[test]
fn sound_alone_is_audio() {
    assert_eq!(record(&[&sound]).files[0].1, "audio/mp4");
}

#[test]
fn a_track_that_has_no_place_is_left_out_and_told() {
    let mut run = story::run(0, 0);
    let Codec::H264(h264) = &mut run.tracks[0].codec else { panic!("no H.264") };
    h264.picture.width = 70_000;
    let (mut format, mut fx) = (Mp4::new(&settings(60)), Vec::new());
    assert_eq!(format.begin(&run, &mut fx).unwrap(), [TrackId::AUDIO]);
    assert!(matches!(&fx[..], [Effect::Warn(Warning::TrackLeftOut { output: "record/mp4", .. })]));
    run.tracks.truncate(1);
    assert!(matches!(format.begin(&run, &mut fx), Err(Error::Unsupported { product: "mp4", .. })));
}

#[test]
fn a_pause_leaves_no_hole_and_the_index_knows_it() {
    let (mut recording, mut fx) = (recording(), Vec::new());
    for (start, wall) in [(0, 0), (12_000_000, 12_000_000)] {
        let run = story::run(start, wall);
        story::feed(&mut recording, &run, &story::frames(&run, 2, 1_000, 0), &mut fx);
        let gone = Event::Gap(Gap::Dropped, run.wall.plus_micros(2_000_000));
        recording.on(gone, &mut fx).unwrap();
    }
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    let movie = stored.movie(0);
    assert!((4.0..4.03).contains(&movie.duration(0)), "{} s", movie.duration(0));
    assert!((4.0..4.03).contains(&movie.duration(1)), "{} s", movie.duration(1));
    let pauses = &stored.entries[0].pauses;
    assert!(pauses.len() == 1 && (2_000_000..2_022_000).contains(&pauses[0].at), "{pauses:?}");
    assert!((9_970_000..=10_000_000).contains(&pauses[0].wall), "{pauses:?}");
}

#[test]
fn a_track_that_falls_silent_for_a_while_keeps_its_times() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 4, 1_000, 0);
    let within = |packet: &Packet| (48_000..96_000).contains(&packet.dts.0);
    packets.retain(|packet| packet.track == TrackId::VIDEO || !within(packet));
    let (mut recording, mut fx) = (recording(), Vec::new());
    story::feed(&mut recording, &run, &packets, &mut fx);
    recording.on(Event::End(story::EPOCH), &mut fx).unwrap();
    let mut stored = Stored::default();
    stored.take(fx);
    let last = packets.iter().rfind(|packet| packet.track == TrackId::AUDIO).unwrap();
    let mdhd = &stored.movie(0).moov.trak[1].mdia.mdhd;
    assert_eq!(mdhd.duration, last.end().0 as u64);
}

/// After any event the server may die: what was saved goes on.
#[test]
fn a_file_goes_on_where_it_was_saved() {
    let run = story::run(0, 0);
    let packets = story::frames(&run, 3, 1_000, 0);
    for dies in (1..packets.len()).step_by(17) {
        let (mut recording, mut stored) = (recording(), Stored::default());
        let mut fx = Vec::new();
        story::feed(&mut recording, &run, &packets[..dies], &mut fx);
        stored.take(fx);
        let Some((spec, mut resumed)) = Spec::resume(&story::context(), &stored.saved) else {
            assert!(stored.open.is_empty(), "what was written was saved");
            continue;
        };
        assert!(matches!(spec, Spec::Record(settings) if settings.container == Container::Mp4));
        let back = resumed.reached();
        let again = Run { index: 1, ..story::run(back, back + 5_000_000) };
        let mut fx = Vec::new();
        story::feed(resumed.as_mut(), &again, &story::frames(&again, 1, 1_000, 0), &mut fx);
        resumed.on(Event::End(Wall(0)), &mut fx).unwrap();
        stored.take(fx);
        assert_eq!(stored.files.len(), 1, "one file");
        let movie = stored.movie(0);
        let (before, after) = (back as f64 / 1e6, movie.duration(0));
        assert!((after - before - 1.0).abs() < 0.1, "{before} s and 1 s are {after} s");
        assert_eq!(stored.entries[0].pauses.len(), 1);
    }
}
