//! A big object, put by us and by curl in turns.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::service::Service;
use crate::Result;
use crate::shell::{self, cargo, command, output};

/// Bytes of the object.
const LEN: u64 = 2_000_000_000;
/// Each uploader's turns; the figures are medians.
const ROUNDS: usize = 3;
const BUCKET: &str = "millrace-upload";

/// More than this beside what the process has anyway is no bounded memory.
const MEMORY_MIB: f64 = 64.0;
/// Of what curl reaches with one plain PUT.
const SPEED: f64 = 0.8;

/// What the turns took.
pub struct Figures {
    ours: Vec<f64>,
    curls: Vec<f64>,
    before_mib: f64,
    peak_mib: f64,
}

/// Puts a file of zeros, which takes no room here, by turns. Nothing of it stays.
pub fn run(service: &Service, dir: &Path) -> Result<Figures> {
    let uploader = build()?;
    let file = dir.join("big");
    std::fs::File::create(&file)?.set_len(LEN)?;
    let mut figures = Figures { ours: Vec::new(), curls: Vec::new(), before_mib: 0.0, peak_mib: 0.0 };
    let outcome = (0..ROUNDS).try_for_each(|_| {
        figures.turn(service, &uploader, &file)?;
        figures.curl(service, &file)
    });
    let _ = std::fs::remove_file(&file);
    let _ = output(curl(service, "").args(["--request", "DELETE"]));
    outcome.map(|()| figures)
}

fn build() -> Result<std::path::PathBuf> {
    let mut build = cargo();
    build.args(["build", "--release", "--package", "delivery", "--example", "upload"]);
    build.arg("--message-format=json-render-diagnostics");
    let executable = output(&mut build)?.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let named = message.pointer("/target/name")?.as_str()? == "upload";
        message.get("executable")?.as_str().filter(|_| named).map(Into::into)
    });
    executable.ok_or_else(|| "cargo built no example upload".into())
}

impl Figures {
    fn turn(&mut self, service: &Service, uploader: &Path, file: &Path) -> Result<()> {
        let mut upload = command(uploader);
        upload.args([&service.url, BUCKET, "ours"]).arg(file);
        let said: Value = serde_json::from_str(output(service.tell(&mut upload))?.trim())?;
        let figure = |name: &str| said.get(name).and_then(Value::as_f64).ok_or(format!("no {name}: {said}"));
        self.ours.push(figure("seconds")?);
        self.before_mib = self.before_mib.max(figure("before_kib")? / 1024.0);
        self.peak_mib = self.peak_mib.max(figure("peak_kib")? / 1024.0);
        remove(service, "ours")
    }

    fn curl(&mut self, service: &Service, file: &Path) -> Result<()> {
        let mut put = curl(service, "curls");
        put.arg("--upload-file").arg(file).args(["--output", "/dev/null", "--write-out", "%{time_total}"]);
        self.curls.push(output(&mut put)?.trim().parse()?);
        remove(service, "curls")
    }

    /// Markdown.
    pub fn table(&self) -> String {
        let (ours, curls) = (speed(&self.ours), speed(&self.curls));
        format!(
            "An object of {} MB, medians of {ROUNDS} turns. Memory is the peak of the process's resident set; before \
             the upload it was {:.1} MiB.\n\n| uploader | MB/s | ratio | memory MiB |\n|---|---|---|---|\n\
             | `delivery::S3Store`, 120 parts of 16 MiB, 2 at a time | {ours:.0} | {:.2} | {:.1} |\n\
             | curl, one PUT | {curls:.0} | 1.00 | |\n",
            LEN / 1_000_000,
            self.before_mib,
            ours / curls,
            self.peak_mib,
        )
    }

    /// What is short of the target.
    pub fn short(&self) -> Vec<String> {
        let mut short = Vec::new();
        let (ratio, memory) = (speed(&self.ours) / speed(&self.curls), self.peak_mib - self.before_mib);
        if ratio < SPEED {
            short.push(format!("{ratio:.2} of curl's throughput; the aim is {SPEED}"));
        }
        if memory > MEMORY_MIB {
            short.push(format!("{memory:.0} MiB for an upload; the aim is {MEMORY_MIB}"));
        }
        short
    }
}

/// curl, which signs as S3 wants it, on an object; with an empty key, on the bucket.
fn curl(service: &Service, key: &str) -> Command {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3"]);
    curl.args(["--user", &format!("{}:{}", service.id, service.secret)]);
    curl.args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]);
    curl.arg(format!("{}/{BUCKET}/{key}", service.url));
    curl
}

fn remove(service: &Service, key: &str) -> Result<()> {
    shell::run(curl(service, key).args(["--request", "DELETE"]))
}

/// MB a second.
fn speed(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    LEN as f64 / 1e6 / median
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(ours: f64, peak_mib: f64) -> Figures {
        Figures { ours: vec![ours, 1.0, 100.0], curls: vec![10.0; 3], before_mib: 10.0, peak_mib }
    }

    #[test]
    fn a_speed_is_that_of_the_median_turn() {
        assert_eq!(speed(&[20.0, 1.0, 10.0]), 200.0);
        assert!(figures(10.0, 20.0).table().contains("| 200 | 1.00 | 20.0 |"));
    }

    #[test]
    fn what_is_slow_or_big_is_short_of_the_target() {
        assert!(figures(10.0, 20.0).short().is_empty());
        assert_eq!(figures(20.0, 20.0).short(), ["0.50 of curl's throughput; the aim is 0.8"]);
        assert_eq!(figures(10.0, 210.0).short(), ["200 MiB for an upload; the aim is 64"]);
    }
}
