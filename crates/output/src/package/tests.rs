mod cuts;
mod lists;
mod renditions;
pub(super) mod story;
mod tracks;
