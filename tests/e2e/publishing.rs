//! Who may publish, and what becomes of a stream when its encoder goes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use container::amf0::Value;
use rtmp::chunk::{Format, Message, Writer, kind};
use rtmp::command::encode;

use crate::account::Account;
use crate::encoder::{Push, Source};
use crate::hostile;
use crate::machine::{EVERYTHING, Server, wait_for};

fn source(seconds: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = Source { seconds, ..Source::default() }.encode(folder.path());
    (folder, file)
}

fn wait_until_live(server: &Server) {
    wait_for("the stream to be live", || {
        server.log().iter().any(|line| line.contains("publish begins")).then_some(())
    });
}

#[test]
fn a_second_publisher_is_refused_at_once_and_the_first_loses_nothing() {
    let (_folder, file) = source(10);
    let mut server = Server::start(EVERYTHING);
    let url = server.publish_url("live", "s");
    let first = Push::start(&file, &url);
    wait_until_live(&server);
    let asked = Instant::now();
    let second = Push::start(&file, &url).finish();
    assert!(!second.status.success());
    assert!(asked.elapsed() < Duration::from_secs(5), "the encoder acts on the refusal at once");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("already being published"), "{said}");
    first.succeed();
    server.close_recordings("live", "s");
    assert!(server.terminate().success());
    let recordings = server.objects("record/live/s", ".flv");
    Account::of(&file).assert_in(&recordings[0]);
    assert_eq!(recordings.len(), 1);
}

#[test]
fn a_name_outside_the_charset_is_refused_with_the_reason() {
    let (_folder, file) = source(2);
    let server = Server::start(EVERYTHING);
    let output = Push::start(&file, &server.publish_url("live", "a.b")).finish();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("stream name contains '.'"), "{said}");
}

#[test]
fn an_encoder_that_is_cut_off_and_comes_back_goes_on_in_the_same_recording() {
    let (_folder, file) = source(6);
    let mut server = Server::start(EVERYTHING);
    let url = server.publish_url("live", "s");
    let first = Push::start(&file, &url);
    wait_for("a segment", || (server.get("/live/s/video.m3u8").0 == 200).then_some(()));
    first.kill();
    wait_for("the end of the first publish", || {
        server
            .log()
            .iter()
            .any(|line| line.contains("publish ended") || line.contains("broke off"))
            .then_some(())
    });
    Push::start(&file, &url).succeed();
    server.close_recordings("live", "s");
    assert!(server.terminate().success());
    let sent = Account::of(&file);
    let flv = server.objects("record/live/s", ".flv");
    assert_eq!(flv.len(), 1, "within DelayTime it is one file");
    let found = Account::of(&flv[0]);
    let (before, after) = found.slices.split_at(found.slices.len() - sent.slices.len());
    assert!(after == sent.slices, "the second publish is whole");
    assert!(!before.is_empty() && sent.slices.starts_with(before), "the first is whole up to the cut");
    let playlists = server.objects("record/live/s", ".m3u8");
    assert_eq!(playlists.len(), 1);
    let text = std::fs::read_to_string(&playlists[0]).unwrap();
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
}

#[test]
fn after_the_reconnect_window_the_playlist_ends_and_a_new_publish_goes_on_counting() {
    let (_folder, file) = source(5);
    let mut server = Server::start(EVERYTHING);
    let url = server.publish_url("live", "s");
    let playlist = || String::from_utf8(server.get("/live/s/video.m3u8").1).unwrap();
    Push::start(&file, &url).succeed();
    let ended = wait_for("ENDLIST", || Some(playlist()).filter(|text| text.contains("#EXT-X-ENDLIST")));
    Push::start(&file, &url).succeed();
    let again = wait_for("a list that goes on", || {
        Some(playlist()).filter(|text| !text.is_empty() && *text != ended)
    });
    let sequence = |text: &str| {
        let (_, rest) = text.split_once("#EXT-X-MEDIA-SEQUENCE:").unwrap();
        rest.lines().next().unwrap().parse::<u64>().unwrap()
    };
    let segments = ended.matches("#EXTINF").count() as u64;
    assert!(sequence(&again) >= sequence(&ended) + segments, "{ended}\n{again}");
    assert!(server.terminate().success());
}

#[test]
fn a_crowd_of_publishers_is_read_on_the_grid_and_loses_nothing() {
    let (_folder, file) = source(6);
    let mut server = Server::start(EVERYTHING);
    let name = |n: u32| format!("crowd{n}");
    // More than are read the moment their bytes come (ingest::pace), so each moves over and back.
    let pushes: Vec<Push> =
        (0..14).map(|n| Push::start(&file, &server.publish_url("live", &name(n)))).collect();
    pushes.into_iter().for_each(Push::succeed);
    (0..14).for_each(|n| server.close_recordings("live", &name(n)));
    assert!(server.terminate().success());
    let sent = Account::of(&file);
    for n in 0..14 {
        sent.assert_in(&server.objects(&format!("record/live/{}", name(n)), ".flv")[0]);
    }
}

/// FFmpeg sends FCUnpublish and then deleteStream: whoever closes after the first makes the second an error to it.
#[test]
fn a_publisher_that_is_done_may_finish_what_it_says() {
    let server = Server::start("");
    let mut socket = hostile::connect(&server);
    socket.write_all(&hostile::publish("bye", 1)).unwrap();
    hear(&mut socket, b"NetStream.Publish.Start");
    socket.write_all(&command("FCUnpublish", Value::String("bye".into()))).unwrap();
    hear(&mut socket, b"onFCUnpublish");
    socket.write_all(&command("deleteStream", Value::Number(1.0))).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    socket.read_to_end(&mut Vec::new()).unwrap();
    wait_for("the end", || server.log().iter().any(|line| line.contains(r#""clean":true"#)).then_some(()));
}

fn command(name: &str, argument: Value) -> BytesMut {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    let payload = encode(&[Value::String(name.into()), Value::Number(4.0), Value::Null, argument]);
    let message = Message { kind: kind::COMMAND, timestamp: 0, stream: 0, payload };
    writer.write(3, Format::Full, &message, &mut out);
    out
}

/// Reads until `word` came.
fn hear(socket: &mut TcpStream, word: &[u8]) {
    let (mut heard, mut piece) = (Vec::<u8>::new(), [0; 4096]);
    while !heard.windows(word.len()).any(|part| part == word) {
        let read = socket.read(&mut piece).unwrap();
        assert!(read > 0, "closed before {}", String::from_utf8_lossy(word));
        heard.extend(&piece[..read]);
    }
}
