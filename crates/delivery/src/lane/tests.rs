use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use media::{SessionId, StreamId, Wall};
use output::Bucket;
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::store::{Body, BoxFuture, ErrorKind, Fault, Headers, Mode, Store, StoreError};
use crate::tests::{Diary, read};
use crate::{Delivery, Left, Settings};

/// A store in memory that fails on command.
#[derive(Default)]
struct Shelf {
    /// Every try: key and when.
    tries: Mutex<Vec<(String, Instant)>>,
    objects: Mutex<Vec<(String, Vec<u8>)>>,
    /// What the next tries for a key answer, before they succeed.
    failures: Mutex<HashMap<String, Vec<ErrorKind>>>,
    /// Nothing succeeds.
    away: Mutex<bool>,
}

impl Shelf {
    fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().iter().map(|(key, _)| key.clone()).collect()
    }

    fn object(&self, key: &str) -> Vec<u8> {
        let objects = self.objects.lock().unwrap();
        objects.iter().find(|(k, _)| k == key).unwrap_or_else(|| panic!("no {key}")).1.clone()
    }

    fn fail(&self, key: &str, kinds: &[ErrorKind]) {
        self.failures.lock().unwrap().insert(key.to_owned(), kinds.to_vec());
    }

    fn answer(&self, to: &Object, body: &Body) -> Result<u64, StoreError> {
        self.tries.lock().unwrap().push((to.key.clone(), Instant::now()));
        let scripted = self.failures.lock().unwrap().get_mut(&to.key).and_then(Vec::pop);
        let kind = scripted.or(self.away.lock().unwrap().then_some(ErrorKind::Temporary));
        if let Some(kind) = kind {
            return Err(StoreError { kind, fault: Fault::NoBucket("on command".into()) });
        }
        let bytes = read(body);
        let len = bytes.len() as u64;
        self.objects.lock().unwrap().push((to.key.clone(), bytes));
        Ok(len)
    }
}

impl Store for Shelf {
    fn put<'a>(
        &'a self,
        to: &'a Object,
        body: &'a Body,
        _headers: Headers<'a>,
        _mode: Mode<'a>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async { self.answer(to, body) })
    }

    fn delete<'a>(&'a self, _: &'a Object) -> BoxFuture<'a, Result<(), StoreError>> {
        panic!("a lane deletes nothing")
    }
}

struct Story {
    dir: TempDir,
    shelf: Arc<Shelf>,
    delivery: Delivery,
}

const SESSION: SessionId = SessionId(7);

fn settings(dir: &TempDir, memory_bytes: usize) -> Settings {
    let folder = |name| dir.path().join(name);
    let (spool, dead_letter) = (folder("spool"), folder("dead-letter"));
    Settings { spool, dead_letter, memory_bytes, spool_bytes: None, spool_free_bytes: 0 }
}

fn story(memory: usize) -> Story {
    let dir = TempDir::new().unwrap();
    let shelf = Arc::new(Shelf::default());
    let stores = HashMap::from([("shelf".to_owned(), Arc::clone(&shelf) as Arc<dyn Store>)]);
    let (delivery, _) = Delivery::open(settings(&dir, memory), stores, Arc::new(Diary::default())).unwrap();
    Story { dir, shelf, delivery }
}

impl Story {
    fn lane(&self) -> Lane {
        let stream = StreamId::parse("live.local", "live", "cam").unwrap();
        self.delivery.lane(&stream, SESSION, "record/flv", 0, Wall(0))
    }

    async fn drained(&self) {
        assert_eq!(self.delivery.drain(Duration::from_secs(3_600)).await, Left::default());
    }

    fn spool(&self) -> PathBuf {
        self.dir.path().join("spool").join(SESSION.to_string())
    }

