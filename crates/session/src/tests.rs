//! What a session makes of the stories of `testkit`, and what only the inside of a session shows.

mod joining;
mod stage;
mod times;

use bytes::Bytes;
use media::{Gap, Kind, Ticks, Track};
use output::{Effect, Effects, Error, Event, Output, Spec, Warning, snapshot};
use testkit::stories::{STORIES, story};
use testkit::{Clip, Message, START};

use stage::{Probe, Seen, Stage, spec};

#[test]
fn every_story_comes_out_as_it_says_whole_and_in_order() {
    for story in STORIES {
        let stage = Stage::play(story.name);
        for kind in [Kind::Video, Kind::Audio] {
            let out: Vec<Bytes> = stage.packets(kind).into_iter().map(|packet| packet.data).collect();
            let expect = story.frames(kind);
            let differs = out.iter().zip(&expect).position(|(a, b)| a != b);
            let (out, sent) = (out.len(), expect.len());
            assert_eq!((out, differs), (sent, None), "{kind:?} of {:?}", story.name);
        }
        assert_eq!(stage.runs().len(), story.expect.runs, "{}", story.name);
        assert_eq!(stage.gaps(), story.expect.gaps, "{}", story.name);
        assert_eq!(stage.seen().last(), Some(&Seen::End), "{}", story.name);
    }
}

#[test]
fn what_is_left_out_is_counted_and_nothing_else_is_told() {
    for story in STORIES {
        let warnings = Stage::play(story.name).warnings();
        let dropped = |warning: &Warning| match warning {
            Warning::FramesDropped { count, .. } => *count as usize,
            _ => 0,
        };
        let lost = story.expect.video_lost.len() + story.expect.audio_lost.len();
        assert_eq!(warnings.iter().map(dropped).sum::<usize>(), lost, "{}", story.name);
        let others: Vec<&Warning> = warnings.iter().filter(|warning| dropped(warning) == 0).collect();
        match story.name {
            name if name.starts_with("jump") => assert!(matches!(others[..], [Warning::Jump { .. }, ..])),
            "outlier" | "outlier at the end" => assert!(matches!(others[..], [Warning::Outlier { .. }])),
            "a codec that nothing carries" => {
                assert!(matches!(others[..], [Warning::TrackLeftOut { .. }]), "{others:?}")
            }
            "broken payloads" => {
                assert!(others.iter().all(|warning| matches!(warning, Warning::BadMedia(_))));
                assert_eq!(others.len(), 32, "a bounded number of times");
            }
            name => assert_eq!(others, [] as [&Warning; 0], "{name}"),
        }
    }
}

#[test]
fn composition_offsets_survive() {
    let stage = Stage::play("B-frames");
    let offsets: Vec<i32> = stage.packets(Kind::Video).iter().take(4).map(|p| p.cts / 90).collect();
    assert_eq!(offsets, [40, 120, 0, 0]);
}

#[test]
fn audio_durations_are_exact_though_rtmp_rounds_to_milliseconds() {
    for name in ["audio only", "audio only at 44.1 kHz"] {
        let packets = Stage::play(name).packets(Kind::Audio);
        assert!(packets.iter().all(|p| p.duration == 1024));
        assert_eq!(packets.last().unwrap().dts, Ticks(1024 * (packets.len() as i64 - 1)));
    }
}

#[test]
fn audio_alone_opens_after_a_second_of_media_or_two_of_wall_time() {
    let mut stage = Stage::new();
    for step in (story("0.9 s of audio, then silence").unwrap().steps)() {
        assert_eq!(stage.runs().len(), 0, "still waiting for video");
        assert!(stage.session.deadline() <= Some(START.plus_micros(2_000_000)));
        stage.step(step);
    }
    assert_eq!(stage.runs().len(), 1, "two seconds of wall time are enough");
    let mut stage = Stage::new();
    let steps = (story("audio only").unwrap().steps)().into_iter();
    steps.take_while(|step| step.at().micros_since(START) < 1_100_000).for_each(|step| stage.step(step));
    assert_eq!(stage.runs()[0].tracks.len(), 1, "one second of media is enough");
}

/// Encoders that look ahead send both headers, perhaps the first sound, and the rest seconds later.
#[test]
fn a_track_whose_header_came_is_waited_for_until_media_comes() {
    for early in [2, 3] {
        let mut messages = Clip::default().messages();
        messages[early..].iter_mut().for_each(|m| m.received = m.received.plus_micros(6_000_000));
        let stage = Stage::of(messages.clone());
        assert_eq!(stage.runs().iter().map(|run| run.tracks.len()).collect::<Vec<_>>(), [2], "{early}");
        let frames = stage.packets(Kind::Video).len() + stage.packets(Kind::Audio).len();
        assert_eq!(frames, messages.len() - 2, "{early}");
    }
}

#[test]
fn a_run_has_the_tracks_that_media_came_of() {
    for (name, tracks) in [
        ("plain", &[2][..]),
        ("audio only", &[1]),
        ("video only", &[1]),
        ("late audio", &[1, 2]),
        ("no key frame at first", &[2]),
        ("no key frame", &[1]),
    ] {
        let runs = Stage::play(name).runs();
        assert_eq!(runs.iter().map(|run| run.tracks.len()).collect::<Vec<_>>(), tracks, "{name}");
    }
}

