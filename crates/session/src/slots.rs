//! The outputs of a session, each isolated: one that fails or panics is dropped, its siblings go on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use media::Wall;
use output::{Context, Effect, Effects, Error, Event, Memory, Order, Output, Refusal, Saved, Spec, Warning};

/// One output of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId {
    /// Counts up, never reused within the session.
    pub index: u32,
    /// Its product, as in [`Spec::name`].
    pub product: &'static str,
}

/// Effects and the output that caused each; `None`: the session itself.
pub type SlotEffects = Vec<(Option<SlotId>, Effect)>;

/// An output and what became of it.
pub(crate) struct Slot {
    pub(crate) id: SlotId,
    pub(crate) spec: Spec,
    pub(crate) output: Option<Box<dyn Output>>,
    pub(crate) error: Option<String>,
    /// RFC 6381 strings of the current run's tracks that it goes on without.
    pub(crate) left_out: Vec<String>,
    /// It was told that what it writes cannot be kept.
    blocked: bool,
}

/// An output that our own restart interrupted.
#[derive(Clone, Debug)]
pub struct Interrupted {
    /// Its [`SlotId::index`].
    pub index: u32,
    /// What it saved.
    pub saved: Saved,
}

/// All outputs of a session.
#[derive(Default)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    opened: u32,
    scratch: Effects,
    /// What outputs asked to remember, for those that open later in the session.
    remembered: Memory,
}

impl Slots {
    /// Makes `specs` the outputs: those that run already go on, others end, new ones open.
    pub(crate) fn replan(&mut self, specs: &[Spec], context: &Context, at: Wall, fx: &mut SlotEffects) {
        let mut wanted: Vec<&Spec> = specs.iter().collect();
        let (keep, drop): (Vec<Slot>, Vec<Slot>) = self.slots.drain(..).partition(|slot| {
            let position = wanted.iter().position(|spec| **spec == slot.spec && slot.output.is_some());
            position.map(|position| wanted.remove(position)).is_some()
        });
        self.slots = drop;
        self.deliver(Event::End(at), fx);
        self.slots = keep;
        let context = self.updated(context);
        for spec in wanted {
            let id = SlotId { index: self.opened, product: spec.name() };
            self.opened += 1;
            let output = Some(spec.open(&context));
            self.slots.push(Slot::new(id, spec.clone(), output));
        }
    }

    /// Opens what a restart interrupted. The answer is what could not be resumed.
    pub(crate) fn resume(&mut self, interrupted: Vec<Interrupted>, context: &Context) -> Vec<u32> {
        let mut lost = Vec::new();
        for Interrupted { index, saved } in interrupted {
            self.opened = self.opened.max(index.saturating_add(1));
            match catch_unwind(AssertUnwindSafe(|| Spec::resume(context, &saved))) {
                Ok(Some((spec, output))) => {
                    let id = SlotId { index, product: spec.name() };
                    self.slots.push(Slot::new(id, spec, Some(output)));
                }
                Ok(None) | Err(_) => lost.push(index),
            }
        }
        lost
    }

    /// Where the media of what was resumed ends, in microseconds of session time.
    pub(crate) fn reached(&self) -> i64 {
        self.slots
            .iter()
            .filter_map(|slot| slot.output.as_ref())
            .map(|output| output.reached())
            .max()
            .unwrap_or(0)
    }

    /// `context` with the counters as they are now: an output that ended may have counted on.
    fn updated(&self, context: &Context) -> Context {
        let mut context = context.clone();
        context.memory.append(&mut self.remembered.clone());
        context
    }

    /// Shows `event` to every output and collects what it causes.
    pub(crate) fn deliver(&mut self, event: Event<'_>, fx: &mut SlotEffects) {
        let Self { slots, scratch, remembered, .. } = self;
        for slot in slots {
            if let Event::Run(_) = event {
                slot.left_out.clear();
            }
            slot.shown(scratch, remembered, fx, |output, scratch| output.on(event, scratch));
        }
    }

    /// Gives an order to every recording; `None` if there is none. It counts as obeyed if one obeyed.
    pub(crate) fn order(
        &mut self,
        order: Order,
        at: Wall,
        fx: &mut SlotEffects,
    ) -> Option<Result<(), Refusal>> {
        let Self { slots, scratch, remembered, .. } = self;
        let mut answer = None;
        for slot in slots {
            slot.shown(scratch, remembered, fx, |output, scratch| {
                match (output.order(order, at, scratch), answer) {
                    (Some(Ok(())), _) => answer = Some(Ok(())),
                    (Some(refused), None) => answer = Some(refused),
                    _ => {}
                }
                Ok(())
            });
        }
        answer
    }

    /// Tells the outputs whose state changed that what they write cannot be kept (they are among `blocked`), or can
    /// be again.
    pub(crate) fn blocked(&mut self, blocked: &[u32], at: Wall, fx: &mut SlotEffects) {
        let Self { slots, scratch, remembered, .. } = self;
        for slot in slots {
            let now = blocked.contains(&slot.id.index);
            if now == std::mem::replace(&mut slot.blocked, now) {
                continue;
            }
            let event = if now { Event::Blocked(at) } else { Event::Unblocked(at) };
            slot.shown(scratch, remembered, fx, |output, scratch| output.on(event, scratch));
        }
    }

    /// The earliest moment an output waits for.
    pub(crate) fn deadline(&self) -> Option<Wall> {
        self.slots.iter().filter_map(|slot| slot.output.as_ref()?.deadline()).min()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }
}

impl Slot {
    fn new(id: SlotId, spec: Spec, output: Option<Box<dyn Output>>) -> Self {
        Self { id, spec, output, error: None, left_out: Vec::new(), blocked: false }
    }

    /// Shows its output something, isolated, and collects what that causes.
    fn shown(
        &mut self,
        scratch: &mut Effects,
        remembered: &mut Memory,
        fx: &mut SlotEffects,
        show: impl FnOnce(&mut dyn Output, &mut Effects) -> Result<(), Error>,
    ) {
        let Some(output) = self.output.as_deref_mut() else { return };
        let outcome = catch_unwind(AssertUnwindSafe(|| show(output, scratch)));
        for effect in scratch.drain(..) {
            match &effect {
                Effect::Remember { counter, value } => {
                    remembered.insert(counter.clone(), *value);
                }
                Effect::Warn(Warning::TrackLeftOut { codec, .. }) => self.left_out.push(codec.clone()),
                _ => {}
            }
            fx.push((Some(self.id), effect));
        }
        let reason = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("panic: {}", panic_text(panic.as_ref())),
        };
        self.output = None;
        self.error = Some(reason.clone());
        let warning = Warning::OutputFailed { output: self.spec.name(), reason };
        fx.push((Some(self.id), Effect::Warn(warning)));
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
impl Slots {
    /// Puts `output` in place of the one of slot `at`.
    pub(crate) fn replace(&mut self, at: usize, output: Box<dyn Output>) {
        self.slots[at].output = Some(output);
    }
}
