use manifest::vod::{VodPlaylist, VodSegment};
use media::Wall;

/// EXT-X-VERSION of playlists of TS (packaging-rules R-04).
const VERSION: u16 = 3;

/// What one playlist will say. Times are microseconds on the session's timeline.
pub(super) struct File {
    pub sequence: u64,
    /// When its first frame is shown.
    pub start: i64,
    pub start_wall: Wall,
    pub end_wall: Wall,
    /// Whether every slice begins with a key frame.
    pub independent: bool,
    pub done: Vec<Done>,
}

/// A slice that is sealed.
pub(super) struct Done {
    pub key: String,
    pub duration: i64,
    pub wall: Wall,
    pub discontinuity: bool,
}

impl File {
    /// The playlist that will be stored as `key`.
    pub fn playlist(&self, key: &str) -> VodPlaylist {
        let segment = |done: &Done| VodSegment {
            uri: manifest::uri::relative(key, &done.key),
            duration_us: done.duration,
            discontinuity: done.discontinuity,
            program_date_time: Some(done.wall),
            map: None,
        };
        let segments = self.done.iter().map(segment).collect();
        VodPlaylist { version: VERSION, independent: self.independent, segments }
    }
}
