//! The store against a service that does what the story says.

mod mock;
mod repairs;
mod uploads;

use std::time::Duration;

use media::Wall;
use output::{Bucket, Object};

use super::*;
use mock::Mock;

/// 2026-11-20 13:20:00 UTC.
const NOW: Wall = Wall(1_795_180_800_000_000);

fn settings(url: &str) -> Settings {
    Settings {
        name: "minio".to_owned(),
        url: url.to_owned(),
        region: "us-east-1".to_owned(),
        path_style: None,
        access_key_id: "AKIA".to_owned(),
        access_key_secret: "hunter2".to_owned(),
        buckets: vec!["live".to_owned()],
        create_buckets: false,
        connect: CONNECT,
        stall: Duration::from_millis(500),
        clock: || NOW,
    }
}

fn store(mock: &Mock) -> S3Store {
    S3Store::open(settings(&mock.url()))
}

fn object(key: &str) -> Object {
    Object { bucket: Bucket { storage: "minio".into(), name: "live".into() }, key: key.to_owned() }
}

#[test]
fn the_secret_is_not_shown() {
    let shown = format!("{:?}", S3Store::open(settings("http://127.0.0.1:1")));
    assert!(shown.contains("AKIA") && !shown.contains("hunter2"), "{shown}");
}
