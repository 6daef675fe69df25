//! How a frame enters a file, and where files and slices begin and end.

use std::mem::{replace, take};

use media::{Packet, Run, Wall};

use super::{Recording, Stretch};
use crate::record::book::File;
use crate::record::format::{Entry, Format, Frame, Start};
use crate::record::gate::Way;
use crate::record::{BATCH_BYTES, BATCH_MICROS, KEYLESS_MICROS, wall_at};
use crate::{Effect, Effects, Error, Notice, Pause};

/// Frames of other tracks that precede the first key frame of a run wait for it this long, in microseconds, a little
/// longer than a session waits for one; then the file begins without. Without a bound a video track that never delivers
/// would keep all sound in memory.
const EARLY_MICROS: i64 = 3_500_000;

/// When the leading track brings nothing for so long, in microseconds, files and slices are cut at frames of others: a
/// camera that fails must not make an endless one of what its microphone sends.
const SILENT_MICROS: i64 = 10_000_000;

impl<F: Format> Recording<F> {
    /// The next frame in order.
    pub(super) fn frame(&mut self, run: &Run, packet: &Packet, fx: &mut Effects) -> Result<(), Error> {
        let Some(frame) = Frame::of(run, packet) else { return Ok(()) };
        let result = self.pass(&frame, fx);
        if let Some(entry) = frame.entry(self.lead).filter(|entry| entry.key) {
            self.keyed = Some(entry.shown);
        }
        result
    }

    fn pass(&mut self, frame: &Frame<'_>, fx: &mut Effects) -> Result<(), Error> {
        match self.gate.way() {
            Way::Open => self.record(frame, fx),
            Way::Asking => {
                fx.extend(self.gate.hold(frame, self.lead).map(Effect::Ask));
                Ok(())
            }
            Way::Closed => {
                self.stretch = Stretch::Joining;
                Ok(())
            }
        }
    }

    pub(super) fn record(&mut self, frame: &Frame<'_>, fx: &mut Effects) -> Result<(), Error> {
        let (at, wall) = (frame.at, wall_at(frame.run, frame.at));
        if self.gate.ends(wall) {
            self.finish(fx);
            return Ok(());
        }
        let entry = frame.entry(self.lead);
        let awaits_key = entry.is_some_and(|entry| self.awaits_key(entry, KEYLESS_MICROS));
        let led = self.is_led(frame);
        match (&mut self.stretch, entry) {
            (Stretch::Going, Some(entry)) => self.cut_if_due(frame, entry, fx)?,
            (Stretch::Going, None) if led => {}
            (Stretch::Going, None) => self.cut_where_due(frame, at, None, fx)?,
            (_, Some(_)) if !self.gate.begins(wall) => {
                self.stretch = Stretch::Joining;
                return Ok(());
            }
            (Stretch::Opening(early), Some(_)) => {
                let early = take(early);
                return self.with_entry(frame, early, entry, fx);
            }
            (Stretch::Joining, Some(_)) if awaits_key => return Ok(()),
            (Stretch::Joining, Some(_)) => return self.with_entry(frame, Vec::new(), entry, fx),
            (Stretch::Opening(early), None) if self.lead != Some(frame.packet.track) => {
                early.push(frame.packet.clone());
                let since = early.first().and_then(|first| Frame::of(frame.run, first)).map_or(at, |f| f.at);
                // What waited for the run is from before its key frame.
                if at.saturating_sub(since.max(frame.run.start)) < EARLY_MICROS {
                    return Ok(());
                }
                let early = take(early);
                return self.without_entry(frame.run, early, fx);
            }
            // Before a key frame nothing can be decoded.
            (Stretch::Opening(_) | Stretch::Joining, None) => return Ok(()),
        }
        self.put(frame, fx)
    }

    /// Whether this is a recovery point, and key frames come so often that the next one is waited for.
    fn awaits_key(&self, entry: Entry, patience: i64) -> bool {
        !entry.key && self.keyed.is_some_and(|keyed| entry.shown.saturating_sub(keyed) < patience)
    }

    /// A frame with which the file begins or goes on, and what came before it.
    fn with_entry(
        &mut self,
        frame: &Frame<'_>,
        early: Vec<Packet>,
        entry: Option<Entry>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        let first = early.first().filter(|_| !F::LEAD_FIRST).and_then(|first| Frame::of(frame.run, first));
        self.join(frame.run, first.map_or(frame.at, |first| first.at.min(frame.at)), entry, fx)?;
        for packet in &early {
            if let Some(frame) = Frame::of(frame.run, packet) {
                self.put(&frame, fx)?;
            }
        }
        self.put(frame, fx)
    }

    /// Frames that nothing follows at which decoding can start.
    pub(super) fn without_entry(
        &mut self,
        run: &Run,
        early: Vec<Packet>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        let Some(first) = early.first().and_then(|first| Frame::of(run, first)) else { return Ok(()) };
        if !self.gate.begins(wall_at(run, first.at)) {
            self.stretch = Stretch::Joining;
            return Ok(());
        }
        self.join(run, first.at, None, fx)?;
        for packet in &early {
            if let Some(frame) = Frame::of(run, packet) {
                self.put(&frame, fx)?;
            }
        }
        Ok(())
    }