#[test]
fn a_long_gop_has_few_key_frames() {
    let packets = Stage::play("a GOP of 250 frames").packets(Kind::Video);
    assert_eq!(packets.iter().filter(|p| p.key).count(), 3);
}

#[test]
fn late_audio_joins_at_the_next_key_frame() {
    assert_eq!(Stage::play("late audio").runs()[1].start, 3_000_000);
}

#[test]
fn a_new_configuration_holds_from_its_run_on() {
    let runs = Stage::play("resolution change").runs();
    let widths: Vec<_> = runs.iter().map(|r| r.video().unwrap().picture().unwrap().width).collect();
    assert_eq!(widths, [640, 320]);
    let runs = Stage::play("codec change").runs();
    let rates: Vec<_> = runs.iter().map(|r| r.audio().unwrap().timescale.hz()).collect();
    assert_eq!(rates, [48_000, 44_100]);
}

#[test]
fn the_timeline_goes_on_without_a_jump_and_sound_and_picture_stay_in_step() {
    for name in ["jump forward", "jump back"] {
        let stage = Stage::play(name);
        let end = stage.packets(Kind::Video).last().unwrap().end();
        assert!((24_900..25_100).contains(&(end.0 / 90)), "{name}: {end:?}");
        let audio = stage.packets(Kind::Audio).last().unwrap().end();
        assert!((audio.0 / 48 - end.0 / 90).abs() < 100, "{name}");
    }
}

#[test]
fn a_jump_that_arrival_confirms_is_a_stall_on_the_same_timeline() {
    let frame = &Stage::play("stall").packets(Kind::Video)[149];
    assert_eq!(frame.end(), Ticks(9_000 * 90), "the last frame lasts until the source is back");
}

#[test]
fn a_lone_outlier_is_moved_to_where_its_neighbours_are() {
    for name in ["outlier", "32-bit wrap"] {
        let packets = Stage::play(name).packets(Kind::Video);
        assert!(packets.windows(2).all(|p| p[1].dts.0 - p[0].dts.0 <= 34 * 90), "{name}");
    }
}

#[test]
fn a_publisher_that_comes_back_goes_on_in_the_same_session() {
    for (name, away) in [
        ("reconnect", 12_000_000),
        ("reconnect after a minute", 65_000_000),
        ("reconnect without media", 17_000_000),
    ] {
        let runs = Stage::play(name).runs();
        assert_eq!(runs[1].wall.micros_since(runs[0].wall), away, "{name}");
        assert!((4_950_000..5_050_000).contains(&runs[1].start), "media time goes on without the pause");
    }
}

#[test]
fn an_output_that_waits_keeps_the_session_when_the_publisher_is_gone() {
    let mut stage = Stage::new();
    stage.send(Clip::default().messages());
    stage.gone(Gap::Dropped);
    assert!(!stage.session.finished());
}

#[test]
fn a_session_is_finished_when_its_publisher_is_gone_and_no_output_waits() {
    let mut stage = Stage::new();
    stage.session.slots.replace(0, Box::new(Snapless));
    stage.send(Clip::default().messages());
    assert!(!stage.session.finished());
    stage.gone(Gap::Unpublished);
    assert!(stage.session.finished());
}

struct Snapless;

impl Output for Snapless {
    fn on(&mut self, _: Event<'_>, _: &mut Effects) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn an_output_that_panics_is_dropped_and_its_siblings_go_on() {
    let mut stage = Stage::new();
    let other = spec();
    let specs = [other.clone(), other];
    stage.session.publish(&specs, START, &mut stage.effects);
    let bad = Probe { fault: Some(|| panic!("boom")), ..Probe::default() };
    stage.session.slots.replace(0, Box::new(bad.clone()));
    stage.session.slots.replace(1, Box::new(stage.probe.clone()));
    stage.send(Clip::default().messages());
    stage.end();
    assert_eq!(stage.packets(Kind::Video).len(), 150);
    let packets = bad.seen.lock().unwrap().iter().filter(|s| matches!(s, Seen::Packet(_))).count();
    assert_eq!(packets, 1);
    assert!(
        matches!(&stage.warnings()[..], [Warning::OutputFailed { reason, .. }] if reason == "panic: boom")
    );
    assert_eq!(stage.session.report().outputs[0].error.as_deref(), Some("panic: boom"));
}

/// Goes on without a track in its first run, with all of them in later ones.
#[derive(Default)]
struct Picky {
    runs: u32,
}

impl Output for Picky {
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        if let Event::Run(_) = event {
            self.runs += 1;
            let warning = Warning::TrackLeftOut { output: "picky", codec: "Opus".into() };
            fx.extend((self.runs == 1).then_some(Effect::Warn(warning)));
        }
        Ok(())
    }
}

