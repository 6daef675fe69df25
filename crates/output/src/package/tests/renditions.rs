//! Streams with several tracks of a kind.

use media::{Codec, Gap, Kind, Packet, Picture, Track, TrackId};

use super::story::{EPOCH, FRAME, Story, Video, audio_track, both, further, gop, packet, video_track};
use crate::{Error, Event, Output, Warning};

const SECOND_VIDEO: TrackId = TrackId { kind: Kind::Video, index: 1 };

/// Two of each kind, the further video of another size.
fn four() -> [Track; 4] {
    let mut small = further(video_track(), 1);
    *small.codec.picture_mut().unwrap() = Picture::of_size(320, 180);
    [video_track(), small, audio_track(), further(audio_track(), 1)]
}

/// HE-AAC, which has another codec string.
fn other_audio() -> Track {
    let mut track = further(audio_track(), 1);
    if let Codec::Aac(aac) = &mut track.codec {
        aac.object_type = 5;
    }
    track
}

#[test]
fn further_audio_is_a_rendition_and_further_video_a_variant() {
    let mut story = Story::new(2, 3);
    story.run(&four()).video(gop(50), 500);
    let list = story.multivariant();
    let audio: Vec<_> =
        list.alternatives.iter().map(|a| (a.name.as_str(), a.uri.as_deref(), a.default)).collect();
    assert_eq!(audio, [("main", Some("cam/audio.m3u8"), true), ("audio 2", Some("cam/audio1.m3u8"), false)]);
    assert!(list.alternatives.iter().all(|a| a.group_id == "audio" && a.autoselect));
    let variants: Vec<_> =
        list.variants.iter().map(|v| (v.uri.as_str(), v.resolution.unwrap().width)).collect();
    assert_eq!(variants, [("cam/video.m3u8", 640), ("cam/video1.m3u8", 320)]);
    assert!(list.variants.iter().all(|v| v.audio.as_deref() == Some("audio") && v.frame_rate == Some(25.0)));
}

#[test]
fn all_renditions_have_the_same_numbers_and_durations() {
    let mut story = Story::new(2, 3);
    story.run(&four()).video(gop(50), 500);
    let main = story.list("video.m3u8");
    for name in ["video1.m3u8", "audio.m3u8", "audio1.m3u8"] {
        let list = story.list(name);
        assert_eq!((list.media_sequence, list.segments.len()), (main.media_sequence, main.segments.len()));
        assert_eq!(list.target_duration, main.target_duration);
    }
    assert_eq!(story.durations("video1.m3u8"), story.durations("video.m3u8"));
    assert_eq!(story.durations("audio1.m3u8"), story.durations("audio.m3u8"));
    assert_eq!(story.warnings(), []);
}

#[test]
fn names_of_further_tracks_are_their_own() {
    let mut story = Story::new(2, 3);
    story.run(&four()).video(gop(50), 51);
    let (window, first) = (story.window(), EPOCH.unix_seconds());
    let mut names: Vec<String> = vec!["audio.m3u8".into(), "audio1.m3u8".into()];
    names.extend(["video.m3u8".into(), "video1.m3u8".into()]);
    for prefix in ["a", "a1_", "v", "v1_"] {
        names.extend([format!("{prefix}{first}.m4s"), format!("{prefix}{first}_init.mp4")]);
    }
    names.sort();
    let mut there: Vec<&str> = window.resources.iter().map(|(name, _)| &**name).collect();
    there.extend(window.playlists.iter().map(|(name, _)| &**name));
    there.sort_unstable();
    assert_eq!(there, names);
}

