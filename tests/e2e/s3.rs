//! The same stories with an S3 service in place of a folder: one in this process (`s3s-fs`), or the one that
//! `MILLRACE_TEST_S3_URL` names.

pub mod service;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use delivery::{S3Store, s3};
use media::Wall;

use crate::account::Account;
use crate::encoder::{Push, Source};
use crate::machine::{self, EVERYTHING, Server, wait_for};
use crate::picture;
use service::Service;

/// Templates that store everything in the service.
fn everything() -> String {
    EVERYTHING.replace("oss-local", "service").replace("live-bucket", service::BUCKET)
}

/// A server whose storage `service` is as `storage` says.
fn start(storage: &str) -> Server {
    Server::start(&format!("{storage}{}", everything()))
}

/// Waits for the reason why the storage cannot be used.
fn reason(server: &Server) -> String {
    wait_for("what is wrong with the storage", || {
        let log = server.log();
        let line = log.iter().find(|line| line.contains("storage cannot be used"))?;
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((line["level"].as_str(), line["storage"].as_str()), (Some("ERROR"), Some("service")));
        Some(line["reason"].as_str().unwrap().to_owned())
    })
}

fn well(server: &Server) -> bool {
    server.log().iter().any(|line| line.contains("storage is well"))
}

#[track_caller]
fn only(folder: &Path, suffix: &str) -> PathBuf {
    match &machine::files(folder, suffix)[..] {
        [one] => one.clone(),
        many => panic!("one {suffix} expected in {}, found {many:?}", folder.display()),
    }
}

