//! What all recordings do alike: which frames enter a file, when it goes on, when it ends, and what is saved of it.

mod frames;
mod gated;
mod kept;

use std::mem::{replace, take};
use std::time::Duration;

use media::{Gap, Packet, Run, TrackId, Wall};

use super::Settings;
use super::book::{Book, File};
use super::format::Format;
use super::gate::Gate;
use super::interleave::Interleave;
use crate::{Context, Effect, Effects, Error, Event, Notice, Order, Output, Refusal, Save};

/// A recording: joins runs into one file while the pauses between them are shorter than DelayTime.
pub(super) struct Recording<F> {
    gate: Gate,
    run: Option<Run>,
    /// The track that decides about cuts.
    lead: Option<TrackId>,
    /// When the run's last key frame of that track is shown, in microseconds on the session's timeline.
    keyed: Option<i64>,
    /// Where the last frame of the lead track ended, in microseconds on the session's timeline.
    led: i64,
    frames: Interleave,
    stretch: Stretch,
    format: F,
    book: Book,
    file: Option<File>,
    /// When the slice's first frame is shown, and since when frames wait in the format; microseconds on the session's
    /// timeline.
    slice_shown: i64,
    batch_from: i64,
    /// Where the last frame ended: in microseconds on the session's timeline, and of wall time.
    reached: i64,
    last: Wall,
    /// When DelayTime is over; set while nothing comes that is recorded.
    closes_at: Option<Wall>,
    /// Since the last frame there was a pause that the index must know.
    paused: bool,
    /// What was saved is enough to go on with: from the first file on until none follows.
    exists: bool,
    /// Something is to be saved though nothing was written.
    changed: bool,
    /// An operator ordered a new file: it begins with the next key frame.
    cut: bool,
    blocked: bool,
    /// No publisher since the last one left.
    gone: bool,
    /// A slice may be open that a crash tore.
    torn: bool,
    /// An order could not be obeyed; said at the next event.
    broken: Option<Error>,
}

/// How frames of the run enter the file.
enum Stretch {
    /// From the run's beginning on: frames of other tracks wait for the first key frame of the lead track.
    Opening(Vec<Packet>),
    /// From the next key frame on.
    Joining,
    /// One after the other.
    Going,
}

impl<F: Format> Recording<F> {
    pub fn new(settings: Settings, context: &Context) -> Self {
        let (gate, format) = (Gate::new(&settings), F::new(&settings));
        Self {
            gate,
            run: None,
            lead: None,
            keyed: None,
            led: 0,
            frames: Interleave::default(),
            stretch: Stretch::Joining,
            format,
            book: Book::new(settings, context.stream.clone()),
            file: None,
            slice_shown: 0,
            batch_from: 0,
            reached: 0,
            last: context.opened,
            closes_at: None,
            paused: false,
            exists: false,
            changed: false,
            cut: false,
            blocked: false,
            gone: true,
            torn: false,
            broken: None,
        }
    }

    fn take(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        self.mend(fx);
        match event {
            Event::Run(run) => self.begin(run, fx),
            Event::Packet(packet) => self.packet(packet, fx),
            Event::KeyFrame { .. } => Ok(()),
            Event::Gap(why, at) => self.gap(why, at, fx),
            Event::Tick(now) => self.tick(now, fx),
            Event::Answer(answer) => self.answer(answer, fx),
            Event::Blocked(_) => {
                self.block(fx);
                Ok(())
            }
            Event::Unblocked(_) => self.unblock(fx),
            Event::Suspend(_) => {
                self.drain(fx)?;
                self.format.release(&mut self.book);
                self.changed = true;
                Ok(())
            }
            Event::End(_) => {
                self.pause(fx)?;
                self.finish(fx);
                Ok(())
            }
        }
    }

    fn begin(&mut self, run: &Run, fx: &mut Effects) -> Result<(), Error> {
        self.pause(fx)?;
        // A publisher who comes back too late finds the file closed, even if nobody ticked in between.
        if self.closes_at.is_some_and(|at| at <= run.wall) {
            self.finish(fx);
        }
        if take(&mut self.gone) {
            self.gate.published();
        }
        if self.gate.is_open() {
            self.closes_at = None;
        }
        if self.file.is_some() && !self.format.fits(run) {
            self.close(fx);
        }
        let tracks = self.format.begin(run, fx)?;
        (self.lead, self.keyed, self.led) = (tracks.first().copied(), None, run.start);
        self.frames = Interleave::of(&tracks);
        self.stretch = Stretch::Opening(Vec::new());
        self.run = Some(run.clone());
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, fx: &mut Effects) -> Result<(), Error> {
        if self.blocked {
            return self.leave_out(packet, fx);
        }
        if let Some(run) = &self.run {
            self.frames.push(run, packet);
        }
        self.write(false, fx)
    }

