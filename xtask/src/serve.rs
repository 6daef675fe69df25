//! `cargo xtask serve`: from a fresh clone to a running server.

use std::process::Stdio;

use crate::{Result, passed_on, shell, system};

/// Installs what is missing, builds for release and becomes the server, so that signals and the exit code are
/// the server's own.
pub fn run(words: &[String]) -> Result<()> {
    let args = passed_on(words);
    system::provide(&[system::BUILD])?;
    println!("building (the first time takes some minutes)");
    let binary = shell::build_release("server", "millrace")?;
    let mut server = shell::command(binary);
    server.arg("serve").stdin(Stdio::inherit());
    if !args.iter().any(|word| word == "--config" || word.starts_with("--config=")) {
        server.args(["--config", "config/millrace.toml"]);
    }
    become_it(server.args(args))
}

#[cfg(unix)]
fn become_it(server: &mut std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let error = server.exec(); // returns only when it failed
    Err(format!("{}: {error}", shell::spell(server)).into())
}

#[cfg(not(unix))]
fn become_it(server: &mut std::process::Command) -> Result<()> {
    shell::run(server)
}
