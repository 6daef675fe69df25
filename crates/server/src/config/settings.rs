//! The sections that the server itself reads, and their defaults.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::section::Section;
use super::tree::At;
use super::value::Secret;

/// Shutdown must leave time to close what is open, and must end.
const SHUTDOWN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Shorter than a second and a packet lost would end the playlist; an hour is no reconnect.
const RECONNECT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Spool, counters, generated access key.
    pub data_dir: PathBuf,
    /// How long a clean shutdown may take.
    pub shutdown_timeout: Duration,
}

/// `[rtmp]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtmp {
    /// Ingest.
    pub listen: SocketAddr,
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Playback.
    pub listen: SocketAddr,
    /// The same over TLS, when a certificate is configured.
    pub tls_listen: SocketAddr,
    /// How long a live playlist waits for a publisher to come back; whole seconds.
    pub reconnect_window: Duration,
}

/// `[api]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Control API and metrics.
    pub listen: SocketAddr,
    /// The same over TLS, when a certificate is configured.
    pub tls_listen: SocketAddr,
    /// Huawei's path segment.
    pub project_id: String,
    /// Account of resource names.
    pub account_id: String,
    /// Whether the clouds' request rates are enforced.
    pub throttle: bool,
}

/// `[tls]`: a certificate for every port that has a variant over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// PEM file of the certificate and its chain.
    pub cert: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

/// `[database]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Where templates and access keys made through the API are kept: `sqlite://PATH`.
    pub url: String,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged, in `RUST_LOG` syntax.
    pub level: String,
}

/// `[log] format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object per line.
    Json,
}

/// `[limits]`: beyond each of them something is refused with the reason (design §10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// RTMP connections in all.
    pub connections: usize,
    /// RTMP connections of one address.
    pub connections_per_address: usize,
    /// RTMP connections that neither publish nor play yet.
    pub pending_connections: usize,
    /// HTTP connections of a port; beyond, they wait.
    pub http_connections: usize,
    /// Sessions at once, those included that wait for a publisher to come back.
    pub streams: usize,
    /// Bytes of live windows in memory; from there on no further stream is let in.
    pub window_bytes: u64,
    /// Bytes of recordings and snapshots waiting in memory for the spool's disk; beyond, recordings get gaps.
    pub delivery_bytes: usize,
    /// Bytes of the spool, where objects wait for their store; beyond, recordings get gaps. `None`: the whole disk.
    pub spool_bytes: Option<u64>,
    /// Bytes of the spool's disk that are left for others; beyond, recordings get gaps.
    pub spool_free_bytes: u64,
    /// Threads that decode key frames for snapshots.
    pub picture_workers: usize,
    /// Key frames waiting for one; beyond, a snapshot is left out.
    pub picture_queue: usize,
}

/// `[callbacks]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callbacks {
    /// Whether callbacks to private addresses are refused.
    pub deny_private: bool,
}

/// `[[access_key]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Public half.
    pub id: String,
    /// Private half.
    pub secret: Secret,
    /// What Huawei's `X-Auth-Token` may be in place of a signature.
    pub token: Option<Secret>,
    /// What it may do.
    pub policy: Policy,
    /// Where its policy is written.
    pub(super) at: At,
}

/// What an access key may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everything.
    Full,
    /// Look.
    Read,
    /// What the RAM policy document in this file says.
    File(PathBuf),
}

