use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use catalog::{Kept, Row};
use sqlx::migrate::{MigrateError, Migration, MigrationSource, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use crate::rows::Rows;

/// Connections: the catalog's writer's, that of the rows' writer, the one that watches for changes from elsewhere, and
/// three for questions.
const CONNECTIONS: u32 = 6;
/// How long a statement waits for another process, such as `millrace key create`, to finish its own.
const BUSY: Duration = Duration::from_secs(5);

/// Every migration there ever was, in order. They are never edited, only added to.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "declared", include_str!("../migrations/0001_declared.sql")),
    (2, "nonce", include_str!("../migrations/0002_nonce.sql")),
    (3, "recording", include_str!("../migrations/0003_recording.sql")),
    (4, "outbox", include_str!("../migrations/0004_outbox.sql")),
    (5, "attempt_post", include_str!("../migrations/0005_attempt_post.sql")),
    (6, "recording_beside", include_str!("../migrations/0006_recording_beside.sql")),
];

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A URL of another database.
    #[error("database.url must be sqlite://PATH")]
    Url,
    /// The file or its folder.
    #[error("database {}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The database was made by a newer version, or its migrations were tampered with.
    #[error("database migration: {0}")]
    Migrate(#[from] MigrateError),
    /// A statement failed.
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    /// A row could not be written.
    #[error("database: {0}")]
    Unwritten(String),
}

/// An open database with the newest schema. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) pool: SqlitePool,
    path: Arc<Path>,
    pub(crate) rows: Rows,
}

impl Database {
    /// Opens the database at `url`, made if it is missing, and brings its schema up to date. Several processes may
    /// have it open.
    ///
    /// # Errors
    /// When it cannot be opened, is newer than this program, or is no database.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let path = path(url)?;
        make_private(&path).map_err(|error| Error::File { path: path.clone(), error })?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answered change survives a power cut: in WAL mode only FULL waits for the disk at each commit.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
        Migrator::new(Migrations).await?.run(&pool).await?;
        Ok(Self { pool, path: path.into(), rows: Rows::default() })
    }

    /// An open file that was deleted goes on taking changes, which nobody will find after a restart.
    pub(crate) async fn is_there(&self) -> Result<(), Error> {
        let file = tokio::fs::metadata(&self.path).await;
        file.map(drop).map_err(|error| Error::File { path: self.path.to_path_buf(), error })
    }

    /// Everything that was declared through an API.
    pub(crate) async fn declared(&self) -> Result<Vec<Kept>, Error> {
        let rows = sqlx::query("SELECT kind, key, value FROM declared").fetch_all(&self.pool).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Kept { kind: row.try_get(0)?, key: row.try_get(1)?, value: row.try_get(2)? })
        };
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Closes every connection; statements that run are finished first.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Keeps or removes one row of what was declared.
pub(crate) async fn keep(connection: &mut SqliteConnection, row: &Row) -> Result<(), sqlx::Error> {
    let query = match &row.value {
        Some(value) => sqlx::query(
            "INSERT INTO declared (kind, key, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
        )
        .bind(row.kind)
        .bind(&row.key)
        .bind(value),
        None => {
            sqlx::query("DELETE FROM declared WHERE kind = ?1 AND key = ?2").bind(row.kind).bind(&row.key)
        }
    };
    query.execute(connection).await.map(drop)
}

fn path(url: &str) -> Result<PathBuf, Error> {
    let rest = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).ok_or(Error::Url)?;
    let path = rest.split('?').next().unwrap_or_default();
    match path.is_empty() || path == ":memory:" {
        true => Err(Error::Url),
        false => Ok(PathBuf::from(path)),
    }
}

/// Makes the folder and the file, readable by nobody else: it holds secrets. SQLite gives the files beside it the
/// same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[derive(Debug)]
struct Migrations;

type Resolved = Result<Vec<Migration>, Box<dyn std::error::Error + Send + Sync>>;

impl MigrationSource<'static> for Migrations {
    fn resolve(self) -> std::pin::Pin<Box<dyn Future<Output = Resolved> + Send>> {
        let migration = |&(version, name, sql): &(i64, &'static str, &'static str)| {
            Migration::new(version, name.into(), MigrationType::Simple, sql.into(), false)
        };
        Box::pin(std::future::ready(Ok(MIGRATIONS.iter().map(migration).collect())))
    }
}
