//! What is recorded, beyond what the gate has time for: the ignored tests of `tests/e2e/recording/matrix.rs`, and real
//! browsers on what one of them made.

mod browsers;
mod cost;

use std::process::Stdio;

use super::Report;
use super::players::browsers::install_modules;
use crate::shell::{cargo, root};
use crate::{Result, sdk, system};

pub use cost::run as cost;

const MODULES: &[&str] = &["playwright-core@1.65.1", "hls.js@1.7.4", "dashjs@5.2.1"];

/// Both.
pub fn run(args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD, system::TEST, system::SDK, system::PLAYERS])?;
    sdk::provide()?;
    let modules = install_modules("npm-recording", MODULES)?;
    let kept = root().join("target/accept/recording");
    let _ = std::fs::remove_dir_all(&kept); // of an earlier run; absent is fine
    std::fs::create_dir_all(&kept)?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--package", "server", "--test", "e2e", "recording::matrix"]);
    tests.args(["--", "--ignored", "--test-threads=2"]).args(args).env("MILLRACE_TEST_KEEP", &kept);
    let done = tests.stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&done.stdout);
    print!("{said}");
    let verdicts: Vec<&str> = said.lines().filter(|line| line.starts_with("test recording")).collect();
    let mut report = Report { body: format!("```text\n{}\n```\n\n", verdicts.join("\n")), short: Vec::new() };
    let played = browsers::play(&modules, &kept, &mut report);
    let failed = verdicts.iter().filter(|line| line.contains("FAILED")).count();
    match played {
        Err(error) => Err(format!("{failed} tests failed; {error}").into()),
        Ok(()) if done.status.success() && !verdicts.is_empty() => Ok(report),
        Ok(()) => Err(format!("{failed} of {} tests failed", verdicts.len()).into()),
    }
}
