//! Side by side with nginx-rtmp: the bench harness publishes to both in one run, and ratios are taken between
//! figures of the same round.

use serde_json::Value;

use super::Report;
use super::harness::{
    PACE, PEER, alive, figure, harness, median, prepare, ratio, results, slowest, values, versions, written,
};
use crate::shell::{build_release, command};
use crate::{Result, system};

const OURS: &str = "millrace";

/// What we aim at in a scenario.
struct Aim {
    scenario: &'static str,
    /// Our CPU time per stream-second over the peer's, at most.
    ratio: f64,
    /// Seconds of media that every stream must hold: a GOP of 2 s; for HLS also the window of 6 segments of 2 s,
    /// as long again for what has left the playlist, and the segment being cut.
    held_s: f64,
}

const AIMS: &[Aim] = &[
    Aim { scenario: "ingest", ratio: 0.8, held_s: 2.0 },
    Aim { scenario: "hls", ratio: 0.7, held_s: 28.0 },
    Aim { scenario: "record", ratio: 0.8, held_s: 2.0 },
];

/// Memory per stream beside the media that it must hold, MiB.
const STREAM_MIB: f64 = 1.0;

/// Runs the harness and judges its results. `args` are the harness's own (`-N 50 --rounds 1`), the last one wins.
pub fn run(args: &[String]) -> Result<Report> {
    let harness = harness()?;
    system::provide(&[system::BUILD])?;
    prepare(&harness)?;
    let binary = build_release("server", "millrace")?;
    let mut bench = command("python3");
    bench.arg(harness.join("bench.py")).env("BENCH_BIN_MILLRACE", binary);
    bench.args(["--servers", "nginx-rtmp,millrace,floor-sink-tick", "--scenarios", "ingest,hls,record"]);
    bench.args(["-N", "50,200", "--rounds", "3"]);
    judge(&results(bench, "bench-peers", args)?)
}

/// Turns the harness's JSON into a table and a list of what fell short.
fn judge(results: &Value) -> Result<Report> {
    let cases =
        results.get("results").and_then(Value::as_object).ok_or("no results in the harness's file")?;
    let window = results.pointer("/meta/window").and_then(Value::as_f64).unwrap_or_default();
    let mut report = Report::default();
    report.body.push_str(&format!("{}\n", versions(results)));
    report.body.push_str(&format!("Windows of {window} s; the ratio is the median over the rounds.\n\n"));
    report.body.push_str("| case | server | CPU ms / stream-s | ratio to nginx-rtmp | peak RSS MiB | MiB / stream | pace | errors | machine busy |\n");
    report.body.push_str("|---|---|---|---|---|---|---|---|---|\n");
    for (case, servers) in cases {
        for (server, rounds) in servers.as_object().into_iter().flatten() {
            report.body.push_str(&row(case, server, rounds, servers));
        }
        report.short.extend(shortfall(case, servers)?);
    }
    Ok(report)
}

fn row(case: &str, server: &str, rounds: &Value, servers: &Value) -> String {
    let figure = |key: &str, digits: usize| figure(rounds, key, digits);
    let ratio = written(ratio(servers, server), 2);
    let publishers: f64 = case.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).unwrap_or(1.0);
    let each = written(median(values(rounds, "rss_mib")).map(|mib| mib / publishers), 2);
    format!(
        "| {case} | {server} | {} | {ratio} | {} | {each} | {} | {} | {} |\n",
        figure("cpu_ms_per_stream_s", 3),
        figure("rss_mib", 1),
        figure("pace", 3),
        figure("errors", 0),
        figure("busy", 2)
    )
}

