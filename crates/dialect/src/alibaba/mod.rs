//! Alibaba Cloud's RPC dialect: ApsaraVideo Live, version 2016-11-01.
//!
//! A shell reads a [`Call`] from a request, asks it who signed it ([`Call::authenticate`]) and which
//! [`Operation`] of [`OPERATIONS`] it names ([`Call::operation`]), checks nonce, policy and rate by what these say,
//! and does what [`Run`] says. Whatever comes of it, [`Call::answer`] tells in JSON or XML.

pub mod callback;
mod error;
mod moment;
mod ops;
mod params;
mod v1;
mod v3;
mod wire;
mod xml;

pub use error::Refusal;
pub use ops::recorded;
pub use ops::{
    Archive, LiveAudio, LiveStream, LiveVideo, OPERATIONS, Operation, Page, Rate, Run, Scope, VERSION,
};
pub use params::{NotA, Params};
pub use wire::{Call, Caller, Format, MAX_PARAMETERS};

use crate::http::Request;

/// How far a signature's time may be from ours, either way, in seconds (wire reference §3.3).
pub const CLOCK_WINDOW_S: i64 = 15 * 60;

/// `HostId` of an error: the sample of the seeds.
const HOST_ID: &str = "live.aliyuncs.com";

#[cfg(test)]
mod tests;
