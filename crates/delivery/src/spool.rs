use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use output::Finish;

use crate::local::{sync_folder, write_pieces};

/// A file of the spool that grows. All its functions block.
#[derive(Clone, Debug)]
pub(crate) struct Growing {
    pub path: PathBuf,
    file: Arc<File>,
}

impl Growing {
    /// Makes the file, and its folder if need be.
    pub fn create(path: PathBuf) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        // The folder's new entry, and the one that the folder itself may be.
        for folder in path.ancestors().skip(1).take(2) {
            sync_folder(folder)?;
        }
        Ok(Self { path, file: Arc::new(file) })
    }

    /// Writes `pieces` at byte `at`. After an error the same call may be tried again: what was half written is
    /// written over.
    pub fn write_at(&self, at: u64, pieces: &[Bytes]) -> io::Result<()> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(at))?;
        write_pieces(&mut file, pieces)
    }

    /// Makes what was written survive a power cut.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Completes a file of `len` bytes; the answer is where it is then. May be tried again after an error.
    pub fn finish(&self, len: u64, finish: &Finish) -> io::Result<PathBuf> {
        // A batch that failed may have left bytes behind the last good one.
        self.file.set_len(len)?;
        match finish {
            Finish::AsIs => {
                self.file.sync_all()?;
                Ok(self.path.clone())
            }
            Finish::Progressive => Err(io::ErrorKind::Unsupported.into()),
            Finish::Head { head, skip } => {
                let whole = self.path.with_extension("whole");
                compose(&whole, head, &self.path, *skip)?;
                fs::remove_file(&self.path)?;
                Ok(whole)
            }
        }
    }
}

/// Writes `head` and `rest` from byte `skip` on as a new file.
fn compose(whole: &Path, head: &Bytes, rest: &Path, skip: u64) -> io::Result<()> {
    let mut out = File::create(whole)?;
    out.write_all(head)?;
    let mut rest = File::open(rest)?;
    rest.seek(SeekFrom::Start(skip))?;
    io::copy(&mut rest, &mut out)?;
    out.sync_all()
}

/// Writes a whole object into the spool, and its folder if need be. Blocks.
pub(crate) fn write_whole(path: &Path, pieces: &[Bytes]) -> io::Result<()> {
    let growing = Growing::create(path.to_owned())?;
    growing.write_at(0, pieces)?;
    growing.sync()
}

/// Files and bytes that earlier runs left below `folder`, at any depth.
pub(crate) fn left_over(folder: &Path) -> io::Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            let (more_files, more_bytes) = left_over(&entry.path())?;
            files += more_files;
            bytes += more_bytes;
        } else {
            files += 1;
            bytes += metadata.len();
        }
    }
    Ok((files, bytes))
}
