//! Where segments end, and the target duration.

use media::TrackId;

use super::story::{Story, Video, audio_track, both, gop, packet, video_track};
use crate::Warning;

/// Plays two minutes of a constant GOP; every segment but the last must last `micros`.
#[track_caller]
fn check(segment_duration_s: u32, video: Video, micros: i64, target_s: u64) {
    let mut story = Story::new(segment_duration_s, 3);
    let frames = 120 * video.fps.0 / video.fps.1;
    story.run(&both()).video(video, frames);
    assert_eq!(story.list("video.m3u8").target_duration, target_s);
    for name in ["video.m3u8", "audio.m3u8"] {
        assert_eq!(story.list(name).target_duration, target_s);
    }
    assert!(story.durations("video.m3u8").iter().all(|&d| d == micros), "{}", story.text("video.m3u8"));
    assert_eq!(story.warnings(), []);
}

#[test]
fn segments_end_at_the_first_key_frame_at_or_after_segment_duration() {
    check(5, gop(50), 6_000_000, 7);
    check(5, gop(75), 6_000_000, 7);
    check(5, gop(100), 8_000_000, 9);
    check(5, gop(125), 5_000_000, 6);
    check(2, gop(50), 2_000_000, 3);
    check(1, gop(25), 1_000_000, 2);
    check(10, gop(225), 18_000_000, 19);
}

#[test]
fn a_gop_of_250_frames_at_25_fps_needs_no_forced_cut() {
    check(2, gop(250), 10_000_000, 11);
    check(10, gop(250), 10_000_000, 11);
}

#[test]
fn a_gop_of_250_frames_at_24_fps_is_forced_once() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(Video { fps: (24, 1), gop: 250, cts: 0 }, 250 * 12);
    assert_eq!(story.list("video.m3u8").target_duration, 11);
    assert!(story.durations("video.m3u8").iter().all(|&d| (10_416_000..=10_418_000).contains(&d)));
    assert!(matches!(story.warnings()[..], [Warning::ForcedCut { micros: 9_960_000..=10_000_000 }]));
}

#[test]
fn key_frames_a_millisecond_early_by_rounding_still_cut() {
    let mut story = Story::new(2, 3);
    let frames = (0..1000).map(|n| {
        let at = |n: i64| n * 40 - i64::from(n % 100 == 50);
        packet(TrackId::VIDEO, at(n) * 90, (at(n + 1) - at(n)) * 90, n % 50 == 0)
    });
    story.run(&[video_track()]).packets(frames);
    assert!(story.durations("video.m3u8").iter().all(|&d| (d - 2_000_000).abs() <= 1000));
}

#[test]
fn key_frames_of_an_open_gop_cut_when_they_are_shown_in_time() {
    let mut story = Story::new(2, 10);
    let frames = (0..500).map(|n| {
        // From the second on, key frames are decoded 80 ms before where an IDR would be.
        let key = n == 0 || n % 50 == 48;
        let cts = if key && n > 0 { 3 * 3600 } else { 3600 };
        media::Packet { cts, ..packet(TrackId::VIDEO, n * 3600, 3600, key) }
    });
    story.run(&[video_track()]).packets(frames);
    assert_eq!(story.durations("video.m3u8")[..4], [1_920_000, 2_000_000, 2_000_000, 2_000_000]);
    assert_eq!(story.list("video.m3u8").target_duration, 3);
    assert_eq!(story.warnings(), []);
}

#[test]
fn nothing_is_published_before_a_whole_gop_was_seen() {
    let mut story = Story::new(2, 3);
    story.run(&[video_track()]).video(gop(250), 250);
    assert!(story.windows().is_empty());
    story.video(gop(250), 1);
    assert_eq!(story.windows().len(), 1);
}

#[test]
fn without_a_second_key_frame_something_is_published_after_ten_seconds() {
    let mut story = Story::new(2, 3);
    story.run(&[video_track()]).video(gop(10_000), 251);
    assert_eq!(story.durations("video.m3u8"), [10_000_000]);
    assert_eq!(story.list("video.m3u8").target_duration, 11);
    assert_eq!(story.warnings(), [Warning::ForcedCut { micros: 10_000_000 }]);
}

#[test]
fn a_gop_that_outgrows_the_target_duration_forces_cuts() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 500).video(gop(500), 500).video(gop(50), 251);
    assert_eq!(story.list("video.m3u8").target_duration, 3);
    let forced = |w: &Warning| matches!(w, Warning::ForcedCut { micros: 3_000_000 });
    assert_eq!(story.warnings().iter().filter(|w| forced(w)).count(), 6);
    assert_eq!(story.durations("video.m3u8").last(), Some(&2_000_000));
}

#[test]
fn an_early_key_frame_is_cut_at_rather_than_none() {
    let mut story = Story::new(5, 10);
    story.run(&[video_track()]).video(gop(100), 200).video(gop(100), 100).video(gop(175), 175);
    story.video(gop(100), 101);
    assert_eq!(story.durations("video.m3u8"), [8_000_000, 4_000_000, 7_000_000]);
    assert_eq!(story.warnings(), []);
}

#[test]
fn scene_cuts_before_the_first_whole_gop_leave_room_for_long_ones() {
    let mut story = Story::new(5, 3);
    story.run(&[video_track()]).video(gop(1000), 75);
    for _ in 0..10 {
        story.video(gop(250), 250);
    }
    assert_eq!(story.list("video.m3u8").target_duration, 11);
    assert_eq!(story.warnings(), []);
}

#[test]
fn audio_alone_is_cut_at_the_first_frame_after_segment_duration() {
    let mut story = Story::new(5, 3);
    story.run(&[audio_track()]).audio(60_000_000);
    for micros in story.durations("audio.m3u8") {
        assert!((5_000_000..5_021_334).contains(&micros), "{micros}");
    }
    assert_eq!(story.list("audio.m3u8").target_duration, 6);
}

#[test]
fn a_segment_is_cut_before_it_fills_the_memory() {
    let mut story = Story::new(10, 3);
    let data = bytes::Bytes::from(vec![0x65; 8 << 20]);
    let frames = (0..30).map(|n| media::Packet {
        data: data.clone(),
        ..packet(TrackId::VIDEO, n * 3600, 3600, n % 250 == 0)
    });
    story.run(&[video_track()]).packets(frames);
    assert_eq!(story.durations("video.m3u8"), [320_000; 3]);
    assert_eq!(story.warnings().len(), 3);
}
