//! The one task that keeps rows of the index and the outbox: whatever waits goes into one transaction, so that many
//! recordings at once cost one fsync.

use std::sync::{Arc, OnceLock};

use sqlx::{Connection as _, SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, oneshot};

use crate::outbox::{self, Attempt, Post};
use crate::recording::{self, NewRecord};
use crate::{Database, Error};

/// Rows that one transaction takes at most: it bounds how long the first waits for the last.
const BATCH: usize = 256;
/// Rows that wait; beyond, whoever brings one waits for a place.
const QUEUE: usize = 1_024;

/// A row to keep.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    Record(Box<NewRecord>),
    Post(Box<Post>),
    Attempt(Box<Attempt>),
}

struct Waiting {
    row: Row,
    answer: oneshot::Sender<Result<(), String>>,
}

/// The way to that task, which starts with the first row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows(Arc<OnceLock<mpsc::Sender<Waiting>>>);

impl Database {
    /// Keeps a row; when this returns, it is on disk.
    pub(crate) async fn keep(&self, row: Row) -> Result<(), Error> {
        let rows = self.rows.0.get_or_init(|| {
            let (rows, inbox) = mpsc::channel(QUEUE);
            tokio::spawn(write(self.pool.clone(), inbox));
            rows
        });
        let (answer, answered) = oneshot::channel();
        let gone = |what: &str| Error::Unwritten(what.to_owned());
        rows.send(Waiting { row, answer }).await.map_err(|_| gone("the writer is gone"))?;
        answered.await.map_err(|_| gone("the writer is gone"))?.map_err(Error::Unwritten)
    }
}

/// Works until nobody can bring a row any more.
async fn write(pool: SqlitePool, mut inbox: mpsc::Receiver<Waiting>) {
    while let Some(first) = inbox.recv().await {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(next) = inbox.try_recv()
        {
            batch.push(next);
        }
        match keep_all(&pool, batch.iter().map(|waiting| &waiting.row)).await {
            Ok(()) => batch.into_iter().for_each(|waiting| drop(waiting.answer.send(Ok(())))),
            // One that cannot be kept takes nobody else with it.
            Err(_) if batch.len() > 1 => {
                for Waiting { row, answer } in batch {
                    let kept = keep_all(&pool, std::iter::once(&row)).await;
                    let _ = answer.send(kept.map_err(|error| error.to_string()));
                }
            }
            Err(error) => batch.into_iter().for_each(|waiting| {
                let _ = waiting.answer.send(Err(error.to_string()));
            }),
        }
    }
}

async fn keep_all(pool: &SqlitePool, rows: impl Iterator<Item = &Row>) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for row in rows {
        keep(&mut transaction, row).await?;
    }
    transaction.commit().await
}

async fn keep(connection: &mut SqliteConnection, row: &Row) -> Result<(), sqlx::Error> {
    match row {
        Row::Record(record) => recording::keep(connection, record).await,
        Row::Post(post) => outbox::keep(connection, post).await,
        Row::Attempt(attempt) => outbox::keep_attempt(connection, attempt).await,
    }
}
