//! `millrace`: the live media server.

mod archive;
mod asking;
mod books;
mod clock;

mod http;
mod key_command;
mod ledger;
mod ports;
mod publishing;
mod recover;
mod run;
mod statuses;
mod telemetry;
mod telling;
mod tls;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use key_command::KeyCommand;

use server::config::{self, Config};

/// Exit code for a config that can't be used (design §6).
const BAD_CONFIG: u8 = 2;

/// How long blocking work may go on after everything else has ended.
const LEFTOVERS: Duration = Duration::from_secs(1);

/// Live media server: takes RTMP, makes HLS, recordings and snapshots.
#[derive(Parser)]
#[command(name = "millrace", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until SIGTERM or SIGINT.
    Serve(ConfigArg),
    /// Validate the config and print it as it is understood.
    Check(ConfigArg),
    /// Make, list, disable and delete access keys.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
        #[command(flatten)]
        config: ConfigArg,
    },
}

#[derive(clap::Args)]
struct ConfigArg {
    /// Config file; without it config/millrace.toml if that exists, else the defaults.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(ConfigArg { config }) => serve(config.as_deref()),
        Command::Check(ConfigArg { config }) => check(config.as_deref()),
        Command::Key { command, config: ConfigArg { config } } => key(command, config.as_deref()),
    }
}

fn serve(path: Option<&Path>) -> ExitCode {
    let config = match load(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    exit_code(start(config))
}

fn key(command: KeyCommand, path: Option<&Path>) -> ExitCode {
    let config = match load(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("runtime: {error}"));
    exit_code(runtime.and_then(|runtime| runtime.block_on(command.run(&config))))
}

fn exit_code(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("millrace: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(config: Config) -> Result<(), String> {
    telemetry::logs(config.log.format == config::LogFormat::Json, &config.log.level)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let metrics = telemetry::metrics().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("runtime: {error}"))?;
    let outcome = runtime.block_on(async {
        let stop = signals().map_err(|error| format!("signals: {error}"))?;
        run::run(config, metrics, stop).await.map_err(|error| error.to_string())
    });
    // A disk that hangs must not keep the process: what it owes is in the spool.
    runtime.shutdown_timeout(LEFTOVERS);
    outcome
}

/// Resolves at SIGTERM or SIGINT.
fn signals() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn load(path: Option<&Path>) -> Result<Config, ExitCode> {
    Config::load(path, environment()).map_err(|error| {
        eprintln!("{error}");
        ExitCode::from(BAD_CONFIG)
    })
}

/// The environment; `std::env::vars` would panic on what is not UTF-8.
fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

fn check(path: Option<&Path>) -> ExitCode {
    match load(path) {
        Ok(config) => {
            print!("{}", config.resolved());
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
