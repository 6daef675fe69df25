use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use output::record::Container;
use output::{Bucket, Entry, Object, Order, Part};

use super::*;

mod lists;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A control plane with a bucket in memory.
struct Archive {
    control: Control,
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    /// Whether nothing can be deleted.
    stuck: Arc<AtomicBool>,
    _folder: tempfile::TempDir,
}

impl Archive {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects: Arc<Mutex<BTreeMap<String, Bytes>>> = Arc::default();
        let stuck: Arc<AtomicBool> = Arc::default();
        let (put, gone, is_stuck) = (objects.clone(), objects.clone(), stuck.clone());
        let settings = Settings {
            put: Arc::new(move |object| {
                let mut objects = put.lock().unwrap();
                let is_taken = object.mark.is_some() && objects.contains_key(&object.to.key);
                if !is_taken {
                    objects.insert(object.to.key, object.body);
                }
                Box::pin(async move { if is_taken { Err(PutError::Taken) } else { Ok(()) } })
            }),
            delete: Arc::new(move |object| {
                let stuck = is_stuck.load(Ordering::Relaxed);
                if !stuck {
                    gone.lock().unwrap().remove(&object.key);
                }
                Box::pin(async move { if stuck { Err("the disk is gone".to_owned()) } else { Ok(()) } })
            }),
            ..settings(Arc::new(|_| {}))
        };
        let (control, _) = Control::open(database(folder.path()).await, file(), settings).await.unwrap();
        Self { control, objects, stuck, _folder: folder }
    }

    fn database(&self) -> &Database {
        self.control.database()
    }

    /// Stores an object and notes it.
    async fn store(&self, entry: &Entry) {
        self.objects.lock().unwrap().insert(entry.object.key.clone(), Bytes::new());
        self.database().recorded(&cam(), entry, 1_000, NOW).await.unwrap();
    }

    /// Slices of five seconds from `first` on, each five times its number after midnight, and their file.
    async fn recording(&self, name: &str, first: u64, count: u64) -> String {
        for number in first..first + count {
            self.store(&slice(number)).await;
        }
        let start = i64::try_from(first).unwrap() * 5;
        let entry = whole(name, start, i64::try_from(count).unwrap() * 5);
        self.store(&entry).await;
        self.id(name).await
    }

    async fn id(&self, key: &str) -> String {
        self.database().record_of(&object(key)).await.unwrap().unwrap().id
    }

    fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    fn text(&self, key: &str) -> String {
        String::from_utf8(self.objects.lock().unwrap()[key].to_vec()).unwrap()
    }

    async fn list(&self, key: &str, from: i64, to: i64, included: bool) -> Result<Recorded, Unlisted> {
        let of = ListOf {
            stream: cam(),
            to: object(key),
            template: "{Date}.m3u8".to_owned(),
            span: span(from, to),
            end_included: included,
        };
        self.control.make_list(&of, NOW, &|_| None).await
    }

    async fn remove(&self, id: &str) -> Removal {
        self.control.remove_record(&cam(), id, true).await.unwrap()
    }
}

fn cam() -> StreamId {
    StreamId::parse("live.local", "app", "cam").unwrap()
}

fn object(key: &str) -> Object {
    Object { bucket: Bucket { storage: "oss".into(), name: "there".into() }, key: key.to_owned() }
}

fn after(seconds: i64) -> Wall {
    NOW.plus_micros(seconds * SECOND)
}

fn span(from: i64, to: i64) -> Span {
    Span { start: after(from), end: after(to) }
}

/// A file that begins so many seconds after midnight.
fn whole(key: &str, start: i64, seconds: i64) -> Entry {
    Entry {
        part: Part::File,
        format: Container::M3u8,
        object: object(key),
        beside: None,
        template: "record/{StartTime}_{EndTime}".to_owned(),
        sequence: 0,
        start: after(start),
        end: after(start + seconds),
        duration: seconds * SECOND,
        width: 1_280,
        height: 720,
        pauses: Vec::new(),
        retention_days: None,
    }
}

fn slice(number: u64) -> Entry {
    let start = i64::try_from(number).unwrap() * 5;
    Entry {
        part: Part::Slice { discontinuity: false, init: None, audio: false },
        sequence: number,
        ..whole(&format!("s/{number}.ts"), start, 5)
    }
}

/// A slice of sound or picture that needs an init segment.
fn cmaf(number: u64, audio: bool, init: &str) -> Entry {
    let key = format!("c/{number}_{}.m4s", if audio { "a" } else { "v" });
    Entry {
        part: Part::Slice { discontinuity: false, init: Some(init.to_owned()), audio },
        format: Container::Cmaf,
        object: object(&key),
        ..slice(number)
    }
}

const ALL: Slot = Slot { skip: 0, take: 100, descending: false };

