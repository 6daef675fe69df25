//! Gets objects to a store: spool, retry, local files.
