//! Which session runs for which stream, and who feeds it.
