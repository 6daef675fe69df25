//! A client of the playback port that tells when which byte came.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use flate2::read::GzDecoder;

use crate::machine::PATIENCE;

/// One answer.
pub struct Answer {
    pub status: u16,
    /// By name in lower case.
    headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// When the request was sent.
    pub asked: Instant,
    /// When how many bytes of the body had come, piece by piece.
    pub pieces: Vec<(Instant, usize)>,
    /// When it was over.
    pub done: Instant,
    /// Whether it ended as it said it would.
    pub whole: bool,
}

impl Answer {
    /// A header's value; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The `max-age` of Cache-Control in seconds.
    pub fn max_age(&self) -> Option<u64> {
        let value = self.header("cache-control").split(", ").find_map(|word| word.strip_prefix("max-age="));
        value.map(|seconds| seconds.parse().unwrap())
    }
}

/// GET, with the answer's encoding undone.
pub fn get(address: SocketAddr, target: &str) -> Answer {
    ask(address, target, "")
}

/// GET with further header lines, each ended by CRLF.
pub fn ask(address: SocketAddr, target: &str, headers: &str) -> Answer {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    let asked = Instant::now();
    socket.write_all(request.as_bytes()).unwrap();
    let (raw, arrivals) = read(&mut socket);
    decode(&raw, &arrivals, asked)
}

/// Everything until the server closes, and when how much of it had come.
fn read(socket: &mut TcpStream) -> (Vec<u8>, Vec<(Instant, usize)>) {
    let (mut raw, mut arrivals, mut buffer) = (Vec::new(), Vec::new(), vec![0; 64 << 10]);
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                raw.extend_from_slice(&buffer[..count]);
                arrivals.push((Instant::now(), raw.len()));
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error} after {} bytes", raw.len()),
        }
    }
    (raw, arrivals)
}

fn decode(raw: &[u8], arrivals: &[(Instant, usize)], asked: Instant) -> Answer {
    let end = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head of an answer");
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers: BTreeMap<String, String> = lines.map(pair).collect();
    let start = end + 4;
    let at = |raw_bytes: usize| arrivals.iter().find(|(_, count)| *count >= raw_bytes).unwrap().0;
    let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
    let (mut body, pieces, whole) = match chunked {
        true => chunks(raw, start, at),
        false => {
            let body = raw[start..].to_vec();
            let said = headers.get("content-length").map(|length| length.parse().unwrap());
            let (pieces, whole) = (vec![(at(raw.len()), body.len())], said == Some(body.len()));
            (body, pieces, whole)
        }
    };
    if headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
        body = plain;
    }
    let done = arrivals.last().unwrap().0;
    Answer { status, headers, body, asked, pieces, done, whole }
}

/// A body in HTTP/1.1 chunks; whole when the last chunk is there.
fn chunks(
    raw: &[u8],
    mut from: usize,
    at: impl Fn(usize) -> Instant,
) -> (Vec<u8>, Vec<(Instant, usize)>, bool) {
    let (mut body, mut pieces) = (Vec::new(), Vec::new());
    loop {
        let Some(line) = raw[from..].windows(2).position(|bytes| bytes == b"\r\n") else {
            return (body, pieces, false);
        };
        let size = std::str::from_utf8(&raw[from..from + line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let start = from + line + 2;
        if size == 0 {
            return (body, pieces, true);
        }
        let Some(chunk) = raw.get(start..start + size) else { return (body, pieces, false) };
        body.extend_from_slice(chunk);
        pieces.push((at(start + size), body.len()));
        from = start + size + 2;
        if from > raw.len() {
            return (body, pieces, false);
        }
    }
}

/// A reference relative to the resource at `path`.
pub fn beside(path: &str, uri: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{uri}")
}
