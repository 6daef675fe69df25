//! What real encoders sent, byte for byte (`tests/data`), goes through every product; FFmpeg reads what came of it.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::thread;

use crate::enhanced::Take;
use crate::hostile;
use crate::live::{Followed, Follower};
use crate::machine::{EVERYTHING, Server, wait_for};

/// A capture and the access units in it, by track.
struct Capture {
    file: &'static str,
    stream: &'static str,
    video: &'static [usize],
    audio: &'static [usize],
    /// Whether the TS recording takes the main tracks; of AV1, VP9, Opus and FLAC it takes none.
    ts: bool,
}

const fn capture(
    file: &'static str,
    stream: &'static str,
    video: &'static [usize],
    audio: &'static [usize],
    ts: bool,
) -> Capture {
    Capture { file, stream, video, audio, ts }
}

/// All of them; OBS's breaks off within a message.
const CAPTURES: [Capture; 10] = [
    capture("ffmpeg5-h264-bframes-aac", "s1", &[90], &[142], true),
    capture("ffmpeg9-hevc-aac", "s2", &[90], &[142], true),
    capture("ffmpeg9-av1-opus", "s3", &[90], &[151], false),
    capture("ffmpeg9-vp9-flac", "s4", &[90], &[141], false),
    capture("ffmpeg9-h264-ac3", "s5", &[90], &[94], true),
    capture("ffmpeg9-multitrack-h264-aac", "s6", &[90, 90], &[142, 142], true),
    capture("ffmpeg5-audio-only-aac", "s7", &[], &[131], true),
    capture("ffmpeg5-h264-mp3", "s8", &[90], &[116], true),
    capture("gstreamer-h264-aac", "s9", &[90], &[141], true),
    capture("obs29-h264-aac", "obs", &[236], &[369], true),
];

/// Audio that may be missing live because it comes before the first picture, in frames: 200 ms.
const BEFORE_PICTURE: usize = 10;

impl Capture {
    /// Sends it at once to a server and follows the live stream to its end.
    fn replay(&self, server: &Server, folder: &Path) -> Followed {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(self.file);
        let bytes = std::fs::read(path.with_extension("rtmp")).unwrap();
        let folder = folder.join(self.stream);
        std::fs::create_dir(&folder).unwrap();
        let follower = Follower::start(server, &format!("/live/{}.m3u8", self.stream), &folder);
        let mut socket = hostile::connect(server);
        socket.write_all(&bytes).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let _ = socket.read_to_end(&mut Vec::new());
        follower.finish()
    }

    #[track_caller]
    fn check(&self, server: &Server, live: &Followed) {
        let takes = |kind: fn(usize) -> Take, counts: &'static [usize]| {
            counts.iter().enumerate().map(move |(at, &count)| (kind(at), count))
        };
        let all: Vec<(Take, usize)> =
            takes(Take::video, self.video).chain(takes(Take::audio, self.audio)).collect();
        let flv = self.only(server, ".flv");
        for &(take, count) in &all {
            assert_eq!(take.hashes(&flv).len(), count, "{} FLV {take:?}", self.file);
        }
        assert_eq!(live.renditions.len(), all.len(), "{}", self.file);
        for (&(take, count), file) in all.iter().zip(&live.renditions) {
            let found = take.alone().hashes(file).len();
            let least = if take.is_video() || self.video.is_empty() { count } else { count - BEFORE_PICTURE };
            assert!((least..=count).contains(&found), "{} live {take:?}: {found} of {count}", self.file);
        }
        if self.ts {
            let list = self.only(server, ".m3u8");
            for &(take, count) in all.iter().filter(|(take, _)| take.is_main()) {
                assert_eq!(take.hashes(&list).len(), count, "{} m3u8 {take:?}", self.file);
            }
        }
        let pictures = server.objects(&format!("snapshot/live/{}", self.stream), ".jpg");
        assert_eq!(pictures.len(), usize::from(!self.video.is_empty()), "{}", self.file);
        for picture in pictures {
            let size = if self.stream == "obs" { (640, 360) } else { (320, 180) };
            assert_eq!(image::image_dimensions(&picture).unwrap(), size, "{}", self.file);
        }
    }

    #[track_caller]
    fn only(&self, server: &Server, suffix: &str) -> PathBuf {
        match &server.objects(&format!("record/live/{}", self.stream), suffix)[..] {
            [one] => one.clone(),
            many => panic!("{}: one {suffix} expected, found {many:?}", self.file),
        }
    }
}

#[test]
fn what_real_encoders_sent_is_whole_in_every_product() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(EVERYTHING);
    let lives: Vec<Followed> = thread::scope(|scope| {
        let replays: Vec<_> =
            CAPTURES.iter().map(|capture| scope.spawn(|| capture.replay(&server, folder.path()))).collect();
        replays.into_iter().map(|replay| replay.join().unwrap()).collect()
    });
    wait_for("every publish to end", || {
        let ended = server
            .log()
            .iter()
            .filter(|line| line.contains("publish ended") || line.contains("broke off"))
            .count();
        (ended >= CAPTURES.len()).then_some(())
    });
    CAPTURES.iter().for_each(|capture| server.close_recordings("live", capture.stream));
    assert!(server.terminate().success());
    for (capture, live) in CAPTURES.iter().zip(&lives) {
        capture.check(&server, live);
    }
}
