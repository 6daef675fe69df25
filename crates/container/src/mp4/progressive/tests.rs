use std::io::Cursor;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use media::{Codec, Timescale, Track};
use mp4_atom::{Decode, Ftyp, Moov, StszSamples, Trak};

use super::super::tests::{PPS, audio, video};
use super::super::{Sample, movie, track_fragment};
use super::progressive;

mod damage;

/// A fragmented file in the making, with what every sample of it is.
struct Story {
    tracks: Vec<Track>,
    bytes: Vec<u8>,
    sequence: u32,
}

impl Story {
    fn of(tracks: &[Track]) -> Self {
        let mut story = Self { tracks: Vec::new(), bytes: Vec::new(), sequence: 0 };
        story.begin(tracks);
        story
    }

    fn begin(&mut self, tracks: &[Track]) {
        self.tracks = tracks.to_vec();
        self.bytes.extend_from_slice(&movie(tracks).unwrap());
    }

    /// A fragment of the track with that id; samples as (duration, cts, key, data).
    fn add(&mut self, id: u32, base: u64, samples: &[(u32, i32, bool, &str)]) {
        self.sequence += 1;
        let sample = |&(duration, cts, key, data): &(u32, i32, bool, &str)| {
            let data = Bytes::copy_from_slice(data.as_bytes());
            Sample { duration, cts, key, open: data.starts_with(b"open"), data }
        };
        let samples: Vec<_> = samples.iter().map(sample).collect();
        let track = &self.tracks[id as usize - 1];
        let pieces = track_fragment(self.sequence, (id, track), base, &samples).unwrap();
        self.bytes.extend(pieces.concat());
    }

    fn finish(&self) -> Read {
        Read::of(&self.bytes)
    }
}

/// A progressive file as mp4-atom reads it.
struct Read {
    file: Vec<u8>,
    cut: u64,
    ftyp: Ftyp,
    moov: Moov,
}

impl Read {
    fn of(fragmented: &[u8]) -> Self {
        let mut file = Vec::new();
        let done = progressive(&mut Cursor::new(fragmented), &mut file).unwrap();
        assert_eq!(done.len(), file.len() as u64);
        let mut rest: &[u8] = &file;
        let (ftyp, moov) = (Ftyp::decode(&mut rest).unwrap(), Moov::decode(&mut rest).unwrap());
        assert_eq!(&rest[4..8], b"mdat");
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        assert_eq!(size, rest.len(), "nothing behind the media");
        check_with_another_reader(&file, &moov);
        Self { cut: done.cut(), ftyp, moov, file }
    }

    fn track(&self, at: usize) -> &Trak {
        &self.moov.trak[at]
    }

    /// Every sample as `{dts}+{cts}{!}={data} {entry}`, `!` for a sync sample.
    fn samples(&self, at: usize) -> Vec<String> {
        let stbl = &self.track(at).mdia.minf.stbl;
        let StszSamples::Different { sizes } = &stbl.stsz.samples else { panic!("one size") };
        let durations = stbl.stts.entries.iter();
        let durations = durations.flat_map(|e| vec![e.sample_delta; e.sample_count as usize]);
        let offsets: Vec<i64> = match &stbl.ctts {
            Some(ctts) => {
                ctts.entries.iter().flat_map(|e| vec![e.sample_offset; e.sample_count as usize]).collect()
            }
            None => vec![0; sizes.len()],
        };
        let chunks = stbl.stco.as_ref().unwrap().entries.clone();
        let mut places = Vec::new();
        for (n, &offset) in (1..).zip(&chunks) {
            let entry = stbl.stsc.entries.iter().rev().find(|e| e.first_chunk <= n).unwrap();
            let mut at = offset as usize;
            for _ in 0..entry.samples_per_chunk {
                let size = sizes[places.len()] as usize;
                places.push((at..at + size, entry.sample_description_index));
                at += size;
            }
        }
        assert_eq!((places.len(), offsets.len()), (sizes.len(), sizes.len()));
        let mut dts = 0;
        let mut samples = Vec::new();
        for (n, duration) in durations.enumerate() {
            let (range, entry) = places[n].clone();
            let data = std::str::from_utf8(&self.file[range]).unwrap();
            let sync = stbl.stss.as_ref().is_none_or(|s| s.entries.contains(&(n as u32 + 1)));
            samples.push(format!("{dts}+{}{}={data} {entry}", offsets[n], if sync { "!" } else { "" }));
            dts += duration;
        }
        assert_eq!(samples.len(), sizes.len());
        assert_eq!(u64::from(dts), self.track(at).mdia.mdhd.duration);
        samples
    }

