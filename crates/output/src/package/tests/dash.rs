//! What the MPD says over time.

use std::collections::BTreeMap;

use dash_mpd_core::{AdaptationSet, MPD, Period, SegmentTemplate, parse};
use media::{Gap, Packet, TrackId, Wall};

use super::story::{EPOCH, Story, both, gop, packet, video_track};
use crate::package::Protocol;
use crate::{Event, Window};

pub fn normal() -> Story {
    Story::in_parts(Protocol::HlsDashCmaf, 2, 350)
}

pub fn low() -> Story {
    Story::in_parts(Protocol::LlHlsDashCmaf, 1, 350)
}

pub fn mpd(window: &Window) -> MPD {
    parse(&text(window)).unwrap()
}

pub fn text(window: &Window) -> String {
    String::from_utf8(window.mpd.as_ref().expect("an MPD").body.concat()).unwrap()
}

pub fn template(set: &AdaptationSet) -> &SegmentTemplate {
    set.SegmentTemplate.as_ref().unwrap()
}

/// Time and duration of the listed segments.
pub fn spans(set: &AdaptationSet) -> Vec<(u64, u64)> {
    let mut at = 0;
    let timeline = template(set).SegmentTimeline.as_ref().unwrap();
    let span = timeline.segments.iter().map(|s| {
        let t = s.t.unwrap_or(at);
        at = t + s.d;
        (t, s.d)
    });
    span.collect()
}

pub fn seconds(of: Option<std::time::Duration>) -> f64 {
    of.unwrap().as_secs_f64()
}

/// Holds every MPD of a story to what may change (packaging-rules D-05, D-12, D-13), and all that it names to be there.
pub fn check(windows: &[std::sync::Arc<Window>]) {
    let mut fixed: BTreeMap<String, String> = BTreeMap::new();
    let mut placed: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut start, mut published) = (None, None);
    for window in windows.iter().filter(|window| window.mpd.is_some()) {
        let mpd = mpd(window);
        assert_eq!(*start.get_or_insert(mpd.availabilityStartTime), mpd.availabilityStartTime);
        assert!(published <= mpd.publishTime);
        published = mpd.publishTime;
        let ends = mpd.periods.iter().map(|p| seconds(p.start) + p.duration.map_or(0.0, |d| d.as_secs_f64()));
        let starts = mpd.periods.iter().skip(1).map(|p| seconds(p.start));
        assert!(ends.zip(starts).all(|(end, start)| start >= end - 1e-6), "{}", text(window));
        for period in &mpd.periods {
            let id = period.id.clone().unwrap();
            let said = fixed.entry(id.clone()).or_insert_with(|| frozen(period));
            assert_eq!(*said, frozen(period));
            for set in &period.adaptations {
                check_set(window, set, &mut placed);
            }
        }
    }
}

/// What may not change while a Period lives.
fn frozen(period: &Period) -> String {
    let sets = period.adaptations.iter().map(|set| {
        let (template, representation) = (template(set), &set.representations[0]);
        format!(
            "{:?} {:?} {:?} {:?}",
            set.id, representation.id, template.presentationTimeOffset, template.initialization
        )
    });
    format!("{:?} {:?}", period.start, sets.collect::<Vec<_>>())
}

fn check_set(window: &Window, set: &AdaptationSet, placed: &mut BTreeMap<String, (u64, u64)>) {
    let template = template(set);
    let media = template.media.clone().unwrap();
    let there = |uri: &str| window.get(uri.strip_prefix("cam/").unwrap()).is_some();
    assert!(there(template.initialization.as_ref().unwrap()));
    if template.SegmentTimeline.is_none() {
        return;
    }
    let spans = spans(set);
    assert!(spans.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0), "{spans:?}");
    for (at, (time, duration)) in spans.into_iter().enumerate() {
        let number = template.startNumber.map(|first| (first + at as u64).to_string()).unwrap_or_default();
        let uri = media.replace("$Time$", &time.to_string()).replace("$Number$", &number);
        assert!(there(&uri), "{uri} is not there");
        assert_eq!(*placed.entry(uri).or_insert((time, duration)), (time, duration));
    }
}

