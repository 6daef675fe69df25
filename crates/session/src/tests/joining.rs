//! Sound that comes while no run can take it.

use media::Kind;
use output::Warning;
use testkit::{Clip, Message, START};

use super::stage::Stage;

/// Sound for 25 s.
fn clip() -> Clip {
    Clip { millis: 25_000, ..Clip::default() }
}

/// The sound of `clip` from second `from` to `until`, its header first.
fn sound(clip: Clip, from: i64, until: i64) -> Vec<Message> {
    let mut messages = clip.audio_only().messages();
    let header = messages.remove(0);
    messages.retain(|m| (from * 1_000_000..until * 1_000_000).contains(&m.received.micros_since(START)));
    let first = Message { timestamp: messages[0].timestamp, received: messages[0].received, ..header };
    messages.insert(0, first);
    messages
}

/// Pictures with a key frame every `gop` seconds, and `sound`.
fn stage(gop: u32, sound: Vec<Message>) -> Stage {
    let mut messages = Clip { fps: 25, gop: 25 * gop, ..clip() }.video_only().messages();
    messages.extend(sound);
    messages.sort_by_key(|message| message.received);
    Stage::of(messages)
}

fn dropped(stage: &Stage) -> Vec<u64> {
    let count = |warning| if let Warning::FramesDropped { count, .. } = warning { Some(count) } else { None };
    stage.warnings().into_iter().filter_map(count).collect()
}

#[test]
fn late_sound_from_before_the_key_frame_is_in_the_run_that_it_begins() {
    let stage = stage(10, sound(clip(), 3, 25));
    let packets = stage.packets(Kind::Audio);
    assert_eq!((stage.runs().len(), stage.runs()[1].start), (2, 10_000_000));
    assert!((2_999..3_030).contains(&(packets[0].dts.0 / 48)), "{:?}", packets[0].dts);
    assert_eq!((packets.len(), dropped(&stage)), (1030, vec![]));
}

#[test]
fn sound_waits_ten_seconds_for_a_key_frame_and_what_is_older_is_counted() {
    let stage = stage(20, sound(clip(), 3, 25));
    let packets = stage.packets(Kind::Audio);
    assert!((9_970..10_030).contains(&(packets[0].dts.0 / 48)), "{:?}", packets[0].dts);
    let [dropped] = dropped(&stage)[..] else { panic!("{:?}", stage.warnings()) };
    assert_eq!(dropped + packets.len() as u64, 1030);
}

#[test]
fn sound_that_no_key_frame_follows_is_counted() {
    let stage = stage(30, sound(clip(), 20, 25));
    assert_eq!((stage.packets(Kind::Audio).len(), dropped(&stage)), (0, vec![233]));
}

#[test]
fn sound_of_a_format_that_changed_again_before_the_key_frame_is_counted() {
    let rate = |rate| Clip { rate, ..clip() };
    let changes = [sound(clip(), 0, 4), sound(rate(44_100), 4, 6), sound(rate(32_000), 6, 25)].concat();
    let count = |clip: Clip, from, until| sound(clip, from, until).len() - 1;
    let (first, second, third) = (count(clip(), 0, 4), count(rate(44_100), 4, 6), count(rate(32_000), 6, 25));
    let stage = stage(10, changes);
    assert_eq!((stage.packets(Kind::Audio).len(), dropped(&stage)), (first + third, vec![second as u64]));
}
