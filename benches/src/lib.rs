//! millrace-benches
