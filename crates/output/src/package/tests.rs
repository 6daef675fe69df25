mod cuts;
mod lists;
mod story;
mod tracks;
