//! Streams with few key frames or none but the first: recordings cut at recovery points, where open GOPs begin.

use media::Gap;

use super::stage::{Stage, settings};
use crate::record::{Container, Settings, Start};
use crate::{Answer, Event, Order};

/// Of the n-th picture: whether it is a key frame, and its recovery point.
type Kind = fn(i64) -> (bool, Option<u16>);

/// An IDR picture, then a recovery point each two seconds.
fn open(n: i64) -> (bool, Option<u16>) {
    (n == 0, (n > 0 && n % 50 == 0).then_some(0))
}

fn stage(container: Container, cycle_duration_s: u32, kind: Kind) -> Stage {
    let mut stage = Stage::new(Settings { cycle_duration_s, ..settings(container) });
    stage.kind = kind;
    stage
}

/// Lengths of the files and of the slices with pictures, in seconds.
fn lengths(stage: &Stage) -> (Vec<i64>, Vec<i64>) {
    let seconds = |micros: i64| (micros + 500_000) / 1_000_000;
    let pictures = stage.disk.slices().filter(|entry| entry.width > 0);
    (
        stage.disk.files().map(|entry| seconds(entry.duration)).collect(),
        pictures.map(|entry| seconds(entry.duration)).collect(),
    )
}

#[test]
fn files_and_slices_are_cut_at_recovery_points() {
    for container in Container::ALL {
        let mut stage = stage(container, 11, open);
        stage.show(30_000);
        stage.end();
        let (files, slices) = lengths(&stage);
        assert_eq!(files, [12, 12, 6], "{container}");
        assert_eq!(slices, if container.is_sliced() { vec![6; 5] } else { vec![] }, "{container}");
        assert_eq!(stage.recorded(), stage.sent_between(0, 30_000), "{container}");
    }
}

#[test]
fn pictures_that_are_refreshed_bit_by_bit_are_cut_where_that_begins() {
    for container in Container::ALL {
        let mut stage = stage(container, 11, |n| (n == 0, (n > 0 && n % 50 == 0).then_some(49)));
        stage.show(24_000);
        stage.end();
        assert_eq!(lengths(&stage).0, [12, 12], "{container}");
        assert_eq!(stage.recorded(), stage.sent_between(0, 24_000), "{container}");
    }
}

#[test]
fn a_short_cycle_needs_no_key_frame_either() {
    let mut stage = stage(Container::Mp4, 1, |n| (n == 0, (n > 0 && n % 25 == 0).then_some(0)));
    stage.show(4_000);
    stage.end();
    assert_eq!(lengths(&stage).0, [1, 1, 1, 1]);
}

#[test]
fn key_frames_are_waited_for_where_they_come_often() {
    for container in Container::ALL {
        // A key frame each four seconds, a recovery point between.
        let mut stage = stage(container, 10, |n| (n % 100 == 0, (n % 100 == 50).then_some(0)));
        stage.show(24_000);
        stage.end();
        let (files, slices) = lengths(&stage);
        assert_eq!(files, [12, 12], "{container}");
        assert_eq!(slices, if container.is_sliced() { vec![8, 4, 8, 4] } else { vec![] }, "{container}");
    }
}

#[test]
fn a_list_says_that_its_slices_are_independent_only_if_none_begins_with_an_open_gop() {
    let kinds: [(Kind, bool); 3] = [
        (open, false),
        (|n| (n % 50 == 0, None), true),
        // CRA pictures of H.265
        (|n| (n % 50 == 0, (n % 50 == 0).then_some(0)), false),
    ];
    for (kind, independent) in kinds {
        for container in [Container::M3u8, Container::Cmaf] {
            let mut stage = stage(container, 3_600, kind);
            stage.show(12_000);
            stage.end();
            let file = stage.disk.files().next().unwrap();
            let key = file.object.key.replace(".m3u8", "_video.m3u8");
            let key = if container == Container::Cmaf { &key } else { &file.object.key };
            assert_eq!(stage.disk.playlist(key).independent_segments, independent, "{container}");
        }
    }
}

#[test]
fn a_recording_begins_at_a_recovery_point_of_a_stream_without_key_frames() {
    for container in Container::ALL {
        let mut stage = stage(container, 3_600, |n| (false, (n % 50 == 0).then_some(0)));
        stage.show(4_000);
        stage.end();
        assert_eq!(stage.recorded(), stage.sent_between(0, 4_000), "{container}");
    }
}

#[test]
fn a_recording_that_is_started_begins_at_the_next_recovery_point() {
    let settings = |container| Settings { start: Start::Command, ..settings(container) };
    for container in Container::ALL {
        let mut stage = Stage::new(settings(container));
        stage.kind = open;
        stage.publish();
        stage.send(7_000);
        stage.order(Order::Start).unwrap();
        stage.send(5_000);
        stage.gap(Gap::Dropped);
        stage.end();
        assert_eq!(stage.recorded(), stage.sent_between(8_000, 12_000), "{container}");
    }
}

#[test]
fn a_recording_that_is_started_waits_for_a_key_frame_that_is_near() {
    let mut stage = Stage::new(Settings { start: Start::Command, ..settings(Container::Mp4) });
    stage.kind = |n| (n % 100 == 0, (n % 100 == 50).then_some(0));
    stage.publish();
    stage.send(5_000);
    stage.order(Order::Start).unwrap();
    stage.send(5_000);
    stage.gap(Gap::Dropped);
    stage.end();
    assert_eq!(stage.recorded(), stage.sent_between(8_000, 10_000));
}

#[test]
fn what_waits_too_long_for_an_answer_goes_up_to_the_next_recovery_point() {
    let mut stage = Stage::new(Settings { start: Start::Answer, ..settings(Container::Flv) });
    stage.kind = open;
    stage.publish();
    stage.send(15_000);
    stage.on(Event::Answer(&Answer { record: true, ..Answer::default() }));
    stage.send(1_000);
    stage.gap(Gap::Dropped);
    stage.end();
    assert_eq!(stage.recorded(), stage.sent_between(6_000, 16_000));
}

#[test]
fn an_order_to_cut_is_obeyed_at_the_next_recovery_point() {
    let mut stage = stage(Container::Flv, 3_600, open);
    stage.publish();
    stage.send(7_000);
    stage.order(Order::Restart).unwrap();
    stage.send(5_000);
    stage.gap(Gap::Dropped);
    stage.end();
    assert_eq!(lengths(&stage).0, [8, 4]);
}
