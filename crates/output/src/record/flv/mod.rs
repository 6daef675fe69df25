//! FLV recordings `{OssObjectPrefix}.flv` (packaging-rules ).
//!
//! FLV carries every codec and every track: the main ones of H.264, AAC and MP3 in the form that all readers know,
//! everything else as Enhanced RTMP v2 has it (`container::flv::frame`).
//!
//! A file grows with a small onMetaData at its front, so that what a crash leaves can be played. When it closes,
//! a head with everything that is known by then takes its place: duration, size and an index of key frames.

mod metadata;
#[cfg(test)]
mod tests;

use std::mem::{replace, take};

use bytes::Bytes;
use container::flv::{self, TagKind};
use media::{Packet, Run, StreamId, Ticks, Timescale, Track, TrackId, Wall};

use super::{BATCH_BYTES, BATCH_MICROS, Recording, Settings, key_shown, span, wall_at};
use crate::name::Values;
use crate::{Context, Effect, Effects, Error, Event, FileId, Finish, Object, Output, Warning};
use metadata::Metadata;

/// The output.
pub struct Flv(Recording<Tags>);

impl Flv {
    /// Opens it for a session.
    pub fn new(settings: Settings, context: &Context) -> Self {
        let delay_s = settings.delay_s;
        let stream = context.stream.clone();
        let tags = Tags {
            settings,
            stream,
            tracks: Vec::new(),
            headers_due: true,
            reported: false,
            files: 0,
            file: None,
        };
        Self(Recording::new(tags, delay_s))
    }
}

impl Output for Flv {
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        self.0.on(event, fx)
    }

    fn deadline(&self) -> Option<Wall> {
        self.0.deadline()
    }
}

struct Tags {
    settings: Settings,
    stream: StreamId,
    /// The run's tracks; the first decides about cuts.
    tracks: Vec<Track>,
    /// Sequence headers go before the next frame.
    headers_due: bool,
    /// Bad media of this run was reported.
    reported: bool,
    /// `{Sequence}` of the next file, and its id.
    files: u64,
    file: Option<File>,
}

/// The file that grows. Times are microseconds on the session's timeline.
struct File {
    id: FileId,
    start: i64,
    /// When its first frame is shown.
    shown: i64,
    start_wall: Wall,
    end_wall: Wall,
    /// Bytes of the small head that the final one replaces.
    placeholder: u64,
    /// Bytes so far, those of the batch included.
    len: u64,
    metadata: Metadata,
    batch: Vec<Bytes>,
    batch_bytes: usize,
    batch_from: i64,
}

impl Tags {
    fn lead(&self) -> Option<TrackId> {
        self.tracks.first().map(|track| track.id)
    }

    /// Ends the file if this key frame of the lead track is the first that is shown at or after CycleDuration.
    fn cut_if_due(&mut self, run: &Run, shown: i64, fx: &mut Effects) {
        let cycle = i64::from(self.settings.cycle_duration_s) * 1_000_000;
        if self.file.as_ref().is_some_and(|file| shown.saturating_sub(file.shown) >= cycle) {
            super::Format::pause(self, run, fx);
            super::Format::close(self, fx);
        }
    }

    fn open(&mut self, at: i64, shown: i64, wall: Wall) -> Result<(), Error> {
        let mut batch = Vec::new();
        let metadata = Metadata::default();
        let has = |video: bool| self.tracks.iter().any(|track| track.is_video() == video);
        let placeholder = metadata::placeholder(has(false), has(true), &mut batch)?;
        self.headers_due = true;
        self.file = Some(File {
            id: FileId(self.files),
            start: at,
            shown,
            start_wall: wall,
            end_wall: wall,
            placeholder: placeholder as u64,
            len: placeholder as u64,
            metadata,
            batch,
            batch_bytes: placeholder,
            batch_from: at,
        });
        self.files += 1;
        Ok(())
    }
}

impl super::Format for Tags {
    fn begin(&mut self, run: &Run, _fx: &mut Effects) -> Result<Vec<TrackId>, Error> {
        self.tracks.clone_from(&run.tracks);
        self.headers_due = true;
        self.reported = false;
        Ok(self.tracks.iter().map(|track| track.id).collect())
    }

