//! Processor time, user and system, as the scheduler counts it in nanoseconds (`schedstat`; `utime` and `stime` are
//! rounded to 10 ms).

use std::path::Path;
use std::time::Duration;

/// Of all threads of a process.
pub fn of_process(id: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    tasks.filter_map(|task| read(&task.ok()?.path())).sum()
}

/// Of the thread that asks.
pub fn of_this_thread() -> Duration {
    read(Path::new("/proc/thread-self")).unwrap()
}

/// A thread that ends meanwhile has none.
fn read(task: &Path) -> Option<Duration> {
    let text = std::fs::read_to_string(task.join("schedstat")).ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}
