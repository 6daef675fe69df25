mod cuts;
mod lists;
pub(super) mod story;
mod tracks;
