//! A segment while it grows, and when it is complete.

use std::sync::Arc;

use bytes::Bytes;
use manifest::low_latency::OpenSegment;
use manifest::media::Segment;

use crate::Resource;

/// A named resource.
pub(super) type Named = (Arc<str>, Resource);

/// How the segments of a rendition look in one run.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// The initialization segment, where there is one.
    pub init: Option<Named>,
    /// MIME type of its segments and parts.
    pub content_type: &'static str,
    /// What their names end in.
    pub suffix: &'static str,
    /// Segments are named by time, in the run whose first segment has this number, rather than by number.
    pub timed: Option<u64>,
}

impl Form {
    /// `body` as a part or segment.
    pub(super) fn resource(&self, body: Vec<Bytes>) -> Resource {
        Resource { content_type: self.content_type, body: body.into(), immutable: true }
    }
}

/// The segment that grows.
pub(super) struct Open {
    /// Its name.
    pub name: Arc<str>,
    /// How it looks.
    pub form: Form,
    /// Its lines so far.
    pub text: OpenSegment,
    /// Where it begins, in microseconds on the session's timeline.
    pub from: i64,
    /// Microseconds so far.
    pub duration: i64,
    /// Frames so far.
    pub frames: usize,
    /// Whether it begins with a key frame.
    pub key: bool,
    /// Where its first frame begins and its last one ends, in ticks of the track.
    pub ticks: Option<(i64, i64)>,
    /// Its bytes so far.
    pub body: Vec<Bytes>,
    /// Its parts that have media.
    pub parts: Vec<Named>,
}

/// A complete segment.
pub(super) struct Entry {
    /// Media sequence number.
    pub sequence: u64,
    /// Discontinuity sequence number.
    pub discontinuities: u64,
    /// Microseconds so far.
    pub duration: i64,
    /// End on the list's own time, in microseconds.
    pub end: i64,
    /// Its lines.
    pub line: Segment,
    /// `None` for a gap.
    pub media: Option<Named>,
    /// Its initialization segment.
    pub init: Option<Named>,
    /// Its parts that have media.
    pub parts: Vec<Named>,
}

/// What a segment turned out to be.
pub(super) struct Closed {
    /// Media sequence number.
    pub sequence: u64,
    /// Where it begins, in microseconds on the session's timeline.
    pub from: i64,
    /// EXTINF in microseconds.
    pub duration: i64,
    /// Frames in it.
    pub frames: usize,
    /// Bytes of it.
    pub bytes: u64,
    /// Whether it begins with a key frame.
    pub key: bool,
    /// Where its first frame begins and its last one ends, in ticks of the track; `None` for a gap.
    pub ticks: Option<(i64, i64)>,
}
