//! What is written and not yet synced.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use super::Files;
#[cfg(test)]
use super::Io;

/// What a sync is of.
pub(crate) struct Unsynced {
    pub data: Vec<Arc<File>>,
    pub journal: Option<Arc<File>>,
    pub folder: Option<PathBuf>,
    dirty: HashMap<String, Arc<File>>,
    freed: Vec<(String, u64)>,
    next: u64,
    /// The journal's edition, and how long it is.
    written: (u64, u64),
    #[cfg(test)]
    lengths: Vec<(PathBuf, u64)>,
}

impl Unsynced {
    /// Files and folders.
    pub fn count(&self) -> usize {
        self.data.len() + usize::from(self.journal.is_some()) + 2 * usize::from(self.folder.is_some())
    }
}

impl Files {
    /// Takes what is to be synced. Blocks while something is written.
    pub fn unsynced(&self) -> Unsynced {
        let mut io = self.io();
        io.listed = false;
        let dirty = std::mem::take(&mut io.dirty);
        let journal_dirty = std::mem::take(&mut io.journal_dirty);
        Unsynced {
            data: dirty.values().cloned().collect(),
            journal: io.journal.clone().filter(|_| journal_dirty),
            folder: std::mem::take(&mut io.folder_dirty).then(|| self.folder.clone()),
            #[cfg(test)]
            lengths: self.lengths(&io, &dirty),
            dirty,
            freed: std::mem::take(&mut io.freed),
            next: self.book().next,
            written: (io.edition, io.len),
        }
    }

    /// It was synced: what was freed goes, and the sender may send. Blocks.
    pub fn synced(&self, unsynced: Unsynced) {
        {
            let mut io = self.io();
            let (edition, len) = unsynced.written;
            if io.edition == edition {
                io.synced = io.synced.max(len);
            }
        }
        #[cfg(test)]
        self.disk.faults.synced.lock().unwrap().extend(unsynced.lengths);
        for (name, len) in unsynced.freed {
            // A dead letter may have taken it away.
            let _ = fs::remove_file(self.path(&name));
            self.holding.freed(len);
        }
        self.synced.send_if_modified(|next| {
            let more = *next < unsynced.next;
            *next = unsynced.next.max(*next);
            more
        });
    }

    #[cfg(test)]
    fn lengths(&self, io: &Io, dirty: &HashMap<String, Arc<File>>) -> Vec<(PathBuf, u64)> {
        let journal = (self.path(&format!("{}.journal", self.name)), io.len);
        let files = dirty.iter().map(|(name, file)| (self.path(name), file.metadata().unwrap().len()));
        files.chain([journal]).collect()
    }

    /// It was not; the next sync is of the same. Whether the syncer must be told.
    pub fn not_synced(&self, unsynced: Unsynced) -> bool {
        let mut io = self.io();
        for (name, file) in unsynced.dirty {
            io.dirty.entry(name).or_insert(file);
        }
        io.freed.extend(unsynced.freed);
        io.journal_dirty |= unsynced.journal.is_some();
        io.folder_dirty |= unsynced.folder.is_some();
        self.list(&mut io)
    }
}
