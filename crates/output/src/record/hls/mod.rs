//! m3u8 recordings: TS slices `{SliceOssObjectPrefix}.ts` that go out as they are cut, and a VOD playlist
//! `{OssObjectPrefix}.m3u8` when the file closes (design §6, packaging-rules ).
//!
//! TS carries one track of each kind, of the codecs that MPEG-TS defines (`container::ts::carries`): the first of a
//! kind that fits is recorded, what else there is left out with a warning.
//!
//! A slice begins with PAT, PMT and a key frame and holds the frames of both tracks from that moment of media
//! time to the next cut, so joined slices hold every frame once. One muxer serves the whole session: its
//! continuity counters run on over slices and files.

mod file;
#[cfg(test)]
mod tests;

use std::slice::from_ref;

use bytes::{Bytes, BytesMut};
use container::ts;
use media::{Packet, Run, StreamId, Track, TrackId, Wall};

use super::{BATCH_BYTES, BATCH_MICROS, Recording, Settings, Slice as Slicing, key_shown, span, wall_at};
use crate::name::Values;
use crate::{Context, Effect, Effects, Error, Event, FileId, Finish, Object, Output, Warning};
use file::{Done, File};

/// PAT and PMT come at least this often, in microseconds (packaging-rules T-01).
const TABLES_MICROS: i64 = 500_000;
/// Audio that precedes the first key frame of a run waits for it this long, in microseconds; then the slice
/// begins without one. Without a bound a video track that never delivers would keep all audio in memory.
const EARLY_MICROS: i64 = 2_000_000;

/// The output.
pub struct Hls(Recording<Slices>);

impl Hls {
    /// Opens it for a session.
    pub fn new(settings: Settings, context: &Context) -> Self {
        let delay_s = settings.delay_s;
        Self(Recording::new(Slices::new(settings, context.stream.clone()), delay_s))
    }
}

impl Output for Hls {
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        self.0.on(event, fx)
    }

    fn deadline(&self) -> Option<Wall> {
        self.0.deadline()
    }
}

struct Slices {
    settings: Settings,
    slicing: Slicing,
    stream: StreamId,
    muxer: Option<ts::Muxer>,
    /// The track that decides about cuts.
    lead: Option<TrackId>,
    /// Frames of the other track from before the run's first key frame.
    early: Vec<Packet>,
    /// The next slice does not go on where the last one ended.
    joined: bool,
    /// Bad media of this run was reported.
    reported: bool,
    /// `{Sequence}` of the next file.
    files: u64,
    /// `{Sequence}` of the next slice, and its file's id.
    slices: u64,
    file: Option<File>,
    slice: Option<Slice>,
}

/// The slice that grows. Times are microseconds on the session's timeline.
struct Slice {
    id: FileId,
    key: String,
    start: i64,
    /// When its first frame is shown.
    shown: i64,
    wall: Wall,
    /// Where the last frame of any track ends.
    end: i64,
    discontinuity: bool,
    tables_at: i64,
    batch: BytesMut,
    batch_from: i64,
}

impl Slices {
    fn new(settings: Settings, stream: StreamId) -> Self {
        // A template always has it; without one the recording is sliced as by default.
        let slicing = settings.slice.clone();
        let slicing = slicing.unwrap_or_else(|| Slicing { duration_s: 30, name: settings.name.clone() });
        Self {
            settings,
            slicing,
            stream,
            muxer: None,
            lead: None,
            early: Vec::new(),
            joined: false,
            reported: false,
            files: 0,
            slices: 0,
            file: None,
            slice: None,
        }
    }

