//! Keeps what operators declared.
