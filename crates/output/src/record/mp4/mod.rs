//! mp4 recordings: one file `{OssObjectPrefix}.mp4` of all tracks (packaging-rules ).
//!
//! It grows by fragments, so that a crash tears its tail alone, and becomes a progressive file with the index in front
//! when it is stored ([`Finish::Progressive`]). Pauses are left out of its timeline. Where parameters change, a picture's
//! size for one, it gets one more sample entry; where a codec, the timescale or the set of tracks changes, a new file
//! begins: players know one of each for a whole file.

#[cfg(test)]
mod tests;

use std::slice::from_ref;

use bytes::Bytes;
use container::mp4;
use media::{Run, Track, TrackId};
use serde::{Deserialize, Serialize};

use super::Settings;
use super::book::{Book, File};
use super::format::{Became, Format, Frame, Start};
use super::fragments::{Carried, Waiting};
use crate::{Effect, Effects, Error, FileId, Finish, Warning};

/// The open file and the tracks of the run.
pub(super) struct Mp4 {
    /// In the order of their ids in the file, and what of each waits.
    tracks: Vec<(Track, Waiting)>,
    /// The `moov` of these tracks, and the one that the file has last, if that is known.
    movie: Bytes,
    written: Option<Bytes>,
    /// Bad media of this run was reported.
    reported: bool,
    file: Option<Open>,
}

/// The file that grows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Open {
    id: FileId,
    /// Fragments so far.
    fragments: u32,
    /// Its tracks, with the timescale of each.
    tracks: Vec<(Carried, u32)>,
}

impl Mp4 {
    fn carried(&self) -> Vec<(Carried, u32)> {
        self.tracks.iter().map(|(track, _)| carried(track)).collect()
    }
}

impl Format for Mp4 {
    type Now = Option<Open>;
    type Keep = ();

    fn new(settings: &Settings) -> Self {
        Self::resume(settings, Vec::new(), None)
    }

    fn resume(_settings: &Settings, _kept: Vec<()>, now: Option<Open>) -> Self {
        Self { tracks: Vec::new(), movie: Bytes::new(), written: None, reported: false, file: now }
    }

    fn fits(&self, run: &Run) -> bool {
        let takes = || run.tracks.iter().filter(|track| fit(track)).map(carried);
        self.file.as_ref().is_none_or(|file| takes().eq(file.tracks.iter().cloned()))
    }

    fn begin(&mut self, run: &Run, fx: &mut Effects) -> Result<Vec<TrackId>, Error> {
        let (taken, left): (Vec<_>, Vec<_>) = run.tracks.iter().partition(|track| fit(track));
        for track in &left {
            let codec = codec::rfc6381(&track.codec);
            fx.push(Effect::Warn(Warning::TrackLeftOut { output: "record/mp4", codec }));
        }
        if let (true, Some(track)) = (taken.is_empty(), left.first()) {
            return Err(Error::unsupported("mp4", &track.codec));
        }
        let taken: Vec<Track> = taken.into_iter().cloned().collect();
        self.movie = mp4::movie(&taken)?;
        self.tracks = taken.into_iter().map(|track| (track, Waiting::default())).collect();
        self.reported = false;
        Ok(self.tracks.iter().map(|(track, _)| track.id).collect())
    }

    fn start(
        &mut self,
        _file: &File,
        _start: &Start,
        book: &mut Book,
        _fx: &mut Effects,
    ) -> Result<(), Error> {
        if self.file.is_none() {
            self.file = Some(Open { id: book.id(), fragments: 0, tracks: self.carried() });
            self.written = None;
        }
        Ok(())
    }

    fn write(
        &mut self,
        file: &File,
        frame: &Frame<'_>,
        _book: &mut Book,
        _fx: &mut Effects,
    ) -> Result<(), Error> {
        let packet = frame.packet;
        if let Some((track, waiting)) = self.tracks.iter_mut().find(|(track, _)| track.id == packet.track) {
            let shift = track.timescale.from_micros(file.shift);
            waiting.push(packet.dts.0.saturating_sub(shift.0), packet.cts.into(), packet);
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.tracks.iter().map(|(_, waiting)| waiting.bytes()).sum()
    }

    fn flush(&mut self, _file: &File, _book: &mut Book, fx: &mut Effects) {
        let Some(file) = self.file.as_mut().filter(|_| !self.tracks.iter().all(|(_, w)| w.is_empty())) else {
            return;
        };
        let mut body = Vec::new();
        if self.written.as_ref() != Some(&self.movie) {
            body.push(self.movie.clone());
            self.written = Some(self.movie.clone());
        }
        let mut result = Ok(());
        for (id, (track, waiting)) in (1..).zip(&mut self.tracks) {
            let drained = waiting.drain(&mut body, |base, samples| {
                file.fragments = file.fragments.wrapping_add(1);
                mp4::track_fragment(file.fragments, (id, track), base, samples)
            });
            result = result.and(drained);
        }
        fx.push(Effect::Grow { file: file.id, body });
        if let (Err(error), false) = (result, self.reported) {
            self.reported = true;
            fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
        }
    }

    fn end(&mut self, file: &File, _cut: Option<i64>, book: &mut Book, fx: &mut Effects) {
        self.flush(file, book, fx);
    }

    fn close(&mut self, file: &File, book: &mut Book, fx: &mut Effects) -> Became {
        let to = book.object(book.prefix(file) + ".mp4");
        if let Some(open) = self.file.take() {
            let sound = open.tracks.iter().all(|(carried, _)| carried.is_audio());
            fx.push(Effect::Seal {
                file: open.id,
                to: to.clone(),
                content_type: if sound { "audio/mp4" } else { "video/mp4" },
                finish: Finish::Progressive,
            });
        }
        to.into()
    }

    fn now(&self) -> Option<Open> {
        self.file.clone()
    }
}

/// Whether MP4 has a place for the track.
fn fit(track: &Track) -> bool {
    mp4::movie(from_ref(track)).is_ok()
}

fn carried(track: &Track) -> (Carried, u32) {
    (Carried::of(track), track.timescale.hz())
}