    /// Entries of the edit list as (duration, media time).
    fn edits(&self, at: usize) -> Vec<(u64, Option<u64>)> {
        let elst = self.track(at).edts.as_ref().unwrap().elst.as_ref().unwrap();
        elst.entries.iter().map(|entry| (entry.segment_duration, entry.media_time)).collect()
    }
}

/// The `mp4` crate finds every sample where mp4-atom does. It can hang, so it has a time limit. What it has no name
/// for (all but H.264, H.265, VP9 and AAC) it cannot open.
fn check_with_another_reader(file: &[u8], moov: &Moov) {
    let entries = moov.trak.iter().map(|trak| &trak.mdia.minf.stbl.stsd.codecs[0]);
    for entry in entries {
        if !matches!(entry, mp4_atom::Codec::Avc1(_) | mp4_atom::Codec::Mp4a(_)) {
            return;
        }
    }
    let (done, waits) = mpsc::sync_channel(1);
    let (file, counts) = (file.to_vec(), Vec::from_iter(moov.trak.iter().map(|t| t.tkhd.track_id)));
    std::thread::spawn(move || {
        let size = file.len() as u64;
        let mut reader = mp4::Mp4Reader::read_header(Cursor::new(file), size).unwrap();
        let samples = counts.into_iter().map(|id| {
            let count = reader.sample_count(id).unwrap();
            (1..=count).filter(|&n| reader.read_sample(id, n).unwrap().is_some()).count()
        });
        done.send(samples.collect::<Vec<_>>()).unwrap();
    });
    let read = waits.recv_timeout(Duration::from_secs(10)).expect("the other reader reads to the end");
    let sizes = |trak: &Trak| match &trak.mdia.minf.stbl.stsz.samples {
        mp4_atom::StszSamples::Different { sizes } => sizes.len(),
        mp4_atom::StszSamples::Identical { .. } => 0,
    };
    assert_eq!(read, moov.trak.iter().map(sizes).collect::<Vec<_>>());
}

fn aac() -> Track {
    audio(&[0x11, 0x90])
}

/// As [`video`], of another size and with another parameter set.
fn smaller() -> Track {
    let mut track = video();
    let Codec::H264(h264) = &mut track.codec else { panic!("no H.264") };
    (h264.picture.width, h264.picture.height) = (320, 180);
    let mut record = h264.record.to_vec();
    let at = record.windows(PPS.len()).position(|window| window == PPS).unwrap();
    record[at + 1] = 0xCF;
    h264.record = record.into();
    track
}

fn two_tracks() -> Story {
    let mut story = Story::of(&[video(), aac()]);
    story.add(1, 900, &[(3600, 7200, true, "I0"), (3600, 14400, false, "P3"), (3600, 3600, false, "b1")]);
    story.add(2, 480, &[(1024, 0, true, "s0"), (1024, 0, true, "s1")]);
    story.add(1, 900 + 10800, &[(3600, 0, false, "b2"), (3600, 7200, true, "I4")]);
    story.add(2, 480 + 2048, &[(1024, 0, true, "s2")]);
    story
}

#[test]
fn a_track_that_is_silent_for_most_of_a_day_loses_nothing_that_follows() {
    const HOUR: u64 = 3_600 * 90_000;
    let mut story = Story::of(&[video()]);
    story.add(1, 0, &[(3000, 0, true, "idr"), (3000, 0, false, "p")]);
    story.add(1, 20 * HOUR, &[(3000, 0, true, "later"), (3000, 0, false, "p")]);
    let read = story.finish();
    let trak = read.track(0);
    let StszSamples::Different { sizes } = &trak.mdia.minf.stbl.stsz.samples else { panic!("one size") };
    assert_eq!((read.cut, sizes.len()), (0, 4));
    assert_eq!(trak.mdia.mdhd.duration, 20 * HOUR + 6_000, "more than 32 bits");
    assert_eq!((trak.tkhd.duration, read.moov.mvhd.duration), (20 * HOUR + 6_000, 20 * HOUR + 6_000));
    assert_eq!(read.edits(0), [(20 * HOUR + 6_000, Some(0))]);
    let deltas = trak.mdia.minf.stbl.stts.entries.iter();
    let deltas: Vec<_> = deltas.map(|entry| (entry.sample_count, u64::from(entry.sample_delta))).collect();
    let most = u64::from(u32::MAX);
    assert_eq!(deltas, [(1, 20 * HOUR - most), (1, most), (2, 3_000)]);
}

