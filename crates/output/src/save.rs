use bytes::Bytes;

/// What an output writes down about itself, so that [`crate::Spec::resume`] can go on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Save {
    /// Something begins: all that was saved before is forgotten. Says what it is.
    Fresh(Bytes),
    /// Nothing is left to go on with.
    Done,
    /// One more thing to know, until `Fresh` or `Done`.
    Keep(Bytes),
    /// How things stand; takes the place of the one before.
    Now(Bytes),
}

/// What is left of an output's [`Save`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The last `Fresh`; `None` after `Done`.
    pub fresh: Option<Bytes>,
    /// Every `Keep` since, in order.
    pub keep: Vec<Bytes>,
    /// The last `Now` since.
    pub now: Option<Bytes>,
}

impl Saved {
    /// Takes the next one in.
    pub fn take(&mut self, save: Save) {
        match save {
            Save::Fresh(bytes) => *self = Self { fresh: Some(bytes), ..Self::default() },
            Save::Done => *self = Self::default(),
            Save::Keep(bytes) => self.keep.push(bytes),
            Save::Now(bytes) => self.now = Some(bytes),
        }
    }
}
