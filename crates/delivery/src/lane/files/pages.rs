//! Writing the journal.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::{Files, Io};
use crate::journal::{self, Record};
use crate::local::sync_folder;

/// A journal is written anew when it is longer than this …
const COMPACT: u64 = 256 * 1024;
/// … and so many times as long as it was when it was written anew last.
const COMPACT_TIMES: u64 = 4;

impl Files {
    pub(super) fn append(&self, io: &mut Io, record: &Record) -> io::Result<()> {
        self.disk.may_write()?;
        let text = journal::encode(record)?;
        let journal = self.journal(io)?;
        if let Err(error) = journal.write_all_at(text.as_bytes(), io.len) {
            // Half a line does not count; without it there may be room for the next.
            let _ = journal.set_len(io.len);
            return Err(error);
        }
        io.len += text.len() as u64;
        io.journal_dirty = true;
        Ok(())
    }

    /// Writes the journal anew, if that is still to be done.
    pub(super) fn renew(&self, io: &mut Io) -> io::Result<()> {
        if io.stale { self.compact(io) } else { Ok(()) }
    }

    /// Writes the first line of the journal, if there is none.
    pub(super) fn begin(&self, io: &mut Io) -> io::Result<()> {
        match io.len {
            0 => self.append(io, &Record::Lane(self.header.clone())),
            _ => Ok(()),
        }
    }

    /// Writes a long journal anew. If that fails it goes on as it is.
    pub(super) fn compact_if_long(&self, io: &mut Io) {
        let long = io.len > COMPACT && io.len > io.base.saturating_mul(COMPACT_TIMES);
        if long && self.compact(io).is_err() {
            io.base = io.len;
        }
    }

    pub(super) fn journal(&self, io: &mut Io) -> io::Result<Arc<File>> {
        if let Some(journal) = &io.journal {
            return Ok(Arc::clone(journal));
        }
        let path = self.path(&format!("{}.journal", self.name));
        let journal = Arc::new(self.create(io, &path)?);
        io.journal = Some(Arc::clone(&journal));
        Ok(journal)
    }

    /// Writes the journal anew. What it speaks of is synced first: nobody looks at it again before it is believed.
    pub(super) fn compact(&self, io: &mut Io) -> io::Result<()> {
        let snapshot = self.book().snapshot();
        io.dirty.values().try_for_each(|file| file.sync_data())?;
        let mut text = journal::encode(&Record::Lane(self.header.clone()))?;
        text += &journal::encode(&Record::Book(Box::new(snapshot)))?;
        let path = self.path(&format!("{}.journal", self.name));
        let next = path.with_extension("next");
        self.disk.may_write()?;
        let file = write_whole(&next, text.as_bytes()).inspect_err(|_| {
            // Half of it takes room that is wanted.
            let _ = fs::remove_file(&next);
        })?;
        fs::rename(&next, &path)?;
        sync_folder(&self.folder)?;
        let len = text.len() as u64;
        (io.len, io.base, io.synced, io.edition) = (len, len, len, io.edition + 1);
        io.journal = Some(Arc::new(file));
        io.stale = false;
        Ok(())
    }
}

/// Writes a file, and syncs it.
fn write_whole(path: &Path, text: &[u8]) -> io::Result<File> {
    let file = File::create(path)?;
    file.write_all_at(text, 0)?;
    file.sync_all()?;
    Ok(file)
}
