//! Access keys, as far as signatures need them.

/// The secret of an access key, and whether it may be used.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// The secret half.
    pub secret: &'a str,
    /// False when an operator has disabled it.
    pub active: bool,
}

/// Finds access keys. The shell has them; a `HashMap` view will do.
pub trait KeyLookup {
    /// The key with this id, disabled or not.
    fn find(&self, id: &str) -> Option<Key<'_>>;
}
