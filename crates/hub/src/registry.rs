use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::{StreamId, Wall};
use tokio::sync::mpsc;

use crate::command::Command;
use crate::hub::{Publisher, Refused, SecondPublisher, Settings, World};

/// A publisher that sent media this recently keeps its name (design §7 rule 7), in microseconds.
const KEEPS_NAME_MICROS: i64 = 3_000_000;

/// What all handles of a hub share.
pub(crate) struct Inner {
    pub world: Arc<dyn World>,
    settings: Settings,
    registry: Mutex<Registry>,
}

/// Who owns which session.
#[derive(Default)]
pub(crate) struct Registry {
    pub streams: HashMap<StreamId, Entry>,
    claims: u64,
    pub closing: bool,
}

/// Who owns a stream's session.
pub(crate) struct Entry {
    /// Grows with each owner, so that an earlier one can't remove a later one's entry.
    claim: u64,
    pub commands: mpsc::Sender<Command>,
    /// Wall time of the publisher's last media in microseconds; `None` while the session lingers.
    pub last_media: Option<Arc<AtomicI64>>,
    /// The publisher, once it was introduced; `None` while the session lingers.
    pub publisher: Option<Arc<Publisher>>,
}

impl Inner {
    pub fn new(world: Arc<dyn World>, settings: Settings) -> Self {
        Self { world, settings, registry: Mutex::default() }
    }

    /// Held for a few instructions.
    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        // The registry is valid after each statement, so a panic elsewhere leaves nothing half done.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn owners(&self) -> Vec<mpsc::Sender<Command>> {
        self.registry().streams.values().map(|entry| entry.commands.clone()).collect()
    }

    /// Enters a new owner and returns the one before it.
    pub fn enter(
        &self,
        stream: &StreamId,
        policy: SecondPublisher,
        now: Wall,
        last_media: &Arc<AtomicI64>,
        commands: mpsc::Sender<Command>,
    ) -> Result<(u64, Option<mpsc::Sender<Command>>), Refused> {
        let mut registry = self.registry();
        if registry.closing {
            return Err(Refused::ShuttingDown);
        }
        let known = registry.streams.len();
        match registry.streams.get(stream) {
            Some(entry) if policy == SecondPublisher::Refuse && entry.active(now) => {
                return Err(Refused::Busy);
            }
            None if known >= self.settings.max_streams => return Err(Refused::TooManyStreams),
            _ => {}
        }
        registry.claims += 1;
        let claim = registry.claims;
        let entry = Entry { claim, commands, last_media: Some(last_media.clone()), publisher: None };
        let previous = registry.streams.insert(stream.clone(), entry).map(|entry| entry.commands);
        Ok((claim, previous))
    }

    /// Enters an owner without a publisher; `None` if the stream has one.
    pub fn enter_lingering(&self, stream: &StreamId, commands: mpsc::Sender<Command>) -> Option<u64> {
        let mut registry = self.registry();
        if registry.streams.contains_key(stream) {
            return None;
        }
        registry.claims += 1;
        let claim = registry.claims;
        let entry = Entry { claim, commands, last_media: None, publisher: None };
        registry.streams.insert(stream.clone(), entry);
        Some(claim)
    }

    /// Says who the owner under `claim` is.
    pub fn introduce(&self, stream: &StreamId, claim: u64, publisher: Publisher) {
        let mut registry = self.registry();
        if let Some(entry) = registry.streams.get_mut(stream).filter(|entry| entry.claim == claim) {
            entry.publisher = Some(Arc::new(publisher));
        }
    }

    /// Marks that the owner under `claim` has no publisher any more; `false` if it is not the owner now.
    pub fn lingers(&self, stream: &StreamId, claim: u64) -> bool {
        let mut registry = self.registry();
        match registry.streams.get_mut(stream) {
            Some(entry) if entry.claim == claim => {
                entry.last_media = None;
                entry.publisher = None;
                true
            }
            _ => false,
        }
    }

    /// Removes the owner under `claim`; `false` if somebody else claimed the session meanwhile.
    pub fn leave(&self, stream: &StreamId, claim: u64) -> bool {
        let mut registry = self.registry();
        let owns = registry.streams.get(stream).is_some_and(|entry| entry.claim == claim);
        if owns {
            registry.streams.remove(stream);
        }
        owns
    }
}

impl Entry {
    fn active(&self, now: Wall) -> bool {
        let last = self.last_media.as_ref().map(|at| Wall(at.load(Ordering::Relaxed)));
        last.is_some_and(|last| now.micros_since(last) < KEEPS_NAME_MICROS)
    }
}
