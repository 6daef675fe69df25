//! snapshot

use crate::{Context, Effects, Error, Event, Output};

/// What the template asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where pictures go.
    pub store: crate::Bucket,
    /// TimeInterval in seconds.
    pub interval_s: u32,
    /// How objects are named.
    pub naming: Naming,
    /// Counter behind `{Sequence}` in [`crate::Memory`].
    pub counter: std::sync::Arc<str>,
}

/// The output.
pub struct Snapshot {}

impl Snapshot {
    /// Opens it for a session.
    pub fn new(_settings: Settings, _context: &Context) -> Self {
        Self {}
    }
}

impl Output for Snapshot {
    fn on(&mut self, _event: Event<'_>, _fx: &mut Effects) -> Result<(), Error> {
        Ok(())
    }
}

/// Seed `000_f7078a5cb00af4b6.txt`: one of the two.
#[derive(Clone, Debug, PartialEq)]
pub enum Naming {
    /// OverwriteOssObject.
    Overwrite(crate::name::Name),
    /// SequenceOssObject.
    Sequence(crate::name::Name),
}
