//! Whether the spool's disk has room: who is blocked when it has not, and what is shed before.

mod share;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tracing::{info, warn};

pub(crate) use share::Holding;
use share::{Held, Shares};

/// How near its end the disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// There is room.
    Fine = 0,
    /// Live windows and snapshots are shed.
    Tight = 1,
    /// Recordings that hold more than their share are blocked, too.
    Full = 2,
}

/// What the spool may use, and does.
#[derive(Debug)]
pub(crate) struct Disk {
    spool: PathBuf,
    limits: Limits,
    level: AtomicU8,
    /// Who has something there. Dead entries go when a lane opens.
    lanes: Mutex<Vec<Weak<Holding>>>,
    incidents: Arc<AtomicU64>,
    #[cfg(test)]
    pub faults: tests::Faults,
}

/// Where it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes that may wait for their stores; `None`: the whole disk.
    pub spool: Option<u64>,
    /// Bytes of the disk that are left for others.
    pub free: u64,
}

impl Limits {
    /// The level when `waiting` bytes wait for their stores and `free` are left of the disk. A level is left with a tenth
    /// of room only, so that recordings do not stop and go on all the time.
    fn level(&self, waiting: u64, free: u64, before: Level) -> Level {
        let at = |level: Level, share: u64, times: u64| {
            let (share, times) = if before >= level { (share - 10, times + 1) } else { (share, times) };
            self.spool.is_some_and(|most| waiting >= most / 100 * share) || free < self.free / 4 * times
        };
        match () {
            () if at(Level::Full, 100, 4) => Level::Full,
            () if at(Level::Tight, 90, 8) => Level::Tight,
            () => Level::Fine,
        }
    }

    /// Bytes that may wait for their stores when too many do.
    fn most_waiting(&self) -> u64 {
        self.spool.map_or(u64::MAX, |most| most / 100 * 90)
    }

    /// Bytes that the spool of `held` must come down to when `free` bytes of the disk are too few.
    fn most_held(&self, held: u64, free: u64) -> u64 {
        match (self.free / 4 * 5).saturating_sub(free) {
            0 => u64::MAX,
            lacking => held.saturating_sub(lacking),
        }
    }
}

impl Disk {
    pub fn new(spool: PathBuf, limits: Limits, incidents: Arc<AtomicU64>) -> Self {
        Self {
            spool,
            limits,
            level: AtomicU8::new(0),
            lanes: Mutex::default(),
            incidents,
            #[cfg(test)]
            faults: tests::Faults::default(),
        }
    }

    /// A lane's account, empty.
    pub fn lane(&self) -> Arc<Holding> {
        let lane = Arc::default();
        let mut lanes = self.lanes();
        lanes.retain(|lane| lane.strong_count() > 0);
        lanes.push(Arc::downgrade(&lane));
        lane
    }

    /// Held for a few instructions.
    fn lanes(&self) -> MutexGuard<'_, Vec<Weak<Holding>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether live windows and snapshots must do without.
    pub fn is_tight(&self) -> bool {
        self.level.load(Ordering::Relaxed) >= Level::Tight as u8
    }

    /// Something may be blocked that was not, or the other way round.
    pub fn incident(&self) {
        self.incidents.fetch_add(1, Ordering::Relaxed);
    }

    /// Looks at the disk, and says to each lane whether it must do without. Blocks.
    pub fn look(&self) {
        // If it doesn't say, writing will say what is wrong.
        let free = self.free().unwrap_or(u64::MAX);
        let lanes: Vec<Arc<Holding>> = self.lanes().iter().filter_map(Weak::upgrade).collect();
        let held: Vec<Held> = lanes.iter().map(|lane| lane.held()).collect();
        let waiting: Vec<Held> = lanes.iter().map(|lane| lane.waiting()).collect();
        let used = Held::sum(&held);
        let before = self.level();
        let level = self.limits.level(Held::sum(&waiting), free, before);
        self.level.store(level as u8, Ordering::Relaxed);
        metrics::gauge!("millrace_delivery_spool_bytes").set(used as f64);
        metrics::gauge!("millrace_delivery_spool_free_bytes").set(free as f64);
        metrics::gauge!("millrace_delivery_spool_level").set(f64::from(level as u8));
        if level != before {
            self.tell(level, used, free);
        }
        let (of_held, of_waiting) = match level {
            Level::Full => (
                Shares::of(&held, self.limits.most_held(used, free)),
                Shares::of(&waiting, self.limits.most_waiting()),
            ),
            _ => (Shares::ALL, Shares::ALL),
        };
        let mut turned = false;
        for ((lane, held), waiting) in lanes.iter().zip(held).zip(waiting) {
            turned |= lane.turn(of_held.excludes(held) || of_waiting.excludes(waiting));
        }
        if turned {
            self.incident();
        }
    }

