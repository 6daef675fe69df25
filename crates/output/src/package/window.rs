//! All lists of a stream, and the window that the origin serves of them.

use std::sync::Arc;

use bytes::Bytes;
use manifest::low_latency::{self, Report};
use media::{TrackId, Wall};

use super::list::{List, Rules};
use super::segment::Named;
use crate::{Delta, Object, Playlist, Resource, Window};

/// MIME type of playlists (packaging-rules H-03).
const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// The lists of a stream: each goes on until all of them end.
pub(super) struct Lists {
    /// What they have in common.
    pub rules: Rules,
    lists: Vec<List>,
}

/// What a window has beside the lists.
pub(super) struct Beside {
    /// The multivariant playlist; without one, the media playlists are not served either.
    pub multivariant: Option<Resource>,
    /// The MPD.
    pub mpd: Option<Resource>,
    /// First free media sequence number.
    pub next_sequence: u64,
    /// Whether segments can be asked for before they are complete.
    pub dash: bool,
    /// Whether nobody sends at the moment.
    pub source_gone: bool,
    /// When everything ended, if it has.
    pub ended: Option<Wall>,
    /// Where it is also stored.
    pub put: Option<Object>,
}

impl Lists {
    /// No lists yet.
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, lists: Vec::new() }
    }

    /// All lists, in the order in which they joined.
    pub(super) fn iter(&self) -> impl Iterator<Item = &List> {
        self.lists.iter()
    }

    /// All lists, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut List> {
        self.lists.iter_mut()
    }

    /// The list of a track.
    pub(super) fn get(&self, track: TrackId) -> Option<&List> {
        self.lists.iter().find(|list| list.track == track)
    }

    /// The list of a track; if there is none, what `new` makes.
    pub(super) fn get_or_insert(&mut self, track: TrackId, new: impl FnOnce(Rules) -> List) -> &mut List {
        match self.lists.iter().position(|list| list.track == track) {
            Some(at) => &mut self.lists[at],
            None => {
                self.lists.push(new(self.rules));
                let last = self.lists.len() - 1;
                &mut self.lists[last]
            }
        }
    }

    /// The window as it is now.
    pub(super) fn window(&self, beside: Beside) -> Window {
        let over = beside.ended.is_some();
        let afterlife = self.lists.iter().map(List::afterlife).max().unwrap_or(0);
        let mut window = Window {
            playlists: if beside.multivariant.is_some() { self.playlists(over) } else { Vec::new() },
            multivariant: beside.multivariant,
            mpd: beside.mpd,
            resources: self.resources(),
            target_duration_s: self.rules.target_s,
            source_gone: beside.source_gone,
            next_sequence: beside.next_sequence,
            ended: over,
            put: beside.put,
            forget_at: beside.ended.map(|at| at.plus_micros(afterlife)),
            ..Window::default()
        };
        if !over {
            window.hints.extend(self.lists.iter().filter_map(List::next_part).cloned());
            if beside.dash {
                window.open.extend(self.lists.iter().filter_map(List::growing));
                window.open.sort_by(|(a, _), (b, _)| a.cmp(b));
                window.hints.extend(self.lists.iter().flat_map(List::coming));
            }
        }
        window
    }

    fn resources(&self) -> Vec<Named> {
        let mut resources: Vec<Named> = Vec::with_capacity(256);
        self.lists.iter().for_each(|list| list.resources(&mut resources));
        resources.sort_by(|(a, _), (b, _)| a.cmp(b));
        resources.dedup_by(|(a, _), (b, _)| a == b);
        resources
    }

    fn playlists(&self, ended: bool) -> Vec<(Arc<str>, Playlist)> {
        let listed = || self.lists.iter().filter(|list| !list.is_empty());
        let reports: Vec<_> = listed()
            .filter_map(|list| list.low_latency(ended)?.report(&list.name).map(|report| (list.track, report)))
            .collect();
        let mut playlists: Vec<_> = listed()
            .map(|list| {
                let others = reports.iter().filter(|(track, _)| *track != list.track && !ended);
                let others = others.map(|(_, report)| *report).collect();
                (list.name.clone(), playlist_of(list, others, ended))
            })
            .collect();
        playlists.sort_by(|(a, _), (b, _)| a.cmp(b));
        playlists
    }
}

fn playlist_of<'a>(list: &'a List, reports: Vec<Report<'a>>, ended: bool) -> Playlist {
    let Some(draft) = list.low_latency(ended) else {
        return Playlist { full: playlist(list.plain(ended)), delta: None, edge: None };
    };
    let texts = low_latency::render(&low_latency::Playlist { reports, ..draft });
    Playlist {
        full: playlist(texts.full),
        delta: texts.delta.map(|delta| Delta { yes: playlist(delta.yes), v2: playlist(delta.v2) }),
        edge: if ended { None } else { list.edge() },
    }
}

/// A playlist to serve.
pub(super) fn playlist(text: String) -> Resource {
    Resource { content_type: PLAYLIST, body: Arc::from([Bytes::from(text)]), immutable: false }
}
