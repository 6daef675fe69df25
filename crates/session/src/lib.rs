//! One publish's logic: a [`Session`] repairs timestamps, decides tracks, makes packets and feeds the outputs.
//!
//! Media goes through five stages, each with its own file and no knowledge of the next; `publish` and `runs` lead
//! it from one to the other:
//! `demux` (messages to frames) → `opening` (which tracks there are) → `repair` (jumps and outliers, on raw
//! milliseconds) → `timeline` (exact ticks and durations) → `slots` (outputs, each isolated).
//! No clock: the time of arrival comes with every input.
#![deny(clippy::indexing_slicing)]

mod configs;
mod demux;
mod drift;
mod early;
mod opening;
mod publish;
mod repair;
mod report;
mod runs;
mod session;
mod slots;
mod timeline;

pub use report::{OutputReport, Report, TrackReport};
pub use session::{Input, Session};
pub use slots::{Interrupted, SlotEffects, SlotId};

#[cfg(test)]
mod tests;
