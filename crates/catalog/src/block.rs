use std::sync::Arc;

use media::{StreamId, Wall};
use rpds::RedBlackTreeMapSync;

use crate::Stamp;

/// A stream that may not be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which: by its streaming domain.
    pub stream: StreamId,
    /// The domain that the command named, which may be an ingest domain.
    pub domain: Arc<str>,
    /// From this moment on it may again.
    pub until: Wall,
    /// When it was forbidden.
    pub stamp: Stamp,
}

/// All of them, past ones included until the next change clears them up. Cheap to clone and to change.
#[derive(Clone, Debug)]
pub(crate) struct Blocks(RedBlackTreeMapSync<StreamId, Block>);

impl Default for Blocks {
    fn default() -> Self {
        Self(RedBlackTreeMapSync::new_sync())
    }
}

impl Blocks {
    /// The block that holds `stream` at `now`.
    pub(crate) fn of(&self, stream: &StreamId, now: Wall) -> Option<&Block> {
        self.0.get(stream).filter(|block| block.until > now)
    }

    /// Those that hold at `now`, in order of their streams.
    pub(crate) fn holding(&self, now: Wall) -> impl Iterator<Item = &Block> {
        self.0.values().filter(move |block| block.until > now)
    }

    pub(crate) fn put(&mut self, block: Block) {
        self.0.insert_mut(block.stream.clone(), block);
    }

    /// `true` if there was one.
    pub(crate) fn remove(&mut self, stream: &StreamId) -> bool {
        self.0.remove_mut(stream)
    }

    /// Removes and returns what holds no more.
    pub(crate) fn clear_past(&mut self, now: Wall) -> Vec<StreamId> {
        let past: Vec<_> =
            self.0.values().filter(|block| block.until <= now).map(|block| block.stream.clone()).collect();
        for stream in &past {
            self.0.remove_mut(stream);
        }
        past
    }
}
