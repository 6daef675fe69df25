//! Lets recordings go: by an operator's order, or because their time is over.
//!
//! A slice is deleted with the file that it belongs to, unless a list names it, too. One that no file names any more
//! goes with the last list that does. What belongs to a file that is still open stays.

use std::collections::{BTreeMap, BTreeSet};

use media::{StreamId, Wall};
use output::record::Container;
use output::{Object, Part};
use sqlx::{Connection as _, Row as _};
use tokio::task::JoinSet;

use crate::list::beside;
use crate::recording::{Belongs, Kind, Recorded, SELECT, Span, named, read_all, signed};
use crate::{Control, Database, Error};

/// Objects that are deleted at the same time: a file can have thousands of slices, and a service is far away.
const AT_ONCE: usize = 16;
/// Expired rows that are looked at together.
const BATCH: i64 = 256;

/// What became of a file that was to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Done,
    /// There is none of this id.
    NotFound,
    /// It is still in the index, because not every object could be deleted. Try again.
    Kept(String),
}

/// What [`Control::sweep`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files and slices that are gone from the index.
    pub records: u64,
    /// Objects that were deleted.
    pub objects: u64,
    /// Files and slices that had to stay, because an object could not be deleted.
    pub failed: u64,
}

/// What goes with a row.
struct Plan {
    /// Lists first, so that nothing names what is gone.
    objects: Vec<Object>,
    /// Rows that go when the objects are gone.
    gone: Vec<i64>,
    /// Slices that stay because of a list, though their file goes.
    kept: Vec<i64>,
}

impl Control {
    /// Takes a file or list of `stream` out of the index; with `objects` what it consists of is deleted, too.
    /// Dropping the future does not take that back.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_record(&self, stream: &StreamId, id: &str, objects: bool) -> Result<Removal, Error> {
        let Some(record) = self.database().record_file(stream, id).await? else {
            return Ok(Removal::NotFound);
        };
        if !objects {
            self.database().forget(&[record.row], &[], &record).await?;
            return Ok(Removal::Done);
        }
        let control = self.clone();
        let removed = tokio::spawn(async move { control.remove(&record).await }).await;
        let removed = removed.map_err(|error| Error::Unwritten(error.to_string()))??;
        Ok(match removed {
            Ok(_) => Removal::Done,
            Err(error) => Removal::Kept(error),
        })
    }

    /// Deletes what is past its retention, and forgets old attempts. For a task that calls it now and then.
    pub async fn sweep(&self, now: Wall) -> Swept {
        let mut swept = Swept::default();
        if let Err(error) = self.sweep_records(now, &mut swept).await {
            tracing::error!(%error, "expired recordings could not be looked for");
        }
        if let Err(error) = self.database().forget_attempts(now).await {
            tracing::error!(%error, "old callback attempts could not be forgotten");
        }
        if swept != Swept::default() {
            let Swept { records, objects, failed } = swept;
            tracing::info!(records, objects, failed, "expired recordings deleted");
        }
        swept
    }

    async fn sweep_records(&self, now: Wall, swept: &mut Swept) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let expired = self.database().expired(now, after).await?;
            let Some(last) = expired.last() else { return Ok(()) };
            after = last.row;
            for record in &expired {
                match self.remove(record).await? {
                    Ok(plan) => {
                        swept.records += count(plan.gone.len());
                        swept.objects += count(plan.objects.len());
                    }
                    Err(error) => {
                        let Object { bucket, key } = &record.entry.object;
                        tracing::warn!(stream = %record.stream, storage = &*bucket.storage, key, error, "expired recording not deleted");
                        swept.failed += 1;
                    }
                }
            }
        }
    }

    /// Deletes the objects of `record` and then its rows. What could not be deleted, in words, leaves all rows.
    async fn remove(&self, record: &Recorded) -> Result<Result<Plan, String>, Error> {
        let plan = self.database().plan(record).await?;
        if let Err(error) = self.delete_all(&plan.objects).await {
            return Ok(Err(error));
        }
        self.database().forget(&plan.gone, &plan.kept, record).await?;
        Ok(Ok(plan))
    }

    async fn delete_all(&self, objects: &[Object]) -> Result<(), String> {
        let mut tasks = JoinSet::new();
        let mut outcome = Ok(());
        for object in objects {
            if tasks.len() >= AT_ONCE {
                outcome = outcome.and(joined(tasks.join_next().await));
            }
            tasks.spawn((self.delete_object())(object.clone()));
        }
        while let Some(done) = tasks.join_next().await {
            outcome = outcome.and(joined(Some(done)));
        }
        outcome
    }
}

type Joined = Option<Result<Result<(), String>, tokio::task::JoinError>>;

