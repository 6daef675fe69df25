//! A publisher that knows when it sent which frame.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use media::Kind;
use rtmp::chunk::{Format, Message, Writer, kind};
use testkit::Clip;

use crate::hostile;
use crate::machine::Server;

const FPS: u32 = 30;

/// Sends in the background.
pub struct Publisher(JoinHandle<()>);

/// When each frame of the picture left.
#[derive(Clone)]
pub struct Sent {
    frames: Arc<Mutex<Vec<Instant>>>,
    total: usize,
}

impl Sent {
    /// When the frame that is shown `seconds` after the first one was sent; waits for it if it was not yet.
    pub fn frame_at(&self, seconds: f64) -> Instant {
        let number = (seconds * f64::from(FPS)).round() as usize;
        loop {
            if let Some(at) = self.frames.lock().unwrap().get(number) {
                return *at;
            }
            assert!(number <= self.total, "frame {number} of {}", self.total);
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Whether the stream is about to end.
    pub fn is_over(&self) -> bool {
        self.frames.lock().unwrap().len() + FPS as usize > self.total
    }
}

impl Publisher {
    /// Begins to send a stream `s` of app `live`: a key frame each second, 2 Mbit/s, and sound.
    pub fn start(server: &Server, seconds: u32) -> (Publisher, Sent) {
        let clip = Clip { fps: FPS, gop: FPS, millis: seconds * 1000, frame_bytes: 6_700, ..Clip::default() };
        let sent = Sent { frames: Arc::default(), total: (seconds * FPS) as usize };
        let mut socket = hostile::connect(server);
        socket.set_nodelay(true).unwrap();
        socket.write_all(&hostile::publish("s", 1)).unwrap();
        let mut answers = socket.try_clone().unwrap();
        thread::spawn(move || while answers.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {});
        let log = sent.clone();
        (Publisher(thread::spawn(move || send(&mut socket, &clip, &log))), sent)
    }

    /// Waits until everything is sent.
    pub fn finish(self) {
        self.0.join().unwrap();
    }
}

fn send(socket: &mut TcpStream, clip: &Clip, sent: &Sent) {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    writer.set_chunk_size(65_536, &mut out);
    let begun = Instant::now();
    for message in clip.messages() {
        let due = begun + Duration::from_millis(u64::from(message.timestamp));
        while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left);
        }
        let is_video = message.kind == Kind::Video;
        let is_frame = message.payload.get(1) == Some(&1);
        let (kind, csid) = if is_video { (kind::VIDEO, 6) } else { (kind::AUDIO, 4) };
        let message = Message { kind, stream: 1, timestamp: message.timestamp, payload: message.payload };
        writer.write(csid, Format::Full, &message, &mut out);
        if is_video && is_frame {
            sent.frames.lock().unwrap().push(Instant::now());
        }
        socket.write_all(&out).unwrap();
        out.clear();
    }
}
