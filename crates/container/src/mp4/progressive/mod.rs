//! From fragments to one index at the front (packaging-rules ).

mod cursor;
mod read;
mod scan;
mod table;
#[cfg(test)]
mod tests;
mod write;

use std::io::{self, Read, Seek, SeekFrom, Write};

use scan::{Chunk, Scan};
use table::Table;
use write::Index;

use crate::Error;

/// The most samples of all tracks of a file; one with more is refused. Two days of 60 frames a second with sound:
/// beyond that the index alone, which is held in memory, would have hundreds of megabytes.
const MAX_SAMPLES: u64 = 1 << 24;
/// The largest `moov` or `moof` that is read: what says to be larger is damaged. A batch of media has some kilobytes.
const MAX_INDEX: u64 = 1 << 24;
/// The most tracks: as many as a session can have. What has more is damaged.
const MAX_TRACKS: usize = 512;
/// Media is copied in pieces of this many bytes.
const COPY: usize = 256 * 1024;

/// A progressive MP4 file made of a fragmented one: `ftyp`, `moov`, `mdat`, all samples in the order of the fragments.
///
/// The fragmented file is any number of a `moov` (as [`super::movie`] writes it, again wherever parameters changed) and
/// the fragments of [`super::track_fragment`] after it. It ends before the first thing that is not whole or not that
/// ([`Progressive::cut`]). Per track, fragments follow each other in time; a hole makes the sample before it longer.
/// Where parameters changed the track has one more sample entry. A decoder needs it to have the same codec, and the
/// timescale must stay; who writes begins another file otherwise.
///
/// Heads of open GOPs are no sync samples, and no random access entries either (`rap `, ISO/IEC 14496-12 §10.4): a
/// reader that goes by these, such as Chromium's, fails at pictures that need what came before.
///
/// What is presented first, of any track, is at the movie's beginning; a track that begins later has an empty edit
/// before it, of the others none. No roll distance is given for Opus, as the fragments have none.
///
/// Memory: 4 bytes a sample, 8 more where composition offsets vary (B-frames), 8 more where durations do, 4 for each
/// key frame, 40 for each fragment; twice for the time of [`Progressive::read`]. `MAX_SAMPLES` bounds it. The media is
/// never in memory.
#[derive(Debug)]
pub struct Progressive {
    /// `ftyp`, `moov` and the header of the `mdat`.
    head: Vec<u8>,
    /// Where each chunk is in the fragmented file, and its size.
    media: Vec<(u64, u64)>,
    len: u64,
    cut: u64,
}

/// Writes the progressive file of the fragmented file `source` to `out`.
///
/// # Errors
/// As [`Progressive::read`] and [`Progressive::write`].
pub fn progressive(source: &mut (impl Read + Seek), out: &mut impl Write) -> Result<Progressive, Error> {
    let file = Progressive::read(source)?;
    file.write(source, out)?;
    Ok(file)
}

impl Progressive {
    /// Reads all there is to know of the fragmented file `source`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Fragmented`] if there is no whole fragment, or if a track becomes something else;
    /// [`Error::TooLarge`] for more than 2^24 samples.
    pub fn read(source: &mut (impl Read + Seek)) -> Result<Self, Error> {
        let scan = Scan::of(source)?;
        if scan.chunks.is_empty() {
            return Err(Error::Fragmented { what: "no whole fragment", at: scan.whole });
        }
        let payload = scan.chunks.iter().map(|chunk| chunk.size).sum();
        let mut head = scan.index(payload)?;
        head.extend_from_slice(&mdat(payload));
        Ok(Self {
            len: (head.len() as u64).saturating_add(payload),
            head,
            media: scan.chunks.iter().map(|chunk| (chunk.at, chunk.size)).collect(),
            cut: scan.len - scan.whole,
        })
    }

    /// Bytes of the progressive file.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Bytes at the end of the fragmented file that are no whole fragment: they are left out.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// What it begins with: everything before the media.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Where in the fragmented file the media after [`Progressive::head`] is, in order: each piece's place and length.
    pub fn media(&self) -> &[(u64, u64)] {
        &self.media
    }

    /// Writes it; `source` is the file that was read.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, source: &mut (impl Read + Seek), out: &mut impl Write) -> Result<(), Error> {
        out.write_all(&self.head)?;
        let mut buffer = vec![0; COPY];
        for &(at, size) in &self.media {
            source.seek(SeekFrom::Start(at))?;
            copy(source, size, &mut buffer, out)?;
        }
        Ok(())
    }
}

fn copy(source: &mut impl Read, size: u64, buffer: &mut [u8], out: &mut impl Write) -> io::Result<()> {
    let mut left = size;
    while left > 0 {
        let piece = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(piece) = buffer.get_mut(..piece) else { break };
        source.read_exact(piece)?;
        out.write_all(piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}

/// Header of an `mdat` of that much media: 64 bits for its size only where 32 are too few.
fn mdat(payload: u64) -> Vec<u8> {
    match u32::try_from(payload.saturating_add(8)) {
        Ok(size) => [&size.to_be_bytes()[..], b"mdat"].concat(),
        Err(_) => [&1_u32.to_be_bytes()[..], b"mdat", &payload.saturating_add(16).to_be_bytes()].concat(),
    }
}

impl Scan {
    /// `ftyp` and `moov` of what it found.
    fn index(&self, payload: u64) -> Result<Vec<u8>, Error> {
        let mut chunks: Vec<Vec<(u64, &Chunk)>> = self.tables.iter().map(|_| Vec::new()).collect();
        let mut at = 0_u64;
        for chunk in &self.chunks {
            if let Some(own) = chunks.get_mut(chunk.track) {
                own.push((at, chunk));
            }
            at = at.saturating_add(chunk.size);
        }
        // A track without samples has no place in a file that is complete.
        let (tables, chunks): (Vec<&Table>, Vec<_>) =
            self.tables.iter().zip(chunks).filter(|(table, _)| table.start.is_some()).unzip();
        let mut index = Index { tables: &tables, chunks: &chunks, wide: false };
        let header = mdat(payload).len() as u64;
        let mut base = index.encode(0)?.len() as u64 + header;
        if base.saturating_add(payload) > u64::from(u32::MAX) {
            index.wide = true;
            base = index.encode(0)?.len() as u64 + header;
        }
        Ok(index.encode(base)?)
    }
}