#[test]
fn heads_of_open_gops_are_no_sync_samples() {
    let mut story = Story::of(&[video()]);
    story.add(1, 0, &[(3000, 0, true, "idr"), (3000, 0, false, "b")]);
    story.add(1, 6000, &[(3000, 0, false, "open1"), (3000, 0, false, "open2")]);
    let read = story.finish();
    let stbl = &read.track(0).mdia.minf.stbl;
    assert_eq!(stbl.stss.as_ref().unwrap().entries, [1]);
    assert_eq!((stbl.sbgp.len(), stbl.sgpd.len()), (0, 0));
}

#[test]
fn a_file_that_begins_with_an_open_gop_has_no_sync_sample() {
    let mut story = Story::of(&[video()]);
    story.add(1, 0, &[(3000, 3000, false, "open"), (3000, 0, false, "b")]);
    let read = story.finish();
    let stbl = &read.track(0).mdia.minf.stbl;
    assert_eq!(stbl.stss.as_ref().unwrap().entries, [] as [u32; 0]);
}

#[test]
fn every_sample_keeps_its_bytes_times_and_key_flag() {
    let read = two_tracks().finish();
    let video = ["0+7200!=I0 1", "3600+14400=P3 1", "7200+3600=b1 1", "10800+0=b2 1", "14400+7200!=I4 1"];
    assert_eq!(read.samples(0), video);
    assert_eq!(read.samples(1), ["0+0!=s0 1", "1024+0!=s1 1", "2048+0!=s2 1"]);
    assert_eq!(read.cut, 0);
    assert!(read.track(1).mdia.minf.stbl.stss.is_none(), "sound has no sync table");
    assert!(read.track(1).mdia.minf.stbl.ctts.is_none(), "nor composition offsets");
}

#[test]
fn the_index_is_in_front_and_the_media_in_the_order_of_the_fragments() {
    let read = two_tracks().finish();
    assert_eq!(read.ftyp.major_brand.to_string(), "isom");
    assert!(read.ftyp.compatible_brands.iter().any(|brand| brand.to_string() == "iso6"));
    let payload: &[u8] = b"I0P3b1s0s1b2I4s2";
    assert!(read.file.ends_with(payload));
    assert!(read.moov.mvex.is_none());
    let trak = read.track(0);
    assert_eq!((trak.tkhd.width.integer(), trak.tkhd.height.integer()), (640, 360));
    assert_eq!(trak.mdia.hdlr.handler.to_string(), "vide");
    assert_eq!(read.moov.mvhd.next_track_id, 3);
}

#[test]
fn what_is_shown_first_is_at_the_beginning_and_the_other_track_waits_for_its_time() {
    let read = two_tracks().finish();
    // Sound from 10 ms on, pictures from 10 + 80 ms on, movie in 90 kHz.
    assert_eq!(read.edits(1), [(3 * 1920, Some(0))]);
    assert_eq!(read.edits(0), [(7200, None), (3600 * 5, Some(7200))]);
    assert_eq!(read.track(0).tkhd.duration, 7200 + 5 * 3600);
    assert_eq!(read.moov.mvhd.duration, 7200 + 5 * 3600);
    assert_eq!(read.moov.mvhd.timescale, 90_000);
}

#[test]
fn sound_that_begins_late_has_an_empty_edit() {
    let mut story = Story::of(&[video(), aac()]);
    story.add(1, 90_000, &[(90_000, 0, true, "I")]);
    story.add(2, 72_000, &[(1024, 0, true, "s")]);
    let read = story.finish();
    assert_eq!(read.edits(0), [(90_000, Some(0))]);
    assert_eq!(read.edits(1), [(45_000, None), (1920, Some(0))]);
}

