//! Object names with variables (seeds `000_f7078a5cb00af4b6.txt`, `001_b4cfd81d467542c8.txt`).

/// A parsed name with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {}
