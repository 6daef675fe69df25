//! `ftyp` and `moov` of a progressive file (packaging-rules ).

use mp4_atom::{Edts, Elst, ElstEntry, Encode, FourCC, Ftyp, Mdhd, Mvhd, Tkhd};

use super::scan::Chunk;
use super::table::Table;
use crate::mp4::init::{Boxed, dinf, nest};

/// The index of a file whose chunks follow each other from `base` on.
pub(super) struct Index<'a> {
    pub tables: &'a [&'a Table],
    /// Of each table: its chunks, with where they are from `base` on.
    pub chunks: &'a [Vec<(u64, &'a Chunk)>],
    /// 64 bits for the places of chunks.
    pub wide: bool,
}

impl Index<'_> {
    /// `ftyp` and `moov`. The length does not depend on `base`.
    pub fn encode(&self, base: u64) -> Result<Vec<u8>, mp4_atom::Error> {
        let mut out = Vec::new();
        self.ftyp().encode(&mut out)?;
        let timescale = self.timescale();
        // What is shown first, in the movie's ticks, is at its beginning.
        let begins = |table: &Table| rescale(table.shown(), table.head.timescale, timescale);
        let origin = self.tables.iter().map(|table| begins(table)).min().unwrap_or(0);
        let edits: Vec<_> = self
            .tables
            .iter()
            .map(|table| Edit::of(table, begins(table).saturating_sub(origin), timescale))
            .collect();
        nest(b"moov", &mut out, |out| {
            let duration = edits.iter().map(Edit::end).max().unwrap_or(0);
            self.mvhd(timescale, duration).encode(out)?;
            for ((table, edit), chunks) in self.tables.iter().zip(&edits).zip(self.chunks) {
                nest(b"trak", out, |out| self.trak(table, edit, chunks, base, out))?;
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// `iso6` because composition offsets may be negative (`iso4` and up), `mp42` for who looks for no `iso` brand.
    fn ftyp(&self) -> Ftyp {
        let mut compatible_brands = vec![FourCC::new(b"isom"), FourCC::new(b"iso6"), FourCC::new(b"mp42")];
        if self.tables.iter().any(|table| table.head.description.get(4..8) == Some(b"av01")) {
            compatible_brands.push(FourCC::new(b"av01")); // AV1-ISOBMFF §2.1
        }
        Ftyp { major_brand: FourCC::new(b"isom"), minor_version: 0x200, compatible_brands }
    }

    /// The pictures', so that edits are exact for them.
    fn timescale(&self) -> u32 {
        let video = self.tables.iter().find(|table| table.head.video);
        video.or(self.tables.first()).map_or(1_000, |table| table.head.timescale)
    }

    fn mvhd(&self, timescale: u32, duration: u64) -> Mvhd {
        let ids = self.tables.iter().map(|table| table.head.tkhd.track_id);
        Mvhd {
            timescale,
            duration,
            rate: 1.into(),
            volume: 1.into(),
            next_track_id: ids.max().unwrap_or(0).saturating_add(1),
            ..Mvhd::default()
        }
    }

    fn trak(
        &self,
        table: &Table,
        edit: &Edit,
        chunks: &[(u64, &Chunk)],
        base: u64,
        out: &mut Vec<u8>,
    ) -> Boxed {
        let head = &table.head;
        Tkhd { duration: edit.end(), ..head.tkhd.clone() }.encode(out)?;
        Edts { elst: Some(edit.elst()) }.encode(out)?;
        nest(b"mdia", out, |out| {
            let duration = u64::try_from(table.duration()).unwrap_or(0);
            Mdhd { timescale: head.timescale, duration, language: "und".to_owned(), ..Mdhd::default() }
                .encode(out)?;
            out.extend_from_slice(&head.hdlr);
            nest(b"minf", out, |out| {
                out.extend_from_slice(&head.media);
                dinf(out)?;
                nest(b"stbl", out, |out| self.stbl(table, edit, chunks, base, out))
            })
        })
    }

    fn stbl(
        &self,
        table: &Table,
        edit: &Edit,
        chunks: &[(u64, &Chunk)],
        base: u64,
        out: &mut Vec<u8>,
    ) -> Boxed {
        full(b"stsd", 0, table.descriptions.len(), out, |out| {
            table.descriptions.iter().for_each(|entry| out.extend_from_slice(entry));
        })?;
        full(b"stts", 0, table.durations.0.len(), out, |out| {
            table.durations.0.iter().for_each(|&(count, ticks)| words(out, &[count, ticks]));
        })?;
        self.ctts(table, edit.lift, out)?;
        if table.head.video && table.sync.len() < table.sizes.len() {
            full(b"stss", 0, table.sync.len(), out, |out| words(out, &table.sync))?;
        }
        let same = stsc(chunks);
        full(b"stsc", 0, same.len(), out, |out| same.iter().for_each(|entry| words(out, entry)))?;
        nest(b"stsz", out, |out| {
            words(out, &[0, 0, count(table.sizes.len())]);
            words(out, &table.sizes);
            Ok(())
        })?;
        let places = chunks.iter().map(|&(at, _)| base.saturating_add(at));
        match self.wide {
            false => full(b"stco", 0, chunks.len(), out, |out| {
                places.for_each(|at| words(out, &[u32::try_from(at).unwrap_or(u32::MAX)]));
            }),
            true => full(b"co64", 0, chunks.len(), out, |out| {
                places.for_each(|at| out.extend_from_slice(&at.to_be_bytes()));
            }),
        }
    }

    /// Version 1 where an offset is negative; nothing where there is none.
    fn ctts(&self, table: &Table, lift: i32, out: &mut Vec<u8>) -> Boxed {
        let offsets = || table.offsets.0.iter().map(|&(count, cts)| (count, cts.saturating_add(lift)));
        if offsets().all(|(_, cts)| cts == 0) {
            return Ok(());
        }
        let version = u8::from(offsets().any(|(_, cts)| cts < 0));
        full(b"ctts", version, table.offsets.0.len(), out, |out| {
            offsets().for_each(|(count, cts)| words(out, &[count, cts.cast_unsigned()]));
        })
    }
}

impl Table {
    /// When its first picture is shown, in ticks.
    fn shown(&self) -> i64 {
        i64::try_from(self.start.unwrap_or(0)).unwrap_or(i64::MAX).saturating_add(self.shown_from)
    }
}

/// How a track's media is laid on the movie's timeline: nothing, then all of it (packaging-rules R-08).
struct Edit {
    /// In the movie's ticks.
    empty: u64,
    duration: u64,
    /// Composition time of what is shown first.
    media_time: u64,
    /// Added to all composition offsets: what is shown first must not be before the first decode time.
    lift: i32,
}

impl Edit {
    fn of(table: &Table, late: i64, timescale: u32) -> Self {
        let media = table.shown_to.saturating_sub(table.shown_from).max(0);
        Self {
            empty: u64::try_from(late).unwrap_or(0),
            // Rounded up: no reader may find the end of the last sample cut off.
            duration: u64::try_from(rescale_up(media, table.head.timescale, timescale)).unwrap_or(0),
            media_time: u64::try_from(table.shown_from).unwrap_or(0),
            lift: i32::try_from(table.shown_from.saturating_neg().max(0)).unwrap_or(i32::MAX),
        }
    }

    fn end(&self) -> u64 {
        self.empty.saturating_add(self.duration)
    }

    fn elst(&self) -> Elst {
        let entry =
            |segment_duration, media_time| ElstEntry { segment_duration, media_time, media_rate: 1.into() };
        let empty = (self.empty > 0).then(|| entry(self.empty, None));
        Elst { entries: empty.into_iter().chain([entry(self.duration, Some(self.media_time))]).collect() }
    }
}

/// Chunks in a row of as many samples and the same sample entry: first chunk, samples, entry.
fn stsc(chunks: &[(u64, &Chunk)]) -> Vec<[u32; 3]> {
    let mut runs: Vec<[u32; 3]> = Vec::new();
    for (number, (_, chunk)) in (1..).zip(chunks) {
        if runs
            .last()
            .is_none_or(|[_, samples, entry]| (*samples, *entry) != (chunk.samples, chunk.description))
        {
            runs.push([number, chunk.samples, chunk.description]);
        }
    }
    runs
}

/// A FullBox that begins with a count of what follows.
fn full(
    kind: &[u8; 4],
    version: u8,
    entries: usize,
    out: &mut Vec<u8>,
    body: impl FnOnce(&mut Vec<u8>),
) -> Boxed {
    nest(kind, out, |out| {
        words(out, &[u32::from(version) << 24, count(entries)]);
        body(out);
        Ok(())
    })
}

fn words(out: &mut Vec<u8>, words: &[u32]) {
    words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
}

fn count(entries: usize) -> u32 {
    u32::try_from(entries).unwrap_or(u32::MAX)
}

fn rescale(ticks: i64, from: u32, to: u32) -> i64 {
    let (from, to) = (i128::from(from.max(1)), i128::from(to));
    saturated((i128::from(ticks) * to + from / 2).div_euclid(from))
}

fn rescale_up(ticks: i64, from: u32, to: u32) -> i64 {
    let (from, to) = (i128::from(from.max(1)), i128::from(to));
    saturated((i128::from(ticks) * to + from - 1).div_euclid(from))
}

fn saturated(ticks: i128) -> i64 {
    i64::try_from(ticks).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
}
