use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use output::{Bucket, Object, Playlist, Resource};
use tempfile::TempDir;
use tokio::time::sleep;

use super::plan::{Known, Step, Wanted};
use super::*;
use crate::store::{Body, BoxFuture, ErrorKind, Fault, Headers, Mode, Store, StoreError};
use crate::tests::Diary;
use crate::{Delivery, Settings};

/// TARGETDURATION of all windows, in seconds.
const TARGET_S: u64 = 2;

fn resource(content_type: &'static str, text: String) -> Resource {
    Resource { content_type, body: Arc::from([Bytes::from(text)]), immutable: content_type == "video/mp4" }
}

fn playlist(lines: impl IntoIterator<Item = String>) -> Resource {
    resource("application/vnd.apple.mpegurl", lines.into_iter().collect::<Vec<_>>().join("\n"))
}

/// A window that lists segments `listed` and still serves those from `from` on.
fn window(from: u64, listed: RangeInclusive<u64>) -> Window {
    let names = || (from..=*listed.end()).map(|number| format!("v{number}.m4s"));
    let resources = names().chain(["v1_init.mp4".to_owned()]);
    let resources = resources.map(|name| (Arc::from(&*name), resource("video/mp4", name)));
    let mut resources: Vec<(Arc<str>, Resource)> = resources.collect();
    resources.sort_by(|(a, _), (b, _)| a.cmp(b));
    let list = listed.map(|number| format!("v{number}.m4s"));
    let full = playlist(["v1_init.mp4".to_owned()].into_iter().chain(list));
    Window {
        multivariant: Some(playlist(["s/video.m3u8".to_owned()])),
        playlists: vec![("video.m3u8".into(), Playlist { full, delta: None, edge: None })],
        resources,
        target_duration_s: TARGET_S,
        put: Some(object("live/s")),
        ..Window::default()
    }
}

fn object(key: &str) -> Object {
    Object { bucket: Bucket { storage: "shelf".into(), name: "b".into() }, key: key.to_owned() }
}

/// A store in memory that believes nothing: what it is given may name only what it has.
#[derive(Default)]
struct Shelf(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    objects: BTreeMap<String, String>,
    /// `+` and the key for each put, `-` for each delete, in order; `!` in front if it failed.
    log: Vec<String>,
    /// How tries for these keys end; all of them for the empty key.
    faults: BTreeMap<String, ErrorKind>,
    /// How long a try takes.
    takes: Duration,
}

impl Shelf {
    fn change<T>(&self, change: impl FnOnce(&mut Inside) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn keys(&self) -> BTreeSet<String> {
        self.change(|inside| inside.objects.keys().cloned().collect())
    }

    /// What was done since the last call.
    fn done(&self) -> Vec<String> {
        self.change(|inside| std::mem::take(&mut inside.log))
    }

    async fn fate(&self, sign: char, key: &str) -> Result<(), StoreError> {
        sleep(self.change(|inside| inside.takes)).await;
        self.change(|inside| {
            let kind = inside.faults.get(key).or_else(|| inside.faults.get("")).copied();
            let failed = if kind.is_some() { "!" } else { "" };
            inside.log.push(format!("{failed}{sign}{key}"));
            kind.map_or(Ok(()), |kind| Err(StoreError { kind, fault: Fault::NoBucket("on command".into()) }))
        })
    }
}

impl Inside {
    /// Every name in every list leads to an object.
    fn assert_whole(&self) {
        for (key, text) in self.objects.iter().filter(|(key, _)| key.ends_with(".m3u8")) {
            let folder = key.rsplit_once('/').unwrap().0;
            for name in text.lines() {
                let named = format!("{folder}/{name}");
                assert!(self.objects.contains_key(&named), "{key} names {named}: {:?}", self.log);
            }
        }
    }
}

impl Store for Shelf {
    fn put<'a>(
        &'a self,
        to: &'a Object,
        body: &'a Body,
        headers: Headers<'a>,
        _mode: Mode<'a>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            self.fate('+', &to.key).await?;
            let Body::Memory(pieces) = body else { panic!("windows are in memory") };
            assert!(headers.cache_control.is_some());
            let text = String::from_utf8(pieces.concat()).unwrap();
            let len = text.len() as u64;
            self.change(|inside| {
                inside.objects.insert(to.key.clone(), text);
                inside.assert_whole();
            });
            Ok(len)
        })
    }

    fn delete<'a>(&'a self, what: &'a Object) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.fate('-', &what.key).await?;
            self.change(|inside| {
                inside.objects.remove(&what.key);
                inside.assert_whole();
            });
            Ok(())
        })
    }
}

struct Story {
    _dir: TempDir,
    shelf: Arc<Shelf>,
    delivery: Delivery,
    stream: StreamId,
}

