//! Where effects go: the only place that knows both the sessions and the shells.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use delivery::{Delivery, Lane, LaneEffect};
use ffmpeg::Pictures;
use hub::{SlotId, World};
use media::{SessionId, StreamId, Wall};
use metrics::counter;
use origin::Origin;
use output::{Effect, Inquiry, Keyframe, Memory, Notice, Object, Warning, Window};
use tokio::sync::oneshot;

use crate::asking::Asking;
use crate::clock;
use crate::ledger::Ledger;
use crate::telling::Telling;

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
    /// Who asks operators whether to record; there once the hub is.
    pub(crate) asking: OnceLock<Arc<Asking>>,
}

/// What one output wants stored, in order: whole or not at all.
type Transaction = (SlotId, Vec<LaneEffect>);

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
        let mut transactions: Vec<Transaction> = Vec::new();
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
                (_, Effect::Ask(inquiry)) => self.ask(stream, session, inquiry),
                (Some(slot), Effect::Picture { frame, to, at, overwrite }) => {
                    let notice = Notice::SnapshotStored { object: to.clone(), at, overwrite };
                    if let Some(picture) = self.picture(stream, session, frame, to) {
                        let told = self.notice(stream, notice);
                        transactions.push((slot, [Some(picture), told].into_iter().flatten().collect()));
                    }
                }
                (Some(slot), Effect::Notify(notice)) => {
                    add(&mut transactions, slot, self.notice(stream, notice));
                }
                // What is left is for a lane: the arms above take everything else.
                (Some(slot), effect) => add(&mut transactions, slot, LaneEffect::try_from(effect).ok()),
                // Only outputs store things.
                (None, _) => {}
            }
        }
        for (slot, effects) in transactions {
            self.deliver(stream, session, slot, effects);
        }
    }

    fn closed(&self, stream: &StreamId, session: SessionId) {
        self.lanes().remove(&session);
        if let Some(asking) = self.asking.get() {
            asking.forget(stream);
        }
        tracing::info!("session closed");
    }

    fn incidents(&self) -> u64 {
        self.delivery.incidents()
    }

    fn blocked(&self, session: SessionId) -> Vec<u32> {
        let lanes = self.lanes();
        let blocked = lanes.get(&session).into_iter().flatten().filter(|(_, lane)| lane.is_blocked());
        blocked.map(|(slot, _)| slot.index).collect()
    }
}

/// Effects of one output that follow each other happen together.
fn add(transactions: &mut Vec<Transaction>, slot: SlotId, effect: Option<LaneEffect>) {
    let Some(effect) = effect else { return };
    match transactions.last_mut() {
        Some((last, effects)) if *last == slot => effects.push(effect),
        _ => transactions.push((slot, vec![effect])),
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

    fn deliver(&self, stream: &StreamId, session: SessionId, slot: SlotId, effects: Vec<LaneEffect>) {
        let mut lanes = self.lanes();
        let lane = lanes.entry(session).or_default().entry(slot);
        let open = || self.delivery.lane(stream, session, slot.product, slot.index, clock::now());
        lane.or_insert_with(open).accept(effects);
    }

    /// Takes over the lane of an output that a restart interrupted.
    pub(crate) fn adopt(&self, session: SessionId, slot: SlotId, lane: Lane) {
        self.lanes().entry(session).or_default().insert(slot, lane);
    }

    /// A publish of `stream` begins: whom it found to tell, and whoever was asked is asked again.
    pub(crate) fn tell(&self, stream: &StreamId, telling: Telling) {
        self.ledger.tell(stream, telling);
        if let Some(asking) = self.asking.get() {
            asking.forget(stream);
        }
    }

    fn ask(&self, stream: &StreamId, session: SessionId, inquiry: Inquiry) {
        if let Some(asking) = self.asking.get() {
            asking.ask(stream, session, inquiry, self.ledger.telling(stream).decides().cloned());
        }
    }

    /// `None`: nobody is to be told.
    fn notice(&self, stream: &StreamId, notice: Notice) -> Option<LaneEffect> {
        let telling = self.ledger.telling(stream);
        let heard = match notice {
            Notice::SnapshotStored { .. } => telling.tells_of_snapshots(),
            _ => telling.tells_of_recordings(),
        };
        heard.then(|| LaneEffect::Notice { notice, context: telling.to_context() })
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
