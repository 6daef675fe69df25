//! What is served for one stream, and who is told when it changes.

use std::sync::Arc;

use output::{Playlist, Window};
use tokio::sync::watch;

use crate::published::Published;
use crate::waiting::Windows;

type Newest = watch::Sender<Arc<Published>>;

/// The newest window of a stream.
///
/// Who waits for a playlist is woken when that playlist grows, not with each window: with sound and picture in
/// lists of their own, half of all windows bring nothing to any one of them, and thousands may wait.
pub(crate) struct Served {
    newest: Newest,
    playlists: Vec<(Arc<str>, Newest)>,
    bytes: u64,
}

impl Served {
    pub(crate) fn new(window: Arc<Window>) -> Self {
        let bytes = size(&window);
        let published = Arc::new(Published::new(window));
        let mut served = Self { newest: watch::channel(published.clone()).0, playlists: Vec::new(), bytes };
        served.tell_players(&published);
        served
    }

    /// Serves `window` from now on.
    pub(crate) fn replace(&mut self, window: Arc<Window>) {
        self.bytes = size(&window);
        let published = Arc::new(Published::new(window));
        self.tell_players(&published);
        self.newest.send_replace(published);
    }

    fn tell_players(&mut self, published: &Arc<Published>) {
        // Whoever waits for a list that is gone learns it from the sender's end.
        self.playlists.retain(|(name, _)| published.window.playlist(name).is_some());
        for (name, _) in &published.window.playlists {
            match self.playlists.iter().find(|(known, _)| known == name) {
                Some((_, newest)) => drop(newest.send_if_modified(|last| {
                    let news = is_news(&last.window, &published.window, name);
                    *last = published.clone();
                    news
                })),
                None => self.playlists.push((name.clone(), watch::channel(published.clone()).0)),
            }
        }
    }

    pub(crate) fn window(&self) -> Arc<Window> {
        self.newest.borrow().window.clone()
    }

    /// Each window.
    pub(crate) fn windows(&self) -> Windows {
        self.newest.subscribe()
    }

    /// Windows in which the playlist `name` is another one.
    pub(crate) fn windows_of(&self, name: &str) -> Option<Windows> {
        self.playlists.iter().find(|(known, _)| **known == *name).map(|(_, newest)| newest.subscribe())
    }

    /// Payload of the window.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Whether `new` can end the wait of anybody who waits for the playlist `name` since `last`.
fn is_news(last: &Window, new: &Window, name: &str) -> bool {
    let edge = |window: &Window| window.playlist(name).and_then(|playlist: &Playlist| playlist.edge);
    let state = |window: &Window| (edge(window), window.source_gone, window.ended);
    state(last) != state(new)
}

/// Payload of what a window serves.
fn size(window: &Window) -> u64 {
    let texts = window.multivariant.iter().chain(&window.mpd);
    let playlists = window.playlists.iter().map(|(_, playlist)| &playlist.full);
    let media = window.resources.iter().chain(&window.open).map(|(_, resource)| resource);
    let all = texts.chain(playlists).chain(media);
    all.flat_map(|resource| resource.body.iter()).map(|piece| piece.len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use output::{Edge, Resource};

    use super::*;

    fn window(parts: u64, source_gone: bool) -> Arc<Window> {
        let full = Resource { content_type: "", body: Arc::from([Bytes::new()]), immutable: false };
        let edge = Edge { segment: 7, segment_parts: 4, parts, advance_parts: 3 };
        let list = Playlist { full, delta: None, edge: Some(edge) };
        Arc::new(Window { playlists: vec![("video.m3u8".into(), list)], source_gone, ..Window::default() })
    }

    #[test]
    fn who_waits_for_a_list_is_woken_when_that_list_grows() {
        let mut served = Served::new(window(1, false));
        let (all, list) = (served.windows(), served.windows_of("video.m3u8").unwrap());
        let other = window(1, false);
        served.replace(other.clone());
        assert!(all.has_changed().unwrap());
        assert!(!list.has_changed().unwrap(), "another list grew");
        assert!(Arc::ptr_eq(&list.borrow().window, &other), "but who asks now gets the newest");
        served.replace(window(2, false));
        assert!(list.has_changed().unwrap());
    }

    #[test]
    fn who_waits_for_a_list_is_woken_when_nothing_will_come() {
        let mut served = Served::new(window(1, false));
        let list = served.windows_of("video.m3u8").unwrap();
        served.replace(window(1, true));
        assert!(list.has_changed().unwrap(), "the source is gone");
        served.replace(Arc::default());
        assert!(list.has_changed().is_err(), "so is the list");
        assert!(served.windows_of("video.m3u8").is_none());
    }
}
