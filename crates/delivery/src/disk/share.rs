//! Who must do without when the spool is full.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a lane has in the spool. Its writer, its sender and the disk share it.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    bytes: AtomicU64,
    waiting: AtomicU64,
    stuck: AtomicBool,
    over: AtomicBool,
}

impl Holding {
    /// Whether what it has to send does not get on: the last try failed.
    pub fn set_stuck(&self, stuck: bool) {
        self.stuck.store(stuck, Ordering::Relaxed);
    }

    /// Bytes of objects that wait for others to be sent.
    pub fn set_waiting(&self, bytes: u64) {
        self.waiting.store(bytes, Ordering::Relaxed);
    }

    /// Whether it must do without.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// It has `bytes` more.
    pub fn took(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// It has `bytes` less.
    pub fn freed(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// All that it has, which is what the disk lacks.
    pub(super) fn held(&self) -> Held {
        let bytes = self.bytes.load(Ordering::Relaxed);
        Held { bytes, stuck: self.stuck.load(Ordering::Relaxed), over: self.is_over() }
    }

    /// What waits for its store. What still grows waits for its own end, and what is just being sent for nothing, unless
    /// the store does not take it.
    pub(super) fn waiting(&self) -> Held {
        let held = self.held();
        if held.stuck { held } else { Held { bytes: self.waiting.load(Ordering::Relaxed), ..held } }
    }

    /// Says whether it must do without; whether that is new.
    pub(super) fn turn(&self, over: bool) -> bool {
        self.over.swap(over, Ordering::Relaxed) != over
    }
}

/// A [`Holding`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub bytes: u64,
    pub stuck: bool,
    pub over: bool,
}

impl Held {
    /// Bytes of all of them.
    pub fn sum(all: &[Self]) -> u64 {
        all.iter().fold(0, |sum, held| sum.saturating_add(held.bytes))
    }
}

/// The most that a lane may hold, so that all of them hold `most` bytes: of those that are stuck, and of the others.
///
/// What those hold that get on is theirs; the stuck ones share the rest. Only if those that get on hold more than all
/// may, they share `most`. A share that one does not use is the others' (max-min fairness), so it is the largest that
/// do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    stuck: u64,
    others: u64,
}

impl Shares {
    /// Nobody does without.
    pub const ALL: Self = Self { stuck: u64::MAX, others: u64::MAX };

    /// In the order of their number: a sort.
    pub fn of(lanes: &[Held], most: u64) -> Self {
        let bytes = |stuck| lanes.iter().filter(move |lane| lane.stuck == stuck).map(|lane| lane.bytes);
        let others = bytes(false).fold(0, u64::saturating_add);
        Self {
            stuck: share(bytes(true).collect(), most.saturating_sub(others)),
            others: share(bytes(false).collect(), most),
        }
    }

    /// Whether a lane must do without. One that does goes on with a tenth of room only.
    pub fn excludes(self, lane: Held) -> bool {
        let most = if lane.stuck { self.stuck } else { self.others };
        lane.bytes > if lane.over { most / 10 * 9 } else { most }
    }
}

/// The most of each, so that all are `most`.
fn share(mut all: Vec<u64>, most: u64) -> u64 {
    all.sort_unstable();
    let mut left = most;
    for (n, &bytes) in (1..=all.len() as u64).rev().zip(&all) {
        if bytes > left / n {
            return left / n;
        }
        left -= bytes;
    }
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuck(bytes: u64) -> Held {
        Held { bytes, stuck: true, over: false }
    }

    fn working(bytes: u64) -> Held {
        Held { bytes, stuck: false, over: false }
    }

    /// Which lanes do without.
    fn excluded(lanes: &[Held], most: u64) -> Vec<usize> {
        let shares = Shares::of(lanes, most);
        (0..lanes.len()).filter(|&n| shares.excludes(lanes[n])).collect()
    }

    #[test]
    fn of_those_that_are_stuck_the_largest_do_without() {
        let lanes = [stuck(600), stuck(10), stuck(300), working(50)];
        assert_eq!(excluded(&lanes, 900), [0]);
        // 900 - 50 for the three: 10, and 420 for each of the others.
        assert_eq!(Shares::of(&lanes, 900), Shares { stuck: 540, others: u64::MAX });
        assert_eq!(excluded(&lanes, 500), [0, 2]);
        assert_eq!(excluded(&[stuck(500), stuck(500)], 900), [0, 1]);
    }

    #[test]
    fn what_others_cannot_get_rid_of_is_nothing_to_a_lane_that_can() {
        let lanes = [stuck(400), working(600), working(1)];
        assert_eq!(excluded(&lanes, 900), [0]);
        assert_eq!(excluded(&lanes, 601), [0]);
        assert_eq!(excluded(&lanes, 600), [0, 1], "they are too much by themselves");
        assert_eq!(excluded(&lanes, 0), [0, 1, 2]);
    }

    #[test]
    fn what_still_grows_or_is_just_being_sent_waits_for_its_store_only_if_that_is_away() {
        let lane = Holding::default();
        lane.took(100);
        lane.set_waiting(20);
        assert_eq!((lane.held(), lane.waiting()), (working(100), working(20)));
        lane.set_stuck(true);
        assert_eq!((lane.held(), lane.waiting()), (stuck(100), stuck(100)));
    }

    #[test]
    fn where_all_have_room_nobody_does_without() {
        assert_eq!(Shares::of(&[stuck(1), working(u64::MAX)], u64::MAX).others, u64::MAX);
        assert_eq!(excluded(&[stuck(1), stuck(2), working(3)], 6), [0; 0]);
        assert_eq!(Shares::of(&[], 0), Shares::ALL);
    }

    #[test]
    fn who_did_without_wants_some_room_to_go_on() {
        let shares = Shares { stuck: 100, others: 1_000 };
        let over = |held: Held| Held { over: true, ..held };
        assert!(!shares.excludes(stuck(100)) && shares.excludes(stuck(101)));
        assert!(shares.excludes(over(stuck(91))) && !shares.excludes(over(stuck(90))));
        assert!(!shares.excludes(over(working(900))));
        assert!(!Shares::ALL.excludes(over(working(1 << 60))));
    }
}
