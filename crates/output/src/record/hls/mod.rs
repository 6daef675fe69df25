//! m3u8 recordings: TS slices `{SliceOssObjectPrefix}.ts` that go out as they are cut, and a VOD playlist
//! `{OssObjectPrefix}.m3u8` when the file closes (design §6, packaging-rules ).
//!
//! TS carries one track of each kind, of the codecs that MPEG-TS defines (`container::ts::carries`): the first of a
//! kind that fits is recorded, what else there is left out with a warning.
//!
//! A slice begins with PAT, PMT and a key frame and holds the frames of both tracks from that moment of media
//! time to the next cut, so joined slices hold every frame once. Its sound follows its second picture: by the first
//! frame that FFmpeg gets of a playlist it seeks (`container::ts::Muxer::slice`). One muxer serves the whole session:
//! its continuity counters run on over slices and files, until a restart of ours, where the playlist has a
//! discontinuity.

mod file;
#[cfg(test)]
mod tests;

use std::slice::from_ref;

use bytes::{Bytes, BytesMut};
use container::ts;
use media::{Run, Track, TrackId, Wall};
use serde::{Deserialize, Serialize};

use super::Settings;
use super::book::{Book, File, SliceFacts};
use super::format::{Became, Format, Frame, Start};
use super::fragments::Carried;
use crate::{Effect, Effects, Error, FileId, Finish, Warning};
use file::Done;

/// PAT and PMT come at least this often, in microseconds (packaging-rules T-01).
const TABLES_MICROS: i64 = 500_000;

/// The slices of a file.
pub(super) struct Slices {
    muxer: Option<ts::Muxer>,
    /// Bad media of this run was reported.
    reported: bool,
    /// Those of the open file that are sealed.
    done: Vec<Done>,
    slice: Option<Slice>,
    batch: BytesMut,
    /// Tracks of the run.
    tracks: Vec<Carried>,
    /// What the open file carries, once it is known.
    carried: Option<Vec<Carried>>,
}

/// The slice that grows. Times are microseconds on the session's timeline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Slice {
    id: FileId,
    sequence: u64,
    key: String,
    start: i64,
    wall: Wall,
    /// Where the last frame of any track ends.
    end: i64,
    discontinuity: bool,
    independent: bool,
    tables_at: i64,
}

impl Slices {
    /// Moves what the muxer holds into the batch.
    fn gather(&mut self) {
        // Frames are whole once they are taken: nothing can fail.
        let _ = self.muxer.as_mut().map(|muxer| muxer.flush(&mut self.batch));
    }

    fn seal(&mut self, file: &File, slice: Slice, duration: i64, book: &mut Book, fx: &mut Effects) {
        let Slice { id, sequence, key, discontinuity, independent, .. } = slice;
        let object = book.object(key.clone());
        fx.push(Effect::Seal {
            file: id,
            to: object.clone(),
            content_type: "video/mp2t",
            finish: Finish::AsIs,
        });
        let start = slice.wall;
        let facts = SliceFacts { object, sequence, start, duration, discontinuity, init: None, audio: false };
        book.index_slice(file, facts, fx);
        // A clock that was set back must not make PROGRAM-DATE-TIME run backwards (packaging-rules R-03).
        let earliest = self.done.last().map_or(start, |last| last.wall.plus_micros(last.duration));
        let done = Done { key, duration, wall: start.max(earliest), discontinuity, independent };
        book.keep(&done);
        self.done.push(done);
    }
}

impl Format for Slices {
    type Now = (Option<Slice>, Option<Vec<Carried>>);
    type Keep = Done;
    const LEAD_FIRST: bool = true;

    fn new(settings: &Settings) -> Self {
        Self::resume(settings, Vec::new(), (None, None))
    }

    fn resume(_settings: &Settings, kept: Vec<Done>, (slice, carried): Self::Now) -> Self {
        let (tracks, batch) = (Vec::new(), BytesMut::new());
        Self { muxer: None, reported: false, done: kept, slice, batch, tracks, carried }
    }

    /// Players hold the tracks and codecs of a list's beginning for the whole of it.
    fn fits(&self, run: &Run) -> bool {
        let takes = || carriable(run).0.into_iter().map(Carried::of);
        self.carried.as_ref().is_none_or(|carried| takes().eq(carried.iter().cloned()))
    }

