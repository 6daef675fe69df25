//! Serves live windows over HTTP (packaging-rules H-03, H-10, H-11).
//!
//! The owner of a stream publishes a [`Window`] whole; a request reads the newest one and answers from memory,
//! without a copy and without waiting for anybody. The map of streams is behind a lock that is held for one
//! look-up or one change. A window holds its bytes as long as it is published or being sent, so a slow player
//! keeps at most the segment it asked for; how long it may take is decided by the HTTP server's write timeout.

mod answer;
mod body;
mod growing;
mod headers;
mod meter;
mod published;
mod range;
pub mod reload;
mod served;
mod site;
mod viewers;
mod waiting;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use media::{StreamId, Wall};
use output::Window;
use served::Served;
pub use site::Site;

/// The streaming domain of a host name (without port); `None` for the host when the request has none. Answers
/// `None` when no domain serves that host.
pub type Domains = Arc<dyn Fn(Option<&str>) -> Option<String> + Send + Sync>;

/// The wall clock that players are told.
pub type Clock = Arc<dyn Fn() -> Wall + Send + Sync>;

type Streams = HashMap<StreamId, Served>;

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
        match (window, streams.get_mut(&stream)) {
            (None, _) => drop(streams.remove(&stream)),
            (Some(window), Some(served)) => served.replace(window),
            (Some(window), None) => drop(streams.insert(stream, Served::new(window))),
        }
    }

    /// What is served for `stream`.
    pub fn window(&self, stream: &StreamId) -> Option<Arc<Window>> {
        self.read().get(stream).map(|served| served.window())
    }

    /// What is served for `stream` now, and every window that follows.
    pub(crate) fn windows(&self, stream: &StreamId) -> Option<waiting::Windows> {
        self.read().get(stream).map(Served::windows)
    }

    /// The same, but what follows is only what those can be waiting for who ask for the playlist `name`. `None`
    /// where there is none of that name.
    pub(crate) fn windows_of(&self, stream: &StreamId, name: &str) -> Option<waiting::Windows> {
        self.read().get(stream)?.windows_of(name)
    }

    /// The first media sequence number that a later window of `stream` may use.
    pub fn next_sequence(&self, stream: &StreamId) -> Option<u64> {
        self.window(stream).map(|window| window.next_sequence)
    }

    /// Bytes of all windows, for admission (design §10).
    pub fn bytes(&self) -> u64 {
        self.read().values().map(Served::bytes).sum()
    }

    /// Players that asked for a media playlist of `stream` in the last 15 to 30 seconds. They are told apart by
    /// address and by what they call themselves.
    pub fn viewers(&self, stream: &StreamId) -> usize {
        self.viewers.count(stream)
    }

    /// Forgets every window whose time has come ([`Window::forget_at`]), and players that went away.
    pub fn sweep(&self, now: Wall) {
        self.viewers.sweep(now);
        self.write().retain(|_, served| served.window().forget_at.is_none_or(|at| at > now));
    }

    /// What answers requests for it.
    pub fn site(self: Arc<Self>, domains: Domains, clock: Clock) -> Site {
        Site::new(self, domains, clock)
    }

    fn read(&self) -> RwLockReadGuard<'_, Streams> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Streams> {
        self.streams.write().unwrap_or_else(PoisonError::into_inner)
    }
}
