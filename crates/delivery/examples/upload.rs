//! Puts a file into a bucket of an S3 service, which is made if need be, and prints what it took as JSON: seconds, and
//! KiB of memory before and at most. `cargo xtask accept s3` runs it.
//!
//! `upload URL BUCKET KEY FILE`, with the access key in `MILLRACE_TEST_S3_KEY` and `MILLRACE_TEST_S3_SECRET`.

use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use delivery::{Body, Headers, Mode, S3Store, Store, s3};
use media::Wall;
use output::{Bucket, Object};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, bucket, key, file] = words.as_slice() else {
        eprintln!("upload URL BUCKET KEY FILE");
        return ExitCode::FAILURE;
    };
    match upload(url, bucket, key, file).await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("upload: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn upload(url: &str, bucket: &str, key: &str, file: &str) -> Result<String, String> {
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let store = S3Store::open(s3::Settings {
        name: "upload".to_owned(),
        url: url.to_owned(),
        region: "us-east-1".to_owned(),
        path_style: None,
        access_key_id: variable("MILLRACE_TEST_S3_KEY")?,
        access_key_secret: variable("MILLRACE_TEST_S3_SECRET")?,
        buckets: vec![bucket.to_owned()],
        create_buckets: true,
        connect: s3::CONNECT,
        stall: s3::STALL,
        clock: now,
    });
    if let Some(trouble) = store.check().await.into_iter().next() {
        return Err(trouble.to_string());
    }
    let bucket = Bucket { storage: "upload".into(), name: bucket.into() };
    let (to, body) = (Object { bucket, key: key.to_owned() }, Body::File(file.into()));
    let (before, begun) = (peak_kib(), Instant::now());
    store
        .put(&to, &body, Headers::of("application/octet-stream"), Mode::Replace)
        .await
        .map_err(|error| error.to_string())?;
    let figures = serde_json::json!({
        "seconds": begun.elapsed().as_secs_f64(),
        "before_kib": before,
        "peak_kib": peak_kib(),
    });
    Ok(figures.to_string())
}

#[expect(clippy::disallowed_methods, reason = "a program of its own; the server's clock is not at hand")]
fn now() -> Wall {
    Wall(0).plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Most memory the process has had, where the system says.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
