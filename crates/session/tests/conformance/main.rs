//! Every product through every story: what a session makes of streams as encoders send them is whole in each
//! recording, playable at every moment live, and complete when the session ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod account;
mod boxes;
mod low_latency;
mod mpd;
mod player;
mod specs;
mod world;

use media::{Gap, Kind, SessionId, StreamId, Wall};
use output::package::Protocol;
use session::{Input, Session, SlotEffects};
use testkit::stories::{STORIES, Step, Story};
use testkit::{Message, START};

use account::Account;
use specs::Pace;
use world::World;

/// How a story is over.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// The publisher leaves and time passes until nothing waits for it.
    Unpublished,
    /// The server shuts down while the publisher is there.
    Shutdown,
}

/// A session with every product and the world that its effects made.
struct Stage {
    session: Session,
    world: World,
    effects: SlotEffects,
    /// The pace at which the next publisher finds the templates, then the one after it, and so on.
    paces: [Pace; 2],
    /// Every product if there is none, else packaging alone.
    protocol: Option<Protocol>,
    now: Wall,
}

impl Stage {
    fn new(paces: [Pace; 2], protocol: Option<Protocol>) -> Self {
        let stream = StreamId::parse("live.local", "live", "demo").unwrap();
        let session = Session::new(SessionId(1), stream, START, Default::default());
        let mut stage = Self {
            session,
            world: World::default(),
            effects: SlotEffects::new(),
            paces,
            protocol,
            now: START,
        };
        stage.publish();
        stage
    }

    fn play(story: &Story, paces: [Pace; 2], protocol: Option<Protocol>, ending: Ending) -> World {
        let mut stage = Stage::new(paces, protocol);
        for step in (story.steps)() {
            stage.pass(step.at());
            stage.step(step);
        }
        if let Ending::Unpublished = ending {
            stage.on(Input::Gone(Gap::Unpublished, stage.now));
            stage.pass(Wall(i64::MAX));
            assert!(stage.session.finished(), "deadlines that are reached end the session");
            stage.world.assert_complete();
        }
        stage.on(Input::End(stage.now));
        assert!(stage.session.finished());
        assert!(stage.session.report().outputs.iter().all(|output| output.error.is_none()));
        stage.world.assert_complete();
        stage.world
    }

    fn step(&mut self, step: Step) {
        self.now = step.at();
        match step {
            Step::Media(Message { kind, timestamp, payload, received }) => {
                self.on(Input::Media { kind, timestamp, payload, received })
            }
            Step::Gone(why, at) => self.on(Input::Gone(why, at)),
            Step::Tick(at) => self.on(Input::Tick(at)),
            Step::Publish(_) => self.publish(),
        }
    }

    /// Time passes until `until`, as the shell tells it: a tick at each deadline.
    fn pass(&mut self, until: Wall) {
        while let Some(deadline) = self.session.deadline().filter(|&deadline| deadline <= until) {
            self.now = self.now.max(deadline);
            self.on(Input::Tick(self.now));
            assert!(self.session.deadline() != Some(deadline), "a deadline that was reached stays");
        }
    }

    fn publish(&mut self) {
        let [pace, _] = self.paces;
        self.paces.reverse();
        let specs = match self.protocol {
            None => specs::all(pace),
            Some(protocol) => vec![specs::package(pace, protocol)],
        };
        self.session.publish(&specs, self.now, &mut self.effects);
        self.world.take(self.effects.drain(..));
    }

    fn on(&mut self, input: Input) {
        self.session.on(input, &mut self.effects);
        self.world.take(self.effects.drain(..));
    }
}

/// Plays every story at both paces, and with templates that change while its publisher is away, to both ends.
fn each(protocol: Option<Protocol>, check: impl Fn(&Story, World)) {
    for story in STORIES {
        let returns = (story.steps)().iter().any(|step| matches!(step, Step::Publish(_)));
        for paces in [[Pace::Brief; 2], [Pace::Usual; 2], [Pace::Brief, Pace::Usual]] {
            if paces[0] != paces[1] && !returns {
                continue;
            }
            for ending in [Ending::Unpublished, Ending::Shutdown] {
                // The ends of packaging differ by the pace in nothing.
                if protocol.is_some() && (paces[0] == Pace::Brief) != matches!(ending, Ending::Unpublished) {
                    continue;
                }
                println!("{:?}, {protocol:?}, {paces:?}, {ending:?}", story.name); // shown when it fails
                check(story, Stage::play(story, paces, protocol, ending));
            }
        }
    }
}

#[test]
fn every_frame_of_every_story_is_in_each_recording_once_and_in_order() {
    each(None, |story, world| {
        let sent = Account::of_story(story);
        sent.assert_is("the m3u8 recording", &Account::of_slices(world.recorded_slices()));
        sent.assert_is("the FLV recording", &Account::of_flv(world.recorded_flv()));
        sent.assert_is("the MP4 recording", &Account::of_mp4(world.recorded_mp4()));
        let [pictures, sound] = [false, true].map(|audio| world.recorded_tracks(audio));
        sent.assert_is("the CMAF recording", &Account::of_tracks(pictures, sound));
    });
}

#[test]
fn every_picture_is_a_key_frame_of_the_story() {
    each(None, |story, world| {
        let frames = story.frames(Kind::Video);
        for picture in &world.pictures {
            assert!(frames.contains(&picture.data), "not a frame that was sent");
            let opens = codec::h264::recovery(&picture.data, 4, true) == Some(0);
            assert!(codec::h264::is_idr(&picture.data, 4) || opens, "nothing that is decoded alone");
        }
        // The first key frame is taken under both names, whatever the interval.
        let some = frames.iter().any(|frame| codec::h264::is_idr(frame, 4));
        assert!(world.pictures.len() >= if some { 2 } else { 0 });
    });
}

fn is_published_live(protocol: Protocol) {
    each(Some(protocol), |story, world| {
        // Less than 2 s of a run are not: see `package`.
        assert_eq!(world.player.windows > 0, story.name != "0.9 s of audio, then silence");
    });
}

#[test]
fn what_lasts_is_published_as_hls() {
    is_published_live(Protocol::HlsCmaf);
}

#[test]
fn what_lasts_is_published_as_low_latency_hls_of_ts() {
    is_published_live(Protocol::LlHlsTs);
}

#[test]
fn what_lasts_is_published_as_low_latency_hls_of_cmaf() {
    is_published_live(Protocol::LlHlsCmaf);
}

#[test]
fn what_lasts_is_published_as_dash() {
    is_published_live(Protocol::DashCmaf);
}

#[test]
fn what_lasts_is_published_as_hls_and_dash() {
    is_published_live(Protocol::HlsDashCmaf);
}

#[test]
fn what_lasts_is_published_as_low_latency_hls_and_dash() {
    is_published_live(Protocol::LlHlsDashCmaf);
}

#[test]
fn every_frame_of_a_steady_stream_is_in_the_parts_of_ts() {
    for name in ["plain", "B-frames", "video only", "audio only", "a GOP of 250 frames", "reconnect"] {
        let story = testkit::stories::story(name).unwrap();
        for pace in [Pace::Brief, Pace::Usual] {
            println!("{name:?}, {pace:?}");
            let world = Stage::play(story, [pace; 2], Some(Protocol::LlHlsTs), Ending::Unpublished);
            let list = if name == "audio only" { "audio.m3u8" } else { "video.m3u8" };
            let product = Account::of_slices(world.player.segments(list));
            Account::of_story(story).assert_is("the live transport stream", &product);
        }
    }
}
