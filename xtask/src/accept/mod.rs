//! `cargo xtask accept`: the long proofs, which need real programs, many minutes or a quiet machine. One module
//! each; what they find is appended to `benches/RESULTS.md`.

mod bench_peers;
mod benches;
mod changes;
mod codecs;
mod cost;
mod faults;
mod fuzz;
mod harness;
mod latency;
mod obs;
mod players;
mod recording;
mod results;
mod s3;
mod server;

pub use players::play_in_gate;

use crate::{Result, passed_on};

/// A long proof.
struct Proof {
    name: &'static str,
    about: &'static str,
    /// Takes what stands after `--` on the command line.
    run: fn(&[String]) -> Result<Report>,
}

/// What a proof found.
#[derive(Default)]
struct Report {
    /// Markdown.
    body: String,
    /// Targets that were not reached, one sentence each. They are said in the results and do not fail the proof;
    /// what must hold is an error.
    short: Vec<String>,
}

/// All of them: if it is not in this list, it does not exist.
const PROOFS: &[Proof] = &[
    Proof { name: "benches", about: "our own benches beside memcpy", run: benches::run },
    Proof { name: "bench-peers", about: "side by side with nginx-rtmp", run: bench_peers::run },
    Proof {
        name: "changes",
        about: "200 config changes a second while 50 streams publish",
        run: changes::run,
    },
    Proof {
        name: "codecs",
        about: "every codec and several tracks, pushed and accounted for in every product",
        run: codecs::run,
    },
    Proof {
        name: "cost",
        about: "CPU time of every protocol beside nginx-rtmp's HLS, and of 1,000 waiting players",
        run: cost::run,
    },
    Proof {
        name: "faults",
        about: "200 s of recording with a kill each 10 s, a store that is away, a clock that steps back",
        run: faults::run,
    },
    Proof {
        name: "fuzz",
        about: "every parser on mutated captures (--seconds N, default 600)",
        run: fuzz::run,
    },
    Proof {
        name: "latency",
        about: "how soon segments, parts and chunks can be fetched, alone and with 500 waiting players",
        run: latency::run,
    },
    Proof { name: "obs", about: "OBS Studio publishes, and is refused where it must be", run: obs::run },
    Proof {
        name: "players",
        about: "hls.js, dash.js, Shaka, FFmpeg and GStreamer on every protocol (--browsers: the first three only)",
        run: players::run,
    },
    Proof {
        name: "recording",
        about: "every codec and every odd stream in every format, opened by FFmpeg, GStreamer and Chromium",
        run: recording::run,
    },
    Proof {
        name: "recording-cost",
        about: "CPU time, memory and bytes written of each format beside nginx-rtmp and a plain loop",
        run: recording::cost,
    },
    Proof {
        name: "s3",
        about: "a real MinIO, or the service of MILLRACE_TEST_S3_URL; a 2 GB object",
        run: s3::run,
    },
];

/// Runs the proof that is named, or all.
pub fn run(words: &[String]) -> Result<()> {
    let (name, rest) = match words.split_first() {
        Some((name, rest)) => (Some(name.as_str()), rest),
        None => (None, [].as_slice()),
    };
    if name == Some("--list") {
        PROOFS.iter().for_each(|proof| println!("{:<12} {}", proof.name, proof.about));
        return Ok(());
    }
    let chosen: Vec<&Proof> =
        PROOFS.iter().filter(|proof| name.is_none_or(|name| name == proof.name)).collect();
    if chosen.is_empty() {
        return Err(format!("no proof {}; cargo xtask accept --list", name.unwrap_or_default()).into());
    }
    let failed: Vec<&str> =
        chosen.iter().filter(|proof| !prove(proof, passed_on(rest))).map(|proof| proof.name).collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("failed: {}", failed.join(", ")).into()),
    }
}

/// Whether it held. One that fails does not keep the others from running.
fn prove(proof: &Proof, args: &[String]) -> bool {
    println!("\n=== {}: {}", proof.name, proof.about);
    let kept = (proof.run)(args).and_then(|report| {
        println!("{}", report.body);
        report.short.iter().for_each(|target| println!("short of the target: {target}"));
        results::append(proof.name, args, &report)
    });
    if let Err(error) = &kept {
        eprintln!("{}: {error}", proof.name);
    }
    kept.is_ok()
}
