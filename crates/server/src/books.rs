//! What delivery keeps in the database: the index of recordings, and calls that wait to be made.

use control::{Database, Next};
use delivery::callbacks::{self, Agenda, Callbacks, Due, Outbox, Outcome};
use delivery::{BoxFuture, Registry, Told};
use media::{StreamId, Wall};
use output::Entry;
use std::sync::OnceLock;

use crate::clock;
use crate::statuses::Statuses;
use crate::telling::Telling;

/// Both of them.
pub(crate) struct Books {
    database: Database,
    /// Whom to wake when a call was added.
    callbacks: OnceLock<Callbacks>,
    statuses: Statuses,
}

impl Books {
    /// Kept in `database`.
    pub(crate) fn new(database: Database) -> Self {
        Self { database, callbacks: OnceLock::new(), statuses: Statuses::default() }
    }

    /// Who makes the calls; once.
    pub(crate) fn introduce(&self, callbacks: Callbacks) {
        let _ = self.callbacks.set(callbacks);
    }
}

impl Registry for Books {
    fn stored<'a>(
        &'a self,
        stream: &'a StreamId,
        entry: &'a Entry,
        size: u64,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let recorded = self.database.recorded(stream, entry, size, clock::now()).await;
            recorded.map_err(|error| error.to_string())
        })
    }

    fn told<'a>(&'a self, told: &'a Told) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            if !self.statuses.is_news(told) {
                return Ok(());
            }
            for post in Telling::from_context(&told.context).posts(told, clock::now()) {
                self.database.post(&post).await.map_err(|error| error.to_string())?;
                if let Some(callbacks) = self.callbacks.get() {
                    callbacks.wake();
                }
            }
            Ok(())
        })
    }
}

impl Outbox for Books {
    fn due(&self, now: Wall, limit: usize) -> BoxFuture<'_, Result<Agenda, String>> {
        Box::pin(async move {
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            let waiting = self.database.due(limit).await.map_err(|error| error.to_string())?;
            let later = waiting.iter().map(|due| due.at).find(|&at| at > now);
            let now_due = waiting.into_iter().filter(|due| due.at <= now);
            let due = now_due.map(|due| Due { post: to_make(due.post), failures: due.attempts });
            Ok(Agenda { due: due.collect(), next: later })
        })
    }

    fn attempted<'a>(
        &'a self,
        post: &'a callbacks::Post,
        attempt: &'a callbacks::Attempt,
    ) -> BoxFuture<'a, Result<(), String>> {
        let (header, content) = attempt.request.split_once("\n\n").unwrap_or((&attempt.request, ""));
        let kept = control::Attempt {
            post: post.id.clone(),
            at: attempt.at,
            header: header.to_owned(),
            content: if content.is_empty() { post.body.clone() } else { content.to_owned() },
            response: attempt.response.clone(),
            ok: attempt.outcome == Outcome::Delivered,
            description: attempt.status.map_or("no answer".to_owned(), |status| format!("HTTP {status}")),
            next: match attempt.outcome {
                Outcome::Delivered => Next::Delivered,
                Outcome::Again(at) => Next::At(at),
                Outcome::GivenUp => Next::GivenUp,
            },
        };
        Box::pin(async move { self.database.attempted(&kept).await.map_err(|error| error.to_string()) })
    }
}

fn to_make(post: control::Post) -> callbacks::Post {
    callbacks::Post {
        domain: post.stream.domain().to_owned(),
        app: post.stream.app().to_owned(),
        stream: post.stream.stream().to_owned(),
        id: post.id,
        kind: post.kind,
        url: post.url,
        body: post.body,
        method: match post.method {
            control::Method::Get => callbacks::Method::Get,
            control::Method::Post => callbacks::Method::Post,
        },
        signed: post.signed,
        created: post.created,
    }
}
