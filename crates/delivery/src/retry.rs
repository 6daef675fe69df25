use std::time::Duration;

/// The first pause after a failure.
const FIRST: Duration = Duration::from_millis(500);
/// The longest one: a store that is back is used again within this time.
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses between tries: they double, capped, and vary by a quarter so that lanes that failed together do not
/// come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::within(LONGEST)
    }
}

impl Backoff {
    /// Pauses of at most `longest`.
    pub fn within(longest: Duration) -> Self {
        Self { failures: 0, longest }
    }

    /// The pause after one more failure.
    pub fn next(&mut self) -> Duration {
        let pause = FIRST.saturating_mul(1 << self.failures.min(16)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        pause.mul_f64(rand::random_range(0.75..=1.25)).clamp(FIRST, self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_half_a_second_to_half_a_minute() {
        let mut backoff = Backoff::default();
        let pauses: Vec<f64> = (0..100).map(|_| backoff.next().as_secs_f64()).collect();
        for (pause, middle) in pauses.iter().zip([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]) {
            assert!((middle * 0.75..=middle * 1.25).contains(pause), "{pause} near {middle}");
        }
        assert!(pauses.iter().all(|pause| (0.5..=30.0).contains(pause)));
    }
}
