//! Syncing what lanes write: all of them together, so that a server with hundreds of streams asks its disk for a few
//! syncs a second and not for thousands.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout};

use crate::disk::Disk;
use crate::lane::{State, Unsynced, Work};

/// A sync begins this long after the first byte that it is of, so that with the time it takes nothing is at risk for
/// more than half a second.
const DELAY: Duration = Duration::from_millis(350);
/// Up to so many files are synced one by one; beyond it one call for the whole file system is cheaper.
const SINGLE: usize = 16;
/// The disk is looked at so often while it is short, to see whether it still is.
const LOOK: Duration = Duration::from_secs(1);

/// Syncs for all lanes.
#[derive(Debug)]
pub(crate) struct Syncer {
    spool: PathBuf,
    disk: Arc<Disk>,
    /// Lanes with something to sync. Held for a few instructions.
    dirty: Mutex<Dirty>,
    wake: mpsc::Sender<()>,
    /// Nobody waits for more to come.
    hurry: AtomicBool,
    /// How many syncs there were.
    rounds: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Dirty {
    lanes: Vec<Arc<State>>,
    /// When the first of them was.
    since: Option<Instant>,
    /// A sync is under way.
    syncing: bool,
    /// The last one failed: no hurry.
    failed: bool,
}

impl Syncer {
    /// Starts the task, which ends when nobody has the answer any more. Within a tokio runtime only.
    pub fn start(spool: PathBuf, disk: Arc<Disk>) -> Arc<Self> {
        let (wake, woken) = mpsc::channel(1);
        let syncer = Arc::new(Self {
            spool,
            disk,
            dirty: Mutex::default(),
            wake,
            hurry: AtomicBool::new(false),
            rounds: watch::Sender::new(0),
        });
        tokio::spawn(run(Arc::downgrade(&syncer), woken));
        syncer
    }

    /// The lane has something to sync.
    pub fn add(&self, lane: Arc<State>) {
        {
            let mut dirty = self.dirty();
            dirty.lanes.push(lane);
            dirty.since.get_or_insert_with(Instant::now);
        }
        // Full: it is about to look.
        let _ = self.wake.try_send(());
    }

    /// From now on everything is synced at once: the server ends.
    pub fn hurry(&self) {
        self.hurry.store(true, Ordering::Relaxed);
        let _ = self.wake.try_send(());
    }

    /// Waits until nothing is left to sync.
    pub async fn settle(&self) {
        let mut rounds = self.rounds.subscribe();
        while !self.is_clean() {
            if rounds.changed().await.is_err() {
                return;
            }
        }
    }

    fn dirty(&self) -> MutexGuard<'_, Dirty> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_clean(&self) -> bool {
        let dirty = self.dirty();
        dirty.since.is_none() && !dirty.syncing
    }

    /// When the next sync is due, if there is something to sync.
    fn due(&self) -> Option<Instant> {
        let dirty = self.dirty();
        let hurries = self.hurry.load(Ordering::Relaxed) && !dirty.failed;
        Some(dirty.since? + if hurries { Duration::ZERO } else { DELAY })
    }

    /// Syncs everything that is to be synced. Blocks.
    fn round(&self) {
        let lanes = {
            let mut dirty = self.dirty();
            (dirty.since, dirty.syncing, dirty.failed) = (None, true, false);
            std::mem::take(&mut dirty.lanes)
        };
        let batches: Vec<_> = lanes.into_iter().map(|lane| (lane.files.unsynced(), lane)).collect();
        let files: usize = batches.iter().map(|(unsynced, _)| unsynced.count()).sum();
        let together = (files > SINGLE).then(|| self.sync_all());
        for (unsynced, lane) in batches {
            let result = match &together {
                Some(Ok(())) => Ok(()),
                Some(Err(error)) => Err(io::Error::new(error.kind(), error.to_string())),
                None => self.sync(&unsynced),
            };
            self.end(lane, unsynced, result);
        }
        self.disk.look();
        self.dirty().syncing = false;
        self.rounds.send_modify(|rounds| *rounds += 1);
    }

    fn end(&self, lane: Arc<State>, unsynced: Unsynced, result: io::Result<()>) {
        match result {
            Ok(()) => {
                lane.files.synced(unsynced);
                lane.spool_works(Work::Sync);
            }
            Err(error) => {
                self.dirty().failed = true;
                lane.spool_failed(Work::Sync, &error);
                if lane.files.not_synced(unsynced) {
                    self.add(lane);
                }
            }
        }
    }

    fn sync_all(&self) -> io::Result<()> {
        self.disk.may_write()?;
        metrics::counter!("millrace_delivery_syncs_total", "kind" => "syncfs").increment(1);
        Ok(rustix::fs::syncfs(File::open(&self.spool)?)?)
    }

    /// The bytes before the line that counts them in, and both before their names.
    fn sync(&self, unsynced: &Unsynced) -> io::Result<()> {
        self.disk.may_write()?;
        metrics::counter!("millrace_delivery_syncs_total", "kind" => "file")
            .increment(unsynced.count() as u64);
        unsynced.data.iter().try_for_each(|file| file.sync_data())?;
        if let Some(journal) = &unsynced.journal {
            journal.sync_data()?;
        }
        match &unsynced.folder {
            Some(folder) => sync_folders(folder, &self.spool),
            None => Ok(()),
        }
    }
}

/// The folder's new entries, and the one that the folder itself may be.
fn sync_folders(folder: &Path, spool: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()?;
    File::open(spool)?.sync_all()
}

async fn run(syncer: Weak<Syncer>, mut woken: mpsc::Receiver<()>) {
    loop {
        let Some(this) = syncer.upgrade() else { return };
        let due = this.due();
        let short = this.disk.is_tight();
        drop(this);
        match due {
            Some(due) => {
                tokio::select! {
                    () = sleep_until(due) => {}
                    // It may be in a hurry now.
                    woken = woken.recv() => match woken {
                        Some(()) => continue,
                        None => return,
                    },
                }
                let Some(this) = syncer.upgrade() else { return };
                // It fails only if it panics or the runtime ends.
                if spawn_blocking(move || this.round()).await.is_err() {
                    return;
                }
            }
            None if short => match timeout(LOOK, woken.recv()).await {
                Ok(None) => return,
                Ok(Some(())) => {}
                Err(_) => {
                    let Some(this) = syncer.upgrade() else { return };
                    let disk = Arc::clone(&this.disk);
                    drop(this);
                    let _ = spawn_blocking(move || disk.look()).await;
                }
            },
            None => {
                if woken.recv().await.is_none() {
                    return;
                }
            }
        }
    }
}
