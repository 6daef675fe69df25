//! What becomes of timestamps that sender's clocks, queues and rounding have bent.

use media::{Gap, Kind, Packet};
use output::Warning;
use testkit::{Clip, Message, START};

use super::stage::Stage;

const SECOND: i64 = 1_000_000;

/// `clip` as it arrives, its timestamps changed by `bend`: kind and millisecond of arrival to the millisecond stated.
fn bent(clip: Clip, bend: impl Fn(Kind, i64) -> i64) -> Stage {
    Stage::of(clip.messages().into_iter().map(|message| {
        let millis = message.received.micros_since(START) / 1_000;
        let timestamp = u32::try_from(bend(message.kind, millis)).unwrap();
        Message { timestamp, ..message }
    }))
}

/// 25 pictures a second, B-frames and sound, for 12 s.
fn clip() -> Clip {
    Clip { b_frames: true, fps: 25, gop: 50, millis: 12_000, ..Clip::default() }
}

/// Takes `back` ms off all timestamps of `kinds` from 5 s to `until` ms.
fn stepped(kinds: &'static [Kind], back: i64, until: i64) -> impl Fn(Kind, i64) -> i64 {
    move |kind, at| if kinds.contains(&kind) && (5_000..until).contains(&at) { at - back } else { at }
}

const BOTH: &[Kind] = &[Kind::Video, Kind::Audio];

/// Shortest and longest of all durations, in microseconds, but for the last packet of a run.
fn lasting(stage: &Stage, kind: Kind) -> (i64, i64) {
    let rate = if kind == Kind::Video { 90_000 } else { 48_000 };
    let packets = stage.packets(kind);
    let lasting = packets.iter().map(|packet| i64::from(packet.duration) * SECOND / rate);
    (lasting.clone().min().unwrap(), lasting.max().unwrap())
}

fn shown_early(stage: &Stage) -> usize {
    stage.packets(Kind::Video).iter().filter(|packet| packet.cts < 0).count()
}

#[test]
fn a_step_back_that_lasts_is_a_discontinuity_though_it_is_shorter_than_a_second() {
    for back in [150, 300, 900] {
        let stage = bent(clip(), stepped(BOTH, back, i64::MAX));
        assert!(stage.gaps().contains(&Gap::Jump), "{back}");
        assert_eq!(
            (stage.packets(Kind::Video).len(), stage.packets(Kind::Audio).len()),
            (300, 562),
            "{back}"
        );
        let (shortest, longest) = lasting(&stage, Kind::Video);
        assert!(shortest >= 20_000 && longest <= 60_000, "{back}: pictures last {shortest} to {longest} us");
        let (shortest, longest) = lasting(&stage, Kind::Audio);
        assert!(shortest >= 21_000 && longest <= 43_000, "{back}: sound lasts {shortest} to {longest} us");
        assert_eq!(shown_early(&stage), 0, "{back}");
        let end = |kind, rate: i64| stage.packets(kind).last().unwrap().end().0 * 1_000 / rate;
        assert!((end(Kind::Video, 90_000) - end(Kind::Audio, 48_000)).abs() < 60, "{back}: still in step");
    }
}

#[test]
fn sound_alone_that_steps_back_for_good_goes_on_where_it_was() {
    let stage = bent(clip(), stepped(&[Kind::Audio], 900, i64::MAX));
    assert_eq!(stage.gaps(), [Gap::Jump]);
    assert_eq!(lasting(&stage, Kind::Audio), (21_333, 21_333));
    let only = bent(clip().audio_only(), stepped(BOTH, 900, i64::MAX));
    assert_eq!((only.gaps(), lasting(&only, Kind::Audio)), (vec![Gap::Jump], (21_333, 21_333)));
}

#[test]
fn a_track_that_ran_ahead_and_comes_back_to_the_others_is_no_discontinuity() {
    // Sound is 0.6 s ahead for 2 s.
    let stage = bent(clip(), stepped(&[Kind::Audio], -600, 7_000));
    assert_eq!(stage.gaps(), []);
    let last = |kind| stage.packets(kind).last().cloned().unwrap();
    let (video, audio) = (last(Kind::Video).end().0 / 90, last(Kind::Audio).end().0 / 48);
    assert!((video - audio).abs() < 60, "in step again: {video} and {audio} ms");
}

