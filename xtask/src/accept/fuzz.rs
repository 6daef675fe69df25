//! Every parser on mutated captures, for minutes instead of the gate's seconds.

use super::Report;
use crate::shell::{cargo, output};
use crate::{Result, system};

/// Ten minutes find what 10 s in the gate do not.
const SECONDS: &str = "600";

/// Runs the fuzz package's binary; it ends with an error when a parser fails, and prints what it did.
pub fn run(args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD])?;
    let mut fuzz = cargo();
    fuzz.args(["run", "--release", "--package", "fuzz", "--"]);
    if !args.iter().any(|word| word.starts_with("--seconds")) {
        fuzz.args(["--seconds", SECONDS]);
    }
    let said = output(fuzz.args(args))?;
    Ok(Report { body: format!("```text\n{}\n```", said.trim_end()), short: Vec::new() })
}