#[test]
fn a_variant_states_its_video_and_the_largest_audio() {
    let mut story = Story::new(2, 3);
    let large = |p: Packet| Packet { data: vec![0x65; 3 * FRAME].into(), ..p };
    story.run(&four());
    let frames = (0..500).flat_map(|n| {
        let at = n * 3600;
        let video = [TrackId::VIDEO, SECOND_VIDEO].map(|id| packet(id, at, 3600, n % 50 == 0));
        let [main, small] = video;
        let audio = [0, 1].map(|index| {
            let id = TrackId { kind: Kind::Audio, index };
            let frame = packet(id, n * 1920, 1920, true);
            if index == 1 { large(frame) } else { frame }
        });
        [large(main), small].into_iter().chain(audio)
    });
    story.packets(frames.collect::<Vec<_>>());
    let list = story.multivariant();
    // 25 frames a second of each track: 3,000 bytes of audio beside 3,000 and 1,000 of video, and boxes.
    for (variant, bytes) in list.variants.iter().zip([6_000.0, 4_000.0]) {
        let average = variant.average_bandwidth.unwrap() as f64;
        assert!((1.0..1.05).contains(&(average / (25.0 * 8.0 * bytes))), "{average} of {bytes}");
        assert!((1.25..1.3).contains(&(variant.bandwidth as f64 / average)));
    }
}

#[test]
fn codecs_of_a_variant_are_its_own_and_each_of_the_audio_group_once() {
    let mut story = Story::new(2, 3);
    story.run(&[video_track(), audio_track(), other_audio(), further(audio_track(), 2)]).video(gop(50), 101);
    let list = story.multivariant();
    assert_eq!(list.variants[0].codecs.as_deref(), Some("avc1.42c01e,mp4a.40.2,mp4a.40.5"));
    assert_eq!(list.alternatives.len(), 3);
}

#[test]
fn several_tracks_of_sound_alone_are_one_variant_with_a_choice() {
    let mut story = Story::new(2, 3);
    story.run(&[audio_track(), other_audio()]);
    let frames = (0..600)
        .flat_map(|n| [0, 1].map(|index| packet(TrackId { kind: Kind::Audio, index }, n * 1024, 1024, true)));
    story.packets(frames.collect::<Vec<_>>());
    let list = story.multivariant();
    assert_eq!(list.variants.len(), 1);
    assert_eq!(list.variants[0].uri, "cam/audio.m3u8");
    assert_eq!(list.variants[0].codecs.as_deref(), Some("mp4a.40.2,mp4a.40.5"));
    assert_eq!(list.alternatives.len(), 2);
    assert_eq!(story.durations("audio1.m3u8"), story.durations("audio.m3u8"));
}

/// Where the segments of the further video begin, in ticks.
#[track_caller]
fn begins(story: &Story) -> Vec<u64> {
    let first = EPOCH.unix_seconds() as u64;
    (first..story.window().next_sequence).map(|n| story.tfdt(&format!("v1_{n}.m4s"))).collect()
}

#[test]
fn further_video_begins_segments_at_its_own_key_frames() {
    for off in [-2, -1, 0, 1, 2, 40, 90] {
        let mut story = Story::new(2, 10);
        // The first key frame may be before the main one's: time begins a second in.
        story.now = 1_000_000;
        story.further_off = off;
        story.run(&four()).video(gop(50), 251).on(Event::End(EPOCH));
        let expected: Vec<u64> = (0..6).map(|n| ((1_000 + n * 2_000 + off) * 90) as u64).collect();
        assert_eq!(begins(&story), expected, "{off} ms off");
        assert_eq!(story.warnings(), [], "{off} ms off");
        let sum: i64 = story.durations("video1.m3u8").iter().sum();
        assert!((sum - 10_040_000).abs() <= 100_000, "{sum}");
    }
}

#[test]
fn further_video_without_key_frames_there_is_cut_all_the_same_and_told_once() {
    let mut story = Story::new(2, 10);
    story.run(&four());
    let frames = (0..500).flat_map(|n| {
        [
            packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0),
            packet(SECOND_VIDEO, n * 3600, 3600, n % 60 == 0),
        ]
    });
    story.packets(frames.collect::<Vec<_>>());
    assert_eq!(story.durations("video1.m3u8"), story.durations("video.m3u8"));
    let unaligned = story.warnings().into_iter().filter(|w| matches!(w, Warning::Unaligned { index: 1 }));
    assert_eq!(unaligned.count(), 1);
}