#[tokio::test]
async fn an_object_is_in_the_index_once_under_one_id() {
    let archive = Archive::new().await;
    archive.store(&whole("a.m3u8", 0, 10)).await;
    let id = archive.id("a.m3u8").await;
    archive.store(&whole("a.m3u8", 0, 20)).await;
    let (files, total) = archive.database().record_files(&cam(), span(0, 100), ALL).await.unwrap();
    assert_eq!((total, files.len()), (1, 1));
    assert_eq!((&files[0].id, files[0].entry.duration), (&id, 20 * SECOND));
    assert_eq!(files[0].entry, whole("a.m3u8", 0, 20));
    assert_eq!(id.len(), 36);
    let other = StreamId::parse("live.local", "app", "other").unwrap();
    assert_eq!(archive.database().record_file(&other, &id).await.unwrap(), None);
    assert_eq!(archive.database().record_file(&cam(), &id).await.unwrap().unwrap().id, id);
}

#[tokio::test]
async fn files_are_found_by_time_and_page() {
    let archive = Archive::new().await;
    for number in 0..7 {
        archive.store(&whole(&format!("{number}.m3u8"), number * 10, 10)).await;
    }
    archive.store(&slice(0)).await;
    let find = async |from, to, slot| {
        let (files, total) = archive.database().record_files(&cam(), span(from, to), slot).await.unwrap();
        (files.into_iter().map(|file| file.entry.object.key).collect::<Vec<_>>(), total)
    };
    // What only touches the time is not in it.
    assert_eq!(find(10, 20, ALL).await, (vec!["1.m3u8".to_owned()], 1));
    assert_eq!(find(5, 15, ALL).await.1, 2);
    assert_eq!(find(200, 300, ALL).await, (Vec::new(), 0));
    let page = Slot { skip: 5, take: 5, descending: true };
    assert_eq!(find(0, 1_000, page).await, (vec!["1.m3u8".to_owned(), "0.m3u8".to_owned()], 7));
}

#[tokio::test]
async fn a_file_takes_the_slices_that_begin_while_it_lasts() {
    let archive = Archive::new().await;
    archive.recording("a.m3u8", 0, 3).await;
    archive.store(&slice(3)).await;
    archive.store(&cmaf(1, false, "i")).await;
    let found = archive.database().record_content(&cam(), span(0, 100)).await.unwrap();
    let keys: Vec<_> = found.iter().map(|record| record.entry.object.key.as_str()).collect();
    assert_eq!(keys, ["a.m3u8", "c/1_v.m4s", "s/3.ts"]);
}

#[tokio::test]
async fn a_file_goes_with_its_slices_and_the_inits_that_nobody_else_needs() {
    let archive = Archive::new().await;
    for number in 0..3 {
        archive.store(&cmaf(number, false, "c/init.mp4")).await;
    }
    let other = Entry { object: object("c/1_a2.m4s"), ..cmaf(1, true, "c/init.mp4") };
    archive.store(&other).await;
    let first = Entry { format: Container::Cmaf, ..whole("a.m3u8", 0, 10) };
    archive.store(&first).await;
    for beside in ["a.mpd", "a_video.m3u8", "a_audio2.m3u8", "c/init.mp4", "foreign"] {
        archive.objects.lock().unwrap().insert(beside.to_owned(), Bytes::new());
    }
    let id = archive.id("a.m3u8").await;
    assert_eq!(archive.remove(&id).await, Removal::Done);
    assert_eq!(archive.keys(), ["c/2_v.m4s", "c/init.mp4", "foreign"]);
    let second = Entry { format: Container::Cmaf, ..whole("b.m3u8", 10, 5) };
    archive.store(&second).await;
    let id = archive.id("b.m3u8").await;
    assert_eq!(archive.remove(&id).await, Removal::Done);
    assert_eq!(archive.keys(), ["foreign"]);
    assert_eq!(archive.remove(&id).await, Removal::NotFound);
    assert!(!archive.database().knows(&cam()).await.unwrap());
}

/// Delivery stores nothing over another object: of a file's objects some can have other keys than they were to have.
#[tokio::test]
async fn what_lies_beside_a_file_goes_by_the_keys_that_it_has() {
    let archive = Archive::new().await;
    archive.recording("a.m3u8", 0, 1).await;
    for key in ["a_video.m3u8", "a_audio~2.m3u8", "a.mpd", "a~2_video.m3u8", "a~2.mpd"] {
        archive.objects.lock().unwrap().insert(key.to_owned(), Bytes::new());
    }
    let beside = ["a_video.m3u8", "a_audio~2.m3u8", "a.mpd"].map(str::to_owned).to_vec();
    let file = Entry { format: Container::Cmaf, beside: Some(beside), ..whole("a~2.m3u8", 0, 5) };
    archive.store(&file).await;
    let id = archive.id("a~2.m3u8").await;
    let record = archive.database().record_file(&cam(), &id).await.unwrap().unwrap();
    assert_eq!(record.entry, file);
    assert_eq!(archive.remove(&id).await, Removal::Done);
    // Others have the rest: what is called like it is not its.
    assert_eq!(archive.keys(), ["a.m3u8", "a~2.mpd", "a~2_video.m3u8", "s/0.ts"]);
}

