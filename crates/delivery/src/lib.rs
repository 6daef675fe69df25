//! Gets objects to a store: spool, journal, retry, local files, S3, index and callbacks. The only place that retries.
//!
//! ```text
//! what one event ──▶ Lane ──bounded──▶ writer ──▶ spool/{session}/… ──▶ sender ──▶ Store, then index, then notices
//! caused                  never waits    appends,   and its journal        retries, in order
//!                                        syncs within half a second
//!
//! Effect::Window ──▶ mirror, one per stream ──▶ Store         the newest window wins, nothing waits but it
//!
//! outbox ──▶ callbacks, one lane per stream and URL ──▶ HTTP
//! ```
//!
//! A [`Lane`] is one output of one session. Its objects reach the store in the order they were accepted, so a
//! playlist never names what is not there. Objects go through the spool: a store that is away costs disk, not
//! memory. An object that no retry can help moves to the dead letters with a note, and the lane goes on. No recording
//! replaces an object: if its key is taken it gets the next free one, and whoever names it names that.
//!
//! What was accepted is in the lane's journal (module `journal`), transaction by transaction: a crash loses nothing
//! that was written, a power cut at most the last half second, and [`Delivery::open`] goes on with the rest. What a
//! version without journals left is counted and reported, never deleted.
//!
//! A disk that fails blocks lanes ([`Lane::is_blocked`]): who fills them makes a gap until there is room. When the disk
//! runs short, or the spool has all that it may have, those lanes are blocked that hold more than their share
//! (`disk::share`): first those whose store does not take what they have, so that no recording stops because another's
//! store is away. Live windows and snapshots are shed before.
//!
//! A mirror makes a bucket look like a live window: [`Delivery::mirror`].
//!
//! Metrics: `millrace_delivery_objects_total`, `_bytes_total`, `_failures_total` (by storage, and kind),
//! `_pending`, `_pending_bytes`, `_spool_failures_total`, `_dropped_batches_total`, `_dropped_bytes_total`,
//! `_lost_total`, `_abandoned_total`, `_fragmented_total`, `_renamed_total`, `_registry_failures_total`, `_recovered_lanes`,
//! `_spool_left_over_files`, `_spool_bytes`, `_spool_free_bytes`, `_spool_level` (1: tight, 2: full), `_syncs_total` (by
//! kind), `_storage_up` (1 if the last call to an S3 storage worked).

mod budget;
pub mod callbacks;
mod dead_letter;
mod disk;
mod journal;
mod lane;
mod local;
mod mirror;
mod path;
mod registry;
mod retry;
pub mod s3;
mod spool;
mod store;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use media::{SessionId, StreamId, Wall};
use output::{Saved, Window};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use budget::Budget;
use disk::{Disk, Limits};
use journal::Header;
use lane::{Files, State, Totals};
pub use lane::{Lane, LaneEffect, LaneStatus};
pub use local::LocalStore;
use mirror::Mirrors;
pub use registry::{Registry, Told};
pub use s3::S3Store;
pub use store::{Body, BoxFuture, ErrorKind, Fault, Headers, Mode, Store, StoreError};
use sync::Syncer;

/// Memory for effects that wait for the spool, by default: half a minute of a disk that hangs at 60 Mb/s.
pub const MEMORY_BYTES: usize = 256 * 1024 * 1024;

/// Bytes of the spool's disk that are left for others, by default: beyond it the largest backlogs get gaps.
pub const SPOOL_FREE_BYTES: u64 = 256 * 1024 * 1024;

/// What syncing the spool gets at a shutdown whose time is up.
const SYNC_ANYWAY: Duration = Duration::from_millis(500);

