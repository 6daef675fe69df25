//! cmaf recordings: one track per file (design §6, packaging-rules §3, R-01 to ).
//!
//! Slices `{SliceOssObjectPrefix}_v.m4s` and `_a.m4s` go out as they are cut (`_v1`, `_a1` … of further tracks), their
//! init segments `{first slice}_v_init.mp4` again for each file and wherever parameters change. When the file closes:
//! media playlists `{OssObjectPrefix}_video.m3u8` and `_audio.m3u8`, a static MPD `{OssObjectPrefix}.mpd` and the
//! multivariant playlist `{OssObjectPrefix}.m3u8` over the same slices. Where a codec or the set of tracks changes a new
//! file begins, as players hold both for the whole of a presentation.
//!
//! All tracks are cut at the same decode time, that of the leading track's key frame. Playlists say when pictures are
//! shown: with B-frames a slice of pictures begins a little later than that of the sound.

mod form;
mod mpd;
mod playlists;
mod rail;
mod slice;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use container::mp4;
use media::{Run, Ticks, TrackId};

use super::Settings;
use super::book::{Book, File, SliceFacts};
use super::format::{Became, Format, Frame, Start};
use super::fragments::Carried;
use crate::{Effect, Effects, Error, Finish, Object, Warning};
use form::Form;
use playlists::Presentation;
use rail::{Rail, content_type};
use slice::{Done, FormKept, Part};
pub(super) use slice::{Keep, Slice};

/// The tracks of the run, and the slices of the file.
pub(super) struct Cmaf {
    lanes: Vec<Rail>,
    /// Bad media of this run was reported.
    reported: bool,
    /// Init segments and sealed slices of the open file.
    forms: Vec<Form>,
    done: Vec<Done>,
    slice: Option<Slice>,
    /// What the open file carries, once it is known.
    carried: Option<Vec<Carried>>,
}

impl Format for Cmaf {
    type Now = (Option<Slice>, Option<Vec<Carried>>);
    type Keep = Keep;

    fn new(settings: &Settings) -> Self {
        Self::resume(settings, Vec::new(), (None, None))
    }

    fn resume(_settings: &Settings, kept: Vec<Keep>, (slice, carried): Self::Now) -> Self {
        let (mut forms, mut done) = (Vec::new(), Vec::new());
        for keep in kept {
            match keep {
                Keep::Form(FormKept(form)) => forms.push(form),
                Keep::Slice(slice) => done.push(slice),
            }
        }
        Self { lanes: Vec::new(), reported: false, forms, done, slice, carried }
    }

    fn fits(&self, run: &Run) -> bool {
        let takes = || run.tracks.iter().filter(|track| mp4::init(track).is_ok()).map(Carried::of);
        self.carried.as_ref().is_none_or(|carried| takes().eq(carried.iter().cloned()))
    }

    fn begin(&mut self, run: &Run, fx: &mut Effects) -> Result<Vec<TrackId>, Error> {
        let mut before = std::mem::take(&mut self.lanes);
        for track in &run.tracks {
            let same = before.iter().position(|rail| rail.track.id == track.id);
            match Rail::new(track.clone(), same.map(|at| before.swap_remove(at))) {
                Ok(rail) => self.lanes.push(rail),
                Err(_) => {
                    let codec = codec::rfc6381(&track.codec);
                    fx.push(Effect::Warn(Warning::TrackLeftOut { output: "record/cmaf", codec }));
                }
            }
        }
        self.reported = false;
        match run.tracks.first() {
            Some(track) if self.lanes.is_empty() => Err(Error::unsupported("cmaf", &track.codec)),
            _ => Ok(self.lanes.iter().map(|rail| rail.track.id).collect()),
        }
    }

