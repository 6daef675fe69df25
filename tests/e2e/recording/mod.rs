//! What is recorded is whole: in every format, over interruptions, over our own death, whatever the store, the disk and
//! the receiver of callbacks do.
//!
//! Material is pushed by FFmpeg to the real binary and found again, frame by frame, in the objects of the store, read by
//! FFmpeg.

mod callbacks;
mod deletion;
mod faults;
mod formats;
mod full_disk;
mod gates;
mod interruption;
mod list;
mod material;
mod matrix;
mod open_gop;
mod outage;
mod proxy;
mod receiver;
mod restart;
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::machine::{Server, files, get, wait_for};
use crate::{machine, rpc};

/// Every format.
pub const FORMATS: [&str; 4] = ["m3u8", "cmaf", "flv", "mp4"];
/// The shortest DelayTime there is, in seconds.
pub const DELAY: u64 = 15;
/// Until what is there is told of, read, closed and stored.
pub const SLACK: Duration = Duration::from_secs(8);

/// Records app `app` of the default domain into `{format}/{app}/{stream}/…` of `oss-local`, slices of 5 s.
pub struct Template<'a> {
    pub app: &'a str,
    pub formats: &'a [&'a str],
    pub cycle_s: u32,
    pub delay_s: u64,
    /// Further keys of `[[record]]`.
    pub more: &'a str,
}

impl Default for Template<'_> {
    fn default() -> Self {
        Self { app: "live", formats: &FORMATS, cycle_s: 3600, delay_s: DELAY, more: "" }
    }
}

impl Template<'_> {
    pub fn text(&self) -> String {
        let Self { app, delay_s, more, .. } = self;
        let mut text = format!(
            "[[record]]\ndomain_name = \"live.local\"\napp_name = \"{app}\"\noss_endpoint = \"oss-local\"\n\
             oss_bucket = \"live-bucket\"\ndelay_time = {delay_s}\n{more}\n"
        );
        for format in self.formats {
            let prefix = format!("{format}/{{AppName}}/{{StreamName}}");
            text.push_str(&format!(
                "[[record.record_format]]\nformat = \"{format}\"\ncycle_duration = {}\n\
                 oss_object_prefix = \"{prefix}/{{Sequence}}_{{EscapedStartTime}}_{{EscapedEndTime}}\"\n",
                self.cycle_s
            ));
            if is_sliced(format) {
                text.push_str(&format!(
                    "slice_duration = 5\nslice_oss_object_prefix = \"{prefix}/slice_{{UnixTimestamp}}_{{Sequence}}\"\n"
                ));
            }
        }
        text
    }
}

pub fn is_sliced(format: &str) -> bool {
    matches!(format, "m3u8" | "cmaf")
}

/// The recordings of a stream in one format, in order: of a sliced one their playlists.
pub fn recordings(bucket: &Path, format: &str, app: &str, stream: &str) -> Vec<PathBuf> {
    let suffix = if is_sliced(format) { ".m3u8" } else { &format!(".{format}") };
    let mut found = files(&bucket.join(format!("{format}/{app}/{stream}")), suffix);
    found.retain(|path| {
        let name = path.to_string_lossy();
        !name.ends_with("_video.m3u8") && !name.ends_with("_audio.m3u8")
    });
    found.sort_by_key(|path| number(path));
    found
}

/// `{Sequence}` of a recording's name.
fn number(path: &Path) -> u32 {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    name.split('_').next().unwrap().parse().unwrap()
}

/// The one recording of a stream in a format.
#[track_caller]
pub fn only(server: &Server, format: &str, stream: &str) -> PathBuf {
    match &recordings(&server.bucket(), format, "live", stream)[..] {
        [one] => one.clone(),
        many => panic!("one {format} of {stream} expected, found {many:?}: {:#?}", server.log()),
    }
}

/// Waits until a stream has that many recordings in each format, and says which.
#[track_caller]
pub fn wait_for_recordings(server: &Server, formats: &[&str], stream: &str, count: usize) {
    wait_for(&format!("{count} recordings of {stream}"), || {
        let has = |format: &&str| recordings(&server.bucket(), format, "live", stream).len() >= count;
        formats.iter().all(has).then_some(())
    });
}

/// What recordings hold, whether or not they are playlists. Slices are read one by one: what joins them is for players.
#[track_caller]
pub fn account(format: &str, recordings: &[PathBuf]) -> Account {
    match format {
        "m3u8" => {
            let slices: Vec<PathBuf> =
                recordings.iter().flat_map(|path| list::read(path).segments()).collect();
            Account::of_all(&slices)
        }
        "cmaf" => {
            let folder = tempfile::tempdir().unwrap();
            let mut all = Account::default();
            for recording in recordings {
                for (at, track) in list::renditions(recording).iter().enumerate() {
                    let joined = list::read(track).join(&folder.path().join(format!("{at}")));
                    let Account { slices, aac } = Account::of_all(&joined);
                    all.slices.extend(slices);
                    all.aac.extend(aac);
                }
            }
            all
        }
        _ => Account::of_all(recordings),
    }
}

