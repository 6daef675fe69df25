use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use media::{SessionId, StreamId};
use output::Object;
use tokio::sync::{Notify, watch};
use tracing::{error, info, warn};

use super::draft::Step;
use super::files::Files;
use crate::budget::Budget;
use crate::disk::Disk;
use crate::registry::Registry;
use crate::store::{ErrorKind, Fault, Store, StoreError};
use crate::sync::Syncer;

/// How a lane is doing, for `/api/streams`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneStatus {
    /// Product name of its output.
    pub output: Arc<str>,
    /// Which of the session's outputs of that name.
    pub index: u32,
    /// Whether it can keep nothing more at the moment: its disk fails, it holds more than its
    /// share of a spool that is full, or memory is used up.
    pub blocked: bool,
    /// Transactions and what they send, accepted and not yet done with.
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
    /// Batches of recordings dropped for want of memory, and pictures for want of disk.
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
    pub disk: Arc<Disk>,
    pub syncer: Arc<Syncer>,
    pub registry: Arc<dyn Registry>,
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

/// What is asked of the spool's disk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Write = 1,
    Sync = 2,
}

/// Parcels that are counted.
#[derive(Debug, Default)]
struct Waiting {
    /// Those below this number were counted already.
    next: u64,
    parcels: HashMap<u64, Pending>,
}

/// What the handle, the writer and the sender of a lane share. It lives as long as any of them.
#[derive(Debug)]
pub(crate) struct State {
    pub stream: StreamId,
    pub session: SessionId,
    pub output: Arc<str>,
    pub index: u32,
    pub shared: Arc<Totals>,
    pub files: Files,
    /// The writer is gone: no parcel follows.
    pub complete: AtomicBool,
    /// It just went.
    pub completed: Notify,
    /// What the disk does not do: each bit a [`Work`].
    failing: AtomicU8,
    /// Of the parcels in the book. Held for a few instructions.
    waiting: Mutex<Waiting>,
    figures: Mutex<LaneStatus>,
}

impl State {
    /// `None`: `files` belongs to nobody.
    pub fn new(files: Files, shared: Arc<Totals>) -> Option<Arc<Self>> {
        let (stream, session) = files.header.owner()?;
        Some(Self::with(files, stream, session, shared))
    }

    /// Of a lane whose header says `stream` and `session`.
    pub fn with(files: Files, stream: StreamId, session: SessionId, shared: Arc<Totals>) -> Arc<Self> {
        let (output, index): (Arc<str>, u32) = (files.header.product.as_str().into(), files.header.index);
        let figures = LaneStatus { output: Arc::clone(&output), index, ..LaneStatus::default() };
        Arc::new(Self {
            stream,
            session,
            output,
            index,
            shared,
            files,
            complete: AtomicBool::new(false),
            completed: Notify::new(),
            failing: AtomicU8::new(0),
            waiting: Mutex::default(),
            figures: Mutex::new(figures),
        })
    }

    pub fn status(&self) -> LaneStatus {
        LaneStatus { blocked: self.is_blocked(), ..self.figures().clone() }
    }

    /// Whether it can keep nothing more at the moment.
    pub fn is_blocked(&self) -> bool {
        let failing = self.failing.load(Ordering::Relaxed) != 0;
        failing || self.files.holding.is_over() || self.shared.budget.is_crowded()
    }

    /// Held for a few instructions, never over an await.
    fn figures(&self) -> MutexGuard<'_, LaneStatus> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what the book has that is not counted yet.
    pub fn count_parcels(self: &Arc<Self>) {
        // Taken before the book: what the sender is done with meanwhile must not be counted after it was discounted.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting { next, parcels } = &mut *waiting;
        let new: Vec<(u64, u64)> = {
            let book = self.files.book();
            book.pending.range(*next..).map(|(&n, what)| (n, what.size())).collect()
        };
        for (n, size) in new {
            parcels.insert(n, self.pending(size));
            *next = n + 1;
        }
    }

