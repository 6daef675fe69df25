use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use output::{FileId, Finish};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout_at};

use super::sender::{self, Parcel};
use super::{Damage, LaneEffect, Queued, State};
use crate::retry::Backoff;
use crate::spool::{self, Growing};

/// Appended bytes are synced this long after the first of them at the latest: what a power cut can cost.
const SYNC: Duration = Duration::from_secs(1);

/// Starts the two tasks of a lane. They end when nobody can send any more and everything is done.
pub(super) fn start(state: Arc<State>, input: mpsc::Receiver<Queued>) {
    let parcels = sender::start(Arc::clone(&state));
    let writer = Writer { state, input, parcels, open: BTreeMap::new(), next_whole: 0 };
    tokio::spawn(writer.run());
}

/// Puts effects into the spool, in order.
struct Writer {
    state: Arc<State>,
    input: mpsc::Receiver<Queued>,
    parcels: sender::Parcels,
    open: BTreeMap<FileId, OpenFile>,
    /// Number of the next object that is written whole.
    next_whole: u64,
}

struct OpenFile {
    growing: Growing,
    len: u64,
    /// When what was appended last must be on disk; `None` if it is.
    sync_by: Option<Instant>,
}

impl Writer {
    async fn run(mut self) {
        loop {
            let sync_by = self.open.values().filter_map(|file| file.sync_by).min();
            let next = match sync_by {
                Some(at) => timeout_at(at, self.input.recv()).await,
                None => Ok(self.input.recv().await),
            };
            match next {
                Ok(Some(queued)) => self.take(queued).await,
                Ok(None) => break,
                Err(_) => {}
            }
            self.sync(Instant::now()).await;
        }
        // Files that nobody sealed stay in the spool.
        self.sync_all().await;
    }

    async fn take(&mut self, queued: Queued) {
        let Queued { effect, damage, charge, mut pending } = queued;
        let parcel = match effect {
            LaneEffect::Grow { file, body } => {
                self.grow(file, body).await;
                None
            }
            LaneEffect::Seal { file, to, content_type, finish } => {
                let sealed = self.seal(file, damage, finish).await;
                sealed.map(|(path, len)| (to, content_type, path, len))
            }
            LaneEffect::Put { to, content_type, body } => {
                let (path, len) = self.whole(body).await;
                Some((to, content_type, path, len))
            }
            LaneEffect::Replace { to, content_type, body } => {
                let (path, len) = self.whole(vec![body]).await;
                Some((to, content_type, path, len))
            }
            LaneEffect::Later { to, content_type, body } => {
                // Nothing is synced while this waits, so first.
                self.sync_all().await;
                match body.await {
                    Ok(Some(body)) => {
                        let (path, len) = self.whole(vec![body]).await;
                        Some((to, content_type, path, len))
                    }
                    _ => None,
                }
            }
        };
        drop(charge);
        if let Some((to, content_type, path, len)) = parcel {
            pending.resize(len);
            self.parcels.send(Parcel { to, content_type, path, len, _pending: pending });
        }
    }

    async fn grow(&mut self, id: FileId, body: Vec<Bytes>) {
        let body: Arc<[Bytes]> = body.into();
        if !self.open.contains_key(&id) {
            let path = self.path(&format!("{}.part", id.0));
            let growing = self.insist(move || Growing::create(path.clone())).await;
            self.open.insert(id, OpenFile { growing, len: 0, sync_by: None });
        }
        let Some(file) = self.open.get(&id) else { return };
        let (growing, at, pieces) = (file.growing.clone(), file.len, Arc::clone(&body));
        self.insist(move || growing.write_at(at, &pieces)).await;
        if let Some(file) = self.open.get_mut(&id) {
            file.len += body.iter().map(|piece| piece.len() as u64).sum::<u64>();
            file.sync_by.get_or_insert(Instant::now() + SYNC);
        }
    }

    /// Completes a file; `None` if nothing was ever written to it.
    async fn seal(&mut self, id: FileId, damage: Damage, finish: Finish) -> Option<(PathBuf, u64)> {
        let Some(OpenFile { growing, len, .. }) = self.open.remove(&id) else {
            self.state.lost("every batch of a file was dropped");
            return None;
        };
        let finish = repaired(finish, damage);
        let whole = match &finish {
            Finish::AsIs | Finish::Progressive => len,
            Finish::Head { head, skip } => head.len() as u64 + len.saturating_sub(*skip),
        };
        let path = self.insist(move || growing.finish(len, &finish)).await;
        Some((path, whole))
    }

    /// Writes a whole object into the spool.
    async fn whole(&mut self, body: Vec<Bytes>) -> (PathBuf, u64) {
        let path = self.path(&format!("w{}", self.next_whole));
        self.next_whole += 1;
        let len = body.iter().map(|piece| piece.len() as u64).sum();
        let (body, target): (Arc<[Bytes]>, _) = (body.into(), path.clone());
        self.insist(move || spool::write_whole(&target, &body)).await;
        (path, len)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.state.folder().join(format!("{}-{name}", self.state.spool_name()))
    }

    async fn sync_all(&mut self) {
        self.sync(Instant::now() + SYNC).await;
    }

    /// Syncs the files that must be by `until`.
    async fn sync(&mut self, until: Instant) {
        for file in self.open.values_mut().filter(|file| file.sync_by.is_some_and(|at| at <= until)) {
            file.sync_by = None;
            let growing = file.growing.clone();
            // The kernel reports a failed write back once; there is nothing to repeat.
            if let Err(error) = blocking(move || growing.sync()).await {
                self.state.spool_failed(&error);
            }
        }
    }

    /// Tries until the disk takes it. Meanwhile effects wait in memory, within the budget.
    async fn insist<T: Send + 'static>(&self, work: impl Fn() -> io::Result<T> + Send + Sync + 'static) -> T {
        let work = Arc::new(work);
        let mut backoff = Backoff::default();
        loop {
            let again = Arc::clone(&work);
            match blocking(move || again()).await {
                Ok(done) => return done,
                Err(error) => self.state.spool_failed(&error),
            }
            sleep(backoff.next()).await;
        }
    }
}

/// What can still be done with a file that lacks batches: an index would point beside its frames, and a head
/// replaces only what is there.
fn repaired(finish: Finish, damage: Damage) -> Finish {
    match (finish, damage) {
        (Finish::Head { .. }, Damage::Gap) => Finish::AsIs,
        (Finish::Head { head, .. }, Damage::Beginning) => Finish::Head { head, skip: 0 },
        (finish, _) => finish,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    // The task fails only if it panics or the runtime ends.
    spawn_blocking(work).await.unwrap_or_else(|error| Err(error.into()))
}
