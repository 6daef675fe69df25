use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use output::Object;
use tokio::task::spawn_blocking;

use crate::path;
use crate::store::{Body, BoxFuture, Fault, Headers, Mode, Store, StoreError};

/// Bytes that are compared at a time.
const COMPARED: usize = 128 * 1024;
/// Folder of unfinished files; no bucket's name begins with a dot, so it is no bucket.
const TEMPORARY: &str = ".tmp";

/// A folder: an object is the plain file `path/bucket/key` (design §6).
///
/// A file is written and synced in `path/.tmp`, then renamed, then its folder is synced: an object is there whole
/// or not at all.
#[derive(Clone, Debug)]
pub struct LocalStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    buckets: Vec<String>,
    create_buckets: bool,
    next_temporary: AtomicU64,
}

impl LocalStore {
    /// Opens the folder `root`, making it if need be, and removes what an earlier run left unfinished there.
    /// Only `buckets` exist; with `create_buckets` their folders are made.
    ///
    /// # Errors
    /// If a folder cannot be made.
    pub fn open(root: impl Into<PathBuf>, buckets: Vec<String>, create_buckets: bool) -> io::Result<Self> {
        let root = root.into();
        let temporary = root.join(TEMPORARY);
        fs::create_dir_all(&temporary)?;
        for entry in fs::read_dir(&temporary)? {
            fs::remove_file(entry?.path())?;
        }
        if create_buckets {
            for bucket in &buckets {
                fs::create_dir_all(root.join(bucket))?;
            }
        }
        let next_temporary = AtomicU64::new(0);
        Ok(Self(Arc::new(Inner { root, buckets, create_buckets, next_temporary })))
    }

    /// Where the file of an object is, if there is one.
    ///
    /// # Errors
    /// If there can be no such object: a bucket that does not exist, a key that leaves it.
    pub fn locate(&self, object: &Object) -> Result<PathBuf, StoreError> {
        self.0.locate(object)
    }
}

impl Store for LocalStore {
    fn put<'a>(
        &'a self,
        to: &'a Object,
        body: &'a Body,
        _headers: Headers<'a>,
        mode: Mode<'a>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        let (inner, to, body) = (Arc::clone(&self.0), to.clone(), body.clone());
        let replace = mode == Mode::Replace;
        Box::pin(async move {
            let task = spawn_blocking(move || inner.put(&to, &body, replace));
            // The task fails only if it panics or the runtime ends.
            task.await.unwrap_or_else(|error| Err(StoreError::io("store object", error.into())))
        })
    }

    fn delete<'a>(&'a self, what: &'a Object) -> BoxFuture<'a, Result<(), StoreError>> {
        let (inner, what) = (Arc::clone(&self.0), what.clone());
        Box::pin(async move {
            let task = spawn_blocking(move || inner.delete(&what));
            task.await.unwrap_or_else(|error| Err(StoreError::io("delete object", error.into())))
        })
    }
}

impl Inner {
    fn locate(&self, object: &Object) -> Result<PathBuf, StoreError> {
        let relative = path::relative(object)?;
        let bucket = object.bucket.name.as_ref();
        if !self.buckets.iter().any(|name| name == bucket) {
            return Err(StoreError::permanent(Fault::NoBucket(bucket.to_owned())));
        }
        Ok(self.root.join(relative))
    }

    fn put(&self, to: &Object, body: &Body, replace: bool) -> Result<u64, StoreError> {
        let target = self.locate(to)?;
        let bucket = self.root.join(to.bucket.name.as_ref());
        if self.create_buckets {
            fs::create_dir_all(&bucket).map_err(|e| StoreError::io("create bucket", e))?;
        }
        let folder = target.parent().unwrap_or(&bucket);
        create_folders(&bucket, folder).map_err(|e| StoreError::io("create folder", e))?;
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.root.join(TEMPORARY).join(format!("{}-{number}", std::process::id()));
        let stored = write(&temporary, body)
            .map_err(|e| StoreError::io("write object", e))
            .and_then(|()| place(&temporary, &target, replace, to))
            .and_then(|()| sync_folder(folder).map_err(|e| StoreError::io("sync folder", e)))
            .and_then(|()| fs::metadata(&target).map_err(|e| StoreError::io("look at object", e)));
        // Still there after an error, or if both names were the same file already.
        let _ = fs::remove_file(&temporary);
        Ok(stored?.len())
    }

