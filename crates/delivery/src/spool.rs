//! What earlier runs left in the spool.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use media::StreamId;

use crate::dead_letter::{self, Letter};
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
pub(crate) fn find(spool: &Path, dead_letter: &Path, disk: &Arc<Disk>) -> io::Result<Found> {
    let mut found = Found::default();
    let places = Places { dead_letter, disk };
    for entry in fs::read_dir(spool)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            // What is wrong with one session is no reason to serve nobody.
            if let Err(error) = found.session(&entry.path(), &places) {
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
    fn session(&mut self, folder: &Path, places: &Places<'_>) -> io::Result<()> {
        let lengths = lengths(folder)?;
        let journals = lengths.keys().filter_map(|name| name.strip_suffix(JOURNAL));
        let mut ours: Vec<&str> = Vec::new();
        for lane in journals {
            self.reserve(lane);
            let journal = recover(folder, lane, &lengths, places).unwrap_or_else(|error| {
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

/// Where things are.
struct Places<'a> {
    dead_letter: &'a Path,
    disk: &'a Arc<Disk>,
}

impl Places<'_> {
    /// Keeps a file that nobody speaks of; an empty one goes.
    fn bury(&self, path: &Path, stream: Option<&StreamId>, lane: &str) -> io::Result<()> {
        let bytes = fs::metadata(path)?.len();
        if bytes > 0 {
            let session = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
            let letter = Letter::left(stream, &session, lane, "the journal that spoke of it is damaged");
            dead_letter::bury(self.dead_letter, path, None, &letter)?;
            metrics::counter!("millrace_delivery_abandoned_total").increment(1);
            tracing::error!(file = %path.display(), bytes, "a file whose journal is damaged: kept as dead letter");
        }
        fs::remove_file(path)
    }
}

/// Reads a lane's journal.
fn recover(
    folder: &Path,
    lane: &str,
    lengths: &BTreeMap<String, u64>,
    places: &Places<'_>,
) -> io::Result<Journal> {
    let path = folder.join(format!("{lane}{JOURNAL}"));
    if lengths.get(&format!("{lane}{JOURNAL}")) == Some(&0) {
        // Begun, and nothing was done yet; or there was more, and the file system lost it.
        let mut ours = lengths.keys().filter(|name| name.split_once('.').is_some_and(|(of, _)| of == lane));
        ours.try_for_each(|name| places.bury(&folder.join(name), None, lane))?;
        return Ok(Journal::OfNothing);
    }
    let lines = journal::decode(&fs::read(&path)?);
    let len_of = |name: &str| lengths.get(name).copied();
    let Some((header, book)) = journal::replay(&lines, len_of, |id| Files::part(lane, id)) else {
        tracing::error!(journal = %path.display(), "journal of another version or without a whole line; it is kept");
        return Ok(Journal::Unknown);
    };
    if lines.damaged > 0 {
        tracing::error!(journal = %path.display(), lines = lines.damaged, "a journal is damaged; what the rest of it speaks of goes on");
    }
    let stream = header.owner().map(|(stream, _)| stream);
    let stray = |path: &Path| match lines.damaged {
        0 => fs::remove_file(path),
        _ => places.bury(path, stream.as_ref(), lane),
    };
    let disk = Arc::clone(places.disk);
    let files = Files::recovered(folder.to_owned(), lane.to_owned(), header, disk, book, stray)?;
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
