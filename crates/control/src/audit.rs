use catalog::Row;
use media::Wall;
use sqlx::{Row as _, SqliteConnection};

use crate::{Database, Error, nonce};

/// Entries that are kept; older ones go.
const KEPT: i64 = 100_000;
/// Every so many entries old ones are looked for, and old nonces.
const PRUNE_EVERY: i64 = 1_000;

/// Who asks for a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Access key id.
    pub key_id: String,
    /// Address of the client.
    pub address: String,
    /// The RequestId that the answer carries.
    pub request_id: String,
    /// What was asked for, in the words of its dialect: `live:AddLiveDomain`.
    pub action: String,
    /// The nonce of its signature, kept for as long as the request could be sent again; not in the log of changes.
    pub nonce: Option<String>,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// When.
    pub at: Wall,
    /// Who, and what.
    pub who: Who,
    /// What it changed: `snapshot live.local/*/*`, with `-` before what it removed; separated by `, `.
    pub changed: String,
}

impl Audit {
    pub(crate) fn new(at: Wall, who: Who, rows: &[Row]) -> Self {
        let name = |row: &Row| {
            let sign = if row.value.is_some() { "" } else { "-" };
            format!("{sign}{} {}", row.kind, row.key)
        };
        let changed = rows.iter().map(name).collect::<Vec<_>>().join(", ");
        Self { at, who, changed }
    }

    pub(crate) fn log(&self) {
        let Who { key_id, address, request_id, action, nonce: _ } = &self.who;
        tracing::info!(key_id, address, request_id, action, changed = self.changed, "config changed");
    }

    pub(crate) async fn keep(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let done = sqlx::query(
            "INSERT INTO audit (at, key_id, address, request_id, action, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(self.at.0)
        .bind(&self.who.key_id)
        .bind(&self.who.address)
        .bind(&self.who.request_id)
        .bind(&self.who.action)
        .bind(&self.changed)
        .execute(&mut *connection)
        .await?;
        let id = done.last_insert_rowid();
        if id % PRUNE_EVERY == 0 {
            sqlx::query("DELETE FROM audit WHERE id <= ?1").bind(id - KEPT).execute(&mut *connection).await?;
            nonce::prune(connection, self.at).await?;
        }
        Ok(())
    }
}

impl Database {
    /// Writes an entry of its own, for a change that is none of the catalog. Keeps its nonce, too.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note(&self, entry: &Audit) -> Result<(), Error> {
        let mut connection = self.pool.acquire().await?;
        nonce::keep(&mut connection, &entry.who, entry.at).await?;
        Ok(entry.keep(&mut connection).await?)
    }

    /// The newest changes, newest first, `limit` at most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit(&self, limit: u32) -> Result<Vec<Audit>, Error> {
        let rows = sqlx::query(
            "SELECT at, key_id, address, request_id, action, changed FROM audit ORDER BY id DESC LIMIT ?1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let who = Who {
                key_id: row.try_get(1)?,
                address: row.try_get(2)?,
                request_id: row.try_get(3)?,
                action: row.try_get(4)?,
                nonce: None,
            };
            Ok(Audit { at: Wall(row.try_get(0)?), who, changed: row.try_get(5)? })
        };
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }
}
