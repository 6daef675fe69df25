use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use media::Wall;

/// A signed request can be sent until 15 minutes after its time, which may be 15 minutes ahead of ours; after both
/// nobody takes it any more. In microseconds.
const WINDOW: i64 = 30 * 60 * 1_000_000;
/// Nonces of a generation, 16 bytes each. Only signatures that are right are counted, so a stranger can't fill it;
/// a key holder that sends more than this in half an hour can only replay his own requests.
const MAX_NONCES: usize = 1_000_000;

/// Nonces that were used. They are forgotten at a restart.
#[derive(Debug, Default)]
pub struct Nonces {
    seen: Mutex<Seen>,
    /// Two keyed hashes side by side: nobody can choose a nonce that looks like another.
    hashers: (RandomState, RandomState),
}

/// Two generations: when the young one is as old as the window, it becomes the old one.
#[derive(Debug, Default)]
struct Seen {
    young: HashSet<(u64, u64)>,
    old: HashSet<(u64, u64)>,
    since: Option<Wall>,
}

impl Nonces {
    /// Notes that `key_id` used `nonce`; `false` if it had been used within the window.
    #[must_use]
    pub fn first_use(&self, key_id: &str, nonce: &str, now: Wall) -> bool {
        let pair = (key_id, nonce);
        let hash = (self.hashers.0.hash_one(pair), self.hashers.1.hash_one(pair));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *seen.since.get_or_insert(now);
        if now.micros_since(since) >= WINDOW || seen.young.len() >= MAX_NONCES {
            seen.old = std::mem::take(&mut seen.young);
            seen.since = Some(now);
        }
        !seen.old.contains(&hash) && seen.young.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_used_once_per_key_within_the_window() {
        let nonces = Nonces::default();
        let minutes = |minutes: i64| Wall(minutes * 60_000_000);
        assert!(nonces.first_use("a", "n", minutes(0)));
        assert!(!nonces.first_use("a", "n", minutes(0)));
        assert!(nonces.first_use("b", "n", minutes(0)));
        assert!(nonces.first_use("a", "late", minutes(29)));
        assert!(!nonces.first_use("a", "n", minutes(30)));
        assert!(!nonces.first_use("a", "late", minutes(59)));
        assert!(nonces.first_use("a", "late", minutes(120)));
    }

    #[test]
    fn a_nonce_and_a_key_id_do_not_run_together() {
        let nonces = Nonces::default();
        assert!(nonces.first_use("ab", "c", Wall(0)));
        assert!(nonces.first_use("a", "bc", Wall(0)));
    }
}
