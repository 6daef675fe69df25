//! What is pushed is played, recorded and captured whole.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use container::flv;

use crate::account::Account;
use crate::encoder::{Push, Source, play};
use crate::machine::{EVERYTHING, Server, wait_for};
use crate::picture::{self, HEIGHT, Matrix, WIDTH};

/// Largest difference of a colour after H.264 and JPEG.
const COLOUR: u8 = 12;

struct Story {
    server: Server,
    folder: tempfile::TempDir,
}

impl Story {
    fn new() -> Self {
        Self { server: Server::start(EVERYTHING), folder: tempfile::tempdir().unwrap() }
    }

    /// Pushes a file while a player follows, ends the server and accounts for every frame.
    #[track_caller]
    fn push_and_account(&mut self, app: &str, file: &Path, watch: u32) {
        let push = Push::start(file, &self.server.publish_url(app, "s"));
        let path = format!("/{app}/s.m3u8");
        wait_for("something to play", || (self.server.get(&path).0 == 200).then_some(()));
        let player = play(&self.server.play_url(app, "s"), watch);
        push.succeed();
        let (success, said) = player.join().unwrap();
        assert!(success && said.is_empty(), "the player complained: {said}");
        self.server.close_recordings(app, "s");
        assert!(self.server.terminate().success());
        let sent = Account::of(file);
        sent.assert_in(&self.only(&format!("record/{app}/s"), ".m3u8"));
        sent.assert_in(&self.only(&format!("record/{app}/s"), ".flv"));
        let log = self.server.log();
        let loud: Vec<_> =
            log.iter().filter(|l| l.contains(r#""WARN""#) || l.contains(r#""ERROR""#)).collect();
        assert!(loud.is_empty(), "{loud:#?}");
    }

    #[track_caller]
    fn only(&self, prefix: &str, suffix: &str) -> PathBuf {
        match &self.server.objects(prefix, suffix)[..] {
            [one] => one.clone(),
            many => panic!("one {suffix} expected under {prefix}, found {many:?}"),
        }
    }

    /// Snapshots show these frames, in these colours.
    #[track_caller]
    fn assert_pictures(&self, numbers: &[u32]) {
        let pictures = self.server.objects("snapshot/live/s", ".jpg");
        let mut seen: Vec<picture::Seen> = pictures.iter().map(|path| picture::read(path)).collect();
        seen.sort_by_key(|seen| seen.number);
        assert_eq!(seen.iter().map(|seen| seen.number).collect::<Vec<_>>(), numbers);
        for picture in seen {
            assert_eq!(picture.size, (WIDTH, HEIGHT));
            assert!(picture.colour_error <= COLOUR, "colours are off by {}", picture.colour_error);
        }
    }
}

#[test]
fn pictures_with_b_frames_and_sound_are_whole_everywhere() {
    let mut story = Story::new();
    let file = Source::default().encode(story.folder.path());
    story.push_and_account("live", &file, 12);
    // Key frames each second, a snapshot each five.
    story.assert_pictures(&[0, 125, 250, 375]);
}

#[test]
fn a_gop_of_250_frames_is_whole_everywhere() {
    let mut story = Story::new();
    let file = Source { gop: 250, seconds: 22, matrix: Matrix::Bt601, ..Source::default() }
        .encode(story.folder.path());
    story.push_and_account("live", &file, 8);
    story.assert_pictures(&[0, 250, 500]);
}

#[test]
fn sound_alone_is_whole_everywhere() {
    let mut story = Story::new();
    let file = Source { video: false, ..Source::default() }.encode(story.folder.path());
    story.push_and_account("live", &file, 12);
    story.assert_pictures(&[]);
}

#[test]
fn pictures_alone_are_whole_everywhere() {
    let mut story = Story::new();
    let file = Source { audio: false, ..Source::default() }.encode(story.folder.path());
    story.push_and_account("over", &file, 12);
    let newest = picture::read(&story.only("over", ".jpg"));
    assert_eq!(
        (newest.number, newest.size),
        (375, (WIDTH, HEIGHT)),
        "the newest picture overwrites the others"
    );
}

#[test]
fn a_resolution_change_loses_nothing() {
    let mut story = Story::new();
    let half = Source { seconds: 10, ..Source::default() };
    let first = half.encode(story.folder.path());
    let second = Source { size: (640, 360), ..half }.encode(story.folder.path());
    let joined = join(&first, &second, story.folder.path());
    let push = Push::start(&joined, &story.server.publish_url("live", "s"));
    wait_for("two runs in the playlist", || {
        let (_, body) = story.server.get("/live/s/video.m3u8");
        String::from_utf8_lossy(&body).contains("#EXT-X-DISCONTINUITY\n").then_some(())
    });
    push.succeed();
    story.server.close_recordings("live", "s");
    assert!(story.server.terminate().success());
    let sent = Account::of(&joined);
    sent.assert_in(&story.only("record/live/s", ".flv"));
    let slices: Vec<Account> =
        story.server.objects("record/live/s", ".ts").iter().map(|p| Account::of(p)).collect();
    assert!(sent.slices == slices.iter().flat_map(|a| a.slices.clone()).collect::<Vec<_>>());
    assert!(sent.aac == slices.iter().flat_map(|a| a.aac.clone()).collect::<Vec<_>>());
    let playlist = std::fs::read_to_string(story.only("record/live/s", ".m3u8")).unwrap();
    assert_eq!(playlist.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{playlist}");
}

/// One FLV file after the other on one timeline, as an encoder that changes its settings would send it.
fn join(first: &Path, second: &Path, folder: &Path) -> PathBuf {
    let mut out = flv::header(true, true).to_vec();
    let mut offset = 0;
    for file in [first, second] {
        let bytes = Bytes::from(std::fs::read(file).unwrap());
        let (_, tags) = flv::read(&bytes).unwrap();
        let mut end = offset;
        for tag in tags.map(Result::unwrap) {
            let mut pieces = Vec::new();
            flv::write_tag(tag.kind, tag.timestamp + offset, &[], &tag.payload, &mut pieces).unwrap();
            pieces.iter().for_each(|piece| out.extend_from_slice(piece));
            end = end.max(tag.timestamp + offset + 40);
        }
        offset = end;
    }
    let path = folder.join("joined.flv");
    std::fs::write(&path, out).unwrap();
    path
}

/// The stream is in the API's list with what it is made of.
#[test]
fn the_api_describes_a_live_stream() {
    let mut story = Story::new();
    let file = Source { seconds: 6, ..Source::default() }.encode(story.folder.path());
    let push = Push::start(&file, &story.server.publish_url("live", "s"));
    let auth = "Authorization: Basic TFRBSXRlc3Q6dGVzdC1zZWNyZXQ=\r\n";
    let text = wait_for("two tracks in /api/streams", || {
        let (status, body) = crate::machine::get(story.server.api, "/api/streams", auth);
        assert_eq!(status, 200);
        let text = String::from_utf8(body).unwrap();
        text.contains("mp4a.40.2").then_some(text)
    });
    for part in
        [r#""stream":"s""#, r#""live":true"#, r#""width":320"#, r#""height":180"#, "avc1.", "record/flv"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    wait_for("a stored picture in /api/streams", || {
        let (_, body) = crate::machine::get(story.server.api, "/api/streams/live.local/live/s", auth);
        let stream: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let outputs = stream["outputs"].as_array().unwrap();
        let snapshot = outputs.iter().find(|output| output["product"] == "snapshot").unwrap();
        (snapshot["delivery"]["stored"] == 1 && snapshot["state"] == "running").then_some(())
    });
    assert_eq!(crate::machine::get(story.server.api, "/api/streams", "").0, 401);
    push.succeed();
    let metrics = crate::machine::get(story.server.api, "/metrics", "").1;
    assert!(String::from_utf8(metrics).unwrap().contains("millrace_publishes_total 1"));
    assert!(story.server.terminate().success());
}
