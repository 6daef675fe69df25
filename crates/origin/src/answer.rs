//! Status, headers and body of answers.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use output::Resource;

use crate::body::Pieces;
use crate::growing;
use crate::published::{Published, etag};
use crate::range::{Asked, asked};
use crate::waiting::{Refused, Windows};

/// How long caches keep a segment: longer than any window lists it (10 segments of 20 s and as long again), as its
/// name is never used for other bytes (packaging-rules H-10).
const IMMUTABLE: &str = "public, max-age=600, immutable";
/// What still grows must not be kept in pieces.
const GROWING: &str = "no-store";

/// What is asked for, as `kind` in metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Multivariant,
    Playlist,
    Mpd,
    Segment,
    Other,
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Self::Multivariant => "multivariant",
            Self::Playlist => "playlist",
            Self::Mpd => "mpd",
            Self::Segment => "segment",
            Self::Other => "other",
        }
    }
}

/// A playlist or MPD, compressed for who takes that. Caches keep it for `seconds`; 0: they ask again each time.
pub(crate) fn text(
    kind: Kind,
    published: &Published,
    resource: &Resource,
    seconds: u64,
    headers: &HeaderMap,
) -> Response {
    let tag = etag(resource);
    if headers.get_all(IF_NONE_MATCH).iter().any(|value| value.as_bytes() == tag.as_bytes()) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        describe(response.headers_mut(), &tag, seconds);
        return counted(kind, response);
    }
    let zipped = takes_gzip(headers).then(|| published.gzip(resource)).filter(|zipped| !zipped.is_empty());
    let is_zipped = zipped.is_some();
    let body = match zipped {
        Some(zipped) => vec![zipped],
        None => resource.body.to_vec(),
    };
    let length: usize = body.iter().map(|piece| piece.len()).sum();
    let mut response = Response::new(Body::new(Pieces::new(&body, 0..length, sent(kind))));
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(resource.content_type));
    out.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if is_zipped {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    describe(out, &tag, seconds);
    counted(kind, response)
}

fn describe(out: &mut HeaderMap, tag: &str, seconds: u64) {
    let cache = match seconds {
        0 => "no-cache".to_owned(),
        seconds => format!("public, max-age={seconds}"),
    };
    for (name, value) in [(CACHE_CONTROL, cache.as_str()), (ETAG, tag), (VARY, "accept-encoding")] {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    }
}

/// Whether a client says that it reads gzip (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        matches!(name.trim(), "gzip" | "x-gzip" | "*") && !refused
    })
}

/// Something that never changes, or a range of it.
pub(crate) fn immutable(resource: &Resource, headers: &HeaderMap) -> Response {
    let length: usize = resource.body.iter().map(|piece| piece.len()).sum();
    // There are no validators, so a conditional range cannot be known to fit (RFC 9110 §13.1.5).
    let range = headers.get(RANGE).filter(|_| !headers.contains_key(IF_RANGE));
    let asked = range.and_then(|r| r.to_str().ok()).map_or(Asked::Whole, |r| asked(r, length));
    let (status, range) = match asked {
        Asked::Whole => (StatusCode::OK, 0..length),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Beyond => return counted(Kind::Segment, beyond(length)),
    };
    let pieces = Pieces::new(&resource.body, range.clone(), sent(Kind::Segment));
    let mut response = Response::new(Body::new(pieces));
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(resource.content_type));
    out.insert(CONTENT_LENGTH, HeaderValue::from(range.len()));
    out.insert(CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
    out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if status == StatusCode::PARTIAL_CONTENT {
        content_range(out, &format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1)));
    }
    counted(Kind::Segment, response)
}

/// A segment that still grows. A range of it is not known yet, so the whole is the answer.
pub(crate) fn growing(windows: Windows, name: String, content_type: &'static str) -> Response {
    let mut response = Response::new(growing::body(windows, name, sent(Kind::Segment)));
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(CACHE_CONTROL, HeaderValue::from_static(GROWING));
    counted(Kind::Segment, response)
}

fn beyond(length: usize) -> Response {
    let mut response = refusal(StatusCode::RANGE_NOT_SATISFIABLE);
    content_range(response.headers_mut(), &format!("bytes */{length}"));
    response
}

fn content_range(headers: &mut HeaderMap, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(CONTENT_RANGE, value);
    }
}

/// Why there is no other answer.
pub(crate) fn refused(kind: Kind, refused: Refused) -> Response {
    let response = match refused {
        Refused::Bad(why) => explained(StatusCode::BAD_REQUEST, &why.to_string()),
        Refused::NotFound => refusal(StatusCode::NOT_FOUND),
        Refused::TooLate => explained(StatusCode::SERVICE_UNAVAILABLE, "it did not come in time"),
    };
    counted(kind, response)
}

/// An error: no cache may keep it, as what is not there may be there in a moment (packaging-rules Q8).
pub(crate) fn refusal(status: StatusCode) -> Response {
    explained(status, status.canonical_reason().unwrap_or("error"))
}

fn explained(status: StatusCode, reason: &str) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], format!("{reason}\n")).into_response()
}

/// The same, counted.
pub(crate) fn counted(kind: Kind, response: Response) -> Response {
    let status = response.status().as_str().to_owned();
    metrics::counter!("millrace_http_requests_total", "kind" => kind.label(), "status" => status)
        .increment(1);
    response
}

fn sent(kind: Kind) -> metrics::Counter {
    metrics::counter!("millrace_http_response_bytes_total", "kind" => kind.label())
}
