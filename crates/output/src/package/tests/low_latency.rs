//! Segments in parts.

use media::{Gap, TrackId};

use super::story::{EPOCH, FRAME, Story, Video, audio_track, both, gop, packet, read, text, video_track};
use crate::package::Protocol;
use crate::{Event, Warning};

fn cmaf(segment_duration_s: u32, part_duration_ms: u32) -> Story {
    Story::in_parts(Protocol::LlHlsCmaf, segment_duration_s, part_duration_ms)
}

/// PART-TARGET of a playlist in microseconds.
pub fn target(story: &Story, name: &str) -> i64 {
    let text = story.text(name);
    let (_, after) = text.split_once("PART-TARGET=").unwrap();
    let seconds: f64 = after.lines().next().unwrap().parse().unwrap();
    (seconds * 1e6).round() as i64
}

/// Every part of a steady stream is as long as PART-TARGET allows, but for the last of a segment.
#[track_caller]
fn check(video: Video, part_duration_ms: u32, video_us: i64, least_percent: i64) {
    let mut story = cmaf(1, part_duration_ms);
    story.run(&both()).video(video, 20 * video.fps.0 / video.fps.1);
    assert_eq!(target(&story, "video.m3u8"), video_us);
    for name in ["video.m3u8", "audio.m3u8"] {
        let target = target(&story, name);
        let parts = story.parts(name);
        assert!(parts.iter().flatten().count() > 5, "{}", story.text(name));
        for pair in parts.windows(2) {
            let [Some((uri, us, _)), next] = pair else { continue };
            assert!(*us <= target, "{uri} lasts {us} of {target}");
            assert!(next.is_none() || us * 100 >= target * least_percent, "{uri} lasts {us} of {target}");
        }
    }
    assert_eq!(story.warnings(), []);
}

#[test]
fn parts_are_whole_frames_and_part_target_is_their_length_in_whole_milliseconds() {
    let of = |num, den, frames| Video { fps: (num, den), gop: frames, cts: 0 };
    check(of(25, 1, 25), 100, 80_000, 98);
    check(of(25, 1, 25), 350, 320_000, 98);
    check(of(25, 1, 25), 1_000, 1_000_000, 98);
    check(of(24, 1, 48), 100, 84_000, 85);
    check(of(24, 1, 48), 1_000, 1_000_000, 98);
    check(of(30_000, 1001, 60), 100, 67_000, 85);
    check(of(30_000, 1001, 60), 350, 334_000, 98);
    check(of(30_000, 1001, 60), 1_000, 968_000, 98);
    check(of(60, 1, 60), 100, 100_000, 85);
    check(of(60, 1, 60), 1_000, 1_000_000, 98);
}

#[test]
fn a_part_is_listed_with_its_last_frame() {
    let mut story = cmaf(1, 350);
    story.run(&[video_track()]).video(gop(25), 26);
    let windows = story.windows().len();
    story.now = 1_040_000;
    let frames = |from: i64, count: i64| {
        (from..from + count).map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 25 == 0))
    };
    story.packets(frames(26, 6));
    assert_eq!(story.windows().len(), windows);
    story.packets(frames(32, 1));
    assert_eq!(story.windows().len(), windows + 1);
    assert_eq!(story.parts("video.m3u8").last().unwrap().as_ref().unwrap().1, 320_000);
}

#[test]
fn parts_of_sound_grow_until_boxes_are_less_than_a_tenth() {
    let mut story = cmaf(1, 100);
    story.run(&[audio_track()]);
    let small =
        |n: i64| media::Packet { data: vec![1; 60].into(), ..packet(TrackId::AUDIO, n * 1024, 1024, true) };
    story.packets((0..500).map(small));
    // A frame of 60 bytes costs 4 in trun, a chunk 104: 500 ms are the most.
    assert_eq!(target(&story, "audio.m3u8"), 491_000);
    let mut story = cmaf(1, 100);
    story.run(&[audio_track()]).audio(10_000_000);
    assert_eq!(target(&story, "audio.m3u8"), 86_000);
    let window = story.window();
    for (uri, ..) in story.parts("audio.m3u8").into_iter().flatten() {
        let bytes = window.get(&uri).unwrap().body.concat().len();
        let payload = bytes / FRAME * FRAME;
        assert!(bytes - payload < bytes / 10, "{uri}: {payload} of {bytes}");
    }
}