    /// Ends the slice, and the file with it, if this key frame of the lead track at `at` is the first that is shown
    /// at or after its time.
    fn cut_if_due(&mut self, at: i64, shown: i64, fx: &mut Effects) {
        let seconds = |s: u32| i64::from(s) * 1_000_000;
        let reached = |start: i64, limit: u32| shown.saturating_sub(start) >= seconds(limit);
        if self.file.as_ref().is_some_and(|f| reached(f.start, self.settings.cycle_duration_s)) {
            self.seal_slice(Some(at), fx);
            super::Format::close(self, fx);
        } else if self.slice.as_ref().is_some_and(|s| reached(s.shown, self.slicing.duration_s)) {
            self.seal_slice(Some(at), fx);
        }
    }

    /// Opens a slice at `at`; `shown` is the presentation time of the key frame that it begins with.
    fn open(&mut self, at: i64, wall: Wall, shown: Option<i64>) {
        let independent = shown.is_some();
        let shown = shown.unwrap_or(at);
        let sequence = self.files;
        let file = self.file.get_or_insert_with(|| {
            self.files += 1;
            File {
                sequence,
                start: shown,
                start_wall: wall,
                end_wall: wall,
                independent: true,
                done: Vec::new(),
            }
        });
        file.independent &= independent;
        let discontinuity = std::mem::take(&mut self.joined) && !file.done.is_empty();
        let values = Values {
            stream: &self.stream,
            unix: wall.unix_seconds(),
            sequence: self.slices,
            start: wall,
            end: wall,
            utc_offset: self.settings.utc_offset,
        };
        let mut batch = BytesMut::new();
        if let Some(muxer) = &mut self.muxer {
            muxer.tables(&mut batch);
        }
        self.slice = Some(Slice {
            id: FileId(self.slices),
            key: self.slicing.name.expand(&values) + ".ts",
            start: at,
            shown,
            wall,
            end: at,
            discontinuity,
            tables_at: at,
            batch,
            batch_from: at,
        });
        self.slices += 1;
    }

    fn append(&mut self, at: i64, end: i64, packet: &Packet, fx: &mut Effects) {
        let (Some(slice), Some(muxer)) = (&mut self.slice, &mut self.muxer) else { return };
        if end.saturating_sub(slice.tables_at) > TABLES_MICROS {
            muxer.tables(&mut slice.batch);
            slice.tables_at = at;
        }
        let whole = slice.batch.len();
        if let Err(error) = muxer.write(packet, &mut slice.batch) {
            slice.batch.truncate(whole);
            if !std::mem::replace(&mut self.reported, true) {
                fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
            }
        }
        slice.end = slice.end.max(end);
        if slice.batch.len() >= BATCH_BYTES || end.saturating_sub(slice.batch_from) >= BATCH_MICROS {
            slice.flush(fx);
        }
    }

    /// Completes the slice. It ends at `cut`, or with its last frame.
    fn seal_slice(&mut self, cut: Option<i64>, fx: &mut Effects) {
        let (Some(mut slice), Some(file)) = (self.slice.take(), &mut self.file) else { return };
        if let Some(Err(error)) = self.muxer.as_mut().map(|muxer| muxer.flush(&mut slice.batch)) {
            fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
        }
        slice.flush(fx);
        let duration = cut.unwrap_or(slice.end).saturating_sub(slice.start).max(0);
        file.end_wall = slice.wall.plus_micros(duration);
        fx.push(Effect::Seal {
            file: slice.id,
            to: Object { bucket: self.settings.store.clone(), key: slice.key.clone() },
            content_type: "video/mp2t",
            finish: Finish::AsIs,
        });
        // A clock that was set back must not make PROGRAM-DATE-TIME run backwards (packaging-rules R-03).
        let earliest = file.done.last().map_or(slice.wall, |last| last.wall.plus_micros(last.duration));
        let wall = slice.wall.max(earliest);
        file.done.push(Done { key: slice.key, duration, wall, discontinuity: slice.discontinuity });
    }

    /// The first frames of the run: writes those of the other track that came before the key frame after it.
    fn write_early(&mut self, run: &Run, fx: &mut Effects) {
        for packet in std::mem::take(&mut self.early) {
            if let Some((at, end)) = span(run, &packet) {
                self.append(at, end, &packet, fx);
            }
        }
    }
}

