//! The bench harness: how proofs drive it, and how they read what it measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::shell::{cargo, command, output, root, run, which};

/// Who our figures are divided by.
pub(super) const PEER: &str = "nginx-rtmp";

/// Below this share of the frames sent in time, a server sheds load and its CPU figure says nothing.
pub(super) const PACE: f64 = 0.999;

/// The bench harness is not part of this repository.
pub(super) fn harness() -> Result<PathBuf> {
    let folder = std::env::var_os("MILLRACE_BENCH_DIR").unwrap_or_else(|| "../shared/bench".into());
    let folder = root().join(folder);
    match folder.join("bench.py").is_file() {
        true => Ok(folder),
        false => Err(format!("no bench.py in {}: set MILLRACE_BENCH_DIR", folder.display()).into()),
    }
}

/// Readies what the harness needs, unless it is there: load generator, source media, the peer.
pub(super) fn prepare(harness: &Path) -> Result<()> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let cache = std::env::var_os("BENCH_CACHE").map_or_else(|| home.join(".cache/bench"), PathBuf::from);
    let ready = ["loadgen-target/release/loadgen", "src.flv"].iter().all(|file| cache.join(file).is_file());
    let peer = Path::new("/usr/lib/nginx/modules/ngx_rtmp_module.so").is_file()
        && (which("nginx").is_some() || Path::new("/usr/sbin/nginx").is_file());
    if ready && peer {
        return Ok(());
    }
    let mut setup: Command = command("sh");
    run(setup.arg(harness.join("setup.sh")).env("SKIP_XIU", "1"))
}

/// A server for the harness to measure: `millrace` with another template.
pub(super) struct Variant {
    /// What the harness calls it.
    pub name: String,
    /// Its `servers/NAME.toml`.
    pub definition: String,
}

/// The harness's results for `others` and each of `variants` of `binary` in a scenario. `proof` names the folder for its
/// files; the last of `args` wins.
pub(super) fn measure(
    (harness, binary): (&Path, &Path),
    proof: &str,
    (scenario, others): (&str, &[&str]),
    variants: &[Variant],
    args: &[String],
) -> Result<Value> {
    let folder = root().join("target/accept").join(proof);
    std::fs::create_dir_all(&folder)?;
    let mut bench = command("python3");
    bench.arg(harness.join("bench.py")).env("BENCH_SERVERS", &folder);
    for Variant { name, definition } in variants {
        std::fs::write(folder.join(format!("{name}.toml")), definition)?;
        bench.env(format!("BENCH_BIN_{}", name.to_uppercase()), binary);
    }
    let ours = variants.iter().map(|variant| variant.name.as_str());
    let servers: Vec<&str> = others.iter().copied().chain(ours).collect();
    bench.args(["--servers", &servers.join(","), "--scenarios", scenario]);
    results(bench, proof, args)
}

/// Runs the harness; what it wrote down.
pub(super) fn results(mut bench: Command, proof: &str, args: &[String]) -> Result<Value> {
    let folder = root().join("target/accept").join(proof);
    std::fs::create_dir_all(&folder)?;
    let results = folder.join("results.json");
    run(bench.arg("--out").arg(&results).args(args))?;
    let text = std::fs::read_to_string(&results).map_err(|e| format!("{}: {e}", results.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// Lines of a table that an ignored e2e test of `binary` prints.
pub(super) fn printed(binary: &Path, test: &str) -> Result<String> {
    let mut run = cargo();
    run.args(["test", "--locked", "--package", "server", "--test", "e2e", test]);
    run.args(["--", "--ignored", "--nocapture"]);
    let said = output(run.env("MILLRACE_TEST_BINARY", binary))?;
    let rows: Vec<&str> = said.lines().filter_map(|line| line.find("| ").map(|at| &line[at..])).collect();
    match rows.is_empty() {
        true => Err(format!("{test} printed nothing").into()),
        false => Ok(rows.join("\n")),
    }
}

/// Whether `server` lived through all its `rounds`.
///
/// # Errors
/// It died, or was not measured: then there is nothing to compare.
pub(super) fn alive(server: &str, rounds: &Value) -> Result<()> {
    let alive = |row: &Value| row.get("alive").and_then(Value::as_bool).unwrap_or(false);
    match rounds.as_array().is_some_and(|rounds| !rounds.is_empty() && rounds.iter().all(alive)) {
        true => Ok(()),
        false => Err(format!("{server} failed; see the harness's output").into()),
    }
}

/// The least share of the frames that was taken in time.
pub(super) fn slowest(rounds: &Value) -> f64 {
    values(rounds, "pace").into_iter().fold(f64::INFINITY, f64::min)
}

/// A server that does not take every frame in time is cheap for that reason.
pub(super) fn shed(what: &str, rounds: &Value) -> Option<String> {
    let pace = slowest(rounds);
    (pace < PACE).then(|| format!("{what}: {pace:.4} of the frames taken in time; the aim is all of them"))
}

/// The median of a figure over the rounds, as text; `-` if it was not measured.
pub(super) fn figure(rounds: &Value, key: &str, digits: usize) -> String {
    written(median(values(rounds, key)), digits)
}

/// A number as text; `-` for none.
pub(super) fn written(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// What was compared.
pub(super) fn versions(results: &Value) -> String {
    let versions = results.pointer("/meta/versions").and_then(Value::as_object);
    let words = versions
        .into_iter()
        .flatten()
        .map(|(name, version)| format!("{name}: {}", version.as_str().unwrap_or("-")));
    words.collect::<Vec<_>>().join("; ")
}

/// Median over the rounds of `server`'s CPU time over the peer's in the same round.
pub(super) fn ratio(servers: &Value, server: &str) -> Option<f64> {
    let cpu = |name: &str, round: usize| servers.get(name)?.get(round)?.get("cpu_ms_per_stream_s")?.as_f64();
    let rounds = servers.get(server)?.as_array()?.len();
    median((0..rounds).filter_map(|round| Some(cpu(server, round)? / cpu(PEER, round)?)).collect())
}

pub(super) fn values(rounds: &Value, key: &str) -> Vec<f64> {
    rounds.as_array().into_iter().flatten().filter_map(|row| row.get(key)?.as_f64()).collect()
}

/// The middle value, of an even number the mean of the two.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
