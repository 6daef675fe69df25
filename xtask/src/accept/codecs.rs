//! Every codec pushed by a real encoder: the ignored tests of `tests/e2e/codecs.rs`, whose shortest one is in the
//! gate.

use super::Report;
use crate::shell::{cargo, output};
use crate::{Result, sdk, system};

/// Runs them one after the other: each encodes, pushes in real time, and decodes what came of it.
pub fn run(args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD, system::TEST, system::SDK])?;
    sdk::provide()?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--package", "server", "--test", "e2e", "codecs::"]);
    tests.args(["--", "--include-ignored", "--test-threads=2"]).args(args);
    let said = output(&mut tests)?;
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("test ")).collect();
    Ok(Report { body: format!("```text\n{}\n```", lines.join("\n")), short: Vec::new() })
}
