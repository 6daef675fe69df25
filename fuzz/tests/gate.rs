//! The gate's share of fuzzing: every entry for a while, always the same mutants.

use std::time::Duration;

use fuzz::{ENTRIES, drive};

/// For each entry.
const TIME: Duration = Duration::from_secs(10);
/// How many run at a time: one on each core of the machine that the gate is made for.
const AT_ONCE: u32 = 2;
/// Fewer inputs than this and an entry has become too slow to find anything.
const FEWEST: u64 = 500;

#[test]
fn every_parser_bears_mutated_captures() {
    let entries: Vec<_> = ENTRIES.iter().collect();
    let mut failures = Vec::new();
    let rounds = u32::try_from(entries.len()).unwrap().div_ceil(AT_ONCE);
    for (entry, result) in drive::together(&entries, TIME * rounds, 1) {
        match result {
            Ok(report) if report.runs < FEWEST => failures.push(format!("{}: only {report}", entry.name)),
            Ok(report) => println!("{:<16} {report}", entry.name),
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}
