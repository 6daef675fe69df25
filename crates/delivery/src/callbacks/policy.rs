//! When a post that failed is tried again.

use media::Wall;

use super::Outcome;

/// Tries that follow quickly: who restarts a receiver misses nothing (`reference/api-callbacks.md` §1).
const QUICK: u32 = 5;
/// Microseconds between them.
const QUICK_PAUSE: i64 = 1_000_000;
/// The pause after them; it doubles …
const FIRST_PAUSE: i64 = 10_000_000;
/// … up to this: so long a receiver that is back may wait.
const LONGEST_PAUSE: i64 = 600_000_000;
/// Microseconds after which a post is given up.
const LIFETIME: i64 = 24 * 3_600_000_000;

/// Whether a post of `created` has waited so long behind others that it is given up without a try: what waits for a
/// receiver that is away for good must not grow for ever.
pub(super) fn is_stale(created: Wall, now: Wall) -> bool {
    now.micros_since(created) > 2 * LIFETIME
}

/// What follows from a try at `now` that failed, of a post of `created` that had failed `before` times.
pub(super) fn after_failure(before: u32, created: Wall, now: Wall) -> Outcome {
    let Some(slow) = before.checked_sub(QUICK) else {
        return Outcome::Again(now.plus_micros(QUICK_PAUSE));
    };
    let end = created.plus_micros(LIFETIME);
    if now >= end {
        return Outcome::GivenUp;
    }
    let pause = FIRST_PAUSE.saturating_mul(1 << slow.min(20)).min(LONGEST_PAUSE);
    Outcome::Again(now.plus_micros(pause).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tries_follow_quickly_then_fewer_and_fewer_for_a_day() {
        let (mut now, mut pauses) = (Wall(0), Vec::new());
        let mut failures = 0;
        while let Outcome::Again(at) = after_failure(failures, Wall(0), now) {
            pauses.push(at.micros_since(now) / 1_000_000);
            (now, failures) = (at, failures + 1);
        }
        assert_eq!(pauses[..13], [1, 1, 1, 1, 1, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(now, Wall(LIFETIME));
        assert!(pauses.len() < 170, "{}", pauses.len());
    }

    #[test]
    fn what_waits_for_nobody_does_not_wait_for_ever() {
        assert!(!is_stale(Wall(1), Wall(1 + 2 * LIFETIME)) && is_stale(Wall(1), Wall(2 + 2 * LIFETIME)));
    }

    #[test]
    fn a_post_that_waited_behind_others_still_gets_its_quick_tries() {
        let late = Wall(LIFETIME * 3);
        let outcomes: Vec<Outcome> = (0..=QUICK).map(|n| after_failure(n, Wall(0), late)).collect();
        assert_eq!(outcomes[..5], [Outcome::Again(late.plus_micros(QUICK_PAUSE)); 5]);
        assert_eq!(outcomes[5], Outcome::GivenUp);
    }
}
