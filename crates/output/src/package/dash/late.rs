//! How media keeps up with the clock.

use media::{Packet, Run, Wall};

/// Over how much media drift is measured, in microseconds: the packet that came earliest counts, not a burst.
const DRIFT_WINDOW_US: i64 = 10_000_000;
/// How far media may fall behind the wall clock, or get ahead of it, before a new Period says so, in microseconds
/// (packaging-rules Q7).
const DRIFT_US: i64 = 500_000;

/// How much later than the run's clock says packets come, in microseconds.
#[derive(Default)]
pub(super) struct Late {
    run: Option<u32>,
    /// The latest of the run.
    pub most: i64,
    least: i64,
    /// Since when `least` is measured, on the session's timeline.
    since: i64,
    /// What it was before that.
    settled: Option<i64>,
    /// What it was where the Period has it.
    at_start: Option<i64>,
    /// When the last one came.
    pub received: Wall,
}

impl Late {
    /// A packet that ends at `end` microseconds of the session's timeline.
    pub(super) fn packet(&mut self, run: &Run, packet: &Packet, end: i64) {
        if self.run != Some(run.index) {
            *self = Self { run: Some(run.index), least: i64::MAX, since: end, ..Self::default() };
        }
        let due = run.wall.plus_micros(end.saturating_sub(run.start));
        let late = packet.received.micros_since(due);
        self.most = self.most.max(late);
        self.least = self.least.min(late);
        self.received = packet.received;
        if end.saturating_sub(self.since) >= DRIFT_WINDOW_US {
            self.settled = Some(self.least);
            self.at_start.get_or_insert(self.least);
            (self.least, self.since) = (i64::MAX, end);
        }
    }

    /// A Period of the same run begins that is placed `by` microseconds off the one before it.
    pub(super) fn corrected(&mut self, by: i64) {
        self.at_start = self.at_start.map(|then| then.saturating_add(by));
    }

    /// By how much media has fallen behind where Periods have it, or, if negative, got ahead of that; 0 while it is not
    /// enough for a new Period.
    pub(super) fn drift(&self) -> i64 {
        let drift = self.settled.zip(self.at_start).map_or(0, |(now, then)| now.saturating_sub(then));
        if drift.abs() > DRIFT_US { drift } else { 0 }
    }
}
