//! How each story goes.

use media::{Gap, Kind};

use super::Step;
use crate::{Clip, Message, START};

/// Number of the first frame of a second clip, so that no two frames of a story are the same.
const SECOND: u32 = 1_000;
/// Milliseconds that a second clip lasts, so that the first one leaves a live window.
const LONG: u32 = 20_000;

pub(super) fn plain() -> Vec<Step> {
    media(Clip::default().messages())
}

pub(super) fn audio_only() -> Vec<Step> {
    media(Clip { millis: 20_000, ..Clip::default() }.audio_only().messages())
}

pub(super) fn audio_only_44100() -> Vec<Step> {
    media(Clip { rate: 44_100, millis: 20_000, ..Clip::default() }.audio_only().messages())
}

pub(super) fn short_audio() -> Vec<Step> {
    let mut steps = media(Clip { millis: 900, ..Clip::default() }.audio_only().messages());
    steps.push(Step::Tick(START.plus_micros(2_000_000)));
    steps
}

pub(super) fn video_only() -> Vec<Step> {
    media(Clip::default().video_only().messages())
}

/// Sound from 2.5 s on.
pub(super) fn late_audio() -> Vec<Step> {
    sound_joins(Clip::default())
}

/// There is no key frame for 5.5 s after the first sound.
pub(super) fn late_audio_in_a_long_gop() -> Vec<Step> {
    sound_joins(Clip { fps: 25, gop: 200, millis: 30_000, ..Clip::default() })
}

fn sound_joins(clip: Clip) -> Vec<Step> {
    let late = |m: &Message| m.kind == Kind::Video || m.received.micros_since(START) > 2_500_000;
    let mut messages: Vec<Message> = clip.messages().into_iter().skip(2).filter(late).collect();
    let joins = messages.iter().position(|m| m.kind == Kind::Audio).unwrap_or_default();
    let [video, audio] = headers(&clip);
    messages.insert(joins, Message { received: messages[joins].received, ..audio });
    messages.insert(0, video);
    media(messages)
}

/// The first 0.5 s are sound alone: shorter than a session waits for video.
pub(super) fn audio_leads() -> Vec<Step> {
    let clip = Clip::default();
    let mut messages = clip.audio_only().messages();
    let after = Clip { first_timestamp: 500, ..clip.video_only() };
    messages.extend(after.messages().into_iter().map(|m| later(m, 500)));
    messages.sort_by_key(|message| message.received);
    media(messages)
}

/// The last 15 s are sound alone: more than any product waits for the next picture.
pub(super) fn video_ends() -> Vec<Step> {
    ends(Kind::Video)
}

pub(super) fn audio_ends() -> Vec<Step> {
    ends(Kind::Audio)
}

fn ends(kind: Kind) -> Vec<Step> {
    let clip = Clip { millis: 20_000, ..Clip::default() };
    let stays = |m: &Message| m.kind != kind || m.received.micros_since(START) < 5_000_000;
    media(clip.messages().into_iter().filter(stays))
}

/// Between two pictures in the middle of a GOP there are 2.6 s of sound alone.
pub(super) fn video_pauses() -> Vec<Step> {
    let clip = Clip { millis: 12_000, ..Clip::default() };
    let pause = 4_400_000..7_000_000;
    let stays = |m: &Message| m.kind != Kind::Video || !pause.contains(&m.received.micros_since(START));
    media(clip.messages().into_iter().filter(stays))
}

pub(super) fn b_frames() -> Vec<Step> {
    media(Clip { b_frames: true, fps: 25, ..Clip::default() }.messages())
}

/// OBS's default.
pub(super) fn gop_of_250() -> Vec<Step> {
    media(Clip { fps: 25, gop: 250, millis: 30_000, ..Clip::default() }.messages())
}

/// A scene cut every second, then none any more: no product can know that when it says how long segments are.
fn open_gops_of_a_second() -> Clip {
    Clip { open: true, b_frames: true, millis: LONG, ..Clip::default() }
}

pub(super) fn open_gops() -> Vec<Step> {
    media(open_gops_of_a_second().messages())
}

/// As a relay sends it that was asked in the middle.
pub(super) fn joined_open_gops() -> Vec<Step> {
    let clip = open_gops_of_a_second();
    let frames = clip.messages().into_iter().skip(clip.headers().len());
    media(clip.headers().into_iter().chain(frames.filter(|frame| frame.timestamp >= 1_000)))
}

pub(super) fn audio_change_in_open_gops() -> Vec<Step> {
    let clip = open_gops_of_a_second();
    let (pictures, sound) = (Clip { rate: 0, ..clip }, Clip { millis: 8_500, ..clip.audio_only() });
    let rest = Clip { rate: 44_100, first_timestamp: 8_500, first_number: SECOND, millis: 11_500, ..sound };
    let rest = rest.messages().into_iter().map(|m| later(m, 8_500)).collect::<Vec<_>>();
    let mut messages = [pictures.messages(), sound.messages(), rest].concat();
    messages.sort_by_key(|message| message.received);
    media(messages)
}

