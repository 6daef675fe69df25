//! A store that speaks S3: AWS, MinIO, Alibaba OSS, Huawei OBS, Tencent COS and their kind.
//!
//! Small objects go up in one PUT, larger files in parts: [`PART`] bytes each, read from the disk as the network
//! takes them, so that a put holds some hundred KiB whatever the object's size. The parts that a failed try for a new
//! object got through stay, and the next try goes on with them, after a restart too: it asks the service which parts it
//! has. Retries are the lane's; the SDK's are off.
//!
//! Only what AWS's own protocol needs is sent: no checksum trailers, no `aws-chunked`, because OSS and OBS refuse
//! them.

mod address;
mod body;
mod check;
mod client;
mod mark;
mod multipart;
mod progress;
mod resume;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use media::Wall;
use output::Object;
use tokio::time::Instant;

use crate::store::{Body, BoxFuture, ErrorKind, Headers, Mode, Store, StoreError};
pub use address::Style;
use progress::{Progress, unless_stalled};
pub use trouble::{Refusal, Trouble};

/// Longest that a connection may take to be there. Without it a host that drops packets holds a lane for minutes.
pub const CONNECT: Duration = Duration::from_secs(5);
/// Longest that a request may go without a byte sent or an answer. Without it a service that hangs holds its lane.
pub const STALL: Duration = Duration::from_secs(30);
/// Files up to this size go up in one PUT.
pub const SINGLE_MAX: u64 = 32 * MIB;
/// Bytes of a part of a larger one: 10,000 of them, the most there may be, are 160 GB. A larger file has larger parts.
pub const PART: u64 = 16 * MIB;

const MIB: u64 = 1024 * 1024;

/// How a store is reached.
#[derive(Clone)]
pub struct Settings {
    /// Name of the storage, for logs and metrics.
    pub name: String,
    /// The service: `https://oss-cn-shanghai.aliyuncs.com`, `http://127.0.0.1:9000`.
    pub url: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Whether the bucket is in the path of the URL or in the host; `None`: as [`Style::of`] chooses.
    pub path_style: Option<bool>,
    /// Public half of the access key.
    pub access_key_id: String,
    /// Private half.
    pub access_key_secret: String,
    /// The buckets that [`S3Store::check`] tries.
    pub buckets: Vec<String>,
    /// Whether the check makes those that are missing.
    pub create_buckets: bool,
    /// [`CONNECT`], unless a test is in a hurry.
    pub connect: Duration,
    /// [`STALL`], unless a test is in a hurry.
    pub stall: Duration,
    /// The time, which signatures contain.
    pub clock: fn() -> Wall,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, url, region, path_style, access_key_id, buckets, .. } = self;
        f.debug_struct("Settings")
            .field("name", name)
            .field("url", url)
            .field("region", region)
            .field("path_style", path_style)
            .field("access_key_id", access_key_id)
            .field("buckets", buckets)
            .finish_non_exhaustive()
    }
}

/// A bucket store behind the S3 protocol. Cheap to clone.
#[derive(Clone, Debug)]
pub struct S3Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    style: Style,
    client: Client,
    /// What HeadBucket last said of a bucket, and when. Held for a few instructions.
    known: Mutex<HashMap<String, (Instant, bool)>>,
    /// New objects that are being stored, as bucket and key: who else wants such a key gets another. Held for a few
    /// instructions.
    claimed: Mutex<HashSet<(String, String)>>,
    /// Uploads that a try left unfinished. Held for a few instructions.
    kept: Mutex<resume::Kept>,
}

impl S3Store {
    /// Readies the client; goes to no network.
    pub fn open(settings: Settings) -> Self {
        let style = match settings.path_style {
            Some(true) => Style::Path,
            Some(false) => Style::Host,
            None => Style::of(&settings.url),
        };
        let client = client::client(&settings, style);
        Self(Arc::new(Inner {
            settings,
            style,
            client,
            known: Mutex::default(),
            claimed: Mutex::default(),
            kept: Mutex::default(),
        }))
    }

