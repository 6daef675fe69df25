//! Alibaba's RPC calls in passing, signed with version 3 by code of the tests' own. What the SDKs make of the operations
//! is told by `sdk.rs`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::machine::PATIENCE;

/// The key of every test's config.
const KEY: (&str, &str) = ("LTAItest", "test-secret");
/// SHA-256 of no bytes.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What became of a call.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The body of a call that must have succeeded.
    #[track_caller]
    pub fn done(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// `Code` of a call that was refused; empty otherwise.
    pub fn code(&self) -> &str {
        self.body["Code"].as_str().unwrap_or_default()
    }
}

/// Makes one call.
pub fn call(api: SocketAddr, action: &str, params: &[(&str, &str)]) -> Answer {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let (seconds, host) = (now(), api.to_string());
    let date = utc(seconds);
    let nonce = format!("{}-{seconds}-{}", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed));
    let headers = [
        ("host", host.as_str()),
        ("x-acs-action", action),
        ("x-acs-content-sha256", EMPTY),
        ("x-acs-date", &date),
        ("x-acs-signature-nonce", &nonce),
        ("x-acs-version", "2016-11-01"),
    ];
    let query = canonical_query(params);
    let authorization = authorize(&query, &headers);
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut socket = TcpStream::connect(api).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        socket,
        "POST /?{query} HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n{lines}authorization: {authorization}\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: serde_json::from_str(body).unwrap_or_default() }
}

fn authorize(query: &str, headers: &[(&str, &str)]) -> String {
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{EMPTY}");
    let text = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
    let mac = Hmac::<Sha256>::new_from_slice(KEY.1.as_bytes()).unwrap();
    let signature = hex(&mac.chain_update(text).finalize().into_bytes());
    format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}", KEY.0)
}

fn canonical_query(params: &[(&str, &str)]) -> String {
    let mut pairs = params.to_vec();
    pairs.sort_unstable();
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// RFC 3986's unreserved characters stay.
fn encode(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A moment in Unix seconds as the API writes it.
pub fn utc(seconds: u64) -> String {
    let moment = chrono::DateTime::from_timestamp(i64::try_from(seconds).unwrap(), 0).unwrap();
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Unix seconds.
#[expect(clippy::disallowed_methods, reason = "the server's own clock is not at hand")]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
