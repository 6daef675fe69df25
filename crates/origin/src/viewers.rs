//! How many players follow a stream: those that asked for one of its playlists lately.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
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
    /// Counts whoever sent a request with `headers` from `peer` as a viewer of `stream`.
    pub(crate) fn note(&self, stream: &StreamId, peer: IpAddr, headers: &HeaderMap) {
        let player = player(peer, headers);
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

fn player(peer: IpAddr, headers: &HeaderMap) -> u64 {
    let mut hasher = DefaultHasher::new();
    peer.hash(&mut hasher);
    for mark in MARKS {
        headers.get(mark).map(|value| value.as_bytes()).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn note(viewers: &Viewers, stream: &StreamId, agent: &'static str, peer: u8) {
        let headers = [(http::header::USER_AGENT, HeaderValue::from_static(agent))].into_iter().collect();
        viewers.note(stream, IpAddr::from([192, 0, 2, peer]), &headers);
    }

    #[test]
    fn a_player_counts_once_for_half_a_minute_at_most() {
        let viewers = Viewers::default();
        let stream = StreamId::parse("live.local", "live", "s").unwrap();
        let other = StreamId::parse("live.local", "live", "t").unwrap();
        viewers.sweep(Wall(0));
        for (agent, peer) in [("a", 1), ("a", 1), ("b", 1), ("a", 2)] {
            note(&viewers, &stream, agent, peer);
        }
        assert_eq!((viewers.count(&stream), viewers.count(&other)), (3, 0));
        viewers.sweep(Wall(GENERATION));
        note(&viewers, &stream, "a", 1);
        note(&viewers, &other, "a", 1);
        assert_eq!((viewers.count(&stream), viewers.count(&other)), (3, 1));
        viewers.sweep(Wall(2 * GENERATION));
        assert_eq!(viewers.count(&stream), 1);
        viewers.sweep(Wall(3 * GENERATION));
        assert_eq!(viewers.count(&stream), 0);
    }
}
