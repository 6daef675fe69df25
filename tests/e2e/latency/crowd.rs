//! Many players on one thread, which must not take from the server what they measure it with: when an answer came is
//! what the kernel says of it (`SO_TIMESTAMPNS`), so nobody need be awake at that moment, and one sleep later all
//! of them are read. It is the time at which a player on another machine would have had it but for the network.

use std::io::{IoSliceMut, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use super::list::List;
use super::publisher::Sent;

/// The list that they reload.
pub const PATH: &str = "/live/s/video.m3u8";
/// What the server is given to take the requests in before a part completes that all of them are said to wait for.
const SETTLING: Duration = Duration::from_millis(30);
/// How often it is looked whether there are answers.
const LOOK: Duration = Duration::from_millis(5);
/// Players hold their answers so long after the first one came before they ask for more: as if they were that far away.
const AWAY: Duration = Duration::from_millis(60);

/// One change of the list.
pub struct Round {
    /// Seconds of the stream up to which it lists now.
    pub completed: f64,
    /// When each of the players had it.
    pub came: Vec<Instant>,
    /// One of the answers, head and all.
    pub answer: Vec<u8>,
}

/// `count` players that reload until the stream ends, each on a connection of its own. `each` sees every change that
/// all of them waited for.
pub fn wait(address: SocketAddr, count: usize, first: &List, sent: &Sent, mut each: impl FnMut(Round)) {
    let mut players: Vec<Player> = (0..count).map(|_| Player::connect(address)).collect();
    let mut next = first.next();
    while !sent.is_over() {
        let (number, part) = next;
        let request = format!("GET {PATH}?_HLS_msn={number}&_HLS_part={part} HTTP/1.1\r\nHost: h\r\n\r\n");
        for player in &mut players {
            player.socket.write_all(request.as_bytes()).unwrap();
        }
        let asked_at = Instant::now();
        if !players[0].is_answered(sent) {
            break;
        }
        let answers: Vec<(Instant, Vec<u8>)> = players.iter_mut().map(Player::answer).collect();
        let asked_at = asked_at + SETTLING;
        // To read a list takes longer than to compare it.
        let mut texts: Vec<&str> = answers.iter().map(|(_, answer)| body(answer)).collect();
        texts.dedup();
        let mut lists: Vec<List> = texts.iter().map(|text| List::since(text, Some(first.origin))).collect();
        lists.sort_by_key(List::next);
        next = lists[lists.len() - 1].next();
        // Who was answered so late that there is more already counts from there, too.
        let completed = lists[0].end();
        // Who had not asked yet did not wait.
        if asked_at > sent.frame_at(completed) {
            continue;
        }
        let came = answers.iter().map(|(at, _)| *at).collect();
        let answer = answers.into_iter().next().unwrap().1;
        each(Round { completed, came, answer });
    }
}

fn body(answer: &[u8]) -> &str {
    let answer = std::str::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1
}

/// Someone who reads when it suits, and knows when it came.
pub struct Player {
    socket: TcpStream,
    buffer: Vec<u8>,
    control: Vec<u8>,
}

impl Player {
    pub fn connect(address: SocketAddr) -> Player {
        let socket = TcpStream::connect(address).unwrap();
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).unwrap();
        let control = nix::cmsg_space!(TimeSpec);
        Player { socket, buffer: vec![0; 1 << 16], control }
    }

    /// Waits, without being woken, until an answer began and all others had time to come; `false`: the stream ended.
    fn is_answered(&self, sent: &Sent) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        while self.socket.peek(&mut [0]).is_err() {
            if sent.is_over() {
                return false;
            }
            nap(LOOK);
        }
        self.socket.set_nonblocking(false).unwrap();
        nap(AWAY);
        true
    }

    /// One answer with its head, and when its last byte came.
    fn answer(&mut self) -> (Instant, Vec<u8>) {
        let mut answer = Vec::new();
        loop {
            let (count, at) = self.receive();
            assert!(count > 0, "the server hung up");
            answer.extend_from_slice(&self.buffer[..count]);
            if is_whole(&answer) {
                return (at, answer);
            }
        }
    }

    /// When the last of `length` bytes came.
    pub fn bytes(&mut self, length: usize) -> Instant {
        let mut had = 0;
        loop {
            let (count, at) = self.receive();
            assert!(count > 0, "the writer hung up");
            had += count;
            if had >= length {
                return at;
            }
        }
    }

    fn receive(&mut self) -> (usize, Instant) {
        let mut into = [IoSliceMut::new(&mut self.buffer)];
        let fd = self.socket.as_raw_fd();
        let message = recvmsg::<()>(fd, &mut into, Some(&mut self.control), MsgFlags::empty()).unwrap();
        let at = message.cmsgs().unwrap().find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
            _ => None,
        });
        #[expect(clippy::disallowed_methods, reason = "the kernel says it by the wall clock")]
        let ago = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + at.unwrap()).unwrap();
        (message.bytes, Instant::now() - ago)
    }
}

/// Whether `answer` is as long as its head says.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    answer.len() == end + 4 + length.parse::<usize>().unwrap()
}

/// Lets time pass for everybody else.
pub fn nap(length: Duration) {
    let until = Instant::now() + length;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}
