use std::io::{Read, Seek, SeekFrom};

use super::cursor::Cursor;
use super::read::{self, Run};
use super::table::Table;
use super::{MAX_INDEX, MAX_SAMPLES, MAX_TRACKS};
use crate::Error;

/// Samples of one fragment, which stay together.
pub(super) struct Chunk {
    /// Which of the tables.
    pub track: usize,
    /// Where its bytes are in the fragmented file.
    pub at: u64,
    pub size: u64,
    pub samples: u32,
    /// Which of the track's sample entries.
    pub description: u32,
}

/// What a fragmented file has.
#[derive(Default)]
pub(super) struct Scan {
    pub tables: Vec<Table>,
    /// In the order of the file.
    pub chunks: Vec<Chunk>,
    samples: u64,
    /// Where the last whole fragment or `moov` ends.
    pub whole: u64,
    /// Bytes of the file.
    pub len: u64,
}

/// A box of the file.
struct Outer {
    kind: [u8; 4],
    at: u64,
    header: u64,
    end: u64,
}

/// What is not whole, or not ours: the file ends before it.
struct Torn;

impl Scan {
    pub fn of(source: &mut (impl Read + Seek)) -> Result<Self, Error> {
        let mut scan = Self { len: source.seek(SeekFrom::End(0))?, ..Self::default() };
        while scan.whole < scan.len {
            match scan.step(source)? {
                Ok(end) => scan.whole = end,
                Err(Torn) => break,
            }
        }
        Ok(scan)
    }

    /// Takes the next box, of a fragment both. Answers where what follows begins.
    fn step(&mut self, source: &mut (impl Read + Seek)) -> Result<Result<u64, Torn>, Error> {
        let Some(outer) = self.outer(source, self.whole)? else { return Ok(Err(Torn)) };
        match &outer.kind {
            b"moov" => {
                let body = outer.body(source)?;
                match body.as_deref().and_then(|body| read::moov(Cursor(body))) {
                    Some(heads) => self.describe(heads, outer.at).map(|()| Ok(outer.end)),
                    None => Ok(Err(Torn)),
                }
            }
            b"moof" => self.fragment(source, &outer),
            _ => Ok(Ok(outer.end)),
        }
    }

    fn describe(&mut self, heads: Vec<read::Head>, at: u64) -> Result<(), Error> {
        for head in heads {
            let id = head.tkhd.track_id;
            let room = self.tables.len() < MAX_TRACKS;
            let same = match self.tables.iter_mut().find(|table| table.head.tkhd.track_id == id) {
                Some(table) => table.describe(head),
                None => {
                    self.tables.push(Table::new(head));
                    room
                }
            };
            if !same {
                return Err(Error::Fragmented { what: "other tracks than before", at });
            }
        }
        Ok(())
    }

    fn fragment(
        &mut self,
        source: &mut (impl Read + Seek),
        moof: &Outer,
    ) -> Result<Result<u64, Torn>, Error> {
        let Some(mdat) = self.outer(source, moof.end)?.filter(|next| next.kind == *b"mdat") else {
            return Ok(Err(Torn));
        };
        let body = moof.body(source)?;
        let Some(run) = body.as_deref().and_then(|body| read::moof(Cursor(body))) else {
            return Ok(Err(Torn));
        };
        let Some((track, at)) = self.place(&run, moof, &mdat) else { return Ok(Err(Torn)) };
        self.samples += run.samples.len() as u64;
        if self.samples > MAX_SAMPLES {
            let size = usize::try_from(self.samples).unwrap_or(usize::MAX);
            return Err(Error::TooLarge { what: "samples of a file", size, limit: MAX_SAMPLES as usize });
        }
        match self.tables.get_mut(track) {
            Some(table) if table.takes(&run) => {
                table.push(&run);
                let samples = u32::try_from(run.samples.len()).unwrap_or(u32::MAX);
                let description = table.description;
                self.chunks.push(Chunk { track, at, size: run.size, samples, description });
            }
            _ => return Ok(Err(Torn)),
        }
        Ok(Ok(mdat.end))
    }

    /// The table of a run's track and where its bytes are, if there are any and they are in the `mdat`.
    fn place(&self, run: &Run, moof: &Outer, mdat: &Outer) -> Option<(usize, u64)> {
        let track = self.tables.iter().position(|table| table.head.tkhd.track_id == run.track_id)?;
        let at = moof.at.checked_add(run.offset)?;
        let inside = at >= mdat.at + mdat.header && at.checked_add(run.size)? <= mdat.end;
        (inside && !run.samples.is_empty()).then_some((track, at))
    }

    /// The box at `at`, if it is whole.
    fn outer(&self, source: &mut (impl Read + Seek), at: u64) -> Result<Option<Outer>, Error> {
        source.seek(SeekFrom::Start(at))?;
        let mut head = Vec::with_capacity(16);
        source.by_ref().take(16).read_to_end(&mut head)?;
        Ok(header(Cursor(&head), at).filter(|outer| outer.end <= self.len))
    }
}

fn header(mut head: Cursor<'_>, at: u64) -> Option<Outer> {
    let size = head.u32()?;
    let kind = *head.take(4)?.first_chunk()?;
    let (header, size) = match size {
        1 => (16, head.u64()?),
        size => (8, size.into()),
    };
    // 0 stands for a box up to the end of the file: never one of ours.
    let end = at.checked_add(size).filter(|_| size >= header)?;
    Some(Outer { kind, at, header, end })
}

impl Outer {
    /// What it holds; `None` if that is more than an index can be.
    fn body(&self, source: &mut (impl Read + Seek)) -> Result<Option<Vec<u8>>, Error> {
        let size = self.end - self.at - self.header;
        if size > MAX_INDEX {
            return Ok(None);
        }
        source.seek(SeekFrom::Start(self.at + self.header))?;
        let mut body = Vec::new();
        source.by_ref().take(size).read_to_end(&mut body)?;
        Ok(Some(body).filter(|body| body.len() as u64 == size))
    }
}
