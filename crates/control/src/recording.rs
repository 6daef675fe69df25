//! The index of recordings: what was stored of which stream, when it was live, and what belongs together.

mod row;

use media::{StreamId, Wall};
use output::record::Container;
use output::{Entry, Object, Part};
use sqlx::{Row as _, SqliteConnection};

use crate::rows::Row;
use crate::{Database, Error};
use row::read;

pub(crate) use row::{SELECT, read_all, signed};

/// A slice and the file that holds it need not begin at the same microsecond: their tracks do not.
const SLACK_MICROS: i64 = 2_000_000;
/// No slice is longer: how far before a moment one that reaches it can begin.
const LONGEST_SLICE_MICROS: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 86_400_000_000;
/// Slices of a file expire with it. Those of a file that never was are kept this much longer, because it may still
/// be open.
const ORPHAN_DAYS: i64 = 2;

/// What a row of the index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file of a recording.
    File,
    /// A slice of one.
    Slice,
    /// A list of slices that an operator had made.
    List,
}

impl Kind {
    fn of(entry: &Entry) -> Self {
        match entry.part {
            Part::File => Self::File,
            Part::Slice { .. } => Self::Slice,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Slice => "slice",
            Self::List => "list",
        }
    }
}

/// Of which file a slice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// Of one that is still open.
    Open,
    /// Of one that is no longer in the index.
    Forgotten,
    /// Of the file in this row.
    To(i64),
}

/// A row of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub(crate) row: i64,
    /// RecordId: a UUID.
    pub id: String,
    /// Of which stream.
    pub stream: StreamId,
    /// What it is of.
    pub kind: Kind,
    /// What was recorded.
    pub entry: Entry,
    /// Bytes of the object.
    pub size: u64,
    /// When it came into the index.
    pub created: Wall,
    pub(crate) belongs: Belongs,
}

/// A row that is to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewRecord {
    pub(crate) id: String,
    pub(crate) stream: StreamId,
    pub(crate) kind: Kind,
    pub(crate) entry: Entry,
    pub(crate) size: u64,
    pub(crate) created: Wall,
}

/// From a moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub start: Wall,
    /// The one that is no longer in it.
    pub end: Wall,
}

/// Which part of a long answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// How many come before.
    pub skip: u64,
    /// How many are wanted at most.
    pub take: u64,
    /// Whether the newest come first.
    pub descending: bool,
}

