//! Feeds an entry and watches it.

use std::fmt;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::dice::{Dice, hash};
use crate::{Entry, memory, mutate, seeds};

/// The longest that one input may take. Ordinary ones take less than a millisecond.
pub const MAX_TIME: Duration = Duration::from_secs(2);
/// The most bytes that an entry may hold at once for one input of at most 64 KiB. Half a megabyte is the most seen;
/// the limits of design §10 are for more input than that.
pub const MAX_MEMORY: usize = 8 << 20;
/// How often to look whether an input takes too long.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes of a failing input that are told; its file has all.
const TOLD: usize = 256;

/// What an entry went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Inputs.
    pub runs: u64,
    /// How long they took together.
    pub took: Duration,
    /// The most bytes held at once.
    pub peak: usize,
    /// The longest that one input took.
    pub longest: Duration,
}

impl Report {
    /// Inputs a second.
    pub fn per_second(&self) -> f64 {
        self.runs as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, peak) = (self.per_second(), self.peak >> 10);
        let longest = self.longest.as_secs_f64() * 1_000.0;
        write!(f, "{:>9} inputs, {rate:>8.0}/s, longest {longest:.1} ms, peak {peak} KiB", self.runs)
    }
}

/// An input that an entry did not bear.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which entry.
    pub entry: &'static str,
    /// What happened.
    pub why: String,
    /// The input.
    pub input: Arc<Vec<u8>>,
    /// Where it was written; `None` if that failed.
    pub file: Option<PathBuf>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} on an input of {} bytes", self.entry, self.why, self.input.len())?;
        if let Some(file) = &self.file {
            writeln!(f, "replay: cargo run --package fuzz -- --replay {}", file.display())?;
        }
        let hex: String = self.input.iter().take(TOLD).map(|byte| format!("{byte:02x}")).collect();
        write!(f, "{hex}{}", if self.input.len() > TOLD { "…" } else { "" })
    }
}

/// Feeds `entry` its seeds, then mutants of them, until `duration` is over or one fails. The same `seed` makes
/// the same mutants.
///
/// # Errors
/// The input that failed; it is also written to `target/fuzz-failures/`.
pub fn drive(entry: &'static Entry, duration: Duration, seed: u64) -> Result<Report, Failure> {
    let mut dice = Dice::new(seed);
    let seeds = (entry.seeds)();
    let until = Instant::now() + duration;
    let mut plain = seeds.clone().into_iter();
    watch(entry, move || {
        plain.next().or_else(|| (Instant::now() < until).then(|| mutate::mutant(&seeds, &mut dice)))
    })
}

/// Drives `entries` so that all are done after about `duration`: two at a time where there are two cores, each
/// for its fair share.
pub fn together(
    entries: &[&'static Entry],
    duration: Duration,
    seed: u64,
) -> Vec<(&'static Entry, Result<Report, Failure>)> {
    let lanes = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(2);
    let share = duration / u32::try_from(entries.len().div_ceil(lanes).max(1)).unwrap_or(1);
    let lane = |lane: usize| {
        let mine = entries.iter().skip(lane).step_by(lanes);
        mine.map(|entry| (*entry, drive(entry, share, seed))).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|at| scope.spawn(move || lane(at))).collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap_or_default()).collect()
    })
}

/// Feeds `entry` this one input.
///
/// # Errors
/// If it fails again; nothing is written.
pub fn replay(entry: &'static Entry, input: Vec<u8>) -> Result<Report, Failure> {
    let mut input = Some(input);
    watch(entry, move || input.take())
}

/// What the worker is at, for who watches it.
type Slot = Mutex<Option<(Instant, Arc<Vec<u8>>)>>;