    fn start(
        &mut self,
        _file: &File,
        start: &Start,
        book: &mut Book,
        _fx: &mut Effects,
    ) -> Result<(), Error> {
        let (sequence, prefix) = book.slice(start.wall);
        self.carried = Some(self.lanes.iter().map(|rail| Carried::of(&rail.track)).collect());
        self.slice = Some(Slice {
            sequence,
            prefix,
            start: start.at,
            wall: start.wall,
            discontinuity: start.discontinuity,
            independent: start.is_independent(),
            parts: Vec::new(),
        });
        Ok(())
    }

    fn write(
        &mut self,
        _file: &File,
        frame: &Frame<'_>,
        book: &mut Book,
        _fx: &mut Effects,
    ) -> Result<(), Error> {
        let packet = frame.packet;
        let forms = self.forms.len() + self.lanes.iter().filter(|rail| rail.is_new(&self.forms)).count();
        let rail = self.lanes.iter_mut().find(|rail| rail.track.id == packet.track);
        let (Some(rail), Some(slice)) = (rail, &mut self.slice) else { return Ok(()) };
        Ok(rail.take(packet, forms, slice, book)?)
    }

    fn waiting(&self) -> usize {
        self.lanes.iter().map(|rail| rail.waiting.bytes()).sum()
    }

    fn flush(&mut self, _file: &File, book: &mut Book, fx: &mut Effects) {
        self.put_inits(book, fx);
        let Some(slice) = &mut self.slice else { return };
        let mut result = Ok(());
        for rail in self.lanes.iter_mut().filter(|rail| !rail.waiting.is_empty()) {
            let lane = rail.lane();
            let Some(part) = slice.parts.iter_mut().find(|part| part.span.lane == lane) else { continue };
            let mut body = Vec::new();
            if part.bytes == 0 {
                body.push(mp4::styp(false));
            }
            let track = &rail.track;
            let drained = rail.waiting.drain(&mut body, |base, samples| {
                part.fragments = part.fragments.wrapping_add(1);
                mp4::fragment(part.fragments, track, base, samples)
            });
            part.bytes += body.iter().map(|piece| piece.len() as u64).sum::<u64>();
            fx.push(Effect::Grow { file: part.file, body });
            result = result.and(drained);
        }
        if let (Err(error), false) = (result, self.reported) {
            self.reported = true;
            fx.push(Effect::Warn(Warning::BadMedia(error.to_string())));
        }
    }

    fn is_empty(&self) -> bool {
        let written = |slice: &Slice| slice.parts.iter().any(|part| part.bytes > 0);
        self.done.is_empty() && !self.slice.as_ref().is_some_and(written)
    }

    fn release(&mut self, book: &mut Book) {
        self.release_until(None, book);
    }

    fn end(&mut self, file: &File, cut: Option<i64>, book: &mut Book, fx: &mut Effects) {
        self.release_until(cut, book);
        self.flush(file, book, fx);
        let Some(mut slice) = self.slice.take() else { return };
        slice.parts.sort_by_key(|part| part.span.lane);
        for part in &slice.parts {
            self.seal(file, &slice, part, book, fx);
        }
        self.list(slice, book);
    }

    fn close(&mut self, file: &File, book: &mut Book, fx: &mut Effects) -> Became {
        let (forms, done) = (std::mem::take(&mut self.forms), std::mem::take(&mut self.done));
        self.carried = None;
        // A file stands on its own: who deletes another one takes nothing from it.
        self.lanes.iter_mut().for_each(Rail::leave_file);
        let prefix = book.prefix(file);
        let presentation = Presentation::new(&prefix, &forms, &done);
        let mut beside = Vec::new();
        for (key, text) in presentation.media() {
            put(book.object(key.clone()), playlists::TYPE, text, fx);
            beside.push(key);
        }
        let key = prefix.clone() + ".mpd";
        put(book.object(key.clone()), mpd::TYPE, presentation.mpd(), fx);
        beside.push(key);
        let object = book.object(prefix.clone() + ".m3u8");
        put(object.clone(), playlists::TYPE, presentation.multivariant(), fx);
        Became { object, beside }
    }

