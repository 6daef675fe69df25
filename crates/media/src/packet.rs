use bytes::Bytes;

use crate::{Ticks, TrackId, Wall};

/// One access unit on the session's timeline.
///
/// Within a run (see [`crate::Run`]) a track's packets join without a gap: `dts + duration` is the next packet's
/// `dts`. So durations add up exactly in every container. The exception is a track that fell silent for over a
/// second while another went on: its next packet begins after a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Whose access unit.
    pub track: TrackId,
    /// Decode time, in ticks of the track's timescale; never falls over the whole session.
    pub dts: Ticks,
    /// Presentation minus decode time, in ticks of the track's timescale; may be negative.
    pub cts: i32,
    /// Time to the next access unit of the track, in ticks of its timescale; at least 1.
    pub duration: u32,
    /// Whether decoding can start here (`codec::is_key`). True for every audio packet.
    pub key: bool,
    /// Of a packet at which decoding can start though not all that is shown from there on is right: after how many
    /// pictures it is (`codec::recovery`). 0 where an open GOP begins: what is shown before this one may be missing. Such
    /// a picture of H.265 is a key frame, one of H.264 is not.
    pub recovery: Option<u16>,
    /// When its last byte arrived.
    pub received: Wall,
    /// Payload, as [`crate::Codec`] says for each codec.
    pub data: Bytes,
}

impl Packet {
    /// Presentation time, in ticks of the track's timescale.
    pub fn pts(&self) -> Ticks {
        Ticks(self.dts.0.saturating_add(i64::from(self.cts)))
    }

    /// Whether a decoder can be sent to start here: at a key frame or a recovery point.
    pub fn is_entry(&self) -> bool {
        self.key || self.recovery.is_some()
    }

    /// Where the next packet of the track begins, in ticks of its timescale.
    pub fn end(&self) -> Ticks {
        Ticks(self.dts.0.saturating_add(i64::from(self.duration)))
    }
}