    fn begin(&mut self, run: &Run, fx: &mut Effects) -> Result<Vec<TrackId>, Error> {
        let (tracks, left) = carriable(run);
        for track in left {
            let codec = codec::rfc6381(&track.codec);
            fx.push(Effect::Warn(Warning::TrackLeftOut { output: "record/m3u8", codec }));
        }
        if let (true, Some(track)) = (tracks.is_empty(), run.tracks.first()) {
            return Err(Error::unsupported("m3u8", &track.codec));
        }
        self.tracks = tracks.iter().map(|track| Carried::of(track)).collect();
        let tracks: Vec<Track> = tracks.into_iter().cloned().collect();
        match &mut self.muxer {
            Some(muxer) => muxer.set_tracks(&tracks)?,
            None => self.muxer = Some(ts::Muxer::new(&tracks)?),
        }
        self.reported = false;
        Ok(tracks.iter().map(|track| track.id).collect())
    }

    fn start(
        &mut self,
        _file: &File,
        start: &Start,
        book: &mut Book,
        _fx: &mut Effects,
    ) -> Result<(), Error> {
        let (sequence, prefix) = book.slice(start.wall);
        self.carried = Some(self.tracks.clone());
        if let Some(muxer) = &mut self.muxer {
            if start.discontinuity {
                muxer.interrupt();
            }
            match start.entry {
                Some(_) => muxer.slice(&mut self.batch),
                None => muxer.tables(&mut self.batch),
            }
        }
        self.slice = Some(Slice {
            id: book.id(),
            sequence,
            key: prefix + ".ts",
            start: start.at,
            wall: start.wall,
            end: start.at,
            discontinuity: start.discontinuity,
            independent: start.is_independent(),
            tables_at: start.at,
        });
        Ok(())
    }

    fn write(
        &mut self,
        _file: &File,
        frame: &Frame<'_>,
        _book: &mut Book,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        let (Some(slice), Some(muxer)) = (&mut self.slice, &mut self.muxer) else { return Ok(()) };
        if frame.end.saturating_sub(slice.tables_at) > TABLES_MICROS {
            muxer.tables(&mut self.batch);
            slice.tables_at = frame.at;
        }
        let whole = self.batch.len();
        if let Err(error) = muxer.write(frame.packet, &mut self.batch) {
            self.batch.truncate(whole);
            if !std::mem::replace(&mut self.reported, true) {
                fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
            }
        }
        slice.end = slice.end.max(frame.end);
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.batch.len() + self.muxer.as_ref().map_or(0, ts::Muxer::waiting)
    }

    fn flush(&mut self, _file: &File, _book: &mut Book, fx: &mut Effects) {
        if self.muxer.as_ref().is_some_and(|muxer| !muxer.is_opening()) {
            self.gather();
        }
        if let Some(slice) = self.slice.as_ref().filter(|_| !self.batch.is_empty()) {
            fx.push(Effect::Grow { file: slice.id, body: vec![self.batch.split().freeze()] });
        }
    }

    fn release(&mut self, _book: &mut Book) {
        self.gather();
    }

    fn end(&mut self, file: &File, cut: Option<i64>, book: &mut Book, fx: &mut Effects) {
        self.gather();
        self.flush(file, book, fx);
        let Some(slice) = self.slice.take() else { return };
        let duration = cut.unwrap_or(slice.end).saturating_sub(slice.start).max(0);
        self.seal(file, slice, duration, book, fx);
    }

    fn close(&mut self, file: &File, book: &mut Book, fx: &mut Effects) -> Became {
        let key = book.prefix(file) + ".m3u8";
        self.carried = None;
        let playlist = file::playlist(&std::mem::take(&mut self.done), &key);
        let object = book.object(key);
        fx.push(Effect::Put {
            to: object.clone(),
            content_type: "application/vnd.apple.mpegurl",
            body: vec![Bytes::from(manifest::vod::render(&playlist))],
        });
        object.into()
    }

    fn now(&self) -> Self::Now {
        (self.slice.clone(), self.carried.clone())
    }
}

/// The first track of each kind that TS can carry, and the others.
fn carriable(run: &Run) -> (Vec<&Track>, Vec<&Track>) {
    let (mut taken, mut left): (Vec<&Track>, Vec<&Track>) = (Vec::new(), Vec::new());
    for track in &run.tracks {
        let alone = !taken.iter().any(|t| t.id.kind == track.id.kind);
        let fits = alone && ts::Muxer::new(from_ref(track)).is_ok();
        if fits { taken.push(track) } else { left.push(track) }
    }
    (taken, left)
}
