//! The gate's share of fuzzing: every entry for a while, always the same mutants.

use std::time::Duration;

use fuzz::{ENTRIES, drive};

/// For all entries together: two at a time on two cores, so each has 10 s.
const TIME: Duration = Duration::from_secs(60);
/// Fewer inputs than this and an entry has become too slow to find anything.
const FEWEST: u64 = 500;

#[test]
fn every_parser_bears_mutated_captures() {
    let entries: Vec<_> = ENTRIES.iter().collect();
    let mut failures = Vec::new();
    for (entry, result) in drive::together(&entries, TIME, 1) {
        match result {
            Ok(report) if report.runs < FEWEST => failures.push(format!("{}: only {report}", entry.name)),
            Ok(report) => println!("{:<16} {report}", entry.name),
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}