    fn spooled(&self) -> usize {
        let journal = |name: &std::ffi::OsString| name.to_str().unwrap().ends_with(".journal");
        let entries = fs::read_dir(self.spool()).into_iter().flatten();
        entries.filter(|entry| !journal(&entry.as_ref().unwrap().file_name())).count()
    }
}

impl Lane {
    /// Each effect by itself.
    fn take(&self, effect: LaneEffect) {
        self.accept(vec![effect]);
    }
}

fn object(storage: &str, key: &str) -> Object {
    Object { bucket: Bucket { storage: storage.into(), name: "b".into() }, key: key.to_owned() }
}

fn put(key: &str) -> LaneEffect {
    let body = vec![Bytes::copy_from_slice(key.as_bytes())];
    LaneEffect::Put { to: object("shelf", key), content_type: "text/plain", body }
}

fn replace(key: &str, text: &'static str) -> LaneEffect {
    let body = Bytes::from_static(text.as_bytes());
    LaneEffect::Replace { to: object("shelf", key), content_type: "text/plain", body }
}

fn grow(file: u64, text: &'static str) -> LaneEffect {
    LaneEffect::Grow { file: FileId(file), body: vec![Bytes::from_static(text.as_bytes())] }
}

fn seal(file: u64, key: &str) -> LaneEffect {
    let to = object("shelf", key);
    LaneEffect::Seal { file: FileId(file), to, content_type: "video/mp2t", finish: Finish::AsIs }
}

fn seal_head(file: u64, key: &str, head: &'static str, skip: u64) -> LaneEffect {
    let finish = Finish::Head { head: Bytes::from_static(head.as_bytes()), skip };
    LaneEffect::Seal { file: FileId(file), to: object("shelf", key), content_type: "video/x-flv", finish }
}

#[tokio::test(start_paused = true)]
async fn a_sealed_file_is_all_its_batches() {
    let story = story(1_000);
    let lane = story.lane();
    for effect in
        [grow(0, "one "), grow(1, "uno "), grow(0, "two"), seal(0, "a"), grow(1, "due"), seal(1, "b")]
    {
        lane.take(effect);
    }
    story.drained().await;
    assert_eq!(story.shelf.keys(), ["a", "b"]);
    assert_eq!(story.shelf.object("a"), b"one two");
    assert_eq!(story.shelf.object("b"), b"uno due");
    assert_eq!(story.spooled(), 0, "the spool is free again");
}

#[tokio::test(start_paused = true)]
async fn a_new_head_takes_the_place_of_the_old_one() {
    let story = story(1_000);
    let lane = story.lane();
    for effect in [grow(0, "old|media"), grow(0, "|more"), seal_head(0, "a.flv", "new head", 3)] {
        lane.take(effect);
    }
    story.drained().await;
    assert_eq!(story.shelf.object("a.flv"), b"new head|media|more");
}

