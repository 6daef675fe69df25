//! Faults that take minutes (`cargo xtask accept faults`), with the accounting of the gate's short ones.

use std::path::Path;
use std::time::{Duration, Instant};

use super::material::{AUDIO_RATE, Material, RATE};
use super::outage::templates;
use super::proxy::{Mode, Proxy};
use super::restart::{fixed_port, reconnecting};
use super::{DELAY, FORMATS, SLACK, Template, account, came_in, folder, only, recordings};
use crate::encoder::Push;
use crate::machine::{Server, wait_for};
use crate::s3::service::Service;

/// Seconds of the long push.
const LONG: u32 = 200;
/// The server is killed so often.
const EVERY: Duration = Duration::from_secs(10);
/// What may be lost before a kill, until an encoder that tries each second is back at a key frame, and how late this
/// test's own looks are: seconds.
const AT_RISK: f64 = 1.0;
const RETURN: f64 = 2.0;
const SLOW: f64 = 1.0;

/// Seconds of the source that may be missing because of one kill.
struct Kill {
    from: f64,
    to: f64,
}

#[test]
#[ignore = "cargo xtask accept faults"]
fn a_kill_each_ten_seconds_costs_what_came_while_it_was_down_and_the_second_before() {
    let sources = tempfile::tempdir().unwrap();
    let material = Material::encode(sources.path(), LONG, 31);
    let template = Template { delay_s: 60, ..Template::default() }.text();
    let rtmp = fixed_port();
    let environment = [("MILLRACE__RTMP__LISTEN", rtmp.as_str())];
    let mut server = Server::start_in(folder().0, &template, &environment);
    let bucket = server.bucket();
    let push = reconnecting(&material.file, &server.publish_url("live", "s"));
    super::wait_for_pictures(&server, &["s"], 2 * RATE);
    // The encoder sends in real time: from here on the clock says where it is.
    let (at, begun) = (came_in(&server, "s").0 as f64 / RATE as f64, Instant::now());
    let position = |moment: Instant| at + moment.duration_since(begun).as_secs_f64();
    let mut kills = Vec::new();
    let mut next = begun + EVERY;
    while position(next) + EVERY.as_secs_f64() < f64::from(LONG) {
        super::wait_until(next);
        let from = position(Instant::now()) - AT_RISK - SLOW;
        server = Server::start_in(server.kill(), &template, &environment);
        kills.push(Kill { from, to: position(Instant::now()) + RETURN + SLOW });
        next += EVERY;
    }
    push.succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &FORMATS, "s", 1);
    for format in FORMATS {
        let files = recordings(&bucket, format, "live", "s");
        assert_eq!(files.len(), 1, "{format}: {files:?}");
        let found = material.find(&account(format, &files), format);
        let lost = check(&found.holes(), RATE as f64, &kills, &format!("pictures of {format}"));
        check(&found.silences(), AUDIO_RATE, &kills, &format!("sounds of {format}"));
        println!("| {format} | {} | {} | {lost:.2} |", kills.len(), LONG);
    }
}

/// Every hole is where a kill may have made it; seconds that are missing in all.
#[track_caller]
fn check(holes: &[std::ops::Range<usize>], rate: f64, kills: &[Kill], what: &str) -> f64 {
    for hole in holes {
        let (from, to) = (hole.start as f64 / rate, hole.end as f64 / rate);
        let made = kills.iter().any(|kill| from >= kill.from && to <= kill.to);
        assert!(made, "{what}: {from:.2} to {to:.2} s is missing, and nobody killed the server then");
    }
    holes.iter().map(|hole| hole.len() as f64 / rate).sum()
}