    fn level(&self) -> Level {
        match self.level.load(Ordering::Relaxed) {
            0 => Level::Fine,
            1 => Level::Tight,
            _ => Level::Full,
        }
    }

    fn tell(&self, level: Level, used: u64, free: u64) {
        self.incident();
        let (spool, limits) = (self.spool.display(), self.limits);
        match level {
            Level::Fine => info!(%spool, used, free, "the spool has room again"),
            Level::Tight => {
                warn!(%spool, used, free, ?limits, "the spool is nearly full: live windows and snapshots are not stored");
            }
            Level::Full => {
                tracing::error!(%spool, used, free, ?limits, "the spool is full: recordings that hold more than their share of it lose frames until there is room");
            }
        }
    }

    #[cfg(not(test))]
    fn free(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.spool)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Before anything is written to the disk.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests make the disk fail here")]
    pub fn may_write(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;

    /// A disk that fails on command.
    #[derive(Default)]
    pub(crate) struct Faults {
        /// Writes that still succeed; then this error.
        pub after: Mutex<Option<(u64, io::ErrorKind)>>,
        /// Free bytes of the disk.
        pub free: Mutex<Option<u64>>,
        /// What a power cut leaves of each file.
        pub synced: Mutex<BTreeMap<PathBuf, u64>>,
    }

    impl std::fmt::Debug for Faults {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Faults")
        }
    }

    impl Disk {
        pub(super) fn free(&self) -> io::Result<u64> {
            Ok(self.faults.free.lock().unwrap().unwrap_or(u64::MAX))
        }

        pub fn may_write(&self) -> io::Result<()> {
            match &mut *self.faults.after.lock().unwrap() {
                None => Ok(()),
                Some((0, kind)) => Err((*kind).into()),
                Some((left, _)) => {
                    *left -= 1;
                    Ok(())
                }
            }
        }
    }

    #[test]
    fn live_is_shed_before_recordings_are_blocked_and_both_want_some_room_to_go_on() {
        let limits = Limits { spool: Some(1_000), free: 400 };
        let level = |used, free, before| limits.level(used, free, before);
        assert_eq!(level(0, 10_000, Level::Fine), Level::Fine);
        assert_eq!(level(900, 10_000, Level::Fine), Level::Tight);
        assert_eq!(level(1_000, 10_000, Level::Tight), Level::Full);
        assert_eq!(level(950, 10_000, Level::Full), Level::Full);
        assert_eq!(level(890, 10_000, Level::Full), Level::Tight);
        assert_eq!(level(790, 10_000, Level::Tight), Level::Fine);
        assert_eq!(level(0, 799, Level::Fine), Level::Tight);
        assert_eq!(level(0, 399, Level::Fine), Level::Full);
        assert_eq!(level(0, 499, Level::Full), Level::Full);
        assert_eq!(level(0, 500, Level::Full), Level::Tight);
        assert_eq!(level(0, 899, Level::Tight), Level::Tight);
        assert_eq!(level(0, 900, Level::Tight), Level::Fine);
        let whole = Limits { spool: None, free: 400 };
        assert_eq!(whole.level(u64::MAX, 10_000, Level::Fine), Level::Fine);
    }

    #[test]
    fn the_spool_must_come_down_to_what_ends_the_want_of_room() {
        let limits = Limits { spool: Some(1_000), free: 400 };
        assert_eq!(limits.most_waiting(), 900);
        assert_eq!(limits.level(899, 500, Level::Full), Level::Tight);
        assert_eq!(limits.most_held(800, 390), 690);
        assert_eq!(limits.most_held(800, 0), 300);
        assert_eq!(limits.most_held(100, 0), 0, "others fill the disk");
        assert_eq!(limits.most_held(800, 500), u64::MAX);
    }
}
