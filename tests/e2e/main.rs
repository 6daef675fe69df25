//! The real binary, real encoders, real players: what goes in comes out, once, in order.
//!
//! Each test starts its own server on free ports with its own folder, so they run side by side.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod account;
mod captures;
mod codecs;
mod command_line;
mod dash;
mod declared;
mod encoder;
mod enhanced;
mod hostile;
mod http;
mod keys;
// It measures with what Linux says of sockets and threads.
#[cfg(target_os = "linux")]
mod latency;
mod live;
mod low_latency;
mod machine;
mod picture;
mod publishing;
mod put;
mod recording;
mod rpc;
mod s3;
mod sdk;
mod streams;
mod tls;
