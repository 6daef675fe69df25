//! What a recording saves, and how it goes on from there.

use super::Recording;
use crate::record::book::{Book, File};
use crate::record::format::Format;
use crate::record::gate::Gate;
use crate::record::saved::{self, Fresh, Kept, Now, Read};
use crate::{Context, Effect, Effects, Pause, Save, Saved};

impl<F: Format> Recording<F> {
    /// The recording that left `saved`, as if its source had gone with its last frame.
    pub fn resume(context: &Context, saved: &Saved) -> Option<Self> {
        let Read { fresh: Fresh { settings, cycle_s }, pauses, kept, now } = Read::of(saved)?;
        let Now { mut file, format, mut numbers, closes_at, last, reached, paused, cut } = now;
        let mut format = F::resume(&settings, kept, format);
        // Its only frame was not written: the file never was.
        if let Some(File { sequence, .. }) = file.take_if(|_| format.is_empty()) {
            (format, numbers.files) = (F::new(&settings), sequence);
        }
        if let Some(file) = &mut file {
            file.pauses = pauses;
        }
        let delay_micros = if cut { 0 } else { i64::from(settings.delay_s) * 1_000_000 };
        let mut recording = Self::new(settings, context);
        recording.gate = Gate::begun(&recording.book.settings);
        (recording.format, recording.torn, recording.file) = (format, file.is_some(), file);
        (recording.book.numbers, recording.book.cycle_s) = (numbers, cycle_s);
        (recording.last, recording.reached) = (last, reached);
        recording.closes_at = Some(closes_at.unwrap_or_else(|| last.plus_micros(delay_micros)));
        (recording.paused, recording.exists) = (paused, true);
        Some(recording)
    }

    /// What was asked for.
    pub fn settings(&self) -> &crate::record::Settings {
        &self.book.settings
    }

    /// After a restart: what a crash tore ends where it was saved.
    pub(super) fn mend(&mut self, fx: &mut Effects) {
        if !std::mem::take(&mut self.torn) {
            return;
        }
        self.end(None, fx);
        self.tell_pause(fx);
        self.changed = true;
    }

    pub(super) fn fresh(&self) -> Save {
        let Book { settings, cycle_s, .. } = &self.book;
        Save::Fresh(saved::write(&Fresh { settings: settings.clone(), cycle_s: *cycle_s }))
    }

    /// Saves how things stand if something was written since `before`, or changed.
    pub(super) fn save(&mut self, before: usize, fx: &mut Effects) {
        let written = |effect: &Effect| {
            matches!(
                effect,
                Effect::Grow { .. } | Effect::Seal { .. } | Effect::Put { .. } | Effect::Index(_)
            )
        };
        let caused = fx.get(before..).is_some_and(|caused| caused.iter().any(written));
        let due = std::mem::take(&mut self.changed) || caused;
        if !due || !self.exists {
            return;
        }
        match &self.file {
            Some(file) => self.format.flush(file, &mut self.book, fx),
            None => fx.push(Effect::Save(self.fresh())),
        }
        fx.extend(self.book.kept.drain(..).map(|kept| Effect::Save(Save::Keep(kept))));
        fx.push(Effect::Save(Save::Now(saved::write(&self.now()))));
    }

    fn now(&self) -> Now<F::Now> {
        Now {
            file: self.file.clone().map(|file| File { pauses: Vec::new(), ..file }),
            format: self.format.now(),
            numbers: self.book.numbers,
            closes_at: self.closes_at,
            last: self.last,
            reached: self.reached,
            paused: self.paused,
            cut: self.cut,
        }
    }
}

impl Book {
    pub(super) fn keep_pause(&mut self, pause: Pause) {
        self.put_down::<()>(&Kept::Pause(pause));
    }

    /// The file is complete: what was kept of it is no longer needed.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }
}
