//! Synthetic streams, stories and frame accounting for tests.
