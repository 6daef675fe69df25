//! When Periods begin.

use std::collections::BTreeSet;

use media::{Gap, Packet, TrackId};

use super::dash::{check, low, mpd, normal, seconds, spans, template, text};
use super::story::{self, EPOCH, Story, both, gop, packet, video_track};
use crate::{Event, Window};

/// Parts of video that a list has after its DISCONTINUITY.
fn parts_after(window: &Window) -> usize {
    let text = story::text(window, "video.m3u8");
    text.split_once("#EXT-X-DISCONTINUITY\n").map_or(0, |(_, after)| after.matches("#EXT-X-PART:").count())
}

/// Parts of the new run in the first list beside an MPD that has `periods`.
fn parts_until(story: &Story, periods: usize) -> usize {
    let windows = story.windows();
    parts_after(windows.iter().find(|window| mpd(window).periods.len() == periods).unwrap())
}

#[test]
fn a_steady_encoder_that_is_back_has_its_period_with_its_first_parts() {
    let mut story = low();
    story.run(&both()).video(gop(50), 200).gap(Gap::Jump).run(&both()).video(gop(50), 250);
    check(&story.windows());
    assert_eq!(parts_until(&story, 2), 1);
    let mpd = mpd(&story.window());
    assert_eq!(mpd.periods.len(), 2, "{}", text(&story.window()));
    let template = template(&mpd.periods[1].adaptations[0]);
    assert_eq!((template.duration, template.availabilityTimeComplete), (Some(180_000.0), Some(false)));
}

#[test]
fn what_was_expected_wrongly_ends_with_the_first_segment() {
    let mut story = low();
    story.run(&both()).video(gop(50), 200).gap(Gap::Jump).run(&both()).video(gop(75), 375);
    check(&story.windows());
    let mpd = mpd(&story.window());
    let durations: Vec<_> =
        mpd.periods.iter().map(|period| template(&period.adaptations[0]).duration).collect();
    assert_eq!(durations, [Some(180_000.0), Some(180_000.0), Some(270_000.0)]);
    assert!((seconds(mpd.periods[1].duration) - 3.0).abs() < 0.001, "what is said of it in the end is true");
}

#[test]
fn other_tracks_have_their_period_with_their_first_segment() {
    let mut story = low();
    story.run(&both()).video(gop(50), 200).gap(Gap::TracksChanged).run(&[video_track()]).video(gop(50), 250);
    check(&story.windows());
    assert!(parts_until(&story, 2) >= 7, "{}", parts_until(&story, 2));
}

#[test]
fn at_normal_latency_a_period_begins_with_its_first_complete_segment() {
    let mut story = normal();
    story.run(&both()).video(gop(50), 200).gap(Gap::Jump).run(&both()).video(gop(50), 250);
    for window in story.windows() {
        let listed = story::text(&window, "video.m3u8").contains("#EXT-X-DISCONTINUITY\n");
        assert_eq!(mpd(&window).periods.len(), 1 + usize::from(listed));
    }
}

/// Plays five minutes of frames of 40 ms that come `step` microseconds apart. Returns how much later than it came
/// the newest segment was ever said to be there, at least and at most, in microseconds.
fn drifting(mut story: Story, step: i64) -> (i64, i64) {
    story.run(&[video_track()]);
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    for n in 0..7500 {
        let received = EPOCH.plus_micros(n * step);
        let effects = story.fx.len();
        story.packets([Packet { received, ..packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0) }]);
        if n % 50 != 0 || story.fx.len() == effects {
            continue;
        }
        let mpd = mpd(&story.window());
        let period = mpd.periods.last().unwrap();
        let template = template(&period.adaptations[0]);
        let end = match template.SegmentTimeline {
            Some(_) => spans(&period.adaptations[0]).last().map(|(time, duration)| time + duration).unwrap(),
            None => n as u64 * 3600,
        };
        let at = (end - template.presentationTimeOffset.unwrap_or(0)) as i64 * 100 / 9;
        let start = mpd.availabilityStartTime.unwrap().timestamp_micros();
        let said = start + (seconds(period.start) * 1e6) as i64 + at;
        (least, most) = (least.min(said - received.0), most.max(said - received.0));
    }
    check(&story.windows());
    let ids: BTreeSet<_> = story.windows().iter().filter_map(|w| mpd(w).periods.pop()?.id).collect();
    // Six seconds apart in the end.
    assert!((8..=12).contains(&ids.len()), "{ids:?}");
    assert!(!story.text("video.m3u8").contains("#EXT-X-DISCONTINUITY\n"), "lists know no clock");
    (least, most)
}

/// Drift of half a second is noticed after ten seconds at the latest, in which 2 % of drift add another fifth.
const NOTICED: i64 = 800_000;

#[test]
fn media_that_falls_behind_the_clock_gets_periods_that_say_so() {
    for story in [normal(), low()] {
        let (least, most) = drifting(story, 40_800);
        assert!(least > -NOTICED && most < 1_000_000, "{least}..{most}");
    }
}

#[test]
fn media_that_gets_ahead_of_the_clock_gets_periods_that_say_so() {
    for story in [normal(), low()] {
        let (least, most) = drifting(story, 39_200);
        assert!(least > -100_000 && most < 200_000 + NOTICED, "{least}..{most}");
    }
}

#[test]
fn media_that_keeps_up_with_the_clock_stays_in_its_period() {
    let mut story = normal();
    story.run(&[video_track()]);
    // Jitter of 400 ms, and a hundredth of a percent of drift.
    story.packets((0..7500).map(|n| {
        let received = EPOCH.plus_micros(n * 40_004 + n * 7919 % 400_000);
        Packet { received, ..packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0) }
    }));
    assert_eq!(mpd(&story.window()).periods.len(), 1);
}

#[test]
fn media_far_ahead_of_the_clock_leaves_some_of_every_segment_to_show() {
    let mut story = normal();
    story.run(&[video_track()]);
    story.packets((0..3000).map(|n| {
        let received = EPOCH.plus_micros(n * 20_000);
        Packet { received, ..packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0) }
    }));
    check(&story.windows());
    let mpd = mpd(&story.window());
    for period in mpd.periods.iter().filter(|period| period.duration.is_some()) {
        let template = template(&period.adaptations[0]);
        let spans = spans(&period.adaptations[0]);
        let (last, _) = *spans.last().unwrap();
        let begins = (last - template.presentationTimeOffset.unwrap_or(0)) as f64 / 90_000.0;
        assert!(begins < seconds(period.duration), "{}", text(&story.window()));
    }
}

#[test]
fn the_end_of_a_listed_period_is_told_when_another_follows_or_none_will() {
    let mut story = normal();
    story.run(&both()).video(gop(50), 200).gap(Gap::Dropped);
    let duration = |story: &Story| mpd(&story.window()).periods[0].duration.map(|it| it.as_millis());
    assert_eq!(duration(&story), None);
    let mut back = normal();
    back.run(&both()).video(gop(50), 200).gap(Gap::Dropped).run(&both()).video(gop(50), 101);
    assert_eq!(duration(&back), Some(8_000));
    story.on(Event::Tick(EPOCH.plus_micros(60_000_000)));
    assert_eq!(duration(&story), Some(8_000));
}

#[test]
fn the_end_of_a_period_that_players_count_is_told_at_once() {
    let mut story = low();
    story.run(&both()).video(gop(50), 200).gap(Gap::Dropped);
    let duration = mpd(&story.window()).periods[0].duration;
    assert_eq!(duration.map(|it| it.as_millis()), Some(8_000));
}
