//! Video and audio of the same stretch of time.

use media::{Gap, TrackId};

use super::story::{EPOCH, Story, Video, audio_track, both, gop, packet, video_track};
use crate::Warning;

/// Microseconds of an AAC frame at 48 kHz, rounded up.
const AUDIO_FRAME: i64 = 21_334;

/// Audio must end every segment within a frame after video does.
#[track_caller]
fn aligned(story: &Story) {
    let (video, audio) = (story.durations("video.m3u8"), story.durations("audio.m3u8"));
    assert_eq!(video.len(), audio.len());
    // A first segment's audio begins with the first frame after the first picture.
    let (mut v, mut a) = (0, 0);
    for (video, audio) in video.iter().zip(&audio) {
        (v, a) = (v + video, a + audio);
        assert!((a - v).abs() < AUDIO_FRAME, "{a} and {v} in {}", story.text("audio.m3u8"));
    }
}

#[test]
fn audio_is_cut_with_video_within_a_frame() {
    for fps in [(25, 1), (24_000, 1001), (30_000, 1001), (60_000, 1001)] {
        for audio_late in [0, -300_000, 300_000] {
            let mut story = Story::new(2, 10);
            story.audio_late = audio_late;
            story.run(&both()).video(Video { fps, gop: 60, cts: 0 }, 1200);
            aligned(&story);
            assert_eq!(story.warnings(), []);
        }
    }
}

#[test]
fn durations_sum_to_the_media() {
    let mut story = Story::new(2, 10);
    story.run(&both()).video(Video { fps: (30_000, 1001), gop: 60, cts: 0 }, 60 * 10 + 1);
    assert_eq!(story.durations("video.m3u8").len(), 10);
    assert_eq!(story.durations("video.m3u8").iter().sum::<i64>(), 20_020_000);
    let first = EPOCH.unix_seconds();
    let (a, b) = (story.tfdt(&format!("a{first}.m4s")), story.tfdt(&format!("a{}.m4s", first + 9)));
    let sum: i64 = story.durations("audio.m3u8")[..9].iter().sum();
    assert!((sum - ((b - a) * 1_000_000 / 48_000) as i64).abs() <= 1);
}

#[test]
fn a_segment_with_b_frames_begins_at_the_time_of_its_idr() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(Video { cts: 7200, ..gop(50) }, 150);
    let first = EPOCH.unix_seconds();
    assert_eq!(story.tfdt(&format!("v{first}.m4s")), 7200);
    assert_eq!(story.tfdt(&format!("v{}.m4s", first + 1)), 180_000 + 7200);
    // Sound is not moved: what belongs to the first picture is 80 ms in.
    assert_eq!(story.tfdt(&format!("a{first}.m4s")), 4096);
    assert!((story.tfdt(&format!("a{}.m4s", first + 1)) - 99_840) < 1024);
    let list = story.list("video.m3u8");
    assert_eq!(list.segments[0].program_date_time.unwrap().timestamp_millis(), EPOCH.0 / 1000 + 80);
}

#[test]
fn audio_that_trails_by_too_much_is_not_waited_for() {
    let mut story = Story::new(2, 10);
    story.run(&both()).video(gop(50), 40);
    // Only video goes on.
    let mut frames: Vec<_> = (40..400).map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0)).collect();
    let last = frames.pop().unwrap();
    story.packets(frames);
    assert!(story.text("audio.m3u8").contains("#EXT-X-GAP\n"));
    aligned(&story);
    // The open segment is 2 s, and the one before it is waited for.
    let listed: i64 = story.durations("video.m3u8").iter().sum();
    assert_eq!(listed, 14_000_000);
    story.packets([last]);
}

#[test]
fn audio_of_a_closed_segment_is_left_out() {
    let mut story = Story::new(2, 10);
    story.run(&both()).video(gop(50), 25);
    story.packets((25..200).map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0)));
    story.packets((47..400).map(|n| packet(TrackId::AUDIO, n * 1024, 1024, true)));
    story.packets((200..260).map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0)));
    let dropped = |w: &Warning| matches!(w, Warning::FramesDropped { .. });
    assert_eq!(story.warnings().iter().filter(|w| dropped(w)).count(), 1);
    aligned(&story);
}

#[test]
fn audio_goes_on_when_video_stalls() {
    let mut story = Story::new(2, 10);
    story.run(&both()).video(gop(50), 110);
    story.audio(20_000_000);
    let list = story.text("video.m3u8");
    assert!(list.contains("#EXT-X-GAP\n"), "{list}");
    assert!(!story.text("audio.m3u8").contains("#EXT-X-GAP\n"));
    aligned(&story);
    // It is back with the next key frame.
    let now = story.now;
    story.video(Video { fps: (25, 1), gop: 50, cts: 0 }, 160);
    assert!(story.now > now && !story.text("video.m3u8").ends_with("#EXT-X-GAP\n"));
    aligned(&story);
}

