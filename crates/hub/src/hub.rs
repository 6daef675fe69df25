use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use media::{Gap, SessionId, StreamId, Wall};
use output::{Answer, Memory, Order, Refusal, Spec};
use session::{Report, Session, SlotEffects};
use tokio::sync::{mpsc, oneshot};

use crate::command::{COMMAND_QUEUE, Command, Handed};
use crate::linger;
use crate::live::Live;
use crate::registry::{Entry, Inner};

/// How long an owner may take to answer. It answers between two reads, so this only ends when it is stuck.
const ANSWER: Duration = Duration::from_secs(5);

/// What the hub needs of the outside; the server provides it.
pub trait World: Send + Sync {
    /// The time.
    fn now(&self) -> Wall;
    /// An id and the memory for a new session of `stream`.
    fn open(&self, stream: &StreamId) -> (SessionId, Memory);
    /// Carries out what a session caused, and empties `effects`. Never blocks.
    fn accept(&self, stream: &StreamId, session: SessionId, effects: &mut SlotEffects);
    /// The session ended: nothing more comes from it.
    fn closed(&self, stream: &StreamId, session: SessionId);
    /// Changes whenever what [`World::blocked`] says of any session may have changed.
    fn incidents(&self) -> u64 {
        0
    }
    /// Outputs of the session whose writings cannot be kept at the moment, by [`crate::SlotId::index`].
    fn blocked(&self, session: SessionId) -> Vec<u32> {
        let _ = session;
        Vec::new()
    }
}

/// Admission limits.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Most sessions at once, lingering ones included.
    pub max_streams: usize,
}

/// What happens when a name that is being published is published again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondPublisher {
    /// Refuse it while the first one sent media in the last 3 s; else it takes over.
    #[default]
    Refuse,
    /// It takes over.
    TakeOver,
}

/// Why a publisher was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody else publishes under this name.
    #[error("the stream is already being published")]
    Busy,
    /// The server's limit is reached.
    #[error("the server has as many streams as it may have")]
    TooManyStreams,
    /// The server is going down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// Why an order was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disobeyed {
    /// Nobody publishes the stream.
    #[error("the stream is not live")]
    NoStream,
    /// Nothing of it is recorded.
    #[error("the stream has no recording")]
    NoRecording,
    /// The recording is not in the state for it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Its owner did not answer in time.
    #[error("the stream did not answer")]
    Stuck,
}

/// All sessions by stream. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

/// Who publishes a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// Host that it named: an ingest or streaming domain, an address, or nothing.
    pub host: Option<String>,
    /// Its address.
    pub client: SocketAddr,
    /// What it calls itself.
    pub agent: String,
    /// Since when.
    pub since: Wall,
}

impl Hub {
    /// A hub without sessions.
    pub fn new(world: Arc<dyn World>, settings: Settings) -> Self {
        Self { inner: Arc::new(Inner::new(world, settings)) }
    }

    /// Makes the caller the owner of the stream's session, a new one if there is none.
    ///
    /// # Errors
    /// When the name is taken or a limit is reached.
    pub async fn claim(
        &self,
        stream: &StreamId,
        specs: &[Spec],
        policy: SecondPublisher,
    ) -> Result<Live, Refused> {
        let now = self.inner.world.now();
        let last_media = Arc::new(AtomicI64::new(now.0));
        let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
        let (claim, previous) = self.inner.enter(stream, policy, now, &last_media, commands)?;
        let handed = match previous {
            Some(owner) => hand_over(&owner).await,
            None => None,
        };
        let session = handed.unwrap_or_else(|| {
            let (id, memory) = self.inner.world.open(stream);
            Box::new(Session::new(id, stream.clone(), now, memory))
        });
        Ok(Live::new(self.inner.clone(), stream.clone(), claim, session, inbox, last_media, specs))
    }

    /// Ends the publisher of a stream, if there is one.
    pub async fn kick(&self, stream: &StreamId) -> bool {
        let owner = self.inner.registry().streams.get(stream).map(|entry| entry.commands.clone());
        match owner {
            Some(owner) => owner.send(Command::Kick).await.is_ok(),
            None => false,
        }
    }