#[test]
fn what_an_output_leaves_out_of_the_current_run_is_reported() {
    let mut stage = Stage::new();
    stage.session.slots.replace(0, Box::new(Picky::default()));
    stage.send(Clip::default().messages());
    assert_eq!(stage.session.report().outputs[0].left_out, ["Opus"]);
    stage.gone(Gap::Dropped);
    let other = spec();
    stage.session.publish(&[other], START, &mut stage.effects);
    stage.send(Clip::default().messages());
    assert_eq!(stage.session.report().outputs[0].left_out, [] as [&str; 0]);
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

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/", $name, ".rtmp")).as_slice()
    };
}

#[test]
fn what_real_encoders_sent_comes_out_whole() {
    // Access units by track, without sequence headers, end markers and metadata: of a capture of 3 s at 30 frames a
    // second.
    let cases: [(&[u8], &[&str], &[usize]); 9] = [
        (data!("ffmpeg5-h264-bframes-aac"), &["avc1.64000d", "mp4a.40.2"], &[90, 142]),
        (data!("gstreamer-h264-aac"), &["avc1.f4000d", "mp4a.40.2"], &[90, 141]),
        (data!("ffmpeg5-audio-only-aac"), &["mp4a.40.2"], &[131]),
        (data!("ffmpeg5-h264-mp3"), &["avc1.64000d", "mp4a.6b"], &[90, 116]),
        (data!("ffmpeg9-hevc-aac"), &["hvc1.1.6.L60.90", "mp4a.40.2"], &[90, 142]),
        (data!("ffmpeg9-av1-opus"), &["av01.0.00M.08", "Opus"], &[90, 151]),
        (data!("ffmpeg9-vp9-flac"), &["vp09.00.11.08", "fLaC"], &[90, 141]),
        (data!("ffmpeg9-h264-ac3"), &["avc1.64000d", "ac-3"], &[90, 94]),
        (
            data!("ffmpeg9-multitrack-h264-aac"),
            &["avc1.64000d", "avc1.64000d", "mp4a.40.2", "mp4a.40.2"],
            &[90, 90, 142, 142],
        ),
    ];
    for (bytes, codecs, units) in cases {
        let stage = Stage::of(capture(bytes));
        let [run] = &stage.runs()[..] else { panic!("{codecs:?}: {:?}", stage.runs()) };
        let found: Vec<String> = run.tracks.iter().map(|track| codec::rfc6381(&track.codec)).collect();
        assert_eq!(found, codecs);
        let count = |track: &Track| stage.packets_of(track.id).len();
        assert_eq!(run.tracks.iter().map(count).collect::<Vec<_>>(), units, "{codecs:?}");
        assert_eq!(stage.warnings(), [], "{codecs:?}");
        assert!(run.tracks.iter().filter_map(Track::picture).all(|p| (p.width, p.height) == (320, 180)));
        for track in run.tracks.iter().filter(|track| !track.is_video()) {
            let packets = stage.packets_of(track.id);
            let lasts =
                |packet: &media::Packet| codec::samples(&track.codec, &packet.data) == Some(packet.duration);
            assert!(packets.iter().all(lasts), "audio durations are exact: {codecs:?}");
        }
    }
    let stage = Stage::of(capture(data!("obs29-h264-aac")));
    assert!(stage.packets(Kind::Video).len() > 100 && stage.warnings().is_empty(), "{:?}", stage.warnings());
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
    let mut stage = Stage::new();
    for interval_s in [5, 6] {
        stage.session.publish(&[numbered(interval_s)], stage.now, &mut stage.effects);
        stage.send(Clip::default().messages());
        stage.gone(Gap::Dropped);
    }
    let key =
        |(_, effect): &_| if let Effect::Picture { to, .. } = effect { Some(to.key.clone()) } else { None };
    assert_eq!(stage.effects.iter().filter_map(key).collect::<Vec<_>>(), ["0.jpg", "1.jpg"]);
}

#[test]
fn nanoseconds_beyond_the_millisecond_are_kept() {
    // 60 frames a second: RTMP's milliseconds are 16 or 17 apart, with ModEx they are exact.
    let clip = Clip { fps: 60, ..Clip::default() }.video_only();
    let exact = |(number, message): (u64, Message)| {
        let nanos = (number * 1_000_000_000 / 60) % 1_000_000;
        let [_, high, mid, low] = (nanos as u32).to_be_bytes();
        let (first, data) = (message.payload[0] & 0xf0, &message.payload[5..]);
        // ModEx of 3 bytes, TimestampOffsetNano, then CodedFramesX of avc1.
        let payload = [&[0x80 | first | 7, 2, high, mid, low, 3], &b"avc1"[..], data].concat();
        Message { payload: payload.into(), ..message }
    };
    let mut messages = clip.messages().into_iter();
    let header = messages.next().unwrap();
    let stage = Stage::of(std::iter::once(header).chain((0..).zip(messages).map(exact)));
    let packets = stage.packets(Kind::Video);
    assert_eq!((packets.len(), stage.warnings()), (300, vec![]));
    assert!(packets.iter().all(|packet| packet.duration == 1_500), "90 kHz / 60");
}
