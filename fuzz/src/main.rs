//! `cargo run --release --package fuzz -- [--seconds N] [--entry NAME] [--seed N] [--replay FILE]`

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fuzz::{ENTRIES, Entry, drive};

/// Drives parsers with mutated captures.
#[derive(Parser)]
struct Arguments {
    /// Seconds for everything; entries share them fairly.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only this entry.
    #[arg(long)]
    entry: Option<String>,
    /// Makes the same mutants again.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs the input in this file instead; the entry is that of the file's name or folder if none is named.
    #[arg(long)]
    replay: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.replay {
        Some(file) => replay(file, arguments.entry.as_deref()),
        None => mutants(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn replay(file: &Path, name: Option<&str>) -> Result<(), String> {
    let words = [file.file_name(), file.parent().and_then(Path::file_name)];
    let mut words = words.into_iter().flatten().filter_map(|word| word.to_str());
    let entry = match name {
        Some(name) => fuzz::entry(name),
        None => words.find_map(|word| ENTRIES.iter().find(|entry| word.starts_with(entry.name))),
    };
    let entry =
        entry.ok_or_else(|| format!("no entry {}; there are: {}", name.unwrap_or_default(), names()))?;
    let input = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let report = drive::replay(entry, input).map_err(|failure| failure.to_string())?;
    println!("{}: {report}", entry.name);
    Ok(())
}

fn mutants(arguments: &Arguments) -> Result<(), String> {
    let chosen: Vec<&'static Entry> = match arguments.entry.as_deref() {
        Some(name) => {
            vec![fuzz::entry(name).ok_or_else(|| format!("no entry {name}; there are: {}", names()))?]
        }
        None => ENTRIES.iter().collect(),
    };
    let seed = arguments.seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("seed {seed}");
    let results = drive::together(&chosen, Duration::from_secs(arguments.seconds), seed);
    let mut failures = Vec::new();
    for (entry, result) in results {
        match result {
            Ok(report) => println!("{:<16} {report}", entry.name),
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n")) }
}

fn names() -> String {
    ENTRIES.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}
