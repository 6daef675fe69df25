//! The current run, and what playlists say of its segments.

use std::sync::Arc;

use container::mp4;
use media::{Ticks, Timescale, Track, TrackId, Wall};

use super::live::Live;
use super::naming::{init_name, segment_name};
use super::rendition::{Piece, Rendition};
use super::window::{Listed, Named};
use crate::{Error, Resource};

/// The current run and what its segments have in common.
pub(super) struct Running {
    /// What is not listed yet.
    pub live: Live,
    /// The next segment begins with a DISCONTINUITY.
    pub discontinuity: bool,
    wall_shift: Option<i64>,
}

/// What all renditions of one media sequence number share.
pub(super) struct Listing {
    /// Media sequence number.
    pub sequence: u64,
    /// Where the leading track's first frame begins, in microseconds on the session's timeline.
    pub first: i64,
    /// Microseconds of the leading track.
    pub duration: i64,
    /// Wall time at which what is listed already ends.
    pub wall_end: Wall,
}

/// The initialization segment of `track` for segments from number `sequence` on.
pub(super) fn init(track: &Track, sequence: u64) -> Result<Named, Error> {
    let content_type = if track.is_video() { "video/mp4" } else { "audio/mp4" };
    let body = Arc::from([mp4::init(track)?]);
    Ok((init_name(track.id, sequence).into(), Resource { content_type, body, immutable: true }))
}

impl Running {
    /// For `live`, which goes on in a list or begins one.
    pub(super) fn new(live: Live, goes_on: bool) -> Self {
        Self { live, discontinuity: goes_on, wall_shift: None }
    }

    /// Lists a rendition's piece; one that the run does not have is a gap, so that its list goes on. Also says
    /// when the piece ends.
    pub(super) fn list(&mut self, track: TrackId, piece: Option<Piece>, listing: &Listing) -> (Listed, Wall) {
        let init = self.live.rendition(track).map(|r| Rendition::init(r).clone());
        let name: Arc<str> = segment_name(track, listing.sequence).into();
        let (first, duration) =
            piece.as_ref().map_or((listing.first, listing.duration), |p| (p.first, p.duration));
        let first = self.wall(first, listing.wall_end);
        let body = piece.and_then(|p| p.body);
        let line = manifest::media::Segment::new(manifest::media::Entry {
            discontinuity: self.discontinuity,
            map: init.as_ref().map(|(name, _)| name.clone()),
            program_date_time: first,
            gap: body.is_none(),
            duration_us: duration,
            uri: &name,
        });
        let content_type = init.as_ref().map_or("video/mp4", |(_, init)| init.content_type);
        let media = body.map(|body| (name, Resource { content_type, body, immutable: true }));
        (Listed { track, line, media, init }, first.plus_micros(duration))
    }

    /// Wall time of a moment of the run. A clock that was set back must not let it run backwards, so then the
    /// whole run is dated later (packaging-rules H-15).
    fn wall(&mut self, at: i64, earliest: Wall) -> Wall {
        let wall = self.live.run.wall_at(Ticks(at), Timescale::MICROS);
        let shift = *self.wall_shift.get_or_insert(earliest.micros_since(wall).max(0));
        wall.plus_micros(shift)
    }
}