#[test]
fn what_is_pushed_is_whole_in_the_service() {
    let service = Service::start();
    let sources = tempfile::tempdir().unwrap();
    let file = Source { seconds: 12, ..Source::default() }.encode(sources.path());
    let mut server = start(&service.storage());
    Push::start(&file, &server.publish_url("live", "s")).succeed();
    server.close_recordings("live", "s");
    assert!(server.terminate().success());
    let objects = service.download();
    let (sent, recordings) = (Account::of(&file), objects.path().join("record/live/s"));
    sent.assert_in(&only(&recordings, ".m3u8"));
    sent.assert_in(&only(&recordings, ".flv"));
    let pictures = machine::files(&objects.path().join("snapshot/live/s"), ".jpg");
    let mut numbers: Vec<u32> = pictures.iter().map(|path| picture::read(path).number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 125, 250]);
    assert!(!objects.path().join(".millrace-check").exists());
    let log = server.log();
    let loud: Vec<_> = log.iter().filter(|l| l.contains(r#""WARN""#) || l.contains(r#""ERROR""#)).collect();
    assert!(loud.is_empty(), "{loud:#?}");
    assert!(well(&server));
}

#[test]
fn objects_have_their_type_and_may_be_replaced() {
    let service = Service::start();
    let sources = tempfile::tempdir().unwrap();
    let file = Source { seconds: 7, ..Source::default() }.encode(sources.path());
    let mut server = start(&service.storage());
    Push::start(&file, &server.publish_url("over", "s")).succeed();
    server.close_recordings("over", "s");
    assert!(server.terminate().success());
    assert_eq!(service.content_type("over/s.jpg"), "image/jpeg");
    let objects = service.download();
    assert_eq!(picture::read(&objects.path().join("over/s.jpg")).number, 125, "the newest picture");
    let slice = only_key(&objects, "record/over/s", ".ts");
    assert_eq!(service.content_type(&slice), "video/mp2t");
}

/// The key of the first object of that kind.
fn only_key(objects: &tempfile::TempDir, folder: &str, suffix: &str) -> String {
    let first = machine::files(&objects.path().join(folder), suffix).swap_remove(0);
    first.strip_prefix(objects.path()).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_store_that_is_away_stops_nobody_and_gets_all_when_it_is_back() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sources = tempfile::tempdir().unwrap();
    let file = Source { seconds: 4, ..Source::default() }.encode(sources.path());
    let mut server =
        start(&service::storage(&format!("http://127.0.0.1:{port}"), service::ID, service::SECRET, true));
    let reason = reason(&server);
    assert!(reason.contains("cannot be reached: Connection refused"), "{reason}");
    assert_eq!(machine::get(server.api, "/healthz", "").0, 200);
    let up = |server: &Server, value: &str| {
        let metrics = String::from_utf8(machine::get(server.api, "/metrics", "").1).unwrap();
        metrics.contains(&format!("millrace_delivery_storage_up{{storage=\"service\"}} {value}\n"))
    };
    assert!(up(&server, "0"));
    Push::start(&file, &server.publish_url("live", "s")).succeed();
    let service = Service::in_process(port);
    wait_for("the storage to be well", || well(&server).then_some(()));
    wait_for("the metric", || up(&server, "1").then_some(()));
    wait_for("the snapshot", || (!service.keys("snapshot/").is_empty()).then_some(()));
    server.close_recordings("live", "s");
    assert!(server.terminate().success());
    Account::of(&file).assert_in(&only(&service.download().path().join("record/live/s"), ".flv"));
}

#[test]
fn each_mistake_in_the_config_is_told_for_what_it_is() {
    let service = Service::start();
    let told = |id: &str, secret: &str| reason(&start(&service::storage(&service.url, id, secret, true)));
    let said = told("nobody", service::SECRET);
    assert!(said.starts_with("the service knows no access key \"nobody\" (403 "), "{said}");
    let said = told(&service.id, "wrong-secret");
    let expected = format!("the secret of access key {:?} is wrong (403 SignatureDoesNotMatch", service.id);
    assert!(said.starts_with(&expected), "{said}");
    // The one in this process makes a bucket of whatever it is given.
    let url = if service.is_named() { service.url.clone() } else { refusing(404, "NoSuchBucket") };
    let said = reason(&start(&service::storage(&url, &service.id, &service.secret, false)));
    let expected = format!("there is no bucket {:?} (404 NoSuchBucket", service::BUCKET);
    assert!(said.starts_with(&expected), "{said}");
}

/// The config names no buckets: the service is asked, as Huawei's POST shows.
#[test]
fn a_template_may_name_the_buckets_that_the_service_has() {
    let service = Service::start();
    let storage = service.storage();
    let buckets = format!("buckets = [\"{}\"]\n", service::BUCKET);
    let server = Server::start(&storage.replace(&buckets, ""));
    let (status, answer) = add_snapshot(&server, "millrace-nowhere");
    assert!(status == 400 && answer.contains("has no bucket"), "{status} {answer}");
    service.make_bucket();
    assert_eq!(add_snapshot(&server, service::BUCKET).0, 201);
    let away = storage.replace(&buckets, "").replace(&service.url, "http://127.0.0.1:1");
    assert_eq!(add_snapshot(&Server::start(&away), service::BUCKET).0, 500, "nobody knows");
}

/// Declares a snapshot template that stores in a bucket of the service.
fn add_snapshot(server: &Server, bucket: &str) -> (u16, String) {
    let body = serde_json::json!({
        "domain": "live.local", "app_name": "live", "time_interval": 5, "object_write_mode": 0,
        "call_back_enable": "off",
        "obs_location": { "bucket": bucket, "location": "service", "object": "" },
    });
    post(server, "/v1/default/stream/snapshot", &body.to_string())
}

/// POST to the API with the key's token; status and body.
fn post(server: &Server, path: &str, body: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(server.api).unwrap();
    socket.set_read_timeout(Some(machine::PATIENCE)).unwrap();
    let head = "Host: api\r\nConnection: close\r\nX-Auth-Token: test-token\r\nContent-Type: application/json";
    write!(socket, "POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    (answer.split_whitespace().nth(1).unwrap().parse().unwrap(), answer)
}

#[test]
fn path_style_that_is_refused_is_told_for_what_it_is() {
    let url = refusing(403, "SecondLevelDomainForbidden");
    let said = reason(&start(&service::storage(&url, service::ID, service::SECRET, true)));
    assert!(
        said.starts_with("the service takes no path-style requests: set path_style = false (403 "),
        "{said}"
    );
}

#[test]
fn a_wrong_clock_is_told_with_the_difference() {
    let service = Service::start();
    let settings = s3::Settings {
        name: "service".to_owned(),
        url: service.url.clone(),
        region: "us-east-1".to_owned(),
        path_style: Some(true),
        access_key_id: service.id.clone(),
        access_key_secret: service.secret.clone(),
        buckets: vec![service::BUCKET.to_owned()],
        create_buckets: true,
        connect: s3::CONNECT,
        stall: s3::STALL,
        clock: in_an_hour,
    };
    let troubles = service.runtime.block_on(S3Store::open(settings).check());
    let [s3::Trouble::ClockSkew { ahead_s: Some(ahead), .. }] = troubles.as_slice() else {
        panic!("{troubles:?}")
    };
    assert!((3_590..=3_610).contains(ahead), "{ahead} s, an hour is right");
}

#[expect(clippy::disallowed_methods, reason = "the server's own clock is not at hand")]
fn in_an_hour() -> Wall {
    Wall(0).plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3_600))
}

#[test]
fn no_log_shows_the_secret() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{}\n", service.secret)).unwrap();
    let file = format!("access_key_secret_file = {:?}", secret.display().to_string());
    let given = format!("access_key_secret = {:?}", service.secret);
    let storage = service.storage();
    assert!(storage.contains(&given));
    for storage in [storage.replace(&given, &file), storage] {
        let everything = [("MILLRACE__LOG__LEVEL", "trace")];
        let mut server = Server::start_in(tempfile::tempdir().unwrap(), &storage, &everything);
        wait_for("the storage to be well", || well(&server).then_some(()));
        assert!(server.terminate().success());
        let log = server.log();
        assert!(log.iter().any(|line| line.contains("aws_")), "the SDK's own lines are among them");
        assert!(!log.iter().any(|line| line.contains(&service.secret)));
    }
}

/// URL of a service that answers everything with an error; it ends with the process.
fn refusing(status: u16, code: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    let len = body.len();
    let answer = format!("HTTP/1.1 {status} no\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{body}");
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            // The head of a small request comes at once; who asked may be gone.
            let _ = socket.read(&mut [0; 16 * 1024]);
            let _ = socket.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}
