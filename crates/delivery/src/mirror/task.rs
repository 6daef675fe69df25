//! The task of a mirror: does what `plan` says, and retries.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use media::StreamId;
use output::Object;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::plan::{Item, Known, Step, Wanted};
use super::{Mirrors, Target};
use crate::lane::Totals;
use crate::retry::Backoff;
use crate::store::{Body, ErrorKind, Fault, Headers, Mode, StoreError};

/// Makes the bucket look like the newest window of a stream.
pub(super) struct Task {
    stream: StreamId,
    shared: Arc<Totals>,
    mirrors: Weak<Mirrors>,
    settled: watch::Sender<u64>,
    known: Known,
    put_backoff: Backoff,
    delete_backoff: Backoff,
    /// Since when the store refuses what may be stored later.
    behind: Option<Instant>,
    /// It has been said that an object will never be stored.
    told_refused: bool,
    /// It has been said that objects are not deleted.
    told_undeleted: bool,
}

/// How far a round got.
enum Round {
    /// To the end.
    Done,
    /// The store did not take an object.
    PutFailed,
    /// The store did not delete one, which is no hurry.
    DeleteFailed,
}

impl Task {
    pub fn new(
        stream: StreamId,
        shared: Arc<Totals>,
        mirrors: Weak<Mirrors>,
        settled: watch::Sender<u64>,
    ) -> Self {
        Self {
            stream,
            shared,
            mirrors,
            settled,
            known: Known::default(),
            put_backoff: Backoff::default(),
            delete_backoff: Backoff::default(),
            behind: None,
            told_refused: false,
            told_undeleted: false,
        }
    }

