//! `/objects/{bucket}/{key}`: what an `fs` storage holds, for whoever has an access key; and the URLs of objects.

pub(crate) mod cors;
mod range;
mod version;

use std::io::{self, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path as Names, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use delivery::LocalStore;
use output::{Bucket, Object};
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::basic::Caller;
use crate::{Api, Problem};
use range::{Wanted, wanted};
use version::{Verdict, Version};

/// Bytes that are read from a file at a time.
const PIECE: u64 = 64 << 10;

/// A storage, as far as the URLs of its objects go.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    /// `name` of the `[[storage]]`.
    pub name: String,
    /// The buckets that exist; `None`: the service knows.
    pub buckets: Option<Vec<String>>,
    /// What URLs of its objects begin with, before bucket and key.
    pub public_url: Option<String>,
    /// Its folder, if it is one.
    pub folder: Option<LocalStore>,
}

/// All storages, in the order of the config.
#[derive(Clone, Debug, Default)]
pub struct Objects(pub Vec<Storage>);

/// How a caller reaches the control port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) secure: bool,
    /// The Host that it asked.
    pub(crate) host: String,
}

impl Storage {
    fn has(&self, bucket: &str) -> bool {
        self.buckets.as_ref().is_none_or(|buckets| buckets.iter().any(|name| name == bucket))
    }
}

impl Objects {
    /// Where an object can be fetched: under `public_url`, or from us. `None`: at a service that has none.
    pub(crate) fn url(&self, object: &Object, home: &Home) -> Option<String> {
        let storage = self.0.iter().find(|storage| *storage.name == *object.bucket.storage)?;
        let path = path(object);
        if let Some(url) = &storage.public_url {
            return Some(format!("{}/{path}", url.trim_end_matches('/')));
        }
        storage.folder.as_ref()?;
        let scheme = if home.secure { "https" } else { "http" };
        let others = self.0.iter().filter(|other| other.has(&object.bucket.name)).count() > 1;
        // Two storages can have a bucket of one name.
        let which = if others { format!("?storage={}", component(&storage.name)) } else { String::new() };
        Some(format!("{scheme}://{}/objects/{path}{which}", home.host))
    }

    /// The storages that a URL can mean, folders first.
    fn of<'a>(&'a self, bucket: &'a str, storage: Option<&'a str>) -> impl Iterator<Item = &'a Storage> {
        let fits = move |one: &&Storage| one.has(bucket) && storage.is_none_or(|name| one.name == name);
        let folders = self.0.iter().filter(|one| one.folder.is_some());
        folders.chain(self.0.iter().filter(|one| one.folder.is_none())).filter(fits)
    }
}

fn path(object: &Object) -> String {
    let names = std::iter::once(&*object.bucket.name).chain(object.key.split('/'));
    names.map(component).collect::<Vec<_>>().join("/")
}

/// A path component as a URL has it.
fn component(text: &str) -> String {
    manifest::uri::relative("", text)
}

#[derive(Deserialize)]
pub(crate) struct Which {
    storage: Option<String>,
}

/// GET and HEAD.
pub(crate) async fn get(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    names: Result<Names<(String, String)>, PathRejection>,
    which: Result<Query<Which>, QueryRejection>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Names((bucket, key)) = names.map_err(|_| Problem::NO_OBJECT)?;
    let resource = format!("acs:oss:*:{}:{bucket}/{key}", api.settings.account_id);
    caller.may(&api, "millrace:GetObject", resource)?;
    let wanted = which.ok().and_then(|Query(which)| which.storage);
    let mut elsewhere = None;
    for storage in api.objects.of(&bucket, wanted.as_deref()) {
        let names = Bucket { storage: storage.name.as_str().into(), name: bucket.as_str().into() };
        let object = Object { bucket: names, key: key.clone() };
        let Some(folder) = &storage.folder else {
            elsewhere.get_or_insert(storage.public_url.as_deref().map(|url| (url, object)));
            continue;
        };
        let Ok(place) = folder.locate(&object) else { continue };
        match serve(&place, &key, &method, &headers).await {
            Ok(response) => return Ok(response),
            Err(error) if is_absent(&error) => {}
            Err(error) => {
                tracing::error!(bucket, key, %error, "object could not be read");
                return Err(Problem::UNREADABLE);
            }
        }
    }
    match elsewhere {
        Some(Some((url, object))) => redirect(&format!("{}/{}", url.trim_end_matches('/'), path(&object))),
        Some(None) => Err(Problem::NO_PUBLIC_URL),
        None => Err(Problem::NO_OBJECT),
    }
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind as Io;
    matches!(error.kind(), Io::NotFound | Io::NotADirectory | Io::IsADirectory)
}

fn redirect(url: &str) -> Result<Response, Problem> {
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    let url = HeaderValue::from_str(url).map_err(|_| Problem::NO_PUBLIC_URL)?;
    response.headers_mut().insert(header::LOCATION, url);
    Ok(response)
}

