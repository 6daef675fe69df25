//! One publish's logic: timestamps, tracks, outputs.
