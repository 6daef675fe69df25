//! The words every crate uses: names, time, tracks, packets.
//!
//! Values only: nothing here reads a clock, a file or a socket.

mod codec;
mod name;
mod packet;
mod picture;
mod session;
mod time;
mod track;

pub use codec::{Aac, Ac3, Av1, Codec, Flac, H264, H265, Mp3, Opus, Vp9};
pub use name::{NameError, NameFault, NamePart, StreamId};
pub use packet::Packet;
pub use picture::{Colour, ContentLight, MasteringDisplay, Picture, Ratio};
pub use session::{Gap, Run, SessionId};
pub use time::{Ticks, Timescale, Wall};
pub use track::{Kind, Track, TrackId};
