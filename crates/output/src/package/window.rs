//! The list of segments and the window that the origin serves of it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use manifest::media::{MediaPlaylist, Segment};
use media::{TrackId, Wall};

use super::naming::playlist_name;

use crate::{Playlist, Resource, Window};

/// MIME type of playlists (packaging-rules H-03).
pub(super) const PLAYLIST: &str = "application/vnd.apple.mpegurl";
/// CMAF needs EXT-X-MAP, and that version 6 (packaging-rules H-02).
pub(super) const VERSION: u16 = 6;

/// A named resource.
pub(super) type Named = (Arc<str>, Resource);

/// One media sequence number.
pub(super) struct Entry {
    /// Media sequence number.
    pub sequence: u64,
    /// Discontinuity sequence number.
    pub discontinuities: u64,
    /// Microseconds of the leading track.
    pub duration: i64,
    /// Its segments, one for each rendition that the list has had so far.
    pub segments: Vec<Listed>,
}

/// One segment of one rendition.
pub(super) struct Listed {
    /// Which rendition.
    pub track: TrackId,
    /// Its lines in the playlist.
    pub line: Segment,
    /// The segment; `None` for a gap.
    pub media: Option<Named>,
    /// Its initialization segment.
    pub init: Option<Named>,
}

/// A sliding list of segments with a fixed target duration.
pub(super) struct List {
    count: usize,
    target_s: u64,
    tracks: Vec<TrackId>,
    entries: VecDeque<Entry>,
    left: VecDeque<(Entry, i64)>,
    published: i64,
    longest_list: i64,
    longest_segment: i64,
}

impl List {
    /// An empty list that keeps at least `count` segments.
    pub(super) fn new(count: u32, target_s: u64) -> Self {
        Self {
            count: usize::try_from(count.max(1)).unwrap_or(usize::MAX),
            target_s,
            tracks: Vec::new(),
            entries: VecDeque::new(),
            left: VecDeque::new(),
            published: 0,
            longest_list: 0,
            longest_segment: 0,
        }
    }

    /// Renditions of which a playlist was ever published: each goes on until the list ends.
    pub(super) fn tracks(&self) -> &[TrackId] {
        &self.tracks
    }

    /// Appends an entry and drops what leaves at the front.
    pub(super) fn push(&mut self, entry: Entry) {
        for listed in &entry.segments {
            if !self.tracks.contains(&listed.track) {
                self.tracks.push(listed.track);
            }
        }
        self.published += entry.duration;
        self.longest_segment = self.longest_segment.max(entry.duration);
        self.entries.push_back(entry);
        self.longest_list = self.longest_list.max(self.duration());
        self.slide();
    }

    /// Until when after `ended` the list and its segments must be there, as an ended list is (packaging-rules
    /// H-10, H-20).
    pub(super) fn forget_at(&self, ended: Wall) -> Wall {
        ended.plus_micros(self.longest_list.saturating_add(self.longest_segment))
    }

    /// The window as it is now.
    pub(super) fn window(&self, multivariant: Resource, next_sequence: u64, ended: Option<Wall>) -> Window {
        let mut playlists: Vec<(Arc<str>, Playlist)> =
            self.tracks.iter().map(|&track| self.playlist(track, ended.is_some())).collect();
        playlists.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut resources: Vec<Named> = Vec::new();
        let entries = self.left.iter().map(|(entry, _)| entry).chain(&self.entries);
        for listed in entries.flat_map(|entry| &entry.segments) {
            resources.extend(listed.media.clone());
            resources.extend(listed.init.clone());
        }
        resources.sort_by(|(a, _), (b, _)| a.cmp(b));
        resources.dedup_by(|(a, _), (b, _)| a == b);
        Window {
            multivariant: Some(multivariant),
            playlists,
            resources,
            target_duration_s: self.target_s,
            next_sequence,
            ended: ended.is_some(),
            forget_at: ended.map(|at| self.forget_at(at)),
            ..Window::default()
        }
    }

    /// Removes the oldest while SegmentNum segments and 3 target durations remain (packaging-rules H-09). What
    /// leaves stays fetchable for its duration and the longest list's (packaging-rules H-10), counted in media
    /// time: so a source that sends faster than real time cannot fill the memory.
    fn slide(&mut self) {
        let least = i64::try_from(self.target_s.saturating_mul(3_000_000)).unwrap_or(i64::MAX);
        while self.entries.len() > self.count
            && self.entries.front().is_some_and(|oldest| self.duration() - oldest.duration >= least)
        {
            let Some(oldest) = self.entries.pop_front() else { break };
            let until = self.published + oldest.duration + self.longest_list;
            self.left.push_back((oldest, until));
        }
        while self.left.front().is_some_and(|&(_, until)| until <= self.published) {
            self.left.pop_front();
        }
    }

    fn duration(&self) -> i64 {
        self.entries.iter().map(|entry| entry.duration).sum()
    }

    fn playlist(&self, track: TrackId, ended: bool) -> (Arc<str>, Playlist) {
        let of = |entry: &'_ Entry| entry.segments.iter().position(|s| s.track == track);
        let listed: Vec<(&Entry, &Listed)> = self
            .entries
            .iter()
            .filter_map(|e| of(e).and_then(|i| e.segments.get(i)).map(|s| (e, s)))
            .collect();
        // A DISCONTINUITY that is still listed is counted by the reader (packaging-rules H-14).
        let first = listed.first().map(|(entry, segment)| {
            (entry.sequence, entry.discontinuities.saturating_sub(u64::from(segment.line.discontinuity())))
        });
        let (media_sequence, discontinuity_sequence) = first.unwrap_or_default();
        let text = manifest::media::render(&MediaPlaylist {
            version: VERSION,
            target_duration_s: self.target_s,
            media_sequence,
            discontinuity_sequence,
            segments: listed.into_iter().map(|(_, segment)| &segment.line).collect(),
            ended,
        });
        (playlist_name(track).into(), Playlist { full: playlist(text), delta: None, edge: None })
    }
}

/// A playlist to serve.
pub(super) fn playlist(text: String) -> Resource {
    Resource { content_type: PLAYLIST, body: Arc::from([Bytes::from(text)]), immutable: false }
}
