//! Carrying out one transaction: bytes first, and what the journal is to say of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use output::{Entry, FileId, Finish, Notice, Object, Save};

use super::files::{Files, Io};
use crate::journal::{Cargo, Damage, Parcel, Saving, Source, Transaction, What};
use crate::local::write_pieces;

/// What a transaction consists of.
#[derive(Debug)]
pub(crate) enum Step {
    Grow {
        file: FileId,
        body: Vec<Bytes>,
    },
    /// A batch of this file was dropped.
    Lost {
        file: FileId,
    },
    Seal {
        file: FileId,
        to: Object,
        content_type: &'static str,
        finish: Finish,
    },
    Put {
        to: Object,
        content_type: &'static str,
        body: Vec<Bytes>,
        replace: bool,
    },
    /// There is nothing to make this object of.
    Nothing {
        to: Object,
        why: String,
    },
    Save(Save),
    Index(Box<Entry>),
    Notice {
        notice: Notice,
        context: String,
    },
    /// These files went to the dead letters, and nothing is left to go on with.
    Buried(Vec<FileId>),
}

/// A transaction that is being carried out. Dropped before its end it leaves nothing that counts.
pub(super) struct Draft<'a> {
    files: &'a Files,
    io: &'a mut Io,
    /// Files that this transaction touches, as they are after it; `None`: closed.
    touched: BTreeMap<FileId, Option<(u64, Damage)>>,
    next: u64,
    bytes: u64,
    transaction: Transaction,
    buried: Vec<(String, u64)>,
}

impl<'a> Draft<'a> {
    pub fn new(files: &'a Files, io: &'a mut Io) -> Self {
        let next = files.book().next;
        Self {
            files,
            io,
            touched: BTreeMap::new(),
            next,
            bytes: 0,
            transaction: Transaction::default(),
            buried: Vec::new(),
        }
    }

    /// What the journal is to say, how many bytes the spool has more, and which files can go then.
    pub fn finish(mut self) -> (Transaction, u64, Vec<(String, u64)>) {
        for (&id, file) in &self.touched {
            let before = self.files.book().open.get(&id).copied();
            match file {
                Some((len, damage)) => {
                    if before.is_none_or(|before| before.len != *len) {
                        self.transaction.grown.push((id, *len));
                    }
                    if before.map(|before| before.damage).unwrap_or_default() != *damage {
                        self.transaction.damaged.push((id, *damage));
                    }
                }
                None => self.transaction.closed.push(id),
            }
        }
        (self.transaction, self.bytes, self.buried)
    }

    pub fn take(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Grow { file, body } => self.grow(*file, body)?,
            Step::Lost { file } => self.lose(*file),
            Step::Seal { file, to, content_type, finish } => self.seal(*file, to, content_type, finish)?,
            Step::Put { to, content_type, body, replace } => {
                let name = format!("{}.{}.put", self.files.name, self.next);
                let len = self.whole(&name, body)?;
                let cargo = Cargo {
                    to: to.clone(),
                    content_type: (*content_type).to_owned(),
                    replace: *replace,
                    source: Source::File { name, len },
                };
                self.parcel(What::Object(cargo));
            }
            Step::Nothing { to, why } => self.parcel(What::Nothing { to: to.clone(), why: why.clone() }),
            Step::Save(save) => self.transaction.saves.push(Saving::from(save)),
            Step::Index(entry) => self.parcel(What::Index(entry.clone())),
            Step::Notice { notice, context } => {
                self.parcel(What::Notice { notice: notice.clone(), context: context.clone() });
            }
            Step::Buried(ids) => ids.iter().for_each(|&id| self.bury(id)),
        }
        Ok(())
    }

    fn parcel(&mut self, what: What) {
        self.transaction.parcels.push(Parcel { n: self.next, what });
        self.next += 1;
    }

    /// A file as it is now; `None` if nothing was ever written to it.
    fn file(&self, id: FileId) -> Option<(u64, Damage)> {
        match self.touched.get(&id) {
            Some(file) => *file,
            None => self.files.book().open.get(&id).map(|file| (file.len, file.damage)),
        }
    }

    fn grow(&mut self, id: FileId, body: &[Bytes]) -> io::Result<()> {
        self.files.disk.may_write()?;
        let (at, damage) = self.file(id).unwrap_or_default();
        let file = self.files.open_file(self.io, id)?;
        let len = write(&file, at, body)?;
        self.bytes += len;
        self.touched.insert(id, Some((at + len, damage)));
        Ok(())
    }

    fn lose(&mut self, id: FileId) {
        let (len, damage) = self.file(id).unwrap_or_default();
        let damage = match damage {
            Damage::Beginning => Damage::Beginning,
            _ if len == 0 => Damage::Beginning,
            _ => Damage::Gap,
        };
        self.touched.insert(id, Some((len, damage)));
    }

    fn seal(
        &mut self,
        id: FileId,
        to: &Object,
        content_type: &'static str,
        finish: &Finish,
    ) -> io::Result<()> {
        let Some((len, damage)) = self.file(id).filter(|(len, _)| *len > 0) else {
            self.touched.insert(id, None);
            self.parcel(What::Nothing { to: to.clone(), why: "nothing of it was written".to_owned() });
            return Ok(());
        };
        self.files.disk.may_write()?;
        // A transaction that failed may have left bytes behind the last good one.
        self.files.open_file(self.io, id)?.set_len(len)?;
        let name = Files::part(&self.files.name, id);
        let source = match repaired(finish, damage) {
            Finish::AsIs => Source::File { name, len },
            Finish::Progressive => Source::Progressive { name, len },
            Finish::Head { head, skip } => {
                let beginning = format!("{}.{}.head", self.files.name, id.0);
                let head_len = self.whole(&beginning, &[head])?;
                Source::Join { head: beginning, head_len, name, len, skip }
            }
        };
        self.touched.insert(id, None);
        let content_type = content_type.to_owned();
        self.parcel(What::Object(Cargo { to: to.clone(), content_type, replace: false, source }));
        Ok(())
    }

    fn bury(&mut self, id: FileId) {
        let Some((len, _)) = self.file(id) else { return };
        self.buried.push((Files::part(&self.files.name, id), len));
        self.touched.insert(id, None);
    }

    fn whole(&mut self, name: &str, body: &[Bytes]) -> io::Result<u64> {
        self.files.disk.may_write()?;
        let file = self.files.create_whole(self.io, name)?;
        let len = write(&file, 0, body)?;
        self.bytes += len;
        Ok(len)
    }
}

/// Writes at a place of a file; how many bytes.
fn write(file: &Arc<File>, at: u64, body: &[Bytes]) -> io::Result<u64> {
    let mut out = &**file;
    out.seek(SeekFrom::Start(at))?;
    write_pieces(&mut out, body)?;
    Ok(body.iter().map(|piece| piece.len() as u64).sum())
}

/// What can still be done with a file that lacks batches: an index would point beside its frames, and a head
/// replaces only what is there.
fn repaired(finish: &Finish, damage: Damage) -> Finish {
    match (finish.clone(), damage) {
        (Finish::Head { .. }, Damage::Gap) => Finish::AsIs,
        (Finish::Head { head, .. }, Damage::Beginning) => Finish::Head { head, skip: 0 },
        (finish, _) => finish,
    }
}