pub(super) fn growing_gop() -> Vec<Step> {
    followed(three_seconds(), |clip| Clip { gop: 0, ..clip })
}

/// The connection begins within a GOP of 2 s: longer than a session waits for video.
pub(super) fn no_key_frame_at_first() -> Vec<Step> {
    let mut messages = Clip { gop: 60, ..Clip::default() }.messages();
    let first = messages.iter().position(key);
    messages.remove(first.unwrap_or_default());
    media(messages)
}

pub(super) fn no_key_frame() -> Vec<Step> {
    let clip = Clip { gop: 0, ..Clip::default() };
    media(clip.messages().into_iter().filter(|m| !key(m)))
}

pub(super) fn resolution_change() -> Vec<Step> {
    followed(three_seconds(), |clip| Clip { size: (320, 192), ..clip })
}

/// The sound goes from 48 to 44.1 kHz.
pub(super) fn codec_change() -> Vec<Step> {
    followed(three_seconds(), |clip| Clip { rate: 44_100, ..clip })
}

pub(super) fn codec_change_audio_only() -> Vec<Step> {
    followed(three_seconds().audio_only(), |clip| Clip { rate: 44_100, ..clip })
}

/// After 3 s the pictures are HEVC in Enhanced RTMP.
pub(super) fn unknown_codec() -> Vec<Step> {
    changed_codec(b"vvc1")
}

/// H.265 without its decoder configuration.
pub(super) fn unconfigured_codec() -> Vec<Step> {
    changed_codec(b"hvc1")
}

/// From 3 s on each video message has a frame of another codec.
fn changed_codec(fourcc: &[u8; 4]) -> Vec<Step> {
    let mut messages = Clip { millis: 8_000, ..Clip::default() }.messages();
    let late = |m: &&mut Message| m.kind == Kind::Video && m.received.micros_since(START) >= 3_000_000;
    for (number, message) in (0u16..).zip(messages.iter_mut().filter(late)) {
        let [high, low] = number.to_be_bytes();
        let frame = [&[0x91], &fourcc[..], &[0, 0, 0, 0, 0, 0, 4, 0x26, 1, high, low]];
        message.payload = frame.concat().into();
    }
    media(messages)
}

/// As some encoders do with every key frame.
pub(super) fn identical_headers() -> Vec<Step> {
    let mut messages = Clip::default().messages();
    for at in [40, 80, 120] {
        let Message { timestamp, received, .. } = messages[at];
        let again = headers(&Clip::default()).map(|header| Message { timestamp, received, ..header });
        messages.splice(at..at, again);
    }
    media(messages)
}

/// Each message comes twice, first with a byte only.
pub(super) fn broken_payloads() -> Vec<Step> {
    let messages = Clip::default().messages();
    media(messages.into_iter().flat_map(|m| [Message { payload: m.payload.slice(..1), ..m.clone() }, m]))
}

pub(super) fn jump_forward() -> Vec<Step> {
    jump(Clip::default(), 100_000)
}

pub(super) fn jump_back() -> Vec<Step> {
    jump(Clip { first_timestamp: 500_000, ..Clip::default() }, 0u32.wrapping_sub(300_000))
}

/// Less than the second up to which timestamps are believed.
pub(super) fn jump_back_a_little() -> Vec<Step> {
    jump(Clip { first_timestamp: 500_000, b_frames: true, ..Clip::default() }, 0u32.wrapping_sub(900))
}

/// The sound of everything comes 0.8 s after the pictures, so it jumps when a run has begun for them.
pub(super) fn jump_with_late_sound() -> Vec<Step> {
    let mut steps = jump(three_seconds(), 60_000);
    for step in &mut steps {
        if let Step::Media(message) = step
            && message.kind == Kind::Audio
        {
            message.received = message.received.plus_micros(800_000);
        }
    }
    steps.sort_by_key(Step::at);
    steps
}

/// Nothing for 4 s, then the stream goes on with the timestamps of that moment.
pub(super) fn stall() -> Vec<Step> {
    let clip = Clip::default();
    let second = Clip { first_timestamp: 9_000, first_number: SECOND, ..clip };
    let mut messages = clip.messages();
    messages.extend(second.messages().into_iter().skip(2).map(|m| later(m, 9_000)));
    media(messages)
}

/// One video frame is an hour late.
pub(super) fn outlier() -> Vec<Step> {
    let mut messages = Clip::default().messages();
    let last = messages.iter().rposition(|m| m.kind == Kind::Video).unwrap_or_default();
    messages[last - 40].timestamp += 3_600_000;
    media(messages)
}