    fn write(&mut self, run: &Run, packet: &Packet, fx: &mut Effects) -> Result<(), Error> {
        let Some((at, end)) = span(run, packet) else { return Ok(()) };
        let shown = key_shown(run, packet).filter(|_| Some(packet.track) == self.lead());
        if let Some(shown) = shown {
            self.cut_if_due(run, shown, fx);
        }
        if self.file.is_none() {
            self.open(at, shown.unwrap_or(at), wall_at(run, at))?;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        if take(&mut self.headers_due) {
            for track in &self.tracks {
                file.sequence_header(track, at)?;
            }
        }
        let Some(track) = self.tracks.iter().find(|track| track.id == packet.track) else { return Ok(()) };
        let indexed = run.video().is_some_and(|main| main.id == packet.track);
        if let Err(error) = file.frame(track, packet, (at, end), indexed)
            && !replace(&mut self.reported, true)
        {
            fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
        }
        file.end_wall = file.end_wall.max(wall_at(run, end));
        if file.batch_bytes >= BATCH_BYTES || end.saturating_sub(file.batch_from) >= BATCH_MICROS {
            file.batch_from = end;
            file.flush(fx);
        }
        Ok(())
    }

    fn pause(&mut self, _run: &Run, fx: &mut Effects) {
        if let Some(file) = &mut self.file {
            file.flush(fx);
        }
    }

    fn close(&mut self, fx: &mut Effects) {
        let Some(mut file) = self.file.take() else { return };
        file.flush(fx);
        let values = Values {
            stream: &self.stream,
            unix: file.start_wall.unix_seconds(),
            sequence: file.id.0,
            start: file.start_wall,
            end: file.end_wall,
            utc_offset: self.settings.utc_offset,
        };
        let finish = match file.metadata.head(file.placeholder, file.len) {
            Ok(head) => Finish::Head { head, skip: file.placeholder },
            Err(error) => {
                // The file plays without its index.
                fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
                Finish::AsIs
            }
        };
        let key = self.settings.name.expand(&values) + ".flv";
        let to = Object { bucket: self.settings.store.clone(), key };
        fx.push(Effect::Seal { file: file.id, to, content_type: "video/x-flv", finish });
    }

    fn is_open(&self) -> bool {
        self.file.is_some()
    }
}

impl File {
    /// The tag time of `at`: milliseconds since the file began, never before the last one's.
    fn timestamp(&self, at: i64) -> u32 {
        let millis = Timescale::MICROS.convert(Ticks(at.saturating_sub(self.start)), Timescale::MILLIS).0;
        u32::try_from(millis.max(0)).unwrap_or(u32::MAX).max(self.metadata.last_timestamp)
    }

    /// What a decoder of `track` must know before its frames, and what players should know of its colours.
    fn sequence_header(&mut self, track: &Track, at: i64) -> Result<(), Error> {
        let timestamp = self.timestamp(at);
        self.metadata.track(track);
        for (header, body) in flv::sequence_start(track).into_iter().chain(flv::colour_info(track)) {
            self.tag(kind(track), timestamp, &header, &body)?;
        }
        Ok(())
    }

    /// Writes a frame from `at` to `end`; `indexed`: it is of the track whose key frames are in the index.
    fn frame(
        &mut self,
        track: &Track,
        packet: &Packet,
        (at, end): (i64, i64),
        indexed: bool,
    ) -> Result<(), Error> {
        let timestamp = self.timestamp(at);
        let position = self.len;
        let millis = |ticks| track.timescale.convert(ticks, Timescale::MILLIS).0;
        let cts = millis(packet.pts()).saturating_sub(millis(packet.dts));
        let header = flv::frame(track, packet.key, i32::try_from(cts).unwrap_or(0));
        self.tag(kind(track), timestamp, &header, &packet.data)?;
        if indexed {
            self.metadata.video_frame(packet.key, timestamp, position);
        }
        self.metadata.last_timestamp = timestamp;
        self.metadata.duration = self.metadata.duration.max(end.saturating_sub(self.start));
        Ok(())
    }

    fn tag(&mut self, kind: TagKind, timestamp: u32, header: &[u8], data: &Bytes) -> Result<(), Error> {
        let len = flv::write_tag(kind, timestamp, header, data, &mut self.batch)?;
        self.len += len as u64;
        self.batch_bytes += len;
        Ok(())
    }

    fn flush(&mut self, fx: &mut Effects) {
        self.batch_bytes = 0;
        if !self.batch.is_empty() {
            fx.push(Effect::Grow { file: self.id, body: take(&mut self.batch) });
        }
    }
}

fn kind(track: &Track) -> TagKind {
    if track.is_video() { TagKind::Video } else { TagKind::Audio }
}
