//! The part of the server that is not wiring: its config, so that tests and fuzzing reach it.

pub mod config;