    fn now(&self) -> Self::Now {
        (self.slice.clone(), self.carried.clone())
    }
}

fn put(to: Object, content_type: &'static str, text: String, fx: &mut Effects) {
    fx.push(Effect::Put { to, content_type, body: vec![Bytes::from(text)] });
}

impl Cmaf {
    /// Writes the pictures that are held back. That of the leading track, which decides about cuts, is shown until `cut`.
    fn release_until(&mut self, cut: Option<i64>, book: &mut Book) {
        let Some(slice) = &mut self.slice else { return };
        for (at, rail) in self.lanes.iter_mut().enumerate() {
            let next = cut.filter(|_| at == 0).map(|cut| rail.track.timescale.from_micros(cut).0);
            rail.release_until(next, slice, book);
        }
    }

    /// Stores the init segments that frames waiting now are the first to need. Together with these frames, so that
    /// what is saved of a slice and its init segment fit.
    fn put_inits(&mut self, book: &mut Book, fx: &mut Effects) {
        let Some(slice) = &self.slice else { return };
        let mut new: Vec<&Rail> = self.lanes.iter().filter(|rail| rail.is_new(&self.forms)).collect();
        new.sort_by_key(|rail| rail.init().map(|(_, form)| form));
        for rail in new {
            let Some((init, _)) = rail.init() else { continue };
            let key = format!("{}_{}_init.mp4", slice.prefix, rail.lane().letter());
            let form = Form::new(&rail.track, key.clone());
            fx.push(Effect::Put {
                to: book.object(key),
                content_type: rail.content_type(),
                body: vec![init.clone()],
            });
            book.keep(&Keep::Form(FormKept(form.clone())));
            self.forms.push(form);
        }
    }

    fn seal(&self, file: &File, slice: &Slice, part: &Part, book: &mut Book, fx: &mut Effects) {
        let lane = part.span.lane;
        let Some(form) = self.forms.get(part.span.form).filter(|_| part.bytes > 0) else { return };
        let object = book.object(slice.key(lane));
        fx.push(Effect::Seal {
            file: part.file,
            to: object.clone(),
            content_type: content_type(lane),
            finish: Finish::AsIs,
        });
        let late = form.timescale().micros(Ticks(part.span.from)).saturating_sub(slice.start);
        let facts = SliceFacts {
            object,
            sequence: slice.sequence,
            start: slice.wall.plus_micros(late),
            duration: part.span.micros(form),
            discontinuity: slice.discontinuity,
            init: Some(form.key.clone()),
            audio: lane.audio,
        };
        book.index_slice(file, facts, fx);
    }

    /// Takes a sealed slice into the playlists.
    fn list(&mut self, slice: Slice, book: &mut Book) {
        let tracks = slice.parts.iter().filter(|part| part.bytes > 0);
        let tracks: Vec<_> = tracks.map(|part| (part.span, part.bytes)).collect();
        if tracks.is_empty() {
            return;
        }
        // A clock that was set back must not make PROGRAM-DATE-TIME run backwards (packaging-rules R-03).
        let earliest = self.done.last().map(|last| last.wall.plus_micros(self.length(last)));
        let done = Done {
            prefix: slice.prefix,
            start: slice.start,
            wall: earliest.map_or(slice.wall, |earliest| earliest.max(slice.wall)),
            discontinuity: slice.discontinuity && !self.done.is_empty(),
            independent: slice.independent,
            tracks,
        };
        book.keep(&Keep::Slice(done.clone()));
        self.done.push(done);
    }

    /// How long a slice is, in microseconds, as its leading track says.
    fn length(&self, done: &Done) -> i64 {
        let lead = done.tracks.first().and_then(|(span, _)| Some((span, self.forms.get(span.form)?)));
        lead.map_or(0, |(span, form)| span.micros(form))
    }
}