#[tokio::test]
async fn what_a_list_names_stays_until_the_list_goes() {
    let archive = Archive::new().await;
    let file = archive.recording("a.m3u8", 0, 4).await;
    let list = archive.list("cut.m3u8", 5, 15, false).await.unwrap();
    // A list of a file that is there takes nothing with it but itself.
    let other = archive.list("other.m3u8", 0, 20, false).await.unwrap();
    assert_eq!(archive.remove(&other.id).await, Removal::Done);
    assert_eq!(archive.remove(&file).await, Removal::Done);
    assert_eq!(archive.keys(), ["cut.m3u8", "s/1.ts", "s/2.ts"]);
    assert_eq!(archive.remove(&list.id).await, Removal::Done);
    assert_eq!(archive.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_is_only_forgotten_leaves_its_objects() {
    let archive = Archive::new().await;
    let id = archive.recording("a.m3u8", 0, 2).await;
    assert_eq!(archive.control.remove_record(&cam(), &id, false).await.unwrap(), Removal::Done);
    assert_eq!(archive.keys(), ["a.m3u8", "s/0.ts", "s/1.ts"]);
    assert_eq!(archive.database().record_files(&cam(), span(0, 100), ALL).await.unwrap().1, 0);
    // A list can still be made of them, and nothing but the list remembers them then.
    let list = archive.list("cut.m3u8", 0, 100, false).await.unwrap();
    assert_eq!(archive.remove(&list.id).await, Removal::Done);
    assert_eq!(archive.keys(), ["a.m3u8"]);
}

#[tokio::test]
async fn what_cannot_be_deleted_stays_in_the_index() {
    let archive = Archive::new().await;
    let id = archive.recording("a.m3u8", 0, 40).await;
    archive.stuck.store(true, Ordering::Relaxed);
    assert_eq!(archive.remove(&id).await, Removal::Kept("the disk is gone".to_owned()));
    archive.stuck.store(false, Ordering::Relaxed);
    assert_eq!(archive.remove(&id).await, Removal::Done);
    assert_eq!(archive.keys(), Vec::<String>::new());
}

fn days(entry: Entry, days: u32) -> Entry {
    Entry { retention_days: Some(days), ..entry }
}

#[tokio::test]
async fn what_is_past_its_retention_goes() {
    let archive = Archive::new().await;
    for number in 0..3 {
        archive.store(&days(slice(number), 1)).await;
    }
    archive.store(&days(whole("a.m3u8", 0, 10), 1)).await;
    archive.store(&days(whole("b.flv", 0, 10), 2)).await;
    archive.store(&whole("forever.flv", 0, 10)).await;
    let at = |days: i64, seconds: i64| after(seconds).plus_micros(days * DAY);
    assert_eq!(archive.control.sweep(at(1, 9)).await, Swept::default());
    // The third slice belongs to no file: that may still be open.
    let swept = archive.control.sweep(at(1, 10)).await;
    assert_eq!(swept, Swept { records: 3, objects: 3, failed: 0 });
    assert_eq!(archive.keys(), ["b.flv", "forever.flv", "s/2.ts"]);
    archive.stuck.store(true, Ordering::Relaxed);
    assert_eq!(archive.control.sweep(at(2, 10)).await, Swept { failed: 1, ..Swept::default() });
    archive.stuck.store(false, Ordering::Relaxed);
    assert_eq!(archive.control.sweep(at(3, 15)).await.records, 2);
    assert_eq!(archive.keys(), ["forever.flv"]);
    assert_eq!(archive.control.sweep(at(9_999, 0)).await, Swept::default());
}

#[tokio::test]
async fn many_at_once_are_all_kept_and_found_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let database = super::database(folder.path()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..600 {
        let database = database.clone();
        tasks.spawn(async move { database.recorded(&cam(), &slice(number), 1, NOW).await.unwrap() });
    }
    tasks.join_all().await;
    drop(database);
    let database = super::database(folder.path()).await;
    assert_eq!(database.record_content(&cam(), span(0, 10_000)).await.unwrap().len(), 600);
}

#[tokio::test]
async fn an_order_goes_to_the_outside() {
    let folder = tempfile::tempdir().unwrap();
    let given: Arc<Mutex<Vec<(StreamId, Order)>>> = Arc::default();
    let taken = given.clone();
    let order: GiveOrder = Arc::new(move |stream, order| {
        taken.lock().unwrap().push((stream, order));
        Box::pin(async { Err(output::Refusal::AlreadyStarted.into()) })
    });
    let settings = Settings { order, ..settings(Arc::new(|_| {})) };
    let (control, _) = Control::open(database(folder.path()).await, file(), settings).await.unwrap();
    assert_eq!(control.order(cam(), Order::Start).await, Err(OrderError::AlreadyStarted));
    assert_eq!(*given.lock().unwrap(), [(cam(), Order::Start)]);
}
