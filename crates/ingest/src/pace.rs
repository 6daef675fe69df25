//! How often a publisher's socket is read (design §12: wake-ups are the cost, bytes are not).
//!
//! With few publishers each read happens as soon as bytes are there. With many, a connection that has just been
//! read waits for the next tick of a common grid, so that what arrives meanwhile is read at once and
//! connections wake together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Publishers that one millisecond of pacing is for.
const PUBLISHERS_PER_MILLI: usize = 10;
/// Longest pause between two reads of a socket, in milliseconds. Bounds what pacing adds to latency.
const MAX_MILLIS: u64 = 10;

/// The common grid. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pace {
    publishers: Arc<AtomicUsize>,
    start: Instant,
}

/// One publisher that counts.
#[derive(Debug)]
pub(crate) struct Paced(Pace);

impl Default for Pace {
    fn default() -> Self {
        Self { publishers: Arc::default(), start: Instant::now() }
    }
}

impl Pace {
    /// Counts a publisher until the value is dropped.
    pub(crate) fn join(&self) -> Paced {
        self.publishers.fetch_add(1, Ordering::Relaxed);
        Paced(self.clone())
    }
}

impl Paced {
    /// When the socket may be read again; `None`: at once.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        let budget = budget(self.0.publishers.load(Ordering::Relaxed))?;
        let since = now.saturating_duration_since(self.0.start);
        let step = budget.as_micros().max(1);
        let next = (since.as_micros() / step + 1) * step;
        Some(self.0.start + Duration::from_micros(u64::try_from(next).unwrap_or(u64::MAX)))
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        self.0.publishers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Pause between reads for this many publishers.
fn budget(publishers: usize) -> Option<Duration> {
    let millis = u64::try_from(publishers / PUBLISHERS_PER_MILLI).unwrap_or(u64::MAX).min(MAX_MILLIS);
    (millis > 0).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_with_the_publishers_up_to_ten_milliseconds() {
        assert_eq!(budget(1), None);
        assert_eq!(budget(50), Some(Duration::from_millis(5)));
        assert_eq!(budget(100_000), Some(Duration::from_millis(10)));
    }
}
