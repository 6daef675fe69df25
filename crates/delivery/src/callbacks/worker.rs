use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use media::Wall;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::{Agenda, Attempt, Call, Callbacks, Due, Error, Outcome, Post, Reply, policy};

/// Calls at once. A receiver that hangs holds one of them for five seconds.
const CALLS: usize = 32;
/// Calls to one receiver at once: one that hangs must leave room for the others, however many streams it is told of.
const CALLS_EACH: usize = 8;
/// Posts that are looked at, at most, to find one that may be made.
const LOOK_AT: usize = 8_192;
/// Longest until the outbox is looked at again, though nobody said that something is there.
const LOOK: Duration = Duration::from_secs(60);
/// When it is looked at again after it failed.
const REPAIR: Duration = Duration::from_secs(5);

/// Of which stream, and to whom: in this much the order is kept.
type Lane = (String, String, String, String);

fn lane(post: &Post) -> Lane {
    (post.domain.clone(), post.app.clone(), post.stream.clone(), post.url.clone())
}

pub(super) async fn run(callbacks: &Callbacks) {
    let mut calls = JoinSet::new();
    let mut busy = HashMap::new();
    loop {
        let pause = begin(callbacks, &mut calls, &mut busy).await;
        tokio::select! {
            () = callbacks.wake.notified() => {}
            () = sleep(pause) => {}
            Some(ended) = calls.join_next() => match ended {
                Ok(lane) => drop(busy.remove(&lane)),
                // A call panicked. Which one nobody knows; the others are not begun twice, but wait for their end.
                Err(error) => {
                    warn!(%error, "a callback broke off");
                    while let Some(ended) = calls.join_next().await {
                        drop(ended);
                    }
                    busy.clear();
                }
            },
        }
    }
}

/// Begins the calls that are due; how long there is nothing else to do. `busy`: whom the calls under way are to.
async fn begin(
    callbacks: &Callbacks,
    calls: &mut JoinSet<Lane>,
    busy: &mut HashMap<Lane, String>,
) -> Duration {
    let now = (callbacks.settings.clock)();
    // Those under way are still due.
    let mut limit = 2 * CALLS;
    loop {
        let Agenda { due, next } = match callbacks.outbox.due(now, limit).await {
            Ok(found) => found,
            Err(error) => {
                warn!(error, "cannot read which callbacks are to be made");
                return REPAIR;
            }
        };
        let all = due.len() < limit;
        for due in due {
            let receiver = receiver(&due.post.url);
            let others = busy.values().filter(|other| **other == receiver).count();
            if calls.len() < CALLS
                && others < CALLS_EACH
                && let Entry::Vacant(place) = busy.entry(lane(&due.post))
            {
                let (callbacks, lane) = (callbacks.clone(), place.key().clone());
                place.insert(receiver);
                calls.spawn(async move {
                    make(&callbacks, &due).await;
                    lane
                });
            }
        }
        if all || calls.len() == CALLS || limit >= LOOK_AT {
            return next.map_or(LOOK, |at| until(now, at)).min(LOOK);
        }
        // Behind many for a receiver that has its calls may be one for another.
        limit *= 8;
    }
}

/// Host and port of a URL, or what stands there.
fn receiver(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase()
}

fn until(now: Wall, at: Wall) -> Duration {
    Duration::from_micros(u64::try_from(at.micros_since(now)).unwrap_or(0)).max(Duration::from_millis(10))
}

/// Makes a call, and sees that the outbox knows how it went: else it would be made again.
async fn make(callbacks: &Callbacks, due: &Due) {
    let attempt = attempt(callbacks, due).await;
    tell(due, &attempt);
    while let Err(error) = callbacks.outbox.attempted(&due.post, &attempt).await {
        warn!(id = due.post.id, error, "cannot write down how a callback went");
        sleep(REPAIR).await;
    }
}

async fn attempt(callbacks: &Callbacks, due: &Due) -> Attempt {
    let post = &due.post;
    let at = (callbacks.settings.clock)();
    let key = post.signed.then(|| (callbacks.settings.key)(post)).flatten();
    let call = Call::new(post.method, &post.url, &post.body, key.as_deref(), at);
    let request = call.as_ref().map(Call::text).unwrap_or_default();
    let stale = policy::is_stale(post.created, at);
    let answer = match call {
        Ok(_) if stale => Err(Error::Stale),
        Ok(call) => callbacks.transport.send(call).await,
        Err(error) => Err(error),
    };
    let now = (callbacks.settings.clock)();
    metrics::histogram!("millrace_callback_seconds").record(now.micros_since(at) as f64 / 1e6);
    let outcome = match &answer {
        Ok(Reply { status: 200, .. }) => Outcome::Delivered,
        // No time makes a URL of it.
        Err(Error::Url(_) | Error::Stale) => Outcome::GivenUp,
        _ => policy::after_failure(due.failures, post.created, now),
    };
    let (status, response) = match answer {
        Ok(reply) => (Some(reply.status), String::from_utf8_lossy(&reply.body).into_owned()),
        Err(error) => (None, error.to_string()),
    };
    Attempt { at, request, status, response, outcome }
}

fn tell(due: &Due, attempt: &Attempt) {
    let Post { id, domain, app, stream, kind, url, .. } = &due.post;
    let Attempt { status, response, outcome, .. } = attempt;
    let label = match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Again(_) => "again",
        Outcome::GivenUp => "given_up",
    };
    metrics::counter!("millrace_callbacks_total", "outcome" => label).increment(1);
    match outcome {
        Outcome::Delivered => debug!(id, domain, app, stream, kind, url, "callback delivered"),
        Outcome::Again(_) if due.failures > 0 => {
            debug!(id, domain, app, stream, kind, url, status, response, "callback failed again");
        }
        Outcome::Again(_) => {
            warn!(id, domain, app, stream, kind, url, status, response, "callback failed; it is tried again");
        }
        Outcome::GivenUp => {
            tracing::error!(id, domain, app, stream, kind, url, status, response, "callback given up");
        }
    }
}