#[tokio::test(start_paused = true)]
async fn objects_reach_the_store_in_order_though_one_is_tried_again() {
    let story = story(1_000);
    let lane = story.lane();
    story.shelf.fail("a", &[ErrorKind::Temporary; 3]);
    lane.take(put("a"));
    lane.take(replace("list", "names a"));
    lane.take(put("b"));
    story.drained().await;
    let tries = story.shelf.tries.lock().unwrap().clone();
    let keys: Vec<&str> = tries.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "a", "a", "a", "list", "b"]);
    let pauses: Vec<Duration> = tries.windows(2).take(3).map(|w| w[1].1 - w[0].1).collect();
    for (pause, middle) in pauses.iter().zip([0.5, 1.0, 2.0]) {
        assert!((pause.as_secs_f64() / middle - 1.0).abs() < 0.3, "{pauses:?}");
    }
    let status = lane.status();
    assert_eq!((status.stored, status.failures, status.last_error), (3, 3, None));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_no_retry_can_help_is_a_dead_letter_and_the_lane_goes_on() {
    let story = story(1_000);
    let lane = story.lane();
    story.shelf.fail("a", &[ErrorKind::Permanent]);
    lane.take(put("a"));
    lane.take(LaneEffect::Put {
        to: object("nowhere", "x"),
        content_type: "text/plain",
        body: vec![Bytes::from_static(b"x")],
    });
    lane.take(put("b"));
    story.drained().await;
    assert_eq!(story.shelf.keys(), ["b"]);
    let letters = story.dir.path().join("dead-letter");
    let notes = fs::read_dir(&letters).unwrap().map(|entry| entry.unwrap().path());
    let notes: Vec<PathBuf> = notes.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    assert_eq!(notes.len(), 2);
    let mut said: Vec<(String, String)> = Vec::new();
    for note in notes {
        let note: serde_json::Value = serde_json::from_slice(&fs::read(note).unwrap()).unwrap();
        assert_eq!(note["stream"], "live.local/live/cam");
        let file = letters.join(note["file"].as_str().unwrap());
        said.push((note["key"].as_str().unwrap().into(), fs::read_to_string(file).unwrap()));
    }
    said.sort();
    assert_eq!(said, [("a".into(), "a".into()), ("x".into(), "x".into())]);
    assert_eq!(lane.status().dead_letters, 2);
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_comes_later_keeps_its_place() {
    let story = story(1_000);
    let lane = story.lane();
    let (picture, body) = oneshot::channel();
    lane.take(put("a"));
    lane.take(LaneEffect::Later { to: object("shelf", "b.jpg"), content_type: "image/jpeg", body });
    lane.take(put("c"));
    let left = story.delivery.drain(Duration::from_secs(5)).await;
    assert_eq!((story.shelf.keys(), left.pending), (vec!["a".to_owned()], 2));
    picture.send(Some(Bytes::from_static(b"jpeg"))).unwrap();
    story.drained().await;
    assert_eq!(story.shelf.keys(), ["a", "b.jpg", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_never_comes_is_no_object() {
    let story = story(1_000);
    let lane = story.lane();
    for failed in [true, false] {
        let (picture, body) = oneshot::channel::<Option<Bytes>>();
        lane.take(LaneEffect::Later { to: object("shelf", "b.jpg"), content_type: "image/jpeg", body });
        if failed {
            picture.send(None).unwrap();
        }
    }
    lane.take(put("c"));
    story.drained().await;
    assert_eq!(story.shelf.keys(), ["c"]);
}

#[tokio::test(start_paused = true)]
async fn of_versions_that_wait_together_only_the_newest_is_sent() {
    let story = story(1_000);
    let lane = story.lane();
    *story.shelf.away.lock().unwrap() = true;
    lane.take(put("slice"));
    for text in ["one", "two", "three"] {
        lane.take(replace("list", text));
    }
    story.delivery.drain(Duration::from_secs(60)).await;
    *story.shelf.away.lock().unwrap() = false;
    story.drained().await;
    assert_eq!(story.shelf.keys(), ["slice", "list"]);
    assert_eq!(story.shelf.object("list"), b"three");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_costs_no_memory() {
    let story = story(20);
    let lane = story.lane();
    *story.shelf.away.lock().unwrap() = true;
    for n in 0..50 {
        lane.take(grow(n, "sixteen bytes ..."));
        lane.take(seal(n, &format!("slice{n}")));
        story.delivery.drain(Duration::from_millis(100)).await;
    }
    assert_eq!(lane.status().dropped_batches, 0);
    assert_eq!(lane.status().pending, 50);
    *story.shelf.away.lock().unwrap() = false;
    story.drained().await;
    assert_eq!(story.shelf.keys().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_memory_budget_batches_are_dropped_and_nothing_else() {
    let story = story(10);
    let lane = story.lane();
    // No await: the writer has no chance to free memory.
    for effect in [grow(0, "12345678"), grow(0, "dropped"), put("a list that is longer"), seal(0, "slice")] {
        lane.take(effect);
    }
    assert_eq!(lane.status().dropped_batches, 1);
    story.drained().await;
    assert_eq!(story.shelf.keys(), ["a list that is longer", "slice"]);
    assert_eq!(story.shelf.object("slice"), b"12345678");
    lane.take(grow(1, "again"));
    lane.take(seal(1, "after"));
    story.drained().await;
    assert_eq!(story.shelf.object("after"), b"again");
}

#[tokio::test(start_paused = true)]
async fn an_index_is_left_out_where_it_would_point_beside_the_frames() {
    let story = story(10);
    let lane = story.lane();
    for effect in [grow(0, "old|media"), grow(0, "dropped"), seal_head(0, "gap", "", 3)] {
        lane.take(effect);
    }
    story.drained().await;
    assert_eq!(story.shelf.object("gap"), b"old|media");
    lane.take(put("123456789"));
    lane.take(grow(1, "old|dropped"));
    story.drained().await;
    for effect in [grow(1, "|media"), seal_head(1, "headless", "new", 3)] {
        lane.take(effect);
    }
    story.drained().await;
    assert_eq!(story.shelf.object("headless"), b"new|media");
}

#[tokio::test(start_paused = true)]
async fn a_lane_does_what_was_accepted_and_ends_with_its_handle() {
    let story = story(1_000);
    let lane = story.lane();
    lane.take(grow(0, "x"));
    lane.take(seal(0, "a"));
    assert_eq!(story.delivery.status(SESSION).len(), 1);
    drop(lane);
    // Time passes when nobody is busy: this waits for the lane, not for the clock.
    while !story.delivery.status(SESSION).is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(story.shelf.keys(), ["a"]);
    assert!(!story.spool().exists(), "its folder is gone");
}

#[tokio::test(start_paused = true)]
async fn draining_ends_in_time_and_says_what_is_left_in_the_spool() {
    let story = story(1_000);
    let lane = story.lane();
    *story.shelf.away.lock().unwrap() = true;
    lane.take(put("four"));
    let begin = Instant::now();
    let left = story.delivery.drain(Duration::from_secs(10)).await;
    assert_eq!(left, Left { pending: 1, bytes: 4, windows: 0 });
    assert_eq!(begin.elapsed().as_secs(), 10);
    assert_eq!(story.spooled(), 1);
    assert!(lane.status().last_error.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_spool_that_cannot_be_written_is_tried_again() {
    let story = story(1_000);
    let lane = story.lane();
    fs::remove_dir(story.dir.path().join("spool")).unwrap();
    fs::write(story.dir.path().join("spool"), "in the way").unwrap();
    lane.take(grow(0, "one"));
    lane.take(seal(0, "a"));
    story.delivery.drain(Duration::from_secs(20)).await;
    assert!(lane.status().failures > 2);
    fs::remove_file(story.dir.path().join("spool")).unwrap();
    story.drained().await;
    assert_eq!(story.shelf.object("a"), b"one");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_somebody_removed_from_the_spool_does_not_stop_the_lane() {
    let story = story(1_000);
    let lane = story.lane();
    *story.shelf.away.lock().unwrap() = true;
    lane.take(put("a"));
    story.delivery.drain(Duration::from_secs(1)).await;
    fs::remove_dir_all(story.spool()).unwrap();
    lane.take(put("b"));
    story.delivery.drain(Duration::from_secs(60)).await;
    *story.shelf.away.lock().unwrap() = false;
    story.drained().await;
    assert_eq!(story.shelf.keys(), ["b"]);
}

#[test]
fn effects_that_are_not_for_a_lane_come_back() {
    assert!(LaneEffect::try_from(Effect::Window(None)).is_err());
    let replace = Effect::Replace { to: object("s", "k"), content_type: "x", body: Bytes::new() };
    assert!(matches!(LaneEffect::try_from(replace), Ok(LaneEffect::Replace { .. })));
}
