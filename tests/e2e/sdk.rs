//! The clouds' own SDKs, unmodified, against the real binary: the stories are Python, in `tests/sdk`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::encoder::{Push, Source};
use crate::machine::{EVERYTHING, Server, binary, wait_for};

/// A domain of the file with a template, which no API may change.
const FILE: &str = r#"
[[domain]]
name = "file.example.com"
[[snapshot]]
domain_name = "file.example.com"
app_name = "app"
time_interval = 5
oss_endpoint = "oss-local"
oss_bucket = "live-bucket"
overwrite_oss_object = "{AppName}/{StreamName}.jpg"
"#;

/// What the stories call more often than the clouds allow.
const NO_THROTTLE: (&str, &str) = ("MILLRACE__API__THROTTLE", "false");

fn server() -> Server {
    Server::start_in(tempfile::tempdir().unwrap(), FILE, &[NO_THROTTLE])
}

/// The virtual environment that `cargo xtask sdk` makes.
pub fn environment() -> PathBuf {
    Path::new(&binary()).parent().and_then(Path::parent).unwrap().join("sdk/venv")
}

/// A program of it.
fn program(name: &str) -> PathBuf {
    let path = environment().join("bin").join(name);
    assert!(path.exists(), "{} is missing: run `cargo xtask sdk` once", path.display());
    path
}

/// Runs a command; its words are shown when it fails.
#[track_caller]
fn run(command: &mut Command) {
    let done = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{}{}", words(&done.stdout), words(&done.stderr));
}

/// Runs the stories of these modules, for `modern` or `classic`.
#[track_caller]
fn tell(server: &Server, sdk: &str, modules: &[&str], environment: &[(&str, &Path)]) {
    let mut python = Command::new(program("python"));
    python.args(["-m", "unittest", "--verbose"]).args(modules);
    python.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/sdk"));
    python
        .env("MILLRACE_SDK", sdk)
        .env("MILLRACE_API", server.api.to_string())
        .env("MILLRACE_RTMP", server.rtmp.to_string())
        .env("MILLRACE_HTTP", server.http.to_string())
        .env("MILLRACE_KEY_ID", "LTAItest")
        .env("MILLRACE_KEY_SECRET", "test-secret")
        .env("MILLRACE_PROJECT", "default")
        .env("MILLRACE_TOKEN", "test-token")
        .env("MILLRACE_BINARY", binary())
        .env("MILLRACE_CONFIG", server.config())
        .env("MILLRACE_BUCKET", server.bucket())
        .envs(environment.iter().copied());
    if let Some(address) = server.api_tls {
        python.env("MILLRACE_API_TLS", address.to_string());
    }
    run(&mut python);
}

#[test]
fn snapshot_and_record_configs_obey_the_seeds_through_the_new_sdk() {
    tell(&server(), "modern", &["snapshot", "record"], &[]);
}

#[test]
fn package_configs_domains_and_streams_obey_the_seeds_through_the_new_sdk() {
    let server = server();
    tell(&server, "modern", &["package", "domain"], &[]);
    let log = server.log();
    let calls: Vec<_> = log.iter().filter(|line| line.contains("Alibaba call")).collect();
    let changes: Vec<_> = log.iter().filter(|line| line.contains("config changed")).collect();
    let told = |line: &String| line.contains(r#""request_id":""#) && line.contains(r#""key_id":"LTAItest""#);
    assert!(calls.len() > 100 && changes.len() > 10 && changes.len() < calls.len());
    assert!(
        calls.into_iter().chain(changes).all(told),
        "every call and every change names who asked, and the request"
    );
}

#[test]
fn every_operation_obeys_the_seeds_through_the_old_sdk() {
    tell(&server(), "classic", &["snapshot", "record", "package", "domain"], &[]);
}

#[test]
fn questions_about_recordings_are_answered_through_both_sdks() {
    for sdk in ["modern", "classic"] {
        tell(&server(), sdk, &["archive.Asked"], &[]);
    }
}

#[test]
fn a_recording_is_found_cut_played_and_deleted_through_both_sdks() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source { seconds: 12, ..Source::default() }.encode(folder.path());
    for sdk in ["modern", "classic"] {
        tell(&server(), sdk, &["archive.Recorded"], &[("MILLRACE_SOURCE", &source)]);
    }
}

#[test]
fn snapshot_templates_obey_the_seeds_through_huaweis_sdk() {
    tell(&server(), "modern", &["huaweicloud"], &[]);
}

#[test]
fn only_who_may_is_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(folder.path());
    let environment = [
        NO_THROTTLE,
        ("MILLRACE__CALLBACKS__DENY_PRIVATE", "true"),
        ("MILLRACE__TLS__CERT", cert.to_str().unwrap()),
        ("MILLRACE__TLS__KEY", key.to_str().unwrap()),
        ("MILLRACE__API__TLS_LISTEN", "127.0.0.1:0"),
        ("MILLRACE__HTTP__TLS_LISTEN", "127.0.0.1:0"),
    ];
    let server = Server::start_in(folder, FILE, &environment);
    tell(&server, "modern", &["access"], &[("MILLRACE_CA", &cert)]);
}

/// A certificate for the loopback that nobody but its holder trusts.
fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (cert, key)
}

#[test]
fn rates_are_those_of_the_seeds() {
    tell(&Server::start(FILE), "modern", &["throttle"], &[]);
}

#[test]
fn a_stream_is_declared_pushed_changed_and_forbidden_through_the_sdk_alone() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source { seconds: 12, ..Source::default() }.encode(folder.path());
    tell(&server(), "modern", &["story"], &[("MILLRACE_SOURCE", &source)]);
}

/// Every request that schemathesis makes up is answered as `/api/openapi.json` says, while a stream is live.
#[test]
fn the_openapi_document_tells_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source { seconds: 30, ..Source::default() }.encode(folder.path());
    let server = Server::start(EVERYTHING);
    let _push = Push::start(&source, &server.publish_url("live", "s"));
    wait_for("the stream to be live", || {
        server.log().iter().any(|line| line.contains("publish begins")).then_some(())
    });
    let document = format!("http://{}/api/openapi.json", server.api);
    run(Command::new(program("schemathesis"))
        .args(["run", &document, "--auth", "LTAItest:test-secret"])
        .args(["--checks", "all", "--max-examples", "25", "--seed", "1"])
        .args(["--generation-database", "none", "--no-color"])
        .current_dir(folder.path()));
}
