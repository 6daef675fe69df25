//! Pictures from access units; the only crate that links FFmpeg.
