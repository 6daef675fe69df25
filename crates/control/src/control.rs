use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Catalog, Command, Fault};
use media::{StreamId, Wall};
use output::Bucket;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::archive::{DeleteObject, GiveOrder, PutObject};
use crate::keys::{AccessKey, Keys};
use crate::writer::{Asked, Writer};
use crate::{Database, Error, Nonces, Throttle, Who};

/// Changes waiting for the writer; beyond, whoever asks waits for a place.
const QUEUE: usize = 1_024;
/// Lists that are made at the same time: each has the slices of up to four days in memory.
pub(crate) const LISTS: usize = 2;
/// How often changes from other processes are looked for: `millrace key disable` takes effect this soon.
const LOOK: Duration = Duration::from_millis(200);
/// A database that takes longer than this for a look does not answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Ends the publisher of a stream. Must not block.
pub type Kick = Arc<dyn Fn(StreamId) + Send + Sync>;

/// Asks a storage whether it has a bucket; `None` when it does not answer.
pub type HasBucket = Arc<dyn Fn(Bucket) -> Pin<Box<dyn Future<Output = Option<bool>> + Send>> + Send + Sync>;

/// What the control plane needs of the outside.
pub struct Settings {
    /// Access keys of the config file; they win over those of the database.
    pub keys: Vec<AccessKey>,
    /// Whether rates are enforced.
    pub throttle: bool,
    /// Called for every stream whose publisher must go.
    pub kick: Kick,
    /// Asked about buckets that new templates name, where the config does not say which there are.
    pub has_bucket: HasBucket,
    /// Called for orders to recordings.
    pub order: GiveOrder,
    /// Called for lists that operators have made of recordings.
    pub put: PutObject,
    /// Called for recordings that go.
    pub delete: DeleteObject,
    /// The time.
    pub clock: fn() -> Wall,
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The database does not take it now, a storage does not say whether it has the bucket, or the server is going
    /// down.
    #[error("the change could not be kept")]
    Unavailable,
}

/// The present catalog and keys, and the way to change them. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    catalog: watch::Receiver<Arc<Catalog>>,
    changes: mpsc::Sender<Asked>,
    file_keys: Vec<AccessKey>,
    keys: watch::Sender<Arc<Keys>>,
    throttle: Throttle,
    nonces: Nonces,
    /// What the last look at the database found.
    answers: watch::Sender<bool>,
    has_bucket: HasBucket,
    order: GiveOrder,
    lists: Semaphore,
    put: PutObject,
    delete: DeleteObject,
    clock: fn() -> Wall,
}

