use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use media::Wall;

/// Buckets at once. Accounts and actions are few; beyond, full buckets are thrown away, which forgets nothing.
const MAX_BUCKETS: usize = 4_096;

/// So many requests within such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests.
    pub requests: u32,
    /// Within this time.
    pub period: Duration,
}

impl Rate {
    /// `requests` a second.
    pub const fn per_second(requests: u32) -> Self {
        Self { requests, period: Duration::from_secs(1) }
    }

    /// `requests` a minute.
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, period: Duration::from_secs(60) }
    }

    /// Microseconds that one request takes to be earned.
    fn cost(self) -> i64 {
        let micros = i64::try_from(self.period.as_micros()).unwrap_or(i64::MAX);
        (micros / i64::from(self.requests.max(1))).max(1)
    }
}

/// A bucket per account and action, which holds one period's requests (design §10).
#[derive(Debug)]
pub struct Throttle {
    enforced: bool,
    buckets: Mutex<HashMap<(String, String), Bucket>>,
}

/// When the bucket will be full again. A request takes it further into the future, at most a period from now.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    full_at: Wall,
}

impl Throttle {
    /// One that is enforced or not.
    pub fn new(enforced: bool) -> Self {
        Self { enforced, buckets: Mutex::default() }
    }

    /// Takes a request of `account` for `action` out of its bucket.
    ///
    /// # Errors
    /// The bucket is empty: after this time there is one request in it.
    pub fn admit(&self, account: &str, action: &str, rate: Rate, now: Wall) -> Result<(), Duration> {
        if !self.enforced {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS {
            buckets.retain(|_, bucket| bucket.full_at > now);
        }
        let key = (account.to_owned(), action.to_owned());
        let bucket = buckets.entry(key).or_insert(Bucket { full_at: now });
        let capacity = rate.cost().saturating_mul(i64::from(rate.requests.max(1)));
        // A clock that was set back must not lock anyone out for longer than a period.
        let taken = bucket.full_at.micros_since(now).clamp(0, capacity);
        let after = taken.saturating_add(rate.cost());
        if after > capacity {
            return Err(Duration::from_micros(u64::try_from(after - capacity).unwrap_or(0)));
        }
        bucket.full_at = now.plus_micros(after);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(throttle: &Throttle, action: &str, rate: Rate, now: i64) -> usize {
        (0..1_000).take_while(|_| throttle.admit("1", action, rate, Wall(now)).is_ok()).count()
    }

    #[test]
    fn a_bucket_holds_one_period_and_fills_evenly() {
        let throttle = Throttle::new(true);
        let rate = Rate::per_second(30);
        assert_eq!(admitted(&throttle, "a", rate, 0), 30);
        assert_eq!(admitted(&throttle, "a", rate, 100_000), 3);
        assert_eq!(admitted(&throttle, "a", rate, 60_000_000), 30);
        assert_eq!(admitted(&throttle, "b", Rate::per_minute(300), 0), 300);
        assert_eq!(admitted(&throttle, "b", Rate::per_minute(300), 1_000_000), 5);
    }

    #[test]
    fn accounts_and_actions_have_buckets_of_their_own() {
        let throttle = Throttle::new(true);
        let rate = Rate::per_second(1);
        assert!(throttle.admit("1", "a", rate, Wall(0)).is_ok());
        assert!(throttle.admit("1", "b", rate, Wall(0)).is_ok());
        assert!(throttle.admit("2", "a", rate, Wall(0)).is_ok());
        assert_eq!(throttle.admit("1", "a", rate, Wall(250_000)), Err(Duration::from_millis(750)));
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_a_period() {
        let throttle = Throttle::new(true);
        let rate = Rate::per_second(1);
        assert!(throttle.admit("1", "a", rate, Wall(1_000_000_000)).is_ok());
        let wait = throttle.admit("1", "a", rate, Wall(0)).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
    }

    #[test]
    fn not_enforced_it_lets_everything_through() {
        assert_eq!(admitted(&Throttle::new(false), "a", Rate::per_second(1), 0), 1_000);
    }

    #[test]
    fn buckets_are_bounded() {
        let throttle = Throttle::new(true);
        for number in 0..3 * MAX_BUCKETS {
            let now = Wall(number as i64 * 1_000_000);
            assert!(throttle.admit("1", &number.to_string(), Rate::per_second(1), now).is_ok());
        }
        assert!(throttle.buckets.lock().unwrap().len() <= MAX_BUCKETS);
    }
}
