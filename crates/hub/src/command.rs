use media::{Gap, SessionId};
use output::{Answer, Order, Refusal};
use session::{Report, Session};
use tokio::sync::oneshot;

/// Commands waiting for an owner; beyond, the sender waits.
pub(crate) const COMMAND_QUEUE: usize = 16;

/// What an owner of a session is asked to do.
#[derive(Debug)]
pub enum Command {
    /// Let go of the publisher, for this reason, and hand the session over.
    HandOver(Gap, oneshot::Sender<Handed>),
    /// Let go of the publisher; the session lingers.
    Kick,
    /// The server ends: save the session for the next start and say when that is done.
    Suspend(oneshot::Sender<()>),
    /// Give an order to the recordings; `None` if there are none.
    Order(Order, oneshot::Sender<Option<Result<(), Refusal>>>),
    /// What the operator's OnDemandUrl answered to this session.
    Answer(SessionId, Answer),
    /// Describe the session.
    Report(oneshot::Sender<Report>),
}

/// A session on its way to its next owner.
pub struct Handed(pub(crate) Box<Session>);

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handed({})", self.0.id())
    }
}
