//! Many players on one thread: what they measure must not be their own scheduling.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::list::List;
use super::publisher::Sent;

/// How often the floor is measured.
const ROUNDS: usize = 40;

/// An answer to one of them.
pub struct Came {
    /// When it was there whole.
    pub at: Instant,
    /// Seconds of the stream up to which it lists.
    pub completed: f64,
    pub body: Arc<[u8]>,
}

/// What all of them know: what follows the list that was asked for.
struct Shared {
    address: SocketAddr,
    path: String,
    origin: i64,
    lists: Mutex<HashMap<(u64, u64), Arc<Known>>>,
    sent: Sent,
}

struct Known {
    list: List,
    body: Arc<[u8]>,
}

/// `count` players that reload until the stream ends, each on a connection of its own.
pub fn wait(address: SocketAddr, path: &str, count: usize, first: &List, sent: &Sent) -> Vec<Came> {
    let shared = Arc::new(Shared {
        address,
        path: path.to_owned(),
        origin: first.origin,
        lists: Mutex::default(),
        sent: sent.clone(),
    });
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut players = JoinSet::new();
        for _ in 0..count {
            players.spawn(play(shared.clone(), first.next()));
        }
        players.join_all().await.into_iter().flatten().collect()
    })
}

async fn play(shared: Arc<Shared>, mut next: (u64, u64)) -> Vec<Came> {
    let mut socket = TcpStream::connect(shared.address).await.unwrap();
    let (mut came, mut buffer) = (Vec::new(), Vec::new());
    while !shared.sent.is_over() {
        let request = format!(
            "GET {}?_HLS_msn={}&_HLS_part={} HTTP/1.1\r\nHost: h\r\n\r\n",
            shared.path, next.0, next.1
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let Some(start) = answer(&mut socket, &mut buffer).await else { break };
        let at = Instant::now();
        let known = shared.known(next, &buffer[start..]);
        next = known.list.next();
        came.push(Came { at, completed: known.list.end(), body: known.body.clone() });
    }
    came
}

impl Shared {
    fn known(&self, asked: (u64, u64), body: &[u8]) -> Arc<Known> {
        let mut lists = self.lists.lock().unwrap();
        let read = || {
            let list = List::since(std::str::from_utf8(body).unwrap(), Some(self.origin));
            Arc::new(Known { list, body: body.into() })
        };
        lists.entry(asked).or_insert_with(read).clone()
    }
}

/// Reads one answer of known length; where its body begins, `None` unless it is a 200.
async fn answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    buffer.clear();
    loop {
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
        let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).ok()?;
        if !head.starts_with("HTTP/1.1 200") {
            return None;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        if buffer.len() >= end + 4 + length.parse::<usize>().ok()? {
            return Some(end + 4);
        }
    }
}

/// The same number of readers, and a writer that does nothing but write `body` to one after the other: milliseconds
/// from its beginning to each arrival.
pub fn floor(count: usize, body: Arc<[u8]>) -> Vec<f64> {
    let (send, receive) = std::sync::mpsc::sync_channel(ROUNDS);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let length = body.len();
    let writer = std::thread::spawn(move || write(listener, count, &body, &send));
    let readers = Builder::new_current_thread().enable_all().build().unwrap();
    let arrivals: Vec<Vec<Instant>> = readers.block_on(async {
        let mut readers = JoinSet::new();
        for _ in 0..count {
            readers.spawn(read(address, length));
        }
        readers.join_all().await
    });
    writer.join().unwrap();
    let begun: Vec<Instant> = receive.iter().collect();
    let figures = arrivals.iter().flat_map(|mine| mine.iter().zip(&begun));
    figures.map(|(at, begun)| (*at - *begun).as_secs_f64() * 1e3).collect()
}

fn write(
    listener: std::net::TcpListener,
    count: usize,
    body: &[u8],
    send: &std::sync::mpsc::SyncSender<Instant>,
) {
    let writer = Builder::new_current_thread().enable_all().build().unwrap();
    writer.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let mut sockets = Vec::new();
        for _ in 0..count {
            sockets.push(listener.accept().await.unwrap().0);
        }
        for _ in 0..ROUNDS {
            tokio::time::sleep(Duration::from_millis(100)).await;
            send.send(Instant::now()).unwrap();
            for socket in &mut sockets {
                socket.write_all(body).await.unwrap();
            }
        }
    });
}

async fn read(address: SocketAddr, length: usize) -> Vec<Instant> {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let (mut buffer, mut arrivals) = (vec![0; length], Vec::new());
    for _ in 0..ROUNDS {
        socket.read_exact(&mut buffer).await.unwrap();
        arrivals.push(Instant::now());
    }
    arrivals
}
