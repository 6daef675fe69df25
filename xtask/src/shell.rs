//! Running programs from the repository's root.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// The repository's root: the folder above this package, wherever the checkout is now.
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// `program` in the root, without stdin: nothing we run may ask.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs to the end, output to the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|e| format!("{}: {e}", spell(command)))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{} ended with {status}", spell(command)).into()),
    }
}

/// Runs to the end and returns what it wrote to stdout; stderr goes to the terminal.
pub fn output(command: &mut Command) -> Result<String> {
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    let done = command.spawn().and_then(std::process::Child::wait_with_output);
    let done = done.map_err(|e| format!("{}: {e}", spell(command)))?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        false => Err(format!("{} ended with {}", spell(command), done.status).into()),
    }
}

/// Whether it can be started and ends well; output is thrown away.
pub fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The file that `program` on its own would start.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The command as one would type it.
pub fn spell(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Builds one of our binaries for release and says where it is.
pub fn build_release(package: &str, binary: &str) -> Result<PathBuf> {
    built(&["--release", "--package", package, "--bin", binary], binary)
}

/// Builds all binaries as the gate does, and says where this one is.
pub fn build(binary: &str) -> Result<PathBuf> {
    built(&["--locked", "--workspace", "--bins"], binary)
}

fn built(args: &[&str], binary: &str) -> Result<PathBuf> {
    let mut build = cargo();
    build.arg("build").args(args).arg("--message-format=json-render-diagnostics");
    let messages = output(&mut build)?;
    let executable = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let named = message.pointer("/target/name")?.as_str()? == binary;
        message.get("executable")?.as_str().filter(|_| named).map(PathBuf::from)
    });
    executable.ok_or_else(|| format!("cargo built no binary {binary}").into())
}
