use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use output::{Entry, Notice, Object};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::keys;
use super::progressive::{Made, progressive};
use super::state::State;
use super::writer::{blocking, insist};
use crate::dead_letter::{self, Letter};
use crate::journal::{Cargo, Done, Outcome, Source, What};
use crate::registry::Told;
use crate::retry::Backoff;
use crate::store::{Body, ErrorKind, Fault, Headers, Mode, StoreError};

/// Sends what the journal has, until nothing can follow. Ends with the journal, if nothing is left to go on with.
///
/// What waits is bounded by the room that the spool has, because there is no waiting parcel that is not in the spool.
pub(super) async fn run(state: Arc<State>) {
    let mut written = state.files.written.subscribe();
    loop {
        let first = state.files.book().first();
        if let Some((n, what, superseded)) = first {
            synced(&state, n).await;
            let object = if superseded { None } else { deal_with(&state, n, &what).await };
            done(&state, Done { n, object }).await;
        } else if state.complete.load(Ordering::Acquire) {
            break;
        } else {
            tokio::select! {
                // The state that has its other end is alive.
                _ = written.changed() => {}
                () = state.completed.notified() => {}
            }
        }
    }
    // What is done with must be known to be before the journal goes: else a power cut brings the journal back.
    state.shared.syncer.settle().await;
    let lane = Arc::clone(&state);
    let _ = spawn_blocking(move || lane.files.finish()).await;
}

/// Waits until a power cut can't undo parcel `n`.
async fn synced(state: &State, n: u64) {
    let mut synced = state.files.synced.subscribe();
    // The state that has its other end is alive.
    let _ = synced.wait_for(|&next| next > n).await;
}

async fn done(state: &Arc<State>, done: Done) {
    let (lane, n) = (Arc::clone(state), done.n);
    let to_sync = insist(state, move || lane.files.done(done.clone())).await;
    if to_sync {
        state.shared.syncer.add(Arc::clone(state));
    }
    state.discount(n);
}

/// Until it is done, or never can be. What became of it, if it is an object.
async fn deal_with(state: &Arc<State>, n: u64, what: &What) -> Option<Outcome> {
    match what {
        What::Object(cargo) => {
            let delivery = Delivery { state, cargo, n, told: AtomicBool::new(false) };
            Some(delivery.run().await)
        }
        What::Index(entry) => {
            index(state, entry).await;
            None
        }
        What::Notice { notice, context } => {
            tell(state, n, notice, context).await;
            None
        }
        What::Nothing { to, why } => {
            Some(Outcome { to: to.clone(), key: None, size: 0, failed: Some(why.clone()) })
        }
    }
}

async fn index(state: &State, entry: &Entry) {
    let (mut entry, wanted) = (entry.clone(), entry.object.clone());
    let size = {
        let book = state.files.book();
        keys::correct(&mut entry, &book);
        match book.outcome(&wanted) {
            Some(outcome) if outcome.failed.is_none() => outcome.size,
            Some(_) => return,
            None => 0,
        }
    };
    let mut backoff = Backoff::default();
    while let Err(error) = state.shared.registry.stored(&state.stream, &entry, size).await {
        state.registry_failed("index", &error);
        sleep(backoff.next()).await;
    }
}

async fn tell(state: &State, n: u64, notice: &Notice, context: &str) {
    let Some((notice, size)) = true_notice(state, notice) else { return };
    let told = Told {
        id: format!("{}/{}/{n}", state.session, state.files.name),
        stream: state.stream.clone(),
        session: state.session,
        product: Arc::clone(&state.output),
        index: state.index,
        notice,
        size,
        context: context.to_owned(),
    };
    let mut backoff = Backoff::default();
    while let Err(error) = state.shared.registry.told(&told).await {
        state.registry_failed("notice", &error);
        sleep(backoff.next()).await;
    }
}

/// The notice with the keys that its object has, and the object's size. `None`: there is nothing to tell.
fn true_notice(state: &State, notice: &Notice) -> Option<(Notice, Option<u64>)> {
    let book = state.files.book();
    let mut notice = notice.clone();
    let outcome = match &mut notice {
        Notice::RecordFileStored(entry) => {
            let outcome = book.outcome(&entry.object);
            keys::correct(entry, &book);
            outcome
        }
        Notice::SnapshotStored { object, .. } => book.outcome(object),
        _ => None,
    };
    let Some(outcome) = outcome else { return Some((notice, None)) };
    match (&outcome.failed, &notice) {
        (None, _) => Some((notice, Some(outcome.size))),
        (Some(why), Notice::RecordFileStored(_)) => {
            let reason = format!("{} is not stored: {why}", outcome.to.key);
            Some((Notice::RecordFailed { reason }, None))
        }
        (Some(_), _) => None,
    }
}

/// An object on its way.
struct Delivery<'a> {
    state: &'a Arc<State>,
    cargo: &'a Cargo,
    n: u64,
    /// Whether it was told what its file lacks: once for all tries.
    told: AtomicBool,
}

