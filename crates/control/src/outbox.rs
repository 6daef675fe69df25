//! What others are to be told: kept until they heard it, and for a while what came of each call.

use media::{StreamId, Wall};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::recording::{Slot, Span, named, signed};
use crate::rows::Row;
use crate::{Database, Error};

/// Posts that are done and attempts are kept this long: the cloud shows the last seven days of them
/// (DescribeLiveRecordNotifyRecords, reference §2.5).
pub const ATTEMPTS_KEPT_MICROS: i64 = 7 * 86_400_000_000;
/// Rows that are forgotten in one transaction: meanwhile nobody else can write.
const FORGOTTEN: i64 = 500;
pub(crate) const FORGET_ATTEMPTS: &str =
    "DELETE FROM attempt WHERE number IN (SELECT number FROM attempt WHERE at < ?1 LIMIT ?2)";
pub(crate) const FORGET_POSTS: &str = "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox \
     WHERE created < ?1 AND due IS NULL \
     AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.post = outbox.number) LIMIT ?2)";
/// Longest text that is kept of an attempt, in bytes: what a stranger answers is not ours to store whole.
const MAX_TEXT: usize = 4_096;

/// How something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// In the query; the body is not sent.
    Get,
    /// As a JSON body.
    Post,
}

/// Something that somebody is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Unique; the same id again is the same post.
    pub id: String,
    /// About which stream. With the URL it is the lane: posts of a lane are sent one after the other.
    pub stream: StreamId,
    /// NotifyType: `file_created`, `record_started` …
    pub kind: String,
    /// Whom.
    pub url: String,
    /// How.
    pub method: Method,
    /// What.
    pub body: String,
    /// Whether it goes with signature headers.
    pub signed: bool,
    /// When it happened.
    pub created: Wall,
}

/// A post that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub post: Post,
    /// How often it was tried.
    pub attempts: u32,
    /// Not to be sent before.
    pub at: Wall,
}

/// What becomes of a post after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It arrived.
    Delivered,
    /// It is tried again at this moment.
    At(Wall),
    /// It is not tried again.
    GivenUp,
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// [`Post::id`]
    pub post: String,
    /// When.
    pub at: Wall,
    /// Header fields that were sent.
    pub header: String,
    /// Body or query that was sent.
    pub content: String,
    /// What was answered.
    pub response: String,
    /// Whether it arrived.
    pub ok: bool,
    /// `success`, or what went wrong.
    pub description: String,
    /// What becomes of the post.
    pub next: Next,
}

/// An attempt as the outbox keeps it. Its texts may be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// About which stream.
    pub stream: StreamId,
    /// NotifyType.
    pub kind: String,
    /// Whom.
    pub url: String,
    /// When.
    pub at: Wall,
    /// Header fields that were sent.
    pub header: String,
    /// Body or query that was sent.
    pub content: String,
    /// What was answered.
    pub response: String,
    /// Whether it arrived.
    pub ok: bool,
    /// `success`, or what went wrong.
    pub description: String,
}

/// Which attempts are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptsOf<'a> {
    /// Of streams of this domain.
    pub domain: &'a str,
    /// Of this app only.
    pub app: Option<&'a str>,
    /// Of streams of this name only.
    pub stream: Option<&'a str>,
    /// Made within.
    pub span: Span,
    /// Only those that arrived, or only those that did not.
    pub ok: Option<bool>,
    /// NotifyTypes begin with one of these.
    pub kinds: &'a [&'a str],
}

impl Database {
    /// Keeps a post; a known id changes nothing. When this returns, it is on disk.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn post(&self, post: &Post) -> Result<(), Error> {
        self.keep(Row::Post(Box::new(post.clone()))).await
    }

    /// The oldest waiting post of every lane, those that may be sent first in front; also those whose time has not
    /// come.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due(&self, limit: u32) -> Result<Vec<Due>, Error> {
        let rows = sqlx::query(
            "SELECT id, domain, app, stream, kind, url, method, body, signed, created, attempts, due FROM outbox \
             WHERE number IN (SELECT MIN(number) FROM outbox WHERE due IS NOT NULL \
             GROUP BY domain, app, stream, url) ORDER BY due, number LIMIT ?1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(read_due).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Notes an attempt and what becomes of its post. When this returns, it is on disk.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn attempted(&self, attempt: &Attempt) -> Result<(), Error> {
        self.keep(Row::Attempt(Box::new(attempt.clone()))).await
    }

    /// How many posts were neither delivered nor given up.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting(&self) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM outbox WHERE due IS NOT NULL")
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Attempts, oldest first, and how many there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn attempts(&self, of: &AttemptsOf<'_>, slot: Slot) -> Result<(Vec<Attempted>, u64), Error> {
        let which = which(of.kinds.len());
        let sql = format!("SELECT COUNT(*) {which}");
        let total: i64 = bind(&sql, of, slot).fetch_one(&self.pool).await?.try_get(0)?;
        let order = if slot.descending { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT o.domain, o.app, o.stream, o.kind, o.url, a.at, a.header, a.content, a.response, a.ok, \
             a.description {which} ORDER BY a.at {order}, a.number {order} LIMIT ?7 OFFSET ?8"
        );
        let rows = bind(&sql, of, slot).fetch_all(&self.pool).await?;
        let attempts = rows.iter().map(read_attempted).collect::<Result<_, sqlx::Error>>()?;
        Ok((attempts, u64::try_from(total).unwrap_or_default()))
    }

    /// Forgets attempts that are no longer shown, and the posts that are done with.
    pub(crate) async fn forget_attempts(&self, now: Wall) -> Result<(), Error> {
        let oldest = now.plus_micros(-ATTEMPTS_KEPT_MICROS).0;
        for sql in [FORGET_ATTEMPTS, FORGET_POSTS] {
            while sqlx::query(sql).bind(oldest).bind(FORGOTTEN).execute(&self.pool).await?.rows_affected() > 0
            {
            }
        }
        Ok(())
    }
}

