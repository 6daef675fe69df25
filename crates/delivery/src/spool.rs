//! What earlier runs left in the spool.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::Disk;
use crate::journal;
use crate::lane::Files;

/// The end of a journal's name.
const JOURNAL: &str = ".journal";

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Lanes with something left to do.
    pub lanes: Vec<Files>,
    /// Files that no journal speaks of, of a version without journals or one to come, and their bytes.
    pub files: u64,
    pub bytes: u64,
    /// The first number for a lane that none of those has.
    pub next_lane: u64,
}

/// Reads every journal below `spool`. Lanes that are finished go. Blocks.
///
/// # Errors
/// If the folder cannot be read. What is wrong below it is told, and kept.
pub(crate) fn find(spool: &Path, disk: &Arc<Disk>) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(spool)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            // What is wrong with one session is no reason to serve nobody.
            if let Err(error) = found.session(&entry.path(), disk) {
                tracing::error!(folder = %entry.path().display(), %error, "a session's spool cannot be read; it is kept");
            }
        } else {
            found.count(metadata.len());
        }
    }
    Ok(found)
}

impl Found {
    fn count(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }

    /// Reads a session's folder.
    fn session(&mut self, folder: &Path, disk: &Arc<Disk>) -> io::Result<()> {
        let lengths = lengths(folder)?;
        let journals = lengths.keys().filter_map(|name| name.strip_suffix(JOURNAL));
        let mut ours: Vec<&str> = Vec::new();
        for lane in journals {
            self.reserve(lane);
            let journal = recover(folder, lane, &lengths, disk).unwrap_or_else(|error| {
                let folder = folder.display();
                tracing::error!(%folder, lane, %error, "what an earlier run left cannot be gone on with; it is kept");
                Journal::Unknown
            });
            match journal {
                Journal::Of(files) => {
                    ours.push(lane);
                    if !files.finish() {
                        self.lanes.push(*files);
                    }
                }
                Journal::OfNothing => ours.push(lane),
                Journal::Unknown => {}
            }
        }
        let is_ours = |name: &str| name.split_once('.').is_some_and(|(lane, _)| ours.contains(&lane));
        let foreign: Vec<u64> =
            lengths.iter().filter(|(name, _)| !is_ours(name)).map(|(_, len)| *len).collect();
        foreign.into_iter().for_each(|len| self.count(len));
        // Empty, if nothing was left of it.
        let _ = fs::remove_dir(folder);
        Ok(())
    }

    /// No other lane gets this one's number, which is the end of its name.
    fn reserve(&mut self, lane: &str) {
        let number = lane.rsplit('-').next().and_then(|number| number.parse::<u64>().ok());
        self.next_lane = self.next_lane.max(number.map_or(0, |number| number + 1));
    }
}

/// What a journal is.
enum Journal {
    /// Of a lane.
    Of(Box<Files>),
    /// Of a lane that did nothing yet.
    OfNothing,
    /// Of another version, or damaged.
    Unknown,
}

/// Reads a lane's journal.
fn recover(
    folder: &Path,
    lane: &str,
    lengths: &BTreeMap<String, u64>,
    disk: &Arc<Disk>,
) -> io::Result<Journal> {
    let path = folder.join(format!("{lane}{JOURNAL}"));
    if lengths.get(&format!("{lane}{JOURNAL}")) == Some(&0) {
        // Begun, and nothing was done yet.
        let mut ours = lengths.keys().filter(|name| name.split_once('.').is_some_and(|(of, _)| of == lane));
        ours.try_for_each(|name| fs::remove_file(folder.join(name)))?;
        return Ok(Journal::OfNothing);
    }
    let records = journal::decode(&fs::read(&path)?);
    let len_of = |name: &str| lengths.get(name).copied();
    let Some((header, book)) = journal::replay(&records, len_of, |id| Files::part(lane, id)) else {
        tracing::error!(journal = %path.display(), "journal of another version or without a whole line; it is kept");
        return Ok(Journal::Unknown);
    };
    let files = Files::recovered(folder.to_owned(), lane.to_owned(), header, Arc::clone(disk), book)?;
    Ok(Journal::Of(Box::new(files)))
}

/// The files of a folder.
fn lengths(folder: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut lengths = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file()
            && let Some(name) = entry.file_name().to_str()
        {
            lengths.insert(name.to_owned(), metadata.len());
        }
    }
    Ok(lengths)
}
