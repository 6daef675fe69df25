//! What orders, answers and a full disk do to a recording.

use media::{Packet, Wall};

use super::{Recording, Stretch};
use crate::record::book::File;
use crate::record::format::{Format, Frame};
use crate::record::span;
use crate::{Answer, Effect, Effects, Error, Notice, Order, Refusal, Warning};

impl<F: Format> Recording<F> {
    pub(super) fn obey(&mut self, order: Order, at: Wall, fx: &mut Effects) -> Result<(), Refusal> {
        let done = match order {
            Order::Start => {
                self.gate.start()?;
                self.go_on(fx)
            }
            Order::Stop => self.stop(at, fx),
            Order::Restart => self.restart(fx),
            Order::CancelDelay => {
                if self.closes_at.is_some() {
                    self.finish(fx);
                }
                Ok(())
            }
        };
        self.broken = done.err();
        Ok(())
    }

    fn stop(&mut self, at: Wall, fx: &mut Effects) -> Result<(), Error> {
        let was_open = self.gate.is_open();
        let drained = if was_open { self.drain(fx) } else { Ok(()) };
        self.gate.stop();
        if was_open {
            self.end(None, fx);
            self.wait(at, fx);
        }
        drained
    }

    /// A recording that goes on cuts at the next key frame, so that no frame is lost; any other begins anew there.
    fn restart(&mut self, fx: &mut Effects) -> Result<(), Error> {
        if self.gate.is_open() && matches!(self.stretch, Stretch::Going) {
            (self.cut, self.changed) = (true, true);
            return Ok(());
        }
        self.close(fx);
        self.gate.restart();
        self.go_on(fx)
    }

    /// Frames are recorded from now on: those that wait, then from the next key frame.
    fn go_on(&mut self, fx: &mut Effects) -> Result<(), Error> {
        let Some(run) = self.run.take() else { return Ok(()) };
        self.closes_at = None;
        self.changed |= self.exists;
        let mut result = Ok(());
        let held = self.gate.held.take();
        if held.is_empty() && !matches!(self.stretch, Stretch::Going) {
            self.stretch = Stretch::Joining;
        }
        for (_, packet) in held {
            if let (Ok(()), Some(frame)) = (&result, Frame::of(&run, &packet)) {
                result = self.record(&frame, fx);
            }
        }
        self.run = Some(run);
        result
    }

    pub(super) fn answer(&mut self, answer: &Answer, fx: &mut Effects) -> Result<(), Error> {
        if !self.gate.answer(answer, &self.book.settings) {
            return Ok(());
        }
        let own = |(container, _): &&_| *container == self.book.settings.container;
        if let Some((_, cycle_s)) = answer.cycles.iter().find(own) {
            self.book.cycle_s = *cycle_s;
        }
        self.go_on(fx)
    }

    /// Frames are lost from now on. What was taken already waits: it cannot be written either.
    pub(super) fn block(&mut self, fx: &mut Effects) {
        let recording = self.file.is_some() || (self.run.is_some() && self.gate.is_open());
        if std::mem::replace(&mut self.blocked, true) || !recording {
            return;
        }
        let warning = Warning::RecordBlocked { output: self.book.settings.container.product() };
        fx.push(Effect::Notify(Notice::RecordFailed { reason: warning.to_string() }));
        fx.push(Effect::Warn(warning));
    }

    /// A frame that cannot be written. The file ends in time all the same: what it takes of a full disk becomes free once
    /// it is stored.
    pub(super) fn leave_out(&mut self, packet: &Packet, fx: &mut Effects) -> Result<(), Error> {
        let Some((at, _)) = self.run.as_ref().and_then(|run| span(run, packet)) else { return Ok(()) };
        let cycle = i64::from(self.book.cycle_s) * 1_000_000;
        let over = |file: &File| file.time(at).saturating_sub(file.shown) >= cycle;
        if self.cut || self.file.as_ref().is_some_and(over) {
            self.drain(fx)?;
            self.end(None, fx);
            self.close(fx);
        }
        Ok(())
    }

    /// The file goes on with the next key frame, as after a pause.
    pub(super) fn unblock(&mut self, fx: &mut Effects) -> Result<(), Error> {
        if !std::mem::take(&mut self.blocked) {
            return Ok(());
        }
        self.drain(fx)?;
        self.end(None, fx);
        self.paused |= self.file.is_some();
        self.changed |= self.exists;
        Ok(())
    }
}
