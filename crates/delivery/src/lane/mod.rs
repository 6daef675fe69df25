//! A lane: everything that one output of one session wants stored and told, in its order.
//!
//! Two tasks serve it. The *writer* takes transactions from a bounded queue and puts their bytes into the spool and
//! what they mean into the journal, so that memory is free again at the speed of the local disk, whatever the store
//! does. The *sender* takes parcels from the journal, one after the other, when a power cut can't undo them any more:
//! objects to the store, then their rows to the index, then the notices. It is the only place that retries a store.

mod draft;
mod files;
mod keys;
mod progressive;
mod sender;
mod state;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use output::{Effect, Entry, FileId, Finish, Notice, Object, Save};
use tokio::sync::{mpsc, oneshot};

use crate::budget::Charge;
use draft::Step;
pub(crate) use files::{Files, Unsynced};
pub use state::LaneStatus;
pub(crate) use state::{Pending, State, Totals, Work};

/// Transactions that wait for the writer. At two a second this is over half an hour of a disk that hangs; bytes are
/// bounded by the budget long before.
const QUEUE: usize = 4_096;
/// Places in the queue that no `Grow` takes, so that the effects that must not be lost find one.
const RESERVED: usize = 1_024;
/// Bytes that an index entry or a notice counts for.
const SMALL: usize = 512;

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
    /// Something for [`crate::Recovered::saved`].
    Save(Save),
    /// The object put or sealed directly before belongs in the index, once it is stored ([`crate::Registry::stored`]).
    Index(Box<Entry>),
    /// Somebody may want to be told, once everything before is stored and indexed ([`crate::Registry::told`]).
    Notice {
        /// What happened.
        notice: Notice,
        /// What the registry needs to know for it; comes back as it is.
        context: String,
    },
}

impl TryFrom<Effect> for LaneEffect {
    type Error = Effect;

    /// Effects that are not for a lane, or need something from the caller first, come back as the error.
    fn try_from(effect: Effect) -> Result<Self, Effect> {
        Ok(match effect {
            Effect::Put { to, content_type, body } => Self::Put { to, content_type, body },
            Effect::Grow { file, body } => Self::Grow { file, body },
            Effect::Seal { file, to, content_type, finish } => Self::Seal { file, to, content_type, finish },
            Effect::Replace { to, content_type, body } => Self::Replace { to, content_type, body },
            Effect::Save(save) => Self::Save(save),
            Effect::Index(entry) => Self::Index(entry),
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
            Self::Save(Save::Fresh(bytes) | Save::Keep(bytes) | Save::Now(bytes)) => bytes.len(),
            Self::Seal { .. } | Self::Later { .. } | Self::Save(Save::Done) => 0,
            Self::Index(_) => SMALL,
            Self::Notice { context, .. } => SMALL + context.len(),
        }
    }

    fn accepted(self) -> Accepted {
        Accepted::Step(match self {
            Self::Put { to, content_type, body } => Step::Put { to, content_type, body, replace: false },
            Self::Grow { file, body } => Step::Grow { file, body },
            Self::Seal { file, to, content_type, finish } => Step::Seal { file, to, content_type, finish },
            Self::Replace { to, content_type, body } => {
                Step::Put { to, content_type, body: vec![body], replace: true }
            }
            Self::Later { to, content_type, body } => return Accepted::Later { to, content_type, body },
            Self::Save(save) => Step::Save(save),
            Self::Index(entry) => Step::Index(entry),
            Self::Notice { notice, context } => Step::Notice { notice, context },
        })
    }
}

/// The way into a lane. When it is dropped the lane does what was accepted and ends; what is saved and open then is
/// for the next start to go on with.
#[derive(Debug)]
pub struct Lane {
    queue: mpsc::Sender<Queued>,
    state: Arc<State>,
    /// Bytes that were dropped since something was accepted last; 0 is none. Only this handle uses it.
    dropping: AtomicU64,
}

/// A part of a transaction, as far as it is known yet.
#[derive(Debug)]
enum Accepted {
    Step(Step),
    Later {
        to: Object,
        content_type: &'static str,
        body: oneshot::Receiver<Option<Bytes>>,
    },
    /// Nobody goes on with what is open.
    Abandon,
}

/// A transaction on its way to the writer.
#[derive(Debug)]
struct Queued {
    transaction: Vec<Accepted>,
    /// Given back when its bytes are on disk.
    charge: Charge,
    pending: Pending,
}

impl Lane {
    /// Opens a lane and starts its two tasks on the current runtime.
    pub(crate) fn start(state: Arc<State>) -> Self {
        let (queue, input) = mpsc::channel(QUEUE);
        state.count_parcels();
        tokio::spawn(sender::run(Arc::clone(&state)));
        tokio::spawn(writer::run(Arc::clone(&state), input));
        Self { queue, state, dropping: AtomicU64::new(0) }
    }

