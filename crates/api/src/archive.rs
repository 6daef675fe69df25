//! Alibaba's operations about recordings: the dialect's questions, answered from the index.

use control::{AttemptsOf, ListOf, OrderError, Recorded, Removal, Slot, Unlisted, Who};
use dialect::alibaba::recorded::show::{self, NotifyRecord, RecordFile};
use dialect::alibaba::recorded::{Attempts, Make, NOTIFY_TYPES, Span};
use dialect::alibaba::{Archive, Page, Refusal};
use media::{StreamId, Wall};
use output::Order;
use serde_json::{Value, json};

use crate::Api;
use crate::objects::Home;

impl Api {
    /// Answers a question about recordings, or carries out what it orders. `home` is how the caller reaches us.
    pub(crate) async fn ask_archive(
        &self,
        ask: Archive,
        home: &Home,
        who: Who,
        now: Wall,
    ) -> Result<Value, Refusal> {
        match ask {
            Archive::Order { stream, order, configured } => {
                self.control.order(stream.clone(), order).await.map_err(|error| refuse(error, configured))?;
                self.noted(who, now, format!("{} recording {stream}", word(order))).await;
                Ok(json!({}))
            }
            Archive::Contents(stream, span) => {
                let found = self.control.database().record_content(&stream, of(span)).await;
                let found = found.map_err(unanswered)?;
                let entries = found.iter().map(|record| &record.entry);
                Ok(show::contents(&stream, entries, &self.control.catalog()))
            }
            Archive::Files(stream, span, page) => self.files(&stream, span, page, home).await,
            Archive::File(stream, id) => {
                let found = self.control.database().record_file(&stream, &id).await.map_err(unanswered)?;
                let found = found.ok_or_else(Refusal::no_record)?;
                Ok(show::file(&self.shown(&found, home), &self.control.catalog()))
            }
            Archive::Make(make) => {
                let made = self.make(*make, home, now).await?;
                self.noted(who, now, format!("list {}", made.entry.object.key)).await;
                Ok(show::made(&self.shown(&made, home), &self.control.catalog()))
            }
            Archive::Delete { stream, ids, objects } => {
                let outcomes = self.delete(&stream, ids, objects).await?;
                let gone = outcomes.iter().filter(|(_, message)| message == OK).map(|(id, _)| id.as_str());
                let gone = gone.collect::<Vec<_>>().join(", ");
                self.noted(who, now, format!("-recordings {stream}: {gone}")).await;
                Ok(show::deleted(&outcomes))
            }
            Archive::Attempts(asked) => self.attempts(&asked).await,
        }
    }

    async fn files(&self, stream: &StreamId, span: Span, page: Page, home: &Home) -> Result<Value, Refusal> {
        let found = self.control.database().record_files(stream, of(span), slot(page)).await;
        let (files, total) = found.map_err(unanswered)?;
        let files: Vec<_> = files.iter().map(|file| self.shown(file, home)).collect();
        Ok(show::files(&files, page, total, &self.control.catalog()))
    }

    fn shown<'a>(&self, record: &'a Recorded, home: &Home) -> RecordFile<'a> {
        let Recorded { id, stream, entry, created, .. } = record;
        let url = self.objects.url(&entry.object, home).unwrap_or_default();
        RecordFile { id, stream, entry, created: *created, url }
    }

    async fn make(&self, make: Make, home: &Home, now: Wall) -> Result<Recorded, Refusal> {
        let Make { stream, to, template, span, end_included } = make;
        let of = ListOf { stream, to, template, span: of(span), end_included };
        let link = |object: &output::Object| self.objects.url(object, home);
        self.control.make_list(&of, now, &link).await.map_err(|error| match error {
            Unlisted::NoStream => Refusal::stream_unknown(),
            Unlisted::NoContent => Refusal::no_content(),
            Unlisted::Scattered => Refusal::config_changed(),
            Unlisted::Taken => Refusal::object_taken(),
            Unlisted::Bucket(control::Refused::Fault(fault)) => fault.into(),
            Unlisted::Bucket(control::Refused::Unavailable) => Refusal::unavailable(),
            Unlisted::Unstored(error) => {
                tracing::error!(%error, key = of.to.key, "a list of a recording could not be stored");
                Refusal::unavailable()
            }
            Unlisted::Database(error) => unanswered(error),
        })
    }

    /// What became of each.
    async fn delete(
        &self,
        stream: &StreamId,
        ids: Vec<String>,
        objects: bool,
    ) -> Result<Vec<(String, String)>, Refusal> {
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let removed = self.control.remove_record(stream, &id, objects).await.map_err(unanswered)?;
            let message = match removed {
                Removal::Done => OK.to_owned(),
                Removal::NotFound => Refusal::no_record().message,
                Removal::Kept(error) => {
                    tracing::error!(%stream, id, error, "a recording could not be deleted");
                    "Some files could not be deleted. Try again later.".to_owned()
                }
            };
            outcomes.push((id, message));
        }
        Ok(outcomes)
    }

    async fn attempts(&self, asked: &Attempts) -> Result<Value, Refusal> {
        if asked.none {
            return Ok(show::attempts(&[], asked.page, 0));
        }
        let of = AttemptsOf {
            domain: &asked.domain,
            app: asked.app.as_deref(),
            stream: asked.stream.as_deref(),
            span: of(asked.span),
            ok: asked.ok,
            kinds: NOTIFY_TYPES,
        };
        let found = self.control.database().attempts(&of, slot(asked.page)).await;
        let (attempts, total) = found.map_err(unanswered)?;
        let shown: Vec<_> = attempts.iter().map(notify_record).collect();
        Ok(show::attempts(&shown, asked.page, total))
    }

    /// The log of changes has this, too. What was done stays done when it cannot be written.
    async fn noted(&self, who: Who, at: Wall, changed: String) {
        let entry = control::Audit { at, who, changed };
        if let Err(error) = self.control.database().note(&entry).await {
            tracing::error!(%error, action = entry.who.action, changed = entry.changed, "change not logged");
        }
    }
}

/// An order as RealTimeRecordCommand has it.
fn word(order: Order) -> &'static str {
    match order {
        Order::Start => "start",
        Order::Stop => "stop",
        Order::Restart => "restart",
        Order::CancelDelay => "cancel_delay",
    }
}

/// The message of what was deleted.
const OK: &str = "OK";

fn notify_record(attempt: &control::Attempted) -> NotifyRecord<'_> {
    NotifyRecord {
        stream: &attempt.stream,
        kind: &attempt.kind,
        url: &attempt.url,
        at: attempt.at,
        header: &attempt.header,
        content: &attempt.content,
        response: &attempt.response,
        ok: attempt.ok,
        description: &attempt.description,
    }
}

/// A stream without a config is not recorded, whether it is live or not.
fn refuse(error: OrderError, configured: bool) -> Refusal {
    match error {
        OrderError::NoStream if configured => Refusal::stream_offline(),
        OrderError::NoStream | OrderError::NoRecording => Refusal::not_recorded(),
        OrderError::AlreadyStarted => Refusal::already_started(),
        OrderError::Unavailable => Refusal::internal(),
    }
}

fn unanswered(error: control::Error) -> Refusal {
    tracing::error!(%error, "the index of recordings does not answer");
    Refusal::unavailable()
}

fn of(span: Span) -> control::Span {
    control::Span { start: span.start, end: span.end }
}

fn slot(page: Page) -> Slot {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Slot { skip: number(page.skip()), take: number(page.size()), descending: page.descending() }
}
