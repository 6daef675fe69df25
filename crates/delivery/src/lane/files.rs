//! What a lane has on disk: its journal, and the files that the journal speaks of.

mod pages;
mod unsynced;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use output::FileId;
use tokio::sync::watch;

use super::draft::{Draft, Step};
use crate::disk::{Disk, Holding};
pub(crate) use unsynced::Unsynced;

use crate::journal::{self, Book, Done, Header, Record, Source, What};

/// The files of a lane. What writes or syncs blocks.
#[derive(Debug)]
pub(crate) struct Files {
    /// Folder of the session in the spool.
    pub folder: PathBuf,
    /// Name of the lane, before the dot in all its files' names.
    pub name: String,
    pub header: Header,
    pub disk: Arc<Disk>,
    /// What of the spool is its.
    pub holding: Arc<Holding>,
    /// Held while something is written; only by threads that may block. Taken before `book`.
    io: Mutex<Io>,
    /// Held for a few instructions.
    book: Mutex<Book>,
    /// Parcels below this number are in the journal.
    pub written: watch::Sender<u64>,
    /// Parcels below this number survive a power cut.
    pub synced: watch::Sender<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Io {
    journal: Option<Arc<File>>,
    /// Good bytes of it.
    len: u64,
    /// Its length when it was written anew.
    base: u64,
    /// Bytes of it that are synced with all that they speak of.
    synced: u64,
    /// How often it was written anew.
    edition: u64,
    /// Files that grow.
    open: HashMap<FileId, Arc<File>>,
    /// What is to be synced, by name.
    dirty: HashMap<String, Arc<File>>,
    /// The journal is an earlier run's, and must be written anew before anything else is.
    stale: bool,
    journal_dirty: bool,
    folder_dirty: bool,
    /// Files and their lengths that can go when the journal is synced.
    freed: Vec<(String, u64)>,
    /// Whether the syncer knows.
    listed: bool,
}

impl Files {
    /// Of a new lane. Nothing is on disk before there is something to keep.
    pub fn new(folder: PathBuf, name: String, header: Header, disk: Arc<Disk>) -> Self {
        Self::of(folder, name, header, disk, Book::default(), Io::default())
    }

    /// Of a lane that an earlier run left: `book` is the sum of its journal. What the book does not speak of goes to
    /// `stray`, and the journal is written anew; on a disk that is full, as soon as there is room. Blocks.
    pub fn recovered(
        folder: PathBuf,
        name: String,
        header: Header,
        disk: Arc<Disk>,
        book: Book,
        stray: impl Fn(&Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        let files = Self::of(folder, name, header, disk, book, Io { stale: true, ..Io::default() });
        files.strays()?.iter().try_for_each(|path| stray(path))?;
        {
            let mut io = files.io();
            let open: Vec<(FileId, u64)> =
                files.book().open.iter().map(|(&id, file)| (id, file.len)).collect();
            for (id, len) in open {
                let file = files.open_file(&mut io, id)?;
                file.set_len(len)?;
                file.sync_all()?;
            }
            if let Err(error) = files.compact(&mut io) {
                let folder = files.folder.display();
                tracing::warn!(%folder, lane = files.name, %error, "the journal cannot be written anew yet");
            }
        }
        files.holding.took(files.book().bytes());
        files.holding.set_waiting(files.book().waiting());
        Ok(files)
    }

    fn of(folder: PathBuf, name: String, header: Header, disk: Arc<Disk>, book: Book, io: Io) -> Self {
        let next = book.next;
        Self {
            folder,
            name,
            header,
            holding: disk.lane(),
            disk,
            io: Mutex::new(io),
            book: Mutex::new(book),
            written: watch::Sender::new(next),
            synced: watch::Sender::new(next),
        }
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn io(&self) -> MutexGuard<'_, Io> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Name of an open file.
    pub fn part(name: &str, id: FileId) -> String {
        format!("{name}.{}.part", id.0)
    }

    /// Where a file of the lane is.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Does what one event caused, whole or not at all: after an error the same can be tried again. Blocks.
    ///
    /// Whether the syncer must be told, because it does not know yet of what is to be synced.
    pub fn write(&self, steps: &[Step]) -> io::Result<bool> {
        if steps.is_empty() {
            return Ok(false);
        }
        let mut io = self.io();
        // Before the first byte: what no journal speaks of is nobody's.
        self.renew(&mut io)?;
        self.begin(&mut io)?;
        let mut draft = Draft::new(self, &mut io);
        for step in steps {
            draft.take(step)?;
        }
        let (mut transaction, bytes, freed) = draft.finish();
        if transaction == journal::Transaction::default() {
            return Ok(false);
        }
        transaction.synced = io.synced;
        let record = Record::Did(transaction);
        self.append(&mut io, &record)?;
        let next = {
            let mut book = self.book();
            if let Record::Did(transaction) = &record {
                book.did(transaction);
                transaction.closed.iter().for_each(|id| drop(io.open.remove(id)));
            }
            self.holding.set_waiting(book.waiting());
            book.next
        };
        io.freed.extend(freed);
        self.holding.took(bytes);
        self.written.send_replace(next);
        self.compact_if_long(&mut io);
        Ok(self.list(&mut io))
    }

    /// Notes that a parcel is dealt with; its files go when that is synced. Blocks. The answer is as [`Files::write`]'s.
    pub fn done(&self, done: Done) -> io::Result<bool> {
        let mut io = self.io();
        self.renew(&mut io)?;
        let record = Record::Done(done);
        self.append(&mut io, &record)?;
        let Record::Done(done) = record else { return Ok(false) };
        let what = {
            let mut book = self.book();
            let what = book.done(&done);
            self.holding.set_waiting(book.waiting());
            what
        };
        if let Some(What::Object(cargo)) = what.as_deref() {
            let files = cargo.source.files().into_iter();
            io.freed.extend(files.map(|(name, len)| (name.to_owned(), len)));
            if let Source::Progressive { name, .. } = &cargo.source {
                let head = Path::new(name).with_extension("head");
                io.freed.push((head.to_string_lossy().into_owned(), 0));
            }
        }
        self.compact_if_long(&mut io);
        Ok(self.list(&mut io))
    }

    fn list(&self, io: &mut Io) -> bool {
        !std::mem::replace(&mut io.listed, true)
    }

    /// Makes a file, and the session's folder if need be.
    fn create(&self, io: &mut Io, path: &Path) -> io::Result<File> {
        self.disk.may_write()?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        io.folder_dirty = true;
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.folder)?;
                options.open(path)
            }
            file => file,
        }
    }

