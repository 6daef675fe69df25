//! Status, headers and body of answers.

use axum::body::Body;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use output::Resource;

use crate::body::Pieces;
use crate::meter::{Kind, counted, sent};
use crate::published::Published;
use crate::range::{Asked, asked};
use crate::waiting::{Refused, Windows};
use crate::{growing, headers};

/// What still grows must not be kept in pieces.
const GROWING: HeaderValue = HeaderValue::from_static("no-store");

/// In what form a text is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    zipped: bool,
    /// What the client has already.
    known: Vec<HeaderValue>,
}

impl Wanted {
    /// What a request's `headers` say of it.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let known = headers.get_all(IF_NONE_MATCH).iter().cloned().collect();
        Self { zipped: takes_gzip(headers), known }
    }
}

/// A playlist or MPD, compressed for who takes that. Caches keep it for `seconds`; 0: they ask again each time.
pub(crate) fn text(
    kind: Kind,
    published: &Published,
    resource: &Resource,
    seconds: u64,
    wanted: &Wanted,
) -> Response<Body> {
    let text = published.text(resource, wanted.zipped, seconds);
    let tag = text.headers.get(ETAG);
    let is_known = wanted.known.iter().any(|known| Some(known) == tag);
    let mut response = match is_known {
        true => Response::new(Body::empty()),
        false => Response::new(Body::from(text.body.clone())),
    };
    *response.headers_mut() = text.headers.clone();
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        let of_content = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING];
        of_content.iter().for_each(|name| drop(response.headers_mut().remove(name)));
    } else {
        sent(kind).increment(text.body.len() as u64);
    }
    counted(kind, response)
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
pub(crate) fn immutable(resource: &Resource, headers: &HeaderMap) -> Response<Body> {
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
    headers::immutable(out, resource.content_type, range.len());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
        headers::set(out, CONTENT_RANGE, &range);
    }
    counted(Kind::Segment, response)
}

/// A segment that still grows. A range of it is not known yet, so the whole is the answer.
pub(crate) fn growing(windows: Windows, name: String, content_type: &'static str) -> Response<Body> {
    let mut response = Response::new(growing::body(windows, name, sent(Kind::Segment)));
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(CACHE_CONTROL, GROWING);
    counted(Kind::Segment, response)
}

fn beyond(length: usize) -> Response<Body> {
    let mut response = refusal(StatusCode::RANGE_NOT_SATISFIABLE);
    headers::set(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{length}"));
    response
}

/// Why there is no other answer.
pub(crate) fn refused(kind: Kind, refused: Refused) -> Response<Body> {
    let response = match refused {
        Refused::Bad(why) => explained(StatusCode::BAD_REQUEST, &why.to_string()),
        Refused::NotFound => refusal(StatusCode::NOT_FOUND),
        Refused::TooLate => explained(StatusCode::SERVICE_UNAVAILABLE, "it did not come in time"),
    };
    counted(kind, response)
}

/// An error: no cache may keep it, as what is not there may be there in a moment (packaging-rules Q8).
pub(crate) fn refusal(status: StatusCode) -> Response<Body> {
    explained(status, status.canonical_reason().unwrap_or("error"))
}

fn explained(status: StatusCode, reason: &str) -> Response<Body> {
    let mut response = plain(format!("{reason}\n"));
    *response.status_mut() = status;
    response
}

/// A short text that no cache may keep.
pub(crate) fn plain(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
