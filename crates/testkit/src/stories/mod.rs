//! Streams as encoders send them, with what a session makes of each.

mod steps;

use std::ops::Range;

use bytes::Bytes;
use container::flv::{self, Body, Format, Unit};
use media::{Gap, Kind, Wall};

use crate::Message;

/// What happens to a session whose first publisher came at [`crate::START`].
#[derive(Clone, Debug)]
pub enum Step {
    /// A media message arrives.
    Media(Message),
    /// The publisher is gone.
    Gone(Gap, Wall),
    /// A publisher is here again.
    Publish(Wall),
    /// Time passed.
    Tick(Wall),
}

/// A stream and what comes of it.
#[derive(Debug)]
pub struct Story {
    /// What it is about, unique.
    pub name: &'static str,
    /// What happens, in order of time; the publisher is still there at the end, unless it left before.
    pub steps: fn() -> Vec<Step>,
    /// What comes of it.
    pub expect: Expect,
}

/// What comes of a story. Frames that are not lost come out once and in order.
#[derive(Debug)]
pub struct Expect {
    /// Video frames that are left out, by their place among those that are sent.
    pub video_lost: Range<usize>,
    /// Audio frames that are left out, by their place among those that are sent.
    pub audio_lost: Range<usize>,
    /// Runs of the session.
    pub runs: usize,
    /// Why runs ended while the story goes on, in order.
    pub gaps: &'static [Gap],
}

/// One run with every frame.
const WHOLE: Expect = Expect { video_lost: 0..0, audio_lost: 0..0, runs: 1, gaps: &[] };
/// Every frame, with one discontinuity.
const JUMPED: Expect = Expect { runs: 2, gaps: &[Gap::Jump], ..WHOLE };
const CHANGED: Expect = Expect { runs: 2, gaps: &[Gap::TracksChanged], ..WHOLE };
const RETURNED: Expect = Expect { runs: 2, gaps: &[Gap::Dropped], ..WHOLE };

/// Every story. Whatever a session feeds must cope with each of them.
pub const STORIES: &[Story] = &[
    // Which tracks there are.
    Story { name: "plain", steps: steps::plain, expect: WHOLE },
    Story { name: "audio only", steps: steps::audio_only, expect: WHOLE },
    Story { name: "audio only at 44.1 kHz", steps: steps::audio_only_44100, expect: WHOLE },
    Story { name: "0.9 s of audio, then silence", steps: steps::short_audio, expect: WHOLE },
    Story { name: "video only", steps: steps::video_only, expect: WHOLE },
    Story { name: "audio leads", steps: steps::audio_leads, expect: WHOLE },
    Story { name: "late audio", steps: steps::late_audio, expect: CHANGED },
    Story { name: "late audio in a long GOP", steps: steps::late_audio_in_a_long_gop, expect: CHANGED },
    Story { name: "video ends before audio", steps: steps::video_ends, expect: WHOLE },
    Story { name: "audio ends before video", steps: steps::audio_ends, expect: WHOLE },
    Story { name: "video pauses", steps: steps::video_pauses, expect: WHOLE },
    // Where decoding can start.
    Story { name: "B-frames", steps: steps::b_frames, expect: WHOLE },
    Story { name: "a GOP of 250 frames", steps: steps::gop_of_250, expect: WHOLE },
    Story { name: "a GOP that grows", steps: steps::growing_gop, expect: WHOLE },
    Story { name: "open GOPs", steps: steps::open_gops, expect: WHOLE },
    Story { name: "open GOPs from the second one on", steps: steps::joined_open_gops, expect: WHOLE },
    Story {
        name: "open GOPs, then another sound",
        steps: steps::audio_change_in_open_gops,
        // The new audio waits for the next recovery point.
        expect: CHANGED,
    },
    Story {
        name: "no key frame at first",
        steps: steps::no_key_frame_at_first,
        expect: Expect { video_lost: 0..59, ..WHOLE },
    },
    Story {
        name: "no key frame",
        steps: steps::no_key_frame,
        expect: Expect { video_lost: 0..149, ..WHOLE },
    },
    // What decodes it.
    Story { name: "resolution change", steps: steps::resolution_change, expect: CHANGED },
    Story {
        name: "codec change",
        steps: steps::codec_change,
        // The new audio waits for the next key frame.
        expect: CHANGED,
    },
    Story { name: "codec change of audio alone", steps: steps::codec_change_audio_only, expect: CHANGED },
    Story { name: "a codec that nothing carries", steps: steps::unknown_codec, expect: WHOLE },
    Story {
        name: "a codec without its configuration",
        steps: steps::unconfigured_codec,
        expect: Expect { video_lost: 90..240, ..WHOLE },
    },
    Story { name: "identical headers", steps: steps::identical_headers, expect: WHOLE },
    Story { name: "broken payloads", steps: steps::broken_payloads, expect: WHOLE },
    // What time it is.
    Story { name: "jump forward", steps: steps::jump_forward, expect: JUMPED },
    Story { name: "jump back", steps: steps::jump_back, expect: JUMPED },
    Story { name: "jump back of 0.9 s", steps: steps::jump_back_a_little, expect: JUMPED },
    Story { name: "jump with late sound", steps: steps::jump_with_late_sound, expect: JUMPED },
    Story { name: "stall", steps: steps::stall, expect: WHOLE },
    Story { name: "outlier", steps: steps::outlier, expect: WHOLE },
    Story { name: "outlier at the end", steps: steps::outlier_at_the_end, expect: WHOLE },
    Story { name: "disorder", steps: steps::disorder, expect: WHOLE },
    Story { name: "audio in bunches", steps: steps::audio_in_bunches, expect: WHOLE },
    Story { name: "32-bit wrap", steps: steps::wrap, expect: WHOLE },
    // Who sends it.
    Story { name: "reconnect", steps: steps::reconnect, expect: RETURNED },
    Story { name: "reconnect after a minute", steps: steps::reconnect_after_a_minute, expect: RETURNED },
    Story {
        name: "jump, then reconnect",
        steps: steps::jump_then_reconnect,
        expect: Expect { runs: 3, gaps: &[Gap::Jump, Gap::Dropped], ..WHOLE },
    },
    Story {
        name: "reconnect without media",
        steps: steps::reconnect_without_media,
        expect: Expect { gaps: &[Gap::Dropped, Gap::Dropped], ..RETURNED },
    },
];

