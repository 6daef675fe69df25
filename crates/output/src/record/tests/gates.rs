use media::Gap;

use super::stage::{Stage, settings};
use crate::record::{Container, Settings, Start, story};
use crate::{Event, Order, Refusal, Warning};

fn flv() -> Settings {
    settings(Container::Flv)
}

fn manual() -> Settings {
    Settings { start: Start::Command, ..flv() }
}

#[test]
fn an_automatic_recording_holds_every_frame_of_the_publish() {
    for container in Container::ALL {
        let mut stage = Stage::new(settings(container));
        stage.publish();
        stage.send(12_000);
        stage.end();
        assert_eq!(stage.recorded(), stage.sent_between(0, i64::MAX / 1_000), "{container}");
        assert_eq!(stage.disk.told(), ["started", "opened", "stored", "ended"]);
    }
}

#[test]
fn a_manual_recording_waits_for_its_command_and_begins_at_a_key_frame() {
    let mut stage = Stage::new(manual());
    stage.publish();
    stage.send(1_480);
    assert!(stage.disk.notices.is_empty());
    assert_eq!(stage.order(Order::Start), Ok(()));
    stage.send(3_000);
    stage.end();
    assert_eq!(stage.recorded(), stage.sent_between(2_000, 10_000));
}

#[test]
fn a_manual_recording_is_not_resumed_by_a_publish() {
    let mut stage = Stage::new(manual());
    stage.publish();
    stage.order(Order::Start).unwrap();
    stage.send(2_000);
    stage.gap(Gap::Dropped);
    let recorded = stage.sent_between(0, 10_000);
    stage.pass(3_000);
    stage.publish();
    stage.send(14_000);
    assert_eq!(stage.disk.files().count(), 1, "closed when DelayTime was over");
    assert_eq!(stage.recorded(), recorded);
    assert_eq!(stage.disk.told(), ["started", "opened", "paused", "stored", "ended"]);
}

#[test]
fn started_within_delay_time_a_manual_recording_goes_on_in_its_file() {
    let mut stage = Stage::new(manual());
    stage.publish();
    stage.order(Order::Start).unwrap();
    stage.send(2_000);
    stage.gap(Gap::Dropped);
    stage.pass(3_000);
    stage.publish();
    stage.order(Order::Start).unwrap();
    stage.send(2_000);
    stage.end();
    assert_eq!(stage.disk.told(), ["started", "opened", "paused", "resumed", "stored", "ended"]);
}

#[test]
fn what_runs_cannot_be_started() {
    let mut stage = Stage::new(flv());
    stage.publish();
    assert_eq!(stage.order(Order::Start), Err(Refusal::AlreadyStarted));
    stage.order(Order::Stop).unwrap();
    assert_eq!(stage.order(Order::Start), Ok(()));
    assert_eq!(stage.order(Order::Start), Err(Refusal::AlreadyStarted));
}

#[test]
fn stop_pauses_and_the_file_closes_after_delay_time() {
    let mut stage = Stage::new(flv());
    stage.publish();
    stage.send(2_000);
    let before = stage.sent_between(0, 10_000);
    stage.order(Order::Stop).unwrap();
    stage.send(14_000);
    assert_eq!(stage.disk.files().count(), 0);
    stage.send(2_000);
    assert_eq!(stage.disk.files().count(), 1);
    stage.end();
    assert_eq!(stage.recorded(), before);
    assert_eq!(stage.disk.told(), ["started", "opened", "paused", "stored", "ended"]);
}

#[test]
fn a_recording_that_was_stopped_goes_on_in_its_file_without_a_hole() {
    for container in Container::ALL {
        let mut stage = Stage::new(settings(container));
        stage.publish();
        stage.send(2_000);
        stage.order(Order::Stop).unwrap();
        stage.send(4_520);
        stage.order(Order::Start).unwrap();
        stage.send(3_000);
        stage.end();
        let [entry] = &stage.disk.files().collect::<Vec<_>>()[..] else { panic!() };
        assert!((entry.duration - 4_500_000).abs() < 30_000, "{}", entry.duration);
        let [pause] = &entry.pauses[..] else { panic!() };
        assert!(
            (pause.at - 2_000_000).abs() < 30_000 && (pause.wall - 5_000_000).abs() < 30_000,
            "{pause:?}"
        );
        assert_eq!(stage.disk.told(), ["started", "opened", "paused", "resumed", "stored", "ended"]);
    }
}

