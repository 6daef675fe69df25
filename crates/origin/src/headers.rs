//! Header fields that many answers share.

use http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// How long caches keep a segment: longer than any window lists it (10 segments of 20 s and as long again), as its
/// name is never used for other bytes (packaging-rules H-10).
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=600, immutable");
/// What we answer to.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// How long browsers remember the answer to a CORS preflight in seconds; they cap it at 2 h and less.
const PREFLIGHT: HeaderValue = HeaderValue::from_static("7200");
const ANY: HeaderValue = HeaderValue::from_static("*");
/// What scripts may see of an answer beside its content type.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("content-length, content-range, accept-ranges, date, age, etag");

/// Header fields of a playlist or MPD, which caches keep for `seconds`; 0: they ask again each time.
pub(crate) fn text(
    content_type: &'static str,
    length: usize,
    is_zipped: bool,
    tag: &str,
    seconds: u64,
) -> HeaderMap {
    let cache = match seconds {
        0 => "no-cache".to_owned(),
        seconds => format!("public, max-age={seconds}"),
    };
    let mut out = HeaderMap::with_capacity(16);
    out.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if is_zipped {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    set(&mut out, CACHE_CONTROL, &cache);
    set(&mut out, ETAG, tag);
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    open(&mut out);
    out
}

/// Header fields of something of `length` bytes that never changes.
pub(crate) fn immutable(out: &mut HeaderMap, content_type: &'static str, length: usize) {
    out.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(CONTENT_LENGTH, HeaderValue::from(length));
    out.insert(CACHE_CONTROL, IMMUTABLE);
    out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
}

/// Sets a field whose value is ASCII.
pub(crate) fn set(out: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        out.insert(name, value);
    }
}

/// Lets the pages of every site read the answer.
pub(crate) fn open(out: &mut HeaderMap) {
    out.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    out.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// What a browser is told that asks whether it may ask (Fetch §3.2.2).
pub(crate) fn preflight(out: &mut HeaderMap) {
    out.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    out.insert(ACCESS_CONTROL_ALLOW_HEADERS, ANY);
    out.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT);
    allow(out);
}

/// Says which methods there are.
pub(crate) fn allow(out: &mut HeaderMap) {
    out.insert(ALLOW, METHODS);
}
