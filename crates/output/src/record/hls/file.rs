use manifest::vod::{VodPlaylist, VodSegment};
use media::Wall;
use serde::{Deserialize, Serialize};

/// EXT-X-VERSION of playlists of TS (packaging-rules R-04).
const VERSION: u16 = 3;

/// A slice that is sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub key: String,
    /// In microseconds.
    pub duration: i64,
    pub wall: Wall,
    pub discontinuity: bool,
    /// Whether it begins with a key frame.
    pub independent: bool,
}

/// The playlist of `done` that will be stored as `key`.
pub(super) fn playlist(done: &[Done], key: &str) -> VodPlaylist {
    let segment = |done: &Done| VodSegment {
        uri: manifest::uri::relative(key, &done.key),
        duration_us: done.duration,
        discontinuity: done.discontinuity,
        program_date_time: Some(done.wall),
        map: None,
        gap: false,
    };
    let segments = done.iter().map(segment).collect();
    VodPlaylist {
        version: VERSION,
        independent: done.iter().all(|done| done.independent),
        longest_us: 0,
        segments,
    }
}
