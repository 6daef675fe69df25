use std::sync::Arc;

use media::{SessionId, StreamId};
use output::{Entry, Notice};

use crate::store::BoxFuture;

/// Who wants to know what is stored: the index of recordings, and who is told of it. What fails is tried again, so
/// everything may come more than once.
pub trait Registry: Send + Sync {
    /// The object of `entry` is stored, of `size` bytes, under the keys that `entry` has now: an object whose key was
    /// taken has another than the output gave it. The same (storage, bucket, key) may come again.
    fn stored<'a>(
        &'a self,
        stream: &'a StreamId,
        entry: &'a Entry,
        size: u64,
    ) -> BoxFuture<'a, Result<(), String>>;

    /// Everything before it in its lane is stored and indexed. The same id may come again.
    fn told<'a>(&'a self, told: &'a Told) -> BoxFuture<'a, Result<(), String>>;
}

/// A notice whose time has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Unique for ever, and the same if it comes again after a restart.
    pub id: String,
    /// Whose recording or picture.
    pub stream: StreamId,
    /// Which session.
    pub session: SessionId,
    /// Product name of the output.
    pub product: Arc<str>,
    /// Which of the session's outputs of that name.
    pub index: u32,
    /// What happened, with the keys that the objects have. What was to be stored and is a dead letter instead comes as
    /// [`Notice::RecordFailed`].
    pub notice: Notice,
    /// Bytes of the object that it speaks of.
    pub size: Option<u64>,
    /// What was given to the lane with the notice.
    pub context: String,
}
