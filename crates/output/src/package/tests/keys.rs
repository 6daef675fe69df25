//! A key frame ends a segment when it comes.

use media::{Packet, Ticks, TrackId};

use super::story::{Story, gop, packet, video_track};
use crate::Event;
use crate::package::Protocol;

/// Pictures with B-frames, a key frame each second at 25 fps, but for one that comes early.
fn frames() -> Vec<Packet> {
    let key = |n: i64| n % 25 == 0 || n == 140;
    (0..260).map(|n| Packet { cts: 7200, ..packet(TrackId::VIDEO, n * 3600, 3600, key(n)) }).collect()
}

/// Plays `count` of them, with word of each key frame before the frame before it.
fn told(story: &mut Story, frames: &[Packet], count: usize) {
    for (at, frame) in frames.iter().enumerate().take(count) {
        if let Some(next) = frames.get(at + 1).filter(|next| next.key) {
            story.on(Event::KeyFrame { track: next.track, dts: next.dts, pts: next.pts() });
        }
        story.on(Event::Packet(frame));
    }
}

fn of(protocol: Protocol) -> Story {
    let mut story = Story::in_parts(protocol, 2, 350);
    story.run(&[video_track()]);
    story
}

const PROTOCOLS: [Protocol; 4] =
    [Protocol::HlsCmaf, Protocol::LlHlsTs, Protocol::LlHlsCmaf, Protocol::LlHlsDashCmaf];

#[test]
fn a_segment_is_listed_when_the_key_frame_after_it_comes() {
    for protocol in PROTOCOLS {
        let (mut story, frames) = (of(protocol), frames());
        told(&mut story, &frames, 100);
        let (before, listed) = (story.windows().len(), story.durations("video.m3u8").len());
        assert_eq!(listed, 2, "{protocol:?}");
        // The one that follows is a packet no sooner than there is another.
        story.on(Event::Packet(&frames[100]));
        assert_eq!(story.windows().len(), before, "{protocol:?}");
    }
}

#[test]
fn the_last_part_of_a_segment_and_its_end_are_told_at_once() {
    let (mut story, frames) = (of(Protocol::LlHlsCmaf), frames());
    told(&mut story, &frames, 99);
    let before = story.windows().len();
    let [last, key] = &frames[99..101] else { panic!() };
    story.on(Event::KeyFrame { track: key.track, dts: key.dts, pts: key.pts() });
    assert_eq!(story.windows().len(), before);
    story.on(Event::Packet(last));
    assert_eq!(story.windows().len(), before + 1);
    assert!(story.parts("video.m3u8").ends_with(&[None]));
}

#[test]
fn word_of_key_frames_changes_nothing_but_when() {
    for protocol in PROTOCOLS {
        let (mut with, mut without, frames) = (of(protocol), of(protocol), frames());
        told(&mut with, &frames, frames.len());
        without.packets(frames);
        assert_eq!(with.text("video.m3u8"), without.text("video.m3u8"), "{protocol:?}");
        let mpd = |story: &Story| story.window().mpd.as_ref().map(|mpd| mpd.body.concat());
        assert_eq!(mpd(&with).is_some(), mpd(&without).is_some());
        assert_eq!(with.warnings(), without.warnings());
    }
}

#[test]
fn a_key_frame_of_another_track_or_too_early_ends_nothing() {
    let further = TrackId { index: 1, ..TrackId::VIDEO };
    for (track, frame) in [(further, 149), (TrackId::VIDEO, 120), (TrackId::VIDEO, 0)] {
        let mut story = of(Protocol::HlsCmaf);
        story.video(gop(50), frame);
        let (before, dts) = (story.windows().len(), Ticks((frame + 1) * 3600));
        story.on(Event::KeyFrame { track, dts, pts: dts });
        story.packets([packet(TrackId::VIDEO, frame * 3600, 3600, frame == 0)]);
        assert_eq!(story.windows().len(), before, "{track:?} at {frame}");
    }
}
