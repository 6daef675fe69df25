mod cuts;
mod dash;
mod ends;
mod keys;
mod lists;
mod low_latency;
mod renditions;
pub(super) mod story;
mod tracks;
