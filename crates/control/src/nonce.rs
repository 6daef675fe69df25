use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use media::Wall;
use sqlx::{Row as _, SqliteConnection};

use crate::{Database, Error, Who};

/// A signed request can be sent until 15 minutes after its time, which may be 15 minutes ahead of ours; after both
/// nobody takes it any more. In microseconds.
const WINDOW: i64 = 30 * 60 * 1_000_000;
/// Nonces of a generation, 16 bytes each. Only signatures that are right are counted, so a stranger can't fill it;
/// a key holder that sends more than this in half an hour can only replay his own requests.
const MAX_NONCES: usize = 1_000_000;

/// Nonces that were used. Those of requests that changed something are in the database, too: after a restart a read
/// can be repeated, which says nothing new, but no change.
#[derive(Debug, Default)]
pub struct Nonces {
    seen: Mutex<Seen>,
    /// Two keyed hashes side by side: nobody can choose a nonce that looks like another.
    hashers: (RandomState, RandomState),
}

/// Two generations: when the young one is as old as the window, it becomes the old one.
#[derive(Debug, Default)]
struct Seen {
    young: HashSet<(u64, u64)>,
    old: HashSet<(u64, u64)>,
    since: Option<Wall>,
}

impl Nonces {
    /// Notes that `key_id` used `nonce`; `false` if it had been used within the window.
    #[must_use]
    pub fn first_use(&self, key_id: &str, nonce: &str, now: Wall) -> bool {
        let pair = (key_id, nonce);
        let hash = (self.hashers.0.hash_one(pair), self.hashers.1.hash_one(pair));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *seen.since.get_or_insert(now);
        if now.micros_since(since) >= WINDOW || seen.young.len() >= MAX_NONCES {
            seen.old = std::mem::take(&mut seen.young);
            seen.since = Some(now);
        }
        !seen.old.contains(&hash) && seen.young.insert(hash)
    }
}

/// A nonce that the database keeps.
#[derive(Debug)]
pub(crate) struct KeptNonce {
    pub(crate) key_id: String,
    pub(crate) nonce: String,
}

/// Keeps the nonce of a change, in the transaction of the change.
pub(crate) async fn keep(connection: &mut SqliteConnection, who: &Who, at: Wall) -> Result<(), sqlx::Error> {
    let Some(nonce) = &who.nonce else { return Ok(()) };
    sqlx::query("INSERT OR IGNORE INTO nonce (key_id, nonce, at) VALUES (?1, ?2, ?3)")
        .bind(&who.key_id)
        .bind(nonce)
        .bind(at.0)
        .execute(connection)
        .await
        .map(drop)
}

/// Removes those that nobody takes any more.
pub(crate) async fn prune(connection: &mut SqliteConnection, now: Wall) -> Result<(), sqlx::Error> {
    let oldest = now.plus_micros(-WINDOW);
    sqlx::query("DELETE FROM nonce WHERE at <= ?1").bind(oldest.0).execute(connection).await.map(drop)
}

impl Database {
    /// The nonces of changes made within the window before `now`; older ones are removed.
    pub(crate) async fn nonces(&self, now: Wall) -> Result<Vec<KeptNonce>, Error> {
        prune(&mut *self.pool.acquire().await?, now).await?;
        let rows = sqlx::query("SELECT key_id, nonce FROM nonce").fetch_all(&self.pool).await?;
        let read =
            |row: &sqlx::sqlite::SqliteRow| Ok(KeptNonce { key_id: row.try_get(0)?, nonce: row.try_get(1)? });
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_used_once_per_key_within_the_window() {
        let nonces = Nonces::default();
        let minutes = |minutes: i64| Wall(minutes * 60_000_000);
        assert!(nonces.first_use("a", "n", minutes(0)));
        assert!(!nonces.first_use("a", "n", minutes(0)));
        assert!(nonces.first_use("b", "n", minutes(0)));
        assert!(nonces.first_use("a", "late", minutes(29)));
        assert!(!nonces.first_use("a", "n", minutes(30)));
        assert!(!nonces.first_use("a", "late", minutes(59)));
        assert!(nonces.first_use("a", "late", minutes(120)));
    }

    #[test]
    fn a_nonce_and_a_key_id_do_not_run_together() {
        let nonces = Nonces::default();
        assert!(nonces.first_use("ab", "c", Wall(0)));
        assert!(nonces.first_use("a", "bc", Wall(0)));
    }
}
