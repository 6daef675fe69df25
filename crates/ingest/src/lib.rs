//! RTMP sockets. A [`Listener`] yields connections that passed admission; a connection becomes a [`Request`];
//! whoever called looks at it and accepts or refuses.
//!
//! Nothing here knows what a stream is for: no sessions, no catalog, no names beyond what was sent.

mod admission;
mod connection;
mod link;
mod listener;
mod pace;
mod publisher;

pub use admission::{Admission, Limits};
pub use connection::{Error, PlayRequest, PublishRequest, Request};
pub use listener::{Incoming, Listener};
pub use pace::Pace;
pub use publisher::{Publisher, Received};
