use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use media::{Gap, Kind, SessionId, StreamId, Wall};
use output::Spec;
use session::{Input, Session, SlotEffects};
use tokio::sync::{mpsc, oneshot};

use crate::command::{Command, Handed};
use crate::hub::Publisher;
use crate::linger;
use crate::registry::Inner;

/// A session in the hands of its publisher's connection. Dropped, it goes to the lingering task as if the
/// connection had been lost, so that no panic and no early return can leak a session.
pub struct Live {
    hub: Arc<Inner>,
    stream: StreamId,
    claim: u64,
    /// `None` once it was handed over or ended.
    session: Option<Box<Session>>,
    inbox: mpsc::Receiver<Command>,
    last_media: Arc<AtomicI64>,
    effects: SlotEffects,
    /// [`crate::World::incidents`] when the session was last told what is blocked.
    incidents: u64,
}

/// Why the publisher must go.
#[derive(Debug)]
pub enum Interrupt {
    /// Another publisher took over; the session is gone already.
    Replaced,
    /// An operator's wish; the session lingers.
    Kicked,
    /// The session ended with the server.
    Ended,
}

impl Live {
    pub(crate) fn new(
        hub: Arc<Inner>,
        stream: StreamId,
        claim: u64,
        session: Box<Session>,
        inbox: mpsc::Receiver<Command>,
        last_media: Arc<AtomicI64>,
        specs: &[Spec],
    ) -> Self {
        let mut live = Self {
            hub,
            stream,
            claim,
            session: Some(session),
            inbox,
            last_media,
            effects: Vec::new(),
            // Whatever happened while nobody published: look once.
            incidents: u64::MAX,
        };
        let now = live.hub.world.now();
        if let Some(session) = live.session.as_mut() {
            session.publish(specs, now, &mut live.effects);
        }
        live.carry_out();
        live
    }

    /// The session's id; `None` once it went elsewhere.
    pub fn session(&self) -> Option<SessionId> {
        self.session.as_ref().map(|session| session.id())
    }

    /// Says who publishes, for [`crate::Hub::publishers`].
    pub fn introduce(&self, publisher: Publisher) {
        self.hub.introduce(&self.stream, self.claim, publisher);
    }

    /// Whether [`Live::interrupted`] has something to do or to wait for but a command that has not come yet. For
    /// callers that look again soon: it costs less than being ready to be woken.
    pub fn attention(&self) -> bool {
        !self.inbox.is_empty() || self.session.as_ref().is_none_or(|session| session.deadline().is_some())
    }

    /// Feeds one media message, received at `now`.
    pub fn media(&mut self, kind: Kind, timestamp: u32, payload: Bytes, now: Wall) {
        let Some(session) = self.session.as_mut() else { return };
        self.last_media.store(now.0, Ordering::Relaxed);
        session.on(Input::Media { kind, timestamp, payload, received: now }, &mut self.effects);
        self.carry_out();
    }

    /// Waits for a reason to stop publishing; meanwhile keeps the session's deadlines and answers for it.
    /// Dropping the future loses nothing.
    pub async fn interrupted(&mut self) -> Interrupt {
        loop {
            let Some(session) = self.session.as_mut() else { return Interrupt::Ended };
            let wait = session.deadline().map(|at| wait_until(at, self.hub.world.now()));
            tokio::select! {
                command = self.inbox.recv() => match command {
                    Some(Command::Report(tell)) => drop(tell.send(session.report())),
                    Some(Command::Order(order, tell)) => {
                        let done = session.order(order, self.hub.world.now(), &mut self.effects);
                        self.carry_out();
                        let _ = tell.send(done);
                    }
                    Some(Command::Answer(id, answer)) => {
                        if id == session.id() {
                            session.on(Input::Answer(answer), &mut self.effects);
                            self.carry_out();
                        }
                    }
                    Some(command) => return self.obey(command),
                    None => return Interrupt::Ended,
                },
                () = sleep(wait) => {
                    session.on(Input::Tick(self.hub.world.now()), &mut self.effects);
                    self.carry_out();
                }
            }
        }
    }

    /// The publisher is gone: the session lingers.
    pub fn gone(mut self, why: Gap) {
        self.release(why);
    }

    fn obey(&mut self, command: Command) -> Interrupt {
        match command {
            Command::HandOver(why, give) => {
                self.feed(Input::Gone(why, self.hub.world.now()));
                self.give(give);
                Interrupt::Replaced
            }
            Command::Suspend(tell) => {
                self.feed(Input::Suspend(self.hub.world.now()));
                self.close(tell);
                Interrupt::Ended
            }
            Command::Kick | Command::Report(_) | Command::Order(..) | Command::Answer(..) => {
                self.release(Gap::Kicked);
                Interrupt::Kicked
            }
        }
    }

    fn give(&mut self, give: oneshot::Sender<Handed>) {
        let Some(session) = self.session.take() else { return };
        if let Err(Handed(session)) = give.send(Handed(session)) {
            // The claimant went away while it waited; nobody else knows of this session now.
            linger::close(&self.hub, &self.stream, session);
        }
    }

    fn close(&mut self, tell: oneshot::Sender<()>) {
        if let Some(session) = self.session.take() {
            self.hub.leave(&self.stream, self.claim);
            self.hub.world.closed(&self.stream, session.id());
        }
        let _ = tell.send(());
    }

    fn release(&mut self, why: Gap) {
        self.feed(Input::Gone(why, self.hub.world.now()));
        let Some(session) = self.session.take() else { return };
        // A successor that claimed the session meanwhile finds its request in the inbox.
        self.hub.lingers(&self.stream, self.claim);
        let (_, nothing) = mpsc::channel(1);
        let inbox = std::mem::replace(&mut self.inbox, nothing);
        linger::spawn(self.hub.clone(), self.stream.clone(), self.claim, session, inbox);
    }

    fn feed(&mut self, input: Input) {
        if let Some(session) = self.session.as_mut() {
            session.on(input, &mut self.effects);
            self.carry_out();
        }
    }

    fn carry_out(&mut self) {
        let Some(session) = self.session.as_mut() else { return };
        let world = &self.hub.world;
        let incidents = world.incidents();
        if std::mem::replace(&mut self.incidents, incidents) != incidents {
            session.blocked(&world.blocked(session.id()), world.now(), &mut self.effects);
        }
        if !self.effects.is_empty() {
            world.accept(&self.stream, session.id(), &mut self.effects);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.release(Gap::Dropped);
    }
}

/// How long to wait for `at`. A clock that is stepped back must not stretch it beyond an hour.
pub(crate) fn wait_until(at: Wall, now: Wall) -> Duration {
    let micros = at.micros_since(now).clamp(0, 3_600_000_000);
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Sleeps for `wait`, or for ever.
pub(crate) async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
