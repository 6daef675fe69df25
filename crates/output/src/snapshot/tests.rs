use media::{Gap, Packet, TrackId};

use super::*;
use crate::name::Variable;
use crate::record::story;

fn settings(naming: Naming) -> Settings {
    let (store, counter) = (story::bucket(), "snapshot".into());
    Settings { store, interval_s: 5, naming, counter, utc_offset: 8 * 3600 }
}

fn sequence() -> Settings {
    let name =
        Name::parse("{StreamName}/{UnixTimestamp}_{Sequence}.jpg", Variable::SEQUENCE_SNAPSHOT).unwrap();
    settings(Naming::Sequence(name))
}

/// Seconds after the epoch of what was captured, and the keys.
fn captures(fx: &Effects) -> (Vec<f64>, Vec<&str>) {
    let pictures = fx.iter().filter_map(|effect| match effect {
        Effect::Picture { at, to, .. } => Some((at.micros_since(story::EPOCH) as f64 / 1e6, to.key.as_str())),
        _ => None,
    });
    pictures.unzip()
}

fn remembered(fx: &Effects) -> Vec<u64> {
    let values = fx.iter().filter_map(|effect| match effect {
        Effect::Remember { value, .. } => Some(*value),
        _ => None,
    });
    values.collect()
}

/// Captures of one run with a key frame at each of `keys`, in ms.
#[track_caller]
fn check(keys: &[i64], expected: &[f64]) {
    let (mut output, mut fx) = (Snapshot::new(sequence(), &story::context()), Vec::new());
    let run = story::run(0, 0);
    let packets: Vec<Packet> =
        keys.iter().map(|ms| story::frame(&run, TrackId::VIDEO, ms * 1000, 40_000, true, b"idr")).collect();
    story::feed(&mut output, &run, &packets, &mut fx);
    assert_eq!(captures(&fx).0, expected);
}

#[test]
fn the_first_key_frame_is_captured_at_once() {
    check(&[0], &[0.0]);
    check(&[700], &[0.7]);
}

#[test]
fn then_the_first_key_frame_at_or_after_each_point() {
    check(&[0, 4_999, 5_000, 5_040, 9_999, 10_000], &[0.0, 5.0, 10.0]);
}

#[test]
fn a_late_key_frame_does_not_move_the_grid() {
    check(&[0, 2_000, 6_000, 10_000, 14_000, 16_000], &[0.0, 6.0, 10.0, 16.0]);
}

#[test]
fn points_without_a_key_frame_are_not_caught_up() {
    check(&[0, 17_000, 18_000, 19_000, 20_000], &[0.0, 17.0, 20.0]);
}

#[test]
fn frames_that_are_no_key_frames_are_never_captured() {
    let (mut output, mut fx) = (Snapshot::new(sequence(), &story::context()), Vec::new());
    let run = story::run(0, 0);
    story::feed(&mut output, &run, &story::frames(&run, 12, 2_000, 0), &mut fx);
    // Decode time plus the 40 ms that a picture waits for its turn.
    assert_eq!(captures(&fx).0, [0.04, 6.04, 12.04 - 2.0]);
}

#[test]
fn the_first_picture_of_an_open_gop_is_captured_but_none_that_is_refreshed_bit_by_bit() {
    for (recovery, expected) in [(0, &[0.0, 6.0][..]), (29, &[0.0])] {
        let (mut output, mut fx) = (Snapshot::new(sequence(), &story::context()), Vec::new());
        let run = story::run(0, 0);
        let frame = |at: i64| story::frame(&run, TrackId::VIDEO, at * 1_000_000, 40_000, at == 0, b"i");
        let point = |at| Packet { recovery: Some(recovery).filter(|_| at > 0), ..frame(at) };
        story::feed(&mut output, &run, &[point(0), point(6)], &mut fx);
        assert_eq!(captures(&fx).0, expected);
    }
}

#[test]
fn sequence_names_count_on_from_what_earlier_sessions_left() {
    let mut context = story::context();
    context.memory.insert("snapshot".into(), 41);
    let (mut output, mut fx) = (Snapshot::new(sequence(), &context), Vec::new());
    let run = story::run(0, 900_000);
    let frame = |ms: i64| story::frame(&run, TrackId::VIDEO, ms * 1000, 40_000, true, b"idr");
    story::feed(&mut output, &run, &[frame(0), frame(5_000)], &mut fx);
    assert_eq!(captures(&fx).1, ["cam/1704067200_41.jpg", "cam/1704067205_42.jpg"]);
    assert_eq!(remembered(&fx), [42, 43]);
}

#[test]
fn overwrite_mode_writes_one_object_and_remembers_nothing() {
    let name = Name::parse("{AppName}/{StreamName}.jpg", Variable::OVERWRITE_SNAPSHOT).unwrap();
    let mut output = Snapshot::new(settings(Naming::Overwrite(name)), &story::context());
    let (mut fx, run) = (Vec::new(), story::run(0, 0));
    story::feed(&mut output, &run, &story::frames(&run, 8, 1_000, 0), &mut fx);
    assert_eq!(captures(&fx).1, ["live/cam.jpg", "live/cam.jpg"]);
    assert!(remembered(&fx).is_empty());
}

#[test]
fn the_picture_is_what_the_run_says_and_the_frame_holds() {
    let (mut output, mut fx) = (Snapshot::new(sequence(), &story::context()), Vec::new());
    let run = story::run(0, 0);
    let idr = story::frame(&run, TrackId::VIDEO, 0, 40_000, true, b"idr");
    story::feed(&mut output, &run, &[idr], &mut fx);
    let Some(Effect::Picture { frame, .. }) = fx.first() else { panic!("{fx:?}") };
    assert_eq!(&frame.data[..], b"idr");
    assert_eq!(frame.codec, story::video().codec);
}

/// Captures of two runs with a key frame a second, the second run `pause` s of wall time after the first's 7 s.
fn over_a_pause(pause: i64) -> Vec<f64> {
    let (mut output, mut fx) = (Snapshot::new(sequence(), &story::context()), Vec::new());
    let first = story::run(0, 0);
    let keys = |run: &Run| -> Vec<Packet> {
        let at = (0..7).map(|n| run.start + n * 1_000_000);
        at.map(|at| story::frame(run, TrackId::VIDEO, at, 1_000_000, true, b"idr")).collect()
    };
    story::feed(&mut output, &first, &keys(&first), &mut fx);
    output.on(Event::Gap(Gap::Dropped, story::EPOCH), &mut fx).unwrap();
    assert_eq!(output.deadline(), None);
    let second = story::run(7_000_000, (7 + pause) * 1_000_000);
    story::feed(&mut output, &second, &keys(&second), &mut fx);
    captures(&fx).0
}

#[test]
fn the_grid_goes_on_over_a_reconnect() {
    assert_eq!(over_a_pause(0), [0.0, 5.0, 10.0]);
    assert_eq!(over_a_pause(4), [0.0, 5.0, 11.0, 15.0]);
    assert_eq!(over_a_pause(1), [0.0, 5.0, 10.0]);
}

#[test]
fn a_clock_that_was_set_back_costs_no_picture() {
    assert_eq!(over_a_pause(-3_600), [0.0, 5.0, -3_593.0, -3_590.0]);
}

#[test]
fn sound_alone_gives_nothing() {
    let (mut output, mut fx) = (Snapshot::new(sequence(), &story::context()), Vec::new());
    let mut run = story::run(0, 0);
    run.tracks = vec![story::audio()];
    story::feed(&mut output, &run, &story::frames(&run, 12, 1_000, 0), &mut fx);
    assert!(fx.is_empty());
}
