//! Recordings, a folder per format.

pub mod flv;
pub mod hls;
