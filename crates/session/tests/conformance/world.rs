//! What the outside would hold after a session's effects, with the rules that hold of every effect.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use output::{Effect, FileId, Finish, Keyframe, Object, Warning};
use session::SlotId;

use crate::player::{self, Player};

/// Stores, the origin and the ledger.
#[derive(Default)]
pub struct World {
    /// Pictures in the order they were taken.
    pub pictures: Vec<Keyframe>,
    /// Whoever watches.
    pub player: Player,
    files: BTreeMap<(SlotId, FileId), Vec<u8>>,
    objects: BTreeMap<String, Vec<u8>>,
    /// Keys of slices in the order that playlists name them.
    listed: Vec<String>,
    /// Keys of FLV files in the order they were sealed.
    flv: Vec<String>,
    /// Keys of MP4 files in the order they were sealed.
    mp4: Vec<String>,
    /// Keys of pictures.
    names: BTreeSet<String>,
    counters: BTreeMap<Arc<str>, u64>,
}

impl World {
    /// Lets effects happen.
    pub fn take(&mut self, effects: impl Iterator<Item = (Option<SlotId>, Effect)>) {
        for (slot, effect) in effects {
            match (slot, effect) {
                (_, Effect::Warn(warning)) => {
                    assert!(!matches!(warning, Warning::OutputFailed { .. }), "{warning}");
                }
                (Some(slot), effect) => self.effect(slot, effect),
                (None, effect) => panic!("of no output: {effect:?}"),
            }
        }
    }

    fn effect(&mut self, slot: SlotId, effect: Effect) {
        match effect {
            Effect::Grow { file, body } => {
                assert!(body.iter().any(|piece| !piece.is_empty()), "a file grew by nothing");
                let bytes = self.files.entry((slot, file)).or_default();
                body.iter().for_each(|piece| bytes.extend_from_slice(piece));
            }
            Effect::Seal { file, to, content_type, finish } => {
                let bytes = self.files.remove(&(slot, file)).expect("sealed a file that is not open");
                match content_type {
                    "video/mp2t" => assert_eq!(finish, Finish::AsIs),
                    "video/x-flv" => self.flv.push(to.key.clone()),
                    "video/mp4" | "audio/mp4" if finish == Finish::Progressive => {
                        self.mp4.push(to.key.clone())
                    }
                    "video/mp4" | "audio/mp4" => assert!(to.key.ends_with(".m4s")),
                    other => panic!("a file of {other}"),
                }
                self.store(to, finished(bytes, finish));
            }
            Effect::Put { to, content_type, body } => {
                let body = body.concat();
                match content_type {
                    player::PLAYLIST => self.playlist(&to.key, &body),
                    "application/dash+xml" => self.mpd(&to.key, &body),
                    "video/mp4" | "audio/mp4" => assert!(to.key.ends_with("_init.mp4")),
                    other => panic!("an object of {other}"),
                }
                self.store(to, body);
            }
            Effect::Picture { frame, to, .. } => {
                check_key(&to.key);
                let first = self.names.insert(to.key.clone());
                assert!(first || to.key == "live/demo.jpg", "{} again", to.key);
                self.pictures.push(frame);
            }
            Effect::Remember { counter, value } => {
                let last = self.counters.insert(counter, value);
                assert!(last < Some(value), "a counter went from {last:?} to {value}");
            }
            Effect::Window(window) => self.player.take(&window.expect("a window is not taken away")),
            // What a restart and the database get: `output`'s and `delivery`'s own tests look into it.
            Effect::Save(_) | Effect::Index(_) | Effect::Notify(_) => {}
            Effect::Replace { .. } | Effect::Ask(_) | Effect::Warn(_) => {
                panic!("no product does that yet: {effect:?}")
            }
        }
    }

    /// A recording's playlist: closed, and everything that it names is stored.
    fn playlist(&mut self, key: &str, text: &[u8]) {
        if m3u8_rs::is_master_playlist(text) {
            let list = m3u8_rs::parse_master_playlist_res(text).unwrap();
            list.variants.iter().for_each(|variant| drop(self.named(key, &variant.uri)));
            list.alternatives.iter().for_each(|other| drop(self.named(key, other.uri.as_ref().unwrap())));
            return;
        }
        let list = player::media_playlist(text);
        assert!(list.end_list && !list.segments.is_empty(), "{key}");
        for segment in list.segments {
            segment.map.iter().for_each(|map| drop(self.named(key, &map.uri)));
            if !segment.unknown_tags.iter().any(|tag| tag.tag == "X-GAP") {
                self.listed.push(self.named(key, &segment.uri));
            }
        }
    }

