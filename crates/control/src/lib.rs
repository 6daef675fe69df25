//! Keeps what operators declared: the catalog, access keys and the log of changes, in one SQLite database.
//!
//! A change is answered after it is on disk. One task writes: it takes whatever changes are waiting, decides them
//! one after the other against the newest catalog, keeps their rows and who asked for them in one transaction,
//! publishes the new catalog as a whole, and answers. So no change is lost, none sees half of another, and many at
//! once cost one fsync. Readers hold an `Arc` of a catalog that never changes.
//!
//! Beside it are the index of recordings and the outbox of what others are to be told, which a second such task
//! writes.

mod archive;
mod audit;
mod control;
mod database;
mod first_key;
mod keys;
mod list;
mod nonce;
mod outbox;
mod recording;
mod removal;
mod rows;
mod throttle;
mod writer;

pub use archive::{DeleteObject, GiveOrder, Later, ListOf, OrderError, Put, PutError, PutObject, Unlisted};
pub use audit::{Audit, Who};
pub use control::{Control, HasBucket, Kick, Refused, Settings};
pub use database::{Database, Error};
pub use first_key::{FIRST_KEY_FILE, FirstKey};
pub use keys::{AccessKey, Keys, Source, StoredKey, UnknownKey};
pub use nonce::Nonces;
pub use outbox::{ATTEMPTS_KEPT_MICROS, Attempt, Attempted, AttemptsOf, Due, Method, Next, Post};
pub use recording::{Kind, Recorded, Slot, Span};
pub use removal::{Removal, Swept};
pub use throttle::{Rate, Throttle};

#[cfg(test)]
mod tests;