    /// Begins a file, or goes on with it after a pause.
    fn join(&mut self, run: &Run, at: i64, entry: Option<Entry>, fx: &mut Effects) -> Result<(), Error> {
        let wall = wall_at(run, at);
        if entry.is_some() && self.file.as_ref().is_some_and(|file| file.unled) {
            self.close(fx);
        }
        let discontinuity = self.file.is_some();
        if let Some(file) = &mut self.file {
            let pause = Pause { at: file.duration(), wall: wall.micros_since(file.end_wall).max(0) };
            file.join(at, entry.map_or(at, |entry| entry.shown), F::ONE_CLOCK);
            if take(&mut self.paused) {
                file.pauses.push(pause);
                self.book.keep_pause(pause);
                fx.push(Effect::Notify(Notice::RecordResumed));
            }
        }
        (self.closes_at, self.stretch) = (None, Stretch::Going);
        self.start(run, at, entry, discontinuity, fx)
    }

    fn start(
        &mut self,
        run: &Run,
        at: i64,
        entry: Option<Entry>,
        discontinuity: bool,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        let wall = wall_at(run, at);
        let shown = entry.map_or(at, |entry| entry.shown);
        if self.file.is_none() {
            self.open(at, entry, wall, fx);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let picture = self.lead.and_then(|lead| run.track(lead)).and_then(|track| track.picture());
        if let Some(picture) = picture {
            (file.width, file.height) = (picture.width, picture.height);
        }
        self.slice_shown = shown;
        let start = Start { at, entry, wall, discontinuity };
        self.format.start(file, &start, &mut self.book, fx)
    }

    fn open(&mut self, at: i64, entry: Option<Entry>, wall: Wall, fx: &mut Effects) {
        if !replace(&mut self.exists, true) {
            fx.push(Effect::Notify(Notice::RecordStarted));
        } else if self.paused {
            fx.push(Effect::Notify(Notice::RecordResumed));
        }
        fx.push(Effect::Save(self.fresh()));
        fx.push(Effect::Notify(Notice::RecordFileOpened));
        let sequence = self.book.numbers.files;
        self.book.numbers.files += 1;
        (self.paused, self.cut, self.changed) = (false, false, true);
        self.file = Some(File {
            sequence,
            shift: at,
            shown: entry.map_or(0, |entry| entry.shown.saturating_sub(at)),
            end: at,
            shown_until: at,
            unled: entry.is_none(),
            start_wall: wall,
            end_wall: wall,
            width: 0,
            height: 0,
            pauses: Vec::new(),
        });
    }

    /// Whether the leading track decides about cuts: it does until it brings nothing for [`SILENT_MICROS`].
    fn is_led(&mut self, frame: &Frame<'_>) -> bool {
        if self.lead == Some(frame.packet.track) {
            self.led = frame.end;
        }
        frame.at.saturating_sub(self.led) < SILENT_MICROS
    }

    /// Ends the file or the slice if this is the first place that is shown at or after its time. Where key frames come
    /// more often than what is due lasts, only they are one.
    fn cut_if_due(&mut self, frame: &Frame<'_>, entry: Entry, fx: &mut Effects) -> Result<(), Error> {
        let (cycle, slice) = self.lengths();
        match self.awaits_key(entry, KEYLESS_MICROS.min(cycle).min(slice)) {
            true => Ok(()),
            false => self.cut_where_due(frame, entry.shown, Some(entry), fx),
        }
    }

    /// How long files and slices are, in microseconds.
    fn lengths(&self) -> (i64, i64) {
        let micros = |seconds: u32| i64::from(seconds) * 1_000_000;
        let slice = self.book.settings.slice.as_ref();
        (micros(self.book.cycle_s), slice.map_or(i64::MAX, |slice| micros(slice.duration_s)))
    }

    fn cut_where_due(
        &mut self,
        frame: &Frame<'_>,
        shown: i64,
        entry: Option<Entry>,
        fx: &mut Effects,
    ) -> Result<(), Error> {
        let (cycle, slice) = self.lengths();
        let Some(file) = &self.file else { return Ok(()) };
        let cycle_due = self.cut
            || (file.unled && entry.is_some())
            || file.time(shown).saturating_sub(file.shown) >= cycle;
        let slice_due = shown.saturating_sub(self.slice_shown) >= slice;
        if !(cycle_due || slice_due) {
            return Ok(());
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        if cycle_due {
            (file.end, file.end_wall) = (frame.at, wall_at(frame.run, frame.at));
        }
        self.format.end(file, Some(frame.at), &mut self.book, fx);
        if cycle_due {
            self.close(fx);
        }
        self.start(frame.run, frame.at, entry, false, fx)
    }

    fn put(&mut self, frame: &Frame<'_>, fx: &mut Effects) -> Result<(), Error> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if self.format.waiting() == 0 {
            self.batch_from = frame.at;
        }
        file.take(frame);
        file.end_wall = wall_at(frame.run, file.end);
        (self.reached, self.last) = (self.reached.max(frame.end), file.end_wall);
        self.format.write(file, frame, &mut self.book, fx)?;
        let due = frame.end.saturating_sub(self.batch_from) >= BATCH_MICROS;
        if due || self.format.waiting() >= BATCH_BYTES {
            self.format.flush(file, &mut self.book, fx);
        }
        Ok(())
    }
}