async fn serve(place: &Path, key: &str, method: &Method, headers: &HeaderMap) -> io::Result<Response> {
    let mut file = File::open(place).await?;
    let metadata = file.metadata().await?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let length = metadata.len();
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let version = Version::new(length, modified.unwrap_or_default().as_micros());
    // Of a HEAD the whole is meant (RFC 9110 §14.2).
    let range = headers.get(header::RANGE).filter(|_| method == Method::GET && version.has_range(headers));
    let range = range.and_then(|range| range.to_str().ok());
    let wanted = range.map_or(Wanted::All, |range| wanted(range, length));
    let verdict = version.check(headers);
    let (status, from, count) = match (verdict, wanted) {
        (Verdict::NotModified, _) => (StatusCode::NOT_MODIFIED, 0, 0),
        (Verdict::Failed, _) => (StatusCode::PRECONDITION_FAILED, 0, 0),
        (Verdict::Send, Wanted::All) => (StatusCode::OK, 0, length),
        (Verdict::Send, Wanted::Part(from, count)) => (StatusCode::PARTIAL_CONTENT, from, count),
        (Verdict::Send, Wanted::Beyond) => (StatusCode::RANGE_NOT_SATISFIABLE, 0, 0),
    };
    let mut response = status.into_response();
    let mut put = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::ETAG, &version.tag);
    put(header::LAST_MODIFIED, &version.date());
    put(header::ACCEPT_RANGES, "bytes");
    // Keys in a URL are no secret, what is behind them is.
    put(header::CACHE_CONTROL, "private, no-cache");
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        put(header::CONTENT_RANGE, &format!("bytes */{length}"));
    }
    if !matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        return Ok(response);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let last = from.saturating_add(count).saturating_sub(1);
        put(header::CONTENT_RANGE, &format!("bytes {from}-{last}/{length}"));
    }
    put(header::CONTENT_TYPE, content_type(key));
    put(header::CONTENT_LENGTH, &count.to_string());
    if method != Method::HEAD {
        file.seek(SeekFrom::Start(from)).await?;
        *response.body_mut() = body(file, count);
    }
    Ok(response)
}

/// The next `count` bytes of a file, read as they are taken.
fn body(file: File, count: u64) -> Body {
    let pieces = futures_util::stream::try_unfold((file, count), async |(mut file, left)| {
        if left == 0 {
            return Ok::<_, io::Error>(None);
        }
        let size = left.min(PIECE);
        let mut piece = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let read = (&mut file).take(size).read_to_end(&mut piece).await?;
        match read {
            // It became shorter: a cut answer must not look whole.
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                let read = u64::try_from(read).unwrap_or(u64::MAX);
                Ok(Some((Bytes::from(piece), (file, left.saturating_sub(read)))))
            }
        }
    });
    Body::from_stream(pieces)
}

fn content_type(key: &str) -> &'static str {
    let name = key.rsplit('/').next().unwrap_or_default();
    let (_, extension) = name.rsplit_once('.').unwrap_or_default();
    match extension {
        "m3u8" => "application/vnd.apple.mpegurl",
        "mpd" => "application/dash+xml",
        "ts" => "video/mp2t",
        "mp4" => "video/mp4",
        "m4s" => "video/iso.segment",
        "flv" => "video/x-flv",
        "jpg" | "jpeg" => "image/jpeg",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(name: &str, bucket: Option<&str>, public: Option<&str>, folder: Option<&Path>) -> Storage {
        Storage {
            name: name.to_owned(),
            buckets: bucket.map(|bucket| vec![bucket.to_owned()]),
            public_url: public.map(str::to_owned),
            folder: folder.map(|folder| LocalStore::open(folder, Vec::new(), false).unwrap()),
        }
    }

    #[test]
    fn an_object_has_a_url() {
        let folders =
            [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [a, b, c] = &folders;
        let objects = Objects(vec![
            storage("a", Some("one"), None, Some(a.path())),
            storage("b", Some("two"), None, Some(b.path())),
            storage("b2", Some("two"), None, Some(c.path())),
            storage("cdn", Some("three"), Some("https://cdn/x/"), None),
            storage("far", Some("four"), None, None),
        ]);
        let home = Home { secure: false, host: "h:8090".to_owned() };
        let url = |storage: &str, bucket: &str| {
            let bucket = Bucket { storage: storage.into(), name: bucket.into() };
            objects.url(&Object { bucket, key: "a b/15:04?.ts".to_owned() }, &home)
        };
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(url("a", "one"), at("http://h:8090/objects/one/a%20b/15%3A04%3F.ts"));
        assert_eq!(url("b", "two"), at("http://h:8090/objects/two/a%20b/15%3A04%3F.ts?storage=b"));
        assert_eq!(url("cdn", "three"), at("https://cdn/x/three/a%20b/15%3A04%3F.ts"));
        assert_eq!(url("far", "four"), None);
        assert_eq!(url("nowhere", "four"), None);
    }
}
