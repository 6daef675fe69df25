//! What recording costs: CPU time and memory of each format by the bench harness, beside nginx-rtmp's FLV recorder and a
//! loop that only writes what it reads, in one run; bytes written for each byte of media by a test.

use std::path::Path;

use serde_json::Value;

use super::super::Report;
use super::super::harness::{
    PEER, Variant, alive, figure, harness, measure, median, prepare, printed, ratio, shed, values, versions,
    written,
};
use crate::shell::build_release;
use crate::{Result, system};

const FORMATS: &[&str] = &["flv", "m3u8", "cmaf", "mp4"];
/// Reads, and writes what it read to a file for each stream.
const LOOP: &str = "floor-sink-tick";

const TEMPLATE: &str = r#"extends = "millrace"
name = "@NAME@"
features = ["record"]

[on]
record = """
[[record]]
domain_name = "live.local"
app_name = "live"
stream_name = "*"
oss_endpoint = "oss-local"
oss_bucket = "live-bucket"
[[record.record_format]]
format = "@FORMAT@"
oss_object_prefix = "rec/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
@SLICES@"""
"#;

const SLICES: &str = r#"slice_duration = 10
slice_oss_object_prefix = "rec/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
"#;

/// Both halves. `args` are the harness's own (`-N 200 --rounds 3`), the last one wins.
pub fn run(args: &[String]) -> Result<Report> {
    let harness = harness()?;
    system::provide(&[system::BUILD, system::TEST])?;
    prepare(&harness)?;
    let binary = build_release("server", "millrace")?;
    let mut report = judge(&recording(&harness, &binary, args)?)?;
    report.body.push_str(&bytes(&binary)?);
    Ok(report)
}

/// The harness's results for every format, the peer and the loop.
fn recording(harness: &Path, binary: &Path, args: &[String]) -> Result<Value> {
    let variant = |&format: &&str| Variant { name: name(format), definition: definition(format) };
    let variants: Vec<Variant> = FORMATS.iter().map(variant).collect();
    let usual = ["-N", "200", "--rounds", "2"].map(str::to_owned);
    let args = [&usual, args].concat();
    measure((harness, binary), "recording-cost", ("record", &[PEER, LOOP]), &variants, &args)
}

/// What the harness calls us with that format.
fn name(format: &str) -> String {
    format!("millrace_{format}")
}

fn definition(format: &str) -> String {
    let slices = if matches!(format, "m3u8" | "cmaf") { SLICES } else { "" };
    TEMPLATE.replace("@NAME@", &name(format)).replace("@FORMAT@", format).replace("@SLICES@", slices)
}

/// Turns the harness's JSON into a table.
///
/// # Errors
/// A server of ours died or was not measured.
fn judge(results: &Value) -> Result<Report> {
    let cases =
        results.get("results").and_then(Value::as_object).ok_or("no results in the harness's file")?;
    let window = results.pointer("/meta/window").and_then(Value::as_f64).unwrap_or_default();
    let mut report = Report::default();
    report.body.push_str(&format!("{}\n", versions(results)));
    report.body.push_str(&format!(
        "Windows of {window} s; the ratio is the median over the rounds. 1080p30 of 2.5 Mbit/s; everything is written to a \
         memory-backed file system.\n\n\
         | streams | format | CPU ms / stream-s | ratio to {PEER}'s FLV | peak RSS MiB | MiB / stream | pace | machine busy |\n\
         |---|---|---|---|---|---|---|---|\n"
    ));
    for (case, servers) in cases {
        for (what, server) in [(PEER, PEER.to_owned()), ("a plain loop", LOOP.to_owned())] {
            report.body.push_str(&row(case, what, &server, servers));
        }
        for format in FORMATS {
            let server = name(format);
            let rounds = servers.get(&server).unwrap_or(&Value::Null);
            alive(format, rounds)?;
            report.body.push_str(&row(case, format, &server, servers));
            report.short.extend(shed(&format!("{case}, {format}"), rounds));
        }
    }
    Ok(report)
}

fn row(case: &str, what: &str, server: &str, servers: &Value) -> String {
    let rounds = servers.get(server).unwrap_or(&Value::Null);
    let streams: f64 = case.rsplit_once('-').and_then(|(_, count)| count.parse().ok()).unwrap_or(1.0);
    let figure = |key: &str, digits: usize| figure(rounds, key, digits);
    let each = median(values(rounds, "rss_mib")).map(|mib| mib / streams);
    let (cpu, rss) = (figure("cpu_ms_per_stream_s", 3), figure("rss_mib", 1));
    format!(
        "| {streams} | {what} | {cpu} | {} | {rss} | {} | {} | {} |\n",
        written(ratio(servers, server), 2),
        written(each, 2),
        figure("pace", 3),
        figure("busy", 2)
    )
}

/// The second table.
fn bytes(binary: &Path) -> Result<String> {
    let rows = printed(binary, "recording::written")?;
    let head = "\nBytes that the server hands to write() until the object is stored, for each byte of an FLV file of \
                2.5 Mbit/s; journals and database are in them.\n\n\
                | format | bytes written / media byte |\n|---|--:|\n";
    Ok(format!("{head}{rows}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(alive: bool) -> Value {
        let round = |cpu: f64| serde_json::json!({ "cpu_ms_per_stream_s": cpu, "rss_mib": 100.0, "pace": 1.0, "alive": alive });
        let mut servers: serde_json::Map<String, Value> =
            FORMATS.iter().map(|format| (name(format), serde_json::json!([round(1.5)]))).collect();
        servers.insert(PEER.into(), serde_json::json!([round(1.0)]));
        servers.insert(LOOP.into(), serde_json::json!([round(0.5)]));
        serde_json::json!({ "meta": { "window": 32.0, "versions": {} }, "results": { "record-200": servers } })
    }

    #[test]
    fn every_format_has_a_row_beside_the_peer_and_the_loop() {
        let report = judge(&results(true)).unwrap();
        for format in FORMATS {
            let row = format!("| 200 | {format} | 1.500 | 1.50 | 100.0 | 0.50 | 1.000 | - |");
            assert!(report.body.contains(&row), "{}", report.body);
        }
        assert!(report.body.contains("| 200 | a plain loop | 0.500 | 0.50 |"), "{}", report.body);
    }

    #[test]
    fn a_server_that_dies_fails_the_proof() {
        assert!(judge(&results(false)).is_err());
    }

    #[test]
    fn slices_are_for_formats_that_have_them() {
        assert!(
            definition("cmaf").contains("slice_duration") && !definition("mp4").contains("slice_duration")
        );
    }
}
