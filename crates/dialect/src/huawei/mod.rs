//! Huawei Cloud Live, REST API v1 (seed `002_2f047e957c4b6494.txt`, reference `api-huawei-live.md`).
//!
//! A shell asks [`authenticate`] whose request it is and [`Operation::of`] which operation it names, checks policy
//! and rate by what that says, lets it read an [`Ask`], does it, and answers with [`Operation::answer`] or, when
//! something refused, with [`Refusal::respond`].

mod operation;
mod refusal;
mod sign;
mod snapshot;

pub use operation::{Ask, Operation};
pub use refusal::Refusal;
pub use sign::{ALGORITHM, authenticate};
pub use snapshot::ListQuery;

#[cfg(test)]
mod tests;
