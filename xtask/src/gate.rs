//! `cargo xtask test`: the gate. Every rule once, named and timed; the first that fails ends it.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::shell::{cargo, command, run, succeeds, which};
use crate::{Result, accept, sdk, system};

/// A step: its name, and what it does.
struct Step {
    name: &'static str,
    act: fn() -> Result<()>,
}

/// In the order of how soon they find something.
const STEPS: &[Step] = &[
    Step { name: "system packages", act: || system::provide(&[system::BUILD, system::TEST, system::SDK]) },
    Step { name: "toolchain", act: toolchain },
    Step { name: "format", act: || run(cargo().args(["fmt", "--all", "--check"])) },
    Step { name: "architecture and dependencies", act: house_rules },
    Step { name: "cargo-deny", act: deny },
    Step { name: "clippy", act: clippy },
    Step { name: "documentation", act: documentation },
    Step { name: "binaries", act: || run(locked("build").args(["--workspace", "--bins"])) },
    Step { name: "the clouds' SDKs", act: sdk::provide },
    Step { name: "tests", act: || run(locked("test").args(["--workspace", "--no-fail-fast"])) },
    Step { name: "a player", act: accept::play_in_gate },
];

/// Runs the gate, or those steps only that are named.
///
/// # Errors
/// Names the step that failed, or that there is none of a name.
pub fn pass(only: &[String]) -> Result<()> {
    let named = |name: &String| STEPS.iter().any(|step| step.name == name);
    if let Some(unknown) = only.iter().find(|name| !named(name)) {
        return Err(format!("the gate has no step \"{unknown}\"").into());
    }
    walk(STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name)))
}

fn walk<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Result<()> {
    let begun = Instant::now();
    let mut done: Vec<(&str, Duration)> = Vec::new();
    for step in steps {
        println!("\n=== {}", step.name);
        let started = Instant::now();
        let outcome = (step.act)();
        done.push((step.name, started.elapsed()));
        if let Err(error) = outcome {
            println!("{}", summary(&done, false, begun.elapsed()));
            return Err(format!("step \"{}\" failed: {error}", step.name).into());
        }
    }
    println!("{}", summary(&done, true, begun.elapsed()));
    Ok(())
}

fn summary(done: &[(&str, Duration)], passed: bool, all: Duration) -> String {
    let mut text = String::from("\n=== summary\n");
    for (at, (name, took)) in done.iter().enumerate() {
        let failed = !passed && at + 1 == done.len();
        let mark = if failed { "FAILED" } else { "ok" };
        text.push_str(&format!("{mark:>6}  {:>7.1} s  {name}\n", took.as_secs_f64()));
    }
    let verdict = if passed { "passed" } else { "FAILED" };
    text.push_str(&format!("{verdict} after {:.1} s", all.as_secs_f64()));
    text
}

/// Every cargo call uses the committed lock file: the gate judges what is in the repository.
fn locked(subcommand: &str) -> Command {
    let mut cargo = cargo();
    cargo.args([subcommand, "--locked"]);
    cargo
}

/// rustfmt and clippy are named in rust-toolchain.toml, so rustup normally has them.
fn toolchain() -> Result<()> {
    let there = |tool: &str| succeeds(cargo().args([tool, "--version"]));
    if there("fmt") && there("clippy") {
        return Ok(());
    }
    println!("rustfmt or clippy is missing: rustup component add rustfmt clippy");
    let added = which("rustup").is_some()
        && run(command("rustup").args(["component", "add", "rustfmt", "clippy"])).is_ok();
    match added && there("fmt") && there("clippy") {
        true => Ok(()),
        false => Err("install rustfmt and clippy for the toolchain of rust-toolchain.toml \
                      (rustup component add rustfmt clippy), then try again"
            .into()),
    }
}

/// The same workspace-wide build as the tests below, so that nothing is compiled twice with other features.
fn house_rules() -> Result<()> {
    run(locked("test").args(["--workspace", "--test", "architecture", "--test", "dependencies"]))
}

/// Licences, bans and sources are held by `tests/dependencies.rs` on every machine; cargo-deny says it again for
/// all targets where it is installed. Building it here would take longer than the rest of the gate.
fn deny() -> Result<()> {
    if which("cargo-deny").is_none() {
        println!("not installed: tests/dependencies.rs has checked deny.toml");
        return Ok(());
    }
    run(cargo().args(["deny", "--offline", "check", "bans", "licenses", "sources"]))
}

fn clippy() -> Result<()> {
    run(locked("clippy").args(["--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn documentation() -> Result<()> {
    run(locked("doc").args(["--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-Dwarnings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_does_not_exist_is_no_step_that_passed() {
        assert!(pass(&["formatt".to_owned()]).is_err());
    }

    fn passes() -> Result<()> {
        Ok(())
    }

    fn fails() -> Result<()> {
        Err("reason".into())
    }

    #[test]
    fn the_first_failure_ends_the_gate_and_is_named() {
        let steps = [
            Step { name: "first", act: passes },
            Step { name: "second", act: fails },
            Step { name: "third", act: || Err("must not run".into()) },
        ];
        let error = walk(&steps).unwrap_err();
        assert_eq!(error.to_string(), "step \"second\" failed: reason");
        assert!(walk(&steps[..1]).is_ok());
    }

    #[test]
    fn the_summary_marks_the_step_that_failed() {
        let done = [("format", Duration::from_millis(1500)), ("clippy", Duration::from_secs(2))];
        assert_eq!(
            summary(&done, false, Duration::from_secs(4)),
            "\n=== summary\n    ok      1.5 s  format\nFAILED      2.0 s  clippy\nFAILED after 4.0 s"
        );
    }
}
