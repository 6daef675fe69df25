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

/// Name of the segment with media sequence number `sequence`, of files that end in `suffix`.
pub(super) fn segment_name(track: TrackId, sequence: u64, suffix: &str) -> String {
    format!("{}{sequence}.{suffix}", prefix(track))
}

/// Name of the segment whose first sample is at `time`, in ticks of the track, in the run whose first segment has the
/// number `run`. The same time comes again in another session, the same run does not.
pub(super) fn timed_name(track: TrackId, run: u64, time: &str, suffix: &str) -> String {
    format!("{}{run}t{time}.{suffix}", prefix(track))
}

/// Name of part `number` of a list that began with media sequence number `first`. It runs on over segments and
/// discontinuities, so that the next one's name is known whatever comes (packaging-rules L-12); no other list of
/// the stream ever has the same `first`.
pub(super) fn part_name(track: TrackId, first: u64, number: u64, suffix: &str) -> String {
    format!("{}{first}p{number}.{suffix}", prefix(track))
}

/// Name of the initialization segment of a run whose first segment has the number `sequence`.
pub(super) fn init_name(track: TrackId, sequence: u64) -> String {
    format!("{}{sequence}_init.mp4", prefix(track))
}

/// What the names of all segments of `track` begin with.
pub(super) fn prefix(track: TrackId) -> String {
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
        assert_eq!(segment_name(TrackId::VIDEO, 12, "m4s"), "v12.m4s");
        assert_eq!(segment_name(further, 2, "m4s"), "a1_2.m4s");
        assert_eq!(part_name(TrackId::VIDEO, 12, 3, "ts"), "v12p3.ts");
        assert_eq!(timed_name(further, 12, "900", "m4s"), "a1_12t900.m4s");
        assert_eq!(init_name(TrackId::AUDIO, 7), "a7_init.mp4");
        assert_eq!(init_name(further, 7), "a1_7_init.mp4");
        assert_eq!(playlist_name(TrackId::VIDEO), "video.m3u8");
        assert_eq!(playlist_name(further), "audio1.m3u8");
    }
}