#[test]
fn the_next_publish_ends_a_stop_of_an_automatic_recording() {
    let mut stage = Stage::new(flv());
    stage.publish();
    stage.send(2_000);
    let before = stage.sent_between(0, 10_000);
    stage.order(Order::Stop).unwrap();
    stage.send(1_000);
    stage.gap(Gap::Unpublished);
    stage.pass(2_000);
    stage.show(2_000);
    stage.pass(20_000);
    let expected = [before, stage.sent_between(5_000, 10_000)].concat();
    assert_eq!(stage.recorded(), expected);
    assert_eq!(stage.disk.files().count(), 1);
}

#[test]
fn restart_cuts_at_the_next_key_frame_and_loses_nothing() {
    for container in Container::ALL {
        let mut stage = Stage::new(settings(container));
        stage.publish();
        stage.send(2_480);
        stage.order(Order::Restart).unwrap();
        stage.send(3_000);
        stage.end();
        assert_eq!(stage.disk.files().count(), 2);
        assert_eq!(stage.recorded(), stage.sent_between(0, 10_000));
        assert_eq!(stage.disk.told(), ["started", "opened", "stored", "opened", "stored", "ended"]);
        let sequences: Vec<u64> = stage.disk.files().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, [0, 1]);
    }
}

#[test]
fn restart_of_what_was_stopped_closes_its_file_and_begins_another() {
    let mut stage = Stage::new(flv());
    stage.publish();
    stage.send(2_000);
    let before = stage.sent_between(0, 10_000);
    stage.order(Order::Stop).unwrap();
    stage.send(1_480);
    stage.order(Order::Restart).unwrap();
    assert_eq!(stage.disk.files().count(), 1);
    stage.send(2_000);
    stage.end();
    assert_eq!(stage.disk.files().count(), 2);
    let expected = [before, stage.sent_between(4_000, 10_000)].concat();
    assert_eq!(stage.recorded(), expected);
}

#[test]
fn cancel_delay_closes_what_is_paused_at_once() {
    let mut stage = Stage::new(flv());
    stage.publish();
    stage.send(2_000);
    assert_eq!(stage.order(Order::CancelDelay), Ok(()));
    assert_eq!(stage.disk.files().count(), 0, "it runs");
    stage.order(Order::Stop).unwrap();
    stage.order(Order::CancelDelay).unwrap();
    assert_eq!(stage.disk.files().count(), 1);
    stage.order(Order::Start).unwrap();
    stage.send(2_000);
    stage.gap(Gap::Dropped);
    stage.order(Order::CancelDelay).unwrap();
    assert_eq!(stage.disk.files().count(), 2);
    assert_eq!(stage.output.deadline(), None);
}

#[test]
fn a_window_is_recorded_from_a_key_frame_in_it_to_its_end() {
    for container in Container::ALL {
        let mut stage = Stage::new(Settings {
            not_before: Some(story::EPOCH.plus_micros(2_500_000)),
            not_after: Some(story::EPOCH.plus_micros(6_200_000)),
            ..settings(container)
        });
        stage.publish();
        stage.send(9_000);
        assert_eq!(stage.disk.files().count(), 1, "closed by its end");
        stage.gap(Gap::Unpublished);
        stage.pass(1_000);
        stage.show(2_000);
        stage.end();
        assert_eq!(stage.recorded(), stage.sent_between(3_000, 6_200));
        assert_eq!(stage.disk.told(), ["started", "opened", "stored", "ended"]);
    }
}

#[test]
fn a_window_that_ends_during_a_pause_closes_the_file() {
    let mut stage = Stage::new(Settings { not_after: Some(story::EPOCH.plus_micros(5_000_000)), ..flv() });
    stage.show(2_000);
    assert_eq!(stage.output.deadline(), Some(story::EPOCH.plus_micros(5_000_000)));
    stage.pass(3_100);
    assert_eq!(stage.disk.told().last(), Some(&"ended"));
}

