use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Bytes of effects that wait in memory, over all lanes.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
    crowded: AtomicBool,
    incidents: Arc<AtomicU64>,
}

/// Bytes taken from a [`Budget`]; they go back when this is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// `incidents` counts when it gets crowded, and when it no longer is.
    pub fn new(limit: usize, incidents: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0), crowded: AtomicBool::new(false), incidents })
    }

    /// Whether `bytes` more stay within the limit. Two lanes that ask at once may both hear yes: the limit is
    /// then passed by one batch, which is nothing.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.used.load(Ordering::Relaxed).saturating_add(bytes) <= self.limit
    }

    /// Whether it was half used and is not yet down to a quarter: time to stop recording, before it is used up.
    pub fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Takes `bytes`, over the limit if need be.
    pub fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used > self.limit / 2 {
            self.turn(true);
        }
        Charge { budget: Arc::clone(self), bytes }
    }

    fn turn(&self, crowded: bool) {
        if self.crowded.swap(crowded, Ordering::Relaxed) != crowded {
            self.incidents.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let Self { budget, bytes } = self;
        let used = budget.used.fetch_sub(*bytes, Ordering::Relaxed).saturating_sub(*bytes);
        if used <= budget.limit / 4 {
            budget.turn(false);
        }
    }
}