#[test]
fn a_further_track_that_falls_silent_is_a_gap_in_its_own_list_only() {
    let mut story = Story::new(2, 10);
    story.run(&four()).video(gop(50), 101);
    let frames = (101..400).flat_map(|n| {
        [
            packet(TrackId::VIDEO, n * 3600, 3600, n % 50 == 0),
            packet(TrackId::AUDIO, n * 1920, 1920, true),
            packet(TrackId { kind: Kind::Audio, index: 1 }, n * 1920, 1920, true),
        ]
    });
    story.packets(frames.collect::<Vec<_>>());
    assert!(story.text("video1.m3u8").contains("#EXT-X-GAP\n"));
    for name in ["video.m3u8", "audio.m3u8", "audio1.m3u8"] {
        assert!(!story.text(name).contains("#EXT-X-GAP\n"), "{name}");
    }
}

#[test]
fn a_further_track_that_is_gone_goes_on_as_gaps_and_leaves_the_choice() {
    let mut story = Story::new(2, 3);
    story.run(&four()).video(gop(50), 250).gap(Gap::TracksChanged).run(&both()).video(gop(50), 500);
    assert!(story.multivariant().variants.len() == 1 && story.multivariant().alternatives.len() == 1);
    let (main, further) = (story.list("video.m3u8"), story.list("video1.m3u8"));
    assert_eq!((main.media_sequence, main.segments.len()), (further.media_sequence, further.segments.len()));
    assert!(story.text("audio1.m3u8").matches("#EXT-X-GAP\n").count() == further.segments.len());
}

#[test]
fn frame_rates_are_those_of_each_track() {
    let mut story = Story::new(2, 3);
    story.run(&four());
    let frames = (0..500).flat_map(|n| {
        let second = (n % 2 == 0).then(|| packet(SECOND_VIDEO, n * 1800, 3600, n % 100 == 0));
        [packet(TrackId::VIDEO, n * 1800, 1800, n % 100 == 0)].into_iter().chain(second)
    });
    story.packets(frames.collect::<Vec<_>>());
    let rates: Vec<_> = story.multivariant().variants.iter().map(|v| v.frame_rate).collect();
    assert_eq!(rates, [Some(50.0), Some(25.0)]);
}

#[test]
fn open_segments_of_all_tracks_together_are_bounded() {
    let mut story = Story::new(10, 3);
    let data = bytes::Bytes::from(vec![0x65; 8 << 20]);
    let frames = (0..30).flat_map(|n| {
        let frame = |id| Packet { data: data.clone(), ..packet(id, n * 3600, 3600, n % 250 == 0) };
        [frame(TrackId::VIDEO), frame(SECOND_VIDEO)]
    });
    story.run(&four()[..2]).packets(frames.collect::<Vec<_>>());
    assert!(story.durations("video.m3u8").iter().all(|&us| us <= 160_000), "{}", story.text("video.m3u8"));
}

#[test]
fn what_cmaf_has_no_place_for_is_left_out_and_none_left_is_an_error() {
    let mut huge = further(video_track(), 1);
    *huge.codec.picture_mut().unwrap() = Picture::of_size(70_000, 180);
    let mut story = Story::new(2, 3);
    story.run(&[video_track(), huge.clone()]).video(gop(50), 101);
    let left_out = Warning::TrackLeftOut { output: "package", codec: "avc1.42c01e".into() };
    assert_eq!(story.warnings(), [left_out]);
    assert_eq!(story.multivariant().variants.len(), 1);
    let run = media::Run { index: 0, tracks: vec![huge], start: 0, wall: EPOCH };
    let refused = story.package.on(Event::Run(&run), &mut Vec::new());
    assert!(matches!(refused, Err(Error::Container(_))), "{refused:?}");
}

#[test]
fn b_frames_of_each_track_move_its_own_times_only() {
    let mut story = Story::new(2, 3);
    story.run(&four()).video(Video { cts: 7200, ..gop(50) }, 150);
    assert_eq!(begins(&story), [7200, 187_200]);
    assert_eq!(story.warnings(), []);
}