#[test]
fn hold_backs_are_the_same_everywhere() {
    let mut story = cmaf(1, 100);
    story.run(&both()).video(gop(25), 100);
    for name in ["video.m3u8", "audio.m3u8"] {
        assert!(
            story.text(name).contains("PART-HOLD-BACK=0.258,HOLD-BACK=6,CAN-SKIP-UNTIL=12"),
            "{}",
            story.text(name)
        );
    }
}

#[test]
fn a_segment_is_its_parts() {
    for protocol in [Protocol::LlHlsCmaf, Protocol::LlHlsTs] {
        let mut story = Story::in_parts(protocol, 1, 350);
        story.run(&both()).video(gop(25), 251);
        let window = story.window();
        let (mut parts, mut compared) = (Vec::new(), 0);
        let mut uris = story.list("video.m3u8").segments.into_iter().rev();
        for part in story.parts("video.m3u8").into_iter().rev() {
            match part {
                Some((uri, ..)) => parts.insert(0, window.get(&uri).unwrap().body.concat()),
                None => {
                    parts.clear();
                    let segment = uris.next().unwrap();
                    let (uri, us) = (segment.uri, segment.duration);
                    let whole = window.get(&uri).unwrap().body.concat();
                    let listed: Vec<_> = listed_parts(&story.text("video.m3u8"), &uri);
                    let joined: Vec<u8> =
                        listed.iter().flat_map(|part| window.get(part).unwrap().body.concat()).collect();
                    assert!(listed.is_empty() || joined == whole, "{uri} of {us} s");
                    compared += usize::from(!listed.is_empty());
                }
            }
        }
        assert!(compared >= 3, "{compared}");
    }
}

/// Parts listed of the segment `uri`.
fn listed_parts(text: &str, uri: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once("URI=\"").filter(|_| line.starts_with("#EXT-X-PART:")) {
            parts.push(rest.split('"').next().unwrap().to_owned());
        } else if line == uri {
            return parts;
        } else if !line.starts_with('#') {
            parts.clear();
        }
    }
    panic!("{uri} is not listed")
}

#[test]
fn the_next_part_has_the_name_that_was_hinted_over_segments_and_discontinuities() {
    let mut story = cmaf(1, 350);
    story.run(&both()).video(gop(25), 130).gap(Gap::Jump).run(&both()).video(gop(25), 130);
    let windows = story.windows();
    for pair in windows.windows(2) {
        for name in ["video.m3u8", "audio.m3u8"] {
            let (before, after) = (text(&pair[0], name), text(&pair[1], name));
            let hint =
                before.split("PRELOAD-HINT:TYPE=PART,URI=\"").nth(1).unwrap().split('"').next().unwrap();
            assert!(pair[0].hints.iter().any(|h| **h == *hint));
            let named = after.contains(&format!("URI=\"{hint}\""));
            assert!(named, "{hint} is neither hinted nor a part in {after}");
        }
    }
    assert!(windows.len() > 40, "{}", windows.len());
}

#[test]
fn the_edge_is_what_the_list_ends_with() {
    let mut story = cmaf(1, 350);
    story.run(&both()).video(gop(25), 130);
    for window in story.windows() {
        for name in ["video.m3u8", "audio.m3u8"] {
            let (list, edge) = (read(&window, name), window.playlist(name).unwrap().edge.unwrap());
            let complete = text(&window, name).matches("#EXTINF").count() as u64;
            assert_eq!(edge.segment, list.media_sequence + complete - 1);
            let text = text(&window, name);
            let open = text.rsplit("#EXTINF").next().unwrap().matches("#EXT-X-PART:").count() as u64;
            assert_eq!(edge.parts, open, "{text}");
            assert_eq!(edge.advance_parts, if name == "video.m3u8" { 10 } else { 9 });
        }
    }
}

#[test]
fn parts_with_a_key_frame_are_independent_and_all_of_sound() {
    let mut story = cmaf(2, 350);
    story.run(&both()).video(gop(25), 151);
    let independent = |name| story.parts(name).into_iter().flatten().map(|part| part.2 == ",INDEPENDENT=YES");
    assert!(independent("audio.m3u8").all(|yes| yes));
    // Of six parts and a rest each 2 s, the first and the one with the 25th frame.
    let video: Vec<bool> = independent("video.m3u8").take(7).collect();
    assert_eq!(video, [true, false, false, true, false, false, false]);
}

