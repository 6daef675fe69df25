//! What all recordings do alike, whatever their format.

mod answers;
mod disk;
mod gates;
mod open_gops;
mod restarts;
mod rows;
mod silence;
pub mod stage;
