//! A recording of each format: runs, frames, gaps, orders, answers, a full disk, and restarts of the server.

use std::collections::BTreeSet;

use bytes::Bytes;
use media::{Aac, Codec, Gap, H264, Packet, Picture, Run, StreamId, Ticks, Timescale, Track, TrackId, Wall};
use output::name::{Name, Variable};
use output::record::{Container, Settings, Slice, Start};
use output::{Answer, Bucket, Context, Effect, Effects, Event, FileId, Order, Output, Save, Saved, Spec};
use testkit::START;

/// Bytes of a step: what, and three that say how.
const STEP: usize = 4;
const GAPS: [Gap; 6] =
    [Gap::Unpublished, Gap::Dropped, Gap::Kicked, Gap::Replaced, Gap::Jump, Gap::TracksChanged];
const ORDERS: [Order; 4] = [Order::Start, Order::Stop, Order::Restart, Order::CancelDelay];
/// A baseline stream of 640x360 (ISO/IEC 14496-15 §5.3.3.1).
const AVCC: &[u8] = &[
    1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 10, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x50, 1, 0,
    5, 0x68, 0xcb, 0x83, 0xcb, 0x20,
];

/// Plays the steps to their end and looks at everything that the recording wants done.
pub(crate) fn recording(input: &[u8]) {
    let Some((&choice, steps)) = input.split_first() else { return };
    let (Some(settings), Ok(stream)) = (settings(choice), StreamId::parse("live.local", "live", "demo"))
    else {
        return;
    };
    let context = Context { stream, opened: START, memory: Default::default() };
    let spec = Spec::Record(settings);
    let mut stage = Stage {
        output: spec.open(&context),
        spec,
        context,
        run: None,
        next: [Ticks(0); 2],
        end: 0,
        now: START,
        open: BTreeSet::new(),
        saved: Saved::default(),
        failed: false,
    };
    for step in steps.chunks_exact(STEP) {
        if let &[what, a, b, c] = step
            && !stage.failed
        {
            stage.step(what, [a, b, c]);
        }
    }
    stage.on(Event::End(stage.now));
    assert!(stage.open.is_empty(), "files still open at the end: {:?}", stage.open);
    assert_eq!(stage.saved, Saved::default(), "something to go on with at the end");
}

struct Stage {
    spec: Spec,
    context: Context,
    output: Box<dyn Output>,
    run: Option<Run>,
    /// Where the next video and the next audio frame is.
    next: [Ticks; 2],
    /// Where the session's timeline ends, in microseconds.
    end: i64,
    now: Wall,
    open: BTreeSet<FileId>,
    saved: Saved,
    failed: bool,
}

impl Stage {
    fn step(&mut self, what: u8, how: [u8; 3]) {
        let [a, b, c] = how;
        match what % 16 {
            0..=7 => self.frame(how),
            8 => self.begin(a),
            9 => {
                self.run = None;
                self.on(Event::Gap(GAPS[usize::from(a) % GAPS.len()], self.now));
            }
            10 => self.order(ORDERS[usize::from(a) % ORDERS.len()]),
            11 => {
                let formats = (a & 2 == 0).then(|| vec![Container::ALL[usize::from(b) % 4]]);
                let cycles = vec![(Container::Flv, u32::from(c))];
                self.on(Event::Answer(&Answer { record: a & 1 == 0, formats, cycles }));
            }
            12 => self.on(if a & 1 == 0 { Event::Blocked(self.now) } else { Event::Unblocked(self.now) }),
            13 => self.restart(a & 1 == 0),
            14 => {
                let millis = i64::from(i16::from_be_bytes([b, c])) << (a % 8);
                self.now = self.now.plus_micros(millis * 1_000);
                self.tick();
            }
            _ => self.on(Event::Tick(self.now)),
        }
    }

    /// A run of one or both tracks.
    fn begin(&mut self, which: u8) {
        let tracks = match which % 4 {
            0 => vec![video()],
            1 => audio().into_iter().collect(),
            _ => [video()].into_iter().chain(audio()).collect(),
        };
        let start = self.end;
        let run = Run { index: 0, tracks, start, wall: self.now };
        self.next = [Timescale::VIDEO.from_micros(start), Ticks(start * 48 / 1_000)];
        self.on(Event::Run(&run));
        self.run = Some(run);
    }

    fn frame(&mut self, [a, b, c]: [u8; 3]) {
        let Some(run) = &self.run else { return };
        let Some(track) = run.tracks.get(usize::from(a & 1)).or(run.tracks.first()) else { return };
        let audio = usize::from(!track.is_video());
        let hole = if a & 0x38 == 0x38 { i64::from(c) << 10 } else { 0 };
        let dts = Ticks(self.next[audio].0 + hole);
        let duration = (u32::from(b) << (a >> 6)).max(1) * 40;
        let key = audio == 1 || a & 2 == 2;
        let data = match audio {
            1 => vec![b; usize::from(c)],
            _ => [&[0, 0, 0, 3, if key { 0x65 } else { 0x41 }][..], &[b, c]].concat(),
        };
        let cts = if audio == 1 { 0 } else { i32::from(c as i8) * 360 };
        let recovery = (!key && a & 4 == 4).then_some(u16::from(c & 1));
        let (received, data) = (self.now, Bytes::from(data));
        let packet = Packet { track: track.id, dts, cts, duration, key, recovery, received, data };
        self.next[audio] = packet.end();
        self.end = self.end.max(track.timescale.micros(packet.end()));
        self.on(Event::Packet(&packet));
    }

    fn order(&mut self, order: Order) {
        let mut fx = Effects::new();
        let answer = self.output.order(order, self.now, &mut fx);
        assert!(answer.is_some(), "a recording obeys");
        self.check(fx);
    }

