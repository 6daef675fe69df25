//! The one task that changes the catalog.

use std::sync::Arc;

use catalog::{Catalog, Command, Row};
use media::{StreamId, Wall};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Sqlite};
use tokio::sync::{mpsc, oneshot, watch};

use crate::audit::Audit;
use crate::control::Kick;
use crate::{Database, Error, Refused, Who, database, nonce};

/// Changes that one transaction takes at most: it bounds how long the first waits for the last.
const BATCH: usize = 64;

/// A change that waits for its turn.
pub(crate) struct Asked {
    pub(crate) command: Command,
    pub(crate) who: Who,
    pub(crate) answer: oneshot::Sender<Result<Arc<Catalog>, Refused>>,
}

pub(crate) struct Writer {
    pub(crate) database: Database,
    pub(crate) connection: PoolConnection<Sqlite>,
    /// What the config file declares: where a reload starts from.
    pub(crate) file: Catalog,
    pub(crate) current: watch::Sender<Arc<Catalog>>,
    pub(crate) kick: Kick,
    pub(crate) clock: fn() -> Wall,
}

/// What becomes of a change, once the others of its transaction are on disk, too.
struct Decided {
    answer: oneshot::Sender<Result<Arc<Catalog>, Refused>>,
    outcome: Result<Done, Refused>,
}

struct Done {
    catalog: Arc<Catalog>,
    rows: Vec<Row>,
    audit: Audit,
    kick: Option<StreamId>,
}

impl Writer {
    /// Works until nobody can ask any more.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Asked>) {
        while let Some(first) = inbox.recv().await {
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(next) = inbox.try_recv()
            {
                batch.push(next);
            }
            let decided = self.decide(batch);
            match self.keep(&decided).await {
                Ok(()) => self.publish(decided),
                Err(error) => self.give_up(decided, &error).await,
            }
        }
    }

    fn decide(&self, batch: Vec<Asked>) -> Vec<Decided> {
        let mut catalog = self.current.borrow().clone();
        let now = (self.clock)();
        let mut decided = Vec::with_capacity(batch.len());
        for Asked { command, who, answer } in batch {
            let outcome = match catalog.apply(&command, now) {
                Ok(applied) => {
                    catalog = Arc::new(applied.catalog);
                    let audit = Audit::new(now, who, &applied.rows);
                    Ok(Done { catalog: catalog.clone(), rows: applied.rows, audit, kick: applied.kick })
                }
                Err(fault) => Err(Refused::Fault(fault)),
            };
            decided.push(Decided { answer, outcome });
        }
        decided
    }

    async fn keep(&mut self, decided: &[Decided]) -> Result<(), sqlx::Error> {
        let done: Vec<_> = decided.iter().filter_map(|one| one.outcome.as_ref().ok()).collect();
        if done.is_empty() {
            return Ok(());
        }
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for Done { rows, audit, .. } in done {
            for row in rows {
                database::keep(&mut transaction, row).await?;
            }
            audit.keep(&mut transaction).await?;
            nonce::keep(&mut transaction, &audit.who, audit.at).await?;
        }
        transaction.commit().await
    }

    /// Everything decided is on disk: let it be seen, act on it, and only then say so.
    fn publish(&self, decided: Vec<Decided>) {
        let newest = decided.iter().filter_map(|one| one.outcome.as_ref().ok()).next_back();
        if let Some(Done { catalog, .. }) = newest {
            self.current.send_replace(catalog.clone());
        }
        for Decided { answer, outcome } in decided {
            let reply = outcome.map(|Done { catalog, audit, kick, .. }| {
                audit.log();
                if let Some(stream) = kick {
                    (self.kick)(stream);
                }
                catalog
            });
            // Whoever went away meanwhile finds its change made.
            let _ = answer.send(reply);
        }
    }

    /// Nobody knows what of a failed transaction is on disk, so what is there is read again.
    async fn give_up(&mut self, decided: Vec<Decided>, error: &sqlx::Error) {
        tracing::error!(%error, changes = decided.len(), "changes could not be kept");
        match self.reload().await {
            Ok(catalog) => drop(self.current.send_replace(Arc::new(catalog))),
            Err(error) => tracing::error!(%error, "the database could not be read again"),
        }
        for one in decided {
            let _ = one.answer.send(Err(Refused::Unavailable));
        }
    }

    async fn reload(&mut self) -> Result<Catalog, Error> {
        self.connection = self.database.pool.acquire().await?;
        let rows = self.database.declared().await?;
        Ok(self.file.clone().restore(&rows).0)
    }
}