#[test]
fn segments_of_sound_end_with_those_of_pictures() {
    for late in [0, 60_000, 400_000] {
        let mut story = cmaf(1, 350);
        story.audio_late = late;
        story.run(&both()).video(gop(25), 260);
        let audio = story.durations("audio.m3u8");
        assert!(audio.iter().all(|us| (us - 1_000_000).abs() < 21_334), "{audio:?}");
        let dates = |name| -> Vec<i64> {
            let list = story.list(name);
            list.segments.iter().filter_map(|s| Some(s.program_date_time?.timestamp_millis())).collect()
        };
        let (video, audio) = (dates("video.m3u8"), dates("audio.m3u8"));
        for at in audio.iter().filter(|at| **at >= video[0]) {
            assert!(video.iter().any(|v| (0..22).contains(&(at - v))), "{at} of {video:?}");
        }
    }
}

#[test]
fn a_gop_that_outgrows_the_target_duration_is_cut_where_it_does() {
    let mut story = cmaf(1, 350);
    story.run(&both()).video(gop(25), 250).video(gop(1000), 250).video(gop(25), 100);
    assert_eq!(story.list("video.m3u8").target_duration, 2);
    assert!(story.warnings().iter().all(|w| matches!(w, Warning::ForcedCut { micros: 2_000_000 })));
    assert!(!story.warnings().is_empty());
}

#[test]
fn a_long_gop_is_published_when_it_is_whole() {
    let mut story = cmaf(1, 350);
    story.run(&both()).video(gop(250), 250);
    assert!(story.windows().is_empty());
    story.video(gop(250), 1_010);
    assert_eq!(story.list("video.m3u8").target_duration, 11);
    assert_eq!(story.warnings(), []);
    assert_eq!(story.durations("video.m3u8")[..3], [10_000_000; 3]);
}

#[test]
fn what_never_came_is_listed_as_lost() {
    let mut story = cmaf(1, 350);
    story.run(&both()).video(gop(25), 100);
    let video = (100..400).map(|n| packet(TrackId::VIDEO, n * 3600, 3600, n % 25 == 0));
    story.packets(video);
    let text = story.text("audio.m3u8");
    assert!(text.contains("#EXT-X-GAP\n#EXTINF:"), "{text}");
    assert!(text.contains(",GAP=YES\n"), "{text}");
    for (uri, us, attributes) in story.parts("audio.m3u8").into_iter().flatten() {
        assert!(us <= 342_000);
        assert_eq!(story.window().get(&uri).is_none(), attributes.contains("GAP=YES"), "{uri}");
    }
    let numbers = |name| story.list(name).media_sequence + story.durations(name).len() as u64;
    assert!(numbers("video.m3u8") - numbers("audio.m3u8") <= 1, "a lost second is waited for, not more");
}

#[test]
fn a_stall_of_everything_is_lost_to_the_list_and_nothing_else() {
    let mut story = cmaf(1, 350);
    story.run(&both()).video(gop(25), 100);
    let stall = packet(TrackId::VIDEO, 100 * 3600, 5 * 90_000, true);
    story.packets([stall]);
    story.now += 5_000_000;
    story.video(gop(25), 76);
    let total: i64 = story.durations("video.m3u8").iter().sum();
    assert!(total > 3_000_000, "{}", story.text("video.m3u8"));
    assert!(story.text("video.m3u8").contains("GAP=YES"), "{}", story.text("video.m3u8"));
}

#[test]
fn a_source_that_is_gone_is_told_and_its_return_too() {
    let mut story = cmaf(1, 350);
    story.run(&both()).video(gop(25), 120).gap(Gap::Dropped);
    assert!(story.window().source_gone && !story.window().ended);
    story.wall = EPOCH.plus_micros(10_000_000);
    story.run(&both());
    assert!(!story.window().source_gone);
    story.video(gop(25), 60);
    let text = story.text("video.m3u8");
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
    let (_, after) = text.split_once("#EXT-X-DISCONTINUITY\n").unwrap();
    assert!(after.starts_with("#EXT-X-MAP:"), "{after}");
}

#[test]
fn an_ended_list_has_no_hint_and_no_edge() {
    let mut story = cmaf(1, 350);
    story.run(&both()).video(gop(25), 120).on(Event::End(EPOCH));
    let window = story.window();
    assert!(window.hints.is_empty() && window.playlist("video.m3u8").unwrap().edge.is_none());
    assert!(window.playlist("video.m3u8").unwrap().delta.is_none());
    assert!(text(&window, "audio.m3u8").ends_with("#EXT-X-ENDLIST\n"));
    assert!(!text(&window, "audio.m3u8").contains("PRELOAD-HINT"));
}
