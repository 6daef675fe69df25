//! Sessions without a publisher.

use std::sync::Arc;

use media::StreamId;
use session::{Input, Session, SlotEffects};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use crate::command::{Command, Handed};
use crate::live::{sleep, wait_until};
use crate::registry::Inner;

/// Lets `session` wait for a publisher, or for its outputs to give up waiting.
pub(crate) fn spawn(
    hub: Arc<Inner>,
    stream: StreamId,
    claim: u64,
    session: Box<Session>,
    inbox: mpsc::Receiver<Command>,
) {
    let span = tracing::info_span!(parent: None, "linger", %stream, session = %session.id());
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(linger(hub, stream, claim, session, inbox).instrument(span))),
        // The runtime is gone, and the server with it.
        Err(_) => suspend(&hub, &stream, session),
    }
}

/// Ends a session that nobody will come back for.
pub(crate) fn close(hub: &Inner, stream: &StreamId, session: Box<Session>) {
    last(hub, stream, session, Input::End(hub.world.now()));
}

/// Leaves a session to the next start of the server.
pub(crate) fn suspend(hub: &Inner, stream: &StreamId, session: Box<Session>) {
    last(hub, stream, session, Input::Suspend(hub.world.now()));
}

fn last(hub: &Inner, stream: &StreamId, mut session: Box<Session>, input: Input) {
    let mut effects = SlotEffects::new();
    session.on(input, &mut effects);
    hub.world.accept(stream, session.id(), &mut effects);
    hub.world.closed(stream, session.id());
}

async fn linger(
    hub: Arc<Inner>,
    stream: StreamId,
    claim: u64,
    mut session: Box<Session>,
    mut inbox: mpsc::Receiver<Command>,
) {
    let mut effects = SlotEffects::new();
    loop {
        if session.finished() && hub.leave(&stream, claim) {
            return close(&hub, &stream, session);
        }
        let wait = session.deadline().map(|at| wait_until(at, hub.world.now()));
        tokio::select! {
            command = inbox.recv() => match command {
                Some(Command::HandOver(_, give)) => {
                    if let Err(Handed(session)) = give.send(Handed(session)) {
                        close(&hub, &stream, session);
                    }
                    return;
                }
                Some(Command::Suspend(tell)) => {
                    hub.leave(&stream, claim);
                    suspend(&hub, &stream, session);
                    let _ = tell.send(());
                    return;
                }
                Some(Command::Order(order, tell)) => {
                    let done = session.order(order, hub.world.now(), &mut effects);
                    hub.world.accept(&stream, session.id(), &mut effects);
                    let _ = tell.send(done);
                }
                // The question was asked for a publisher who is gone.
                Some(Command::Answer(..)) => {}
                Some(Command::Report(tell)) => drop(tell.send(session.report())),
                Some(Command::Kick) => {}
                None => {
                    hub.leave(&stream, claim);
                    return suspend(&hub, &stream, session);
                }
            },
            () = sleep(wait) => {
                session.on(Input::Tick(hub.world.now()), &mut effects);
                hub.world.accept(&stream, session.id(), &mut effects);
            }
        }
    }
}
