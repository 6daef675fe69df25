//! Streams whose pictures stop while the sound goes on.

use super::stage::{Stage, settings};
use crate::Entry;
use crate::record::{Container, Settings};

/// Pictures and sound for 6 s, then 60 s of sound alone, then both for 6 s.
fn play(container: Container, cycle_duration_s: u32) -> Stage {
    let mut stage = Stage::new(Settings { cycle_duration_s, ..settings(container) });
    stage.publish();
    stage.send(6_000);
    stage.with.0 = false;
    stage.send(60_000);
    stage.look_again();
    stage.send(6_000);
    stage.end();
    stage
}

fn longest<'a>(entries: impl Iterator<Item = &'a Entry>) -> i64 {
    entries.map(|entry| entry.duration / 1_000_000).max().unwrap()
}

#[test]
fn slices_and_files_are_cut_at_sounds_when_pictures_stopped() {
    for container in Container::ALL {
        let stage = play(container, 12);
        assert_eq!(stage.recorded(), stage.sent_between(0, 80_000), "{container}");
        assert!(longest(stage.disk.files()) < 12 + 11, "{container}");
        if container.is_sliced() {
            assert!(longest(stage.disk.slices()) < 5 + 11, "{container}");
            assert!(stage.disk.slices().count() >= 10, "{container}");
        }
    }
}

/// Players set up pictures at a list's beginning or never.
#[test]
fn a_file_that_began_without_pictures_ends_where_they_come_back() {
    for container in Container::ALL {
        let stage = play(container, 12);
        let frames = stage.disk.frames();
        let pictures = |file: &Vec<String>| file.iter().position(|mark| mark.starts_with('v'));
        assert!(frames.iter().any(|file| pictures(file).is_none()), "{container}");
        for file in frames.iter().skip(1) {
            let decodable = pictures(file).is_none_or(|at| at < 4);
            let returning = file.iter().filter(|mark| mark.starts_with('v')).count() < 25;
            assert!(decodable || returning, "{container}: {file:?}");
        }
        assert!(pictures(frames.last().unwrap()).is_some_and(|at| at < 4), "{container}");
    }
}

#[test]
fn a_picture_every_few_seconds_is_not_a_track_that_stopped() {
    for container in [Container::M3u8, Container::Cmaf] {
        let mut stage = Stage::new(settings(container));
        stage.publish();
        stage.send(6_000);
        for _ in 0..4 {
            stage.with.0 = false;
            stage.send(8_000);
            stage.look_again();
            stage.send(2_000);
        }
        stage.end();
        assert_eq!(stage.recorded(), stage.sent_between(0, 80_000), "{container}");
        let pictures = stage.disk.slices().filter(|entry| entry.width > 0).count();
        assert_eq!(
            stage.disk.slices().count(),
            if container == Container::Cmaf { pictures * 2 } else { pictures }
        );
    }
}

#[test]
fn an_mpd_is_as_long_as_the_sound_that_outlives_the_pictures() {
    let mut stage = Stage::new(settings(Container::Cmaf));
    stage.publish();
    stage.send(6_000);
    stage.with.0 = false;
    stage.send(6_000);
    stage.end();
    let mpd = stage.disk.objects.iter().find(|(key, _)| key.ends_with(".mpd")).unwrap().1;
    let mpd = dash_mpd_core::parse(std::str::from_utf8(mpd).unwrap()).unwrap();
    let length = mpd.periods[0].duration.unwrap().as_secs_f64();
    assert!((12.0..12.1).contains(&length), "{length}");
}