impl Delivery<'_> {
    /// Tries until the store has it, or never will.
    async fn run(&self) -> Outcome {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.send().await {
                Ok((key, size)) => return self.stored(key, size),
                Err(error) => error,
            };
            self.state.failed(&self.cargo.to, &error);
            if error.kind == ErrorKind::Permanent {
                return self.bury(&error).await;
            }
            // Somebody tidied the spool: waiting for it would hold up the lane for ever.
            if let Some(name) = self.missing().await {
                let why = format!("its file {name} is gone from the spool");
                self.state.lost(&why);
                return self.failed(why);
            }
            sleep(backoff.next()).await;
        }
    }

    fn stored(&self, key: String, size: u64) -> Outcome {
        let to = self.cargo.to.clone();
        self.state.stored(&to, size);
        let key = (key != to.key).then(|| {
            self.state.renamed(&to, &key);
            key
        });
        Outcome { to, key, size, failed: None }
    }

    fn failed(&self, why: String) -> Outcome {
        Outcome { to: self.cargo.to.clone(), key: None, size: 0, failed: Some(why) }
    }

    /// The key under which it is stored then, and its size.
    async fn send(&self) -> Result<(String, u64), StoreError> {
        let body = self.body().await?;
        let size = size(&body).await.map_err(|error| StoreError::io("read object", error))?;
        let store = self.state.shared.store(&self.cargo.to)?;
        let headers = Headers::of(&self.cargo.content_type);
        let mark = format!("{}/{}/{}", self.state.session, self.state.files.name, self.n);
        let mode = if self.cargo.replace { Mode::Replace } else { Mode::New { mark: &mark } };
        for n in 1..=keys::TRIES {
            let key = keys::numbered(&self.cargo.to.key, n);
            let to = Object { bucket: self.cargo.to.bucket.clone(), key };
            match store.put(&to, &body, headers, mode).await {
                Err(StoreError { fault: Fault::Taken(_), .. }) => {}
                Ok(found) if found == size => return Ok((to.key, size)),
                Ok(found) => return Err(StoreError::temporary(Fault::Size { sent: size, found })),
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::permanent(Fault::Taken(self.cargo.to.key.clone())))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.state.files.path(name)
    }

    async fn body(&self) -> Result<Body, StoreError> {
        let body = match &self.cargo.source {
            Source::File { name, .. } => Body::File(self.path(name)),
            Source::Join { head, name, skip, .. } => {
                let (head, file) = (self.path(head), self.path(name));
                let found = tokio::fs::metadata(&file).await;
                let len = found.map_err(|error| StoreError::io("read object", error))?.len();
                Body::Join { head, file, pieces: [(*skip, len.saturating_sub(*skip))].into() }
            }
            Source::Progressive { name, .. } => self.progressive(name).await?,
        };
        if keys::names_others(&self.cargo.content_type)
            && let Body::File(path) = &body
            && !self.state.files.book().renamed.is_empty()
        {
            return self.corrected(path.clone()).await;
        }
        Ok(body)
    }

    /// The progressive file of a fragmented one.
    async fn progressive(&self, name: &str) -> Result<Body, StoreError> {
        let (file, head) = (self.path(name), self.path(name).with_extension("head"));
        let (from, to) = (file.clone(), head.clone());
        let made = blocking(move || progressive(&from, &to)).await;
        let made = made.map_err(|error| StoreError::io("make progressive file", error))?;
        let told = self.told.swap(true, Ordering::Relaxed);
        match made {
            Made::Whole { pieces, cut } => {
                self.state.cut(&self.cargo.to, if told { 0 } else { cut });
                Ok(Body::Join { head, file, pieces })
            }
            Made::Never(why) => {
                if !told {
                    self.state.stays_fragmented(&self.cargo.to, &why);
                }
                Ok(Body::File(file))
            }
        }
    }

    /// A playlist that names objects by the keys that they have.
    async fn corrected(&self, path: PathBuf) -> Result<Body, StoreError> {
        let text = blocking(move || std::fs::read_to_string(path)).await;
        let text = text.map_err(|error| StoreError::io("read object", error))?;
        let book = self.state.files.book();
        let text = keys::correct_references(&text, &self.cargo.to, &book.renamed);
        Ok(Body::Memory(vec![text.into()]))
    }

    async fn missing(&self) -> Option<String> {
        for (name, _) in self.cargo.source.files() {
            if matches!(tokio::fs::try_exists(self.path(name)).await, Ok(false)) {
                return Some(name.to_owned());
            }
        }
        None
    }

    async fn bury(&self, error: &StoreError) -> Outcome {
        let letter =
            Letter::of(self.state, Some(self.cargo.to.clone()), &self.cargo.content_type, &error.to_string());
        for (name, _) in self.cargo.source.files() {
            let (folder, path) = (self.state.shared.dead_letter.clone(), self.path(name));
            let letter = letter.clone();
            // Until it is kept: its place in the spool is freed then.
            insist(self.state, move || match dead_letter::bury(&folder, &path, None, &letter) {
                Err(_) if matches!(path.try_exists(), Ok(false)) => Ok(()),
                buried => buried,
            })
            .await;
        }
        self.failed(error.to_string())
    }
}

/// Bytes of an object.
async fn size(body: &Body) -> io::Result<u64> {
    Ok(match body {
        Body::Memory(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
        Body::File(path) => tokio::fs::metadata(path).await?.len(),
        Body::Join { head, pieces, .. } => {
            tokio::fs::metadata(head).await?.len() + pieces.iter().map(|(_, len)| len).sum::<u64>()
        }
    })
}