impl Database {
    /// Notes what was stored. Of an object that is in the index already the newest word counts, and it stays under
    /// its RecordId. When this returns, the row is on disk.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn recorded(
        &self,
        stream: &StreamId,
        entry: &Entry,
        size: u64,
        now: Wall,
    ) -> Result<(), Error> {
        let kind = Kind::of(entry);
        self.index(NewRecord::new(stream.clone(), kind, entry.clone(), size, now)).await
    }

    pub(crate) async fn index(&self, record: NewRecord) -> Result<(), Error> {
        self.keep(Row::Record(Box::new(record))).await
    }

    /// Files and lists of `stream` that have something of `span`, oldest row first; and how many there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record_files(
        &self,
        stream: &StreamId,
        span: Span,
        slot: Slot,
    ) -> Result<(Vec<Recorded>, u64), Error> {
        const WHICH: &str = "WHERE domain = ?1 AND app = ?2 AND stream = ?3 AND kind IN ('file', 'list') \
             AND begins < ?5 AND ends > ?4";
        let total: i64 =
            of_span(&format!("SELECT COUNT(*) FROM recording {WHICH}"), stream, span, |query| query)
                .fetch_one(&self.pool)
                .await?
                .try_get(0)?;
        let order = if slot.descending { "DESC" } else { "ASC" };
        let sql = format!("{SELECT} {WHICH} ORDER BY created {order}, id {order} LIMIT ?6 OFFSET ?7");
        let query =
            of_span(&sql, stream, span, |query| query.bind(signed(slot.take)).bind(signed(slot.skip)));
        Ok((read_all(query, &self.pool).await?, u64::try_from(total).unwrap_or_default()))
    }

    /// The file or list of `stream` with this RecordId.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record_file(&self, stream: &StreamId, id: &str) -> Result<Option<Recorded>, Error> {
        let sql = format!(
            "{SELECT} WHERE record_id = ?4 AND domain = ?1 AND app = ?2 AND stream = ?3 AND kind <> 'slice'"
        );
        let row = named(&sql, stream).bind(id).fetch_optional(&self.pool).await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// What of `stream` lies in `span`: its files, and the slices of those that are still open; in order of time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record_content(&self, stream: &StreamId, span: Span) -> Result<Vec<Recorded>, Error> {
        let sql = format!(
            "{SELECT} WHERE domain = ?1 AND app = ?2 AND stream = ?3 AND begins < ?5 AND ends > ?4 \
             AND (kind = 'file' OR kind = 'slice' AND file IS NULL AND begins > ?6) ORDER BY begins, id"
        );
        let earliest = span.start.plus_micros(-LONGEST_SLICE_MICROS);
        let query = of_span(&sql, stream, span, |query| query.bind(earliest.0));
        Ok(read_all(query, &self.pool).await?)
    }

    /// Slices of `stream` in `format` that have something of `span`, in order of time.
    pub(crate) async fn slices(
        &self,
        stream: &StreamId,
        format: Container,
        span: Span,
    ) -> Result<Vec<Recorded>, Error> {
        let sql = format!(
            "{SELECT} WHERE domain = ?1 AND app = ?2 AND stream = ?3 AND kind = 'slice' \
             AND begins < ?5 AND ends > ?4 AND begins > ?6 AND format = ?7 ORDER BY begins, id"
        );
        let earliest = span.start.plus_micros(-LONGEST_SLICE_MICROS);
        let query = of_span(&sql, stream, span, |query| query.bind(earliest.0).bind(format.word()));
        Ok(read_all(query, &self.pool).await?)
    }

    /// Whether anything of `stream` was ever recorded and is still in the index.
    pub(crate) async fn knows(&self, stream: &StreamId) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM recording WHERE domain = ?1 AND app = ?2 AND stream = ?3 LIMIT 1";
        Ok(named(sql, stream).fetch_optional(&self.pool).await?.is_some())
    }

    /// What the index has of an object.
    pub(crate) async fn record_of(&self, object: &Object) -> Result<Option<Recorded>, Error> {
        let sql = format!("{SELECT} WHERE storage = ?1 AND bucket = ?2 AND key = ?3");
        let query = sqlx::query(&sql).bind(&*object.bucket.storage).bind(&*object.bucket.name);
        let row = query.bind(&object.key).fetch_optional(&self.pool).await?;
        Ok(row.as_ref().map(read).transpose()?)
    }
}

impl NewRecord {
    pub(crate) fn new(stream: StreamId, kind: Kind, entry: Entry, size: u64, created: Wall) -> Self {
        Self { id: uuid(), stream, kind, entry, size, created }
    }

    fn expires(&self) -> Option<Wall> {
        let grace = if self.kind == Kind::Slice { ORPHAN_DAYS } else { 0 };
        let days = self.entry.retention_days?;
        Some(self.entry.end.plus_micros(DAY_MICROS.saturating_mul(i64::from(days) + grace)))
    }
}