/// The story of that name.
pub fn story(name: &str) -> Option<&'static Story> {
    STORIES.iter().find(|story| story.name == name)
}

impl Story {
    /// The media messages alone.
    pub fn messages(&self) -> impl Iterator<Item = Message> {
        (self.steps)().into_iter().filter_map(|step| if let Step::Media(m) = step { Some(m) } else { None })
    }

    /// The frames of a kind that come out, in order: length-prefixed NAL units or raw AAC.
    pub fn frames(&self, kind: Kind) -> Vec<Bytes> {
        let lost = match kind {
            Kind::Video => &self.expect.video_lost,
            Kind::Audio => &self.expect.audio_lost,
        };
        let sent = self.messages().filter(|m| m.kind == kind).filter_map(|m| frame(&m));
        sent.enumerate().filter(|(at, _)| !lost.contains(at)).map(|(_, frame)| frame).collect()
    }
}

impl Step {
    /// When it happens.
    pub fn at(&self) -> Wall {
        match self {
            Step::Media(message) => message.received,
            Step::Gone(_, at) | Step::Publish(at) | Step::Tick(at) => *at,
        }
    }
}

/// The access unit in a message; `None` for headers, codecs that nothing carries and what is broken.
fn frame(message: &Message) -> Option<Bytes> {
    let units = match message.kind {
        Kind::Video => flv::video(&message.payload),
        Kind::Audio => flv::audio(&message.payload),
    };
    let frame = |unit: Unit| match unit.body {
        Body::Frame { data, .. } if !data.is_empty() && unit.format != Format::Other => Some(data),
        _ => None,
    };
    units.ok()?.filter_map(Result::ok).find_map(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories_have_names_of_their_own_and_go_forward_in_time() {
        for (at, story) in STORIES.iter().enumerate() {
            assert!(STORIES[..at].iter().all(|other| other.name != story.name), "{}", story.name);
            assert!((story.steps)().is_sorted_by_key(Step::at), "{}", story.name);
        }
    }

    #[test]
    fn no_two_frames_of_a_story_are_the_same() {
        for story in STORIES {
            let mut frames = story.frames(Kind::Video);
            frames.extend(story.frames(Kind::Audio));
            let count = frames.len();
            frames.sort();
            frames.dedup();
            assert_eq!(frames.len(), count, "{}", story.name);
        }
    }
}