#[test]
fn frames_in_disorder_are_no_discontinuity_and_are_not_shown_before_they_are_decoded() {
    for (b_frames, back) in [(false, 50), (true, 50), (false, 300), (true, 300)] {
        for count in [1, 2] {
            let disorder = 5_000..5_000 + 40 * count;
            let bend = |_, at| if disorder.contains(&at) { at - back } else { at };
            let stage = bent(Clip { b_frames, ..clip() }.video_only(), bend);
            assert_eq!((stage.gaps(), stage.packets(Kind::Video).len()), (vec![], 300), "{back} x {count}");
            assert_eq!(shown_early(&stage), 0, "{back} x {count}");
            let end = stage.packets(Kind::Video).last().unwrap().end().0;
            assert_eq!(end, 12 * 90_000, "{back} x {count}");
        }
    }
}

#[test]
fn disorder_of_some_milliseconds_keeps_presentation_times() {
    // A picture that is shown 120 ms after it is decoded.
    let stage = bent(clip().video_only(), |_, at| if at == 5_080 { at - 50 } else { at });
    let frame = &stage.packets(Kind::Video)[127];
    assert_eq!(frame.pts().0, (5_080 - 50 + 120) * 90);
}

#[test]
fn frames_far_out_of_order_are_moved_to_where_they_are_due() {
    let stage = bent(clip().video_only(), |_, at| if at == 5_000 { at - 300 } else { at });
    assert_eq!(lasting(&stage, Kind::Video), (40_000, 40_000));
    assert_eq!(stage.warnings(), [Warning::Outlier { millis: -300 }]);
}

#[test]
fn a_sender_that_states_when_pictures_are_shown_for_when_they_are_decoded_makes_no_discontinuities() {
    // P4 B2 B1 B3 over and over, 40 ms apart.
    let place = [4, 2, 1, 3];
    let stage = bent(Clip { b_frames: false, ..clip() }.video_only(), |_, at| {
        let n = at / 40;
        if n == 0 { 0 } else { ((n - 1) / 4 * 4 + place[((n - 1) % 4) as usize]) * 40 }
    });
    assert_eq!((stage.gaps(), stage.packets(Kind::Video).len(), shown_early(&stage)), (vec![], 300, 0));
}

fn exact(packets: &[Packet]) -> bool {
    packets.iter().all(|packet| packet.duration == 1024)
}

#[test]
fn sound_that_is_stamped_in_bunches_is_exact() {
    for step in [40, 100, 400] {
        // Wherever in a bunch it begins.
        for begin in [0, step / 2, step - 1] {
            let stamp = |at| (at + begin) / step * step;
            let stage = bent(clip(), |kind, at| if kind == Kind::Audio { stamp(at) } else { at + begin });
            let packets = stage.packets(Kind::Audio);
            let odd = packets.iter().filter(|packet| packet.duration != 1024).count();
            // Four tenths of a second are a hole, too, once.
            assert!(odd <= usize::from(step == 400 && begin > 0), "{step} from {begin}: {odd}");
            assert_eq!((stage.gaps(), stage.warnings()), (vec![], vec![]), "{step}");
        }
    }
}

#[test]
fn sound_whose_timestamps_stand_still_is_counted() {
    let stage = bent(clip(), |kind, at| if kind == Kind::Audio { 0 } else { at });
    assert!(exact(&stage.packets(Kind::Audio)));
    assert_eq!((stage.gaps(), stage.warnings()), (vec![], vec![]));
}

#[test]
fn sound_whose_timestamps_jitter_is_exact() {
    // Some number between -40 and 40 for each millisecond.
    let jitter = |at: i64| at * 7_919 % 81 - 40;
    let stage = bent(clip(), |kind, at| if kind == Kind::Audio { (at + jitter(at)).max(0) } else { at });
    assert!(exact(&stage.packets(Kind::Audio)));
}

