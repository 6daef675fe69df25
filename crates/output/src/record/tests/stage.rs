//! A recording on a stage: a publisher that sends marked frames, a clock, a disk.

use media::{Gap, Packet, Run, Ticks, TrackId, Wall};

use super::disk::Disk;
use crate::name::{Name, Variable};
use crate::record::{Container, Settings, Slice, story};
use crate::{Event, Order, Output, Refusal, Spec};

/// Length of a video frame, in microseconds.
pub const FRAME: i64 = 40_000;
/// A key frame comes every so many.
const GOP: i64 = 25;

pub struct Stage {
    pub settings: Settings,
    pub output: Box<dyn Output>,
    pub disk: Disk,
    pub run: Option<Run>,
    /// Where the timeline of the session is, in microseconds.
    pub at: i64,
    /// Wall time since the epoch of the story, in microseconds.
    pub wall: i64,
    /// Marks of the frames that were sent, with wall time.
    pub sent: Vec<(String, i64)>,
    video: i64,
    audio: i64,
    pub with: (bool, bool),
    /// Of the n-th picture of a run: whether it is a key frame, and its recovery point.
    pub kind: fn(i64) -> (bool, Option<u16>),
}

pub fn settings(container: Container) -> Settings {
    let name = |text: &str, variables| Name::parse(text, variables).unwrap();
    let slice = Slice { duration_s: 5, name: name("{UnixTimestamp}_{Sequence}", Variable::RECORD_SLICE) };
    Settings {
        slice: Some(slice).filter(|_| container.is_sliced()),
        delay_s: 15,
        ..Settings::new(
            container,
            story::bucket(),
            name("{Sequence}_{EscapedStartTime}_{EscapedEndTime}", Variable::RECORD_FILE),
        )
    }
}

impl Stage {
    pub fn new(settings: Settings) -> Self {
        let output = Spec::Record(settings.clone()).open(&story::context());
        let disk = Disk::default();
        Self {
            settings,
            output,
            disk,
            run: None,
            at: 0,
            wall: 0,
            sent: Vec::new(),
            video: 0,
            audio: 0,
            with: (true, true),
            kind: |n| (n % GOP == 0, None),
        }
    }

    pub fn now(&self) -> Wall {
        story::EPOCH.plus_micros(self.wall)
    }

    pub fn on(&mut self, event: Event<'_>) {
        let mut fx = Vec::new();
        self.output.on(event, &mut fx).unwrap();
        self.disk.apply(fx);
    }

    pub fn order(&mut self, order: Order) -> Result<(), Refusal> {
        let mut fx = Vec::new();
        let answer = self.output.order(order, self.now(), &mut fx).unwrap();
        self.disk.apply(fx);
        answer
    }

    /// A run begins.
    pub fn publish(&mut self) {
        self.tick();
        let mut run = story::run(self.at, self.wall);
        run.tracks.retain(|track| if track.is_video() { self.with.0 } else { self.with.1 });
        let audio = run.audio().map_or(0, |track| track.timescale.from_micros(self.at).0);
        (self.video, self.audio) = (0, audio);
        self.on(Event::Run(&run));
        self.run = Some(run);
    }

