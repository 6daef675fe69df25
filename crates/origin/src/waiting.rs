//! Requests for what comes next: they wait for the window that has it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::published::Published;
use crate::reload::{BadQuery, Until, Verdict};

/// How windows of a stream follow each other.
pub(crate) type Windows = watch::Receiver<Arc<Published>>;

/// Why a request was not answered with what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// 400.
    Bad(BadQuery),
    /// 404: nothing of that name is there or will be.
    NotFound,
    /// 503: it did not come in time, or nobody sends any more (RFC 8216bis §6.2.5.2, packaging-rules Q2).
    TooLate,
}

/// The first window whose playlist `name` has what `until` asks for. A playlist that nobody can wait for is answered
/// as it is.
pub(crate) async fn playlist(
    windows: &mut Windows,
    name: &str,
    until: Option<Until>,
) -> Result<Arc<Published>, Refused> {
    let mut deadline = None;
    loop {
        let published = windows.borrow_and_update().clone();
        let playlist = published.window.playlist(name).ok_or(Refused::NotFound)?;
        let (Some(edge), Some(until)) = (playlist.edge, until) else { return Ok(published) };
        if until.judge(edge).map_err(Refused::Bad)? == Verdict::Answer {
            return Ok(published);
        }
        next(windows, &published, &mut deadline).await?;
    }
}

/// The first window that has `name`, complete or growing; who asks for what nobody announced does not wait.
pub(crate) async fn resource(windows: &mut Windows, name: &str) -> Result<Arc<Published>, Refused> {
    let mut deadline = None;
    loop {
        let published = windows.borrow_and_update().clone();
        let window = &published.window;
        if window.get(name).is_some() || window.growing(name).is_some() {
            return Ok(published);
        }
        if !window.hints.iter().any(|hint| **hint == *name) {
            return Err(Refused::NotFound);
        }
        next(windows, &published, &mut deadline).await?;
    }
}

/// Waits for another window than `now`, three target durations from the first wait on at most.
pub(crate) async fn next(
    windows: &mut Windows,
    now: &Published,
    deadline: &mut Option<Instant>,
) -> Result<(), Refused> {
    if now.window.source_gone {
        return Err(Refused::TooLate);
    }
    let patience = Duration::from_secs(now.window.target_duration_s.saturating_mul(3));
    let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
    match timeout_at(deadline, windows.changed()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Refused::NotFound),
        Err(_) => Err(Refused::TooLate),
    }
}
