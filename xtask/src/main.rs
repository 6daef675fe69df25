//! The commands of this repository: `cargo xtask serve`, `cargo xtask test`, `cargo xtask accept`.

mod accept;
mod gate;
mod process;
mod sdk;
mod serve;
mod shell;
mod system;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask serve [-- ARGS]          install what is missing, build, run millrace serve on config/millrace.toml
cargo xtask test [STEP ...]          install what is missing, run the gate: every rule once; or these steps of it
cargo xtask sdk                      install the clouds' SDKs, which some tests need, beside the build
cargo xtask accept                   run every long proof; figures go to benches/RESULTS.md
cargo xtask accept NAME [-- ARGS]    run one of them
cargo xtask accept --list            say which there are";

/// What a command ends with: the reason it did not work, for the person who typed it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match words.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let outcome = match command {
        "serve" => serve::run(rest),
        "test" => gate::pass(rest),
        "sdk" => system::provide(&[system::SDK]).and_then(|()| sdk::provide()),
        "accept" => accept::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!("no command {other}\n{USAGE}").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What stands after the `--` that separates our words from those of the program we run.
fn passed_on(words: &[String]) -> &[String] {
    match words.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => words,
    }
}