    /// Takes everything that one event caused, which a restart finds done whole or not at all; never waits.
    ///
    /// Beyond the memory budget, or when the queue is nearly full, what grows does not: the recording has a gap of whole
    /// units, one warning per incident says so and a counter counts. The rest is taken all the same. Long before that
    /// [`Lane::is_blocked`] asks for no more.
    pub fn accept(&self, transaction: Vec<LaneEffect>) {
        if transaction.is_empty() {
            return;
        }
        let bytes: usize = transaction.iter().map(LaneEffect::bytes).sum();
        let grows = transaction.iter().any(|effect| matches!(effect, LaneEffect::Grow { .. }));
        let transaction = match grows && !self.has_room(bytes) {
            true => self.without_growth(transaction),
            false => {
                if grows {
                    self.end_incident();
                }
                transaction.into_iter().map(LaneEffect::accepted).collect()
            }
        };
        self.queue(transaction, bytes);
    }

    /// Whether what it takes can't be kept at the moment, so that whoever makes it had better not. It changes only when
    /// [`crate::Delivery::incidents`] does.
    pub fn is_blocked(&self) -> bool {
        self.state.is_blocked()
    }

    /// How the lane is doing.
    pub fn status(&self) -> LaneStatus {
        self.state.status()
    }

    /// Nobody can go on with what is open in this recovered lane: it becomes dead letters, and what was saved is
    /// forgotten. What waits is still sent.
    pub fn abandon(self) {
        self.queue(vec![Accepted::Abandon], 0);
    }

    fn queue(&self, transaction: Vec<Accepted>, bytes: usize) {
        let charge = self.state.shared.budget.charge(bytes);
        let pending = self.state.pending(bytes as u64);
        if let Err(error) = self.queue.try_send(Queued { transaction, charge, pending }) {
            // Only after half an hour of a disk that hangs, or if the writer died.
            self.state.lost(&error.to_string());
        }
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.queue.capacity() > RESERVED && self.state.shared.budget.has_room(bytes)
    }

    fn without_growth(&self, transaction: Vec<LaneEffect>) -> Vec<Accepted> {
        let rest = transaction.into_iter().map(|effect| match effect {
            LaneEffect::Grow { file, ref body } => {
                let bytes = body.iter().map(|piece| piece.len() as u64).sum();
                self.drop_batch(bytes);
                Accepted::Step(Step::Lost { file })
            }
            effect => effect.accepted(),
        });
        rest.collect()
    }

    fn drop_batch(&self, bytes: u64) {
        if self.dropping.fetch_add(bytes.max(1), Ordering::Relaxed) == 0 {
            self.state.warn_gap_begins();
        }
        self.state.dropped(bytes);
    }

    fn end_incident(&self) {
        match self.dropping.swap(0, Ordering::Relaxed) {
            0 => {}
            bytes => self.state.warn_gap_ended(bytes),
        }
    }
}
