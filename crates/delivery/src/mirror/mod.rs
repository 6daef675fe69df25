//! Live windows as objects of a bucket, for a CDN that has the bucket as its origin (issue 5, put to storage).
//!
//! A mirror is not a queue but a state: it makes the bucket look like a window, and takes up the newest one when it
//! is done with the one before, or when the store refused something. So a store that is slow or away costs no memory
//! beyond one older window per stream, and when it is back players get what is live, not what was. Nothing goes
//! through the spool, and no lane waits for it.
//!
//! The layout is that of playback over HTTP, with [`Window::put`] in place of `/{app}/{stream}`.
//!
//! Metrics, by storage: `millrace_mirror_objects_total`, `_bytes_total`, `_deleted_total`, `_failures_total` (and kind),
//! `_lag_seconds` (what the last window took until it was stored whole, or for how long none was).

mod plan;
mod task;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::{StreamId, Wall};
use output::Window;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::lane::Totals;
use task::Task;

/// The mirrors of all streams. Each has a task, until nothing of its stream is in the bucket any more.
#[derive(Debug, Default)]
pub(crate) struct Mirrors(Mutex<HashMap<StreamId, Mirror>>);

#[derive(Debug)]
struct Mirror {
    newest: watch::Sender<Target>,
    /// Number of the newest target for which there is nothing left to put.
    settled: watch::Receiver<u64>,
}

/// What the bucket is to look like.
#[derive(Clone, Debug)]
struct Target {
    /// Counts up.
    number: u64,
    /// `None`, or a window that is not put anywhere: like nothing.
    window: Option<Arc<Window>>,
    /// When it was.
    at: Instant,
}

impl Mirrors {
    /// The bucket is to look like `window` from now on. Never waits. Within a tokio runtime only.
    pub fn show(self: &Arc<Self>, shared: &Arc<Totals>, stream: &StreamId, window: Option<Arc<Window>>) {
        let mut mirrors = self.lock();
        match mirrors.get(stream) {
            Some(mirror) => mirror.show(window),
            None if window.as_ref().is_some_and(|window| window.put.is_some()) => {
                let (newest, targets) = watch::channel(Target { number: 1, window, at: Instant::now() });
                let (settle, settled) = watch::channel(0);
                let task = Task::new(stream.clone(), Arc::clone(shared), Arc::downgrade(self), settle);
                tokio::spawn(task.run(targets));
                mirrors.insert(stream.clone(), Mirror { newest, settled });
            }
            None => {}
        }
    }

    /// Removes what is stored of windows whose time has come ([`Window::forget_at`]).
    pub fn sweep(&self, now: Wall) {
        for mirror in self.lock().values() {
            let forget_at = mirror.newest.borrow().window.as_ref().and_then(|window| window.forget_at);
            if forget_at.is_some_and(|at| at <= now) {
                mirror.show(None);
            }
        }
    }

    /// Waits until there is nothing left to put, at most until `deadline`; how many streams are still behind.
    pub async fn settle(&self, deadline: Instant) -> u64 {
        let waiting: Vec<_> = {
            let mirrors = self.lock();
            mirrors.values().map(|mirror| (mirror.newest.borrow().number, mirror.settled.clone())).collect()
        };
        let mut behind = 0;
        for (number, mut settled) in waiting {
            let all = settled.wait_for(|&settled| settled >= number);
            // A task that is gone has nothing left to put.
            behind += u64::from(timeout_at(deadline, all).await.is_err());
        }
        behind
    }

    /// The task of `stream` ends, if `number` is still its newest target; nothing of the stream is stored.
    fn retire(&self, stream: &StreamId, number: u64) -> bool {
        let mut mirrors = self.lock();
        let newest = mirrors.get(stream).map(|mirror| mirror.newest.borrow().number);
        let retires = newest.is_none_or(|newest| newest == number);
        if retires {
            mirrors.remove(stream);
        }
        retires
    }

    /// Held for a few instructions, never over an await.
    fn lock(&self) -> MutexGuard<'_, HashMap<StreamId, Mirror>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mirror {
    fn show(&self, window: Option<Arc<Window>>) {
        self.newest.send_modify(|target| {
            *target = Target { number: target.number + 1, window, at: Instant::now() };
        });
    }
}
