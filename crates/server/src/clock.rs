//! The one place that reads the clock: time is an argument everywhere else.

use std::time::{SystemTime, UNIX_EPOCH};

use media::Wall;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else is told of")]
pub(crate) fn now() -> Wall {
    let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        // A machine whose clock stands before 1970 still streams.
        Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
    };
    Wall(micros)
}
