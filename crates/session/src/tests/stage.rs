//! A session with one output that notes what it sees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use media::{Gap, Kind, Packet, Run, SessionId, StreamId, Ticks, TrackId, Wall};
use output::{Bucket, Effect, Effects, Error, Event, Output, Spec, Warning, snapshot};
use testkit::stories::{Step, story};
use testkit::{Message, START};

use crate::{Input, Session, SlotEffects};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    Run(Run),
    Packet(Packet),
    KeyFrame(TrackId, Ticks, Ticks),
    Gap(Gap),
    End,
}

#[derive(Clone, Default)]
pub(super) struct Probe {
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    pub(super) fault: Option<fn()>,
    pub(super) deadline: Option<Wall>,
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
            Event::KeyFrame { track, dts, pts } => Seen::KeyFrame(track, dts, pts),
            Event::Tick(_) | Event::Answer(_) | Event::Blocked(_) | Event::Unblocked(_) => return Ok(()),
            Event::Suspend(_) | Event::End(_) => Seen::End,
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

pub(super) struct Stage {
    pub(super) session: Session,
    pub(super) probe: Probe,
    pub(super) effects: SlotEffects,
    pub(super) now: Wall,
}

pub(super) fn spec() -> Spec {
    Spec::Snapshot(snapshot::Settings {
        store: Bucket { storage: "oss-local".into(), name: "live-bucket".into() },
        interval_s: 3_600,
        naming: snapshot::Naming::Overwrite(output::name::Name::parse("a.jpg", &[]).unwrap()),
        counter: "snapshot".into(),
        utc_offset: 0,
    })
}

impl Stage {
    pub(super) fn new() -> Self {
        let id = StreamId::parse("live.local", "live", "demo").unwrap();
        let mut session = Session::new(SessionId(1), id, START, Default::default());
        let mut effects = SlotEffects::new();
        session.publish(&[spec()], START, &mut effects);
        let probe = Probe::default();
        session.slots.replace(0, Box::new(probe.clone()));
        Self { session, probe, effects, now: START }
    }

    /// Plays a story of `testkit` to its end.
    #[track_caller]
    pub(super) fn play(name: &str) -> Self {
        let mut stage = Self::new();
        for step in (story(name).unwrap().steps)() {
            stage.step(step);
        }
        stage.end();
        stage
    }

    pub(super) fn of(messages: impl IntoIterator<Item = Message>) -> Self {
        let mut stage = Self::new();
        stage.send(messages);
        stage.end();
        stage
    }

    pub(super) fn step(&mut self, step: Step) {
        self.now = step.at();
        let input = match step {
            Step::Media(Message { kind, timestamp, payload, received }) => {
                Input::Media { kind, timestamp, payload, received }
            }
            Step::Gone(why, at) => Input::Gone(why, at),
            Step::Tick(at) => Input::Tick(at),
            Step::Publish(at) => return self.session.publish(&[spec()], at, &mut self.effects),
        };
        self.session.on(input, &mut self.effects);
    }

    pub(super) fn send(&mut self, messages: impl IntoIterator<Item = Message>) {
        messages.into_iter().for_each(|message| self.step(Step::Media(message)));
    }

    pub(super) fn gone(&mut self, why: Gap) {
        self.session.on(Input::Gone(why, self.now), &mut self.effects);
    }

    pub(super) fn end(&mut self) {
        self.session.on(Input::End(self.now), &mut self.effects);
        self.check_order();
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.probe.seen.lock().unwrap().clone()
    }

    pub(super) fn runs(&self) -> Vec<Run> {
        self.seen()
            .into_iter()
            .filter_map(|s| if let Seen::Run(run) = s { Some(run) } else { None })
            .collect()
    }

    pub(super) fn packets(&self, kind: Kind) -> Vec<Packet> {
        let packets =
            self.seen().into_iter().filter_map(|s| if let Seen::Packet(p) = s { Some(p) } else { None });
        packets.filter(|p| p.track.kind == kind).collect()
    }

    pub(super) fn packets_of(&self, track: TrackId) -> Vec<Packet> {
        self.packets(track.kind).into_iter().filter(|packet| packet.track == track).collect()
    }

    pub(super) fn gaps(&self) -> Vec<Gap> {
        self.seen()
            .into_iter()
            .filter_map(|s| if let Seen::Gap(why) = s { Some(why) } else { None })
            .collect()
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        let warning = |(_, effect): &_| if let Effect::Warn(w) = effect { Some(w.clone()) } else { None };
        self.effects.iter().filter_map(warning).collect()
    }

    /// What every output may rely on (media::Packet, media::Run), checked over the whole story.
    fn check_order(&self) {
        let mut last: BTreeMap<TrackId, i64> = BTreeMap::new();
        let mut joins: BTreeSet<TrackId> = BTreeSet::new();
        let mut reached = 0;
        let mut run: Option<Run> = None;
        let mut begun = false;
        let mut told: BTreeMap<TrackId, Vec<(Ticks, Ticks)>> = BTreeMap::new();
        for seen in self.seen() {
            match seen {
                Seen::Run(next) => {
                    assert!(!next.tracks.is_empty());
                    joins.clear();
                    begun = false;
                    run = Some(next);
                }
                Seen::Packet(packet) => {
                    let run = run.as_ref().expect("a packet needs a run");
                    let track = run.tracks.iter().find(|t| t.id == packet.track).expect("packet of no track");
                    let id = packet.track;
                    // A tick is another moment when the sample rate changes.
                    let (begin, end) = [packet.dts, packet.end()].map(|at| track.timescale.micros(at)).into();
                    if let Some(&last) = last.get(&id) {
                        assert!(begin >= last, "time fell: {last} -> {begin} us");
                        let silent = reached - last > 900_000;
                        assert!(
                            !joins.contains(&id) || begin == last || silent,
                            "a gap within a run: {id:?} {last} -> {begin}, others at {reached}"
                        );
                    }
                    let key = (packet.key && id.kind == Kind::Video).then(|| (packet.dts, packet.pts()));
                    let told = told.entry(id).or_default();
                    told.retain(|(dts, _)| *dts >= packet.dts);
                    assert!(told.len() <= 2, "a key frame is told when it comes");
                    let own = told.first().copied().filter(|(dts, _)| *dts == packet.dts);
                    assert_eq!(own, key, "a key frame is told before the packet before it");
                    reached = reached.max(begin);
                    let apart = reached - begin >= 1_200_000;
                    let early = id.kind == Kind::Audio && begin < run.start;
                    assert!(!apart || early, "tracks run apart: {begin} us after {reached} us");
                    if id == TrackId::VIDEO && !begun {
                        assert!(packet.is_entry(), "a run begins where decoding can start");
                        begun = true;
                    }
                    joins.insert(id);
                    last.insert(id, end);
                }
                Seen::KeyFrame(track, dts, pts) => {
                    assert!(run.as_ref().is_some_and(|run| run.track(track).is_some()));
                    told.entry(track).or_default().push((dts, pts));
                }
                Seen::Gap(_) => run = None,
                Seen::End => {}
            }
        }
    }
}
