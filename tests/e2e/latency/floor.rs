//! What no server can go below: a loop that does nothing but write the same bytes to as many sockets.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::crowd::{Player, nap};
use super::processor;

/// How often all of them are written to.
const ROUNDS: usize = 40;
/// Time from one to the next.
const EVERY: Duration = Duration::from_millis(150);
/// The readers read so long after: as the players do, in nobody's way.
const LATER: Duration = Duration::from_millis(60);

/// What it took.
pub struct Floor {
    /// Milliseconds from the beginning of a round to each arrival.
    pub arrivals: Vec<f64>,
    /// Processor time for each write, microseconds.
    pub write_us: f64,
}

/// Writes `answer` to `count` sockets, one after the other on one thread.
pub fn floor(count: usize, answer: &[u8]) -> Floor {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut readers = Vec::new();
    let mut sockets = Vec::new();
    for _ in 0..count {
        readers.push(Player::connect(address));
        sockets.push(listener.accept().unwrap().0);
    }
    let (begun, rounds) = sync_channel(ROUNDS);
    let bytes = answer.to_vec();
    let writer = thread::spawn(move || write(sockets, &bytes, &begun));
    let arrivals = read(&mut readers, answer.len(), &rounds);
    Floor { arrivals, write_us: writer.join().unwrap() }
}

fn write(mut sockets: Vec<TcpStream>, bytes: &[u8], begun: &SyncSender<Instant>) -> f64 {
    sockets.iter().for_each(|socket| socket.set_nodelay(true).unwrap());
    let mut spent = Duration::ZERO;
    for _ in 0..ROUNDS {
        nap(EVERY);
        let before = processor::of_this_thread();
        begun.send(Instant::now()).unwrap();
        for socket in &mut sockets {
            socket.write_all(bytes).unwrap();
        }
        spent += processor::of_this_thread() - before;
    }
    spent.as_secs_f64() * 1e6 / (ROUNDS * sockets.len()) as f64
}

fn read(readers: &mut [Player], length: usize, rounds: &Receiver<Instant>) -> Vec<f64> {
    let mut arrivals = Vec::new();
    for begun in rounds {
        nap(LATER);
        arrivals.extend(readers.iter_mut().map(|reader| super::millis(begun, reader.bytes(length))));
    }
    arrivals
}
