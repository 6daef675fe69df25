//! m3u8 and MPD text from plain values: what is known goes in, the text comes out.
//!
//! [`media`] renders the playlists of live windows, [`low_latency`] those with parts, [`vod`] those of recordings,
//! [`multivariant`] the list that names them; [`uri`] makes the references between them. [`mpd`] renders what DASH
//! has instead of all of these. Every line is written here. `m3u8-rs` reads them back
//! in the tests but does not write: it keeps a duration as `f32` (8 us off from 128 s on, 60 us from 512 s), its
//! float precision is one setting for the whole process, it leaves out counters that are 0, puts MAP before
//! DISCONTINUITY, and cannot write FRAME-RATE with three decimals.

pub mod low_latency;
pub mod media;
pub mod mpd;
pub mod multivariant;
mod tag;
pub mod uri;
pub mod vod;

#[cfg(test)]
mod tests;