/// Writes a row. A file takes the slices that were waiting for it: those of its format that begin while it lasts.
pub(crate) async fn keep(connection: &mut SqliteConnection, new: &NewRecord) -> Result<(), sqlx::Error> {
    let row: i64 = insert(connection, new).await?;
    if new.kind != Kind::File {
        return Ok(());
    }
    let (entry, bucket) = (&new.entry, &new.entry.object.bucket);
    named(
        "UPDATE recording SET file = ?4 WHERE domain = ?1 AND app = ?2 AND stream = ?3 AND kind = 'slice' \
         AND file IS NULL AND format = ?5 AND storage = ?6 AND bucket = ?7 AND begins >= ?8 AND begins < ?9",
        &new.stream,
    )
    .bind(row)
    .bind(entry.format.word())
    .bind(&*bucket.storage)
    .bind(&*bucket.name)
    .bind(entry.start.plus_micros(-SLACK_MICROS).0)
    .bind(entry.end.0)
    .execute(connection)
    .await
    .map(drop)
}

async fn insert(connection: &mut SqliteConnection, new: &NewRecord) -> Result<i64, sqlx::Error> {
    let NewRecord { id, stream, kind, entry, size, created } = new;
    let (discontinuity, init, audio) = match &entry.part {
        Part::File => (false, None, false),
        Part::Slice { discontinuity, init, audio } => (*discontinuity, init.as_deref(), *audio),
    };
    let unwritable = |error: serde_json::Error| sqlx::Error::Encode(error.into());
    let pauses = serde_json::to_string(&entry.pauses).map_err(unwritable)?;
    let beside = entry.beside.as_ref().map(serde_json::to_string).transpose().map_err(unwritable)?;
    named(INSERT, stream)
        .bind(id)
        .bind(kind.word())
        .bind(entry.format.word())
        .bind(&*entry.object.bucket.storage)
        .bind(&*entry.object.bucket.name)
        .bind(&entry.object.key)
        .bind(&entry.template)
        .bind(signed(entry.sequence))
        .bind(entry.start.0)
        .bind(entry.end.0)
        .bind(entry.duration)
        .bind(i64::from(entry.width))
        .bind(i64::from(entry.height))
        .bind(signed(*size))
        .bind(created.0)
        .bind(new.expires().map(|at| at.0))
        .bind(pauses)
        .bind(i64::from(discontinuity))
        .bind(init)
        .bind(i64::from(audio))
        .bind(beside)
        .fetch_one(connection)
        .await?
        .try_get(0)
}

const INSERT: &str = "INSERT INTO recording (domain, app, stream, record_id, kind, format, storage, bucket, key, \
     template, sequence, begins, ends, duration, width, height, size, created, expires, pauses, discontinuity, \
     init, audio, beside) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
     ?19, ?20, ?21, ?22, ?23, ?24) ON CONFLICT (storage, bucket, key) DO UPDATE SET domain = excluded.domain, \
     app = excluded.app, stream = excluded.stream, kind = excluded.kind, format = excluded.format, \
     template = excluded.template, sequence = excluded.sequence, begins = excluded.begins, ends = excluded.ends, \
     duration = excluded.duration, width = excluded.width, height = excluded.height, size = excluded.size, \
     expires = excluded.expires, pauses = excluded.pauses, discontinuity = excluded.discontinuity, \
     init = excluded.init, audio = excluded.audio, beside = excluded.beside RETURNING id";

pub(crate) type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments<'q>>;

/// A statement whose first three values are the stream's names.
pub(crate) fn named<'q>(sql: &'q str, stream: &'q StreamId) -> Query<'q> {
    sqlx::query(sql).bind(stream.domain()).bind(stream.app()).bind(stream.stream())
}

/// And the next two the span.
fn of_span<'q>(
    sql: &'q str,
    stream: &'q StreamId,
    span: Span,
    more: impl FnOnce(Query<'q>) -> Query<'q>,
) -> Query<'q> {
    more(named(sql, stream).bind(span.start.0).bind(span.end.0))
}

/// A random UUID in lower case (RFC 9562 §5.4).
fn uuid() -> String {
    let value = rand::random::<u128>();
    let value = value & !(0xF << 76) | 0x4 << 76;
    let value = value & !(0x3 << 62) | 0x2 << 62;
    let text = format!("{value:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