/// What could tell whether time jumped never comes.
pub(super) fn outlier_at_the_end() -> Vec<Step> {
    let mut messages = Clip::default().messages();
    let last = messages.iter().rposition(|m| m.kind == Kind::Video).unwrap_or_default();
    messages[last].timestamp += 3_600_000;
    media(messages)
}

/// One video frame, the 21st, is stamped 50 ms early.
pub(super) fn disorder() -> Vec<Step> {
    let mut messages = Clip::default().video_only().messages();
    messages[21].timestamp -= 50;
    media(messages)
}

/// The sound is stamped every 100 ms, whatever came since then with the same.
pub(super) fn audio_in_bunches() -> Vec<Step> {
    let mut messages = Clip::default().messages();
    for message in messages.iter_mut().filter(|m| m.kind == Kind::Audio) {
        message.timestamp -= message.timestamp % 100;
    }
    media(messages)
}

pub(super) fn wrap() -> Vec<Step> {
    media(Clip { first_timestamp: u32::MAX - 2_000, ..Clip::default() }.messages())
}

/// 7 s without a publisher.
pub(super) fn reconnect() -> Vec<Step> {
    reconnect_after(7_000)
}

/// Longer than players wait, shorter than recordings do.
pub(super) fn reconnect_after_a_minute() -> Vec<Step> {
    reconnect_after(60_000)
}

/// The first to come back after 7 s says what it will send and is gone again; the next comes 5 s later.
pub(super) fn reconnect_without_media() -> Vec<Step> {
    let clip = Clip::default();
    let mut steps = left(clip);
    steps.extend(returned(headers(&clip).to_vec(), 12_000));
    steps.push(Step::Gone(Gap::Dropped, START.plus_micros(12_000_000)));
    steps.extend(returned(Clip { first_number: SECOND, millis: LONG, ..clip }.messages(), 17_000));
    steps
}

/// A discontinuity before the one of the reconnect, which is 32 s after the beginning.
pub(super) fn jump_then_reconnect() -> Vec<Step> {
    let mut steps = jump_forward();
    steps.push(Step::Gone(Gap::Dropped, START.plus_micros(25_000_000)));
    steps.extend(returned(Clip { first_number: 2 * SECOND, ..Clip::default() }.messages(), 32_000));
    steps
}

fn reconnect_after(millis: i64) -> Vec<Step> {
    let clip = Clip::default();
    let mut steps = left(clip);
    let at = i64::from(clip.millis) + millis;
    steps.extend(returned(Clip { first_number: SECOND, millis: LONG, ..clip }.messages(), at));
    steps
}

/// `clip`, then the connection drops.
fn left(clip: Clip) -> Vec<Step> {
    let mut steps = media(clip.messages());
    let gone = START.plus_micros(i64::from(clip.millis) * 1_000);
    steps.push(Step::Gone(Gap::Dropped, gone));
    steps
}

/// A publisher with `messages` at `millis`.
fn returned(messages: Vec<Message>, millis: i64) -> Vec<Step> {
    let mut steps = vec![Step::Publish(START.plus_micros(millis * 1_000))];
    steps.extend(media(messages.into_iter().map(|m| later(m, millis))));
    steps
}

fn three_seconds() -> Clip {
    Clip { millis: 3_000, ..Clip::default() }
}

/// `clip`, and on the same connection what `change` makes of it.
fn followed(clip: Clip, change: fn(Clip) -> Clip) -> Vec<Step> {
    let second = Clip { first_timestamp: clip.millis, first_number: SECOND, millis: LONG, ..clip };
    let second = change(second);
    let mut messages = clip.messages();
    messages.extend(second.messages().into_iter().map(|m| later(m, clip.millis.into())));
    media(messages)
}

/// `clip` twice, the second time with timestamps moved by `millis` though it arrives at once.
fn jump(clip: Clip, millis: u32) -> Vec<Step> {
    let second = Clip {
        first_timestamp: clip.first_timestamp.wrapping_add(clip.millis).wrapping_add(millis),
        first_number: SECOND,
        millis: LONG,
        ..clip
    };
    let mut messages = clip.messages();
    messages.extend(second.messages().into_iter().skip(2).map(|m| later(m, clip.millis.into())));
    media(messages)
}

fn media(messages: impl IntoIterator<Item = Message>) -> Vec<Step> {
    messages.into_iter().map(Step::Media).collect()
}

fn later(message: Message, millis: i64) -> Message {
    Message { received: message.received.plus_micros(millis * 1_000), ..message }
}

/// The sequence headers of a clip with both tracks.
fn headers(clip: &Clip) -> [Message; 2] {
    let mut headers = clip.headers().into_iter();
    std::array::from_fn(|_| headers.next().unwrap_or_else(|| unreachable!("a clip with both tracks")))
}

/// Whether this is a key frame and no sequence header.
fn key(message: &Message) -> bool {
    message.kind == Kind::Video && message.payload[0] >> 4 == 1 && message.payload[1] == 1
}