fn story() -> Story {
    let dir = TempDir::new().unwrap();
    let folder = |name| dir.path().join(name);
    let (spool, dead_letter) = (folder("spool"), folder("dead-letter"));
    let settings =
        Settings { spool, dead_letter, memory_bytes: 1 << 20, spool_bytes: None, spool_free_bytes: 100 };
    let shelf = Arc::new(Shelf::default());
    let stores = HashMap::from([("shelf".to_owned(), Arc::clone(&shelf) as Arc<dyn Store>)]);
    let (delivery, _) = Delivery::open(settings, stores, Arc::new(Diary::default())).unwrap();
    let stream = StreamId::parse("live.local", "live", "s").unwrap();
    Story { _dir: dir, shelf, delivery, stream }
}

impl Story {
    fn show(&self, window: Window) {
        self.delivery.mirror(&self.stream, Some(Arc::new(window)));
    }

    fn fault(&self, key: &str, kind: Option<ErrorKind>) {
        self.shelf.change(|inside| match kind {
            Some(kind) => drop(inside.faults.insert(key.to_owned(), kind)),
            None => drop(inside.faults.remove(key)),
        });
    }

    async fn settled(&self) {
        assert_eq!(self.delivery.drain(Duration::from_secs(600)).await.windows, 0);
    }

    /// Lets the mirror go on for so long.
    async fn later(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    /// Lets everything be deleted that may be.
    async fn swept(&self, window: Window) {
        self.later(3 * TARGET_S).await;
        self.show(window);
        self.settled().await;
        self.later(1).await;
    }

    fn lists(&self, key: &str) -> String {
        self.shelf.change(|inside| inside.objects.get(key).cloned().unwrap_or_default())
    }
}

/// The keys that a bucket has for a window: `live/s` and these.
fn keys(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| format!("live/s{name}")).collect()
}

#[test]
fn the_plan_is_media_then_lists_then_entries_then_what_left() {
    let (mut known, now) = (Known::default(), Instant::now());
    let mut steps = Vec::new();
    for (wanted, at) in [
        (Wanted::of(&window(1, 1..=1)), now),
        (Wanted::of(&window(2, 2..=2)), now),
        (Wanted::of(&window(2, 2..=2)), now + Duration::from_secs(5)),
        (Wanted::of(&window(2, 2..=2)), now + Duration::from_secs(6)),
    ] {
        known.follow(&wanted, at);
        while let Some(step) = known.next(&wanted, at) {
            match step {
                Step::Put(item) => {
                    steps.push(format!("+{}", item.to.key));
                    known.stored(item);
                }
                Step::Delete(object) => {
                    steps.push(format!("-{}", object.key));
                    known.forget(&object);
                }
            }
        }
        steps.push("done".to_owned());
    }
    let expected = [
        "+live/s/v1.m4s",
        "+live/s/v1_init.mp4",
        "+live/s/video.m3u8",
        "+live/s.m3u8",
        "done",
        "+live/s/v2.m4s",
        "+live/s/video.m3u8",
        "done",
        "done",
        "-live/s/v1.m4s",
        "done",
    ];
    assert_eq!(steps, expected);
}

