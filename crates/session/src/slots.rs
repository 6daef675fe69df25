//! The outputs of a session, each isolated: one that fails or panics is dropped, its siblings go on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use media::Wall;
use output::{Context, Effect, Effects, Event, Memory, Output, Spec, Warning};

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
            self.slots.push(Slot { id, spec: spec.clone(), output, error: None, left_out: Vec::new() });
        }
    }

    /// `context` with the counters as they are now: an output that ended may have counted on.
    fn updated(&self, context: &Context) -> Context {
        let mut context = context.clone();
        context.memory.append(&mut self.remembered.clone());
        context
    }

    /// Shows `event` to every output and collects what it causes.
    pub(crate) fn deliver(&mut self, event: Event<'_>, fx: &mut SlotEffects) {
        for slot in &mut self.slots {
            let Some(output) = slot.output.as_mut() else { continue };
            if let Event::Run(_) = event {
                slot.left_out.clear();
            }
            let scratch = &mut self.scratch;
            let outcome = catch_unwind(AssertUnwindSafe(|| output.on(event, scratch)));
            for effect in scratch.drain(..) {
                match &effect {
                    Effect::Remember { counter, value } => {
                        self.remembered.insert(counter.clone(), *value);
                    }
                    Effect::Warn(Warning::TrackLeftOut { codec, .. }) => slot.left_out.push(codec.clone()),
                    _ => {}
                }
                fx.push((Some(slot.id), effect));
            }
            let reason = match outcome {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(panic) => format!("panic: {}", panic_text(panic.as_ref())),
            };
            slot.output = None;
            slot.error = Some(reason.clone());
            let warning = Warning::OutputFailed { output: slot.spec.name(), reason };
            fx.push((Some(slot.id), Effect::Warn(warning)));
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
