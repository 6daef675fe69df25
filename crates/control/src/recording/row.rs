//! Rows of the index as values.

use media::{StreamId, Wall};
use output::record::Container;
use output::{Bucket, Entry, Object, Part};
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use super::{Belongs, Kind, Query, Recorded};

pub(crate) const SELECT: &str = "SELECT id, record_id, domain, app, stream, kind, format, storage, bucket, key, \
     template, sequence, begins, ends, duration, width, height, size, created, pauses, discontinuity, init, audio, \
     file, beside FROM recording";

/// All rows of a question, each read as it comes: a row as SQLite hands it out is several kilobytes, and there can be
/// a hundred thousand.
pub(crate) async fn read_all(query: Query<'_>, pool: &SqlitePool) -> Result<Vec<Recorded>, sqlx::Error> {
    query.try_map(|row| read(&row)).fetch_all(pool).await
}

pub(super) fn read(row: &SqliteRow) -> Result<Recorded, sqlx::Error> {
    let text = |column| row.try_get::<String, _>(column);
    let number = |column| row.try_get::<i64, _>(column);
    let (domain, app, name) = (text("domain")?, text("app")?, text("stream")?);
    let stream = StreamId::parse(&domain, &app, &name).map_err(unreadable)?;
    let kind = match text("kind")?.as_str() {
        "file" => Kind::File,
        "slice" => Kind::Slice,
        _ => Kind::List,
    };
    let word = text("format")?;
    let format = Container::ALL.into_iter().find(|format| format.word() == word);
    let bucket = Bucket { storage: text("storage")?.into(), name: text("bucket")?.into() };
    let beside = row.try_get::<Option<String>, _>("beside")?;
    let beside = beside.as_deref().map(serde_json::from_str).transpose();
    let entry = Entry {
        part: part(row, kind)?,
        format: format.ok_or_else(|| unreadable(format!("format {word:?}")))?,
        object: Object { bucket, key: text("key")? },
        beside: beside.map_err(unreadable)?,
        template: text("template")?,
        sequence: unsigned(number("sequence")?),
        start: Wall(number("begins")?),
        end: Wall(number("ends")?),
        duration: number("duration")?,
        width: u32::try_from(number("width")?).unwrap_or_default(),
        height: u32::try_from(number("height")?).unwrap_or_default(),
        pauses: serde_json::from_str(&text("pauses")?).map_err(unreadable)?,
        // When it goes is a column of its own.
        retention_days: None,
    };
    let belongs = match row.try_get::<Option<i64>, _>("file")? {
        None => Belongs::Open,
        Some(0) => Belongs::Forgotten,
        Some(file) => Belongs::To(file),
    };
    Ok(Recorded {
        row: number("id")?,
        id: text("record_id")?,
        stream,
        kind,
        entry,
        size: unsigned(number("size")?),
        created: Wall(number("created")?),
        belongs,
    })
}

fn part(row: &SqliteRow, kind: Kind) -> Result<Part, sqlx::Error> {
    if kind != Kind::Slice {
        return Ok(Part::File);
    }
    Ok(Part::Slice {
        discontinuity: row.try_get::<i64, _>("discontinuity")? != 0,
        init: row.try_get("init")?,
        audio: row.try_get::<i64, _>("audio")? != 0,
    })
}

fn unreadable(what: impl Into<BoxDynError>) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// SQL has no unsigned numbers; none of ours is that large.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}