    fn gap(&mut self, why: Gap, at: Wall, fx: &mut Effects) -> Result<(), Error> {
        self.pause(fx)?;
        self.gate.broke();
        if why.source_gone() {
            self.gate.gone();
            self.gone = true;
            self.wait(at, fx);
        }
        Ok(())
    }

    /// Nothing comes that is recorded: DelayTime begins, unless it runs already.
    fn wait(&mut self, at: Wall, fx: &mut Effects) {
        if take(&mut self.cut) {
            self.close(fx);
        }
        if !self.exists || self.closes_at.is_some() {
            return;
        }
        let delay = Duration::from_secs(self.book.settings.delay_s.into());
        self.closes_at = Some(at.plus(delay));
        self.changed = true;
        self.tell_pause(fx);
    }

    fn tell_pause(&mut self, fx: &mut Effects) {
        if self.file.is_some() && !replace(&mut self.paused, true) {
            fx.push(Effect::Notify(Notice::RecordPaused));
        }
    }

    fn tick(&mut self, now: Wall, fx: &mut Effects) -> Result<(), Error> {
        if self.closes_at.is_some_and(|at| at <= now) {
            self.finish(fx);
        }
        if self.book.settings.not_after.is_some_and(|until| until <= now) {
            self.drain(fx)?;
            self.gate.ends(now);
            self.finish(fx);
        }
        Ok(())
    }

    /// No frame follows in this run. What is there is written, and the slice ends.
    fn pause(&mut self, fx: &mut Effects) -> Result<(), Error> {
        self.drain(fx)?;
        self.end(None, fx);
        self.run = None;
        Ok(())
    }

    /// Writes every frame that is there, without waiting for those that could precede it.
    fn drain(&mut self, fx: &mut Effects) -> Result<(), Error> {
        self.write(true, fx)?;
        let Stretch::Opening(early) = &mut self.stretch else { return Ok(()) };
        let (early, Some(run)) = (take(early), self.run.take()) else { return Ok(()) };
        let result = self.without_entry(&run, early, fx);
        self.run = Some(run);
        result
    }

    fn write(&mut self, all: bool, fx: &mut Effects) -> Result<(), Error> {
        let Some(run) = self.run.take() else { return Ok(()) };
        let mut result = Ok(());
        while let (Ok(()), Some(packet)) = (&result, self.frames.pop(all)) {
            result = self.frame(&run, &packet, fx);
        }
        self.run = Some(run);
        result
    }

    /// The slice ends with its last frame.
    fn end(&mut self, cut: Option<i64>, fx: &mut Effects) {
        if let Some(file) = &self.file {
            self.format.end(file, cut, &mut self.book, fx);
        }
        self.stretch = Stretch::Joining;
    }

    /// The file ends. The recording goes on.
    fn close(&mut self, fx: &mut Effects) {
        let Some(file) = self.file.take() else { return };
        let became = self.format.close(&file, &mut self.book, fx);
        let entry = Box::new(self.book.entry(file, became));
        fx.push(Effect::Index(entry.clone()));
        fx.push(Effect::Notify(Notice::RecordFileStored(entry)));
        self.book.forget();
        (self.cut, self.changed) = (false, true);
    }

    /// The recording ends: no file follows.
    fn finish(&mut self, fx: &mut Effects) {
        self.end(None, fx);
        self.close(fx);
        (self.closes_at, self.paused, self.changed) = (None, false, false);
        if take(&mut self.exists) {
            fx.push(Effect::Notify(Notice::RecordEnded));
            fx.push(Effect::Save(Save::Done));
        }
    }
}

impl<F: Format> Output for Recording<F> {
    /// After an error what was recorded before is complete.
    fn on(&mut self, event: Event<'_>, fx: &mut Effects) -> Result<(), Error> {
        let before = fx.len();
        let result = self.take(event, fx);
        if let Err(error) = &result {
            fx.push(Effect::Notify(Notice::RecordFailed { reason: error.to_string() }));
            self.finish(fx);
        }
        self.save(before, fx);
        result
    }

    fn deadline(&self) -> Option<Wall> {
        let until = self.book.settings.not_after.filter(|_| self.exists);
        [self.closes_at, until].into_iter().flatten().min()
    }

    fn order(&mut self, order: Order, at: Wall, fx: &mut Effects) -> Option<Result<(), Refusal>> {
        let before = fx.len();
        self.mend(fx);
        let answer = self.obey(order, at, fx);
        self.save(before, fx);
        Some(answer)
    }

    fn reached(&self) -> i64 {
        self.reached
    }
}
