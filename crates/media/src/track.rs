use crate::{Codec, Picture, Timescale};

/// A track of a session; 0 is the main track of its kind (Enhanced RTMP v2, multitrack).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId {
    /// Video or audio.
    pub kind: Kind,
    /// 0 for the main track.
    pub index: u8,
}

impl TrackId {
    /// The main video track.
    pub const VIDEO: TrackId = TrackId { kind: Kind::Video, index: 0 };
    /// The main audio track.
    pub const AUDIO: TrackId = TrackId { kind: Kind::Audio, index: 0 };
}

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// One elementary stream and how to decode it. Two tracks are equal when a decoder opened for one goes on
/// with the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Which of the session's tracks.
    pub id: TrackId,
    /// Ticks per second of every timestamp of this track's packets.
    pub timescale: Timescale,
    /// How to decode it.
    pub codec: Codec,
}

impl Track {
    /// Whether this track carries pictures.
    pub fn is_video(&self) -> bool {
        self.id.kind == Kind::Video
    }

    /// The picture format; `None` for sound.
    pub fn picture(&self) -> Option<&Picture> {
        self.codec.picture()
    }
}
