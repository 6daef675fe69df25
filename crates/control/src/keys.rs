use std::collections::BTreeMap;
use std::fmt;

use dialect::keys::{Key, KeyLookup};
use dialect::policy::Policy;
use media::Wall;
use sqlx::Row as _;
use subtle::ConstantTimeEq as _;

use crate::{Database, Error};

/// An access key pair and what it may do.
#[derive(Clone, PartialEq)]
pub struct AccessKey {
    /// Public half.
    pub id: String,
    /// Secret half.
    pub secret: String,
    /// What may stand in place of a signature: Huawei's `X-Auth-Token`.
    pub token: Option<String>,
    /// What it may do.
    pub policy: Policy,
    /// Whether it may be used at all.
    pub active: bool,
    /// Where it is declared.
    pub source: Source,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

/// Where a key is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `[[access_key]]`
    File,
    /// The database, since then.
    Database(Wall),
}

/// A key that is not in the database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database has no access key {0:?}")]
pub struct UnknownKey(pub String);

/// All access keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys(BTreeMap<String, AccessKey>);

impl Keys {
    /// The key with this id, disabled or not.
    pub fn get(&self, id: &str) -> Option<&AccessKey> {
        self.0.get(id)
    }

    /// The key whose token this is. Takes the same time whichever token is wrong and wherever.
    pub fn by_token(&self, token: &str) -> Option<&AccessKey> {
        let mut found = None;
        for key in self.all() {
            let same = key.token.as_ref().is_some_and(|own| own.as_bytes().ct_eq(token.as_bytes()).into());
            if same {
                found = Some(key);
            }
        }
        found
    }

    /// The key with this id, if it is active and `secret` is its secret.
    pub fn authenticate(&self, id: &str, secret: &str) -> Option<&AccessKey> {
        let key = self.get(id).filter(|key| key.active)?;
        bool::from(key.secret.as_bytes().ct_eq(secret.as_bytes())).then_some(key)
    }

    /// All of them, in order of their ids.
    pub fn all(&self) -> impl Iterator<Item = &AccessKey> {
        self.0.values()
    }

    /// The keys of the database and over them those of the file; and a line for each that cannot be read. A key
    /// whose policy is unreadable is no key: it would be allowed too much or too little.
    pub(crate) async fn read(database: &Database, file: &[AccessKey]) -> Result<(Self, Vec<String>), Error> {
        let (mut keys, mut notices) = (BTreeMap::new(), Vec::new());
        for stored in database.keys().await? {
            match Policy::parse(&stored.policy) {
                Ok(policy) => {
                    let StoredKey { id, secret, active, created, .. } = stored;
                    let source = Source::Database(created);
                    keys.insert(id.clone(), AccessKey { id, secret, token: None, policy, active, source });
                }
                Err(error) => {
                    notices.push(format!("access key {} is left out: its policy {error}", stored.id))
                }
            }
        }
        keys.extend(file.iter().map(|key| (key.id.clone(), key.clone())));
        Ok((Self(keys), notices))
    }
}

impl KeyLookup for Keys {
    fn find(&self, id: &str) -> Option<Key<'_>> {
        self.get(id).map(|key| Key { secret: &key.secret, active: key.active })
    }
}

/// A key as the database has it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Public half.
    pub id: String,
    /// Secret half.
    pub secret: String,
    /// What [`Policy::parse`] reads.
    pub policy: String,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made.
    pub created: Wall,
}

impl Database {
    /// The access keys of the database, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, Error> {
        let rows =
            sqlx::query("SELECT id, secret, policy, active, created FROM access_key ORDER BY created, id")
                .fetch_all(&self.pool)
                .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(StoredKey {
                id: row.try_get(0)?,
                secret: row.try_get(1)?,
                policy: row.try_get(2)?,
                active: row.try_get::<i64, _>(3)? != 0,
                created: Wall(row.try_get(4)?),
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Keeps a new key.
    ///
    /// # Errors
    /// When its id is taken or the database does not answer.
    pub async fn add_key(&self, key: &StoredKey) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO access_key (id, secret, policy, active, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&key.id)
        .bind(&key.secret)
        .bind(&key.policy)
        .bind(i64::from(key.active))
        .bind(key.created.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Disables a key: it stays known, and is refused as disabled.
    ///
    /// # Errors
    /// When the database does not answer; `Ok(Err(_))` when it has no such key.
    pub async fn disable_key(&self, id: &str) -> Result<Result<(), UnknownKey>, Error> {
        let query = sqlx::query("UPDATE access_key SET active = 0 WHERE id = ?1").bind(id);
        self.on_key(id, query).await
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// When the database does not answer; `Ok(Err(_))` when it has no such key.
    pub async fn delete_key(&self, id: &str) -> Result<Result<(), UnknownKey>, Error> {
        let query = sqlx::query("DELETE FROM access_key WHERE id = ?1").bind(id);
        self.on_key(id, query).await
    }

    async fn on_key<'q>(
        &self,
        id: &str,
        query: sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments<'q>>,
    ) -> Result<Result<(), UnknownKey>, Error> {
        let done = query.execute(&self.pool).await?;
        Ok(if done.rows_affected() == 0 { Err(UnknownKey(id.to_owned())) } else { Ok(()) })
    }
}
