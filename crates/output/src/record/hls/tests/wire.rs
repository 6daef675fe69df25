//! What stands where in a slice: pictures before sound, the clock before both.

use super::*;
use crate::record::tests::stage::{self, Stage};

/// What a reader meets, in order. Times are 90 kHz ticks of the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Met {
    Picture(u64),
    Sound(u64),
    /// Program clock, and whether it marks a new time base.
    Clock(u64, bool),
}

impl Met {
    fn dts(self) -> Option<u64> {
        match self {
            Self::Picture(at) | Self::Sound(at) => Some(at),
            Self::Clock(..) => None,
        }
    }
}

fn met(slice: &[u8]) -> Vec<Met> {
    let mut reader = TsPacketReader::new(slice);
    let mut met = Vec::new();
    while let Some(packet) = reader.read_ts_packet().unwrap() {
        if let Some((pcr, field)) = packet.adaptation_field.and_then(|field| Some((field.pcr?, field))) {
            met.push(Met::Clock(pcr.as_u64() / 300, field.discontinuity_indicator));
        }
        if let Some(TsPayload::PesStart(pes)) = packet.payload {
            let at = pes.header.dts.or(pes.header.pts).unwrap().as_u64();
            met.push(if pes.header.stream_id.is_video() { Met::Picture(at) } else { Met::Sound(at) });
        }
    }
    met
}

/// The order of PES packets: `v` and `a`.
fn order(slice: &[u8]) -> String {
    let letter = |met: &Met| match met {
        Met::Picture(_) => Some('v'),
        Met::Sound(_) => Some('a'),
        Met::Clock(..) => None,
    };
    met(slice).iter().filter_map(letter).collect()
}

/// `met` has a clock at least every 100 ms, which never is later than what follows it.
#[track_caller]
fn assert_clocked(met: &[Met]) {
    let mut clock = None;
    for (n, one) in met.iter().enumerate() {
        match *one {
            Met::Clock(at, mark) => {
                let step = clock.map_or(0, |before| at as i64 - before as i64);
                assert!(mark || (0..=9_000).contains(&step), "{n}: the clock steps by {step}");
                clock = Some(at);
            }
            Met::Picture(at) | Met::Sound(at) => {
                let ahead = at as i64 - clock.expect("a clock first") as i64;
                assert!(ahead >= 0, "{n}: {one:?} is {} ms late", ahead / -90);
            }
        }
    }
}

/// Pictures begin `late` ms after the sound.
fn video_late(run: &Run, seconds: i64, late: i64) -> Vec<Packet> {
    let delay = |mut packet: Packet| {
        packet.dts.0 += if packet.track == TrackId::VIDEO { late * 90 } else { 0 };
        packet
    };
    let mut packets: Vec<Packet> = story::frames(run, seconds, 2_000, 0).into_iter().map(delay).collect();
    packets.sort_by_key(on_wire);
    packets
}

#[test]
fn sound_follows_the_second_picture_of_its_slice() {
    let run = story::run(0, 0);
    let mut stories: Vec<Vec<Packet>> =
        [0, 7, 150, 900, -300].map(|late| story::frames(&run, 20, 2_000, late)).into();
    stories.extend([20, 300, 1_900].map(|late| video_late(&run, 20, late)));
    for (n, packets) in stories.iter().enumerate() {
        let stored = record(&run, packets, 5, 9);
        assert_eq!(stored.slices.len(), 4, "story {n}");
        for (key, slice) in &stored.slices {
            assert!(order(slice).starts_with("vv"), "story {n}, {key}: {}", order(slice));
        }
        assert_every_frame_once(&stored, packets);
    }
}

#[test]
fn sound_follows_the_third_picture_if_the_second_is_too_long_to_say_its_length() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 6, 2_000, 0);
    // After a hole, sound cannot go on in the same PES packet.
    packets.retain(|packet| packet.track == TrackId::VIDEO || packet.dts.0 != 1024);
    let second = packets.iter_mut().filter(|packet| packet.track == TrackId::VIDEO).nth(1).unwrap();
    second.data = [&[0, 1, 0x11, 0x71, 0x41][..], &[0x55; 70_000]].concat().into();
    let stored = record(&run, &packets, 5, 3_600);
    assert!(order(&stored.slices[0].1).starts_with("vvv"), "{}", order(&stored.slices[0].1));
}

#[test]
fn sound_waits_half_a_second_for_pictures_that_do_not_come() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 8, 1_000, 0);
    packets.retain(|packet| packet.track == TrackId::AUDIO || packet.dts.0 == 0 || packet.dts.0 >= 450_000);
    let (mut output, mut fx) = (output(5, 3_600), Vec::new());
    output.on(Event::Run(&run), &mut fx).unwrap();
    let mut grown = Vec::new();
    for packet in packets.iter().filter(|packet| packet.dts.0 < 48_000 * 3 && packet.dts.0 != 450_000) {
        output.on(Event::Packet(packet), &mut fx).unwrap();
        for effect in story::written(std::mem::take(&mut fx)) {
            let Effect::Grow { body, .. } = effect else { continue };
            grown.extend(body.concat());
        }
    }
    let sounds = frames(&grown, Kind::Audio).len();
    // Those that wait for the picture, and a batch.
    assert!(sounds >= 140 - 47 - 24, "{sounds}");
    assert_every_frame_once(&record(&run, &packets, 5, 3_600), &packets);
}