#[test]
fn segments_are_listed_once_they_are_complete_and_stay_where_they_were() {
    let mut story = normal();
    story.run(&both()).video(gop(50), 50 * 20 + 1);
    check(&story.windows());
    let mpd = mpd(&story.window());
    assert_eq!(mpd.periods.len(), 1);
    assert_eq!(mpd.periods[0].adaptations.len(), 2);
    let video = spans(&mpd.periods[0].adaptations[0]);
    assert_eq!(video.last(), Some(&(38 * 90_000, 180_000)));
    // 5 target durations of 3 s.
    assert!((8..=9).contains(&video.len()), "{video:?}");
    assert_eq!(mpd.minimumUpdatePeriod.map(|d| d.as_secs()), Some(1));
    assert!(mpd.suggestedPresentationDelay < mpd.timeShiftBufferDepth);
}

#[test]
fn hls_and_dash_name_the_same_segments() {
    let mut story = normal();
    story.run(&both()).video(gop(50), 50 * 5 + 1);
    let mpd = mpd(&story.window());
    for (set, name) in mpd.periods[0].adaptations.iter().zip(["video.m3u8", "audio.m3u8"]) {
        let media = template(set).media.clone().unwrap();
        let uris: Vec<String> = spans(set)
            .iter()
            .map(|(t, _)| media.replace("cam/", "").replace("$Time$", &t.to_string()))
            .collect();
        let listed: Vec<String> = story.list(name).segments.into_iter().map(|segment| segment.uri).collect();
        assert_eq!(uris, listed);
    }
}

#[test]
fn the_segment_that_comes_next_is_waited_for() {
    let mut story = normal();
    story.run(&both()).video(gop(50), 50 * 6 + 1);
    let name = format!("v{}t{}.m4s", EPOCH.unix_seconds(), 10 * 90_000);
    let windows = story.windows();
    let hinted = windows.iter().position(|window| window.hints.iter().any(|hint| **hint == *name));
    let there = windows.iter().position(|window| window.get(&name).is_some());
    assert_eq!(hinted.map(|at| at + 1), there, "{:?}", story.window().hints);
}

#[test]
fn dash_alone_has_no_playlists() {
    let mut story = Story::in_parts(Protocol::DashCmaf, 2, 350);
    story.run(&both()).video(gop(50), 50 * 5 + 1);
    let window = story.window();
    assert!(window.multivariant.is_none() && window.playlists.is_empty());
    assert_eq!(mpd(&window).periods[0].adaptations.len(), 2);
}

#[test]
fn a_discontinuity_begins_a_period_after_the_end_of_the_one_before() {
    let mut story = normal();
    story.run(&both()).video(gop(50), 200).gap(Gap::Jump).run(&both()).video(gop(50), 250);
    check(&story.windows());
    let mpd = mpd(&story.window());
    let [first, second] = &mpd.periods[..] else { panic!("{}", text(&story.window())) };
    assert!((seconds(first.duration) - 8.0).abs() < 0.001);
    assert!(second.duration.is_none());
    assert!(
        (seconds(second.start) - seconds(first.start) - 8.0).abs() < 0.001,
        "the wall clock went on as media did"
    );
    assert_ne!(first.id, second.id);
    let init = |period: &Period| template(&period.adaptations[0]).initialization.clone();
    assert_ne!(init(first), init(second));
}

