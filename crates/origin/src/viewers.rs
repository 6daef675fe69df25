//! How many players follow a stream: those that asked for one of its playlists lately.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ConnectInfo;
use axum::extract::Request;
use media::{StreamId, Wall};

/// Age at which a generation of players makes room for the next, in microseconds. A player that is not seen for
/// one to two of them is gone; the slowest playlists are asked for every 20 s.
const GENERATION: i64 = 15_000_000;
/// Players of a generation; further ones are not counted.
const MOST: usize = 1_000_000;

/// Request headers that tell players behind one address apart.
const MARKS: [&str; 3] = ["x-playback-session-id", "x-forwarded-for", "user-agent"];

/// Players of the present and of the last generation.
#[derive(Default)]
pub(crate) struct Viewers(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    present: HashMap<StreamId, HashSet<u64>>,
    last: HashMap<StreamId, HashSet<u64>>,
    /// Players in `present`, over all streams.
    counted: usize,
    since: Option<Wall>,
}

impl Viewers {
    /// Counts whoever sent `request` as a viewer of `stream`.
    pub(crate) fn note(&self, stream: &StreamId, request: &Request) {
        let player = player(request);
        let mut generations = self.lock();
        if generations.counted >= MOST {
            return;
        }
        if generations.present.entry(stream.clone()).or_default().insert(player) {
            generations.counted += 1;
        }
    }

    /// Viewers of `stream`.
    pub(crate) fn count(&self, stream: &StreamId) -> usize {
        let generations = self.lock();
        match (generations.present.get(stream), generations.last.get(stream)) {
            (Some(present), Some(last)) => present.union(last).count(),
            (Some(only), None) | (None, Some(only)) => only.len(),
            (None, None) => 0,
        }
    }

    /// Lets go of players that were not seen for a while.
    pub(crate) fn sweep(&self, now: Wall) {
        let mut generations = self.lock();
        let since = *generations.since.get_or_insert(now);
        // A clock that was set back starts a generation early rather than never.
        if (0..GENERATION).contains(&now.micros_since(since)) {
            return;
        }
        let last = std::mem::take(&mut generations.present);
        *generations = Generations { last, since: Some(now), ..Generations::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn player(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    let from: Option<IpAddr> =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    from.hash(&mut hasher);
    for mark in MARKS {
        request.headers().get(mark).map(|value| value.as_bytes()).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(agent: &str, peer: [u8; 4]) -> Request {
        let mut request = Request::get("/").header("user-agent", agent).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 9))));
        request
    }

    #[test]
    fn a_player_counts_once_for_half_a_minute_at_most() {
        let viewers = Viewers::default();
        let stream = StreamId::parse("live.local", "live", "s").unwrap();
        let other = StreamId::parse("live.local", "live", "t").unwrap();
        viewers.sweep(Wall(0));
        for (agent, peer) in [("a", 1), ("a", 1), ("b", 1), ("a", 2)] {
            viewers.note(&stream, &request(agent, [192, 0, 2, peer]));
        }
        assert_eq!((viewers.count(&stream), viewers.count(&other)), (3, 0));
        viewers.sweep(Wall(GENERATION));
        viewers.note(&stream, &request("a", [192, 0, 2, 1]));
        viewers.note(&other, &request("a", [192, 0, 2, 1]));
        assert_eq!((viewers.count(&stream), viewers.count(&other)), (3, 1));
        viewers.sweep(Wall(2 * GENERATION));
        assert_eq!(viewers.count(&stream), 1);
        viewers.sweep(Wall(3 * GENERATION));
        assert_eq!(viewers.count(&stream), 0);
    }
}