    fn delete(&self, what: &Object) -> Result<(), StoreError> {
        let target = self.locate(what)?;
        match fs::remove_file(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("delete object", error));
            }
            _ => {}
        }
        // An object that is being stored in a folder that goes now is stored at the next try.
        let bucket = self.root.join(what.bucket.name.as_ref());
        remove_empty_folders(&bucket, target.parent().unwrap_or(&bucket));
        Ok(())
    }
}

/// Removes `folder` and those above it, up to `bucket`, as far as nothing is left in them.
fn remove_empty_folders(bucket: &Path, folder: &Path) {
    let below = folder.ancestors().take_while(|above| *above != bucket && above.starts_with(bucket));
    // One that has something in it refuses, and so those above it would.
    for folder in below {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Makes `folder` below `bucket`, which must exist, and syncs every folder that got a new entry.
fn create_folders(bucket: &Path, folder: &Path) -> io::Result<()> {
    if folder == bucket || folder.is_dir() {
        return Ok(());
    }
    let Some(parent) = folder.parent() else { return Ok(()) };
    create_folders(bucket, parent)?;
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(parent),
        // Somebody else made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

fn write(temporary: &Path, body: &Body) -> io::Result<()> {
    match body {
        Body::Memory(pieces) => write_pieces(&mut File::create(temporary)?, pieces)?,
        Body::File(file) => hold(file, temporary)?,
        Body::Join { head, file, pieces } => {
            let mut out = File::create(temporary)?;
            io::copy(&mut File::open(head)?, &mut out)?;
            let file = File::open(file)?;
            for &(at, len) in pieces.iter() {
                (&file).seek(SeekFrom::Start(at))?;
                if io::copy(&mut (&file).take(len), &mut out)? < len {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
    File::open(temporary)?.sync_all()
}

/// Gives a file a second name. A link costs nothing; another file system, or one without links, costs a copy.
pub(crate) fn hold(file: &Path, name: &Path) -> io::Result<()> {
    match fs::hard_link(file, name) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        Err(_) => fs::copy(file, name).map(drop),
    }
}

/// Moves a whole file to its place. Without `replace` another that is there stays, and only the same bytes will do.
fn place(temporary: &Path, target: &Path, replace: bool, to: &Object) -> Result<(), StoreError> {
    let placed = if replace { fs::rename(temporary, target) } else { rename_new(temporary, target) };
    match placed {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !replace => {
            match same_bytes(temporary, target) {
                Ok(true) => Ok(()),
                Ok(false) => Err(StoreError::permanent(Fault::Taken(to.key.clone()))),
                Err(error) => Err(StoreError::io("compare objects", error)),
            }
        }
        placed => placed.map_err(|e| StoreError::io("write object", e)),
    }
}

/// Renames to a name that nothing has.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            // A file system that can't: a link is as good, and the temporary name goes anyway.
            fs::hard_link(from, to)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether two files have the same bytes.
fn same_bytes(a: &Path, b: &Path) -> io::Result<bool> {
    // A link that leads nowhere is something else, not something that may come.
    let (of_a, of_b) = (fs::metadata(a)?, fs::symlink_metadata(b)?);
    if (of_a.dev(), of_a.ino()) == (of_b.dev(), of_b.ino()) {
        return Ok(true);
    }
    if of_a.len() != of_b.len() || !of_b.is_file() {
        return Ok(false);
    }
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let (mut of_a, mut of_b) = (vec![0; COMPARED], vec![0; COMPARED]);
    loop {
        let n = a.read(&mut of_a)?;
        let (read, _) = of_a.split_at(n);
        let (other, _) = of_b.split_at_mut(n);
        b.read_exact(other)?;
        if read != other {
            return Ok(false);
        }
        if n == 0 {
            return Ok(true);
        }
    }
}

/// Writes pieces through a buffer: frames of a recording are many and small.
pub(crate) fn write_pieces(file: &mut impl Write, pieces: &[Bytes]) -> io::Result<()> {
    let mut buffered = io::BufWriter::with_capacity(64 * 1024, file);
    pieces.iter().try_for_each(|piece| buffered.write_all(piece))?;
    buffered.flush()
}

/// Makes the entries of a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