/// The rows that [`AttemptsOf`] means: ?1 to ?6, and the kinds from ?9.
fn which(kinds: usize) -> String {
    let likes: Vec<_> = (0..kinds).map(|index| format!("o.kind LIKE ?{}", index + 9)).collect();
    let kinds = if likes.is_empty() { "1 = 1".to_owned() } else { likes.join(" OR ") };
    format!(
        "FROM attempt a JOIN outbox o ON o.number = a.post WHERE a.at >= ?1 AND a.at < ?2 AND o.domain = ?3 \
         AND (?4 IS NULL OR o.app = ?4) AND (?5 IS NULL OR o.stream = ?5) AND (?6 IS NULL OR a.ok = ?6) \
         AND ({kinds})"
    )
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments<'q>>;

fn bind<'q>(sql: &'q str, of: &'q AttemptsOf<'_>, slot: Slot) -> Query<'q> {
    let query = sqlx::query(sql)
        .bind(of.span.start.0)
        .bind(of.span.end.0)
        .bind(of.domain)
        .bind(of.app)
        .bind(of.stream)
        .bind(of.ok.map(i64::from))
        .bind(signed(slot.take))
        .bind(signed(slot.skip));
    of.kinds.iter().fold(query, |query, kind| query.bind(format!("{kind}%")))
}

pub(crate) async fn keep(connection: &mut SqliteConnection, post: &Post) -> Result<(), sqlx::Error> {
    named(
        "INSERT INTO outbox (domain, app, stream, id, kind, url, method, body, signed, created, attempts, due) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?10) ON CONFLICT (id) DO NOTHING",
        &post.stream,
    )
    .bind(&post.id)
    .bind(&post.kind)
    .bind(&post.url)
    .bind(post.method.word())
    .bind(&post.body)
    .bind(i64::from(post.signed))
    .bind(post.created.0)
    .execute(connection)
    .await
    .map(drop)
}

pub(crate) async fn keep_attempt(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
) -> Result<(), sqlx::Error> {
    let due = match attempt.next {
        Next::At(at) => Some(at.0),
        Next::Delivered | Next::GivenUp => None,
    };
    let number: Option<i64> = sqlx::query_scalar(
        "UPDATE outbox SET attempts = attempts + 1, due = ?2 WHERE id = ?1 RETURNING number",
    )
    .bind(&attempt.post)
    .bind(due)
    .fetch_optional(&mut *connection)
    .await?;
    // Of a post that is forgotten there is nothing to say.
    let Some(number) = number else { return Ok(()) };
    sqlx::query(
        "INSERT INTO attempt (post, at, header, content, response, ok, description) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(number)
    .bind(attempt.at.0)
    .bind(cut(&attempt.header))
    .bind(cut(&attempt.content))
    .bind(cut(&attempt.response))
    .bind(i64::from(attempt.ok))
    .bind(cut(&attempt.description))
    .execute(connection)
    .await
    .map(drop)
}

fn cut(text: &str) -> &str {
    text.split_at(text.floor_char_boundary(MAX_TEXT)).0
}

fn stream(row: &SqliteRow) -> Result<StreamId, sqlx::Error> {
    let text = |column| row.try_get::<String, _>(column);
    StreamId::parse(&text("domain")?, &text("app")?, &text("stream")?)
        .map_err(|error| sqlx::Error::Decode(error.into()))
}

fn read_due(row: &SqliteRow) -> Result<Due, sqlx::Error> {
    let post = Post {
        id: row.try_get("id")?,
        stream: stream(row)?,
        kind: row.try_get("kind")?,
        url: row.try_get("url")?,
        method: Method::of(row.try_get("method")?),
        body: row.try_get("body")?,
        signed: row.try_get::<i64, _>("signed")? != 0,
        created: Wall(row.try_get("created")?),
    };
    let attempts = u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX);
    Ok(Due { post, attempts, at: Wall(row.try_get("due")?) })
}

fn read_attempted(row: &SqliteRow) -> Result<Attempted, sqlx::Error> {
    Ok(Attempted {
        stream: stream(row)?,
        kind: row.try_get("kind")?,
        url: row.try_get("url")?,
        at: Wall(row.try_get("at")?),
        header: row.try_get("header")?,
        content: row.try_get("content")?,
        response: row.try_get("response")?,
        ok: row.try_get::<i64, _>("ok")? != 0,
        description: row.try_get("description")?,
    })
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    fn of(word: &str) -> Self {
        if word == "GET" { Self::Get } else { Self::Post }
    }
}