    /// The next frame of the run, in order of time.
    pub fn frame(&mut self) {
        let run = self.run.clone().unwrap();
        let rate = |track: TrackId| run.track(track).map(|track| track.timescale);
        let video_at = if self.with.0 { run.start + self.video * FRAME } else { i64::MAX };
        let audio_at = rate(TrackId::AUDIO).map_or(i64::MAX, |rate| rate.micros(Ticks(self.audio)));
        let track = if self.with.0 && video_at <= audio_at { TrackId::VIDEO } else { TrackId::AUDIO };
        let mark = format!("{}{}", if track == TrackId::VIDEO { 'v' } else { 'a' }, self.sent.len());
        let packet = if track == TrackId::VIDEO {
            let (key, recovery) = (self.kind)(self.video);
            self.video += 1;
            let data = [
                &[0, 0, 0, mark.len() as u8 + 4, if key { 0x65 } else { 0x41 }, 0x88, b'<'],
                mark.as_bytes(),
                b">",
            ];
            Packet { recovery, ..story::frame(&run, track, video_at, FRAME, key, &data.concat()) }
        } else {
            let frame = story::frame(&run, track, audio_at, 0, true, format!("<{mark}>").as_bytes());
            self.audio += 1024;
            Packet { dts: Ticks(self.audio - 1024), duration: 1024, ..frame }
        };
        let end = run.track(track).unwrap().timescale.micros(packet.end());
        self.at = self.at.max(end);
        self.wall = run.wall.micros_since(story::EPOCH) + video_at.min(audio_at) - run.start;
        self.tick();
        self.sent.push((mark, self.wall));
        self.on(Event::Packet(&packet));
    }

    /// Pictures come again that stopped in the midst of the run.
    pub fn look_again(&mut self) {
        let start = self.run.as_ref().unwrap().start;
        (self.with.0, self.video) = (true, (self.at - start) / FRAME + 1);
    }

    /// Frames for so many milliseconds.
    pub fn send(&mut self, millis: i64) {
        let run = self.run.clone().unwrap();
        let until = self.at.max(run.start) + millis * 1_000;
        while self.at < until {
            self.frame();
        }
        self.wall = run.wall.micros_since(story::EPOCH) + self.at - run.start;
    }

    pub fn gap(&mut self, why: Gap) {
        self.run = None;
        self.on(Event::Gap(why, self.now()));
    }

    /// A publish of so many milliseconds, and its end.
    pub fn show(&mut self, millis: i64) {
        self.publish();
        self.send(millis);
        self.gap(Gap::Dropped);
    }

    fn tick(&mut self) {
        if self.output.deadline().is_some_and(|deadline| deadline <= self.now()) {
            self.on(Event::Tick(self.now()));
        }
    }

    /// Nothing happens for a while but the ticks that the recording wants.
    pub fn pass(&mut self, millis: i64) {
        let until = self.wall + millis * 1_000;
        while let Some(deadline) = self.output.deadline().map(|at| at.micros_since(story::EPOCH)) {
            if deadline > until {
                break;
            }
            self.wall = self.wall.max(deadline);
            self.tick();
            assert!(
                self.output.deadline() != Some(story::EPOCH.plus_micros(deadline)),
                "a deadline that stays"
            );
        }
        self.wall = until;
    }

    /// The server is gone and comes back; answers whether the recording goes on.
    pub fn restart(&mut self) -> bool {
        self.run = None;
        let resumed = Spec::resume(&story::context(), &self.disk.saved);
        let goes_on = resumed.is_some();
        self.output = match resumed {
            Some((spec, output)) => {
                assert_eq!(spec, Spec::Record(self.settings.clone()));
                self.at = output.reached();
                output
            }
            None => {
                assert!(self.disk.open.is_empty());
                Spec::Record(self.settings.clone()).open(&story::context())
            }
        };
        goes_on
    }

    pub fn end(&mut self) {
        self.run = None;
        self.on(Event::End(self.now()));
        assert_eq!(self.disk.saved, Default::default());
        assert_eq!(self.output.deadline(), None);
    }

    /// Whether each frame that was sent is in a file: those from `from` to `until` milliseconds of wall time.
    pub fn sent_between(&self, from: i64, until: i64) -> Vec<String> {
        let inside = |at: &i64| (from * 1_000..until * 1_000).contains(at);
        self.sent.iter().filter(|(_, at)| inside(at)).map(|(mark, _)| mark.clone()).collect()
    }

    /// All frames that are in files, in the order of the files, sorted within each by when they were sent.
    pub fn recorded(&self) -> Vec<String> {
        let number = |mark: &String| mark[1..].parse::<u64>().unwrap();
        let mut files = self.disk.frames();
        files.iter_mut().for_each(|frames| frames.sort_by_key(number));
        files.concat()
    }
}
