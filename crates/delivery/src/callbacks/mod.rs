//! HTTP callbacks: what waits in an [`Outbox`] reaches its receiver at least once, in order per stream and URL.
//!
//! A receiver has five seconds; only HTTP 200 is a success (`reference/api-callbacks.md` §1). What failed is tried again
//! five times a second apart, then less and less often for a day, then given up. Meanwhile what comes after it for the
//! same stream and URL waits. Redirects are not followed.
//!
//! Metrics: `millrace_callbacks_total` (by outcome: delivered, again, given_up), `millrace_callback_seconds`.

mod address;
mod client;
mod policy;
mod signature;
#[cfg(test)]
mod tests;
mod worker;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::Wall;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::store::BoxFuture;
pub use client::Error;
use client::{Call, Client, Transport};
pub use signature::sign;

/// Longest that a receiver may take (`reference/api-callbacks.md` §1).
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read (`reference/api-callbacks.md` §2.4).
pub const ANSWER: usize = 2_048;

/// Something that a receiver is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Unique for ever.
    pub id: String,
    /// Streaming domain of the stream.
    pub domain: String,
    /// Its app.
    pub app: String,
    /// Its name.
    pub stream: String,
    /// What is told, as the control API calls it: `file_created`.
    pub kind: String,
    /// Who is told.
    pub url: String,
    /// JSON of a [`Method::Post`]; of a [`Method::Get`] what is added to the query.
    pub body: String,
    /// How.
    pub method: Method,
    /// Whether it is signed, with the key that [`Settings::key`] knows when it is sent.
    pub signed: bool,
    /// When it was put into the outbox.
    pub created: Wall,
}

/// How a receiver is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// In the query.
    Get,
    /// In the body.
    Post,
}

/// A post whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What is to be told.
    pub post: Post,
    /// Tries that failed so far.
    pub failures: u32,
}

/// What is to be done now, and when next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    /// Of each stream and URL the first post that is neither delivered nor given up, if its time has come.
    pub due: Vec<Due>,
    /// When that of the next one comes; `None`: there is none.
    pub next: Option<Wall>,
}

/// A try, for the outbox to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Wall,
    /// Request line, headers but the signature, and the body.
    pub request: String,
    /// HTTP status of the answer; `None`: there was none.
    pub status: Option<u16>,
    /// At most [`ANSWER`] bytes of the answer, or what went wrong.
    pub response: String,
    /// What follows from it.
    pub outcome: Outcome,
}

/// What follows from a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It is tried again at this time.
    Again(Wall),
    /// It never is.
    GivenUp,
}

/// Where posts wait, over restarts too.
pub trait Outbox: Send + Sync {
    /// What is to be done at `now`, at most `limit` posts, oldest first.
    fn due(&self, now: Wall, limit: usize) -> BoxFuture<'_, Result<Agenda, String>>;

    /// A try is over.
    fn attempted<'a>(&'a self, post: &'a Post, attempt: &'a Attempt) -> BoxFuture<'a, Result<(), String>>;
}

/// The key that a post is signed with; `None`: it is not.
pub type KeyOf = Arc<dyn Fn(&Post) -> Option<String> + Send + Sync>;

/// How callbacks are made.
#[derive(Clone)]
pub struct Settings {
    /// The time.
    pub clock: fn() -> Wall,
    /// Whether hosts with private, loopback or link-local addresses are refused.
    pub deny_private: bool,
    /// [`TIMEOUT`], unless a test is in a hurry.
    pub timeout: Duration,
    /// Looked up for each try, so that no key is in the outbox.
    pub key: KeyOf,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("deny_private", &self.deny_private).finish_non_exhaustive()
    }
}

/// Makes callbacks. Cheap to clone.
#[derive(Clone)]
pub struct Callbacks {
    settings: Settings,
    transport: Arc<dyn Transport>,
    outbox: Arc<dyn Outbox>,
    wake: Arc<Notify>,
}

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// At most [`ANSWER`] bytes.
    pub body: Bytes,
}

impl Callbacks {
    /// Reads the system's certificates; goes to no network.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(settings: Settings, outbox: Arc<dyn Outbox>) -> io::Result<Self> {
        let client = Client::new(settings.deny_private, settings.timeout)?;
        Ok(Self { settings, transport: Arc::new(client), outbox, wake: Arc::default() })
    }

    /// Something was put into the outbox.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Asks once: a GET of `url`, signed with `key` (`reference/api-callbacks.md` §2.4).
    ///
    /// # Errors
    /// If there was no answer in time.
    pub async fn ask(&self, url: &str, key: Option<&str>) -> Result<Reply, Error> {
        let call = Call::new(Method::Get, url, "", key, (self.settings.clock)())?;
        self.transport.send(call).await
    }

    /// Tells receivers what waits for them, until it is dropped.
    pub async fn run(self) {
        worker::run(&self).await;
    }
}
