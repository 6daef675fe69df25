//! What each protocol costs beside nginx-rtmp's HLS, and what waiting players cost beside a loop that only writes to
//! them: the bench harness for the first, `tests/e2e/latency` for the second, both against the release build.

use std::path::Path;

use serde_json::Value;

use super::Report;
use super::harness::{
    PEER, Variant, alive, figure, harness, measure, prepare, printed, ratio, shed, versions, written,
};
use crate::shell::build_release;
use crate::{Result, system};

/// Every protocol of a package template.
const PROTOCOLS: &[&str] =
    &["HLS_CMAF", "LLHLS_TS", "LLHLS_CMAF", "DASH_CMAF", "HLSDASH_CMAF", "LLHLSDASH_CMAF"];

/// Segments as nginx-rtmp's in the harness: six of 2 s. Parts as the templates' default.
const TEMPLATE: &str = r#"extends = "millrace"
name = "@NAME@"
features = ["hls"]

[on]
hls = """
[[package]]
domain_name = "live.local"
app_name = "live"
stream_name = "*"
protocol = "@PROTOCOL@"
segment_num = 6
segment_duration = 2
@PARTS@"""
"#;

/// Both halves. `args` are the harness's own (`-N 50 --rounds 1`), the last one wins.
pub fn run(args: &[String]) -> Result<Report> {
    let harness = harness()?;
    system::provide(&[system::BUILD, system::TEST])?;
    prepare(&harness)?;
    let binary = build_release("server", "millrace")?;
    let mut report = judge(&packaging(&harness, &binary, args)?)?;
    report.body.push_str(&waiting(&binary)?);
    Ok(report)
}

/// The harness's results for every protocol and the peer.
fn packaging(harness: &Path, binary: &Path, args: &[String]) -> Result<Value> {
    let variant = |&protocol: &&str| Variant { name: name(protocol), definition: definition(protocol) };
    let variants: Vec<Variant> = PROTOCOLS.iter().map(variant).collect();
    let usual = ["-N", "50", "--rounds", "2", "--window", "16"].map(str::to_owned);
    measure((harness, binary), "cost", ("hls", &[PEER]), &variants, &[&usual, args].concat())
}

/// What the harness calls us with that protocol.
fn name(protocol: &str) -> String {
    format!("millrace_{}", protocol.to_lowercase())
}

fn definition(protocol: &str) -> String {
    let parts = if protocol.starts_with("LL") { "part_duration = 350" } else { "" };
    TEMPLATE.replace("@NAME@", &name(protocol)).replace("@PROTOCOL@", protocol).replace("@PARTS@", parts)
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
        "Windows of {window} s; the ratio is the median over the rounds. 1080p30 of 2.5 Mbit/s, segments of 2 s, parts \
         of 350 ms; {PEER} writes MPEG-TS to memory-backed files.\n\n\
         | streams | protocol | CPU ms / stream-s | ratio to {PEER}'s HLS | peak RSS MiB | pace | machine busy |\n\
         |---|---|---|---|---|---|---|\n"
    ));
    for (case, servers) in cases {
        let streams = case.rsplit_once('-').map_or("-", |(_, count)| count);
        report.body.push_str(&row(streams, PEER, PEER, servers));
        for protocol in PROTOCOLS {
            let server = name(protocol);
            let rounds = servers.get(&server).unwrap_or(&Value::Null);
            alive(protocol, rounds)?;
            report.body.push_str(&row(streams, protocol, &server, servers));
            report.short.extend(shed(&format!("{case}, {protocol}"), rounds));
        }
    }
    Ok(report)
}

fn row(streams: &str, what: &str, server: &str, servers: &Value) -> String {
    let rounds = servers.get(server).unwrap_or(&Value::Null);
    let figure = |key: &str, digits: usize| figure(rounds, key, digits);
    let ratio = written(ratio(servers, server), 2);
    let (cpu, rss) = (figure("cpu_ms_per_stream_s", 3), figure("rss_mib", 1));
    format!(
        "| {streams} | {what} | {cpu} | {ratio} | {rss} | {} | {} |\n",
        figure("pace", 3),
        figure("busy", 2)
    )
}

/// The second table.
fn waiting(binary: &Path) -> Result<String> {
    let rows = printed(binary, "latency::cost_of_1000_waiting_players")?;
    let head = "\nPlayers that wait for each part of one LL-HLS stream, without what the stream itself costs. A player's \
                request is read and waits; the loop reads nothing.\n\n\
                | what | CPU ms / s | CPU µs / answer | ratio |\n|---|---|---|---|\n";
    Ok(format!("{head}{rows}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(pace: f64, alive: bool) -> Value {
        let round = |cpu: f64| serde_json::json!({ "cpu_ms_per_stream_s": cpu, "rss_mib": 5.0, "pace": pace, "alive": alive });
        let mut servers: serde_json::Map<String, Value> = PROTOCOLS
            .iter()
            .map(|protocol| (name(protocol), serde_json::json!([round(0.5), round(1.5)])))
            .collect();
        servers.insert(PEER.into(), serde_json::json!([round(1.0), round(2.0)]));
        serde_json::json!({ "meta": { "window": 16.0, "versions": {} }, "results": { "hls-50": servers } })
    }

    #[test]
    fn every_protocol_has_a_row_beside_the_peer_of_the_same_round() {
        let report = judge(&results(1.0, true)).unwrap();
        for protocol in PROTOCOLS {
            let row = format!("| 50 | {protocol} | 1.000 | 0.62 | 5.0 | 1.000 | - |");
            assert!(report.body.contains(&row), "{}", report.body);
        }
        assert!(report.body.contains("| 50 | nginx-rtmp | 1.500 | 1.00 |"), "{}", report.body);
        assert!(report.short.is_empty());
    }

    #[test]
    fn frames_that_came_late_are_said_and_a_death_fails_the_proof() {
        let report = judge(&results(0.98, true)).unwrap();
        assert_eq!(
            report.short[0],
            "hls-50, HLS_CMAF: 0.9800 of the frames taken in time; the aim is all of them"
        );
        assert!(judge(&results(1.0, false)).is_err());
    }

    #[test]
    fn parts_are_for_protocols_that_have_them() {
        assert!(definition("LLHLS_TS").contains("protocol = \"LLHLS_TS\""));
        assert!(definition("LLHLS_TS").contains("part_duration"));
        assert!(!definition("DASH_CMAF").contains("part_duration"));
    }
}
