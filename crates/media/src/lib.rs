//! The words every crate uses: names, time, tracks, packets.
//!
//! Values only: nothing here reads a clock, a file or a socket.

mod name;
mod packet;
mod session;
mod time;
mod track;

pub use name::{NameError, NameFault, NamePart, StreamId};
pub use packet::Packet;
pub use session::{Gap, Run, SessionId};
pub use time::{Ticks, Timescale, Wall};
pub use track::{Aac, Codec, Colour, H264, Kind, Picture, Ratio, Track, TrackId};