    /// A file that is written whole.
    pub(super) fn create_whole(&self, io: &mut Io, name: &str) -> io::Result<Arc<File>> {
        let file = Arc::new(self.create(io, &self.path(name))?);
        io.dirty.insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    /// A file that grows.
    pub(super) fn open_file(&self, io: &mut Io, id: FileId) -> io::Result<Arc<File>> {
        let name = Self::part(&self.name, id);
        let file = match io.open.get(&id) {
            Some(file) => Arc::clone(file),
            None if self.book().open.get(&id).is_some_and(|file| file.len > 0) => {
                Arc::new(OpenOptions::new().write(true).open(self.path(&name))?)
            }
            None => Arc::new(self.create(io, &self.path(&name))?),
        };
        io.open.insert(id, Arc::clone(&file));
        io.dirty.insert(name, Arc::clone(&file));
        Ok(file)
    }

    /// Removes the journal of a lane with nothing left to go on with, and the folder if no other lane has something
    /// there. Whether that was so. Blocks.
    pub fn finish(&self) -> bool {
        let mut io = self.io();
        if !self.book().is_finished() {
            return false;
        }
        io.journal = None;
        let _ = fs::remove_file(self.path(&format!("{}.journal", self.name)));
        for (name, len) in std::mem::take(&mut io.freed) {
            let _ = fs::remove_file(self.path(&name));
            self.holding.freed(len);
        }
        let _ = fs::remove_dir(&self.folder);
        true
    }

    /// Files of the lane that its book does not speak of.
    fn strays(&self) -> io::Result<Vec<PathBuf>> {
        let known = self.known();
        let mut strays = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let ours = name.strip_prefix(self.name.as_str()).is_some_and(|rest| rest.starts_with('.'));
            if ours && entry.file_type()?.is_file() && !known.contains_key(name) {
                strays.push(entry.path());
            }
        }
        Ok(strays)
    }

    /// The files that the lane needs, and their lengths.
    fn known(&self) -> BTreeMap<String, u64> {
        let book = self.book();
        let open = book.open.iter().map(|(&id, file)| (Self::part(&self.name, id), file.len));
        let mut known: BTreeMap<String, u64> = open.collect();
        for what in book.pending.values() {
            if let What::Object(cargo) = &**what {
                let files = cargo.source.files().into_iter();
                known.extend(files.map(|(name, len)| (name.to_owned(), len)));
            }
        }
        known.insert(format!("{}.journal", self.name), 0);
        known
    }
}
