//! Stories: what a session makes of streams as encoders send them.

use std::sync::{Arc, Mutex};

use media::{Gap, Kind, Packet, Run, SessionId, StreamId, Ticks, Wall};
use output::{Bucket, Effect, Effects, Error, Event, Output, Spec, Warning, snapshot};
use testkit::{Clip, Message, START, frame_number};

use crate::{Input, Session, SlotEffects};

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Run(Run),
    Packet(Packet),
    Gap(Gap),
    End,
}

#[derive(Clone, Default)]
struct Probe {
    seen: Arc<Mutex<Vec<Seen>>>,
    fault: Option<fn()>,
    deadline: Option<Wall>,
}

impl Output for Probe {
    fn on(&mut self, event: Event<'_>, _: &mut Effects) -> Result<(), Error> {
        let seen = match event {
            Event::Run(run) => Seen::Run(run.clone()),
            Event::Packet(packet) => Seen::Packet(packet.clone()),
            Event::Gap(why, at) => {
                self.deadline = Some(at.plus_micros(60_000_000));
                Seen::Gap(why)
            }
            Event::Tick(_) => return Ok(()),
            Event::End(_) => Seen::End,
        };
        self.seen.lock().unwrap().push(seen);
        if let (Some(fault), Event::Packet(_)) = (self.fault, event) {
            fault();
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Wall> {
        self.deadline
    }
}

struct Story {
    session: Session,
    probe: Probe,
    effects: SlotEffects,
    now: Wall,
}

fn spec() -> Spec {
    Spec::Snapshot(snapshot::Settings {
        store: Bucket { storage: "oss-local".into(), name: "live-bucket".into() },
        interval_s: 3600,
        naming: snapshot::Naming::Overwrite(output::name::Name::parse("a.jpg", &[]).unwrap()),
        counter: "snapshot".into(),
        utc_offset: 0,
    })
}

impl Story {
    fn new() -> Self {
        let id = StreamId::parse("live.local", "live", "demo").unwrap();
        let mut session = Session::new(SessionId(1), id, START, Default::default());
        let mut effects = SlotEffects::new();
        session.publish(&[spec()], START, &mut effects);
        let probe = Probe::default();
        session.slots.replace(0, Box::new(probe.clone()));
        Self { session, probe, effects, now: START }
    }

    fn of(messages: impl IntoIterator<Item = Message>) -> Self {
        let mut story = Self::new();
        story.send(messages);
        story.end();
        story
    }

    fn send(&mut self, messages: impl IntoIterator<Item = Message>) {
        for Message { kind, timestamp, payload, received } in messages {
            self.now = received;
            self.session.on(Input::Media { kind, timestamp, payload, received }, &mut self.effects);
        }
    }

    fn gone(&mut self, why: Gap) {
        self.session.on(Input::Gone(why, self.now), &mut self.effects);
    }

    fn end(&mut self) {
        self.session.on(Input::End(self.now), &mut self.effects);
        self.check_order();
    }

    fn seen(&self) -> Vec<Seen> {
        self.probe.seen.lock().unwrap().clone()
    }

    fn runs(&self) -> Vec<Run> {
        self.seen()
            .into_iter()
            .filter_map(|s| if let Seen::Run(run) = s { Some(run) } else { None })
            .collect()
    }

    fn packets(&self, kind: Kind) -> Vec<Packet> {
        let packets =
            self.seen().into_iter().filter_map(|s| if let Seen::Packet(p) = s { Some(p) } else { None });
        packets.filter(|p| p.track.kind == kind).collect()
    }

    fn numbers(&self) -> Vec<u32> {
        self.packets(Kind::Video).iter().filter_map(|p| frame_number(&p.data)).collect()
    }

    fn gaps(&self) -> Vec<Gap> {
        self.seen()
            .into_iter()
            .filter_map(|s| if let Seen::Gap(why) = s { Some(why) } else { None })
            .collect()
    }

    fn warnings(&self) -> Vec<Warning> {
        let warning = |(_, effect): &_| if let Effect::Warn(w) = effect { Some(w.clone()) } else { None };
        self.effects.iter().filter_map(warning).collect()
    }

    /// What every output may rely on (media::Packet, media::Run), checked over the whole story.
    fn check_order(&self) {
        let mut last: [Option<i64>; 2] = [None, None];
        let mut joins = [false, false];
        let mut run: Option<Run> = None;
        let mut begun = false;
        for seen in self.seen() {
            match seen {
                Seen::Run(next) => {
                    assert!(!next.tracks.is_empty());
                    (joins, begun) = ([false, false], false);
                    run = Some(next);
                }
                Seen::Packet(packet) => {
                    let run = run.as_ref().expect("a packet needs a run");
                    assert!(run.tracks.iter().any(|t| t.id == packet.track), "packet of no track");
                    let kind = packet.track.kind as usize;
                    if let Some(last) = last[kind] {
                        assert!(packet.dts.0 >= last, "time fell: {last} -> {:?}", packet.dts);
                        assert!(!joins[kind] || packet.dts.0 == last, "a gap within a run");
                    }
                    if packet.track.kind == Kind::Video && !begun {
                        assert!(packet.key, "a run begins with a key frame");
                        begun = true;
                    }
                    joins[kind] = true;
                    last[kind] = Some(packet.end().0);
                }
                Seen::Gap(_) => run = None,
                Seen::End => {}
            }
        }
    }
}

fn count(messages: &[Message], kind: Kind) -> usize {
    messages.iter().filter(|m| m.kind == kind).count() - 1
}

#[test]
fn every_frame_of_a_plain_stream_comes_out_once_and_in_order() {
    let messages = Clip { b_frames: true, ..Clip::default() }.messages();
    let story = Story::of(messages.clone());
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
    assert_eq!(story.packets(Kind::Audio).len(), count(&messages, Kind::Audio));
    assert_eq!(story.runs().len(), 1);
    assert_eq!(story.warnings(), []);
}

#[test]
fn composition_offsets_survive() {
    let story = Story::of(Clip { b_frames: true, fps: 25, ..Clip::default() }.messages());
    let offsets: Vec<i32> = story.packets(Kind::Video).iter().take(4).map(|p| p.cts / 90).collect();
    assert_eq!(offsets, [40, 120, 0, 0]);
}

#[test]
fn audio_durations_are_exact_though_rtmp_rounds_to_milliseconds() {
    for rate in [48_000, 44_100] {
        let story = Story::of(Clip { rate, millis: 20_000, ..Clip::default() }.audio_only().messages());
        let packets = story.packets(Kind::Audio);
        assert!(packets.iter().all(|p| p.duration == 1024));
        assert_eq!(packets.last().unwrap().dts, Ticks(1024 * (packets.len() as i64 - 1)));
    }
}

#[test]
fn audio_alone_opens_after_a_second_of_media() {
    let clip = Clip { millis: 900, ..Clip::default() }.audio_only();
    let mut story = Story::new();
    story.send(clip.messages());
    assert_eq!(story.runs().len(), 0, "still waiting for video");
    story.session.on(Input::Tick(START.plus_micros(2_000_000)), &mut story.effects);
    assert_eq!(story.runs().len(), 1, "two seconds of wall time are enough");
    let story = Story::of(Clip { millis: 3_000, ..clip }.messages());
    assert_eq!(story.runs()[0].tracks.len(), 1);
    assert_eq!(story.packets(Kind::Audio).len(), 140);
}

#[test]
fn video_alone_opens_and_loses_nothing() {
    let story = Story::of(Clip::default().video_only().messages());
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
    assert!(story.runs()[0].audio().is_none());
}

#[test]
fn a_long_gop_is_one_run_without_a_loss() {
    let story = Story::of(Clip { fps: 25, gop: 250, millis: 30_000, ..Clip::default() }.messages());
    assert_eq!(story.numbers().len(), 750);
    assert_eq!(story.runs().len(), 1);
    assert_eq!(story.packets(Kind::Video).iter().filter(|p| p.key).count(), 3);
}

#[test]
fn late_audio_joins_at_the_next_key_frame_as_a_new_run() {
    let late = |m: &Message| m.kind == Kind::Video || m.received.micros_since(START) > 2_500_000;
    let clip = Clip::default();
    let mut messages: Vec<_> = clip.messages().into_iter().skip(2).filter(late).collect();
    messages.insert(0, clip.headers()[0].clone());
    let at = messages.iter().position(|m| m.kind == Kind::Audio).unwrap();
    let header = Message { received: messages[at].received, ..clip.headers()[1].clone() };
    messages.insert(at, header);
    let story = Story::of(messages);
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
    assert_eq!(story.gaps(), [Gap::TracksChanged]);
    let runs = story.runs();
    assert_eq!([runs[0].tracks.len(), runs[1].tracks.len()], [1, 2]);
    assert_eq!(runs[1].start, 3_000_000);
    assert!(
        matches!(story.warnings()[..], [Warning::FramesDropped { count: 23, .. }]),
        "{:?}",
        story.warnings()
    );
}

#[test]
fn frames_before_the_first_key_frame_are_left_out_and_counted() {
    let mut messages = Clip::default().messages();
    let key =
        messages.iter().position(|m| m.kind == Kind::Video && m.payload[0] >> 4 == 1 && m.payload[1] == 1);
    messages.remove(key.unwrap());
    let story = Story::of(messages);
    // Audio opens the stream after the wait; video joins at its first key frame, frame 30.
    assert_eq!(story.numbers(), (30..150).collect::<Vec<_>>());
    assert!(story.warnings().iter().all(|w| matches!(w, Warning::FramesDropped { .. })));
    let dropped: u64 = story
        .warnings()
        .iter()
        .map(|w| if let Warning::FramesDropped { count, .. } = w { *count } else { 0 })
        .sum();
    assert_eq!(dropped, 29);
}

#[test]
fn a_stream_without_any_key_frame_goes_on_with_its_audio() {
    let story = Story::of(
        Clip { gop: 0, ..Clip::default() }
            .messages()
            .into_iter()
            .filter(|m| !(m.kind == Kind::Video && m.payload[0] >> 4 == 1 && m.payload[1] == 1)),
    );
    assert_eq!(story.numbers(), Vec::<u32>::new());
    assert_eq!(story.packets(Kind::Audio).len(), 234);
    assert_eq!(story.runs().len(), 1);
}

#[test]
fn a_new_resolution_begins_a_new_run_at_its_key_frame() {
    let first = Clip { millis: 3_000, ..Clip::default() };
    let second = Clip { size: (320, 192), first_timestamp: 3_000, first_number: 90, ..first };
    let mut messages = first.messages();
    messages.extend(second.messages().into_iter().map(|m| later(m, 3_000)));
    let story = Story::of(messages);
    assert_eq!(story.numbers(), (0..180).collect::<Vec<_>>());
    assert_eq!(story.gaps(), [Gap::TracksChanged]);
    let widths: Vec<_> = story.runs().iter().map(|r| r.video().unwrap().picture().unwrap().width).collect();
    assert_eq!(widths, [640, 320]);
}

#[test]
fn identical_headers_sent_again_change_nothing() {
    let mut messages = Clip::default().messages();
    let headers = Clip::default().headers();
    for at in [40, 80, 120] {
        for header in &headers {
            messages.insert(at, Message { timestamp: messages[at].timestamp, ..header.clone() });
        }
    }
    let story = Story::of(messages);
    assert_eq!(story.runs().len(), 1);
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
}

fn later(message: Message, millis: i64) -> Message {
    Message { received: message.received.plus_micros(millis * 1_000), ..message }
}

/// `clip` twice, the second time with timestamps moved by `millis` though it arrives at once.
fn jump(clip: Clip, millis: u32) -> Vec<Message> {
    let mut messages = clip.messages();
    let second = Clip {
        first_timestamp: clip.first_timestamp.wrapping_add(clip.millis).wrapping_add(millis),
        first_number: clip.fps * clip.millis / 1_000,
        ..clip
    };
    messages.extend(second.messages().into_iter().skip(2).map(|m| later(m, i64::from(clip.millis))));
    messages
}

#[test]
fn a_jump_forward_is_a_discontinuity_and_loses_no_frame() {
    let story = Story::of(jump(Clip::default(), 100_000));
    assert_eq!(story.numbers(), (0..300).collect::<Vec<_>>());
    assert_eq!(story.gaps(), [Gap::Jump]);
    let end = story.packets(Kind::Video).last().unwrap().end();
    assert!((9_900..10_100).contains(&(end.0 / 90)), "the timeline goes on without the jump: {end:?}");
    let audio = story.packets(Kind::Audio).last().unwrap().end();
    assert!((audio.0 / 48 - end.0 / 90).abs() < 100, "sound and picture stay in step");
}

#[test]
fn a_jump_back_is_a_discontinuity_and_loses_no_frame() {
    let story =
        Story::of(jump(Clip { first_timestamp: 500_000, ..Clip::default() }, 0u32.wrapping_sub(300_000)));
    assert_eq!(story.numbers(), (0..300).collect::<Vec<_>>());
    assert_eq!(story.gaps(), [Gap::Jump]);
}

#[test]
fn a_jump_that_arrival_confirms_is_a_stall_on_the_same_timeline() {
    let clip = Clip::default();
    let mut messages = clip.messages();
    let second = Clip { first_timestamp: 9_000, first_number: 150, ..clip };
    messages.extend(second.messages().into_iter().skip(2).map(|m| later(m, 9_000)));
    let story = Story::of(messages);
    assert_eq!(story.runs().len(), 1);
    let frame = &story.packets(Kind::Video)[149];
    assert_eq!(frame.end(), Ticks(9_000 * 90), "the last frame lasts until the source is back");
    assert_eq!(story.numbers(), (0..300).collect::<Vec<_>>());
}

#[test]
fn a_lone_outlier_is_moved_to_where_its_neighbours_are() {
    let mut messages = Clip::default().messages();
    let at = messages.iter().rposition(|m| m.kind == Kind::Video).unwrap() - 40;
    messages[at].timestamp += 3_600_000;
    let story = Story::of(messages);
    assert_eq!(story.runs().len(), 1);
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
    assert!(matches!(story.warnings()[..], [Warning::Outlier { .. }]));
}

#[test]
fn time_goes_on_over_the_wrap_of_32_bit_milliseconds() {
    let story = Story::of(Clip { first_timestamp: u32::MAX - 2_000, ..Clip::default() }.messages());
    assert_eq!(story.runs().len(), 1);
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
    assert!(story.packets(Kind::Video).windows(2).all(|p| p[1].dts.0 - p[0].dts.0 <= 34 * 90));
}

#[test]
fn disorder_of_some_milliseconds_is_made_monotonic_and_keeps_presentation_times() {
    let mut messages = Clip::default().video_only().messages();
    messages[21].timestamp -= 50;
    let stated = i64::from(messages[21].timestamp) * 90;
    let story = Story::of(messages);
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
    assert_eq!(story.packets(Kind::Video)[20].pts(), Ticks(stated));
}

#[test]
fn a_publisher_that_comes_back_goes_on_in_the_same_session_with_a_new_run() {
    let clip = Clip::default();
    let mut story = Story::new();
    story.send(clip.messages());
    story.gone(Gap::Dropped);
    assert!(!story.session.finished(), "an output still waits");
    let back = story.now.plus_micros(7_000_000);
    story.session.publish(&[spec()], back, &mut story.effects);
    let second = Clip { first_number: 150, ..clip };
    story.send(second.messages().into_iter().map(|m| later(m, 12_000)));
    story.end();
    assert_eq!(story.numbers(), (0..300).collect::<Vec<_>>());
    assert_eq!(story.gaps(), [Gap::Dropped]);
    let runs = story.runs();
    assert_eq!(runs[1].wall.micros_since(runs[0].wall), 12_000_000);
    assert!((4_950_000..5_050_000).contains(&runs[1].start), "media time goes on without the pause");
    assert_eq!(*story.seen().last().unwrap(), Seen::End);
}

#[test]
fn a_session_is_finished_when_its_publisher_is_gone_and_no_output_waits() {
    let mut story = Story::new();
    story.session.slots.replace(0, Box::new(Snapless));
    story.send(Clip::default().messages());
    assert!(!story.session.finished());
    story.gone(Gap::Unpublished);
    assert!(story.session.finished());
}

struct Snapless;

impl Output for Snapless {
    fn on(&mut self, _: Event<'_>, _: &mut Effects) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn an_output_that_panics_is_dropped_and_its_siblings_go_on() {
    let mut story = Story::new();
    let other = spec();
    let specs = [other.clone(), other];
    story.session.publish(&specs, START, &mut story.effects);
    let bad = Probe { fault: Some(|| panic!("boom")), ..Probe::default() };
    story.session.slots.replace(0, Box::new(bad.clone()));
    story.session.slots.replace(1, Box::new(story.probe.clone()));
    story.send(Clip::default().messages());
    story.end();
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
    let packets = bad.seen.lock().unwrap().iter().filter(|s| matches!(s, Seen::Packet(_))).count();
    assert_eq!(packets, 1);
    assert!(
        matches!(&story.warnings()[..], [Warning::OutputFailed { reason, .. }] if reason == "panic: boom")
    );
    assert_eq!(story.session.report().outputs[0].error.as_deref(), Some("panic: boom"));
}

#[test]
fn broken_payloads_warn_a_bounded_number_of_times_and_stop_nothing() {
    let mut messages = Vec::new();
    for message in Clip::default().messages() {
        messages.push(Message { payload: message.payload.slice(..1), ..message.clone() });
        messages.push(message);
    }
    let story = Story::of(messages);
    assert_eq!(story.numbers(), (0..150).collect::<Vec<_>>());
    assert_eq!(story.warnings().len(), 32);
}

/// The media messages of a capture, as the RTMP server reports them.
fn capture(bytes: &[u8]) -> Vec<Message> {
    let mut server = rtmp::Server::after_handshake(rtmp::Limits::default());
    let (mut buffer, mut events) = (bytes::BytesMut::from(bytes), Vec::new());
    server.input(&mut buffer, &mut events).unwrap();
    server.accept_publish(&mut events).unwrap();
    server.input(&mut buffer, &mut events).unwrap();
    let first =
        events.iter().find_map(|e| if let rtmp::Event::Media(m) = e { Some(m.timestamp) } else { None });
    let media = events.into_iter().filter_map(|e| if let rtmp::Event::Media(m) = e { Some(m) } else { None });
    media
        .filter_map(|m| {
            let kind = match m.kind {
                rtmp::Kind::Video => Kind::Video,
                rtmp::Kind::Audio => Kind::Audio,
                rtmp::Kind::Data => return None,
            };
            let millis = i64::from(m.timestamp) - i64::from(first?);
            Some(Message {
                kind,
                timestamp: m.timestamp,
                payload: m.payload,
                received: START.plus_micros(millis * 1_000),
            })
        })
        .collect()
}

#[test]
fn what_real_encoders_sent_comes_out_whole() {
    // Frames without their sequence headers and end markers, as tests/data/README.md counts them.
    let cases: [(&[u8], usize, usize); 3] = [
        (include_bytes!("../../../tests/data/ffmpeg5-h264-bframes-aac.rtmp"), 90, 142),
        (include_bytes!("../../../tests/data/gstreamer-h264-aac.rtmp"), 90, 141),
        (include_bytes!("../../../tests/data/ffmpeg5-audio-only-aac.rtmp"), 0, 131),
    ];
    for (bytes, video, audio) in cases {
        let story = Story::of(capture(bytes));
        assert_eq!((story.packets(Kind::Video).len(), story.packets(Kind::Audio).len()), (video, audio));
        assert_eq!((story.runs().len(), story.warnings()), (1, vec![]));
    }
    let story = Story::of(capture(include_bytes!("../../../tests/data/obs29-h264-aac.rtmp")));
    assert!(story.packets(Kind::Video).len() > 100 && story.warnings().is_empty(), "{:?}", story.warnings());
}

#[test]
fn an_output_that_opens_anew_goes_on_with_the_counters_of_the_one_before() {
    let numbered = |interval_s| {
        let name =
            output::name::Name::parse("{Sequence}.jpg", output::name::Variable::SEQUENCE_SNAPSHOT).unwrap();
        let Spec::Snapshot(settings) = spec() else { panic!("a snapshot") };
        Spec::Snapshot(snapshot::Settings {
            interval_s,
            naming: snapshot::Naming::Sequence(name),
            ..settings
        })
    };
    let mut story = Story::new();
    for interval_s in [5, 6] {
        story.session.publish(&[numbered(interval_s)], story.now, &mut story.effects);
        story.send(Clip::default().messages());
        story.gone(Gap::Dropped);
    }
    let key =
        |(_, effect): &_| if let Effect::Picture { to, .. } = effect { Some(to.key.clone()) } else { None };
    assert_eq!(story.effects.iter().filter_map(key).collect::<Vec<_>>(), ["0.jpg", "1.jpg"]);
}