/// Runs `entry` in a thread of its own. One that does not come back is left where it is.
fn watch(
    entry: &'static Entry,
    inputs: impl FnMut() -> Option<Vec<u8>> + Send + 'static,
) -> Result<Report, Failure> {
    let slot = Arc::new(Slot::default());
    let (done, result) = sync_channel(1);
    let work = {
        let slot = slot.clone();
        move || done.send(feed(entry, inputs, &slot))
    };
    if let Err(error) = thread::Builder::new().name(entry.name.to_owned()).spawn(work) {
        return Err(failure(entry, format!("no thread: {error}"), Arc::default()));
    }
    loop {
        match result.recv_timeout(LOOK) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(failure(entry, "its seeds panicked".to_owned(), Arc::default()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let at = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, input)) = at.filter(|(since, _)| since.elapsed() > MAX_TIME) {
            let why = format!("not done after {MAX_TIME:?}, or stopped at {} bytes", memory::CEILING);
            return Err(failure(entry, why, input));
        }
    }
}

fn feed(
    entry: &'static Entry,
    mut inputs: impl FnMut() -> Option<Vec<u8>>,
    slot: &Slot,
) -> Result<Report, Failure> {
    let begun = Instant::now();
    let mut report = Report::default();
    while let Some(input) = inputs() {
        let (input, since) = (Arc::new(input), Instant::now());
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((since, input.clone()));
        let (outcome, peak) = memory::peak_of(|| catch_unwind(|| (entry.run)(&input)));
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Err(panic) = outcome {
            return Err(failure(entry, format!("panic: {}", panic_text(panic.as_ref())), input));
        }
        if peak > MAX_MEMORY {
            return Err(failure(entry, format!("{peak} bytes held at once"), input));
        }
        report.runs += 1;
        report.peak = report.peak.max(peak);
        report.longest = report.longest.max(since.elapsed());
    }
    report.took = begun.elapsed();
    Ok(report)
}

fn failure(entry: &'static Entry, why: String, input: Arc<Vec<u8>>) -> Failure {
    let folder = seeds::root().join("target/fuzz-failures");
    let file = folder.join(format!("{}-{:016x}", entry.name, hash(&input)));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, &*input));
    Failure { entry: entry.name, why, input, file: written.is_ok().then_some(file) }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds() -> Vec<Vec<u8>> {
        vec![b"seed".to_vec()]
    }

    fn fails(run: fn(&[u8]), name: &'static str) -> Failure {
        let entry: &'static Entry = Box::leak(Box::new(Entry { name, run, seeds }));
        drive(entry, Duration::from_secs(5), 1).unwrap_err()
    }

    #[test]
    fn a_panic_is_told_with_an_input_that_replays() {
        let failure = fails(|input| assert!(input == b"seed", "not the seed"), "test-panic");
        assert_eq!(failure.why, "panic: not the seed");
        assert_ne!(&failure.input[..], b"seed");
        let file = failure.file.clone().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), *failure.input);
        assert!(failure.to_string().contains("--replay"), "{failure}");
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn an_input_that_never_ends_is_found() {
        let stop = |input: &[u8]| {
            if input != b"seed" {
                loop {
                    thread::park();
                }
            }
        };
        let failure = fails(stop, "test-endless");
        assert!(failure.why.starts_with("not done after 2s"), "{failure}");
        std::fs::remove_file(failure.file.unwrap()).unwrap();
    }

    #[test]
    fn an_input_that_takes_much_memory_is_found() {
        let failure = fails(|_| drop(std::hint::black_box(vec![1u8; MAX_MEMORY + 1])), "test-memory");
        assert!(failure.why.ends_with("bytes held at once"), "{failure}");
        std::fs::remove_file(failure.file.unwrap()).unwrap();
        let runaway = |_: &[u8]| {
            let mut held = Vec::new();
            loop {
                held.push(Vec::<u8>::with_capacity(1 << 20));
            }
        };
        let failure = fails(runaway, "test-runaway");
        assert!(failure.why.contains("stopped at"), "{failure}");
        std::fs::remove_file(failure.file.unwrap()).unwrap();
    }
}
