use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::{SessionId, StreamId};
use output::Object;
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::budget::Budget;
use crate::store::{ErrorKind, Fault, Store, StoreError};

/// How a lane is doing, for `/api/streams`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneStatus {
    /// Product name of its output.
    pub output: &'static str,
    /// Which of the session's outputs of that name.
    pub index: u32,
    /// Effects and objects accepted and not yet done with.
    pub pending: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Objects that the store has.
    pub stored: u64,
    /// Their bytes.
    pub stored_bytes: u64,
    /// Tries that failed.
    pub failures: u64,
    /// Objects that no retry could help.
    pub dead_letters: u64,
    /// Batches of recordings dropped for want of memory.
    pub dropped_batches: u64,
    /// What the last failure said; `None` after a success.
    pub last_error: Option<String>,
}

/// What all lanes share.
pub(crate) struct Totals {
    pub spool: PathBuf,
    pub dead_letter: PathBuf,
    pub stores: HashMap<String, Arc<dyn Store>>,
    pub budget: Arc<Budget>,
    /// Effects and objects of all lanes not yet done with, and their bytes.
    pub pending: watch::Sender<(u64, u64)>,
}

impl Totals {
    /// The store of an object.
    pub fn store(&self, to: &Object) -> Result<&Arc<dyn Store>, StoreError> {
        let name = to.bucket.storage.as_ref();
        let fault = || StoreError::permanent(Fault::NoStorage(name.to_owned()));
        self.stores.get(name).ok_or_else(fault)
    }
}

impl std::fmt::Debug for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Totals").field("spool", &self.spool).finish_non_exhaustive()
    }
}

/// What the handle, the writer and the sender of a lane share. It lives as long as any of them.
#[derive(Debug)]
pub(crate) struct State {
    pub stream: StreamId,
    pub session: SessionId,
    pub output: &'static str,
    pub index: u32,
    /// Unique among all lanes of the process: part of spool names.
    pub number: u64,
    pub shared: Arc<Totals>,
    figures: Mutex<LaneStatus>,
}

impl State {
    pub fn new(
        stream: StreamId,
        session: SessionId,
        output: &'static str,
        index: u32,
        number: u64,
        shared: Arc<Totals>,
    ) -> Arc<Self> {
        let figures = Mutex::new(LaneStatus { output, index, ..LaneStatus::default() });
        Arc::new(Self { stream, session, output, index, number, shared, figures })
    }

    pub fn status(&self) -> LaneStatus {
        self.figures().clone()
    }

    /// Held for a few instructions, never over an await.
    fn figures(&self) -> MutexGuard<'_, LaneStatus> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Folder of the session in the spool.
    pub fn folder(&self) -> PathBuf {
        self.shared.spool.join(self.session.to_string())
    }

    /// Name of this lane in the spool.
    pub fn spool_name(&self) -> String {
        format!("{}-{}-{}", self.output.replace('/', "-"), self.index, self.number)
    }

    /// Counts something with `bytes` until the answer is dropped.
    pub fn pending(self: &Arc<Self>, bytes: u64) -> Pending {
        self.count(1, bytes as i64);
        Pending { state: Arc::clone(self), bytes }
    }

    fn count(&self, effects: i64, bytes: i64) {
        {
            let mut figures = self.figures();
            figures.pending = figures.pending.saturating_add_signed(effects);
            figures.pending_bytes = figures.pending_bytes.saturating_add_signed(bytes);
        }
        self.shared.pending.send_modify(|(n, b)| {
            *n = n.saturating_add_signed(effects);
            *b = b.saturating_add_signed(bytes);
            metrics::gauge!("millrace_delivery_pending").set(*n as f64);
            metrics::gauge!("millrace_delivery_pending_bytes").set(*b as f64);
        });
    }

    pub fn stored(&self, to: &Object, bytes: u64) {
        let mut figures = self.figures();
        figures.stored += 1;
        figures.stored_bytes += bytes;
        figures.last_error = None;
        let storage = to.bucket.storage.to_string();
        metrics::counter!("millrace_delivery_objects_total", "storage" => storage.clone()).increment(1);
        metrics::counter!("millrace_delivery_bytes_total", "storage" => storage).increment(bytes);
        tracing::debug!(stream = %self.stream, session = %self.session, output = self.output,
            bucket = %to.bucket.name, key = %to.key, bytes, "object stored");
    }

    /// A try failed that is repeated after `pause`, or not.
    pub fn failed(&self, to: &Object, error: &StoreError) {
        let mut figures = self.figures();
        figures.failures += 1;
        figures.last_error = Some(error.to_string());
        let storage = to.bucket.storage.to_string();
        let kind = error.kind.label();
        metrics::counter!("millrace_delivery_failures_total", "storage" => storage, "kind" => kind)
            .increment(1);
        if error.kind == ErrorKind::Permanent {
            figures.dead_letters += 1;
            error!(stream = %self.stream, session = %self.session, output = self.output,
                bucket = %to.bucket.name, key = %to.key, %error, "object cannot be stored: kept as dead letter");
        } else {
            warn!(stream = %self.stream, session = %self.session, output = self.output,
                bucket = %to.bucket.name, key = %to.key, %error, "object not stored yet");
        }
    }

    /// The spool's disk failed; what is waiting stays in memory.
    pub fn spool_failed(&self, error: &std::io::Error) {
        let mut figures = self.figures();
        figures.failures += 1;
        figures.last_error = Some(format!("spool: {error}"));
        metrics::counter!("millrace_delivery_spool_failures_total").increment(1);
        warn!(stream = %self.stream, session = %self.session, output = self.output, %error,
            "cannot write to the spool");
    }

    pub fn dropped(&self, bytes: u64) {
        self.figures().dropped_batches += 1;
        metrics::counter!("millrace_delivery_dropped_batches_total").increment(1);
        metrics::counter!("millrace_delivery_dropped_bytes_total").increment(bytes);
    }

    pub fn warn_gap_begins(&self) {
        warn!(stream = %self.stream, session = %self.session, output = self.output,
            "recording gap begins: the spool is slower than the stream and memory is used up");
    }

    pub fn warn_gap_ended(&self, bytes: u64) {
        info!(stream = %self.stream, session = %self.session, output = self.output, bytes,
            "recording gap ended");
    }

    /// An effect that must not be lost was.
    pub fn lost(&self, why: &str) {
        metrics::counter!("millrace_delivery_lost_total").increment(1);
        error!(stream = %self.stream, session = %self.session, output = self.output, why, "effect lost");
    }
}

/// Something that is not done yet; dropping it says it is.
#[derive(Debug)]
pub(crate) struct Pending {
    state: Arc<State>,
    bytes: u64,
}

impl Pending {
    /// It turned out to have `bytes`.
    pub fn resize(&mut self, bytes: u64) {
        let by = bytes as i64 - self.bytes as i64;
        self.bytes = bytes;
        self.state.count(0, by);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.state.count(-1, -(self.bytes as i64));
    }
}
