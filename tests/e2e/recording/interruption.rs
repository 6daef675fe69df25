//! A source that goes, and comes back or does not.

use std::path::Path;
use std::time::{Duration, Instant};

use super::material::Material;
use super::{
    DELAY, FORMATS, SLACK, Template, account, came_in, duration, index, list, only, order, recordings,
};
use crate::encoder::Push;
use crate::machine::{Server, wait_for};

/// How long the encoder is away.
const AWAY: Duration = Duration::from_secs(3);
/// A frame or two.
const CLOSE: f64 = 0.25;

/// Three streams: one loses its encoder and gets it back, one loses it for good, one is ended by its encoder.
#[test]
fn a_break_within_delay_time_is_joined_and_a_longer_one_closes_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (Material::encode(folder.path(), 20, 1), Material::encode(folder.path(), 5, 2));
    let mut server = Server::start(&Template::default().text());
    let push = |file: &Path, stream: &str| Push::start(file, &server.publish_url("live", stream));
    let (back, gone, clean) =
        (push(&before.file, "back"), push(&before.file, "gone"), push(&after.file, "clean"));
    super::wait_for_pictures(&server, &["back", "gone"], 160);
    back.kill();
    gone.kill();
    clean.succeed();
    let left = Instant::now();
    let came = ["back", "gone"].map(|stream| {
        server.wait_until_gone("live", stream);
        came_in(&server, stream)
    });
    super::wait_until(left + AWAY);
    push(&after.file, "back").succeed();
    server.wait_until_gone("live", "back");
    assert!(left.elapsed().as_secs() < DELAY, "the machine is too slow for this story");
    for stream in ["back", "gone", "clean"] {
        assert_eq!(closed(&server, stream), 0, "{stream} waits for DelayTime");
    }

    order(&server, "back", "cancel_delay").done();
    let asked = Instant::now();
    super::wait_for_recordings(&server, &FORMATS, "back", 1);
    assert!(asked.elapsed() < SLACK, "cancel_delay closes at once: {:?}", asked.elapsed());
    let joined = Joined { server: &server, before: &before, after: &after };
    FORMATS.iter().for_each(|format| joined.check(format, came[0]));
    joined.check_index();

    for stream in ["gone", "clean"] {
        super::wait_for_recordings(&server, &FORMATS, stream, 1);
    }
    let closed_after = left.elapsed();
    assert!(closed_after >= Duration::from_secs(DELAY - 1), "closed after {closed_after:?}");
    assert!(closed_after < Duration::from_secs(DELAY) + SLACK, "closed after {closed_after:?}");
    for format in FORMATS {
        let found =
            before.find(&account(format, &[only(&server, format, "gone")]), &format!("{format} of gone"));
        assert_prefix(&found, came[1], format);
        after
            .sent
            .assert_same(&account(format, &[only(&server, format, "clean")]), &format!("{format} of clean"));
    }
    assert_eq!(order(&server, "gone", "cancel_delay").code(), "InvalidStream.NotFound");
    assert!(server.terminate().success());
    assert_eq!(super::loud(&server), [] as [String; 0]);
}

/// Recordings of a stream that are closed.
fn closed(server: &Server, stream: &str) -> usize {
    FORMATS.iter().map(|format| recordings(&server.bucket(), format, "live", stream).len()).sum()
}

/// What came in is there up to its last frame, and nothing is missing before.
#[track_caller]
fn assert_prefix(found: &super::material::Found, (pictures, sounds): (usize, usize), what: &str) {
    assert_eq!(found.video, (0..pictures).collect::<Vec<_>>(), "pictures of {what}: {pictures} came in");
    assert_eq!(found.audio, (0..sounds).collect::<Vec<_>>(), "sounds of {what}: {sounds} came in");
}

struct Joined<'a> {
    server: &'a Server,
    before: &'a Material,
    after: &'a Material,
}

impl Joined<'_> {
    #[track_caller]
    fn check(&self, format: &str, came: (usize, usize)) {
        let file = only(self.server, format, "back");
        let (first, second) = self.before.split(&account(format, std::slice::from_ref(&file)));
        assert_prefix(&self.before.find(&first, format), came, format);
        self.after.find(&second, format).assert_whole(format);
        let media = came.0 as f64 / super::material::RATE as f64 + 5.0;
        match format {
            "m3u8" => check_list(&file, media),
            "cmaf" => {
                list::renditions(&file).iter().for_each(|track| check_list(track, media));
                let mpd = std::fs::read_to_string(file.with_extension("mpd")).unwrap();
                assert_eq!(mpd.matches("<Period").count(), 2, "{mpd}");
            }
            _ => {
                let said = duration(&file);
                assert!((said - media).abs() < CLOSE, "{format} says {said} s, has {media}");
                check_no_hole(&file);
            }
        }
    }

    /// The wall time of the break is in the index, the media's own duration beside it.
    #[track_caller]
    fn check_index(&self) {
        let rows = wait_for("the index", || Some(index(self.server, "back")).filter(|rows| rows.len() == 4));
        for row in rows {
            let moment = |key: &str| {
                let text = row[key].as_str().unwrap();
                chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp() as f64
            };
            let wall = moment("EndTime") - moment("StartTime");
            let away = wall - row["Duration"].as_f64().unwrap();
            // Whole seconds.
            assert!(away > AWAY.as_secs_f64() - 1.0, "{away} s in {row}");
        }
    }
}

#[track_caller]
fn check_list(file: &Path, media: f64) {
    let list = list::read(file);
    assert_eq!(list.discontinuities(), 1, "{}", list.text);
    assert!((list.duration() - media).abs() < CLOSE, "{media} s: {}", list.text);
    assert!(list.text.trim_end().ends_with("#EXT-X-ENDLIST"), "{}", list.text);
    let dates: Vec<&str> =
        list.text.lines().filter_map(|line| line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:")).collect();
    assert!(dates.len() >= 2, "the wall time is told again after the break: {}", list.text);
}

/// Timestamps go on after the break where they stood.
#[track_caller]
fn check_no_hole(file: &Path) {
    let text = super::probe(file, "packet=dts_time", &["-select_streams", "v:0"]);
    let times: Vec<f64> = text.lines().filter_map(|line| line.trim_matches(',').parse().ok()).collect();
    for pair in times.windows(2) {
        let step = pair[1] - pair[0];
        assert!(step > 0.0 && step < CLOSE, "{}: {pair:?}", file.display());
    }
}
