//! Alibaba's RPC calls, signed with version 3 by code of our own: it shares none with the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::Result;

pub const KEY_ID: &str = "LTAIproof";
pub const KEY_SECRET: &str = "proof-secret";

/// An answer takes milliseconds; a server that was killed answers never.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that is kept over all calls.
pub struct Client {
    socket: BufReader<TcpStream>,
    /// Host and port, as signed.
    host: String,
    /// When it signs: the same for all calls of a run, which is shorter than the window of 15 min.
    date: String,
    /// What its nonces begin with.
    name: String,
    calls: u64,
}

/// What became of a call.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Client {
    /// Connects; `date` is `2026-01-02T03:04:05Z`, `name` is unique among all clients.
    pub fn connect(port: u16, date: &str, name: &str) -> Result<Client> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let host = format!("127.0.0.1:{port}");
        let (date, name) = (date.to_owned(), format!("{name}-{date}-{}", std::process::id()));
        Ok(Client { socket: BufReader::new(socket), host, date, name, calls: 0 })
    }

    /// Makes one call.
    ///
    /// # Errors
    /// Without a whole answer nobody knows what became of it.
    pub fn call(&mut self, action: &str, params: &[(&str, &str)]) -> Result<Answer> {
        self.calls += 1;
        let query = canonical_query(params);
        let nonce = format!("{}-{}", self.name, self.calls);
        let headers = [
            ("host", self.host.as_str()),
            ("x-acs-action", action),
            ("x-acs-content-sha256", EMPTY),
            ("x-acs-date", &self.date),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-version", "2016-11-01"),
        ];
        let (names, signature) = sign(KEY_SECRET, "POST", &query, &headers);
        let mut request = format!("POST /?{query} HTTP/1.1\r\ncontent-length: 0\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!(
            "authorization: ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders={names},Signature={signature}\r\n\r\n"
        ));
        self.socket.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut line = String::new();
        self.socket.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| format!("no status in {line:?}"))?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.socket.read_line(&mut line)? == 0 {
                return Err("the answer broke off".into());
            }
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse()?;
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body)?;
        Ok(Answer { status, body: serde_json::from_slice(&body)? })
    }
}

/// SHA-256 of no bytes.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// SignedHeaders and Signature of a request without a body. `headers` are in order of their names.
fn sign(secret: &str, method: &str, query: &str, headers: &[(&str, &str)]) -> (String, String) {
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("{method}\n/\n{query}\n{lines}\n{names}\n{EMPTY}");
    let text = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
    // Any length will do for a key: there is no error.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let signature = mac.map(|mac| hex(&mac.chain_update(text).finalize().into_bytes()));
    (names, signature.unwrap_or_default())
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first captured request in `tests/data/sdk-signatures.json`.
    #[test]
    fn it_signs_as_the_sdk_does() {
        let file = crate::shell::root().join("tests/data/sdk-signatures.json");
        let vectors: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let vector = &vectors["vectors"][0];
        let header = |name: &str| {
            let mut headers = vector["headers"].as_array().unwrap().iter();
            headers.find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name)).unwrap()[1]
                .as_str()
                .unwrap()
        };
        let authorization = header("authorization");
        let names = authorization.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
        let headers: Vec<_> = names.split(';').map(|name| (name, header(name))).collect();
        let params = [
            ("DomainName", "live.example.com"),
            ("AppName", "*"),
            ("TimeInterval", "5"),
            ("OssEndpoint", "oss-local"),
            ("OssBucket", "live-bucket"),
            ("SequenceOssObject", "snap/{AppName}/{StreamName}/{UnixTimestamp} a+b~!'().jpg"),
            ("Callback", "https://cb.example.com/x?a=1&b=2"),
        ];
        let secret = vectors["secret"].as_str().unwrap();
        let signed = sign(secret, "POST", &canonical_query(&params), &headers);
        let signature = authorization.split("Signature=").nth(1).unwrap();
        assert_eq!(signed, (names.to_owned(), signature.to_owned()));
    }
}
