//! RTMP: bytes in, bytes out, requests and media; no socket, no clock.
//!
//! [`Server`] is the server's side of one connection as a state machine. The shell reads into a buffer, calls
//! [`Server::input`], acts on the [`Event`]s and sends what [`Server::output`] gives. Deadlines are the shell's;
//! [`Server::stage`] tells which one applies.
//!
//! Everything a stranger can make this crate hold is bounded by [`Limits`]. The handshake is that of `rml_rtmp`,
//! which draws its random bytes itself; chunks, commands and state are our own, because `rml_rtmp`'s sessions
//! panic or abort on a few bytes from anybody.
#![deny(clippy::indexing_slicing)]

mod aggregate;
pub mod chunk;
pub mod command;
mod enhanced;
mod error;
mod event;
mod handshake;
mod limits;
mod request;
mod server;
#[cfg(test)]
mod tests;

pub use enhanced::Capabilities;
pub use error::Error;
pub use event::{Event, Kind, Message, Stage};
pub use limits::Limits;
pub use request::{Play, Publish, Request};
pub use server::Server;
