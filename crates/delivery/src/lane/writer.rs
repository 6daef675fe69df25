use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use output::{FileId, Save};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::draft::Step;
use super::files::Files;
use super::{Accepted, Queued, State, Work};
use crate::dead_letter::{self, Letter};
use crate::retry::Backoff;

/// The longest pause until the disk is tried again: recordings lose frames until then.
const LONGEST: Duration = Duration::from_secs(2);

/// Carries out transactions in order, until nobody can send any more.
pub(super) async fn run(state: Arc<State>, mut input: mpsc::Receiver<Queued>) {
    while let Some(Queued { transaction, charge, pending }) = input.recv().await {
        let mut steps = Vec::with_capacity(transaction.len());
        for accepted in transaction {
            match accepted {
                Accepted::Step(step) => steps.push(step),
                Accepted::Later { to, content_type, body } => {
                    steps.push(state.picture(to, content_type, body.await.ok().flatten()));
                }
                Accepted::Abandon => bury_open(&state, &mut steps).await,
            }
        }
        write(&state, steps).await;
        drop(charge);
        state.count_parcels();
        drop(pending);
    }
    end(&state).await;
    state.complete.store(true, Ordering::Release);
    state.completed.notify_one();
}

/// Nobody has a use for the lane any more.
async fn end(state: &Arc<State>) {
    let (open, resumable) = {
        let book = state.files.book();
        (book.open.len(), book.saved.fresh.is_some())
    };
    if resumable {
        return state.tell_left_open(open);
    }
    if open > 0 {
        let mut steps = Vec::new();
        bury_open(state, &mut steps).await;
        write(state, steps).await;
    }
}

/// Moves open files to the dead letters.
async fn bury_open(state: &Arc<State>, steps: &mut Vec<Step>) {
    let open: Vec<(FileId, u64)> = {
        let book = state.files.book();
        book.open.iter().map(|(&id, file)| (id, file.len)).collect()
    };
    for &(id, len) in open.iter().filter(|(_, len)| *len > 0) {
        let path = state.files.path(&Files::part(&state.files.name, id));
        let letter =
            Letter::of(state, None, "", "a recording that could not be gone on with after a restart");
        let folder = state.shared.dead_letter.clone();
        state.tell_abandoned(len);
        insist(state, move || dead_letter::bury(&folder, &path, Some(len), &letter)).await;
    }
    steps.push(Step::Buried(open.into_iter().map(|(id, _)| id).collect()));
    steps.push(Step::Save(Save::Done));
}

/// Tries until the disk takes it. Meanwhile transactions wait in memory, within the budget.
async fn write(state: &Arc<State>, steps: Vec<Step>) {
    let lane = Arc::clone(state);
    let to_sync = insist(state, move || lane.files.write(&steps)).await;
    if to_sync {
        state.shared.syncer.add(Arc::clone(state));
    }
}

/// Does `work` until the disk takes it.
pub(super) async fn insist<T: Send + 'static>(
    state: &Arc<State>,
    work: impl Fn() -> io::Result<T> + Send + Sync + 'static,
) -> T {
    let work = Arc::new(work);
    let mut backoff = Backoff::within(LONGEST);
    loop {
        let again = Arc::clone(&work);
        match blocking(move || again()).await {
            Ok(done) => {
                state.spool_works(Work::Write);
                return done;
            }
            Err(error) => state.spool_failed(Work::Write, &error),
        }
        sleep(backoff.next()).await;
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // The task fails only if it panics or the runtime ends.
    spawn_blocking(work).await.unwrap_or_else(|error| Err(error.into()))
}
