//! Deliveries that are killed, cut off from power or short of disk, and what the next one makes of it.

mod blocked;
mod kills;
mod names;
mod restarts;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use media::{SessionId, StreamId, Wall};
use output::record::Container;
use output::{Bucket, Entry, FileId, Finish, Notice, Object, Part, Save};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::store::{Body, BoxFuture, Fault, Headers, Mode, Store, StoreError};
use crate::*;

const SESSION: SessionId = SessionId(7);

/// A registry that writes everything down.
#[derive(Default)]
pub(crate) struct Diary {
    /// `row KEY SIZE` and `told NOTICE`, in order, each only once.
    pub lines: Mutex<Vec<String>>,
    /// What came again.
    pub again: Mutex<Vec<String>>,
    pub told: Mutex<BTreeMap<String, Told>>,
    /// What lies beside the object of each row.
    pub beside: Mutex<Vec<Option<Vec<String>>>>,
    /// So many calls fail first.
    pub failures: Mutex<u32>,
}

impl Diary {
    fn write(&self, line: String) -> Result<(), String> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("database is away".to_owned());
        }
        let mut lines = self.lines.lock().unwrap();
        if lines.contains(&line) {
            self.again.lock().unwrap().push(line);
        } else {
            lines.push(line);
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Registry for Diary {
    fn stored<'a>(
        &'a self,
        _: &'a StreamId,
        entry: &'a Entry,
        size: u64,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            self.beside.lock().unwrap().push(entry.beside.clone());
            self.write(format!("row {} {size}", entry.object.key))
        })
    }

    fn told<'a>(&'a self, told: &'a Told) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let what = match &told.notice {
                Notice::RecordFileStored(entry) => format!("stored {} {:?}", entry.object.key, told.size),
                Notice::SnapshotStored { object, .. } => format!("picture {} {:?}", object.key, told.size),
                Notice::RecordFailed { reason } => format!("failed {reason}"),
                notice => format!("{notice:?}"),
            };
            self.write(format!("told {what}"))?;
            let before = self.told.lock().unwrap().insert(told.id.clone(), told.clone());
            assert!(before.is_none_or(|before| before == *told), "two notices are called {}", told.id);
            Ok(())
        })
    }
}

/// The bytes of a body.
pub(crate) fn read(body: &Body) -> Vec<u8> {
    match body {
        Body::Memory(pieces) => pieces.concat(),
        Body::File(path) => fs::read(path).unwrap(),
        Body::Join { head, file, pieces } => {
            let (mut all, file) = (fs::read(head).unwrap(), fs::read(file).unwrap());
            for &(at, len) in pieces.iter() {
                let at = usize::try_from(at).unwrap();
                all.extend_from_slice(&file[at..at + usize::try_from(len).unwrap()]);
            }
            all
        }
    }
}

/// A store that survives everything and fails as the dice say.
#[derive(Default)]
struct Warehouse {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    dice: Mutex<Option<StdRng>>,
    away: Mutex<bool>,
    /// Says that it has so many bytes more than it got.
    lies: Mutex<u64>,
}

impl Warehouse {
    fn roll(&self) -> u32 {
        self.dice.lock().unwrap().as_mut().map_or(99, |dice| dice.random_range(0..100))
    }

    fn text(&self, key: &str) -> String {
        let objects = self.objects.lock().unwrap();
        let object = objects.get(key).unwrap_or_else(|| panic!("no {key} among {:?}", objects.keys()));
        String::from_utf8(object.clone()).unwrap()
    }

    fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    async fn answer(&self, to: &Object, body: &Body, mode: Mode<'_>) -> Result<u64, StoreError> {
        let failure = || Err(StoreError::temporary(Fault::NoBucket("by the dice".into())));
        let roll = self.roll();
        match roll {
            _ if *self.away.lock().unwrap() => return failure(),
            // Refused, hung until somebody gave up, slow.
            0..20 => return failure(),
            20..25 => {
                sleep(Duration::from_secs(40)).await;
                return failure();
            }
            25..35 => sleep(Duration::from_secs(3)).await,
            _ => {}
        }
        let bytes = read(body);
        let len = bytes.len() as u64;
        {
            let mut objects = self.objects.lock().unwrap();
            match objects.get(&to.key) {
                Some(there) if mode != Mode::Replace && *there != bytes => {
                    return Err(StoreError::permanent(Fault::Taken(to.key.clone())));
                }
                _ => drop(objects.insert(to.key.clone(), bytes)),
            }
        }
        // Stored, and the answer is lost.
        if (35..45).contains(&roll) { failure() } else { Ok(len + *self.lies.lock().unwrap()) }
    }
}

