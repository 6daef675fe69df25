//! What playlists say over time.

use std::sync::Arc;

use media::{Gap, Wall};

use super::story::{EPOCH, Story, audio_track, both, gop, read, text, video_track};
use crate::name::{Name, Variable};
use crate::package::Put;
use crate::{Bucket, Event, Object, Output};

#[test]
fn the_list_keeps_segment_num_segments_and_three_target_durations() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 50 * 30);
    assert_eq!(story.durations("video.m3u8").len(), 5, "3 x TARGETDURATION 3 s of 2 s segments");
    let mut story = Story::new(2, 10);
    story.run(&both()).video(gop(50), 50 * 30);
    assert_eq!(story.durations("video.m3u8").len(), 10);
}

#[test]
fn every_window_says_where_it_is_also_stored() {
    let store = Bucket { storage: "oss-local".into(), name: "live-bucket".into() };
    let name = Name::parse("cdn/{AppName}/{StreamName}", Variable::LIVE_PUT).unwrap();
    let mut story = Story::put(Put { store: store.clone(), name });
    story.run(&both()).video(gop(50), 50 * 3).gap(Gap::Unpublished).on(Event::End(EPOCH));
    let windows = story.windows();
    assert!(windows.len() > 3 && windows.last().unwrap().ended);
    let there = Object { bucket: store, key: "cdn/live/cam".to_owned() };
    assert!(windows.iter().all(|window| window.put.as_ref() == Some(&there)));
}

#[test]
fn media_sequence_counts_what_left() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 50 * 30);
    let numbers: Vec<u64> = story.windows().iter().map(|w| read(w, "video.m3u8").media_sequence).collect();
    let first = EPOCH.unix_seconds() as u64;
    assert_eq!(numbers[..7], [first, first, first, first, first, first + 1, first + 2]);
    assert_eq!(story.window().next_sequence, first + 29);
}

#[test]
fn what_left_the_list_stays_fetchable_for_its_duration_and_the_lists() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 50 * 40);
    let window = story.window();
    let segments =
        window.resources.iter().filter(|(name, _)| name.starts_with('v') && name.ends_with(".m4s"));
    // The longest list was 6 segments when the sixth came: 12 s, and 2 s of its own.
    assert_eq!(segments.count(), 5 + 7);
}

#[test]
fn a_discontinuity_is_counted_when_its_tag_leaves() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 250).gap(Gap::Jump).run(&both()).video(gop(50), 250);
    // Small, because hls.js keeps an array that is as long as this number.
    let first = 1;
    let tags = |name| {
        let list = read(&story.window(), name);
        let tags: Vec<bool> = list.segments.iter().map(|s| s.discontinuity).collect();
        (list.discontinuity_sequence, tags)
    };
    assert_eq!(tags("video.m3u8"), (first, vec![false, true, false, false, false]));
    assert_eq!(tags("audio.m3u8"), tags("video.m3u8"));
    story.video(gop(50), 50);
    assert_eq!(read(&story.window(), "video.m3u8").discontinuity_sequence, first);
    story.video(gop(50), 50);
    let list = story.list("video.m3u8");
    assert_eq!(list.discontinuity_sequence, first + 1, "{}", story.text("video.m3u8"));
    assert!(!list.segments[0].discontinuity);
}

#[test]
fn a_run_without_a_segment_counts_no_discontinuity() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 250).gap(Gap::Jump).run(&both()).gap(Gap::Jump);
    story.run(&both()).video(gop(50), 1000);
    assert_eq!(story.list("video.m3u8").discontinuity_sequence, 2);
}

#[test]
fn each_run_has_its_own_init_segment() {
    let mut story = Story::new(2, 10);
    story.run(&both()).video(gop(50), 100).gap(Gap::TracksChanged).run(&both()).video(gop(50), 101);
    let maps: Vec<Option<String>> =
        story.list("video.m3u8").segments.into_iter().map(|s| s.map.map(|m| m.uri)).collect();
    let first = EPOCH.unix_seconds();
    let [a, b] = [first, first + 2].map(|n| Some(format!("v{n}_init.mp4")));
    assert_eq!(
        maps.into_iter().flatten().collect::<Vec<_>>(),
        [a, b].into_iter().flatten().collect::<Vec<_>>()
    );
}

#[test]
fn a_source_that_is_gone_closes_the_segment_at_once_and_may_come_back() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 120).gap(Gap::Dropped);
    assert_eq!(story.durations("video.m3u8"), [2_000_000, 2_000_000, 800_000]);
    assert_eq!(story.package.deadline(), Some(EPOCH.plus_micros(34_800_000)));
    assert!(!story.text("video.m3u8").contains("ENDLIST"));
    story.wall = EPOCH.plus_micros(10_000_000);
    story.run(&both()).video(gop(50), 51);
    assert_eq!(story.package.deadline(), None);
    let list = story.list("video.m3u8");
    assert!(list.segments[3].discontinuity && !list.end_list);
    let dates: Vec<i64> =
        list.segments.iter().map(|s| s.program_date_time.unwrap().timestamp_millis() % 100_000).collect();
    let start = EPOCH.0 / 1000 % 100_000;
    assert_eq!(dates, [start, start + 2000, start + 4000, start + 14_800]);
}

