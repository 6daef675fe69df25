//! Killed at any moment and restarted from what is on disk, a recording goes on: no number falls, no key is used twice,
//! no file is broken, no frame is there twice, and none is lost but the last ones before the kill.

use std::collections::BTreeSet;

use media::Gap;

use super::stage::{Stage, settings};
use crate::record::{Container, Settings, Start, story};
use crate::{Event, Order};

/// What a kill costs at most, in microseconds: a batch, and frames that wait for the other track.
const AT_RISK: i64 = 600_000;

#[test]
fn a_restart_within_delay_time_goes_on_in_the_file() {
    for container in Container::ALL {
        for suspended in [true, false] {
            let mut stage = Stage::new(settings(container));
            stage.publish();
            stage.send(7_000);
            if suspended {
                stage.on(Event::Suspend(stage.now()));
            }
            assert!(stage.restart());
            let deadline = stage.output.deadline().unwrap().micros_since(story::EPOCH);
            assert!(deadline > 15_000_000 + 7_000_000 - AT_RISK && deadline <= 22_050_000, "{deadline}");
            stage.pass(4_000);
            stage.show(3_000);
            stage.pass(20_000);
            let [file] = &stage.disk.files().collect::<Vec<_>>()[..] else { panic!() };
            assert_eq!(file.pauses.len(), 1);
            assert!(file.pauses[0].wall > 3_900_000 && file.pauses[0].wall < 4_000_000 + AT_RISK);
            let recorded = stage.recorded();
            assert!(recorded.starts_with(&stage.sent_between(0, if suspended { 7_100 } else { 6_400 })));
            assert!(recorded.ends_with(&stage.sent_between(10_500, 20_000)));
            if container == Container::M3u8 {
                let list = stage.disk.playlist(&file.object.key);
                let marks: Vec<bool> = list.segments.iter().map(|s| s.discontinuity).collect();
                assert_eq!(marks, [false, false, true], "after the slice that was torn");
            }
            let told = ["started", "opened", "paused", "resumed", "paused", "stored", "ended"];
            assert_eq!(stage.disk.told(), told);
        }
    }
}

#[test]
fn after_a_restart_the_file_closes_when_delay_time_is_over() {
    for container in Container::ALL {
        let mut stage = Stage::new(settings(container));
        stage.publish();
        stage.send(7_000);
        assert!(stage.restart());
        stage.pass(16_000);
        assert_eq!(stage.disk.told(), ["started", "opened", "paused", "stored", "ended"]);
        assert_eq!(stage.output.deadline(), None);
        stage.show(1_000);
        stage.end();
        let sequences: Vec<u64> = stage.disk.files().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, [0, 1], "files count on");
    }
}

#[test]
fn the_delay_that_ran_before_a_restart_runs_on() {
    let mut stage = Stage::new(settings(Container::Flv));
    stage.show(3_000);
    let deadline = stage.output.deadline();
    stage.pass(5_000);
    assert!(stage.restart());
    assert_eq!(stage.output.deadline(), deadline);
}

#[test]
fn a_manual_recording_does_not_go_on_after_a_restart() {
    let mut stage = Stage::new(Settings { start: Start::Command, ..settings(Container::Flv) });
    stage.publish();
    stage.order(Order::Start).unwrap();
    stage.send(3_000);
    stage.on(Event::Suspend(stage.now()));
    assert!(stage.restart());
    stage.pass(1_000);
    stage.publish();
    stage.send(3_000);
    stage.pass(20_000);
    assert_eq!(stage.recorded(), stage.sent_between(0, 3_000));
}

#[test]
fn between_two_files_numbers_survive_a_restart() {
    let mut stage = Stage::new(settings(Container::M3u8));
    stage.publish();
    stage.send(2_000);
    stage.order(Order::Stop).unwrap();
    stage.order(Order::Restart).unwrap();
    assert_eq!(stage.disk.files().count(), 1);
    assert!(stage.restart());
    stage.pass(1_000);
    stage.show(2_000);
    stage.pass(20_000);
    let sequences: Vec<u64> = stage.disk.files().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, [0, 1]);
}

#[test]
fn what_was_not_saved_by_this_program_is_left_alone() {
    let mut stage = Stage::new(settings(Container::Flv));
    stage.show(2_000);
    let mut saved = stage.disk.saved.clone();
    saved.now = Some(bytes::Bytes::from_static(b"{}"));
    assert!(crate::Spec::resume(&story::context(), &saved).is_none());
    assert!(crate::Spec::resume(&story::context(), &Default::default()).is_none());
}

/// Small and good enough: the same stories each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A story in which the server is killed whenever `kills` says so, counted in transactions.
struct Story {
    stage: Stage,
    dice: Dice,
    kills: BTreeSet<usize>,
    /// Wall times of kills.
    killed: Vec<i64>,
    orders: bool,
    /// Rows before the first of the session.
    session: usize,
}

