//! Our own benches, as the package `millrace-benches` prints them (Markdown on stdout).

use super::Report;
use crate::shell::{cargo, output};
use crate::{Result, system};

/// Runs `cargo bench` and takes its tables over.
pub fn run(args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD])?;
    let mut bench = cargo();
    bench.args(["bench", "--package", "millrace-benches"]);
    if !args.is_empty() {
        bench.arg("--").args(args);
    }
    let text = output(&mut bench)?;
    // The harness of a crate without benches of its own says so; that is no result.
    let noise = |line: &&str| !line.starts_with("running 0 tests") && !line.starts_with("test result:");
    let body: Vec<&str> = text.lines().filter(noise).collect();
    let body = body.join("\n").trim().to_owned();
    match body.is_empty() {
        true => Err("the benches printed nothing".into()),
        false => Ok(Report { body, short: Vec::new() }),
    }
}
