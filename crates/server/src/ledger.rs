//! Counters that outlive sessions and restarts: sequence numbers of snapshots and segments.
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
    open: HashMap<StreamId, Memory>,
    dirty: HashSet<StreamId>,
}

#[derive(Serialize, Deserialize)]
struct Page {
    stream: String,
    counters: BTreeMap<String, u64>,
}

impl Ledger {
    /// The ledger in `folder`, made if it is missing.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let inner = Inner { folder, book: Mutex::default(), changed: Notify::new() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What is known of a stream. An unreadable page is logged and starts empty.
    pub(crate) fn read(&self, stream: &StreamId) -> Memory {
        if let Some(memory) = self.book().open.get(stream) {
            return memory.clone();
        }
        let memory = match load(&page_path(&self.inner.folder, stream)) {
            Ok(memory) => memory,
            Err(error) => {
                tracing::error!(%stream, %error, "counters of the stream are unreadable; they start again");
                Memory::new()
            }
        };
        self.book().open.insert(stream.clone(), memory.clone());
        memory
    }

    /// Keeps a counter. Never blocks.
    pub(crate) fn remember(&self, stream: &StreamId, counter: Arc<str>, value: u64) {
        let mut book = self.book();
        book.open.entry(stream.clone()).or_default().insert(counter, value);
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
        let pages: Vec<(StreamId, Memory)> = {
            let mut book = self.book();
            let dirty = std::mem::take(&mut book.dirty);
            dirty
                .into_iter()
                .filter_map(|id| book.open.get(&id).cloned().map(|memory| (id, memory)))
                .collect()
        };
        let folder = self.inner.folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            for (stream, memory) in pages {
                if let Err(error) = store(&folder, &stream, memory) {
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

fn load(path: &Path) -> io::Result<Memory> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Memory::new()),
        text => text?,
    };
    let page: Page = serde_json::from_slice(&text)?;
    Ok(page.counters.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn store(folder: &Path, stream: &StreamId, memory: Memory) -> io::Result<()> {
    let counters = memory.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    let page = Page { stream: stream.to_string(), counters };
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
