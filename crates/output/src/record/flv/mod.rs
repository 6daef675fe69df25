//! FLV recordings `{OssObjectPrefix}.flv` (packaging-rules ).
//!
//! FLV carries every codec and every track: the main ones of H.264, AAC and MP3 in the form that all readers know,
//! everything else as Enhanced RTMP v2 has it (`container::flv::frame`).
//!
//! A track that begins later or ends is no matter; where the codec of one changes, a new file begins.
//!
//! A file grows with a small onMetaData at its front, so that what a crash leaves can be played. When it closes,
//! a head with everything that is known by then takes its place: duration, size and an index of key frames.

mod metadata;
#[cfg(test)]
mod tests;

use std::mem::{replace, take};

use bytes::Bytes;
use container::flv::{self, TagKind};
use media::{Run, Ticks, Timescale, Track, TrackId};
use serde::{Deserialize, Serialize};

use super::Settings;
use super::book::{Book, File};
use super::format::{Became, Format, Frame, Start};
use crate::{Effect, Effects, Error, FileId, Finish, Warning};
use metadata::{Key, Metadata, Totals};

/// The tags of a file.
pub(super) struct Tags {
    /// The run's tracks; the first decides about cuts.
    tracks: Vec<Track>,
    /// Sequence headers go before the next frame.
    headers_due: bool,
    /// Bad media of this run was reported.
    reported: bool,
    open: Option<Open>,
}

/// The file that grows.
struct Open {
    id: FileId,
    /// Bytes of the small head that the final one replaces.
    placeholder: u64,
    /// Bytes so far, those of the batch included.
    len: u64,
    metadata: Metadata,
    batch: Vec<Bytes>,
    batch_bytes: usize,
}

/// What is saved of an [`Open`] with every batch.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stand {
    id: FileId,
    placeholder: u64,
    len: u64,
    totals: Totals,
}

impl Format for Tags {
    /// Tags follow each other in time (packaging-rules R-12).
    const ONE_CLOCK: bool = true;
    type Now = Option<Stand>;
    type Keep = Key;

    fn new(settings: &Settings) -> Self {
        Self::resume(settings, Vec::new(), None)
    }

    fn resume(_settings: &Settings, kept: Vec<Key>, now: Option<Stand>) -> Self {
        let open = now.map(|Stand { id, placeholder, len, totals }| Open {
            id,
            placeholder,
            len,
            metadata: Metadata::resume(totals, kept),
            batch: Vec::new(),
            batch_bytes: 0,
        });
        Self { tracks: Vec::new(), headers_due: true, reported: false, open }
    }

    /// Readers open a decoder for the first codec of a track and keep it.
    fn fits(&self, run: &Run) -> bool {
        let takes = |open: &Open| run.tracks.iter().all(|track| open.metadata.takes(track));
        self.open.as_ref().is_none_or(takes)
    }

    fn begin(&mut self, run: &Run, _fx: &mut Effects) -> Result<Vec<TrackId>, Error> {
        self.tracks.clone_from(&run.tracks);
        self.reported = false;
        Ok(self.tracks.iter().map(|track| track.id).collect())
    }

    fn start(
        &mut self,
        _file: &File,
        _start: &Start,
        book: &mut Book,
        _fx: &mut Effects,
    ) -> Result<(), Error> {
        self.headers_due = true;
        if self.open.is_none() {
            let has = |video: bool| self.tracks.iter().any(|track| track.is_video() == video);
            self.open = Some(Open::new(book.id(), has(false), has(true))?);
        }
        Ok(())
    }