fn any(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

pub(super) fn server(section: Section<'_>) -> Server {
    let server = Server {
        data_dir: section.string("data_dir").unwrap_or_else(|| "data".to_owned()).into(),
        shutdown_timeout: section
            .duration("shutdown_timeout", SHUTDOWN.0..=SHUTDOWN.1)
            .unwrap_or(Duration::from_secs(10)),
    };
    if server.data_dir.as_os_str().is_empty() {
        section.wrong("data_dir", "expected a path");
    }
    section.finish();
    server
}

pub(super) fn rtmp(section: Section<'_>) -> Rtmp {
    let rtmp = Rtmp { listen: section.address("listen").unwrap_or_else(|| any(1935)) };
    section.finish();
    rtmp
}

pub(super) fn http(section: Section<'_>) -> Http {
    let window = section.duration("reconnect_window", RECONNECT.0..=RECONNECT.1);
    let http = Http {
        listen: section.address("listen").unwrap_or_else(|| any(8080)),
        tls_listen: section.address("tls_listen").unwrap_or_else(|| any(8443)),
        reconnect_window: window.unwrap_or(Duration::from_secs(30)),
    };
    if http.reconnect_window.subsec_nanos() != 0 {
        section.wrong("reconnect_window", "expected whole seconds");
    }
    section.finish();
    http
}

pub(super) fn api(section: Section<'_>) -> Api {
    let string = |key, default: &str| section.string(key).unwrap_or_else(|| default.to_owned());
    let api = Api {
        listen: section.address("listen").unwrap_or_else(|| local(8090)),
        tls_listen: section.address("tls_listen").unwrap_or_else(|| local(8453)),
        project_id: string("project_id", "default"),
        account_id: string("account_id", "1"),
        throttle: section.boolean("throttle").unwrap_or(true),
    };
    section.finish();
    api
}

/// `None` without a certificate.
pub(super) fn tls(section: Section<'_>) -> Option<Tls> {
    let given = |key| section.string(key).filter(|path| !path.is_empty()).map(PathBuf::from);
    let tls = match (given("cert"), given("key")) {
        (Some(cert), Some(key)) => Some(Tls { cert, key }),
        (None, None) => None,
        // Half a certificate would leave an operator believing in encryption.
        (Some(_), None) => {
            section.wrong("key", "is missing: the private key of the certificate");
            None
        }
        (None, Some(_)) => {
            section.wrong("cert", "is missing: the certificate of the key");
            None
        }
    };
    section.finish();
    tls
}

pub(super) fn database(section: Section<'_>, server: &Server) -> Database {
    let default = || format!("sqlite://{}/millrace.db", server.data_dir.display());
    // Another database's URL would have a password in it.
    let url = section.secret("url");
    if url.as_ref().is_some_and(|url| !is_sqlite(url.expose())) {
        section.wrong("url", "expected \"sqlite://PATH\"");
    }
    section.finish();
    Database { url: url.map_or_else(default, |url| url.expose().to_owned()) }
}

fn is_sqlite(url: &str) -> bool {
    url.strip_prefix("sqlite://").is_some_and(|path| !path.is_empty() && path != ":memory:")
}

pub(super) fn log(section: Section<'_>) -> Log {
    let format = match section.word("format", &["text", "json"]) {
        Some("json") => LogFormat::Json,
        _ => LogFormat::Text,
    };
    let level = section.string("level").unwrap_or_else(|| "info".to_owned());
    section.finish();
    Log { format, level }
}

pub(super) fn limits(section: Section<'_>) -> Limits {
    let count = |key, default, max| {
        let given = section.within(key, 1..=max).and_then(|count| usize::try_from(count).ok());
        given.unwrap_or(default)
    };
    let size = |key| section.size(key).and_then(|bytes| usize::try_from(bytes).ok());
    let limits = Limits {
        connections: count("connections", 10_000, 1_000_000),
        connections_per_address: count("connections_per_address", 1_000, 1_000_000),
        pending_connections: count("pending_connections", 1_000, 1_000_000),
        http_connections: count("http_connections", 20_000, 1_000_000),
        streams: count("streams", 5_000, 1_000_000),
        window_bytes: section.size("window_bytes").unwrap_or(4 << 30),
        delivery_bytes: size("delivery_bytes").unwrap_or(delivery::MEMORY_BYTES),
        spool_bytes: section.size("spool_bytes"),
        spool_free_bytes: section.size("spool_free_bytes").unwrap_or(delivery::SPOOL_FREE_BYTES),
        picture_workers: count("picture_workers", 1, 256),
        picture_queue: count("picture_queue", 64, 65_536),
    };
    section.finish();
    limits
}

pub(super) fn callbacks(section: Section<'_>) -> Callbacks {
    let callbacks = Callbacks { deny_private: section.boolean("deny_private").unwrap_or(false) };
    section.finish();
    callbacks
}

/// All `[[access_key]]` without faults. An id is one key's.
pub(super) fn access_keys(sections: Vec<Section<'_>>) -> Vec<AccessKey> {
    let mut keys: Vec<AccessKey> = Vec::new();
    for section in sections {
        let id = section.string("id");
        if keys.iter().any(|key| Some(&key.id) == id.as_ref()) {
            section.wrong("id", "is the id of another access key");
        }
        keys.extend(access_key(section));
    }
    keys
}

/// An `[[access_key]]`; `None` when it has faults.
fn access_key(section: Section<'_>) -> Option<AccessKey> {
    let id = section.required("id");
    let secret = section.secret("secret");
    if !section.has("secret") {
        section.wrong("secret", "is missing");
    }
    let token = section.has("token").then(|| section.secret("token")).flatten();
    let policy = match section.string("policy").as_deref() {
        None | Some("full") => Policy::Full,
        Some("read") => Policy::Read,
        Some("") => {
            section.wrong("policy", "expected \"full\", \"read\" or the path of a RAM policy document");
            Policy::Read
        }
        Some(path) => Policy::File(path.into()),
    };
    let at = section.at_key("policy").clone();
    section.finish();
    Some(AccessKey { id: id?, secret: secret?, token, policy, at })
}