/// How delivery works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of what is not in its store yet; on the local disk.
    pub spool: PathBuf,
    /// Folder of what no retry can get into its store; on the same file system.
    pub dead_letter: PathBuf,
    /// Bytes of effects of all lanes that may wait in memory, [`MEMORY_BYTES`] by default; beyond it recordings
    /// get gaps.
    pub memory_bytes: usize,
    /// Bytes that may wait for their stores. Files that grow or are being sent count if their store is away. Beyond it the
    /// largest backlogs get gaps. `None`: the whole disk.
    pub spool_bytes: Option<u64>,
    /// Bytes of the spool's disk that are left for others, [`SPOOL_FREE_BYTES`] by default.
    pub spool_free_bytes: u64,
}

/// A lane that an earlier run left with something to go on with. What it had to send is on its way already.
#[derive(Debug)]
pub struct Recovered {
    /// Whose.
    pub stream: StreamId,
    /// Which session.
    pub session: SessionId,
    /// Product name of its output.
    pub product: Arc<str>,
    /// Which of the session's outputs of that name.
    pub index: u32,
    /// When the session began.
    pub opened: Wall,
    /// What the output saved; there is always [`Saved::fresh`].
    pub saved: Saved,
    /// Takes what the output causes when it goes on. If it can't: [`Lane::abandon`].
    pub lane: Lane,
}

/// What was not delivered when time was up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Transactions and what they send, not done with. Objects are in the spool.
    pub pending: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Streams whose newest window is not in its bucket.
    pub windows: u64,
}

/// All lanes and mirrors.
#[derive(Debug)]
pub struct Delivery {
    totals: Arc<Totals>,
    next_lane: AtomicU64,
    /// Who can say how lanes are doing, for [`Delivery::status`]. Dead entries go when a lane opens.
    lanes: Mutex<Vec<Weak<State>>>,
    mirrors: Arc<Mirrors>,
    incidents: Arc<AtomicU64>,
}

impl Delivery {
    /// Opens the spool and goes on with what is in it. `stores` by the name of their storage; an object for another name
    /// is a dead letter. The answer has the lanes that somebody must go on with, oldest session first. Within a tokio
    /// runtime only; blocks while it reads the journals.
    ///
    /// # Errors
    /// If the folders or journals cannot be made, read or written.
    pub fn open(
        settings: Settings,
        stores: HashMap<String, Arc<dyn Store>>,
        registry: Arc<dyn Registry>,
    ) -> io::Result<(Self, Vec<Recovered>)> {
        fs::create_dir_all(&settings.spool)?;
        fs::create_dir_all(&settings.dead_letter)?;
        let incidents = Arc::new(AtomicU64::new(0));
        let limits = Limits { spool: settings.spool_bytes, free: settings.spool_free_bytes };
        let disk = Arc::new(Disk::new(settings.spool.clone(), limits, Arc::clone(&incidents)));
        let found = spool::find(&settings.spool, &settings.dead_letter, &disk)?;
        disk.look();
        let totals = Arc::new(Totals {
            syncer: Syncer::start(settings.spool.clone(), Arc::clone(&disk)),
            spool: settings.spool,
            dead_letter: settings.dead_letter,
            stores,
            registry,
            budget: Budget::new(settings.memory_bytes, Arc::clone(&incidents)),
            disk,
            pending: watch::Sender::new((0, 0)),
        });
        let delivery = Self {
            totals,
            next_lane: AtomicU64::new(found.next_lane),
            lanes: Mutex::default(),
            mirrors: Arc::default(),
            incidents,
        };
        metrics::gauge!("millrace_delivery_spool_left_over_files").set(found.files as f64);
        if found.files > 0 {
            let (files, bytes) = (found.files, found.bytes);
            warn!(files, bytes, "files in the spool belong to no journal; they are kept and not sent");
        }
        let recovered = delivery.recover(found.lanes);
        Ok((delivery, recovered))
    }

