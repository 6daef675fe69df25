//! DASH as a player over HTTP sees it: a real encoder pushes, the MPD is followed, and every segment is asked for when
//! the MPD says that it is there (packaging-rules §4).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::encoder::{Push, Source};
use crate::http::{Answer, beside, get};
use crate::machine::{PATIENCE, Server, pause, wait_for};
use mpd::{Mpd, Period, Segment, Set, Wall};

mod mpd;
mod rules;

/// How late a segment may be when other tests keep the machine busy. Ours are made available with 200 ms to spare.
const LATE: Duration = Duration::from_millis(250);
/// How far a clock that is asked over HTTP on the same machine may be off.
const CLOCK_OFF_US: i64 = 500_000;

/// Pieces that come this close to each other were sent together.
const AT_ONCE: Duration = Duration::from_millis(30);

/// A player of one stream.
struct Player {
    address: SocketAddr,
    path: String,
    /// Bytes of every segment that was listed, by its path.
    media: BTreeMap<String, Vec<u8>>,
    /// Segments that were asked for at the very moment that they became available.
    punctual: usize,
    /// Those of them that came chunk by chunk while they grew.
    grew: usize,
}

#[expect(clippy::disallowed_methods, reason = "a player has a clock of its own")]
fn now() -> Wall {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as Wall
}

fn wait_until(moment: Wall) {
    while let Ok(left) = u64::try_from(moment - now())
        && left > 0
    {
        thread::park_timeout(Duration::from_micros(left));
    }
}

impl Player {
    fn mpd(&self) -> Mpd {
        let answer = get(self.address, &self.path);
        assert_eq!(answer.status, 200, "{}", self.path);
        assert_eq!(answer.header("content-type"), "application/dash+xml");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        Mpd::read(&answer.text())
    }

    /// Follows it until the stream ends.
    fn follow(&mut self) -> Mpd {
        let mut mpd = self.mpd();
        self.clock(&mpd);
        let begun = Instant::now();
        while mpd.minimum_update.is_some() {
            assert!(begun.elapsed() < PATIENCE, "D-22: it does not end");
            rules::alone(&mpd);
            self.all_there(&mpd);
            self.next_in_time(&mpd);
            let new = self.mpd();
            rules::step(&mpd, &new);
            mpd = new;
        }
        mpd
    }

    /// The clock that the MPD refers to is there and right (packaging-rules D-23).
    fn clock(&self, mpd: &Mpd) {
        let (_, url) = mpd.clocks.iter().find(|(scheme, _)| scheme.contains("http-iso")).unwrap();
        assert!(url.starts_with('/'), "{url}");
        let answer = get(self.address, url);
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "D-23");
        let date = chrono::DateTime::parse_from_rfc3339(&answer.text()).unwrap();
        assert!((date.timestamp_micros() - now()).abs() < CLOCK_OFF_US, "D-23: {date}");
    }

    /// What is named is there, and holds what the MPD says.
    fn all_there(&mut self, mpd: &Mpd) {
        let at = now();
        for (period, set, segment) in mpd.segments(at) {
            let path = beside(&self.path, &set.uri(&segment));
            // One that grows is looked at when it is due.
            if self.media.contains_key(&path) || mpd.ends(period, set, &segment) > at {
                continue;
            }
            let answer = get(self.address, &path);
            assert_eq!(answer.status, 200, "D-02: {path} is named, {segment:?}");
            self.keep(set, &segment, path, answer);
        }
    }

    fn keep(&mut self, set: &Set, segment: &Segment, path: String, answer: Answer) {
        assert!(answer.whole, "D-27: {path} breaks off");
        let first = decode_time(&answer.body);
        // Counted segments may be off by a frame or two each, but not for long (packaging-rules D-15).
        let slack = if set.constant.is_some() { segment.length / 2 } else { 0 };
        assert!(first.abs_diff(segment.start) <= slack, "D-12: {path} begins at {first}: {segment:?}");
        self.media.insert(path, answer.body);
    }

    /// Asks for the next segment of every set at the moment that it becomes available.
    fn next_in_time(&mut self, mpd: &Mpd) {
        let (this, period) = (&*self, mpd.periods.last().unwrap());
        let answers: Vec<_> = thread::scope(|scope| {
            let asked = |set| scope.spawn(move || this.due(mpd, period, set));
            let threads: Vec<_> = period.sets.iter().map(asked).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (set, due) in period.sets.iter().zip(answers) {
            let Some((segment, answer)) = due else { continue };
            self.punctual += 1;
            if set.early > 0 {
                self.grown(set, &segment, &answer);
            }
            if set.constant.is_some() {
                let path = beside(&self.path, &set.uri(&segment));
                self.keep(set, &segment, path, answer);
            }
        }
    }

    /// The segment after the last one that is complete, once it is available; `None` when the source is gone.
    fn due(&self, mpd: &Mpd, period: &Period, set: &Set) -> Option<(Segment, Answer)> {
        let last = mpd.segments(now()).into_iter().rfind(|(p, s, _)| p.id == period.id && s.id == set.id);
        let (_, _, last) = last?;
        let next = Segment { number: last.number + 1, start: last.start + last.length, length: last.length };
        // Sound is cut at the frame after the picture's cut: one of AAC's 1024 samples.
        let slack = if set.content == "audio" { 25_000 } else { 0 };
        wait_until(mpd.available(period, set, &next) + slack);
        let path = beside(&self.path, &set.uri(&next));
        let begun = Instant::now();
        loop {
            let late = begun.elapsed();
            let answer = get(self.address, &path);
            if answer.status == 200 {
                assert!(late < LATE, "D-02: {path} was not there for {late:?} after it became available");
                return Some((next, answer));
            }
            assert!([404, 503].contains(&answer.status), "{path}: {}", answer.status);
            self.mpd().minimum_update?;
            assert!(late < PATIENCE, "D-02: {path} does not come, and the MPD does not end");
            pause();
        }
    }

    /// It came as it grew, and is the same when it is complete (packaging-rules D-27, D-28).
    fn grown(&mut self, set: &Set, segment: &Segment, answer: &Answer) {
        let path = beside(&self.path, &set.uri(segment));
        assert_eq!(answer.header("content-length"), "", "D-27: {path} was complete already");
        let first = answer.pieces.first().expect("a chunk").0;
        assert!(answer.pieces.len() > 1 && answer.done > first, "D-27: {path} came at once");
        for pair in answer.pieces.windows(2).filter(|pair| pair[1].0 - pair[0].0 > AT_ONCE) {
            let end = pair[0].1;
            assert_eq!(&answer.body[end + 4..end + 8], b"moof", "D-27: {path} waits within a chunk");
        }
        let again = get(self.address, &path);
        assert_eq!(again.header("content-length"), again.body.len().to_string(), "D-28: {path}");
        assert!(again.body == answer.body, "D-28: {path} is another when it is complete");
        self.grew += 1;
    }
}

/// `baseMediaDecodeTime` of the first `tfdt`, which has 64 bits in all of ours.
fn decode_time(segment: &[u8]) -> u64 {
    let at = segment.windows(4).position(|name| name == b"tfdt").expect("tfdt");
    assert_eq!(segment[at + 4], 1, "C-03: version of tfdt");
    u64::from_be_bytes(segment[at + 8..at + 16].try_into().unwrap())
}

/// Paths of all segments in the media playlists of the stream.
fn in_hls(server: &Server) -> BTreeSet<String> {
    let path = "/live/s.m3u8";
    let text = get(server.http, path).text();
    let variants = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned);
    let audio =
        text.lines().filter_map(|line| Some(line.split_once("URI=\"")?.1.split('"').next()?.to_owned()));
    let lists: Vec<String> = variants.chain(audio).map(|uri| beside(path, &uri)).collect();
    assert!(lists.len() >= 2, "{text}");
    let segments = |list: &String| {
        let text = get(server.http, list).text();
        let lines: Vec<_> =
            text.lines().filter(|line| !line.starts_with('#')).map(|l| beside(list, l)).collect();
        lines
    };
    lists.iter().flat_map(segments).collect()
}