#[test]
fn a_late_stamp_between_exact_ones_changes_nothing() {
    let late = |kind, at| if kind == Kind::Audio && (5_000..5_100).contains(&at) { at + 150 } else { at };
    let stage = bent(clip(), late);
    assert!(exact(&stage.packets(Kind::Audio)));
}

#[test]
fn lost_sound_leaves_a_hole_of_its_length() {
    for (lost, late) in [(60, 8), (200, 8), (600, 0)] {
        let stays = |m: &Message| {
            m.kind == Kind::Video
                || !(5_000_000..5_000_000 + lost * 1_000).contains(&m.received.micros_since(START))
        };
        let stage = Stage::of(clip().messages().into_iter().filter(stays));
        let packets = stage.packets(Kind::Audio);
        let longer: Vec<&Packet> = packets.iter().filter(|packet| packet.duration != 1024).collect();
        let [longer] = longer[..] else { panic!("{lost}: {longer:?}") };
        let hole = (i64::from(longer.duration) - 1024) / 48;
        assert!((hole - lost).abs() <= 22, "{lost}: {hole} ms");
        let at = longer.dts.0 / 48 - 5_000;
        assert!((-45..=late * 22).contains(&at), "{lost}: {at} ms after the loss");
    }
}

#[test]
fn sound_whose_clock_drifts_is_never_far_from_the_pictures() {
    let long = Clip { millis: 20 * 60_000, ..clip() }.audio_only();
    for ppm in [100, -100, 1_000, -1_000] {
        let drifted = |at: i64| at + at * ppm / 1_000_000;
        let stage = bent(long, |_, at| drifted(at));
        let packets = stage.packets(Kind::Audio);
        assert_eq!(stage.gaps(), []);
        for (n, packet) in (0..).zip(&packets) {
            let off = packet.dts.0 / 48 - drifted(n * 64 / 3);
            assert!(off.abs() <= 32, "{ppm} ppm: {off} ms after frame {n}");
        }
        // Each time it makes up for a frame.
        let odd = packets.iter().filter(|packet| packet.duration != 1024).count();
        let most = 2 * (packets.len() as i64 * ppm.abs() / 1_000_000 + 1);
        assert!(odd as i64 <= most, "{ppm} ppm: {odd} in {}", packets.len());
    }
}

/// Some number below `below`, another one for each `seed` and `n`.
fn some(seed: u64, n: u64, below: u64) -> i64 {
    let mixed =
        (0..3).fold(seed << 8 | n, |x, _| (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(31));
    (mixed % below) as i64
}

/// Whether each frame is there, in step with the other track, and shown when it is decoded or later.
fn is_sound(stage: &Stage) -> bool {
    let last = |kind| stage.packets(kind).last().unwrap().end().0;
    let count = |kind| stage.packets(kind).len();
    (count(Kind::Video), count(Kind::Audio), shown_early(stage)) == (300, 562, 0)
        && (last(Kind::Video) / 90 - last(Kind::Audio) / 48).abs() < 100
}

#[test]
fn clocks_that_are_set_however_often_keep_sound_and_picture_in_step() {
    for seed in 0..100 {
        let sets: Vec<(i64, i64)> = (0..3)
            .map(|n| {
                (
                    some(seed, n, 12_000),
                    [-60_000, -1_500, -900, -400, -150, 150, 900, 60_000][some(seed, 3 + n, 8) as usize],
                )
            })
            .collect();
        let stage = bent(clip(), |_, at| {
            200_000 + at + sets.iter().filter(|(since, _)| *since <= at).map(|(_, by)| by).sum::<i64>()
        });
        assert!(is_sound(&stage), "{sets:?}");
    }
}

#[test]
fn one_wrong_stamp_leaves_sound_and_picture_in_step() {
    for seed in 0..100 {
        let (when, by) = (2_000 + some(seed, 0, 8_000), some(seed, 1, 6_000) - 3_000);
        let whose = if some(seed, 2, 2) == 0 { Kind::Video } else { Kind::Audio };
        let stage = bent(clip(), |kind, at| {
            if kind == whose && (when..when + 40).contains(&at) { at + by + 3_000 } else { at + 3_000 }
        });
        assert!(is_sound(&stage), "{by} ms at {when} ms of {whose:?}");
    }
}
