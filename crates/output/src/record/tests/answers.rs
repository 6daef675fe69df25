use media::{Gap, TrackId};

use super::stage::{Stage, settings};
use crate::record::format::Frame;
use crate::record::gate::Gate;
use crate::record::{Container, Settings, Start, story};
use crate::{Answer, Event, Order};

fn asking() -> Stage {
    let mut stage = Stage::new(Settings { start: Start::Answer, ..settings(Container::Flv) });
    stage.publish();
    stage
}

fn yes() -> Answer {
    Answer { record: true, ..Answer::default() }
}

#[test]
fn the_question_comes_within_a_second_of_media_and_knows_the_rate() {
    let mut stage = asking();
    stage.send(1_200);
    let [inquiry] = stage.disk.asked[..] else { panic!() };
    assert!(!inquiry.hevc);
    // 26 frames of 11 or 12 bytes in a second.
    assert_eq!(inquiry.kbps, 2);
    stage.send(5_000);
    assert_eq!(stage.disk.asked.len(), 1);
}

#[test]
fn a_yes_records_what_was_held_and_a_no_nothing() {
    for (answer, records) in [(yes(), true), (Answer::default(), false)] {
        let mut stage = asking();
        stage.send(3_000);
        assert_eq!(stage.disk.transactions, 0);
        stage.on(Event::Answer(&answer));
        stage.send(2_000);
        stage.end();
        let expected = if records { stage.sent_between(0, 10_000) } else { Vec::new() };
        assert_eq!(stage.recorded(), expected);
    }
}

#[test]
fn what_is_held_is_bounded_by_whole_gops() {
    let mut stage = asking();
    stage.send(14_480);
    stage.on(Event::Answer(&yes()));
    stage.send(1_000);
    stage.end();
    assert_eq!(stage.recorded(), stage.sent_between(5_000, 20_000), "ten seconds");
}

#[test]
fn formats_of_the_answer_limit_the_template_and_cycles_replace_its_own() {
    let mut other = asking();
    other.send(2_000);
    other.on(Event::Answer(&Answer { formats: Some(vec![Container::Mp4]), ..yes() }));
    other.send(1_000);
    other.end();
    assert!(other.recorded().is_empty());

    let mut own = asking();
    own.send(2_000);
    let cycles = vec![(Container::Mp4, 60), (Container::Flv, 5)];
    own.on(Event::Answer(&Answer { formats: Some(vec![Container::Flv]), cycles, ..yes() }));
    own.send(8_000);
    own.end();
    assert_eq!(own.disk.files().map(|entry| entry.duration).collect::<Vec<_>>()[0], 5_000_000);
    assert_eq!(own.recorded(), own.sent_between(0, 20_000));
}

#[test]
fn a_publish_after_a_no_asks_again_and_after_a_yes_goes_on() {
    let mut stage = asking();
    stage.send(2_000);
    stage.on(Event::Answer(&Answer::default()));
    stage.gap(Gap::Dropped);
    stage.publish();
    stage.send(2_000);
    assert_eq!(stage.disk.asked.len(), 2);
    stage.on(Event::Answer(&yes()));
    stage.send(1_000);
    stage.gap(Gap::Dropped);
    stage.show(3_000);
    assert_eq!(stage.disk.asked.len(), 2);
    stage.end();
    assert_eq!(stage.recorded(), stage.sent_between(2_000, 20_000));
    assert_eq!(stage.disk.files().count(), 1);
}

#[test]
fn an_answer_that_comes_after_the_source_is_gone_means_nothing() {
    let mut stage = asking();
    stage.send(2_000);
    stage.gap(Gap::Dropped);
    stage.on(Event::Answer(&yes()));
    stage.publish();
    stage.send(2_000);
    assert_eq!((stage.disk.asked.len(), stage.disk.transactions), (2, 0));
}

#[test]
fn a_command_records_whatever_the_answer_is() {
    let mut stage = asking();
    stage.send(2_000);
    stage.order(Order::Start).unwrap();
    stage.on(Event::Answer(&Answer::default()));
    stage.send(1_000);
    stage.end();
    assert_eq!(stage.recorded(), stage.sent_between(0, 10_000));
}

#[test]
fn a_recording_that_an_answer_began_goes_on_after_a_restart_with_its_cycle() {
    let mut stage = asking();
    stage.send(2_000);
    stage.on(Event::Answer(&Answer { cycles: vec![(Container::Flv, 5)], ..yes() }));
    stage.send(1_000);
    stage.on(Event::Suspend(stage.now()));
    assert!(stage.restart());
    stage.pass(1_000);
    stage.publish();
    stage.send(4_000);
    stage.end();
    assert_eq!(stage.disk.files().count(), 2);
    assert_eq!(stage.recorded(), stage.sent_between(0, 20_000));
}

#[test]
fn what_is_held_is_bounded_in_bytes() {
    let settings = Settings { start: Start::Answer, ..settings(Container::Flv) };
    let (run, mut gate) = (story::run(0, 0), Gate::new(&settings));
    let megabyte = bytes::Bytes::from(vec![0; 1 << 20]);
    for n in 0..100 {
        let mut packet = story::frame(&run, TrackId::VIDEO, n * 40_000, 40_000, n % 5 == 0, b"");
        packet.data = megabyte.clone();
        gate.hold(&Frame::of(&run, &packet).unwrap(), Some(TrackId::VIDEO));
    }
    let held: Vec<i64> = gate.held.take().into_iter().map(|(at, _)| at / 40_000).collect();
    assert_eq!(held, (70..100).collect::<Vec<_>>(), "whole GOPs of 5 that fit in 32 MiB");
}