impl Story {
    fn new(container: Container, seed: u64, orders: bool) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let start = if orders && dice.roll(3) == 0 { Start::Command } else { Start::Publish };
        let cycle_duration_s = [3, 7, 3_600][dice.roll(3) as usize];
        let settings = Settings { cycle_duration_s, start, ..settings(container) };
        let kills = (0..dice.roll(6)).map(|_| 1 + dice.roll(50) as usize).collect();
        let mut stage = Stage::new(settings);
        stage.with = [(true, true), (true, true), (true, false), (false, true)][dice.roll(4) as usize];
        if dice.roll(3) == 0 {
            stage.kind = |n| (n == 0, (n > 0 && n % 25 == 0).then_some(0));
        }
        Self { stage, dice, kills, killed: Vec::new(), orders, session: 0 }
    }

    fn run(&mut self) {
        for _ in 0..3 + self.dice.roll(5) {
            self.stage.publish();
            let frames = self.dice.roll(400);
            for _ in 0..frames {
                if self.stage.run.is_none() {
                    break;
                }
                self.step();
            }
            if self.stage.run.is_some() {
                let why = [Gap::Dropped, Gap::Unpublished, Gap::Jump][self.dice.roll(3) as usize];
                self.stage.gap(why);
                self.kill_if_due();
                if why == Gap::Jump {
                    continue;
                }
            }
            let away = 100 + self.dice.roll(30_000) as i64;
            self.stage.pass(away);
            self.kill_if_due();
            if self.stage.output.deadline().is_none() {
                self.new_session();
            }
        }
        self.stage.end();
        self.check_numbers();
    }

    fn step(&mut self) {
        self.stage.frame();
        if self.orders && self.dice.roll(60) == 0 {
            match self.dice.roll(6) {
                0 | 1 => drop(self.stage.order(Order::Start)),
                2 => drop(self.stage.order(Order::Stop)),
                3 => drop(self.stage.order(Order::Restart)),
                4 => self.stage.on(Event::Blocked(self.stage.now())),
                _ => self.stage.on(Event::Unblocked(self.stage.now())),
            }
        }
        self.kill_if_due();
    }

    fn kill_if_due(&mut self) {
        if !self.kills.remove(&self.stage.disk.transactions) {
            return;
        }
        if self.dice.roll(4) == 0 {
            self.stage.on(Event::Suspend(self.stage.now()));
        }
        self.killed.push(self.stage.wall);
        // A new session counts from 0.
        if !self.stage.restart() {
            self.check_numbers();
        }
        let down = 50 + self.dice.roll(3_000) as i64;
        self.stage.wall += down * 1_000;
    }

    /// Nothing waits for the publisher: the hub ends the session.
    fn new_session(&mut self) {
        self.stage.end();
        self.check_numbers();
        self.stage.output = crate::Spec::Record(self.stage.settings.clone()).open(&story::context());
        self.stage.wall += 2_000_000;
    }

    fn check_numbers(&mut self) {
        let rows = &self.stage.disk.entries[self.session..];
        for files in [true, false] {
            let of_kind = rows.iter().filter(|row| (row.part == crate::Part::File) == files);
            // Tracks of a slice have a row each.
            let alone = |row: &&crate::Entry| {
                !matches!(row.part, crate::Part::Slice { audio: true, .. }) || !self.stage.with.0
            };
            let numbers: Vec<u64> = of_kind.filter(alone).map(|row| row.sequence).collect();
            assert!(numbers.windows(2).all(|two| two[0] < two[1]), "{numbers:?}");
        }
        self.session = self.stage.disk.entries.len();
    }

    fn check_files(&self) {
        let disk = &self.stage.disk;
        let mut seen = BTreeSet::new();
        for (file, entry) in disk.frames().iter().zip(disk.files()) {
            assert!(!file.is_empty(), "{} is empty", entry.object.key);
            for kind in ['v', 'a'] {
                let numbers: Vec<u64> = file
                    .iter()
                    .filter(|mark| mark.starts_with(kind))
                    .map(|mark| mark[1..].parse().unwrap())
                    .collect();
                assert!(numbers.is_sorted(), "{}: {numbers:?}", entry.object.key);
            }
            for mark in file {
                assert!(seen.insert(mark.clone()), "{mark} is there twice");
            }
            assert!(entry.end >= entry.start && entry.duration > 0);
            assert!(entry.pauses.iter().all(|pause| pause.at <= entry.duration && pause.wall >= 0));
        }
        let mut named: Vec<String> = disk.files().flat_map(|entry| disk.named(entry)).collect();
        let mut slices: Vec<String> = disk.slices().map(|entry| entry.object.key.clone()).collect();
        named.sort();
        slices.sort();
        assert_eq!(named, slices, "every slice is in one playlist");
        if !self.orders {
            self.check_losses(&seen);
        }
    }

    fn check_losses(&self, recorded: &BTreeSet<String>) {
        for (mark, at) in &self.stage.sent {
            let at_risk = self.killed.iter().any(|kill| (0..=AT_RISK).contains(&(kill - at)));
            assert!(
                at_risk || recorded.contains(mark),
                "{mark} of {at} is lost; killed at {:?}",
                self.killed
            );
        }
    }
}

#[test]
fn killed_at_any_moment_every_recording_goes_on() {
    for container in Container::ALL {
        for orders in [false, true] {
            let (mut kills, mut files) = (0, 0);
            for seed in 0..100 {
                let mut story = Story::new(container, seed, orders);
                story.run();
                story.check_files();
                kills += story.killed.len();
                files += story.stage.disk.files().count();
            }
            assert!(kills > 80 && files > 300, "the stories say something: {kills} kills, {files} files");
        }
    }
}
