use crate::Resource;

/// A media playlist at one moment, and how players wait for the next (RFC 8216bis §6.2.5).
#[derive(Clone, Debug)]
pub struct Playlist {
    /// The whole playlist.
    pub full: Resource,
    /// What `_HLS_skip` is answered with; `None` when nothing is old enough to be skipped.
    pub delta: Option<Delta>,
    /// How far it has got; `None` when nobody can wait for more: it has ended, or never offered it.
    pub edge: Option<Edge>,
}

/// Delta updates of one playlist (RFC 8216bis §6.2.5.1).
#[derive(Clone, Debug)]
pub struct Delta {
    /// Answer to `_HLS_skip=YES`.
    pub yes: Resource,
    /// Answer to `_HLS_skip=v2`.
    pub v2: Resource,
}

/// What a playlist that can be waited for lists last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Media sequence number of the newest complete segment; one less than the first number as long as there is none.
    pub segment: u64,
    /// Parts of that segment.
    pub segment_parts: u64,
    /// Parts listed of the segment after it.
    pub parts: u64,
    /// How many parts ahead of the newest one may be asked for: the Advance Part Limit (RFC 8216bis §6.2.5.2).
    pub advance_parts: u64,
}