    /// Name of the storage.
    pub fn name(&self) -> &str {
        &self.0.settings.name
    }
}

impl Store for S3Store {
    fn put<'a>(
        &'a self,
        to: &'a Object,
        body: &'a Body,
        headers: Headers<'a>,
        mode: Mode<'a>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let outcome = self.0.put(to, body, headers, mode).await;
            self.0.tell_of(&outcome);
            outcome
        })
    }

    fn delete<'a>(&'a self, what: &'a Object) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let outcome = self.0.delete(what).await;
            self.0.tell_of(&outcome);
            outcome
        })
    }
}

impl Inner {
    async fn put(
        &self,
        to: &Object,
        body: &Body,
        headers: Headers<'_>,
        mode: Mode<'_>,
    ) -> Result<u64, StoreError> {
        let unreadable = |error| StoreError::io("read object", error);
        let stretches = body::stretches(body).await.map_err(unreadable)?;
        let len = match body {
            Body::Memory(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            _ => stretches.iter().map(|stretch| stretch.len).sum(),
        };
        let _claim = match mode {
            Mode::Replace => None,
            Mode::New { mark } => {
                let claim = self.claim(to)?;
                if self.has(to, len, mark).await? {
                    self.forget(mark, &to.key);
                    return Ok(len);
                }
                Some(claim)
            }
        };
        let progress = Progress::default();
        let stream = match body {
            Body::Memory(pieces) => body::pieces(pieces, &progress).0,
            _ if len > SINGLE_MAX => {
                multipart::put(self, to, stretches, len, headers, mode).await?;
                return self.verified(to, len, mode).await;
            }
            _ => body::range(&stretches, 0, len, &progress),
        };
        self.put_whole(to, stream, len, headers, mode, &progress).await?;
        match mode {
            Mode::Replace => Ok(len),
            Mode::New { .. } => self.verified(to, len, mode).await,
        }
    }

    async fn put_whole(
        &self,
        to: &Object,
        stream: ByteStream,
        len: u64,
        headers: Headers<'_>,
        mode: Mode<'_>,
        progress: &Progress,
    ) -> Result<(), Trouble> {
        let bucket = to.bucket.name.as_ref();
        let request = self.client.put_object().bucket(bucket).key(&to.key).content_type(headers.content_type);
        let request = request.set_cache_control(headers.cache_control.map(str::to_owned));
        let request = request.set_metadata(mark::metadata(mode));
        let request = request.content_length(as_i64(len)).body(stream);
        let sent = unless_stalled(request.send(), progress, self.settings.stall).await?;
        sent.map(drop).map_err(|error| self.trouble(&error, bucket))
    }

    async fn delete(&self, what: &Object) -> Result<(), StoreError> {
        let bucket = what.bucket.name.as_ref();
        let request = self.client.delete_object().bucket(bucket).key(&what.key);
        match self.answer(request.send(), bucket).await {
            // S3 says 204 of what is not there (DeleteObject); some of its kind say this.
            Err(Trouble::Refused { refusal }) if refusal.code == "NoSuchKey" => Ok(()),
            outcome => Ok(outcome.map(drop)?),
        }
    }

    fn tell_of<T>(&self, outcome: &Result<T, StoreError>) {
        match outcome {
            Ok(_) => self.tell(true),
            Err(error) if error.kind == ErrorKind::Temporary => self.tell(false),
            // The fault of the object, not of the service.
            Err(_) => {}
        }
    }

    /// Whether the last call worked, as a metric.
    fn tell(&self, up: bool) {
        let storage = self.settings.name.clone();
        metrics::gauge!("millrace_delivery_storage_up", "storage" => storage).set(f64::from(up));
    }
}

/// A length in S3's words. None of ours comes near the difference.
fn as_i64(len: u64) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
