//! How soon what an encoder sent can be played: `tests/e2e/latency` against a release build.

use super::Report;
use crate::shell::{build_release, cargo, output};
use crate::{Result, system};

/// What we aim at: the row that begins so, the column, milliseconds at most.
const AIMS: &[Aim] = &[
    Aim { row: "LL-HLS part of 334 ms, from its first frame", most: 354.0 },
    Aim { row: "answer to 500 waiting players", most: 5.0 },
];

/// Column of p99, counted from the row's name.
const P99: usize = 4;

struct Aim {
    row: &'static str,
    /// Milliseconds at p99.
    most: f64,
}

/// One case after the other, so that they do not disturb each other.
pub fn run(args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD, system::TEST])?;
    let binary = build_release("server", "millrace")?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--package", "server", "--test", "e2e", "--", "latency::"]);
    // What waiting players cost is another proof.
    tests.args(["--skip", "low_latency::", "--skip", "latency::cost"]);
    tests.args(["--ignored", "--nocapture", "--test-threads=1"]).args(args);
    let said = output(tests.env("MILLRACE_TEST_BINARY", binary))?;
    Ok(judge(&said))
}

fn judge(said: &str) -> Report {
    let mut report = Report::default();
    report.body.push_str(
        "Milliseconds; the publisher's clock, 30 frames a second, a key frame each second, 2 Mbit/s.\n\n\
         | what | n | p50 | p95 | p99 | longest |\n|---|---|---|---|---|---|\n",
    );
    for row in said.lines().filter_map(|line| line.find("| ").map(|at| &line[at..])) {
        report.body.push_str(&format!("{row}\n"));
        let cells: Vec<&str> = row.split('|').map(str::trim).skip(1).collect();
        let name = cells.first().copied().unwrap_or_default();
        let p99: Option<f64> = cells.get(P99).and_then(|cell| cell.parse().ok());
        let missed = |aim: &&Aim| name.starts_with(aim.row) && p99.is_none_or(|p99| p99 > aim.most);
        if let Some(aim) = AIMS.iter().find(missed) {
            let p99 = p99.unwrap_or(f64::NAN);
            report.short.push(format!("{name}: {p99} ms at p99; the aim is {} ms", aim.most));
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_from_what_the_tests_say_and_held_against_the_aims() {
        let said = "test a ... | LL-HLS part of 334 ms, from its first frame | 80 | 335.0 | 340.0 | 360.0 | 361.0 |\n\
                    ok\n| the same, from its completion | 80 | 1.0 | 2.0 | 3.0 | 4.0 |\n";
        let report = judge(said);
        assert!(report.body.ends_with("| the same, from its completion | 80 | 1.0 | 2.0 | 3.0 | 4.0 |\n"));
        assert_eq!(
            report.short,
            ["LL-HLS part of 334 ms, from its first frame: 360 ms at p99; the aim is 354 ms"]
        );
    }
}