#[test]
fn a_full_disk_marks_a_gap_and_is_told_once() {
    for container in Container::ALL {
        let mut stage = Stage::new(settings(container));
        stage.publish();
        stage.send(2_000);
        let before = stage.disk.transactions;
        stage.on(Event::Blocked(stage.now()));
        stage.on(Event::Blocked(stage.now()));
        stage.send(2_480);
        assert_eq!(stage.disk.transactions, before, "nothing is written meanwhile");
        stage.on(Event::Unblocked(stage.now()));
        stage.send(2_520);
        stage.end();
        let recorded = stage.recorded();
        assert!(recorded.starts_with(&stage.sent_between(0, 1_950)));
        assert!(recorded.ends_with(&stage.sent_between(5_000, 10_000)));
        assert!(!recorded.contains(&stage.sent_between(3_000, 3_100)[0]));
        assert_eq!(stage.disk.told(), ["started", "opened", "failed", "resumed", "stored", "ended"]);
        assert!(matches!(stage.disk.warnings[..], [Warning::RecordBlocked { .. }]));
        let entry = stage.disk.files().next().unwrap();
        assert_eq!(entry.pauses.len(), 1);
        if container == Container::M3u8 {
            let list = stage.disk.playlist(&entry.object.key);
            let marks: Vec<bool> = list.segments.iter().map(|segment| segment.discontinuity).collect();
            assert_eq!(marks, [false, true]);
        }
    }
}

#[test]
fn what_is_full_before_anything_is_recorded_is_told_when_it_loses_frames() {
    let mut stage = Stage::new(flv());
    stage.on(Event::Blocked(stage.now()));
    assert!(stage.disk.told().is_empty());
    stage.on(Event::Unblocked(stage.now()));
    stage.publish();
    stage.on(Event::Blocked(stage.now()));
    assert_eq!(stage.disk.told(), ["failed"]);
}

#[test]
fn what_goes_on_in_a_new_file_after_a_pause_is_told_to_go_on() {
    for container in Container::ALL {
        let mut stage = Stage::new(settings(container));
        stage.publish();
        stage.send(3_000);
        stage.order(Order::Stop).unwrap();
        stage.send(2_000);
        stage.order(Order::Restart).unwrap();
        stage.send(2_000);
        stage.end();
        let told = ["started", "opened", "paused", "stored", "resumed", "opened", "stored", "ended"];
        assert_eq!(stage.disk.told(), told, "{container}");
        assert!(stage.disk.files().all(|entry| entry.pauses.is_empty()), "no file has a pause in it");
    }
}

#[test]
fn a_return_with_other_tracks_is_told_to_go_on_though_it_needs_a_new_file() {
    for container in [Container::Mp4, Container::Cmaf] {
        let mut stage = Stage::new(settings(container));
        stage.show(3_000);
        stage.pass(4_000);
        stage.with = (true, false);
        stage.show(3_000);
        stage.end();
        let told =
            ["started", "opened", "paused", "stored", "resumed", "opened", "paused", "stored", "ended"];
        assert_eq!(stage.disk.told(), told, "{container}");
    }
}

#[test]
fn a_full_disk_does_not_keep_a_file_open_beyond_its_cycle() {
    for container in Container::ALL {
        let mut stage = Stage::new(Settings { cycle_duration_s: 4, ..settings(container) });
        stage.publish();
        stage.send(2_000);
        let before: Vec<String> = stage.sent.iter().map(|(mark, _)| mark.clone()).collect();
        stage.on(Event::Blocked(stage.now()));
        stage.send(1_000);
        assert_eq!(stage.disk.files().count(), 0, "{container}");
        stage.send(4_000);
        assert_eq!(stage.disk.files().count(), 1, "{container}");
        assert_eq!(stage.recorded(), before, "what was there before is whole");
        stage.on(Event::Unblocked(stage.now()));
        stage.send(2_000);
        stage.end();
        let sequences: Vec<u64> = stage.disk.files().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, [0, 1], "{container}");
        assert_eq!(stage.recorded()[before.len()..], stage.sent_between(7_000, 9_100), "{container}");
    }
}