impl Slice {
    fn flush(&mut self, fx: &mut Effects) {
        self.batch_from = self.end;
        if !self.batch.is_empty() {
            fx.push(Effect::Grow { file: self.id, body: vec![self.batch.split().freeze()] });
        }
    }
}

impl super::Format for Slices {
    fn begin(&mut self, run: &Run, fx: &mut Effects) -> Result<Vec<TrackId>, Error> {
        let tracks = carried(run, fx)?;
        match &mut self.muxer {
            Some(muxer) => muxer.set_tracks(&tracks)?,
            None => self.muxer = Some(ts::Muxer::new(&tracks)?),
        }
        self.lead = tracks.first().map(|track| track.id);
        self.joined = self.file.is_some();
        self.reported = false;
        Ok(tracks.iter().map(|track| track.id).collect())
    }

    fn write(&mut self, run: &Run, packet: &Packet, fx: &mut Effects) -> Result<(), Error> {
        let Some((at, end)) = span(run, packet) else { return Ok(()) };
        let lead = Some(packet.track) == self.lead;
        let shown = key_shown(run, packet).filter(|_| lead);
        if let Some(shown) = shown {
            self.cut_if_due(at, shown, fx);
        }
        if self.slice.is_none() {
            let since = self.early.first().and_then(|first| span(run, first)).map_or(at, |(first, _)| first);
            if !lead && at.saturating_sub(since) < EARLY_MICROS {
                self.early.push(packet.clone());
                return Ok(());
            }
            let start = if lead { at } else { since };
            self.open(start, wall_at(run, start), shown);
        }
        if lead {
            self.append(at, end, packet, fx);
            self.write_early(run, fx);
        } else {
            self.write_early(run, fx);
            self.append(at, end, packet, fx);
        }
        Ok(())
    }

    fn pause(&mut self, run: &Run, fx: &mut Effects) {
        if self.slice.is_none()
            && let Some((at, _)) = self.early.first().and_then(|first| span(run, first))
        {
            self.open(at, wall_at(run, at), None);
            self.write_early(run, fx);
        }
        self.seal_slice(None, fx);
    }

    fn close(&mut self, fx: &mut Effects) {
        let Some(file) = self.file.take() else { return };
        self.joined = false;
        let values = Values {
            stream: &self.stream,
            unix: file.start_wall.unix_seconds(),
            sequence: file.sequence,
            start: file.start_wall,
            end: file.end_wall.max(file.start_wall),
            utc_offset: self.settings.utc_offset,
        };
        let key = self.settings.name.expand(&values) + ".m3u8";
        let playlist = file.playlist(&key);
        fx.push(Effect::Put {
            to: Object { bucket: self.settings.store.clone(), key },
            content_type: "application/vnd.apple.mpegurl",
            body: vec![Bytes::from(manifest::vod::render(&playlist))],
        });
    }

    fn is_open(&self) -> bool {
        self.file.is_some()
    }
}

/// The first track of each kind that TS can carry; others are left out with a warning.
fn carried(run: &Run, fx: &mut Effects) -> Result<Vec<Track>, Error> {
    let mut taken: Vec<Track> = Vec::new();
    for track in &run.tracks {
        let alone = !taken.iter().any(|t| t.id.kind == track.id.kind);
        if alone && ts::Muxer::new(from_ref(track)).is_ok() {
            taken.push(track.clone());
        } else {
            let codec = codec::rfc6381(&track.codec);
            fx.push(Effect::Warn(Warning::TrackLeftOut { output: "record/m3u8", codec }));
        }
    }
    match run.tracks.first() {
        Some(track) if taken.is_empty() => Err(Error::unsupported("m3u8", &track.codec)),
        _ => Ok(taken),
    }
}
