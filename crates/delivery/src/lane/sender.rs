use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use output::Object;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::{Pending, State};
use crate::dead_letter;
use crate::retry::Backoff;
use crate::store::{Body, ErrorKind, Headers, StoreError};

/// Objects of a lane that wait in the spool for its store. Beyond it they go to the dead letters: at a slice
/// every 5 s a store is away for four days then.
const WAITING: usize = 65_536;

/// A complete file of the spool on its way to the store.
#[derive(Debug)]
pub(super) struct Parcel {
    pub to: Object,
    pub content_type: &'static str,
    pub path: PathBuf,
    pub len: u64,
    /// Counts it until it is stored, superseded or a dead letter.
    pub _pending: Pending,
}

/// The way to the sender.
pub(super) struct Parcels {
    queue: mpsc::Sender<Parcel>,
    waiting: Arc<Waiting>,
    state: Arc<State>,
}

/// How many parcels for an object wait. The writer adds, the sender takes away; held for a few instructions.
#[derive(Debug, Default)]
struct Waiting(Mutex<HashMap<Object, usize>>);

impl Waiting {
    fn add(&self, to: &Object) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(to.clone()).or_default() += 1;
    }

    /// Takes one away; whether more for the same object follow.
    fn take(&self, to: &Object) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = waiting.get_mut(to) else { return false };
        *count -= 1;
        if *count == 0 {
            waiting.remove(to);
            return false;
        }
        true
    }
}

/// Starts the sender of a lane. It ends when nobody can send any more and every parcel is done with.
pub(super) fn start(state: Arc<State>) -> Parcels {
    let (queue, parcels) = mpsc::channel(WAITING);
    let waiting = Arc::new(Waiting::default());
    tokio::spawn(run(Arc::clone(&state), parcels, Arc::clone(&waiting)));
    Parcels { queue, waiting, state }
}

impl Parcels {
    /// Never waits: beyond [`WAITING`] the parcel becomes a dead letter.
    pub fn send(&self, parcel: Parcel) {
        self.waiting.add(&parcel.to);
        if let Err(error) = self.queue.try_send(parcel) {
            let parcel = error.into_inner();
            self.waiting.take(&parcel.to);
            let full = io::Error::other("too many objects wait for the store");
            let mut error = StoreError::io("queue object", full);
            error.kind = ErrorKind::Permanent;
            let state = Arc::clone(&self.state);
            tokio::spawn(async move { bury(&state, &parcel, &error).await });
        }
    }
}

async fn run(state: Arc<State>, mut parcels: mpsc::Receiver<Parcel>, waiting: Arc<Waiting>) {
    while let Some(parcel) = parcels.recv().await {
        // An older version of what comes later in the queue is of no use to anybody.
        if !waiting.take(&parcel.to) {
            deliver(&state, &parcel).await;
        }
        remove(parcel.path.clone()).await;
    }
    // Other lanes of the session may still have files there.
    let folder = state.folder();
    let _ = spawn_blocking(move || fs::remove_dir(folder)).await;
}

/// Tries until the store has it, or never will.
async fn deliver(state: &State, parcel: &Parcel) {
    let body = Body::File(parcel.path.clone());
    let mut backoff = Backoff::default();
    loop {
        let result = match state.shared.store(&parcel.to) {
            Ok(store) => store.put(&parcel.to, &body, Headers::of(parcel.content_type)).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => return state.stored(&parcel.to, parcel.len),
            Err(error) if error.kind == ErrorKind::Permanent => return bury(state, parcel, &error).await,
            Err(error) => state.failed(&parcel.to, &error),
        }
        // Somebody tidied the spool: waiting for it would hold up the lane for ever.
        if matches!(tokio::fs::try_exists(&parcel.path).await, Ok(false)) {
            return state.lost("its file is gone from the spool");
        }
        sleep(backoff.next()).await;
    }
}

async fn bury(state: &State, parcel: &Parcel, error: &StoreError) {
    state.failed(&parcel.to, error);
    let letter = dead_letter::Letter {
        stream: state.stream.to_string(),
        session: state.session.to_string(),
        output: state.output,
        to: parcel.to.clone(),
        content_type: parcel.content_type,
        error: error.to_string(),
    };
    let (folder, path) = (state.shared.dead_letter.clone(), parcel.path.clone());
    let done = spawn_blocking(move || dead_letter::bury(&folder, &path, &letter)).await;
    if let Err(error) = done.unwrap_or_else(|error| Err(error.into())) {
        state.lost(&format!("dead letter: {error}"));
    }
}

async fn remove(path: PathBuf) {
    let _ = spawn_blocking(move || remove_file(&path)).await;
}

fn remove_file(path: &Path) {
    // A dead letter took its file away.
    let _ = fs::remove_file(path);
}