    /// A recording's MPD: everything that it names is stored, and the Periods follow each other.
    fn mpd(&self, key: &str, text: &[u8]) {
        let mpd = dash_mpd_core::parse(std::str::from_utf8(text).unwrap()).unwrap();
        assert_eq!(mpd.mpdtype.as_deref(), Some("static"));
        let mut end = Some(std::time::Duration::ZERO);
        for period in &mpd.periods {
            assert_eq!(period.start, end, "{key}");
            end = Some(period.start.unwrap() + period.duration.unwrap());
            for set in &period.adaptations {
                let list = set.representations[0].SegmentList.as_ref().unwrap();
                self.named(key, list.Initialization.as_ref().unwrap().sourceURL.as_ref().unwrap());
                let lines = &list.SegmentTimeline.as_ref().unwrap().segments;
                assert_eq!(lines.len(), list.segment_urls.len());
                list.segment_urls.iter().for_each(|url| drop(self.named(key, url.media.as_ref().unwrap())));
            }
        }
        assert_eq!(mpd.mediaPresentationDuration, end);
    }

    /// The key of what the object `key` names, which must be there.
    fn named(&self, key: &str, uri: &str) -> String {
        let named = format!("{}/{uri}", key.rsplit_once('/').map_or("", |(folder, _)| folder));
        assert!(self.objects.contains_key(&named), "{key} names {named}, which is not stored");
        named
    }

    fn store(&mut self, to: Object, body: Vec<u8>) {
        check_key(&to.key);
        assert_eq!(&*to.bucket.name, "live-bucket");
        assert!(!body.is_empty(), "{} is empty", to.key);
        assert!(self.objects.insert(to.key.clone(), body).is_none(), "{} was stored before", to.key);
    }

    /// Nothing is open, and who watches knows that it is over.
    #[track_caller]
    pub fn assert_complete(&self) {
        assert!(self.files.is_empty(), "files still open: {:?}", self.files.keys());
        assert!(self.player.is_over(), "players still wait");
        let slices = self.objects.keys().filter(|key| key.ends_with(".ts") || key.ends_with(".m4s"));
        let mut listed: Vec<&String> = self.listed.iter().collect();
        listed.sort();
        assert_eq!(listed, slices.collect::<Vec<_>>(), "every slice is in one playlist");
    }

    /// The slices of the m3u8 recording in the order that its playlists name them.
    pub fn recorded_slices(&self) -> impl Iterator<Item = &[u8]> {
        self.listed.iter().filter(|key| key.ends_with(".ts")).map(|key| &self.objects[key][..])
    }

    /// The slices of one of the CMAF recording's tracks in the order that its playlists name them.
    pub fn recorded_tracks(&self, audio: bool) -> impl Iterator<Item = &[u8]> {
        let end = if audio { "_a.m4s" } else { "_v.m4s" };
        self.listed.iter().filter(move |key| key.ends_with(end)).map(|key| &self.objects[key][..])
    }

    /// The files of the MP4 recording.
    pub fn recorded_mp4(&self) -> impl Iterator<Item = &[u8]> {
        self.mp4.iter().map(|key| &self.objects[key][..])
    }

    /// The files of the FLV recording.
    pub fn recorded_flv(&self) -> impl Iterator<Item = &[u8]> {
        self.flv.iter().map(|key| &self.objects[key][..])
    }
}

fn finished(file: Vec<u8>, finish: Finish) -> Vec<u8> {
    match finish {
        Finish::AsIs => file,
        Finish::Head { head, skip } => {
            let rest = Bytes::from(file).split_off(usize::try_from(skip).unwrap());
            [&head[..], &rest].concat()
        }
        Finish::Progressive => {
            let mut out = Vec::new();
            let done = container::mp4::progressive(&mut Cursor::new(file), &mut out).unwrap();
            assert_eq!(done.cut(), 0, "whole fragments");
            out
        }
    }
}

/// A key is a relative path that stays below where it starts, with every variable expanded.
fn check_key(key: &str) {
    assert!(key.split('/').all(|part| !matches!(part, "" | "." | "..")), "{key:?} is no safe path");
    assert!(!key.contains(|c: char| c.is_control() || "\\{}".contains(c)), "{key:?} is no safe path");
}
