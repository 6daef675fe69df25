//! Synthetic streams for tests and benches: media messages as an encoder would send them, with frames that can
//! be told apart, and digests to find them again in a product.

mod account;
mod clip;
mod sps;
pub mod stories;

pub use account::{Digest, aac_frames, digest, h264_slices};
pub use clip::{Clip, Message, START};
pub use sps::sps;
