//! How fast the pieces are that every byte of a stream goes through, each beside a memcpy of the same bytes in the
//! same run: the ratio says more than the speed, which is the machine's.
//!
//! [`CASES`] is the list. `cargo bench --package millrace-benches` runs it in less than a minute; what it prints
//! goes into `RESULTS.md`.

mod chunks;
mod configs;
mod containers;
mod measure;
mod outputs;
mod picture;
mod source;

use std::process::Command;

pub use measure::{Row, table};

/// Why a case could not be measured.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Something to measure.
pub struct Case {
    /// Its name on the command line.
    pub name: &'static str,
    /// Measures it.
    pub run: fn() -> Result<Vec<Row>, Error>,
}

/// All of them: if it is not in this list, it does not exist.
pub const CASES: &[Case] = &[
    Case { name: "chunks", run: chunks::run },
    Case { name: "demux", run: chunks::demux },
    Case { name: "configs", run: configs::run },
    Case { name: "flv", run: containers::flv },
    Case { name: "cmaf", run: containers::cmaf },
    Case { name: "ts", run: containers::ts },
    Case { name: "session", run: outputs::run },
    Case { name: "picture", run: picture::run },
];

/// Day and machine.
pub fn header() -> String {
    let date = Command::new("date").args(["-u", "+%F"]).output();
    let date = date.map(|done| String::from_utf8_lossy(&done.stdout).trim().to_owned()).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    format!("{date}, {cores} × {model}. MB is 10⁶ bytes. Ratio: time over the memcpy's.")
}