    /// Until nothing is wanted and nothing is stored, or nobody can want anything any more.
    ///
    /// A window that is taken up is put to its end even if a newer one is there by then: else a store that is only just
    /// too slow would never have a whole one. Only when the store refuses something is the next try for the newest.
    pub async fn run(mut self, mut targets: watch::Receiver<Target>) {
        loop {
            match self.follow(&mut targets).await {
                // Not sooner, whatever comes: a store that is away is not asked once per window.
                Round::PutFailed => sleep(self.put_backoff.next()).await,
                Round::DeleteFailed => {
                    let pause = self.delete_backoff.next();
                    tokio::select! {
                        changed = targets.changed() => if changed.is_err() { return },
                        () = sleep(pause) => {}
                    }
                }
                Round::Done => {
                    if self.retires(&targets) || targets.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Whether there is nothing left to do, now and later.
    fn retires(&self, targets: &watch::Receiver<Target>) -> bool {
        let target = targets.borrow();
        let wants = target.window.as_ref().is_some_and(|window| window.put.is_some());
        let number = target.number;
        // The lock of all mirrors comes before the channel's, never after it.
        drop(target);
        !wants
            && self.known.is_empty()
            && self.mirrors.upgrade().is_none_or(|mirrors| mirrors.retire(&self.stream, number))
    }

    /// Takes up the newest window.
    async fn follow(&mut self, targets: &mut watch::Receiver<Target>) -> Round {
        let Target { number, window, at } = targets.borrow_and_update().clone();
        let wanted = window.as_deref().map(Wanted::of).unwrap_or_default();
        let storage = window.and_then(|window| Some(window.put.as_ref()?.bucket.storage.to_string()));
        self.known.follow(&wanted, Instant::now());
        while let Some(step) = self.known.next(&wanted, Instant::now()) {
            let round = match step {
                Step::Put(item) => self.put(item).await,
                Step::Delete(object) => {
                    self.settle(number, at, storage.as_deref());
                    self.delete(&object).await
                }
            };
            if let ControlFlow::Break(round) = round {
                return round;
            }
        }
        self.settle(number, at, storage.as_deref());
        Round::Done
    }

    async fn put(&mut self, item: &Item) -> ControlFlow<Round> {
        let body = Body::Memory(item.resource.body.to_vec());
        let headers =
            Headers { content_type: item.resource.content_type, cache_control: Some(&item.cache_control) };
        let outcome = match self.shared.store(&item.to) {
            // Recordings need the room, and what is live now is old when there is some.
            Ok(_) if self.shared.disk.is_tight() => Err(StoreError::temporary(Fault::NoRoom)),
            Ok(store) => store.put(&item.to, &body, headers, Mode::Replace).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(_) => {
                self.known.stored(item);
                self.put_backoff = Backoff::default();
                self.count_stored(item);
                ControlFlow::Continue(())
            }
            Err(error) if error.kind == ErrorKind::Permanent => {
                self.known.refused(item);
                self.tell_refused(&item.to, &error);
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.tell_behind(&item.to, &error);
                ControlFlow::Break(Round::PutFailed)
            }
        }
    }

    async fn delete(&mut self, object: &Object) -> ControlFlow<Round> {
        let outcome = match self.shared.store(object) {
            Ok(store) => store.delete(object).await,
            Err(error) => Err(error),
        };
        let Err(error) = outcome else {
            self.known.forget(object);
            self.delete_backoff = Backoff::default();
            self.told_undeleted = false;
            metrics::counter!("millrace_mirror_deleted_total", "storage" => storage(object)).increment(1);
            return ControlFlow::Continue(());
        };
        self.tell_undeleted(object, &error);
        if error.kind == ErrorKind::Permanent {
            self.known.forget(object);
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(Round::DeleteFailed)
    }

    /// There is nothing left to put of window `number`, which is of `at`.
    fn settle(&mut self, number: u64, at: Instant, storage: Option<&str>) {
        if self.settled.send_replace(number) == number {
            return;
        }
        if self.known.has_refused() {
            return;
        }
        self.told_refused = false;
        if let Some(storage) = storage {
            lag(storage.to_owned(), at);
        }
        if let Some(since) = self.behind.take() {
            let after = since.elapsed();
            tracing::info!(stream = %self.stream, ?after, "live window is in its bucket again");
        }
    }

    fn count_stored(&self, item: &Item) {
        let bytes: usize = item.resource.body.iter().map(Bytes::len).sum();
        let storage = storage(&item.to);
        metrics::counter!("millrace_mirror_objects_total", "storage" => storage.clone()).increment(1);
        metrics::counter!("millrace_mirror_bytes_total", "storage" => storage).increment(bytes as u64);
        tracing::debug!(stream = %self.stream, bucket = %item.to.bucket.name, key = item.to.key, bytes,
            "live object stored");
    }

    /// Once until the store is back: a window has many objects.
    fn tell_behind(&mut self, to: &Object, error: &StoreError) {
        count_failure(to, error);
        if self.behind.is_none() {
            tracing::warn!(stream = %self.stream, bucket = %to.bucket.name, key = to.key, %error,
                "live window not stored: its bucket stays behind until the store is back");
        }
        lag(storage(to), *self.behind.get_or_insert_with(Instant::now));
    }

    fn tell_refused(&mut self, to: &Object, error: &StoreError) {
        count_failure(to, error);
        if !std::mem::replace(&mut self.told_refused, true) {
            tracing::error!(stream = %self.stream, bucket = %to.bucket.name, key = to.key, %error,
                "live object cannot be stored: playlists in the bucket wait until it has left");
        }
    }

    fn tell_undeleted(&mut self, object: &Object, error: &StoreError) {
        count_failure(object, error);
        if !std::mem::replace(&mut self.told_undeleted, true) {
            tracing::warn!(stream = %self.stream, bucket = %object.bucket.name, key = object.key, %error,
                "live object not deleted from its bucket");
        }
    }
}

fn storage(object: &Object) -> String {
    object.bucket.storage.to_string()
}

fn lag(storage: String, since: Instant) {
    metrics::gauge!("millrace_mirror_lag_seconds", "storage" => storage).set(since.elapsed().as_secs_f64());
}

fn count_failure(object: &Object, error: &StoreError) {
    let kind = error.kind.label();
    metrics::counter!("millrace_mirror_failures_total", "storage" => storage(object), "kind" => kind)
        .increment(1);
}