#[test]
fn a_frame_that_lasts_longer_than_the_target_duration_becomes_gaps() {
    let mut story = Story::new(2, 10);
    story.run(&[video_track()]).video(gop(50), 110);
    story.packets([packet(TrackId::VIDEO, 110 * 3600, 10 * 90_000, false)]);
    story.now += 10_000_000;
    story.video(gop(50), 101);
    let list = story.list("video.m3u8");
    assert_eq!(list.target_duration, 3);
    assert!(story.text("video.m3u8").contains("#EXT-X-GAP\n"));
    let total: i64 = story.durations("video.m3u8").iter().sum();
    assert_eq!(total, 14_400_000 + 4_000_000);
}

#[test]
fn what_an_encoder_sends_while_it_settles_is_not_published() {
    let mut story = Story::new(2, 3);
    story.run(&[video_track()]).video(gop(50), 20).gap(Gap::TracksChanged);
    story.run(&both()).video(gop(50), 101);
    let list = story.list("video.m3u8");
    assert_eq!((list.segments.len(), list.segments[0].discontinuity), (2, false));
    assert_eq!(list.target_duration, 3);
}

#[test]
fn a_segment_that_waits_for_audio_is_not_taken_for_settling() {
    let mut story = Story::new(2, 3);
    story.run(&both()).packets((0..60).map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0)));
    assert!(story.windows().is_empty());
    story.gap(Gap::Dropped);
    assert_eq!(story.durations("video.m3u8"), [2_000_000, 400_000]);
}

#[test]
fn a_track_that_is_gone_goes_on_as_gaps() {
    let mut story = Story::new(2, 3);
    story.run(&both()).video(gop(50), 250).gap(Gap::TracksChanged);
    story.run(&[audio_track()]).audio(30_000_000);
    let (video, audio) = (story.list("video.m3u8"), story.list("audio.m3u8"));
    assert_eq!((video.media_sequence, video.segments.len()), (audio.media_sequence, audio.segments.len()));
    assert_eq!(video.discontinuity_sequence, audio.discontinuity_sequence);
    assert!(story.text("video.m3u8").matches("#EXT-X-GAP\n").count() == video.segments.len());
    assert_eq!(story.multivariant().variants[0].uri, "cam/audio.m3u8");
}

#[test]
fn a_track_that_comes_later_begins_where_the_others_are() {
    let mut story = Story::new(2, 10);
    story.run(&[audio_track()]).audio(10_000_000).gap(Gap::TracksChanged);
    story.run(&both()).video(gop(50), 101);
    let (video, audio) = (story.list("video.m3u8"), story.list("audio.m3u8"));
    assert_eq!(video.segments.len(), 2);
    assert_eq!(video.media_sequence, audio.media_sequence + audio.segments.len() as u64 - 2);
    assert!(video.segments[0].discontinuity);
    let in_audio = audio.segments.iter().filter(|s| s.discontinuity).count() as u64;
    assert_eq!(video.discontinuity_sequence + 1, audio.discontinuity_sequence + in_audio);
}

#[test]
fn video_that_comes_back_too_late_waits_for_a_key_frame() {
    let mut story = Story::new(2, 10);
    story.run(&both()).video(gop(50), 110).audio(23_000_000);
    let frames = |range: std::ops::Range<i64>| {
        range.map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0)).collect::<Vec<_>>()
    };
    // Video goes on where it stalled, far behind the segments that were closed without it.
    story.packets(frames(110..900));
    let window = story.window();
    let is_there = |n: &u64| window.get(&format!("v{n}.m4s")).is_some();
    let there = (window.next_sequence - 4..window.next_sequence).find(is_there).unwrap();
    assert_eq!(story.tfdt(&format!("v{there}.m4s")) % (50 * 3600), 0);
    aligned(&story);
}

#[test]
fn a_last_segment_without_audio_is_a_gap_as_long_as_its_video() {
    let mut story = Story::new(2, 10);
    story.run(&both()).packets((0..130).map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0)));
    story.gap(Gap::Dropped);
    assert_eq!(story.durations("audio.m3u8"), story.durations("video.m3u8"));
    assert_eq!(story.text("audio.m3u8").matches("#EXT-X-GAP\n").count(), 3);
}

#[test]
fn a_frame_before_a_hole_lasts_until_the_next_one() {
    let frame = |at: i64, key| packet(TrackId::VIDEO, at * 3_600, 3_600, key);
    // 25 fps: 2 s of silence after the second frame, then on to the next key frame and one more GOP.
    let frames =
        [(0, true), (1, false), (52, false), (53, false), (54, true), (55, false), (108, true), (109, false)];
    let mut story = Story::new(2, 3);
    story.run(&[video_track()]).packets(frames.map(|(at, key)| frame(at, key)));
    let body = story.window().get(&format!("v{}.m4s", EPOCH.unix_seconds())).unwrap().body.concat();
    let trun = body.windows(4).position(|w| w == b"trun").unwrap() + 4;
    let word = |at: usize| u32::from_be_bytes(body[trun + at..trun + at + 4].try_into().unwrap());
    assert_eq!((word(0) & 0xfff, word(4)), (0x305, 4), "four samples: offset, first flags, durations, sizes");
    let durations: Vec<u32> = (0..4).map(|n| word(16 + n * 8) / 3_600).collect();
    assert_eq!(durations, [1, 51, 1, 1]);
}