    /// The server ends, or is killed, and starts again.
    fn restart(&mut self, suspended: bool) {
        if suspended {
            self.on(Event::Suspend(self.now));
        }
        self.run = None;
        match Spec::resume(&self.context, &self.saved) {
            Some((spec, output)) => {
                assert_eq!(spec, self.spec);
                assert!(output.deadline().is_some(), "it waits for ever");
                self.end = output.reached();
                self.output = output;
            }
            None => {
                assert_eq!(self.saved, Saved::default(), "what was saved cannot go on");
                self.output = self.spec.open(&self.context);
            }
        }
    }

    fn tick(&mut self) {
        if self.output.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.on(Event::Tick(self.now));
            assert!(self.output.deadline().is_none_or(|deadline| deadline > self.now), "a deadline stays");
        }
    }

    fn on(&mut self, event: Event<'_>) {
        if self.failed {
            return;
        }
        let mut fx = Effects::new();
        self.failed = self.output.on(event, &mut fx).is_err();
        self.check(fx);
    }

    fn check(&mut self, fx: Effects) {
        let lasting = |effect: &Effect| {
            matches!(
                effect,
                Effect::Grow { .. } | Effect::Seal { .. } | Effect::Put { .. } | Effect::Index(_)
            )
        };
        if fx.iter().any(lasting) {
            let saved = matches!(fx.last(), Some(Effect::Save(Save::Now(_) | Save::Done)));
            assert!(saved, "what is written is not saved");
        }
        for effect in fx {
            match effect {
                Effect::Grow { file, body } => {
                    assert!(body.iter().any(|piece| !piece.is_empty()), "a file grew by nothing");
                    self.open.insert(file);
                }
                Effect::Seal { file, to, .. } => {
                    assert!(self.open.remove(&file), "sealed {file:?}, which is not open");
                    super::name::path(&to.key);
                }
                Effect::Put { to, .. } => super::name::path(&to.key),
                Effect::Index(entry) => {
                    assert!(entry.end >= entry.start && entry.duration >= 0, "{entry:?}");
                    let inside = entry.pauses.iter().all(|pause| (0..=entry.duration).contains(&pause.at));
                    assert!(inside, "{entry:?}");
                }
                Effect::Save(save) => self.saved.take(save),
                _ => {}
            }
        }
        assert!(self.saved.fresh.is_some() || self.open.is_empty(), "open files that nobody knows of");
    }
}

fn video() -> Track {
    let h264 = H264 { record: Bytes::from_static(AVCC), length_size: 4, picture: Picture::of_size(640, 360) };
    Track { id: TrackId::VIDEO, timescale: Timescale::VIDEO, codec: Codec::H264(h264) }
}

fn audio() -> Option<Track> {
    let config = Bytes::from_static(&[0x11, 0x90]);
    let aac = Aac { config, object_type: 2, sample_rate: 48_000, channels: 2, frame_samples: 1024 };
    Some(Track { id: TrackId::AUDIO, timescale: Timescale::new(48_000)?, codec: Codec::Aac(aac) })
}

fn settings(choice: u8) -> Option<Settings> {
    let bit = |at: u8| choice >> at & 1 == 1;
    let container = Container::ALL[usize::from(choice & 3)];
    let store = Bucket { storage: "oss-local".into(), name: "live-bucket".into() };
    let name = Name::parse("r/{Sequence}{EscapedStartTime}{EscapedEndTime}", Variable::RECORD_FILE).ok()?;
    let slice_name = Name::parse("r/{UnixTimestamp}_{Sequence}", Variable::RECORD_SLICE).ok()?;
    let slice = Slice { duration_s: if bit(2) { 5 } else { 30 }, name: slice_name };
    let start = match choice >> 3 & 3 {
        0 => Start::Answer,
        1 => Start::Command,
        _ => Start::Publish,
    };
    Some(Settings {
        slice: Some(slice).filter(|_| container.is_sliced()),
        cycle_duration_s: if bit(5) { 7 } else { 3_600 },
        delay_s: 15,
        start,
        not_before: bit(6).then(|| START.plus_micros(3_000_000)),
        not_after: bit(7).then(|| START.plus_micros(60_000_000)),
        ..Settings::new(container, store, name)
    })
}

/// Stories to make mutants of: a second of frames, then whatever a recording can meet, for each kind of settings.
pub(crate) fn stories() -> Vec<Vec<u8>> {
    let second = || {
        (0..25u8).flat_map(|n| {
            let video = [0, if n == 0 { 2 } else { 0 }, 90, n];
            // 40 ms are 1920 samples, so of every other audio frame there are two.
            [video, [0, 1, 48, n]]
        })
    };
    let scenes: [&[[u8; STEP]]; 7] = [
        &[[9, 1, 0, 0], [14, 0, 40, 0], [8, 2, 0, 0]],
        &[[13, 0, 0, 0], [14, 0, 4, 0], [8, 2, 0, 0]],
        &[[13, 1, 0, 0], [14, 3, 80, 0], [8, 2, 0, 0]],
        &[[10, 1, 0, 0], [10, 2, 0, 0]],
        &[[12, 0, 0, 0], [14, 0, 4, 0], [12, 1, 0, 0]],
        &[[10, 0, 0, 0], [11, 0, 0, 5], [10, 3, 0, 0]],
        &[[9, 4, 0, 0], [8, 0, 0, 0]],
    ];
    (0..=255u8)
        .step_by(5)
        .map(|choice| {
            let mut steps = vec![[8, 2, 0, 0]];
            for at in 0..4 {
                steps.extend((0..3).flat_map(|_| second()));
                steps.extend(scenes[(usize::from(choice) + at) % scenes.len()]);
            }
            steps.extend(second());
            [&[choice][..], steps.as_flattened()].concat()
        })
        .collect()
}