fn joined(done: Joined) -> Result<(), String> {
    done.map_or(Ok(()), |done| done.unwrap_or_else(|error| Err(error.to_string())))
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Database {
    /// Rows that may go at `now`, in order of their numbers from `after` on. Slices go with their file if they have
    /// one.
    async fn expired(&self, now: Wall, after: i64) -> Result<Vec<Recorded>, Error> {
        let sql = format!(
            "{SELECT} WHERE expires <= ?1 AND id > ?2 AND (kind <> 'slice' OR file IS NULL OR file = 0) \
             ORDER BY id LIMIT ?3"
        );
        Ok(read_all(sqlx::query(&sql).bind(now.0).bind(after).bind(BATCH), &self.pool).await?)
    }

    async fn plan(&self, record: &Recorded) -> Result<Plan, Error> {
        let slices = match record.kind {
            Kind::Slice => vec![record.clone()],
            Kind::File => self.slices_of(record.row).await?,
            Kind::List => self.orphans(record).await?,
        };
        let lists = self.lists_over(record, &slices).await?;
        let listed = |slice: &Recorded| {
            let (at, format) = (slice.entry.start, slice.entry.format);
            lists.iter().any(|&(of, span)| of == format && span.start <= at && at < span.end)
        };
        let all = slices.clone();
        let (kept, gone): (Vec<_>, Vec<_>) = slices.into_iter().partition(listed);
        let mut objects = Vec::new();
        if record.kind != Kind::Slice {
            objects.extend(self.playlists(record, &all).await?);
        }
        objects.extend(gone.iter().map(|slice| slice.entry.object.clone()));
        objects.extend(self.unused_inits(&gone).await?);
        let mut rows: Vec<_> = gone.iter().map(|slice| slice.row).collect();
        if record.kind != Kind::Slice {
            rows.push(record.row);
        }
        Ok(Plan { objects, gone: rows, kept: kept.iter().map(|slice| slice.row).collect() })
    }

    async fn slices_of(&self, file: i64) -> Result<Vec<Recorded>, Error> {
        let sql = format!("{SELECT} WHERE file = ?1");
        Ok(read_all(sqlx::query(&sql).bind(file), &self.pool).await?)
    }

    /// Slices of a list that belong to no file any more.
    async fn orphans(&self, list: &Recorded) -> Result<Vec<Recorded>, Error> {
        let span = Span { start: list.entry.start, end: list.entry.end };
        let mut slices = self.slices(&list.stream, list.entry.format, span).await?;
        slices.retain(|slice| slice.entry.start >= span.start && slice.belongs == Belongs::Forgotten);
        Ok(slices)
    }

    /// Format and span of every list but `record` that names some of these slices.
    async fn lists_over(
        &self,
        record: &Recorded,
        slices: &[Recorded],
    ) -> Result<Vec<(Container, Span)>, Error> {
        let start = slices.iter().map(|slice| slice.entry.start).min();
        let end = slices.iter().map(|slice| slice.entry.end).max();
        let (Some(start), Some(end)) = (start, end) else { return Ok(Vec::new()) };
        let sql = format!(
            "{SELECT} WHERE domain = ?1 AND app = ?2 AND stream = ?3 AND kind = 'list' AND id <> ?4 \
             AND begins < ?5 AND ends > ?6"
        );
        let query = named(&sql, &record.stream).bind(record.row).bind(end.0).bind(start.0);
        let lists = read_all(query, &self.pool).await?;
        let span =
            |list: Recorded| (list.entry.format, Span { start: list.entry.start, end: list.entry.end });
        Ok(lists.into_iter().map(span).collect())
    }

    /// The object of a file or list, and what lies beside it and is nobody else's.
    async fn playlists(&self, record: &Recorded, slices: &[Recorded]) -> Result<Vec<Object>, Error> {
        let main = &record.entry.object;
        let mut objects = vec![main.clone()];
        let beside = match &record.entry.beside {
            Some(keys) => keys.iter().cloned().collect(),
            None if record.entry.format == Container::Cmaf => beside(&main.key, slices),
            None => BTreeSet::new(),
        };
        for key in beside {
            let object = Object { bucket: main.bucket.clone(), key };
            if self.record_of(&object).await?.is_none() {
                objects.push(object);
            }
        }
        Ok(objects)
    }

    /// Init segments that no slice needs once these are gone.
    async fn unused_inits(&self, gone: &[Recorded]) -> Result<Vec<Object>, Error> {
        let mut uses: BTreeMap<(&str, &str, &str), (u64, &Recorded)> = BTreeMap::new();
        for slice in gone {
            if let Part::Slice { init: Some(init), .. } = &slice.entry.part {
                let bucket = &slice.entry.object.bucket;
                uses.entry((&bucket.storage, &bucket.name, init)).or_insert((0, slice)).0 += 1;
            }
        }
        let mut unused = Vec::new();
        for ((storage, bucket, init), (used, slice)) in uses {
            let sql = "SELECT COUNT(*) FROM recording WHERE init = ?1 AND storage = ?2 AND bucket = ?3";
            let query = sqlx::query(sql).bind(init).bind(storage).bind(bucket);
            let all: i64 = query.fetch_one(&self.pool).await?.try_get(0)?;
            if all <= signed(used) {
                unused.push(Object { bucket: slice.entry.object.bucket.clone(), key: init.to_owned() });
            }
        }
        Ok(unused)
    }

    /// Removes the rows `gone`. Slices that were of the file `record` belong to none from now on; `kept` ones are
    /// needed by a list, and so no longer expire.
    async fn forget(&self, gone: &[i64], kept: &[i64], record: &Recorded) -> Result<(), Error> {
        let mut connection = self.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for row in gone.iter().collect::<BTreeSet<_>>() {
            sqlx::query("DELETE FROM recording WHERE id = ?1").bind(row).execute(&mut *transaction).await?;
        }
        for row in kept {
            let sql = "UPDATE recording SET expires = NULL WHERE id = ?1";
            sqlx::query(sql).bind(row).execute(&mut *transaction).await?;
        }
        if record.kind == Kind::File {
            let sql = "UPDATE recording SET file = 0 WHERE file = ?1";
            sqlx::query(sql).bind(record.row).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}