    /// A parcel is dealt with.
    pub fn discount(&self, n: u64) {
        self.files.holding.set_stuck(false);
        let pending = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).parcels.remove(&n);
        drop(pending);
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
        tracing::debug!(stream = %self.stream, session = %self.session, output = %self.output,
            bucket = %to.bucket.name, key = %to.key, bytes, "object stored");
    }

    /// A try failed that is repeated after `pause`, or not.
    pub fn failed(&self, to: &Object, error: &StoreError) {
        self.files.holding.set_stuck(true);
        let mut figures = self.figures();
        figures.failures += 1;
        figures.last_error = Some(error.to_string());
        let storage = to.bucket.storage.to_string();
        let kind = error.kind.label();
        metrics::counter!("millrace_delivery_failures_total", "storage" => storage, "kind" => kind)
            .increment(1);
        if error.kind == ErrorKind::Permanent {
            figures.dead_letters += 1;
            error!(stream = %self.stream, session = %self.session, output = %self.output,
                bucket = %to.bucket.name, key = %to.key, %error, "object cannot be stored: kept as dead letter");
        } else {
            warn!(stream = %self.stream, session = %self.session, output = %self.output,
                bucket = %to.bucket.name, key = %to.key, %error, "object not stored yet");
        }
    }

    /// The spool's disk failed; what is waiting stays in memory.
    pub fn spool_failed(&self, work: Work, error: &std::io::Error) {
        let mut figures = self.figures();
        figures.failures += 1;
        figures.last_error = Some(format!("spool: {error}"));
        drop(figures);
        metrics::counter!("millrace_delivery_spool_failures_total").increment(1);
        if self.failing.fetch_or(work as u8, Ordering::Relaxed) == 0 {
            self.shared.disk.incident();
            error!(stream = %self.stream, session = %self.session, output = %self.output, %error,
                "cannot write to the spool: frames are lost until it can be written again");
        }
    }

    /// The spool's disk does this.
    pub fn spool_works(&self, work: Work) {
        if self.failing.fetch_and(!(work as u8), Ordering::Relaxed) == work as u8 {
            self.shared.disk.incident();
            info!(stream = %self.stream, session = %self.session, output = %self.output,
                "the spool can be written again");
        }
    }

    pub fn dropped(&self, bytes: u64) {
        self.figures().dropped_batches += 1;
        metrics::counter!("millrace_delivery_dropped_batches_total").increment(1);
        metrics::counter!("millrace_delivery_dropped_bytes_total").increment(bytes);
    }

    pub fn warn_gap_begins(&self) {
        warn!(stream = %self.stream, session = %self.session, output = %self.output,
            "recording gap begins: the spool is slower than the stream and memory is used up");
    }

    pub fn warn_gap_ended(&self, bytes: u64) {
        info!(stream = %self.stream, session = %self.session, output = %self.output, bytes,
            "recording gap ended");
    }

    /// What a picture that was made, or was not, means.
    pub fn picture(&self, to: Object, content_type: &'static str, body: Option<Bytes>) -> Step {
        match body {
            Some(body) if !self.shared.disk.is_tight() => {
                Step::Put { to, content_type, body: vec![body], replace: true }
            }
            Some(body) => {
                self.dropped(body.len() as u64);
                Step::Nothing { to, why: "the spool is nearly full".to_owned() }
            }
            None => Step::Nothing { to, why: "there was no picture".to_owned() },
        }
    }

    /// The handle is gone before everything was closed.
    pub fn tell_left_open(&self, files: usize) {
        info!(stream = %self.stream, session = %self.session, output = %self.output, files,
            "the next start goes on with what is open");
    }

    /// A file is kept that nobody can go on with.
    pub fn tell_abandoned(&self, bytes: u64) {
        self.figures().dead_letters += 1;
        metrics::counter!("millrace_delivery_abandoned_total").increment(1);
        error!(stream = %self.stream, session = %self.session, output = %self.output, bytes,
            "a recording file that was open cannot be gone on with: kept as dead letter");
    }

    /// What was stored has no row in the index yet, or nobody was told of it.
    pub fn registry_failed(&self, what: &'static str, error: &str) {
        self.files.holding.set_stuck(true);
        let mut figures = self.figures();
        figures.failures += 1;
        figures.last_error = Some(format!("{what}: {error}"));
        metrics::counter!("millrace_delivery_registry_failures_total", "what" => what).increment(1);
        warn!(stream = %self.stream, session = %self.session, output = %self.output, what, error,
            "not written down yet what is stored");
    }

    /// The end of a file was no whole fragment.
    pub fn cut(&self, to: &Object, bytes: u64) {
        if bytes > 0 {
            warn!(stream = %self.stream, session = %self.session, output = %self.output, key = %to.key, bytes,
                "a torn fragment at the end of a recording is left out");
        }
    }

    /// A file goes out as it grew.
    pub fn stays_fragmented(&self, to: &Object, why: &str) {
        metrics::counter!("millrace_delivery_fragmented_total").increment(1);
        error!(stream = %self.stream, session = %self.session, output = %self.output, key = %to.key, why,
            "no progressive MP4 can be made: stored as the fragmented MP4 that it is");
    }

    /// An object has another key than it was to have.
    pub fn renamed(&self, to: &Object, key: &str) {
        metrics::counter!("millrace_delivery_renamed_total").increment(1);
        warn!(stream = %self.stream, session = %self.session, output = %self.output,
            bucket = %to.bucket.name, wanted = %to.key, key, "another object has this key: stored under the next free one");
    }

    /// An effect that must not be lost was.
    pub fn lost(&self, why: &str) {
        metrics::counter!("millrace_delivery_lost_total").increment(1);
        error!(stream = %self.stream, session = %self.session, output = %self.output, why, "effect lost");
    }
}

/// Something that is not done yet; dropping it says it is.
#[derive(Debug)]
pub(crate) struct Pending {
    state: Arc<State>,
    bytes: u64,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.state.count(-1, -(self.bytes as i64));
    }
}