/// What our server did not reach in `case`.
///
/// # Errors
/// It died or was not measured: then there is nothing to compare.
fn shortfall(case: &str, servers: &Value) -> Result<Vec<String>> {
    let ours = servers.get(OURS).unwrap_or(&Value::Null);
    alive(&format!("{case}: {OURS}"), ours)?;
    let (scenario, publishers) = case.rsplit_once('-').unwrap_or((case, "1"));
    let mut short = Vec::new();
    let pace = slowest(ours);
    let errors: f64 = values(ours, "errors").into_iter().sum();
    if pace < PACE || errors > 0.0 {
        short.push(format!(
            "{case}: {pace:.4} of the frames taken in time, {errors} errors; the aim is all, none"
        ));
    }
    if let Some(aim) = AIMS.iter().find(|aim| aim.scenario == scenario) {
        match ratio(servers, OURS) {
            Some(ratio) if ratio <= aim.ratio => {}
            Some(ratio) => {
                short.push(format!("{case}: {ratio:.2} of {PEER}'s CPU time; the aim is {:.2}", aim.ratio))
            }
            None => short.push(format!("{case}: {PEER} was not measured, so there is no ratio")),
        }
        let publishers: f64 = publishers.parse().unwrap_or(1.0);
        let media =
            median(values(ours, "mbps")).unwrap_or_default() / publishers * aim.held_s / 8.0 / 1.048_576;
        let each = median(values(ours, "rss_mib")).unwrap_or_default() / publishers;
        if each - media > STREAM_MIB {
            short.push(format!(
                "{case}: {:.2} MiB per stream beside the media it must hold; the aim is {STREAM_MIB}",
                each - media
            ));
        }
    }
    Ok(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(ours: f64, pace: f64, alive: bool) -> Value {
        serde_json::json!({
            "meta": { "window": 32.0, "versions": { "millrace": "millrace 0.1.0" } },
            "results": { "ingest-50": {
                "nginx-rtmp": [
                    { "cpu_ms_per_stream_s": 1.0, "rss_mib": 5.0, "pace": 1.0, "errors": 0, "alive": true },
                    { "cpu_ms_per_stream_s": 2.0, "rss_mib": 5.0, "pace": 1.0, "errors": 0, "alive": true },
                ],
                "millrace": [
                    { "cpu_ms_per_stream_s": ours, "rss_mib": 25.0, "pace": pace, "errors": 0, "alive": alive },
                    { "cpu_ms_per_stream_s": ours * 2.0, "rss_mib": 25.0, "pace": pace, "errors": 0, "alive": alive },
                ],
            } },
        })
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let report = judge(&results(0.5, 1.0, true)).unwrap();
        assert!(
            report.body.contains("| ingest-50 | millrace | 0.750 | 0.50 | 25.0 | 0.50 | 1.000 | 0 | - |"),
            "{}",
            report.body
        );
        assert!(report.short.is_empty());
    }

    #[test]
    fn a_ratio_over_the_aim_is_said() {
        let report = judge(&results(0.9, 1.0, true)).unwrap();
        assert_eq!(report.short, ["ingest-50: 0.90 of nginx-rtmp's CPU time; the aim is 0.80"]);
    }

    #[test]
    fn frames_that_came_late_are_said() {
        let report = judge(&results(0.5, 0.98, true)).unwrap();
        assert_eq!(
            report.short,
            ["ingest-50: 0.9800 of the frames taken in time, 0 errors; the aim is all, none"]
        );
    }

    #[test]
    fn memory_beside_the_gop_over_the_aim_is_said() {
        let mut results = results(0.5, 1.0, true);
        for round in results["results"]["ingest-50"]["millrace"].as_array_mut().unwrap() {
            round["rss_mib"] = 100.0.into();
            round["mbps"] = 125.0.into();
        }
        let report = judge(&results).unwrap();
        assert_eq!(
            report.short,
            ["ingest-50: 1.40 MiB per stream beside the media it must hold; the aim is 1"]
        );
    }

    #[test]
    fn a_server_that_dies_fails_the_proof() {
        assert!(judge(&results(0.5, 1.0, false)).is_err());
    }
}
