//! Serves live windows over HTTP.
