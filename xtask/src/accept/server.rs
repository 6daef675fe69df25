//! Millrace on free ports, for proofs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;
use crate::process::{Process, free_port};
use crate::shell::command;

/// A release build starts in less than a second on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What every proof's config begins with.
const BASE: &str = r#"
[server]
data_dir = "@DIR@/data"
shutdown_timeout = "20s"
[rtmp]
listen = "127.0.0.1:@RTMP@"
[http]
listen = "127.0.0.1:@HTTP@"
[[storage]]
name = "local"
kind = "fs"
path = "@DIR@/objects"
buckets = ["live"]
create_buckets = true
[[domain]]
name = "live.local"
default = true
[api]
listen = "127.0.0.1:@API@"
"#;

/// A running server. Killed when dropped.
pub struct Server {
    process: Process,
    rtmp: u16,
    http: u16,
    /// Port of the API.
    pub api: u16,
}

impl Server {
    /// Starts `binary` in `dir` with `config` after [`BASE`], whose last table is `[api]`; returns once it is
    /// healthy. What it says goes to `dir/log`.
    pub fn start(binary: &Path, dir: &Path, config: &str, log: &str) -> Result<Server> {
        let (rtmp, http, api) = (free_port()?, free_port()?, free_port()?);
        let config = format!("{BASE}{config}")
            .replace("@DIR@", &dir.to_string_lossy())
            .replace("@RTMP@", &rtmp.to_string())
            .replace("@HTTP@", &http.to_string())
            .replace("@API@", &api.to_string());
        let (file, log) = (dir.join("millrace.toml"), dir.join(log));
        std::fs::write(&file, config)?;
        let mut serve = command(binary);
        serve.args(["serve", "--config"]).arg(&file);
        let process = Process::start(serve, &log)?;
        let begun = Instant::now();
        while !healthy(api) {
            if let Some(status) = process.ended_within(Duration::from_millis(100)) {
                return Err(format!("millrace ended with {status}; see {}", log.display()).into());
            }
            if begun.elapsed() > PATIENCE {
                return Err("millrace does not become healthy".into());
            }
        }
        Ok(Server { process, rtmp, http, api })
    }

    /// The app `live`.
    pub fn rtmp_url(&self) -> String {
        format!("rtmp://127.0.0.1:{}/live", self.rtmp)
    }

    /// Where to publish a stream of another app.
    pub fn publish_url(&self, app: &str, stream: &str) -> String {
        format!("rtmp://127.0.0.1:{}/{app}/{stream}", self.rtmp)
    }

    /// What is played at `path`.
    pub fn play_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http)
    }

    /// Whether there is something to play at `path`.
    pub fn plays(&self, path: &str) -> bool {
        get(self.http, path).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// A figure of `/metrics`, without labels.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = get(self.api, "/metrics").ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Waits, looking every so often, until `done`; `what` it waits for says the error. Ends early with the server.
    pub fn wait_until(&self, what: &str, limit: Duration, done: impl Fn(&Server) -> bool) -> Result<()> {
        let begun = Instant::now();
        while !done(self) {
            if let Some(status) = self.process.ended_within(Duration::from_millis(100)) {
                return Err(format!("millrace ended with {status}").into());
            }
            if begun.elapsed() > limit {
                return Err(format!("{what}: not within {limit:?}").into());
            }
        }
        Ok(())
    }

    /// As an operator would; what is recorded goes on at the next start.
    pub fn stop(self) -> Result<()> {
        match self.process.end_with("TERM", PATIENCE)? {
            status if status.success() => Ok(()),
            status => Err(format!("millrace ended with {status}").into()),
        }
    }

    /// Ends it as a power cut would end its process.
    pub fn kill(self) -> Result<()> {
        self.process.end_with("KILL", PATIENCE).map(drop)
    }
}

fn healthy(port: u16) -> bool {
    get(port, "/healthz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// The answer with its head.
fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