    /// Gives an order to the recordings of a stream. Without a publisher only those that need none are obeyed.
    ///
    /// # Errors
    /// [`Disobeyed`] says why not.
    pub async fn order(&self, stream: &StreamId, order: Order) -> Result<(), Disobeyed> {
        let needs_source = matches!(order, Order::Start | Order::Restart);
        let owner = {
            let registry = self.inner.registry();
            let entry =
                registry.streams.get(stream).filter(|entry| !needs_source || entry.last_media.is_some());
            entry.map(|entry| entry.commands.clone()).ok_or(Disobeyed::NoStream)?
        };
        let (tell, told) = oneshot::channel();
        owner.send(Command::Order(order, tell)).await.map_err(|_| Disobeyed::NoStream)?;
        match tokio::time::timeout(ANSWER, told).await {
            Ok(Ok(Some(outcome))) => Ok(outcome?),
            Ok(Ok(None)) => Err(Disobeyed::NoRecording),
            Ok(Err(_)) => Err(Disobeyed::NoStream),
            Err(_) => Err(Disobeyed::Stuck),
        }
    }

    /// Brings a session what its operator's OnDemandUrl answered.
    pub async fn answer(&self, stream: &StreamId, session: SessionId, answer: Answer) {
        let owner = self.inner.registry().streams.get(stream).map(|entry| entry.commands.clone());
        if let Some(owner) = owner {
            let _ = owner.send(Command::Answer(session, answer)).await;
        }
    }

    /// Lets a session that our own restart interrupted wait for its publisher. Before the first claim only: a
    /// session that is there already stays, and the one given is closed.
    pub fn resume(&self, stream: &StreamId, session: Session) {
        let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
        let session = Box::new(session);
        match self.inner.enter_lingering(stream, commands) {
            Some(claim) => linger::spawn(self.inner.clone(), stream.clone(), claim, session, inbox),
            None => linger::close(&self.inner, stream, session),
        }
    }

    /// What every session says of itself, in order of name.
    pub async fn reports(&self) -> Vec<Report> {
        let mut asked = Vec::new();
        for owner in self.inner.owners() {
            let (tell, told) = oneshot::channel();
            if owner.try_send(Command::Report(tell)).is_ok() {
                asked.push(told);
            }
        }
        let mut reports = Vec::with_capacity(asked.len());
        for told in asked {
            if let Ok(Ok(report)) = tokio::time::timeout(ANSWER, told).await {
                reports.push(report);
            }
        }
        reports.sort_by(|a: &Report, b| a.stream.cmp(&b.stream));
        reports
    }

    /// Who publishes now. A stream whose session only lingers is not among them.
    pub fn publishers(&self) -> HashMap<StreamId, Arc<Publisher>> {
        let registry = self.inner.registry();
        let introduced =
            |(stream, entry): (&StreamId, &Entry)| Some((stream.clone(), entry.publisher.clone()?));
        registry.streams.iter().filter_map(introduced).collect()
    }

    /// Streams with a session, and those with a publisher.
    pub fn count(&self) -> (usize, usize) {
        let registry = self.inner.registry();
        let live = registry.streams.values().filter(|entry| entry.last_media.is_some()).count();
        (registry.streams.len(), live)
    }

    /// Suspends every session and lets no new one in; returns when all are saved.
    pub async fn shutdown(&self) {
        self.inner.registry().closing = true;
        let mut waiting = Vec::new();
        for owner in self.inner.owners() {
            let (tell, told) = oneshot::channel();
            if owner.send(Command::Suspend(tell)).await.is_ok() {
                waiting.push(told);
            }
        }
        for told in waiting {
            // An owner that died has closed, too.
            let _ = told.await;
        }
    }
}

async fn hand_over(owner: &mpsc::Sender<Command>) -> Option<Box<Session>> {
    let (give, take) = oneshot::channel();
    owner.send(Command::HandOver(Gap::Replaced, give)).await.ok()?;
    match tokio::time::timeout(ANSWER, take).await {
        Ok(Ok(Handed(session))) => Some(session),
        _ => None,
    }
}