/// A figure of ffprobe's about a file.
#[track_caller]
pub fn probe(file: &Path, entry: &str, more: &[&str]) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", entry, "-of", "csv=p=0"])
        .args(more)
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", file.display());
    String::from_utf8(output.stdout).unwrap()
}

/// How long a file says that it is, in seconds.
#[track_caller]
pub fn duration(file: &Path) -> f64 {
    let text = probe(file, "format=duration", &[]);
    text.trim().parse().unwrap_or_else(|_| panic!("duration of {}: {text:?}", file.display()))
}

/// How many pictures and how many sounds of a stream came in since its session began.
pub fn came_in(server: &Server, stream: &str) -> (usize, usize) {
    let told = server.api_stream(stream);
    let of = |kind: &str| {
        let mut tracks = told["tracks"].as_array().into_iter().flatten();
        let track = tracks.find(|track| track["kind"] == kind);
        track.and_then(|track| track["frames"].as_u64()).unwrap_or(0) as usize
    };
    (of("video"), of("audio"))
}

/// Waits until that many pictures of each stream came in.
#[track_caller]
pub fn wait_for_pictures(server: &Server, streams: &[&str], count: usize) {
    for stream in streams {
        wait_for(&format!("{count} pictures of {stream}"), || {
            (came_in(server, stream).0 >= count).then_some(())
        });
    }
}

/// Waits until a stream is that long: longer than what is waited for elsewhere.
#[track_caller]
pub fn wait_for_seconds(server: &Server, stream: &str, seconds: usize) {
    while came_in(server, stream).0 < seconds * material::RATE {
        let before = came_in(server, stream).0;
        wait_for("another second", || (came_in(server, stream).0 >= before + material::RATE).then_some(()));
    }
}

/// Gives an order; how it was answered.
pub fn order(server: &Server, stream: &str, command: &str) -> rpc::Answer {
    let stream = [("DomainName", "live.local"), ("AppName", "live"), ("StreamName", stream)];
    let params: Vec<_> = stream.into_iter().chain([("Command", command)]).collect();
    rpc::call(server.api, "RealTimeRecordCommand", &params)
}

/// Rows of the index for a stream's files, oldest first.
#[track_caller]
pub fn index(server: &Server, stream: &str) -> Vec<serde_json::Value> {
    let now = rpc::now();
    let params = [
        ("DomainName", "live.local"),
        ("AppName", "live"),
        ("StreamName", stream),
        ("StartTime", &rpc::utc(now - 3600)),
        ("EndTime", &rpc::utc(now + 60)),
        ("PageSize", "30"),
    ];
    let body = rpc::call(server.api, "DescribeLiveStreamRecordIndexFiles", &params).done();
    body["RecordIndexInfoList"]["RecordIndexInfo"].as_array().unwrap().clone()
}

/// What each object of a bucket holds, by its path.
pub fn contents(bucket: &Path) -> BTreeMap<PathBuf, testkit::Digest> {
    let read = |path: PathBuf| std::fs::read(&path).map(|bytes| (path.clone(), testkit::digest(&bytes)));
    // A replaced object may be gone for a moment.
    files(bucket, "").into_iter().filter_map(|path| read(path).ok()).collect()
}

/// Checks that no object of `before` has changed or gone.
#[track_caller]
pub fn assert_untouched(before: &BTreeMap<PathBuf, testkit::Digest>, bucket: &Path) {
    let now = contents(bucket);
    for (path, digest) in before {
        assert_eq!(now.get(path), Some(digest), "{} was written over", path.display());
    }
}

/// A figure of `/metrics` without labels, or the sum over all labels.
pub fn metric(server: &Server, name: &str) -> f64 {
    let text = String::from_utf8(get(server.api, "/metrics", "").1).unwrap();
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let named = rest.starts_with(' ') || rest.starts_with('{');
        named.then(|| line.rsplit(' ').next()?.parse::<f64>().ok()).flatten()
    };
    text.lines().filter_map(value).sum()
}

/// Lines of the log that an operator must look at.
pub fn loud(server: &Server) -> Vec<String> {
    let mut log = server.log();
    log.retain(|line| line.contains(r#""WARN""#) || line.contains(r#""ERROR""#));
    log
}

/// Waits until a moment that is not an event: DelayTime is over, a window begins.
pub fn wait_until(moment: Instant) {
    while Instant::now() < moment {
        machine::pause();
    }
}

/// A folder for a server, and its bucket: for receivers that look into it.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let bucket = folder.path().join("objects/live-bucket");
    (folder, bucket)
}
