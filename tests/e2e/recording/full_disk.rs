//! A spool that is full: recordings lose frames, loudly, and nothing else does.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::material::{Found, Material, RATE};
use super::outage::templates;
use super::proxy::{Mode, Proxy};
use super::receiver::Receiver;
use super::{FORMATS, Template, account, came_in, folder, list, metric, only, recordings};
use crate::encoder::Push;
use crate::machine::{Server, wait_for};
use crate::s3::service::Service;

/// Live lists beside the recordings.
const LIVE: &str = r#"
[[package]]
domain_name = "live.local"
app_name = "*"
stream_name = "*"
protocol = "HLS_CMAF"
segment_num = 3
segment_duration = 1
"#;

/// A store that is away fills the budget; when it is back, there is room.
#[test]
fn a_spool_over_its_budget_costs_recordings_frames_while_live_goes_on() {
    let service = Service::in_process(0);
    let proxy = Proxy::start(&service.url, Mode::Refuses);
    let sources = tempfile::tempdir().unwrap();
    let source = Material::encode(sources.path(), 26, 13);
    let (data, bucket) = folder();
    let receiver = Receiver::willing(bucket);
    // About six of the 26 s.
    let budget = std::fs::metadata(&source.file).unwrap().len() / 4;
    let template = templates(&proxy.url, &Template { formats: &["m3u8"], ..Template::default() });
    let limits = format!("[limits]\nspool_bytes = {budget}\n");
    let config = format!("{limits}{template}{LIVE}{}", receiver.template(""));
    let server = Server::start_in(data, &config, &[]);
    let recorded = Push::start(&source.file, &server.publish_url("live", "s"));
    let live = Push::start(&source.file, &server.publish_url("other", "s"));
    let full = |server: &Server| metric(server, "millrace_delivery_spool_level") >= 2.0;
    wait_for("the spool to be full", || full(&server).then_some(()));
    let blocked = came_in(&server, "s").0;
    assert_live_goes_on(&server, &["live", "other"]);
    super::wait_for_pictures(&server, &["s"], blocked + 2 * RATE);
    proxy.set(Mode::Well);
    wait_for("room in the spool", || (!full(&server)).then_some(()));
    let room = came_in(&server, "s").0;
    recorded.succeed();
    live.succeed();
    server.close_recordings("live", "s");
    wait_for("the recording", || {
        let named = |key: &String| key.ends_with(".m3u8");
        service.keys("m3u8/").iter().any(named).then_some(())
    });
    let objects = service.download();
    let files = recordings(objects.path(), "m3u8", "live", "s");
    let found = source.find(&account("m3u8", &files), "m3u8");
    assert_one_hole(&found, blocked, room, "m3u8");
    assert_eq!(list::read(&files[0]).discontinuities(), 1, "the gap is marked");
    assert_loud(&server, &receiver, "s");
}

/// Players of these apps get new segments.
#[track_caller]
fn assert_live_goes_on(server: &Server, apps: &[&str]) {
    for app in apps {
        let last = || {
            let (status, list) = server.get(&format!("/{app}/s/video.m3u8"));
            let text = String::from_utf8(list).unwrap();
            (status == 200).then(|| text.lines().rfind(|line| !line.starts_with('#')).unwrap().to_owned())
        };
        let now = wait_for("a live list", last);
        wait_for("a new segment", || last().filter(|segment| *segment != now));
    }
}

/// Frames are missing from when there was no room to the next key frame when there was.
#[track_caller]
fn assert_one_hole(found: &Found, blocked: usize, room: usize, what: &str) {
    let holes = found.holes();
    let [hole] = &holes[..] else { panic!("{what}: one hole expected from {blocked} to {room}: {holes:?}") };
    assert!(
        hole.start <= blocked + RATE && hole.start + 3 * RATE >= blocked,
        "{what}: {hole:?}, full at {blocked}"
    );
    assert!(hole.end.is_multiple_of(RATE) && hole.end <= room + 3 * RATE, "{what}: {hole:?}, room at {room}");
}

/// The operator hears of it everywhere.
#[track_caller]
fn assert_loud(server: &Server, receiver: &Receiver, stream: &str) {
    wait_for("record_error", || receiver.events(stream).contains(&"record_error".to_owned()).then_some(()));
    assert!(!super::loud(server).is_empty());
    assert!(metric(server, "millrace_warnings_total") >= 1.0, "counted");
}

/// Runs what follows in a mount namespace of its own, with a small disk at the first argument.
const SMALL_DISK: &str = r#"mkdir -p "$0" && mount -t tmpfs -o size=48m tmpfs "$0" && exec "$@""#;

/// Whether that is allowed here.
fn may_mount() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let script = SMALL_DISK.replace("exec", "exec true");
    let mut try_it = Command::new("unshare");
    try_it.args(["-m", "sh", "-c", &script]).arg(folder.path().join("disk")).arg("x");
    try_it.output().is_ok_and(|output| output.status.success())
}

/// The spool's own file system, full to the last byte.
#[test]
fn a_disk_that_is_full_costs_recordings_frames_while_live_goes_on() {
    if !may_mount() {
        println!("nobody may mount a disk here: the budget's story stands alone");
        return;
    }
    let sources = tempfile::tempdir().unwrap();
    let source = Material::encode(sources.path(), 18, 14);
    let (data, bucket) = folder();
    let spool = data.path().join("data/spool");
    let receiver = Receiver::willing(bucket.clone());
    let limits = "[limits]\nspool_free_bytes = 0\n";
    let config = format!("{limits}{}{LIVE}{}", Template::default().text(), receiver.template(""));
    let wrap = ["unshare", "-m", "sh", "-c", SMALL_DISK, spool.to_str().unwrap()];
    let mut server = Server::start_under(&wrap, data, &config, &[]);
    let push = Push::start(&source.file, &server.publish_url("live", "s"));
    super::wait_for_pictures(&server, &["s"], 4 * RATE);
    let filler = PathBuf::from(format!("/proc/{}/root{}/filler", server.pid(), spool.display()));
    fill(&filler);
    let full = came_in(&server, "s").0;
    assert_live_goes_on(&server, &["live"]);
    super::wait_for_pictures(&server, &["s"], full + 3 * RATE);
    std::fs::remove_file(&filler).unwrap();
    let room = came_in(&server, "s").0;
    push.succeed();
    assert!(server.alive());
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &FORMATS, "s", 1);
    for format in FORMATS {
        let found = source.find(&account(format, &[only(&server, format, "s")]), format);
        let holes = found.holes();
        assert!(!holes.is_empty(), "{format}: the disk was full");
        for hole in &holes {
            let inside = hole.start + 2 * RATE >= full && hole.end <= room + 4 * RATE;
            assert!(inside, "{format}: {holes:?} though it was full from {full} to {room}");
        }
    }
    assert_loud(&server, &receiver, "s");
}

/// Leaves not a byte.
fn fill(file: &Path) {
    let mut file = std::fs::File::create(file).unwrap();
    for size in [1 << 20, 64 << 10, 4 << 10, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