#[test]
fn the_clock_goes_on_while_no_picture_comes() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 30, 2_000, 0);
    packets.retain(|p| p.track == TrackId::AUDIO || p.dts.0 < 90_000 * 7 || p.dts.0 >= 90_000 * 20);
    let stored = record(&run, &packets, 5, 3_600);
    let all: Vec<Met> = stored.slices.iter().flat_map(|(_, slice)| met(slice)).collect();
    assert_clocked(&all);
    assert_every_frame_once(&stored, &packets);
}

#[test]
fn the_clock_goes_on_from_one_slow_picture_to_the_next() {
    let mut run = story::run(0, 0);
    for sound in [true, false] {
        let mut packets = story::frames(&run, 30, 2_000, 0);
        packets.retain(|packet| packet.track == TrackId::AUDIO || packet.dts.0 % 180_000 == 0);
        for packet in packets.iter_mut().filter(|packet| packet.track == TrackId::VIDEO) {
            packet.duration = 180_000;
        }
        packets.retain(|packet| sound || packet.track == TrackId::VIDEO);
        run.tracks.truncate(if sound { 2 } else { 1 });
        let stored = record(&run, &packets, 5, 3_600);
        assert_clocked(&stored.slices.iter().flat_map(|(_, slice)| met(slice)).collect::<Vec<_>>());
    }
}

#[test]
fn sound_alone_from_the_beginning_has_a_clock_before_it() {
    let run = story::run(0, 0);
    let mut packets = story::frames(&run, 12, 2_000, 0);
    packets.retain(|packet| packet.track == TrackId::AUDIO);
    let stored = record(&run, &packets, 5, 3_600);
    assert_clocked(&stored.slices.iter().flat_map(|(_, slice)| met(slice)).collect::<Vec<_>>());
    assert_every_frame_once(&stored, &packets);
}

#[test]
fn the_clock_of_a_slice_begins_before_all_that_is_in_it() {
    let run = story::run(0, 0);
    for late in [0, 20, 490, 1_500] {
        let stored = record(&run, &video_late(&run, 12, late), 5, 3_600);
        for (key, slice) in &stored.slices {
            let met = met(slice);
            let Met::Clock(first, _) = met[0] else { panic!("{key}: {:?}", met[0]) };
            let least = met.iter().filter_map(|met| met.dts()).min().unwrap();
            let lead = least as i64 - first as i64;
            assert!((9_000..=63_000).contains(&lead), "{late} ms, {key}: {} ms before", lead / 90);
            assert_clocked(&met);
        }
    }
}

/// Whether the first clock of each slice marks a new time base, and whether the playlist has a discontinuity there.
fn marks(stage: &Stage) -> Vec<(bool, bool)> {
    let mut marks = Vec::new();
    for file in stage.disk.files() {
        let listed = stage.disk.playlist(&file.object.key).segments.into_iter().map(|s| s.discontinuity);
        let slices = stage.disk.named(file).into_iter().map(|key| {
            let met = met(&stage.disk.objects[&key]);
            let clocks =
                met.iter().filter_map(|met| if let Met::Clock(_, mark) = met { Some(*mark) } else { None });
            let clocks: Vec<bool> = clocks.collect();
            assert!(clocks[1..].iter().all(|mark| !mark), "{key}: only the first");
            clocks[0]
        });
        marks.extend(slices.zip(listed));
    }
    marks
}

#[test]
fn where_the_playlist_has_a_discontinuity_the_first_clock_says_so() {
    for restart in [false, true] {
        let mut stage = Stage::new(stage::settings(Container::M3u8));
        stage.show(7_000);
        assert!(!restart || stage.restart());
        stage.pass(4_000);
        stage.show(7_000);
        stage.pass(20_000);
        assert_eq!(
            marks(&stage),
            [(false, false), (false, false), (true, true), (false, false)],
            "{restart}"
        );
    }
    let mut stage = Stage::new(stage::settings(Container::M3u8));
    stage.publish();
    stage.send(3_000);
    stage.on(Event::Blocked(stage.now()));
    stage.send(2_000);
    stage.on(Event::Unblocked(stage.now()));
    stage.send(4_000);
    stage.end();
    assert_eq!(marks(&stage), [(false, false), (true, true)], "a pause on a disk that was full");
}

#[test]
fn sound_that_waits_for_the_second_picture_outlives_a_suspension() {
    let run = story::run(0, 0);
    let packets = video_late(&run, 2, 400);
    let key = packets.iter().position(|packet| packet.key && packet.track == TrackId::VIDEO).unwrap();
    let second = packets.iter().skip(key + 1).position(|packet| packet.track == TrackId::VIDEO).unwrap();
    let packets = &packets[..key + 1 + second];
    let (mut output, mut fx) = (output(5, 3_600), Vec::new());
    story::feed(&mut output, &run, packets, &mut fx);
    output.on(Event::Suspend(story::EPOCH), &mut fx).unwrap();
    output.on(Event::End(story::EPOCH), &mut Vec::new()).unwrap();
    let grown: Vec<u8> = story::written(fx)
        .into_iter()
        .flat_map(|effect| if let Effect::Grow { body, .. } = effect { body.concat() } else { panic!() })
        .collect();
    assert_eq!(frames(&grown, Kind::Audio).len(), packets.len() - 1);
}