#[test]
fn the_last_audio_sample_is_not_cut_off_by_rounding() {
    let rate = Timescale::new(44_100).unwrap();
    let mut sound = audio(&[0x12, 0x10]);
    sound.timescale = rate;
    let mut story = Story::of(&[video(), sound]);
    story.add(1, 0, &[(3600, 0, true, "I")]);
    story.add(2, 0, &[(1024, 0, true, "s")]);
    let ticks = story.finish().edits(1)[0].0;
    assert_eq!(ticks, 2090);
    let mut story = Story::of(&[video(), audio(&[0x12, 0x10])]);
    story.add(1, 0, &[(3600, 0, true, "I")]);
    story.add(2, 0, &[(1000, 0, true, "s")]);
    assert_eq!(story.finish().edits(1)[0].0, 2041, "2040.8 ticks, rounded up");
}

#[test]
fn a_picture_shown_before_its_decode_time_moves_all_offsets_up() {
    let mut story = Story::of(&[video()]);
    story.add(1, 9000, &[(3000, -600, true, "I"), (3000, 2400, false, "P")]);
    let read = story.finish();
    assert_eq!(read.samples(0), ["0+0!=I 1", "3000+3000=P 1"]);
    assert_eq!(read.edits(0), [(9000, Some(0))]);
}

#[test]
fn a_later_negative_offset_is_kept_as_it_is() {
    let mut story = Story::of(&[video()]);
    story.add(1, 0, &[(3000, 0, true, "I"), (3000, 3000, false, "P"), (3000, -3000, false, "b")]);
    assert_eq!(story.finish().samples(0), ["0+0!=I 1", "3000+3000=P 1", "6000+-3000=b 1"]);
}

#[test]
fn a_hole_makes_the_sample_before_it_longer() {
    let mut story = Story::of(&[video(), aac()]);
    story.add(1, 0, &[(3000, 0, true, "a"), (3000, 0, false, "b")]);
    story.add(2, 0, &[(1024, 0, true, "s")]);
    story.add(1, 10_000, &[(3000, 0, true, "c")]);
    story.add(2, 48_000, &[(1024, 0, true, "t")]);
    let read = story.finish();
    assert_eq!(read.samples(0), ["0+0!=a 1", "3000+0=b 1", "10000+0!=c 1"]);
    assert_eq!(read.samples(1), ["0+0!=s 1", "48000+0!=t 1"]);
}

#[test]
fn a_fragment_that_begins_too_early_begins_where_the_last_one_ends() {
    let mut story = Story::of(&[video()]);
    story.add(1, 0, &[(3000, 0, true, "a")]);
    story.add(1, 2_999, &[(3000, 0, true, "b")]);
    assert_eq!(story.finish().samples(0), ["0+0!=a 1", "3000+0!=b 1"]);
}

#[test]
fn changed_parameters_are_one_more_sample_entry_and_known_ones_are_not() {
    let mut story = Story::of(&[smaller(), aac()]);
    story.add(1, 0, &[(3000, 0, true, "a")]);
    story.begin(&[video(), aac()]);
    story.add(1, 3000, &[(3000, 0, true, "b")]);
    story.add(1, 6000, &[(3000, 0, true, "c"), (3000, 0, false, "d")]);
    story.begin(&[smaller(), aac()]);
    story.add(1, 12000, &[(3000, 0, true, "e")]);
    story.add(2, 0, &[(1024, 0, true, "s")]);
    let read = story.finish();
    assert_eq!(read.track(0).mdia.minf.stbl.stsd.codecs.len(), 2);
    assert_eq!(read.samples(0), ["0+0!=a 1", "3000+0!=b 2", "6000+0!=c 2", "9000+0=d 2", "12000+0!=e 1"]);
    assert_eq!(read.track(1).mdia.minf.stbl.stsd.codecs.len(), 1);
    let size = &read.track(0).tkhd;
    assert_eq!((size.width.integer(), size.height.integer()), (640, 360), "as large as the largest");
}

#[test]
fn a_track_without_samples_is_left_out() {
    let mut story = Story::of(&[video(), aac()]);
    story.add(2, 0, &[(1024, 0, true, "s")]);
    let read = story.finish();
    assert_eq!(read.moov.trak.len(), 1);
    assert_eq!((read.track(0).tkhd.track_id, read.moov.mvhd.timescale), (2, 48_000));
}
