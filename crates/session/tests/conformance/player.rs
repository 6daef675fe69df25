//! Someone who reads every playlist of every window and holds it to RFC 8216 and `packaging-rules.md`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use m3u8_rs::{MediaPlaylist, MediaSegment, parse_master_playlist_res, parse_media_playlist_res};
use output::Window;

use crate::{low_latency, mpd};

/// MIME type of playlists.
pub const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// What was seen so far.
#[derive(Default)]
pub struct Player {
    /// How many windows there were.
    pub windows: usize,
    /// What each immutable name stands for.
    bytes: BTreeMap<Arc<str>, Bytes>,
    /// The same, as the newest window had it.
    bodies: BTreeMap<Arc<str>, Arc<[Bytes]>>,
    lists: BTreeMap<Arc<str>, Reload>,
    parts: BTreeMap<Arc<str>, low_latency::Follower>,
    mpd: mpd::Follower,
    next_sequence: u64,
    over: bool,
}

/// A media playlist over its reloads.
#[derive(Default)]
struct Reload {
    media_sequence: u64,
    discontinuity_sequence: u64,
    /// Until the list ends.
    target_duration: Option<u64>,
    /// What each media sequence number is: URI and discontinuity sequence number.
    segments: BTreeMap<u64, (String, u64)>,
    /// What the last playlist named, unless it ended.
    last: Vec<String>,
}

impl Player {
    /// A new window is there.
    pub fn take(&mut self, window: &Window) {
        self.windows += 1;
        assert!(window.resources.is_sorted_by(|(a, _), (b, _)| a < b), "names are unique and sorted");
        assert!(window.next_sequence >= self.next_sequence);
        self.next_sequence = window.next_sequence;
        for (name, resource) in &window.resources {
            if self.bodies.get(name).is_some_and(|body| Arc::ptr_eq(body, &resource.body)) {
                continue;
            }
            self.bodies.insert(name.clone(), resource.body.clone());
            let bytes = Bytes::from(resource.body.concat());
            assert!(!bytes.is_empty());
            let before = self.bytes.entry(name.clone()).or_insert_with(|| bytes.clone());
            assert!(*before == bytes, "{name} has other bytes than before");
        }
        if window.multivariant.is_some() || window.mpd.is_none() {
            check_multivariant(window);
        }
        self.mpd.read(window);
        for (name, playlist) in &window.playlists {
            assert_eq!(playlist.full.content_type, PLAYLIST, "{name}");
            let list = media_playlist(&playlist.full.body.concat());
            self.lists.entry(name.clone()).or_default().read(name, &list, window);
            self.parts.entry(name.clone()).or_default().read(name, playlist, window);
        }
        self.over = window.ended;
        assert_eq!(window.forget_at.is_some(), window.ended);
    }

    /// Every segment that the playlist `name` ever named, in order.
    pub fn segments(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let segments = self.lists[name].segments.values();
        segments.filter_map(|(uri, _)| self.bytes.get(&**uri)).map(|bytes| &bytes[..])
    }

    /// Whether there is nothing to play, or everybody was told that it ended.
    pub fn is_over(&self) -> bool {
        self.windows == 0 || self.over
    }
}

impl Reload {
    fn read(&mut self, name: &str, list: &MediaPlaylist, window: &Window) {
        assert_eq!(list.end_list, window.ended, "{name}");
        assert!(list.media_sequence >= self.media_sequence, "{name}: MEDIA-SEQUENCE fell");
        self.media_sequence = list.media_sequence;
        assert!(list.discontinuity_sequence >= self.discontinuity_sequence, "{name}: DISCONTINUITY-SEQUENCE");
        self.discontinuity_sequence = list.discontinuity_sequence;
        let target = *self.target_duration.get_or_insert(list.target_duration);
        assert_eq!(list.target_duration, target, "{name}: TARGETDURATION changed");
        for uri in &self.last {
            assert!(window.get(uri).is_some(), "{name}: {uri} is gone though the last playlist named it");
        }
        self.last.clear();
        let mut discontinuity = list.discontinuity_sequence;
        for (number, segment) in (list.media_sequence..).zip(&list.segments) {
            discontinuity += u64::from(segment.discontinuity);
            let place = (segment.uri.clone(), discontinuity);
            let before = self.segments.entry(number).or_insert_with(|| place.clone());
            assert_eq!(*before, place, "{name}: number {number} was another segment");
            assert!(number < window.next_sequence);
            self.check_present(segment, window);
        }
        if list.end_list {
            self.target_duration = None;
            self.last.clear();
        }
    }

    fn check_present(&mut self, segment: &MediaSegment, window: &Window) {
        let gap = segment.unknown_tags.iter().any(|tag| tag.tag == "X-GAP");
        let resource = window.get(&segment.uri);
        assert_eq!(resource.is_none(), gap, "{}", segment.uri);
        assert!(resource.is_none_or(|resource| resource.immutable), "{}", segment.uri);
        if let Some(map) = &segment.map {
            assert!(window.get(&map.uri).is_some_and(|init| init.immutable), "{}", map.uri);
        }
        if !gap {
            self.last.push(segment.uri.clone());
        }
    }
}

/// A media playlist whose segments keep within its target duration and go forward in time.
pub fn media_playlist(text: &[u8]) -> MediaPlaylist {
    let list = parse_media_playlist_res(text).expect("a media playlist");
    for segment in &list.segments {
        let rounded = f64::from(segment.duration).round();
        assert!(rounded <= list.target_duration as f64, "{} lasts {rounded}", segment.uri);
    }
    let dates: Vec<_> = list.segments.iter().filter_map(|segment| segment.program_date_time).collect();
    assert!(dates.is_sorted() && dates.len() == list.segments.len(), "PROGRAM-DATE-TIME: {dates:?}");
    list
}

/// Everything that the multivariant playlist names is there.
fn check_multivariant(window: &Window) {
    let text = window.multivariant.as_ref().expect("a multivariant playlist").body.concat();
    let multivariant = parse_master_playlist_res(&text).expect("a multivariant playlist");
    let variants = multivariant.variants.iter().map(|variant| &variant.uri);
    let renditions = multivariant.alternatives.iter().filter_map(|rendition| rendition.uri.as_ref());
    assert_eq!(multivariant.variants.len(), 1);
    for uri in variants.chain(renditions) {
        let name = uri.strip_prefix("demo/").expect("relative to the stream");
        assert!(window.playlist(name).is_some(), "{uri} is not there");
    }
}
