//! Bytes from strangers: the connection ends, the server lives, and a stream in progress loses nothing
//! (reference rtmp.md §3; each input aborts, panics or bloats some other server).

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use container::amf0::Value;
use rtmp::chunk::{Format, Message, Writer, kind};
use rtmp::command::{encode, object};

use crate::account::Account;
use crate::encoder::{Push, Source};
use crate::machine::{EVERYTHING, Server, wait_for};

/// What all hostile inputs together may add to the server's memory, in KiB.
const MEMORY: u64 = 96 << 10;

/// A client that has shaken hands.
pub fn connect(server: &Server) -> TcpStream {
    let mut socket = TcpStream::connect(server.rtmp).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut c1 = [7; 1536];
    c1[..8].fill(0);
    socket.write_all(&[3]).unwrap();
    socket.write_all(&c1).unwrap();
    let mut answer = [0; 1 + 1536 * 2];
    socket.read_exact(&mut answer).unwrap();
    socket.write_all(&answer[1..1537]).unwrap();
    socket
}

/// Sends `bytes` and reads until the server closes; a write it cuts off is fine.
fn attack(server: &Server, bytes: &[u8]) {
    let mut socket = connect(server);
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(Shutdown::Write);
    let mut rest = Vec::new();
    let _ = socket.take(64 << 20).read_to_end(&mut rest);
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A message on chunk stream 3 in one chunk, after the peer's chunk size was raised to take it.
fn message(kind: u8, length: usize, body: &[u8]) -> Vec<u8> {
    let mut bytes = hex("02 000000 000004 01 00000000 7fffffff");
    bytes.extend([3, 0, 0, 0]);
    bytes.extend(&(length as u32).to_be_bytes()[1..]);
    bytes.extend([kind, 0, 0, 0, 0]);
    bytes.extend(body);
    bytes
}

/// What a publisher says up to its publish, and then publish `times` times.
pub fn publish(stream: &str, times: usize) -> Vec<u8> {
    let text = |text: &str| Value::String(text.into());
    let app = object([("app", text("live")), ("tcUrl", text("rtmp://127.0.0.1/live"))]);
    let before = [
        (0, encode(&[text("connect"), Value::Number(1.0), app])),
        (0, encode(&[text("createStream"), Value::Number(2.0), Value::Null])),
    ];
    let publish =
        (1, encode(&[text("publish"), Value::Number(3.0), Value::Null, text(stream), text("live")]));
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    for (stream, payload) in before.into_iter().chain(std::iter::repeat_n(publish, times)) {
        let message = Message { kind: kind::COMMAND, stream, timestamp: 0, payload };
        writer.write(3, Format::Full, &message, &mut out);
    }
    out.to_vec()
}

fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let mut interleaved = hex("04 000000 00012c 09 01000000");
    interleaved.extend([0; 128]);
    interleaved.extend(hex("02 000000 000004 03 00000000 00000009"));
    let nested = hex("03 00 01 61").repeat(4_000);
    let arrays = hex("0a 00000001").repeat(10_000);
    let nulls = vec![5; 16 << 20];
    let create =
        [&hex("03 000000 000019 14 00000000 02 000c")[..], b"createStream", &hex("00 3ff0000000000000 05")]
            .concat();
    let many_streams: Vec<u8> = (64..65_599u32)
        .flat_map(|id| [1, (id - 64) as u8, ((id - 64) >> 8) as u8, 0, 0, 0, 0, 1, 0, 9, 1, 0, 0, 0, 0])
        .collect();
    let mut metadata = publish("p3", 1);
    metadata.extend(hex(
        "04 000000 00001d 12 01000000 02 000d 40736574446174614672616d65 02 000a 6f6e4d65746144617461",
    ));
    vec![
        ("P3: @setDataFrame with a name and nothing after it", metadata),
        ("M5: publish 20,000 times", publish("m5", 20_000)),
        ("P1: a command without values", hex("03 000000 000000 14 00000000")),
        (
            "P2: @setDataFrame with nothing after it",
            hex("04 000000 000010 12 01000000 02 000d 40736574446174614672616d65"),
        ),
        ("I2: an acknowledgement inside a video message", interleaved),
        ("S1: objects nested 4,000 deep", message(20, nested.len(), &nested)),
        ("S1: arrays nested 10,000 deep", message(20, arrays.len(), &arrays)),
        ("M3: sixteen million nulls", message(20, (16 << 20) - 1, &nulls[1..])),
        ("M2: a video message that never ends", message(9, (16 << 20) - 1, &nulls[2..])),
        ("M4: createStream 100,000 times", create.repeat(100_000)),
        ("M6: every chunk stream there is", many_streams),
        ("a chunk size of zero", hex("02 000000 000004 01 00000000 00000000")),
        ("a chunk size with the top bit set", hex("02 000000 000004 01 00000000 ffffffff")),
        ("noise", (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
    ]
}

#[test]
fn hostile_bytes_end_their_connection_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = Source { seconds: 12, ..Source::default() }.encode(folder.path());
    let mut server = Server::start(EVERYTHING);
    let push = Push::start(&file, &server.publish_url("live", "s"));
    wait_for("a segment", || (server.get("/live/s/video.m3u8").0 == 200).then_some(()));
    let before = server.peak_memory();
    for (what, bytes) in inputs() {
        attack(&server, &bytes);
        assert!(server.alive(), "the server died of {what}");
    }
    let handshake_noise: Vec<u8> = (0..5_000u32).map(|n| n as u8).collect();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[6; 4096], &handshake_noise] {
        let mut socket = TcpStream::connect(server.rtmp).unwrap();
        let _ = socket.write_all(bytes);
    }
    // Half-sent messages at once hold what was sent, not what was announced.
    let half: Vec<TcpStream> = (0..32)
        .map(|_| {
            let mut socket = connect(&server);
            socket.write_all(&message(9, (8 << 20) - 1, &[0; 64 << 10])).unwrap();
            socket
        })
        .collect();
    let grown = server.peak_memory() - before;
    assert!(grown < MEMORY, "memory grew by {grown} KiB");
    drop(half);
    push.succeed();
    server.close_recordings("live", "s");
    assert!(server.terminate().success());
    Account::of(&file).assert_in(&server.objects("record/live/s", ".flv")[0]);
    assert!(!server.log().iter().any(|line| line.contains("panicked")), "{:#?}", server.log());
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    let server = Server::start(EVERYTHING);
    let mut silent = TcpStream::connect(server.rtmp).unwrap();
    let mut shaken = connect(&server);
    for socket in [&mut silent, &mut shaken] {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut rest = Vec::new();
        // Nothing but the server's own close ends this read in time.
        socket.read_to_end(&mut rest).unwrap();
    }
}
