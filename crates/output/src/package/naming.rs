//! What the resources of a window are called. The main tracks' names have no number of a track.

use media::{Kind, TrackId};

/// Name of a rendition's media playlist.
pub(super) fn playlist_name(track: TrackId) -> String {
    match (track.kind, track.index) {
        (Kind::Video, 0) => "video.m3u8".to_owned(),
        (Kind::Audio, 0) => "audio.m3u8".to_owned(),
        (Kind::Video, index) => format!("video{index}.m3u8"),
        (Kind::Audio, index) => format!("audio{index}.m3u8"),
    }
}

/// Name of the segment with media sequence number `sequence`.
pub(super) fn segment_name(track: TrackId, sequence: u64) -> String {
    format!("{}{sequence}.m4s", prefix(track))
}

/// Name of the initialization segment of a run whose first segment has the number `sequence`.
pub(super) fn init_name(track: TrackId, sequence: u64) -> String {
    format!("{}{sequence}_init.mp4", prefix(track))
}

fn prefix(track: TrackId) -> String {
    let letter = match track.kind {
        Kind::Video => 'v',
        Kind::Audio => 'a',
    };
    match track.index {
        0 => letter.to_string(),
        // The underscore keeps `v1_2` (segment 2 of track 1) and `v12` apart.
        index => format!("{letter}{index}_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_tracks_and_numbers_apart() {
        let further = TrackId { kind: Kind::Audio, index: 1 };
        assert_eq!(segment_name(TrackId::VIDEO, 12), "v12.m4s");
        assert_eq!(segment_name(further, 2), "a1_2.m4s");
        assert_eq!(init_name(TrackId::AUDIO, 7), "a7_init.mp4");
        assert_eq!(init_name(further, 7), "a1_7_init.mp4");
        assert_eq!(playlist_name(TrackId::VIDEO), "video.m3u8");
        assert_eq!(playlist_name(further), "audio1.m3u8");
    }
}
