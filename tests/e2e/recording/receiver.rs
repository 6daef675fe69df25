//! Who is told of recordings and asked about them: an HTTP server that keeps every call.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Value,
    /// Whether the object that `uri` of the body names was in its bucket at that moment.
    pub there: bool,
    /// What it was answered.
    pub status: u16,
}

impl Call {
    /// A header's value; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the query; empty without it.
    pub fn param(&self, name: &str) -> &str {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// A text of the body; empty without it.
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// Whether it tells of a file that is stored (`reference/api-callbacks.md` §2.3: no `event`).
    pub fn is_file(&self) -> bool {
        self.body.get("uri").is_some() && self.body.get("event").is_none()
    }
}

/// How a call is answered.
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub after: Duration,
}

impl Reply {
    pub fn new(status: u16, body: &str) -> Self {
        Self { status, body: body.to_owned(), after: Duration::ZERO }
    }
}

/// It ends with the process.
pub struct Receiver {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Receiver {
    /// Looks for objects in `bucket`; `answer` is given each call and how many came before it.
    pub fn start(bucket: PathBuf, answer: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let (kept, answer) = (calls.clone(), Arc::new(answer));
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (kept, answer, bucket) = (kept.clone(), answer.clone(), bucket.clone());
                thread::spawn(move || hear(socket.unwrap(), &bucket, &kept, &*answer));
            }
        });
        Self { url, calls }
    }

    /// One that takes everything.
    pub fn willing(bucket: PathBuf) -> Self {
        Self::start(bucket, |_, _| Reply::new(200, ""))
    }

    /// Calls so far, as they came.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Those about stored files of a stream.
    pub fn files(&self, stream: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.is_file() && call.text("stream") == stream);
        calls
    }

    /// Those about what becomes of a stream's recording: `event` of each.
    pub fn events(&self, stream: &str) -> Vec<String> {
        let calls = self.calls();
        let of_stream = calls.iter().filter(|call| call.text("stream") == stream);
        of_stream.map(|call| call.text("event").to_owned()).filter(|event| !event.is_empty()).collect()
    }

    /// The `[[record_notify]]` that leads here.
    pub fn template(&self, more: &str) -> String {
        format!(
            "[[record_notify]]\ndomain_name = \"live.local\"\nnotify_url = \"{url}/told\"\n\
             need_status_notify = true\non_demand_url = \"{url}/decide\"\n{more}\n",
            url = self.url
        )
    }
}

fn hear(
    socket: TcpStream,
    bucket: &std::path::Path,
    kept: &Mutex<Vec<Call>>,
    answer: &(dyn Fn(&Call, usize) -> Reply + Send + Sync),
) {
    let mut reader = BufReader::new(socket);
    // A client that goes away before it said everything is no call.
    let Some(mut call) = read(&mut reader) else { return };
    call.there = call.body["uri"].as_str().is_some_and(|uri| bucket.join(uri).is_file());
    let reply = {
        let mut kept = kept.lock().unwrap();
        let reply = answer(&call, kept.len());
        call.status = reply.status;
        kept.push(call);
        reply
    };
    thread::park_timeout(reply.after);
    let socket = reader.get_mut();
    // Who asked may not have waited.
    let _ = write!(
        socket,
        "HTTP/1.1 {} OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
        reply.status,
        reply.body.len(),
        reply.body
    );
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Call> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut call = Call { method, target, headers, body: Value::Null, there: false, status: 0 };
    let mut body = vec![0; call.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    call.body = serde_json::from_slice(&body).unwrap_or_default();
    Some(call)
}
