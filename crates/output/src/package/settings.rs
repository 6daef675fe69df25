//! What a template of live packaging asks for.

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
