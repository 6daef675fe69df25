//! `millrace`: the live media server.

mod clock;
mod config;
mod http;
mod keys;
mod ledger;
mod publishing;
mod run;
mod telemetry;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// Exit code for a config that can't be used (design §6).
const BAD_CONFIG: u8 = 2;

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
}

#[derive(clap::Args)]
struct ConfigArg {
    /// Config file; without it config/millrace.toml if that exists, else the defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(ConfigArg { config }) => serve(config.as_deref()),
        Command::Check(ConfigArg { config }) => check(config.as_deref()),
    }
}

fn load(path: Option<&Path>) -> Result<Config, ExitCode> {
    Config::load(path, std::env::vars()).map_err(|error| {
        eprintln!("{error}");
        ExitCode::from(BAD_CONFIG)
    })
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