impl Store for Warehouse {
    fn put<'a>(
        &'a self,
        to: &'a Object,
        body: &'a Body,
        _: Headers<'a>,
        mode: Mode<'a>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.answer(to, body, mode))
    }

    fn delete<'a>(&'a self, _: &'a Object) -> BoxFuture<'a, Result<(), StoreError>> {
        panic!("recordings are not deleted")
    }
}

/// What outlives a delivery.
struct House {
    dir: TempDir,
    warehouse: Arc<Warehouse>,
    diary: Arc<Diary>,
    /// Files, and how much of them a power cut leaves.
    synced: Mutex<BTreeMap<PathBuf, u64>>,
}

impl House {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            warehouse: Arc::default(),
            diary: Arc::default(),
            synced: Mutex::default(),
        }
    }

    fn settings(&self) -> Settings {
        let (spool, dead_letter) = (self.path("spool"), self.path("dead-letter"));
        Settings { spool, dead_letter, memory_bytes: 1 << 20, spool_bytes: None, spool_free_bytes: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn open(&self) -> (Delivery, Vec<Recovered>) {
        self.open_with(self.settings())
    }

    fn open_with(&self, settings: Settings) -> (Delivery, Vec<Recovered>) {
        let stores = HashMap::from([("w".to_owned(), Arc::clone(&self.warehouse) as Arc<dyn Store>)]);
        Delivery::open(settings, stores, Arc::clone(&self.diary) as Arc<dyn Registry>).unwrap()
    }

    /// Files of the spool, at any depth.
    fn spooled(&self) -> Vec<String> {
        files(&self.path("spool"))
    }

    fn letters(&self) -> Vec<String> {
        files(&self.path("dead-letter"))
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.metadata().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.file_name().into_string().unwrap()),
        }
    }
    found.sort();
    found
}

fn stream() -> StreamId {
    StreamId::parse("live.local", "live", "cam").unwrap()
}

fn lane(delivery: &Delivery) -> Lane {
    delivery.lane(&stream(), SESSION, "record/flv", 0, Wall(5))
}

fn object(key: &str) -> Object {
    Object { bucket: Bucket { storage: "w".into(), name: "b".into() }, key: key.to_owned() }
}

fn grow(file: u64, text: &str) -> LaneEffect {
    LaneEffect::Grow { file: FileId(file), body: vec![Bytes::copy_from_slice(text.as_bytes())] }
}

fn seal(file: u64, key: &str) -> LaneEffect {
    LaneEffect::Seal {
        file: FileId(file),
        to: object(key),
        content_type: "video/x-flv",
        finish: Finish::AsIs,
    }
}

fn put(key: &str, content_type: &'static str, text: &str) -> LaneEffect {
    LaneEffect::Put { to: object(key), content_type, body: vec![Bytes::copy_from_slice(text.as_bytes())] }
}

fn entry(key: &str) -> Box<Entry> {
    Box::new(Entry {
        part: Part::File,
        format: Container::Flv,
        object: object(key),
        beside: None,
        template: "t".to_owned(),
        sequence: 0,
        start: Wall(0),
        end: Wall(1),
        duration: 1,
        width: 0,
        height: 0,
        pauses: Vec::new(),
        retention_days: None,
    })
}

/// The row of the object before, and the notice of it.
fn recorded(key: &str) -> [LaneEffect; 2] {
    let notice = Notice::RecordFileStored(entry(key));
    [LaneEffect::Index(entry(key)), LaneEffect::Notice { notice, context: "urls".to_owned() }]
}

fn fresh() -> LaneEffect {
    LaneEffect::Save(Save::Fresh(Bytes::from_static(b"{\"spec\":1}")))
}

async fn drained(delivery: &Delivery) {
    assert_eq!(delivery.drain(Duration::from_secs(36_000)).await, Left::default());
}

/// A runtime whose time passes when nobody is busy. Dropping it kills everything in it.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}