#[test]
fn a_source_that_stays_away_ends_the_list_and_the_next_one_is_new() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 120).gap(Gap::Unpublished);
    let at = story.package.deadline().unwrap();
    story.on(Event::Tick(at.plus_micros(-1)));
    assert!(!story.window().ended);
    story.on(Event::Tick(at));
    let window = story.window();
    assert!(window.ended && text(&window, "video.m3u8").ends_with("#EXT-X-ENDLIST\n"));
    assert!(text(&window, "audio.m3u8").ends_with("#EXT-X-ENDLIST\n"));
    // The longer of the two lists is that of the audio, by a frame.
    let kept = window.forget_at.unwrap().micros_since(at);
    assert!((6_800_000..6_800_000 + 42_668).contains(&kept), "{kept}");
    assert_eq!(story.package.deadline(), None);

    story.now += 40_000_000;
    story.run(&both()).video(gop(50), 51);
    let list = story.list("video.m3u8");
    assert_eq!(list.segments.len(), 1);
    assert_eq!(list.media_sequence, window.next_sequence);
    assert!(list.discontinuity_sequence > read(&window, "video.m3u8").discontinuity_sequence);
    assert!(!list.segments[0].discontinuity && !story.window().ended);
}

#[test]
fn the_end_of_the_session_ends_the_list() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 120).on(Event::End(EPOCH));
    assert_eq!(story.durations("video.m3u8"), [2_000_000, 2_000_000, 800_000]);
    assert!(story.window().ended);
}

#[test]
fn a_session_that_published_nothing_waits_for_nobody() {
    let mut story = Story::new(2, 3);
    story.run(&both()).gap(Gap::Dropped);
    assert_eq!(story.package.deadline(), None);
    story.on(Event::End(EPOCH));
    assert!(story.fx.is_empty());
}

#[test]
fn dates_do_not_run_backwards_with_the_clock() {
    let mut story = Story::new(2, 10);
    story.run(&both()).video(gop(50), 100).gap(Gap::Jump);
    story.wall = Wall(EPOCH.0 - 3_600_000_000);
    story.run(&both()).video(gop(50), 101);
    for name in ["video.m3u8", "audio.m3u8"] {
        let list = story.list(name);
        let dates: Vec<i64> =
            list.segments.iter().map(|s| s.program_date_time.unwrap().timestamp_millis()).collect();
        assert!(dates.windows(2).all(|d| (1950..2100).contains(&(d[1] - d[0]))), "{dates:?}");
    }
}

#[test]
fn numbers_go_on_above_what_an_earlier_session_left() {
    let unix = EPOCH.unix_seconds() as u64;
    for (memory, first) in [(unix + 500, unix + 500), (7, unix)] {
        let memory = [("package/sequence", memory), ("package/discontinuities", 41)];
        let mut story = Story::with_memory(2, 3, &memory);
        story.run(&both()).video(gop(50), 51);
        assert_eq!(story.list("video.m3u8").media_sequence, first);
        assert_eq!(story.list("video.m3u8").discontinuity_sequence, 42);
    }
}

#[test]
fn the_counter_is_remembered_ahead_and_seldom() {
    let mut story = Story::new(1, 3);
    story.run(&both()).video(gop(25), 25 * 101);
    let first = EPOCH.unix_seconds() as u64;
    assert_eq!(story.remembered(), [first + 61, first + 122]);
}

#[test]
fn the_multivariant_list_is_true() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 500);
    let list = story.multivariant();
    let [variant] = &list.variants[..] else { panic!("one variant") };
    assert_eq!(variant.uri, "cam/video.m3u8");
    assert_eq!(variant.codecs.as_deref(), Some("avc1.42c01e,mp4a.40.2"));
    assert_eq!(variant.resolution.map(|r| (r.width, r.height)), Some((640, 360)));
    assert_eq!(variant.frame_rate, Some(25.0));
    assert_eq!(list.alternatives[0].uri.as_deref(), Some("cam/audio.m3u8"));
    assert_eq!(list.alternatives[0].channels.as_deref(), Some("2"));
    // 25 + 46.875 frames of 1000 bytes a second, and boxes.
    let payload = (25.0 + 46.875) * 8000.0;
    let average = variant.average_bandwidth.unwrap() as f64;
    assert!((1.0..1.15).contains(&(average / payload)), "{average}");
    assert!((1.25..1.3).contains(&(variant.bandwidth as f64 / average)), "{}", variant.bandwidth);
}

#[test]
fn one_kind_of_media_has_one_playlist() {
    let mut story = Story::new(2, 3);
    story.run(&[video_track()]).video(gop(50), 101);
    assert!(story.window().playlist("audio.m3u8").is_none());
    assert_eq!(story.multivariant().variants[0].codecs.as_deref(), Some("avc1.42c01e"));
    assert!(story.multivariant().alternatives.is_empty());
    let mut story = Story::new(2, 3);
    story.run(&[audio_track()]).audio(10_000_000);
    assert!(story.window().playlist("video.m3u8").is_none());
    let list = story.multivariant();
    assert_eq!(list.variants[0].uri, "cam/audio.m3u8");
    assert_eq!(list.variants[0].codecs.as_deref(), Some("mp4a.40.2"));
    assert!(list.variants[0].frame_rate.is_none() && list.alternatives.is_empty());
}

#[test]
fn payload_is_shared_with_the_packets() {
    let mut story = Story::new(2, 3);
    let frames: Vec<_> =
        (0..51).map(|n| super::story::packet(media::TrackId::VIDEO, n * 3600, 3600, n % 50 == 0)).collect();
    story.run(&[video_track()]).packets(frames.clone());
    let window = story.window();
    let body: &Arc<[bytes::Bytes]> = &window.get(&format!("v{}.m4s", EPOCH.unix_seconds())).unwrap().body;
    assert!(frames[..50].iter().all(|f| body.iter().any(|piece| piece.as_ptr() == f.data.as_ptr())));
}
