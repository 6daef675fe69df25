use std::collections::BTreeMap;

use bytes::Bytes;
use media::{Gap, Kind, Run, SessionId, StreamId, Track, TrackId, Wall};
use output::{Answer, Context, Event, Memory, Order, Refusal, Spec};

use crate::publish::{Publish, Stage};
use crate::repair::Repaired;
use crate::report::{Count, OutputReport, Report, TrackReport};
use crate::slots::{Interrupted, SlotEffects, Slots};

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Input {
    /// A video or audio message arrived.
    Media {
        /// Which of the two.
        kind: Kind,
        /// RTMP timestamp in milliseconds; wraps.
        timestamp: u32,
        /// FLV tag body.
        payload: Bytes,
        /// When its last byte arrived.
        received: Wall,
    },
    /// The publisher is gone.
    Gone(Gap, Wall),
    /// Time passed.
    Tick(Wall),
    /// What the operator's OnDemandUrl answered.
    Answer(Answer),
    /// The server ends and will start again: write and save what is open. Nothing follows.
    Suspend(Wall),
    /// Close everything: nothing follows.
    End(Wall),
}

/// One live stream from its first publish to its final end, over reconnects.
pub struct Session {
    id: SessionId,
    context: Context,
    pub(crate) slots: Slots,
    pub(crate) publish: Option<Publish>,
    pub(crate) run: Option<Run>,
    pub(crate) runs: u32,
    /// Where the next run begins at the earliest, in microseconds of session time.
    pub(crate) end: i64,
    ended: bool,
    last_media: Option<Wall>,
    pub(crate) counts: BTreeMap<TrackId, Count>,
    /// Reused from frame to frame.
    pub(crate) scratch: Vec<Repaired>,
}

impl Session {
    /// A session of `stream` that begins at `opened`; `memory` is what earlier ones left.
    pub fn new(id: SessionId, stream: StreamId, opened: Wall, memory: Memory) -> Self {
        Self {
            id,
            context: Context { stream, opened, memory },
            slots: Slots::default(),
            publish: None,
            run: None,
            runs: 0,
            end: 0,
            ended: false,
            last_media: None,
            counts: BTreeMap::new(),
            scratch: Vec::new(),
        }
    }

    /// The session that our own restart interrupted, its publisher gone. Also which of `interrupted` could not be
    /// resumed.
    pub fn resume(
        id: SessionId,
        stream: StreamId,
        opened: Wall,
        memory: Memory,
        interrupted: Vec<Interrupted>,
    ) -> (Self, Vec<u32>) {
        let mut session = Self::new(id, stream, opened, memory);
        let lost = session.slots.resume(interrupted, &session.context);
        session.end = session.slots.reached();
        (session, lost)
    }

    /// An operator's order to the recordings; `None` if there are none.
    pub fn order(&mut self, order: Order, at: Wall, fx: &mut SlotEffects) -> Option<Result<(), Refusal>> {
        self.slots.order(order, at, fx)
    }

    /// Says which outputs' writings cannot be kept at the moment, by [`crate::SlotId::index`].
    pub fn blocked(&mut self, slots: &[u32], at: Wall, fx: &mut SlotEffects) {
        self.slots.blocked(slots, at, fx);
    }

    /// Its id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// A publisher is here (again): outputs whose spec is unchanged go on, others end, new ones open.
    pub fn publish(&mut self, specs: &[Spec], at: Wall, fx: &mut SlotEffects) {
        self.publish = Some(Publish::default());
        self.slots.replan(specs, &self.context, at, fx);
    }

    /// Takes the next input and appends everything that it causes to `fx`.
    pub fn on(&mut self, input: Input, fx: &mut SlotEffects) {
        match input {
            Input::Media { kind, timestamp, payload, received } => {
                self.last_media = Some(received);
                self.media(kind, timestamp, &payload, received, fx);
            }
            Input::Gone(why, at) => self.gone(why, at, fx),
            Input::Tick(at) => {
                self.try_open(at, fx);
                self.slots.deliver(Event::Tick(at), fx);
            }
            Input::Answer(answer) => self.slots.deliver(Event::Answer(&answer), fx),
            Input::Suspend(at) => self.close(Event::Suspend(at), fx),
            Input::End(at) => self.close(Event::End(at), fx),
        }
    }

    fn close(&mut self, last: Event<'_>, fx: &mut SlotEffects) {
        self.flush(fx);
        self.publish = None;
        self.ended = true;
        self.slots.deliver(last, fx);
    }

    /// When the session wants an [`Input::Tick`].
    pub fn deadline(&self) -> Option<Wall> {
        let opening = match self.publish.as_ref().map(|publish| &publish.stage) {
            Some(Stage::Opening(opening)) => opening.deadline(),
            _ => None,
        };
        [opening, self.slots.deadline()].into_iter().flatten().min()
    }

    /// Whether nothing can follow: ended, or the publisher is gone and no output waits for it.
    pub fn finished(&self) -> bool {
        self.ended || (self.publish.is_none() && self.slots.deadline().is_none())
    }

    /// The state of things.
    pub fn report(&self) -> Report {
        let tracks = self.run.iter().flat_map(|run| &run.tracks);
        Report {
            session: self.id,
            stream: self.context.stream.clone(),
            opened: self.context.opened,
            live: self.publish.is_some(),
            last_media: self.last_media,
            tracks: tracks.map(|track| self.track_report(track)).collect(),
            outputs: self
                .slots
                .iter()
                .map(|slot| OutputReport {
                    product: slot.id.product,
                    index: slot.id.index,
                    error: slot.error.clone(),
                    left_out: slot.left_out.clone(),
                })
                .collect(),
            runs: self.runs,
        }
    }

    fn track_report(&self, track: &Track) -> TrackReport {
        let none = Count::default();
        let count = self.counts.get(&track.id).unwrap_or(&none);
        TrackReport {
            track: track.clone(),
            frames: count.frames,
            bytes: count.bytes,
            micros: count.micros,
            gop_frames: count.gop_frames,
        }
    }
}
