//! A lane: everything that one output of one session wants stored, in its order.
//!
//! Two tasks serve it. The *writer* takes effects from a bounded queue and puts their bytes into the spool, so
//! that memory is free again at the speed of the local disk, whatever the store does. The *sender* gets complete
//! files from the spool to the store, one after the other, and is the only place that retries a store.

mod sender;
mod state;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use output::{Effect, FileId, Finish, Object};
use tokio::sync::{mpsc, oneshot};

use crate::budget::Charge;
pub use state::LaneStatus;
pub(crate) use state::{Pending, State, Totals};

/// Effects that wait for the writer. At a `Grow` a second this is over an hour of a disk that hangs; bytes are
/// bounded by the budget long before.
const QUEUE: usize = 4_096;
/// Places in the queue that a `Grow` does not take, so that the effects that must not be lost find one.
const RESERVED: usize = 1_024;

/// What a lane takes. As the effects of the same names; [`LaneEffect::try_from`] sorts them out.
#[derive(Debug)]
pub enum LaneEffect {
    /// Store a whole object.
    Put {
        /// Where.
        to: Object,
        /// MIME type.
        content_type: &'static str,
        /// Its bytes.
        body: Vec<Bytes>,
    },
    /// Append to an open file.
    Grow {
        /// Which file.
        file: FileId,
        /// Whole units of its container.
        body: Vec<Bytes>,
    },
    /// A file becomes an object.
    Seal {
        /// Which file.
        file: FileId,
        /// Where.
        to: Object,
        /// MIME type.
        content_type: &'static str,
        /// What to do first.
        finish: Finish,
    },
    /// Store an object whose newest version wins.
    Replace {
        /// Where.
        to: Object,
        /// MIME type.
        content_type: &'static str,
        /// Its bytes.
        body: Bytes,
    },
    /// Store a whole object that is still being made, at this place of the order. `None`, or nobody left to
    /// make it: there is no object, and the lane goes on.
    Later {
        /// Where.
        to: Object,
        /// MIME type.
        content_type: &'static str,
        /// Brings its bytes.
        body: oneshot::Receiver<Option<Bytes>>,
    },
}

impl TryFrom<Effect> for LaneEffect {
    type Error = Effect;

    /// Effects that are not for a lane come back as the error.
    fn try_from(effect: Effect) -> Result<Self, Effect> {
        Ok(match effect {
            Effect::Put { to, content_type, body } => Self::Put { to, content_type, body },
            Effect::Grow { file, body } => Self::Grow { file, body },
            Effect::Seal { file, to, content_type, finish } => Self::Seal { file, to, content_type, finish },
            Effect::Replace { to, content_type, body } => Self::Replace { to, content_type, body },
            other => return Err(other),
        })
    }
}

impl LaneEffect {
    fn bytes(&self) -> usize {
        match self {
            Self::Put { body, .. } | Self::Grow { body, .. } => body.iter().map(Bytes::len).sum(),
            Self::Seal { finish: Finish::Head { head, .. }, .. } => head.len(),
            Self::Replace { body, .. } => body.len(),
            Self::Seal { .. } | Self::Later { .. } => 0,
        }
    }
}

/// The way into a lane. When it is dropped the lane does what was accepted and ends.
#[derive(Debug)]
pub struct Lane {
    queue: mpsc::Sender<Queued>,
    state: Arc<State>,
    /// Files that were begun here and are not sealed. Only this handle uses it; nothing waits for it.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    files: BTreeMap<FileId, Damage>,
    /// Batches are being dropped; how many bytes so far.
    dropping: Option<u64>,
}

/// What a file lacks because batches of it were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Damage {
    #[default]
    None,
    /// A batch after the first: positions in an index are wrong.
    Gap,
    /// The first batch, and with it what a head would replace.
    Beginning,
}

/// An effect on its way to the writer.
#[derive(Debug)]
struct Queued {
    effect: LaneEffect,
    damage: Damage,
    /// Given back when its bytes are on disk.
    charge: Charge,
    pending: Pending,
}

impl Lane {
    /// Opens a lane and starts its two tasks on the current runtime.
    pub(crate) fn start(state: Arc<State>) -> Self {
        let (queue, input) = mpsc::channel(QUEUE);
        writer::start(Arc::clone(&state), input);
        Self { queue, state, open: Mutex::default() }
    }

    /// Takes an effect; never waits.
    ///
    /// Beyond the memory budget, or when the queue is nearly full, a `Grow` is dropped: the recording has a gap
    /// of whole units, one warning per incident says so and a counter counts. The others are taken all the same.
    pub fn accept(&self, effect: LaneEffect) {
        let bytes = effect.bytes();
        let damage = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            match &effect {
                LaneEffect::Grow { file, .. } if !self.has_room(bytes) => {
                    return self.drop_batch(&mut open, *file, bytes);
                }
                LaneEffect::Grow { file, .. } => {
                    open.files.entry(*file).or_default();
                    self.end_incident(&mut open);
                    Damage::None
                }
                LaneEffect::Seal { file, .. } => open.files.remove(file).unwrap_or_default(),
                _ => Damage::None,
            }
        };
        let charge = self.state.shared.budget.charge(bytes);
        let pending = self.state.pending(bytes as u64);
        if let Err(error) = self.queue.try_send(Queued { effect, damage, charge, pending }) {
            // Only after an hour of a disk that hangs, or if the writer died.
            self.state.lost(&error.to_string());
        }
    }

    /// How the lane is doing.
    pub fn status(&self) -> LaneStatus {
        self.state.status()
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.queue.capacity() > RESERVED && self.state.shared.budget.has_room(bytes)
    }

    fn drop_batch(&self, open: &mut Open, file: FileId, bytes: usize) {
        open.files
            .entry(file)
            .and_modify(|damage| *damage = if *damage == Damage::None { Damage::Gap } else { *damage })
            .or_insert(Damage::Beginning);
        if open.dropping.is_none() {
            self.state.warn_gap_begins();
        }
        *open.dropping.get_or_insert(0) += bytes as u64;
        self.state.dropped(bytes as u64);
    }

    fn end_incident(&self, open: &mut Open) {
        if let Some(bytes) = open.dropping.take() {
            self.state.warn_gap_ended(bytes);
        }
    }
}
