//! `cargo bench --package millrace-benches [-- WORDS]`: a Markdown table on stdout, of the cases whose name has one
//! of the words in it, or of all.

use std::process::ExitCode;

use millrace_benches::{CASES, Case, header, table};

fn main() -> ExitCode {
    // cargo adds options for the harness that this is not, such as --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |case: &&Case| words.is_empty() || words.iter().any(|word| case.name.contains(word));
    let mut rows = Vec::new();
    for case in CASES.iter().filter(wanted) {
        eprintln!("{}…", case.name);
        match (case.run)() {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                eprintln!("{}: {error}", case.name);
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{}\n\n{}", header(), table(&rows));
    ExitCode::SUCCESS
}
