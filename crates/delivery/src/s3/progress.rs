use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Trouble;

/// How many bytes of a request are on their way. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn sent(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits for `work`, which is given up when no byte was sent for `limit`: however slow the line is, an upload that
/// gets on is not cut off, and one that does not is.
pub(super) async fn unless_stalled<T>(
    work: impl Future<Output = T>,
    progress: &Progress,
    limit: Duration,
) -> Result<T, Trouble> {
    let mut work = std::pin::pin!(work);
    let mut sent = progress.sent();
    let mut deadline = Instant::now() + limit;
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            () = sleep_until(deadline) => {
                let now = progress.sent();
                if now == sent {
                    return Err(Trouble::Stalled { after: limit, sent });
                }
                sent = now;
                deadline = Instant::now() + limit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn work_that_gets_on_may_take_any_time() {
        let progress = Progress::default();
        let slow = async {
            for _ in 0..100 {
                tokio::time::advance(LIMIT / 2).await;
                progress.add(1);
            }
            7
        };
        assert_eq!(unless_stalled(slow, &progress, LIMIT).await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_stands_still_is_given_up() {
        let progress = Progress::default();
        let begun = Instant::now();
        let hangs = async {
            progress.add(5);
            std::future::pending::<()>().await;
        };
        let stalled = unless_stalled(hangs, &progress, LIMIT).await;
        assert_eq!(stalled, Err(Trouble::Stalled { after: LIMIT, sent: 5 }));
        assert!(begun.elapsed() <= LIMIT * 2 + Duration::from_secs(1));
    }
}
