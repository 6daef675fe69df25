//! What is left when a run ends.

use media::Gap;

use super::low_latency::target;
use super::story::{EPOCH, FRAME, Story, audio_track, both, gop, text, video_track};
use crate::package::Protocol;
use crate::{Event, Window};

/// How a run can end.
const ENDS: [Gap; 4] = [Gap::Unpublished, Gap::Dropped, Gap::Jump, Gap::TracksChanged];

/// A transport stream of `frames` pictures at 25 fps, with sound for `sound` microseconds more.
fn trailing(part_duration_ms: u32, frames: i64, sound: i64) -> Story {
    let mut story = Story::in_parts(Protocol::LlHlsTs, 1, part_duration_ms);
    story.run(&both()).video(gop(25), frames).audio(sound);
    story
}

/// Nothing was lost, and parts under 85 % of PART-TARGET end their segment (packaging-rules L-05, L-21).
#[track_caller]
fn whole(story: &Story, name: &str) {
    let (target, text) = (target(story, name), story.text(name));
    assert!(!text.contains("GAP"), "{text}");
    for pair in story.parts(name).windows(2) {
        let [Some((uri, us, _)), next] = pair else { continue };
        assert!(*us <= target, "{uri} lasts {us} of {target}");
        assert!(next.is_none() || us * 100 >= target * 85, "{uri} lasts {us} of {target} in {text}");
    }
}

/// Frames of sound in the last segment; a transport stream has no place for the pictures of a story.
fn last_sound(window: &Window) -> usize {
    let text = text(window, "video.m3u8");
    let last = text.lines().rfind(|line| line.ends_with(".ts")).unwrap();
    let body = window.get(last).unwrap().body.concat();
    body.iter().filter(|&&byte| byte == 0x65).count() / FRAME
}

#[test]
fn sound_after_the_last_picture_is_in_the_last_part_with_pictures() {
    for part_duration_ms in [100, 350, 1_000] {
        for why in ENDS {
            let mut story = trailing(part_duration_ms, 130, 60_000);
            story.gap(why);
            whole(&story, "video.m3u8");
            assert_eq!(story.durations("video.m3u8").last(), Some(&200_000), "H-13");
            // 260 ms of it.
            assert!(last_sound(&story.window()) >= 12, "{}", last_sound(&story.window()));
        }
    }
}

#[test]
fn a_list_goes_on_after_trailing_sound() {
    let mut story = trailing(350, 130, 60_000);
    story.gap(Gap::Jump).run(&both()).video(gop(25), 130).audio(60_000).on(Event::End(EPOCH));
    whole(&story, "video.m3u8");
    assert_eq!(story.text("video.m3u8").matches("#EXT-X-DISCONTINUITY\n").count(), 1);
    assert_eq!(story.durations("video.m3u8").iter().rev().take(7).sum::<i64>(), 5_200_000 + 200_000);
}

#[test]
fn sound_after_a_part_that_is_listed_already_has_a_last_part_of_its_own() {
    let mut story = trailing(350, 133, 60_000);
    let listed = story.parts("video.m3u8").len();
    story.gap(Gap::Dropped);
    whole(&story, "video.m3u8");
    let parts = story.parts("video.m3u8");
    let [Some((uri, us, _)), None] = &parts[listed..] else { panic!("{}", story.text("video.m3u8")) };
    assert!((40_000..=82_000).contains(us), "{us}");
    assert!(story.window().get(uri).is_some());
}

#[test]
fn sound_that_went_on_without_pictures_is_listed_as_long_as_it_is() {
    let mut story = trailing(350, 130, 900_000);
    story.gap(Gap::Dropped);
    whole(&story, "video.m3u8");
    let last = *story.durations("video.m3u8").last().unwrap();
    assert!((1_080_000..=1_122_000).contains(&last), "{last}");
}

#[test]
fn one_kind_of_media_ends_where_its_last_frame_does() {
    for why in ENDS {
        for protocol in [Protocol::LlHlsTs, Protocol::LlHlsCmaf] {
            let mut story = Story::in_parts(protocol, 1, 350);
            story.run(&[video_track()]).video(gop(25), 130).gap(why);
            whole(&story, "video.m3u8");
            assert_eq!(story.durations("video.m3u8").iter().sum::<i64>(), 5_200_000);
            let mut story = Story::in_parts(protocol, 1, 350);
            story.run(&[audio_track()]).audio(5_200_000).gap(why);
            whole(&story, "audio.m3u8");
            let sum: i64 = story.durations("audio.m3u8").iter().sum();
            assert!((5_200_000..5_222_000).contains(&sum), "{sum}");
        }
    }
}
