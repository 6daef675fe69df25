//! What outlives sessions and restarts: sequence numbers of snapshots and segments, and whom to tell of a stream.
//!
//! One small JSON file per stream, replaced whole. Changes are written behind: a crash may lose the last
//! moment's, so whoever counts something that must never repeat remembers a value ahead of what it used.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use media::StreamId;
use output::Memory;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use crate::telling::Telling;

/// The counters of all streams. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    book: Mutex<Book>,
    changed: Notify,
}

#[derive(Default)]
struct Book {
    open: HashMap<StreamId, Known>,
    dirty: HashSet<StreamId>,
}

/// What is known of a stream.
#[derive(Clone, Default)]
struct Known {
    memory: Memory,
    telling: Telling,
}

#[derive(Serialize, Deserialize)]
struct Page {
    stream: String,
    counters: BTreeMap<String, u64>,
    #[serde(default)]
    telling: Telling,
}

impl Ledger {
    /// The ledger in `folder`, made if it is missing.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let inner = Inner { folder, book: Mutex::default(), changed: Notify::new() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The counters of a stream.
    pub(crate) fn read(&self, stream: &StreamId) -> Memory {
        self.known(stream).memory
    }

    /// Whom to tell of it, as its last publish found it.
    pub(crate) fn telling(&self, stream: &StreamId) -> Telling {
        self.known(stream).telling
    }

    /// Keeps whom to tell of a stream. Never blocks once the stream is known.
    pub(crate) fn tell(&self, stream: &StreamId, telling: Telling) {
        if self.known(stream).telling == telling {
            return;
        }
        let mut book = self.book();
        book.open.entry(stream.clone()).or_default().telling = telling;
        book.dirty.insert(stream.clone());
        drop(book);
        self.inner.changed.notify_one();
    }

    /// An unreadable page is logged and starts empty.
    fn known(&self, stream: &StreamId) -> Known {
        if let Some(known) = self.book().open.get(stream) {
            return known.clone();
        }
        let known = match load(&page_path(&self.inner.folder, stream)) {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(%stream, %error, "counters of the stream are unreadable; they start again");
                Known::default()
            }
        };
        self.book().open.insert(stream.clone(), known.clone());
        known
    }

    /// Keeps a counter. Never blocks.
    pub(crate) fn remember(&self, stream: &StreamId, counter: Arc<str>, value: u64) {
        let mut book = self.book();
        book.open.entry(stream.clone()).or_default().memory.insert(counter, value);
        book.dirty.insert(stream.clone());
        drop(book);
        self.inner.changed.notify_one();
    }

    /// Writes changes as they come, until dropped.
    pub(crate) async fn write_behind(self) {
        loop {
            self.inner.changed.notified().await;
            self.flush().await;
        }
    }

    /// Writes what has changed.
    pub(crate) async fn flush(&self) {
        let pages: Vec<(StreamId, Known)> = {
            let mut book = self.book();
            let dirty = std::mem::take(&mut book.dirty);
            dirty.into_iter().filter_map(|id| book.open.get(&id).cloned().map(|known| (id, known))).collect()
        };
        let folder = self.inner.folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            for (stream, known) in pages {
                if let Err(error) = store(&folder, &stream, known) {
                    tracing::error!(%stream, %error, "counters of the stream not written");
                }
            }
        });
        let _ = written.await;
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.inner.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names may be as long as a file name may be, so the page is named by a digest.
fn page_path(folder: &Path, stream: &StreamId) -> PathBuf {
    let digest = Sha256::digest(stream.to_string());
    let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    folder.join(name + ".json")
}

fn load(path: &Path) -> io::Result<Known> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Known::default()),
        text => text?,
    };
    let page: Page = serde_json::from_slice(&text)?;
    let memory = page.counters.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Ok(Known { memory, telling: page.telling })
}

fn store(folder: &Path, stream: &StreamId, known: Known) -> io::Result<()> {
    let counters = known.memory.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    let page = Page { stream: stream.to_string(), counters, telling: known.telling };
    let path = page_path(folder, stream);
    let next = path.with_extension("next");
    fs::write(&next, serde_json::to_vec_pretty(&page)?)?;
    fs::rename(next, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn counters_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let stream = StreamId::parse("live.local", "live", &"x".repeat(255)).unwrap();
        let ledger = Ledger::open(folder.path().into()).unwrap();
        ledger.remember(&stream, "snapshot".into(), 7);
        ledger.flush().await;
        let again = Ledger::open(folder.path().into()).unwrap();
        assert_eq!(again.read(&stream), Memory::from([("snapshot".into(), 7)]));
    }

    #[tokio::test]
    async fn an_unreadable_page_does_not_stop_a_stream() {
        let folder = tempfile::tempdir().unwrap();
        let stream = StreamId::parse("live.local", "live", "demo").unwrap();
        fs::write(page_path(folder.path(), &stream), "{").unwrap();
        let ledger = Ledger::open(folder.path().into()).unwrap();
        assert_eq!(ledger.read(&stream), Memory::new());
    }
}
