//! What a session says of itself, for `/api/streams`.

use media::{Kind, Packet, SessionId, StreamId, Track, Wall};

/// A session at one moment.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its id.
    pub session: SessionId,
    /// Whose it is.
    pub stream: StreamId,
    /// When it began.
    pub opened: Wall,
    /// Whether a publisher is connected.
    pub live: bool,
    /// When the last media arrived.
    pub last_media: Option<Wall>,
    /// Its tracks.
    pub tracks: Vec<TrackReport>,
    /// Its outputs.
    pub outputs: Vec<OutputReport>,
    /// Runs so far.
    pub runs: u32,
}

/// A track and what came of it.
#[derive(Clone, Debug)]
pub struct TrackReport {
    /// Codec and configuration.
    pub track: Track,
    /// Access units since the session began.
    pub frames: u64,
    /// Payload bytes since the session began.
    pub bytes: u64,
    /// Media time of those units in microseconds.
    pub micros: i64,
    /// Length of the last whole GOP in frames; 0 until one was seen.
    pub gop_frames: u32,
}

/// An output and its state.
#[derive(Clone, Debug)]
pub struct OutputReport {
    /// Its product, as in [`output::Spec::name`].
    pub product: &'static str,
    /// Which of the session's outputs, as in its effects.
    pub index: u32,
    /// Why it ended early.
    pub error: Option<String>,
    /// RFC 6381 strings of the tracks that it goes on without.
    pub left_out: Vec<String>,
}

/// Counts the packets of one kind.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) micros: i64,
    pub(crate) gop_frames: u32,
    since_key: u32,
}

impl Count {
    pub(crate) fn add(&mut self, packet: &Packet, track: &Track) {
        self.frames += 1;
        self.bytes += packet.data.len() as u64;
        self.micros += track.timescale.micros(media::Ticks(i64::from(packet.duration)));
        if packet.track.kind == Kind::Video {
            if packet.key {
                self.gop_frames = self.since_key;
                self.since_key = 0;
            }
            self.since_key = self.since_key.saturating_add(1);
        }
    }
}