#[test]
#[ignore = "cargo xtask accept faults"]
fn a_store_that_is_gone_for_a_minute_costs_nothing() {
    let service = Service::in_process(0);
    let proxy = Proxy::start(&service.url, Mode::Well);
    let sources = tempfile::tempdir().unwrap();
    let material = Material::encode(sources.path(), 100, 32);
    let server = Server::start(&templates(&proxy.url, &Template { cycle_s: 20, ..Template::default() }));
    let push = Push::start(&material.file, &server.publish_url("live", "s"));
    let modes = [
        (8, Mode::Resets),
        (14, Mode::Slow),
        (22, Mode::Refuses),
        (82, Mode::Hangs),
        (88, Mode::Fails),
        (94, Mode::Well),
    ];
    for (second, mode) in modes {
        super::wait_for_seconds(&server, "s", second);
        proxy.set(mode);
    }
    push.succeed();
    server.close_recordings("live", "s");
    wait_for("five files in each format", || {
        let keys = service.keys("");
        let of = |format: &str| {
            let prefix = format!("{format}/live/s/");
            let names = keys.iter().filter_map(|key| key.strip_prefix(prefix.as_str()));
            names
                .filter(|name| {
                    !name.starts_with("slice_") && !name.contains("_video.") && !name.contains("_audio.")
                })
                .filter(|name| !name.ends_with(".mpd"))
                .count()
        };
        FORMATS.iter().all(|format| of(format) == 5).then_some(())
    });
    let objects = service.download();
    for format in FORMATS {
        let files = recordings(objects.path(), format, "live", "s");
        material.sent.assert_same(&account(format, &files), format);
    }
}

/// Nobody restarts the server before DelayTime is over: the file closes as it starts, and what comes is another.
#[test]
#[ignore = "cargo xtask accept faults"]
fn a_restart_after_delay_time_closes_what_was_open() {
    let (data, bucket) = folder();
    let sources = tempfile::tempdir().unwrap();
    let (before, after) = (Material::encode(sources.path(), 12, 33), Material::encode(sources.path(), 5, 34));
    let template = Template::default().text();
    let server = Server::start_in(data, &template, &[]);
    let push = Push::start(&before.file, &server.publish_url("live", "s"));
    super::wait_for_pictures(&server, &["s"], 8 * RATE);
    let came = came_in(&server, "s").0;
    let data = server.kill();
    drop(push);
    super::wait_until(Instant::now() + Duration::from_secs(DELAY) + SLACK);
    let started = Instant::now();
    let server = Server::start_in(data, &template, &[]);
    super::wait_for_recordings(&server, &FORMATS, "s", 1);
    assert!(started.elapsed() < SLACK, "{:?}", started.elapsed());
    let first: Vec<_> = FORMATS.iter().map(|format| only(&server, format, "s")).collect();
    for (format, file) in FORMATS.iter().zip(&first) {
        let found = before.find(&account(format, std::slice::from_ref(file)), format).video;
        assert_eq!(found, (0..found.len()).collect::<Vec<_>>(), "{format}");
        assert!(found.len() + RATE >= came, "{format}: {} of {came}", found.len());
    }
    Push::start(&after.file, &server.publish_url("live", "s")).succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &FORMATS, "s", 2);
    for (format, file) in FORMATS.iter().zip(&first) {
        let mut files = recordings(&bucket, format, "live", "s");
        files.retain(|other| other != file);
        after.find(&account(format, &files), format).assert_whole(format);
    }
}

/// Where Debian's package puts it, of whatever architecture.
fn faketime() -> std::path::PathBuf {
    let libraries = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
    let mut named = libraries.map(|folder| folder.join("faketime/libfaketime.so.1"));
    named.find(|path| path.is_file()).expect("libfaketime: apt-get install faketime")
}

/// Wall time goes back an hour in the middle of a recording; what is monotonic goes on.
#[test]
#[ignore = "cargo xtask accept faults"]
fn a_clock_that_steps_back_an_hour_costs_nothing() {
    let sources = tempfile::tempdir().unwrap();
    let material = Material::encode(sources.path(), 20, 35);
    let clock = sources.path().join("clock");
    set(&clock, "+0");
    let library = faketime();
    let environment = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_CACHE_DURATION", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let server =
        Server::start_in(folder().0, &Template { cycle_s: 12, ..Template::default() }.text(), &environment);
    let push = Push::start(&material.file, &server.publish_url("live", "s"));
    super::wait_for_pictures(&server, &["s"], 8 * RATE);
    set(&clock, "-3600");
    push.succeed();
    let ended = Instant::now();
    // Calls are not signed for that hour: DelayTime closes it.
    super::wait_for_recordings(&server, &FORMATS, "s", 2);
    let waited = ended.elapsed();
    assert!(waited < Duration::from_secs(DELAY) + SLACK, "closed {waited:?} after the end");
    for format in FORMATS {
        let files = recordings(&server.bucket(), format, "live", "s");
        material.sent.assert_same(&account(format, &files), format);
    }
}

fn set(clock: &Path, to: &str) {
    let next = clock.with_extension("next");
    std::fs::write(&next, format!("{to}\n")).unwrap();
    std::fs::rename(next, clock).unwrap();
}
