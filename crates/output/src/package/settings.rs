//! What a template of live packaging asks for.

use media::{StreamId, Wall};

use crate::name::{Name, Values};
use crate::{Bucket, Object};

/// What the template asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How it is packaged.
    pub protocol: Protocol,
    /// SegmentNum: segments in the playlist, 3 to 10.
    pub segment_count: u32,
    /// SegmentDuration in seconds.
    pub segment_duration_s: u32,
    /// PartDuration in milliseconds, for the protocols that have parts.
    pub part_duration_ms: Option<u32>,
    /// Seconds after which a source that is gone stays gone.
    pub reconnect_window_s: u32,
    /// Where what players can fetch is stored, too; for protocols without parts.
    pub put: Option<Put>,
}

/// Where a live stream is stored for a CDN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The bucket.
    pub store: Bucket,
    /// Key of the multivariant playlist and of the MPD without their endings, and the folder of all else. Its last
    /// component is the stream's name, which they refer to.
    pub name: Name,
}

impl Put {
    /// Where `stream` goes.
    pub(super) fn object(&self, stream: &StreamId) -> Object {
        let values = Values { stream, unix: 0, sequence: 0, start: Wall(0), end: Wall(0), utc_offset: 0 };
        Object { bucket: self.store.clone(), key: self.name.expand(&values) }
    }
}

/// Seed `004_0006f455261b9fff.txt`, Protocol; the last one is ours: it has what the others have, but for TS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HLS over CMAF.
    HlsCmaf,
    /// Low-latency HLS over MPEG-TS.
    LlHlsTs,
    /// Low-latency HLS over CMAF.
    LlHlsCmaf,
    /// DASH over CMAF.
    DashCmaf,
    /// HLS and DASH over the same CMAF.
    HlsDashCmaf,
    /// Low-latency HLS and DASH over the same CMAF.
    LlHlsDashCmaf,
}

impl Protocol {
    /// Whether segments come in parts.
    pub(super) fn has_parts(self) -> bool {
        matches!(self, Self::LlHlsTs | Self::LlHlsCmaf | Self::LlHlsDashCmaf)
    }

    /// Whether there is an MPD.
    pub(super) fn has_dash(self) -> bool {
        matches!(self, Self::DashCmaf | Self::HlsDashCmaf | Self::LlHlsDashCmaf)
    }

    /// Whether there are playlists.
    pub(super) fn has_hls(self) -> bool {
        self != Self::DashCmaf
    }

    /// Whether they are those of a transport stream, which there is in parts only.
    pub(super) fn is_ts(self) -> bool {
        self == Self::LlHlsTs
    }
}
