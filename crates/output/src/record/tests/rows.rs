use media::Gap;

use super::stage::{Stage, settings};
use crate::record::{Container, Settings, story};
use crate::{Notice, Part};

#[test]
fn a_row_tells_what_its_file_holds() {
    let mut stage =
        Stage::new(Settings { retention_days: Some(7), cycle_duration_s: 5, ..settings(Container::Flv) });
    stage.publish();
    stage.send(8_000);
    stage.end();
    let rows: Vec<_> = stage.disk.files().collect();
    let [first, second] = rows[..] else { panic!() };
    assert_eq!((first.sequence, second.sequence), (0, 1));
    assert_eq!(first.start, story::EPOCH);
    assert_eq!((first.end, first.duration), (story::EPOCH.plus_micros(5_000_000), 5_000_000));
    assert_eq!(second.start, first.end);
    assert_eq!((first.width, first.height, first.retention_days), (640, 360, Some(7)));
    assert_eq!(first.template, "{Sequence}_{EscapedStartTime}_{EscapedEndTime}");
    assert_eq!(first.object.key, "0_2024-01-01-08-00-00_2024-01-01-08-00-05.flv");
    let told = stage.disk.notices.iter().find_map(|notice| match notice {
        Notice::RecordFileStored(entry) => Some(&**entry),
        _ => None,
    });
    assert_eq!(told, Some(first));
}

#[test]
fn slices_have_rows_of_their_own_before_the_playlist_has() {
    let mut stage = Stage::new(settings(Container::M3u8));
    stage.show(7_000);
    stage.pass(2_000);
    stage.show(2_000);
    stage.end();
    let parts: Vec<&Part> = stage.disk.entries.iter().map(|entry| &entry.part).collect();
    let slice = |discontinuity| Part::Slice { discontinuity, init: None, audio: false };
    assert_eq!(parts, [&slice(false), &slice(false), &slice(true), &Part::File]);
    let rows: Vec<_> = stage.disk.slices().collect();
    assert_eq!(rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((rows[0].duration, rows[1].start), (5_000_000, story::EPOCH.plus_micros(5_000_000)));
    let file = stage.disk.files().next().unwrap();
    let slices: Vec<String> = rows.iter().map(|row| row.object.key.clone()).collect();
    assert_eq!(stage.disk.listed(&file.object.key), slices);
    assert!(rows.iter().all(|row| row.pauses.is_empty()) && file.pauses.len() == 1);
}

#[test]
fn program_date_time_is_true_after_each_pause() {
    let mut stage = Stage::new(settings(Container::M3u8));
    stage.show(2_000);
    stage.pass(3_000);
    stage.show(2_000);
    stage.pass(7_000);
    stage.show(2_000);
    stage.end();
    let key = stage.disk.files().next().unwrap().object.key.clone();
    let list = stage.disk.playlist(&key);
    let dates = list.segments.iter().map(|s| s.program_date_time.unwrap().timestamp_millis());
    let starts: Vec<i64> = stage.disk.slices().map(|row| row.start.0 / 1_000).collect();
    assert_eq!(dates.collect::<Vec<_>>(), starts);
    assert!((starts[2] - starts[1] - 9_000).abs() < 60, "{starts:?}");
}

#[test]
fn a_gap_that_is_no_pause_is_none_in_the_row() {
    let mut stage = Stage::new(settings(Container::Flv));
    stage.publish();
    stage.send(2_000);
    stage.gap(Gap::Jump);
    stage.publish();
    stage.send(2_000);
    stage.end();
    assert!(stage.disk.files().next().unwrap().pauses.is_empty());
    assert_eq!(stage.disk.told(), ["started", "opened", "stored", "ended"]);
}

#[test]
fn sound_alone_has_no_size() {
    let mut stage = Stage::new(settings(Container::M3u8));
    stage.with = (false, true);
    stage.show(2_000);
    stage.end();
    assert!(stage.disk.entries.iter().all(|entry| (entry.width, entry.height) == (0, 0)));
}
