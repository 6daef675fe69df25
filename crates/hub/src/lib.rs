//! Which session runs for which stream, and who owns it.
//!
//! A session is a value with exactly one owner. While a publisher is connected, the task of its connection
//! holds it as a [`Live`] and feeds it directly: no lock, no queue, one wake-up per read. While nobody
//! publishes, a lingering task of the hub holds it until its outputs have nothing left to wait for. Whoever
//! publishes next asks the present owner to hand it over.

mod command;
mod hub;
mod linger;
mod live;
mod registry;

pub use command::Command;
pub use hub::{Disobeyed, Hub, Publisher, Refused, SecondPublisher, Settings, World};
pub use live::{Interrupt, Live};
pub use session::{Interrupted, OutputReport, Report, Session, SlotEffects, SlotId, TrackReport};