    fn write(
        &mut self,
        file: &File,
        frame: &Frame<'_>,
        book: &mut Book,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let indexed = frame.run.video().is_some_and(|main| main.id == frame.packet.track);
        let timestamp = open.timestamp(file.time(frame.at), indexed);
        if take(&mut self.headers_due) {
            for track in &self.tracks {
                open.sequence_header(track, timestamp)?;
            }
        }
        match open.frame(frame, timestamp, indexed) {
            Ok(Some(key)) => book.keep(&key),
            Ok(None) => {}
            Err(error) if !replace(&mut self.reported, true) => {
                fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.batch_bytes)
    }

    fn flush(&mut self, _file: &File, _book: &mut Book, fx: &mut Effects) {
        let Some(open) = &mut self.open else { return };
        open.batch_bytes = 0;
        if !open.batch.is_empty() {
            fx.push(Effect::Grow { file: open.id, body: take(&mut open.batch) });
        }
    }

    fn end(&mut self, file: &File, _cut: Option<i64>, book: &mut Book, fx: &mut Effects) {
        self.flush(file, book, fx);
    }

    fn close(&mut self, file: &File, book: &mut Book, fx: &mut Effects) -> Became {
        self.flush(file, book, fx);
        let object = book.object(book.prefix(file) + ".flv");
        let Some(open) = self.open.take() else { return object.into() };
        let finish = match open.metadata.head(file.duration(), open.placeholder, open.len) {
            Ok(head) => Finish::Head { head, skip: open.placeholder },
            Err(error) => {
                // The file plays without its index.
                fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
                Finish::AsIs
            }
        };
        fx.push(Effect::Seal { file: open.id, to: object.clone(), content_type: "video/x-flv", finish });
        object.into()
    }

    fn now(&self) -> Option<Stand> {
        let open = self.open.as_ref()?;
        let totals = open.metadata.totals.clone();
        Some(Stand { id: open.id, placeholder: open.placeholder, len: open.len, totals })
    }
}

impl Open {
    fn new(id: FileId, audio: bool, video: bool) -> Result<Self, Error> {
        let mut batch = Vec::new();
        let placeholder = metadata::placeholder(audio, video, &mut batch)?;
        Ok(Self {
            id,
            placeholder: placeholder as u64,
            len: placeholder as u64,
            metadata: Metadata::default(),
            batch,
            batch_bytes: placeholder,
        })
    }

    /// The tag time of `at` microseconds of file time: milliseconds, never before the last one's, and never that of
    /// the main picture before, which readers take for the same frame.
    fn timestamp(&self, at: i64, picture: bool) -> u32 {
        let totals = &self.metadata.totals;
        let millis = Timescale::MICROS.convert(Ticks(at), Timescale::MILLIS).0;
        let earliest = match totals.last_picture.filter(|_| picture) {
            Some(last) => last.saturating_add(1).max(totals.last_timestamp),
            None => totals.last_timestamp,
        };
        u32::try_from(millis.max(0)).unwrap_or(u32::MAX).max(earliest)
    }

    /// What a decoder of `track` must know before its frames, and what players should know of its colours.
    fn sequence_header(&mut self, track: &Track, timestamp: u32) -> Result<(), Error> {
        self.metadata.track(track);
        for (header, body) in flv::sequence_start(track).into_iter().chain(flv::colour_info(track)) {
            self.tag(kind(track), timestamp, &header, &body)?;
        }
        Ok(())
    }

    /// Writes a frame; `indexed`: it is of the track whose key frames are in the index. Answers its place there.
    fn frame(&mut self, frame: &Frame<'_>, timestamp: u32, indexed: bool) -> Result<Option<Key>, Error> {
        let Frame { track, packet, .. } = frame;
        let position = self.len;
        let millis = |ticks| track.timescale.convert(ticks, Timescale::MILLIS).0;
        let cts = millis(packet.pts()).saturating_sub(millis(packet.dts));
        let header = flv::frame(track, packet.is_entry(), i32::try_from(cts).unwrap_or(0));
        self.tag(kind(track), timestamp, &header, &packet.data)?;
        self.metadata.totals.last_timestamp = timestamp;
        if indexed {
            self.metadata.totals.last_picture = Some(timestamp);
        }
        Ok(self.metadata.frame(indexed, packet.is_entry(), Key(timestamp, position)))
    }

    fn tag(&mut self, kind: TagKind, timestamp: u32, header: &[u8], data: &Bytes) -> Result<(), Error> {
        let len = flv::write_tag(kind, timestamp, header, data, &mut self.batch)?;
        self.len += len as u64;
        self.batch_bytes += len;
        Ok(())
    }
}

fn kind(track: &Track) -> TagKind {
    if track.is_video() { TagKind::Video } else { TagKind::Audio }
}
