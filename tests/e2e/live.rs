//! A player that keeps everything: follows every playlist of a live stream to its end.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::machine::{PATIENCE, Server, get, pause, wait_for};

/// Follows in a thread of its own.
pub struct Follower(JoinHandle<Followed>);

/// What was published.
pub struct Followed {
    /// The multivariant playlist when it was first there.
    pub multivariant: String,
    /// A file for each rendition with its init segments and segments in order: variants, then further audio.
    pub renditions: Vec<PathBuf>,
}

impl Follower {
    /// Follows the multivariant playlist at `path` from its first appearance on, and keeps what it lists in `folder`.
    pub fn start(server: &Server, path: &str, folder: &Path) -> Self {
        let (address, path, folder) = (server.http, path.to_owned(), folder.to_owned());
        Self(thread::spawn(move || follow(address, &path, &folder)))
    }

    /// Waits until every playlist has ended.
    pub fn finish(self) -> Followed {
        self.0.join().unwrap()
    }
}

fn follow(address: SocketAddr, path: &str, folder: &Path) -> Followed {
    let multivariant = wait_for("a multivariant playlist", || text(address, path));
    let mut renditions: Vec<Rendition> =
        uris(&multivariant).into_iter().map(|uri| Rendition::new(&beside(path, &uri))).collect();
    let begun = Instant::now();
    while renditions.iter().any(|rendition| !rendition.ended) {
        assert!(begun.elapsed() < PATIENCE, "the playlists do not end");
        renditions.iter_mut().filter(|rendition| !rendition.ended).for_each(|r| r.reload(address));
        pause();
    }
    let save = |(at, rendition): (usize, &Rendition)| {
        let file = folder.join(format!("live{at}.mp4"));
        std::fs::write(&file, &rendition.bytes).unwrap();
        file
    };
    Followed { multivariant, renditions: renditions.iter().enumerate().map(save).collect() }
}

/// Media playlists that a multivariant playlist names: those of variants first, each once.
fn uris(multivariant: &str) -> Vec<String> {
    let variants = multivariant.lines().filter(|line| !line.starts_with('#')).map(str::to_owned);
    let media = multivariant.lines().filter(|line| line.starts_with("#EXT-X-MEDIA:"));
    let named = media.filter_map(|line| quoted(line, "URI=\""));
    let mut all = Vec::new();
    for uri in variants.chain(named) {
        if !all.contains(&uri) {
            all.push(uri);
        }
    }
    all
}

fn quoted(line: &str, key: &str) -> Option<String> {
    let (_, rest) = line.split_once(key)?;
    Some(rest.split('"').next()?.to_owned())
}

struct Rendition {
    path: String,
    seen: BTreeSet<String>,
    bytes: Vec<u8>,
    ended: bool,
}

impl Rendition {
    fn new(path: &str) -> Self {
        Self { path: path.to_owned(), seen: BTreeSet::new(), bytes: Vec::new(), ended: false }
    }

    fn reload(&mut self, address: SocketAddr) {
        let list = text(address, &self.path).expect("a playlist that was named");
        for line in list.lines() {
            let uri = match line.strip_prefix("#EXT-X-MAP:") {
                Some(map) => quoted(map, "URI=\"").unwrap(),
                None if line.starts_with('#') => continue,
                None => line.to_owned(),
            };
            if self.seen.insert(uri.clone()) {
                let (status, body) = get(address, &beside(&self.path, &uri), "");
                assert_eq!(status, 200, "{uri} of {list}");
                self.bytes.extend(body);
            }
        }
        self.ended = list.contains("#EXT-X-ENDLIST");
    }
}

fn text(address: SocketAddr, path: &str) -> Option<String> {
    let (status, body) = get(address, path, "");
    (status == 200).then(|| String::from_utf8(body).unwrap())
}

/// A reference relative to the resource at `path`.
fn beside(path: &str, uri: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{uri}")
}