impl Control {
    /// Starts from what the config file declares and what the database keeps. Also returns a line for everything
    /// in the database that has no effect. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open(
        database: Database,
        file: Catalog,
        settings: Settings,
    ) -> Result<(Self, Vec<String>), Error> {
        let rows = database.declared().await?;
        let (catalog, mut notices) = file.clone().restore(&rows);
        let (current, seen) = watch::channel(Arc::new(catalog));
        let (changes, inbox) = mpsc::channel(QUEUE);
        let Settings { keys: file_keys, throttle, kick, has_bucket, order, put, delete, clock } = settings;
        let (nonces, now) = (Nonces::default(), clock());
        for kept in database.nonces(now).await? {
            let _ = nonces.first_use(&kept.key_id, &kept.nonce, now);
        }
        let connection = database.pool.acquire().await?;
        let writer = Writer { database: database.clone(), connection, file, current, kick, clock };
        let (keys, unreadable) = Keys::read(&database, &file_keys).await?;
        notices.extend(unreadable);
        let inner = Inner {
            database,
            catalog: seen,
            changes,
            file_keys,
            keys: watch::channel(Arc::new(keys)).0,
            throttle: Throttle::new(throttle),
            nonces,
            answers: watch::Sender::new(true),
            has_bucket,
            order,
            lists: Semaphore::new(LISTS),
            put,
            delete,
            clock,
        };
        tokio::spawn(writer.run(inbox));
        Ok((Self { inner: Arc::new(inner) }, notices))
    }

    /// The catalog at this moment.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.inner.catalog.borrow().clone()
    }

    /// Makes a change; when this returns, it is on disk and [`Control::catalog`] has it. Dropping the future does
    /// not take the change back.
    ///
    /// # Errors
    /// [`Refused`] says why nothing was changed.
    pub async fn change(&self, command: Command, who: Who) -> Result<Arc<Catalog>, Refused> {
        self.look_for_bucket(&command).await?;
        let (answer, answered) = oneshot::channel();
        let asked = Asked { command, who, answer };
        self.inner.changes.send(asked).await.map_err(|_| Refused::Unavailable)?;
        answered.await.map_err(|_| Refused::Unavailable)?
    }

    /// Asks for the bucket that a change names, if only its storage knows. Before the change waits for its turn, so
    /// that a slow service holds up nobody else; a change that is wrong anyway is not worth the question.
    async fn look_for_bucket(&self, command: &Command) -> Result<(), Refused> {
        let applied = self.catalog().apply(command, (self.inner.clock)());
        let Some(bucket) = applied.ok().and_then(|applied| applied.unseen) else { return Ok(()) };
        self.has_bucket(&bucket).await
    }

    /// Asks a storage for a bucket.
    async fn has_bucket(&self, bucket: &Bucket) -> Result<(), Refused> {
        match (self.inner.has_bucket)(bucket.clone()).await {
            Some(true) => Ok(()),
            Some(false) => Err(Fault::no_bucket(&bucket.storage, &bucket.name).into()),
            None => Err(Refused::Unavailable),
        }
    }

    /// Asks for the bucket that a list is to go to, if only its storage knows.
    pub(crate) async fn look_for(&self, bucket: &Bucket) -> Result<(), Refused> {
        let catalog = self.catalog();
        let storages = catalog.known().storages;
        match storages.find(&bucket.storage).is_some_and(|storage| storage.buckets.is_none()) {
            true => self.has_bucket(bucket).await,
            false => Ok(()),
        }
    }

    /// The access keys at this moment.
    pub fn keys(&self) -> Arc<Keys> {
        self.inner.keys.borrow().clone()
    }

    #[cfg(test)]
    pub(crate) fn inner_keys(&self) -> watch::Receiver<Arc<Keys>> {
        self.inner.keys.subscribe()
    }

    /// Limits of requests per account and action.
    pub fn throttle(&self) -> &Throttle {
        &self.inner.throttle
    }

    /// Nonces of signatures that were seen.
    pub fn nonces(&self) -> &Nonces {
        &self.inner.nonces
    }

    /// Whether the database is there and answers, as [`Control::follow_database`] last found, and changes can be made.
    pub fn healthy(&self) -> bool {
        *self.inner.answers.borrow() && !self.inner.changes.is_closed()
    }

    /// Tells when the database stops or begins to answer.
    pub fn answers(&self) -> watch::Receiver<bool> {
        self.inner.answers.subscribe()
    }

    pub(crate) fn give_order(&self) -> &GiveOrder {
        &self.inner.order
    }

    pub(crate) fn lists(&self) -> &Semaphore {
        &self.inner.lists
    }

    pub(crate) fn put_object(&self) -> &PutObject {
        &self.inner.put
    }

    pub(crate) fn delete_object(&self) -> &DeleteObject {
        &self.inner.delete
    }

    /// The database, for questions that need no catalog.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// Looks at the database until dropped: whether it is still there, and for access keys that another process
    /// changed.
    pub async fn follow_database(self) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut version = None;
        let mut connection = None;
        loop {
            ticks.tick().await;
            let error = match timeout(ANSWER, self.look(&mut connection, &mut version)).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no answer within {ANSWER:?}")),
            };
            if error.is_some() {
                connection = None;
            }
            let changed = self
                .inner
                .answers
                .send_if_modified(|answers| std::mem::replace(answers, error.is_none()) != error.is_none());
            match error {
                Some(error) if changed => tracing::error!(%error, "the database does not answer"),
                None if changed => tracing::info!("the database answers again"),
                _ => {}
            }
        }
    }

    /// `PRAGMA data_version` counts commits of all other connections, as one of them sees it.
    async fn look(
        &self,
        connection: &mut Option<sqlx::pool::PoolConnection<sqlx::Sqlite>>,
        version: &mut Option<i64>,
    ) -> Result<(), Error> {
        self.inner.database.is_there().await?;
        if connection.is_none() {
            *connection = Some(self.inner.database.pool.acquire().await?);
            *version = None;
        }
        let Some(open) = connection.as_mut() else { return Ok(()) };
        let now: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut **open).await?;
        if *version != Some(now) {
            let (keys, _) = Keys::read(&self.inner.database, &self.inner.file_keys).await?;
            self.inner.keys.send_if_modified(|old| {
                let changed = **old != keys;
                if changed {
                    *old = Arc::new(keys);
                }
                changed
            });
            *version = Some(now);
        }
        Ok(())
    }
}
