//! Where effects go: the only place that knows both the sessions and the shells.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use delivery::{BoxFuture, Delivery, Lane, LaneEffect, Registry, Told};
use ffmpeg::Pictures;
use hub::{SlotId, World};
use media::{SessionId, StreamId, Wall};
use metrics::counter;
use origin::Origin;
use output::{Effect, Entry, Keyframe, Memory, Object, Warning, Window};
use tokio::sync::oneshot;

use crate::clock;
use crate::ledger::Ledger;

/// Product name of the packager.
const PACKAGE: &str = "package";
/// Name of the counter under which a packager keeps its next media sequence number.
const SEQUENCE: &str = "package/sequence";

/// Carries out effects. Never blocks.
pub(crate) struct Outside {
    pub(crate) delivery: Delivery,
    pub(crate) origin: Arc<Origin>,
    pub(crate) pictures: Pictures,
    pub(crate) ledger: Ledger,
    /// One lane per output that stores something; gone with its session.
    pub(crate) lanes: Mutex<HashMap<SessionId, HashMap<SlotId, Lane>>>,
}

impl World for Outside {
    fn now(&self) -> Wall {
        clock::now()
    }

    fn open(&self, stream: &StreamId) -> (SessionId, Memory) {
        let mut memory = self.ledger.read(stream);
        if let Some(next) = self.origin.next_sequence(stream) {
            let known = memory.entry(SEQUENCE.into()).or_default();
            *known = next.max(*known);
        }
        (SessionId(rand::random()), memory)
    }

    fn accept(&self, stream: &StreamId, session: SessionId, effects: &mut Vec<(Option<SlotId>, Effect)>) {
        // What an output causes by one event is for its lane one transaction.
        let mut transactions: Vec<(SlotId, Vec<LaneEffect>)> = Vec::new();
        let mut deliver = |slot, effect| match transactions.iter_mut().find(|(of, _)| *of == slot) {
            Some((_, transaction)) => transaction.push(effect),
            None => transactions.push((slot, vec![effect])),
        };
        for (slot, effect) in effects.drain(..) {
            match (slot, effect) {
                (slot, Effect::Warn(warning)) => {
                    warn(&warning);
                    if let (Some(PACKAGE), Warning::OutputFailed { .. }) = (slot.map(|s| s.product), &warning)
                    {
                        // A list that nobody extends any more must not look alive.
                        self.show(stream, None);
                    }
                }
                (_, Effect::Window(window)) => self.show(stream, window),
                (_, Effect::Remember { counter, value }) => self.ledger.remember(stream, counter, value),
                (Some(slot), Effect::Picture { frame, to, .. }) => {
                    if let Some(later) = self.picture(stream, session, frame, to) {
                        deliver(slot, later);
                    }
                }
                (Some(slot), effect) => {
                    // What is left is for a lane: the arms above take everything else.
                    if let Ok(effect) = LaneEffect::try_from(effect) {
                        deliver(slot, effect);
                    }
                }
                // Only outputs store things.
                (None, _) => {}
            }
        }
        for (slot, transaction) in transactions {
            self.deliver(stream, session, slot, transaction);
        }
    }

    fn closed(&self, _: &StreamId, session: SessionId) {
        self.lanes().remove(&session);
        tracing::info!("session closed");
    }
}

impl Outside {
    fn lanes(&self) -> MutexGuard<'_, HashMap<SessionId, HashMap<SlotId, Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What players get from now on, and who gets it from a bucket.
    fn show(&self, stream: &StreamId, window: Option<Arc<Window>>) {
        self.delivery.mirror(stream, window.clone());
        self.origin.publish(stream.clone(), window);
    }

    fn deliver(&self, stream: &StreamId, session: SessionId, slot: SlotId, transaction: Vec<LaneEffect>) {
        let mut lanes = self.lanes();
        let lane = lanes.entry(session).or_default().entry(slot);
        let open = || self.delivery.lane(stream, session, slot.product, slot.index, clock::now());
        lane.or_insert_with(open).accept(transaction);
    }

    /// The picture takes its place in the lane now, so that it can't be overtaken while it is made.
    fn picture(
        &self,
        stream: &StreamId,
        session: SessionId,
        frame: Keyframe,
        to: Object,
    ) -> Option<LaneEffect> {
        let Ok(made) = self.pictures.capture(frame.codec, frame.data) else {
            tracing::warn!(%stream, %session, key = to.key, "snapshot skipped: all picture workers are busy");
            return None;
        };
        let (done, body) = oneshot::channel::<Option<Bytes>>();
        let stream_name = stream.clone();
        tokio::spawn(async move {
            let picture = match made.await {
                Ok(Ok(picture)) => Some(picture),
                Ok(Err(error)) => {
                    tracing::warn!(stream = %stream_name, %session, %error, "snapshot failed");
                    None
                }
                Err(_) => None,
            };
            let _ = done.send(picture);
        });
        Some(LaneEffect::Later { to, content_type: "image/jpeg", body })
    }
}

/// Nobody keeps an index of recordings or is told of them.
pub(crate) struct NoRegistry;

impl Registry for NoRegistry {
    fn stored<'a>(&'a self, _: &'a StreamId, _: &'a Entry, _: u64) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn told<'a>(&'a self, _: &'a Told) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// Sessions are fed within the span of their publish or of their lingering, which names stream and session.
fn warn(warning: &Warning) {
    counter!("millrace_warnings_total", "kind" => kind(warning)).increment(1);
    match warning {
        Warning::OutputFailed { .. } => tracing::error!("{warning}"),
        _ => tracing::warn!("{warning}"),
    }
}

fn kind(warning: &Warning) -> &'static str {
    match warning {
        Warning::OutputFailed { .. } => "output_failed",
        Warning::TrackLeftOut { .. } => "track_left_out",
        Warning::ForcedCut { .. } => "forced_cut",
        Warning::ShortParts { .. } => "short_parts",
        Warning::Unaligned { .. } => "unaligned",
        Warning::Jump { .. } => "jump",
        Warning::Outlier { .. } => "outlier",
        Warning::RecordBlocked { .. } => "record_blocked",
        Warning::FramesDropped { .. } => "frames_dropped",
        Warning::BadMedia(_) => "bad_media",
        Warning::NameTooLong(_) => "name_too_long",
    }
}