fn hold(protocol: &str, options: &str, also_hls: bool) -> (Player, Mpd) {
    let folder = tempfile::tempdir().unwrap();
    let file = Source { seconds: 14, ..Source::default() }.encode(folder.path());
    let mut server = Server::start(&format!(
        "[[package]]\ndomain_name = \"live.local\"\napp_name = \"live\"\nstream_name = \"*\"\n\
         protocol = \"{protocol}\"\nsegment_num = 4\n{options}"
    ));
    let push = Push::start(&file, &server.publish_url("live", "s"));
    let path = "/live/s.mpd".to_owned();
    wait_for("an MPD", || (get(server.http, &path).status == 200).then_some(()));
    let (address, media) = (server.http, BTreeMap::new());
    let mut player = Player { address, path, media, punctual: 0, grew: 0 };
    let last = player.follow();
    push.succeed();
    let listed = if also_hls { in_hls(&server) } else { BTreeSet::new() };
    assert!(listed.iter().all(|path| player.media.contains_key(path)), "not in both: {listed:?}");
    assert!(!also_hls || listed.len() >= 4, "{listed:?}");
    assert!(server.terminate().success());
    (player, last)
}

/// Every segment begins where the one before it ends: tfdt, which FFmpeg reads as it is.
#[track_caller]
fn assert_ended(player: &Player, last: &Mpd) {
    assert!(last.duration.is_some() || last.periods.last().unwrap().duration.is_some(), "D-22: no end");
    assert!(player.media.len() >= 10, "{} segments", player.media.len());
    assert!(player.punctual >= 4, "{} segments were due", player.punctual);
}

#[test]
fn every_segment_of_dash_is_there_when_the_mpd_says_and_is_that_of_hls() {
    let (player, last) = hold("HLSDASH_CMAF", "segment_duration = 2\n", true);
    assert_ended(&player, &last);
}

#[test]
fn segments_of_low_latency_dash_come_while_they_grow() {
    let (player, last) = hold("LLHLSDASH_CMAF", "segment_duration = 1\npart_duration = 350\n", true);
    assert_ended(&player, &last);
    assert!(player.grew >= 4, "D-27: {} segments came while they grew", player.grew);
    assert!(last.latency_ms.is_some_and(|target| target <= 2_000.0), "D-29: {:?}", last.latency_ms);
}
