//! Gets objects to a store: spool, retry, local files, S3. The only place that retries.
//!
//! ```text
//! Effect ──▶ Lane ──bounded──▶ writer ──▶ spool/{session}/…  ──▶ sender ──▶ Store
//!            never waits       appends, syncs every second               retries, in order
//!
//! Effect::Window ──▶ mirror, one per stream ──▶ Store         the newest window wins, nothing waits but it
//! ```
//!
//! A [`Lane`] is one output of one session. Its objects reach the store in the order they were accepted, so a
//! playlist never names what is not there. Objects go through the spool: a store that is away costs disk, not
//! memory. An object that no retry can help moves to the dead letters with a note, and the lane goes on.
//!
//! A mirror makes a bucket look like a live window: [`Delivery::mirror`].
//!
//! What a crash or a shutdown leaves in the spool is counted and reported at the next start, never deleted.
//!
//! Metrics: `millrace_delivery_objects_total`, `_bytes_total`, `_failures_total` (by storage, and kind),
//! `_pending`, `_pending_bytes`, `_spool_failures_total`, `_dropped_batches_total`, `_dropped_bytes_total`,
//! `_lost_total`, `_spool_left_over_files`, `_storage_up` (1 if the last call to an S3 storage worked).

mod budget;
mod dead_letter;
mod lane;
mod local;
mod mirror;
mod path;
mod retry;
pub mod s3;
mod spool;
mod store;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use media::{SessionId, StreamId, Wall};
use output::Window;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use budget::Budget;
pub use lane::{Lane, LaneEffect, LaneStatus};
use lane::{State, Totals};
pub use local::LocalStore;
use mirror::Mirrors;
pub use s3::S3Store;
pub use store::{Body, BoxFuture, ErrorKind, Fault, Headers, Store, StoreError};

/// Memory for effects that wait for the spool, by default: half a minute of a disk that hangs at 60 Mb/s.
pub const MEMORY_BYTES: usize = 256 * 1024 * 1024;

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
}

/// What was not delivered when time was up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Effects and objects not done with. Objects are in the spool.
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
}

impl Delivery {
    /// Opens the spool. `stores` by the name of their storage; an object for another name is a dead letter.
    ///
    /// # Errors
    /// If the folders cannot be made or read.
    pub fn open(settings: Settings, stores: HashMap<String, Arc<dyn Store>>) -> io::Result<Self> {
        fs::create_dir_all(&settings.spool)?;
        fs::create_dir_all(&settings.dead_letter)?;
        let (files, bytes) = spool::left_over(&settings.spool)?;
        metrics::gauge!("millrace_delivery_spool_left_over_files").set(files as f64);
        if files > 0 {
            warn!(files, bytes, "an earlier run left files in the spool; they are kept and not sent");
        }
        let totals = Totals {
            spool: settings.spool,
            dead_letter: settings.dead_letter,
            stores,
            budget: Budget::new(settings.memory_bytes),
            pending: watch::Sender::new((0, 0)),
        };
        Ok(Self {
            totals: Arc::new(totals),
            next_lane: AtomicU64::new(0),
            lanes: Mutex::default(),
            mirrors: Arc::default(),
        })
    }

    /// Opens a lane for an output: its product name, and which of the session's outputs it is. Within a tokio
    /// runtime only.
    pub fn lane(&self, stream: &StreamId, session: SessionId, output: &'static str, index: u32) -> Lane {
        let number = self.next_lane.fetch_add(1, Ordering::Relaxed);
        let totals = Arc::clone(&self.totals);
        let state = State::new(stream.clone(), session, output, index, number, totals);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|lane| lane.strong_count() > 0);
        lanes.push(Arc::downgrade(&state));
        drop(lanes);
        Lane::start(state)
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

    /// Waits until everything accepted so far is stored, at most `limit`; for shutdown, after the sessions ended.
    pub async fn drain(&self, limit: Duration) -> Left {
        let deadline = Instant::now() + limit;
        let mut pending = self.totals.pending.subscribe();
        // The sender lives as long as `self`, so waiting ends with none left or with time up.
        let _ = timeout_at(deadline, pending.wait_for(|&(n, _)| n == 0)).await;
        let windows = self.mirrors.settle(deadline).await;
        let (pending, bytes) = *self.totals.pending.borrow();
        Left { pending, bytes, windows }
    }
}
