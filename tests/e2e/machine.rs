//! The server under test: its process, its ports, its folder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::rpc;

/// Longest any condition may take to come true.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Templates that record, package and capture everything.
pub const EVERYTHING: &str = r#"
[[snapshot]]
domain_name = "live.local"
app_name = "live"
time_interval = 5
oss_endpoint = "oss-local"
oss_bucket = "live-bucket"
sequence_oss_object = "snapshot/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}.jpg"
[[snapshot]]
domain_name = "live.local"
app_name = "over"
time_interval = 5
oss_endpoint = "oss-local"
oss_bucket = "live-bucket"
overwrite_oss_object = "{AppName}/{StreamName}.jpg"
[[record]]
domain_name = "live.local"
app_name = "*"
stream_name = "*"
delay_time = 180
oss_endpoint = "oss-local"
oss_bucket = "live-bucket"
[[record.record_format]]
format = "m3u8"
slice_duration = 5
slice_oss_object_prefix = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
oss_object_prefix = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
[[record.record_format]]
format = "flv"
oss_object_prefix = "record/{AppName}/{StreamName}/{Sequence}_{StartTime}_{EndTime}"
[[package]]
domain_name = "live.local"
app_name = "*"
stream_name = "*"
protocol = "HLS_CMAF"
segment_num = 5
segment_duration = 2
"#;

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    pub rtmp: SocketAddr,
    pub http: SocketAddr,
    pub api: SocketAddr,
    /// The API over TLS, of a server that has a certificate.
    pub api_tls: Option<SocketAddr>,
    folder: tempfile::TempDir,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts on free ports with these templates and returns when it is ready.
    pub fn start(templates: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), templates, &[])
    }

    /// The same in a folder that has something in it already, with keys of the config in environment variables.
    pub fn start_in(folder: tempfile::TempDir, templates: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_under(&[], folder, templates, environment)
    }

    /// The same as what a command runs, if it is not empty; that must become the server, for it is killed in the end.
    pub fn start_under(
        wrap: &[&str],
        folder: tempfile::TempDir,
        templates: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let config = folder.path().join("millrace.toml");
        std::fs::write(&config, format!("{}{templates}", base(folder.path()))).unwrap();
        let binary = binary();
        let words: Vec<&str> = wrap.iter().copied().chain([binary.as_str()]).collect();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .args(["serve", "--config"])
            .arg(&config)
            .current_dir(folder.path())
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let sink = log.clone();
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| sink.lock().unwrap().push(line)));
        let ready = wait_for("the server to be ready", || {
            let line = log.lock().unwrap().iter().find(|line| line.contains(r#""ready""#)).cloned();
            assert!(child.try_wait().unwrap().is_none() || line.is_some(), "{:#?}", log.lock().unwrap());
            line
        });
        let port = |key: &str| {
            let (_, rest) = ready.split_once(&format!(r#""{key}":""#))?;
            rest.split('"').next().unwrap().parse().ok()
        };
        let (rtmp, http, api) = (port("rtmp").unwrap(), port("http").unwrap(), port("api").unwrap());
        Self { child, rtmp, http, api, api_tls: port("api_tls"), folder, log }
    }

    /// URL to publish a stream at.
    pub fn publish_url(&self, app: &str, stream: &str) -> String {
        format!("rtmp://{}/{app}/{stream}", self.rtmp)
    }

    /// URL to play a stream at.
    pub fn play_url(&self, app: &str, stream: &str) -> String {
        format!("http://{}/{app}/{stream}.m3u8", self.http)
    }

    /// Stops it as an operator would and returns when it is gone.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        wait_for("the server to stop", || self.child.try_wait().unwrap())
    }

    /// Kills it at once, as a power cut would, and leaves its folder.
    pub fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Log lines so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The config file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("millrace.toml")
    }

    /// The bucket's folder.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join("objects/live-bucket")
    }

    /// Objects under `prefix` that end in `suffix`, sorted by key.
    pub fn objects(&self, prefix: &str, suffix: &str) -> Vec<PathBuf> {
        files(&self.bucket().join(prefix), suffix)
    }

    /// Most memory it has had at once, in KiB.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Processor time that it has had, in all its threads.
    #[cfg(target_os = "linux")]
    pub fn processor_time(&self) -> Duration {
        crate::latency::processor::of_process(self.child.id())
    }

    /// What `/api/streams` says of stream `name` of app `live`; null without it.
    pub fn api_stream(&self, name: &str) -> serde_json::Value {
        let (_, body) = get(self.api, &format!("/api/streams/live.local/live/{name}"), AUTHORIZATION);
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// Waits until stream `s` of `app` has no publisher, and closes what is recorded of it, as an operator would who does
    /// not want to wait for DelayTime.
    #[track_caller]
    pub fn close_recordings(&self, app: &str, stream: &str) {
        self.wait_until_gone(app, stream);
        let stream = [("DomainName", "live.local"), ("AppName", app), ("StreamName", stream)];
        let params: Vec<_> = stream.into_iter().chain([("Command", "cancel_delay")]).collect();
        rpc::call(self.api, "RealTimeRecordCommand", &params).done();
    }

    /// Waits until a stream that was there has no publisher.
    #[track_caller]
    pub fn wait_until_gone(&self, app: &str, stream: &str) {
        let path = format!("/api/streams/live.local/{app}/{stream}");
        wait_for("the publisher to be gone", || {
            let (status, body) = get(self.api, &path, AUTHORIZATION);
            let told: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            (status == 200 && told["live"] == false).then_some(())
        });
    }

    /// GET on the playback port; status and body.
    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        get(self.http, path, "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The test key's header for the control port.
pub const AUTHORIZATION: &str = "Authorization: Basic TFRBSXRlc3Q6dGVzdC1zZWNyZXQ=\r\n";

/// The binary under test: that of this build, or the one that the environment names.
pub fn binary() -> String {
    std::env::var("MILLRACE_TEST_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_millrace").to_owned())
}

/// Config of a server on free ports in `folder`.
pub fn base(folder: &Path) -> String {
    format!(
        r#"
[server]
data_dir = "{folder}/data"
[rtmp]
listen = "127.0.0.1:0"
[http]
listen = "127.0.0.1:0"
reconnect_window = "3s"
[api]
listen = "127.0.0.1:0"
[log]
format = "json"
[[access_key]]
id = "LTAItest"
secret = "test-secret"
policy = "full"
token = "test-token"
[[storage]]
name = "oss-local"
kind = "fs"
path = "{folder}/objects"
buckets = ["live-bucket"]
create_buckets = true
endpoints = ["oss-cn-shanghai.aliyuncs.com"]
[[domain]]
name = "live.local"
default = true
"#,
        folder = folder.display()
    )
}

/// GET with extra header lines; status and body.
pub fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, Vec<u8>) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let split = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..split]).into_owned();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    (status, answer[split + 4..].to_vec())
}

/// A moment between two looks at something that goes on.
pub fn pause() {
    thread::park_timeout(Duration::from_millis(100));
}

/// Asks until there is an answer.
#[track_caller]
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// Files at any depth below `folder` that end in `suffix`, sorted.
pub fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(folder, suffix, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, suffix: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, suffix, found);
        } else if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
}