    fn recover(&self, lanes: Vec<Files>) -> Vec<Recovered> {
        metrics::gauge!("millrace_delivery_recovered_lanes").set(lanes.len() as f64);
        let mut recovered = Vec::new();
        for files in lanes {
            let (saved, pending, open) = {
                let book = files.book();
                (book.saved.clone(), book.pending.len(), book.open.len())
            };
            let opened = files.header.opened;
            let Some(state) = State::new(files, Arc::clone(&self.totals)) else { continue };
            info!(stream = %state.stream, session = %state.session, output = %state.output, pending, open,
                resumable = saved.fresh.is_some(), "an earlier run left something to send or to go on with");
            let lane = self.start(Arc::clone(&state));
            // Without something saved nobody can go on: what waits is sent, what is open is kept.
            if saved.fresh.is_some() {
                let State { stream, session, output, index, .. } = &*state;
                let (stream, product) = (stream.clone(), Arc::clone(output));
                recovered.push(Recovered {
                    stream,
                    session: *session,
                    product,
                    index: *index,
                    opened,
                    saved,
                    lane,
                });
            }
        }
        recovered.sort_by_key(|lane| (lane.opened, lane.session));
        recovered
    }

    /// Opens a lane for an output: its product name, and which of the session's outputs it is, and when the session
    /// began. Within a tokio runtime only.
    pub fn lane(
        &self,
        stream: &StreamId,
        session: SessionId,
        product: &str,
        index: u32,
        opened: Wall,
    ) -> Lane {
        let number = self.next_lane.fetch_add(1, Ordering::Relaxed);
        let header = Header::new(stream, session, product, index, opened);
        let name = format!("{}-{index}-{number}", product.replace(['/', '.'], "-"));
        let folder = self.totals.spool.join(session.to_string());
        let files = Files::new(folder, name, header, Arc::clone(&self.totals.disk));
        self.start(State::with(files, stream.clone(), session, Arc::clone(&self.totals)))
    }

    fn start(&self, state: Arc<State>) -> Lane {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|lane| lane.strong_count() > 0);
        lanes.push(Arc::downgrade(&state));
        drop(lanes);
        Lane::start(state)
    }

    /// Changes whenever [`Lane::is_blocked`] of some lane may have.
    pub fn incidents(&self) -> u64 {
        self.incidents.load(Ordering::Relaxed)
    }

    /// How the lanes of a session are doing, those that still work after it included.
    pub fn status(&self, session: SessionId) -> Vec<LaneStatus> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = lanes.iter().filter_map(Weak::upgrade);
        alive.filter(|state| state.session == session).map(|state| state.status()).collect()
    }

    /// The bucket that `window` names ([`Window::put`]) is to look like it from now on: every object that it serves is
    /// stored before what names it, and removed after it. `None`, or a window that names no bucket: what is stored of
    /// the stream is removed. Never waits. Within a tokio runtime only.
    pub fn mirror(&self, stream: &StreamId, window: Option<Arc<Window>>) {
        self.mirrors.show(&self.totals, stream, window);
    }

    /// Removes from their buckets the windows whose time has come ([`Window::forget_at`]).
    pub fn sweep(&self, now: Wall) {
        self.mirrors.sweep(now);
    }

    /// Waits until everything accepted so far is stored, and what is open is synced, at most `limit`; for shutdown, after
    /// the sessions ended.
    pub async fn drain(&self, limit: Duration) -> Left {
        let deadline = Instant::now() + limit;
        self.totals.syncer.hurry();
        let mut pending = self.totals.pending.subscribe();
        // The sender lives as long as `self`, so waiting ends with none left or with time up.
        let _ = timeout_at(deadline, pending.wait_for(|&(n, _)| n == 0)).await;
        let windows = self.mirrors.settle(deadline).await;
        // A moment, even if the time is up: without it a power cut costs more than it must.
        let at_least = Instant::now() + SYNC_ANYWAY;
        if timeout_at(deadline.max(at_least), self.totals.syncer.settle()).await.is_err() {
            warn!("not everything in the spool is synced");
        }
        let (pending, bytes) = *self.totals.pending.borrow();
        Left { pending, bytes, windows }
    }
}
