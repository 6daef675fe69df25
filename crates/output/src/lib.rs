//! What a live stream becomes. An [`Output`] watches one session and answers with [`Effect`]s; it cannot wait,
//! so it cannot be slow, and it is tested with values alone.
//!
//! A folder per product: [`package`], [`record`], [`snapshot`]. [`Spec`] is the list of them.

mod effect;
mod entry;
mod event;
mod notice;
mod order;
mod playlist;
mod save;
mod spec;

pub mod name;
pub mod package;
pub mod record;
pub mod snapshot;

pub use effect::{Bucket, Effect, Effects, FileId, Finish, Keyframe, Object, Resource, Warning, Window};
pub use entry::{Entry, Part, Pause};
pub use event::{Error, Event, Output};
pub use notice::Notice;
pub use order::{Answer, Inquiry, Order, Refusal};
pub use playlist::{Delta, Edge, Playlist};
pub use save::{Save, Saved};
pub use spec::{Context, Memory, Spec};
