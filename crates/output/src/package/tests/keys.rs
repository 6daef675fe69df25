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

/// Plays `count` of them with word of each key frame as soon as the frame before it is a packet.
fn told(story: &mut Story, frames: &[Packet], count: usize) {
    for (at, frame) in frames.iter().enumerate().take(count) {
        story.on(Event::Packet(frame));
        if let Some(next) = frames.get(at + 1).filter(|next| next.key) {
            story.on(Event::KeyFrame { track: next.track, dts: next.dts, pts: next.pts() });
        }
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
    let mut story = of(Protocol::HlsCmaf);
    story.video(gop(50), 120);
    let before = story.windows().len();
    let further = TrackId { index: 1, ..TrackId::VIDEO };
    for (track, dts) in [(further, 120 * 3600), (TrackId::VIDEO, 120 * 3600), (TrackId::VIDEO, 0)] {
        story.on(Event::KeyFrame { track, dts: Ticks(dts), pts: Ticks(dts) });
    }
    assert_eq!(story.windows().len(), before);
}
