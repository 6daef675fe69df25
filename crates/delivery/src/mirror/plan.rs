//! What to put and what to delete next: a function of the window and of what is stored.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use output::{Object, Resource, Window};
use tokio::time::Instant;

/// How long caches keep what never changes, as the origin says it: longer than any window lists it.
const IMMUTABLE: &str = "public, max-age=600, immutable";
/// Target durations for which an object stays after it left the window. The window has kept it for as long as players
/// may want it (packaging-rules H-10), but the lists in the bucket, and in caches before it, are older than the window.
const STAYS_FOR: u64 = 3;

/// What the bucket must have for a window, in the order in which it must be there.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    items: Vec<Item>,
    /// For how long what is not wanted any more stays.
    stays: Duration,
}

/// An object that the bucket must have.
#[derive(Debug)]
pub(super) struct Item {
    /// Where.
    pub to: Object,
    /// What.
    pub resource: Resource,
    /// `Cache-Control`.
    pub cache_control: String,
    rank: Rank,
}

/// Who names whom: what has a lower rank is stored before what has a higher one, and deleted after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Segments and init segments.
    Media,
    /// Media playlists, which name them.
    Playlist,
    /// The multivariant playlist, which names those, and the MPD.
    Entry,
}

/// What is known of the objects of a stream.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<Object, State>);

#[derive(Debug)]
struct State {
    rank: Rank,
    /// What the store has acknowledged.
    stored: Option<Version>,
    /// What it never will.
    refused: Option<Version>,
    /// Since when no window wants it.
    left: Option<Instant>,
}

/// Which bytes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Version {
    /// The only ones that there are.
    Fixed,
    /// This text.
    Text(Arc<[Bytes]>),
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// Store it.
    Put(&'a Item),
    /// Nothing names it any more.
    Delete(Object),
}

impl Wanted {
    /// What `window` needs; nothing if it is not to be put anywhere.
    pub fn of(window: &Window) -> Self {
        let Some(base) = &window.put else { return Self::default() };
        let target_s = window.target_duration_s;
        let at = |suffix: &str| Object { bucket: base.bucket.clone(), key: format!("{}{suffix}", base.key) };
        let item = |rank, suffix: &str, resource: &Resource, cache_control| Item {
            to: at(suffix),
            resource: resource.clone(),
            cache_control,
            rank,
        };
        let media = window
            .resources
            .iter()
            .map(|(name, resource)| item(Rank::Media, &format!("/{name}"), resource, IMMUTABLE.to_owned()));
        let playlists = window.playlists.iter().map(|(name, playlist)| {
            item(Rank::Playlist, &format!("/{name}"), &playlist.full, for_seconds(target_s / 2))
        });
        let multivariant = window.multivariant.iter();
        let multivariant = multivariant.map(|it| item(Rank::Entry, ".m3u8", it, for_seconds(target_s)));
        // An MPD says itself when to ask again.
        let mpd = window.mpd.iter().map(|it| item(Rank::Entry, ".mpd", it, for_seconds(0)));
        let stays = Duration::from_secs(target_s.saturating_mul(STAYS_FOR));
        Self { items: media.chain(playlists).chain(multivariant).chain(mpd).collect(), stays }
    }
}

/// `Cache-Control` of a text that changes after so long.
fn for_seconds(seconds: u64) -> String {
    match seconds {
        0 => "no-cache".to_owned(),
        seconds => format!("public, max-age={seconds}"),
    }
}

impl Item {
    fn version(&self) -> Version {
        match self.rank {
            Rank::Media => Version::Fixed,
            _ => Version::Text(self.resource.body.clone()),
        }
    }
}

impl Known {
    /// A window is taken up at `now`: notes what it does not want any more.
    pub fn follow(&mut self, wanted: &Wanted, now: Instant) {
        let keys: HashSet<&Object> = wanted.items.iter().map(|item| &item.to).collect();
        for (object, state) in &mut self.0 {
            state.left = if keys.contains(object) { None } else { state.left.or(Some(now)) };
        }
        self.0.retain(|_, state| state.stored.is_some() || state.left.is_none());
    }

    /// What comes next on the way to `wanted`: `None` if that is all for now.
    ///
    /// Media first, then what names it; while an object is refused, nothing of a higher rank is put, and nothing
    /// deleted that an older list may name.
    pub fn next<'a>(&self, wanted: &'a Wanted, now: Instant) -> Option<Step<'a>> {
        let mut refused: Option<Rank> = None;
        for item in &wanted.items {
            if refused.is_some_and(|rank| rank < item.rank) {
                return None;
            }
            let (state, version) = (self.0.get(&item.to), item.version());
            match state {
                Some(state) if state.stored.as_ref() == Some(&version) => {}
                Some(state) if state.refused.as_ref() == Some(&version) => refused = Some(item.rank),
                _ => return Some(Step::Put(item)),
            }
        }
        if refused.is_some() { None } else { self.stale(wanted.stays, now).map(Step::Delete) }
    }

    /// Something that left so long ago; what names others before what it names.
    fn stale(&self, stays: Duration, now: Instant) -> Option<Object> {
        let gone = |state: &State| state.left.is_some_and(|at| now.duration_since(at) >= stays);
        let stale = self.0.iter().filter(|(_, state)| gone(state));
        let first = stale.max_by(|(a, x), (b, y)| x.rank.cmp(&y.rank).then_with(|| b.key.cmp(&a.key)));
        first.map(|(object, _)| object.clone())
    }

    /// The store has it.
    pub fn stored(&mut self, item: &Item) {
        let state = self.state(item);
        (state.stored, state.refused) = (Some(item.version()), None);
    }

    /// The store will never take it.
    pub fn refused(&mut self, item: &Item) {
        self.state(item).refused = Some(item.version());
    }

    /// It is not there any more, or stays there for good.
    pub fn forget(&mut self, object: &Object) {
        self.0.remove(object);
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something of the window that is followed is refused.
    pub fn has_refused(&self) -> bool {
        self.0.values().any(|state| state.refused.is_some() && state.left.is_none())
    }

    fn state(&mut self, item: &Item) -> &mut State {
        let new = State { rank: item.rank, stored: None, refused: None, left: None };
        self.0.entry(item.to.clone()).or_insert(new)
    }
}
