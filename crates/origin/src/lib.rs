//! Serves live windows over HTTP (packaging-rules H-03, H-10, H-11).
//!
//! The owner of a stream publishes a [`Window`] whole; a request reads the newest one and answers from memory,
//! without a copy and without waiting for anybody. The map of streams is behind a lock that is held for one
//! look-up or one change. A window holds its bytes as long as it is published or being sent, so a slow player
//! keeps at most the segment it asked for; how long it may take is decided by the HTTP server's write timeout.

mod answer;
mod body;
mod growing;
mod published;
mod range;
pub mod reload;
mod routes;
mod viewers;
mod waiting;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use media::{StreamId, Wall};
use output::Window;
use published::Published;
use tokio::sync::watch;

/// The streaming domain of a host name (without port); `None` for the host when the request has none. Answers
/// `None` when no domain serves that host.
pub type Domains = Arc<dyn Fn(Option<&str>) -> Option<String> + Send + Sync>;

/// The wall clock that players are told.
pub type Clock = Arc<dyn Fn() -> Wall + Send + Sync>;

type Streams = HashMap<StreamId, Served>;

/// What is served for a stream.
struct Served {
    newest: watch::Sender<Arc<Published>>,
    /// Its payload.
    bytes: u64,
}

/// Payload of what a window serves.
fn size(window: &Window) -> u64 {
    let texts = window.multivariant.iter().chain(&window.mpd);
    let playlists = window.playlists.iter().map(|(_, playlist)| &playlist.full);
    let media = window.resources.iter().chain(&window.open).map(|(_, resource)| resource);
    let all = texts.chain(playlists).chain(media);
    all.flat_map(|resource| resource.body.iter()).map(|piece| piece.len() as u64).sum()
}

/// The newest window of every stream.
#[derive(Default)]
pub struct Origin {
    streams: RwLock<Streams>,
    viewers: viewers::Viewers,
}

impl Origin {
    /// Serves `window` for `stream` from this moment; `None`: nothing any more.
    pub fn publish(&self, stream: StreamId, window: Option<Arc<Window>>) {
        let mut streams = self.write();
        match window {
            None => drop(streams.remove(&stream)),
            Some(window) => {
                let bytes = size(&window);
                let window = Arc::new(Published::new(window));
                match streams.get_mut(&stream) {
                    Some(served) => {
                        served.bytes = bytes;
                        served.newest.send_replace(window);
                    }
                    None => drop(streams.insert(stream, Served { newest: watch::channel(window).0, bytes })),
                }
            }
        }
    }

    /// What is served for `stream`.
    pub fn window(&self, stream: &StreamId) -> Option<Arc<Window>> {
        self.read().get(stream).map(|served| served.newest.borrow().window.clone())
    }

    /// What is served for `stream` now, and what follows.
    pub(crate) fn windows(&self, stream: &StreamId) -> Option<waiting::Windows> {
        self.read().get(stream).map(|served| served.newest.subscribe())
    }

    /// The first media sequence number that a later window of `stream` may use.
    pub fn next_sequence(&self, stream: &StreamId) -> Option<u64> {
        self.window(stream).map(|window| window.next_sequence)
    }

    /// Bytes of all windows, for admission (design §10).
    pub fn bytes(&self) -> u64 {
        self.read().values().map(|served| served.bytes).sum()
    }

    /// Players that asked for a media playlist of `stream` in the last 15 to 30 seconds. They are told apart by
    /// address, as `ConnectInfo<SocketAddr>` in the request's extensions says, and by what they call themselves.
    pub fn viewers(&self, stream: &StreamId) -> usize {
        self.viewers.count(stream)
    }

    /// Forgets every window whose time has come ([`Window::forget_at`]), and players that went away.
    pub fn sweep(&self, now: Wall) {
        self.viewers.sweep(now);
        self.write().retain(|_, served| served.newest.borrow().window.forget_at.is_none_or(|at| at > now));
    }

    /// The routes `/{app}/{stream}.m3u8`, `/{app}/{stream}.mpd`, `/{app}/{stream}/{name}` and `/time` for GET, HEAD
    /// and OPTIONS, with CORS for everybody and gzip for texts. Everything else is 404 and `no-store`.
    pub fn router(self: Arc<Self>, domains: Domains, clock: Clock) -> axum::Router {
        routes::router(self, domains, clock)
    }

    fn read(&self) -> RwLockReadGuard<'_, Streams> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Streams> {
        self.streams.write().unwrap_or_else(PoisonError::into_inner)
    }
}