#[test]
fn caches_are_told_what_the_origin_tells_them() {
    let wanted = Wanted::of(&Window {
        mpd: Some(resource("application/dash+xml", "<MPD/>".into())),
        ..window(1, 1..=1)
    });
    let (mut known, now) = (Known::default(), Instant::now());
    let mut told = Vec::new();
    while let Some(Step::Put(item)) = known.next(&wanted, now) {
        told.push((item.to.key.clone(), item.resource.content_type, item.cache_control.clone()));
        known.stored(item);
    }
    let told: Vec<_> = told.iter().map(|(key, kind, cache)| (&**key, *kind, &**cache)).collect();
    let fixed = "public, max-age=600, immutable";
    assert_eq!(
        told,
        [
            ("live/s/v1.m4s", "video/mp4", fixed),
            ("live/s/v1_init.mp4", "video/mp4", fixed),
            ("live/s/video.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1"),
            ("live/s.m3u8", "application/vnd.apple.mpegurl", "public, max-age=2"),
            ("live/s.mpd", "application/dash+xml", "no-cache"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_bucket_follows_the_window_and_old_objects_leave() {
    let story = story();
    for last in 1..=20_u64 {
        story.show(window(last.saturating_sub(5).max(1), last.saturating_sub(2).max(1)..=last));
        story.settled().await;
        story.later(TARGET_S).await;
    }
    assert!(story.lists("live/s/video.m3u8").ends_with("v18.m4s\nv19.m4s\nv20.m4s"));
    let stored = story.shelf.keys();
    assert!(stored.contains("live/s/v15.m4s") && !stored.contains("live/s/v10.m4s"), "{stored:?}");
    let multivariants = story.shelf.done().iter().filter(|step| *step == "+live/s.m3u8").count();
    assert_eq!(multivariants, 1, "it never changed");
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_window_leaves_nothing_and_goes_from_the_top_down() {
    let story = story();
    story.show(Window { forget_at: Some(Wall(7)), ended: true, ..window(1, 1..=3) });
    story.settled().await;
    story.shelf.done();
    story.delivery.sweep(Wall(6));
    story.later(1).await;
    assert_eq!(story.shelf.done(), Vec::<String>::new());
    story.delivery.sweep(Wall(7));
    story.later(1).await;
    assert_eq!(story.shelf.keys(), BTreeSet::new());
    let expected = ["-live/s.m3u8", "-live/s/video.m3u8", "-live/s/v1.m4s"];
    assert_eq!(story.shelf.done()[..3], expected);
    assert!(story.delivery.mirrors.lock().is_empty(), "its task has ended");
    story.show(window(4, 4..=4));
    story.settled().await;
    assert_eq!(story.shelf.keys(), keys(&[".m3u8", "/v1_init.mp4", "/v4.m4s", "/video.m3u8"]));
}

#[tokio::test(start_paused = true)]
async fn a_window_that_names_no_bucket_is_stored_nowhere() {
    let story = story();
    story.show(Window { put: None, ..window(1, 1..=1) });
    assert!(story.delivery.mirrors.lock().is_empty());
    story.show(window(1, 1..=1));
    story.settled().await;
    story.show(Window { put: None, ..window(2, 2..=2) });
    story.later(1).await;
    assert_eq!(story.shelf.keys(), BTreeSet::new());
    assert!(story.delivery.mirrors.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_away_gets_what_is_live_and_nothing_older() {
    let story = story();
    story.fault("", Some(ErrorKind::Temporary));
    for last in 1..=50 {
        story.show(window(last, last..=last));
        story.later(TARGET_S).await;
    }
    let tries = story.shelf.done().len();
    assert!((4..=12).contains(&tries), "{tries} tries in 100 s");
    assert_eq!(story.delivery.drain(Duration::ZERO).await.windows, 1);
    story.fault("", None);
    story.settled().await;
    assert_eq!(story.shelf.keys(), keys(&[".m3u8", "/v1_init.mp4", "/v50.m4s", "/video.m3u8"]));
    assert_eq!(story.shelf.done().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_too_slow_still_gets_whole_windows() {
    let story = story();
    // Three seconds for what comes every two.
    story.shelf.change(|inside| inside.takes = Duration::from_millis(1500));
    let mut seen = BTreeSet::new();
    for last in 3..=60 {
        story.show(window(last - 2, last - 2..=last));
        story.later(TARGET_S).await;
        seen.insert(story.lists("live/s/video.m3u8"));
    }
    assert!(seen.len() > 10, "the list in the bucket changed {} times", seen.len());
}

#[tokio::test(start_paused = true)]
async fn no_list_is_put_while_an_object_in_it_cannot_be_stored() {
    let story = story();
    story.show(window(1, 1..=1));
    story.settled().await;
    story.fault("live/s/v2.m4s", Some(ErrorKind::Permanent));
    for last in 2..=3 {
        story.show(window(1, 1..=last));
        story.settled().await;
        assert!(story.lists("live/s/video.m3u8").ends_with("v1.m4s"));
    }
    let tries = story.shelf.done().iter().filter(|step| step.contains("v2.m4s")).count();
    assert_eq!(tries, 1, "nobody tries again what is refused for good");
    story.show(window(3, 3..=3));
    story.settled().await;
    assert!(story.lists("live/s/video.m3u8").ends_with("v3.m4s"));
    story.swept(window(4, 4..=4)).await;
    assert_eq!(story.shelf.keys(), keys(&[".m3u8", "/v1_init.mp4", "/v3.m4s", "/v4.m4s", "/video.m3u8"]));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_deleted_now_holds_up_nothing_and_is_deleted_later() {
    let story = story();
    story.show(window(1, 1..=1));
    story.settled().await;
    story.fault("live/s/v1.m4s", Some(ErrorKind::Temporary));
    story.show(window(2, 2..=2));
    story.settled().await;
    for last in 3..=12 {
        story.later(TARGET_S).await;
        story.show(window(last, last..=last));
        story.later(1).await;
        assert!(story.lists("live/s/video.m3u8").ends_with(&format!("v{last}.m4s")));
    }
    assert!(story.shelf.keys().contains("live/s/v1.m4s"));
    story.fault("live/s/v1.m4s", None);
    story.later(60).await;
    assert!(!story.shelf.keys().contains("live/s/v1.m4s"));
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_the_last_window_and_not_longer_than_it_may() {
    let story = story();
    story.shelf.change(|inside| inside.takes = Duration::from_secs(2));
    story.show(window(1, 1..=1));
    let begun = Instant::now();
    assert_eq!(story.delivery.drain(Duration::from_secs(3)).await.windows, 1);
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
    assert_eq!(story.delivery.drain(Duration::from_secs(60)).await.windows, 0);
    assert_eq!(begun.elapsed(), Duration::from_secs(8));
}