#[test]
fn a_segment_is_complete_when_it_is_said_to_be() {
    let mut story = normal();
    story.run(&[video_track()]);
    // Each frame comes 30 ms after its time, one of them half a second.
    for n in 0..500 {
        let late = if n == 20 { 500_000 } else { 30_000 };
        let received = EPOCH.plus_micros(n * 40_000 + late);
        let packet = packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0);
        story.packets([Packet { received, ..packet }]);
        let Some(window) = story.windows().pop() else { continue };
        let mpd = mpd(&window);
        let start = mpd.availabilityStartTime.unwrap().timestamp_micros();
        let period = &mpd.periods[0];
        let (time, duration) = *spans(&period.adaptations[0]).last().unwrap();
        let offset = template(&period.adaptations[0]).presentationTimeOffset.unwrap_or(0);
        let end = (time + duration - offset) as f64 / 90_000.0 + seconds(period.start);
        // The last segment listed is not said to be there before the frame that completed it came.
        assert!(start + (end * 1e6) as i64 >= (EPOCH.0 + (time + duration) as i64 / 90 * 1000 + 40_000));
    }
}

#[test]
fn a_steady_encoder_is_counted_by_the_clock_at_low_latency() {
    let mut story = low();
    story.run(&both()).video(super::story::Video { fps: (30, 1), gop: 50, cts: 0 }, 50 * 60 + 1);
    check(&story.windows());
    let mpd = mpd(&story.window());
    assert_eq!(mpd.periods.len(), 1, "{}", text(&story.window()));
    let [video, audio] = &mpd.periods[0].adaptations[..] else { panic!() };
    // 50 frames at 30 fps are 1666.667 ms, exactly.
    assert_eq!(template(video).duration, Some(150_000.0));
    assert_eq!(template(audio).duration, Some(80_000.0));
    assert!((template(video).availabilityTimeOffset.unwrap() - (1.666667 - 0.334)).abs() < 1e-6);
    assert_eq!(template(video).availabilityTimeComplete, Some(false));
    assert!(text(&story.window()).contains("<Latency target=\"1368\""), "{}", text(&story.window()));
}

#[test]
fn open_segments_are_served_as_they_grow_and_those_to_come_are_waited_for() {
    let mut story = low();
    story.run(&both()).video(gop(25), 25 * 6 + 12);
    let window = story.window();
    let first = EPOCH.unix_seconds() as u64;
    let open = format!("v{}.m4s", first + 6);
    let grown = window.growing(&open).unwrap().body.concat();
    // Parts of 8, 8, 8 and 1 frames.
    let part = window.get(&format!("v{first}p24.m4s")).unwrap().body.concat();
    assert_eq!(grown, part);
    assert!(window.hints.iter().any(|name| **name == format!("v{}.m4s", first + 7)), "{:?}", window.hints);
    assert!(window.get(&open).is_none());
}

#[test]
fn an_encoder_that_is_not_steady_is_listed_without_promises() {
    let mut story = low();
    story.run(&both()).video(gop(30), 60);
    for n in 0..20 {
        story.video(gop(26 + n * 7 % 20), 26 + n * 7 % 20);
    }
    check(&story.windows());
    let mpd = mpd(&story.window());
    let last = mpd.periods.last().unwrap();
    assert!(template(&last.adaptations[0]).SegmentTimeline.is_some(), "{}", text(&story.window()));
    assert!(template(&last.adaptations[0]).availabilityTimeOffset.is_none());
}

#[test]
fn lost_sound_ends_the_period_and_the_next_one_has_none() {
    let mut story = normal();
    story.run(&both()).video(gop(50), 200);
    story.packets((200..450).map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0)));
    check(&story.windows());
    let mpd = mpd(&story.window());
    let counts: Vec<usize> = mpd.periods.iter().map(|period| period.adaptations.len()).collect();
    assert_eq!(counts, [2, 1], "{}", text(&story.window()));
}

#[test]
fn the_last_mpd_says_that_nothing_follows() {
    let mut story = normal();
    story.run(&both()).video(gop(50), 220).on(Event::End(Wall(EPOCH.0 + 9_000_000)));
    check(&story.windows());
    let mpd = mpd(&story.window());
    assert!(mpd.minimumUpdatePeriod.is_none());
    assert!((seconds(mpd.periods.last().unwrap().duration) - 8.8).abs() < 0.03);
}
