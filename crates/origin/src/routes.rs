//! URLs and headers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, HOST, IF_RANGE, RANGE,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use media::StreamId;
use output::Resource;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};

use crate::body::Pieces;
use crate::range::{Asked, asked};
use crate::{Domains, Origin};

/// MIME type of playlists: what is compressed and not kept by caches (packaging-rules H-03).
const PLAYLIST: &str = "application/vnd.apple.mpegurl";
/// How long caches keep a segment: longer than any window lists it (10 segments of 20 s and as long again), as its
/// name is never used for other bytes (packaging-rules H-10).
const IMMUTABLE: &str = "public, max-age=600, immutable";
/// Playlists are asked for again each time: a CDN that keeps one makes players late.
const CHANGING: &str = "no-cache";
/// How long browsers remember the answer to a CORS preflight; they cap it at 2 h and less.
const PREFLIGHT: Duration = Duration::from_secs(7200);

#[derive(Clone)]
struct Shared {
    origin: Arc<Origin>,
    domains: Domains,
}

/// What is asked for, as `kind` in metrics.
#[derive(Clone, Copy)]
enum Kind {
    Multivariant,
    Playlist,
    Segment,
    Other,
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Self::Multivariant => "multivariant",
            Self::Playlist => "playlist",
            Self::Segment => "segment",
            Self::Other => "other",
        }
    }
}

/// See [`Origin::router`].
pub(crate) fn router(origin: Arc<Origin>, domains: Domains) -> Router {
    let playlists_only =
        |_: StatusCode, _: http::Version, headers: &HeaderMap, _: &http::Extensions| -> bool {
            headers.get(CONTENT_TYPE).is_some_and(|kind| kind == PLAYLIST)
        };
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allow_headers(Any)
        .expose_headers([CONTENT_LENGTH, CONTENT_RANGE, ACCEPT_RANGES, DATE])
        .max_age(PREFLIGHT);
    Router::new()
        .route("/{app}/{file}", get(multivariant))
        .route("/{app}/{stream}/{name}", get(resource))
        .method_not_allowed_fallback(async || counted(Kind::Other, refusal(StatusCode::METHOD_NOT_ALLOWED)))
        .fallback(async || counted(Kind::Other, refusal(StatusCode::NOT_FOUND)))
        .layer(CompressionLayer::new().gzip(true).compress_when(playlists_only))
        .layer(cors)
        .with_state(Shared { origin, domains })
}

async fn multivariant(
    State(shared): State<Shared>,
    Path((app, file)): Path<(String, String)>,
    request: Request,
) -> Response {
    let stream = file.strip_suffix(".m3u8").and_then(|stream| shared.stream(&request, &app, stream));
    let window = stream.and_then(|stream| shared.origin.window(&stream));
    let resource = window.as_ref().and_then(|window| window.multivariant.as_ref());
    answer(Kind::Multivariant, resource, request.headers())
}

async fn resource(
    State(shared): State<Shared>,
    Path((app, stream, name)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let kind = if name.ends_with(".m3u8") { Kind::Playlist } else { Kind::Segment };
    let stream = shared.stream(&request, &app, &stream);
    let window = stream.as_ref().and_then(|stream| shared.origin.window(stream));
    let resource = window.as_ref().and_then(|window| window.get(&name));
    if let (Some(stream), Some(_), Kind::Playlist) = (&stream, &resource, kind) {
        shared.origin.viewers.note(stream, &request);
    }
    answer(kind, resource, request.headers())
}

impl Shared {
    fn stream(&self, request: &Request, app: &str, stream: &str) -> Option<StreamId> {
        let host = host(request.uri(), request.headers());
        let domain = (self.domains)(host.as_deref())?;
        StreamId::parse(&domain, app, stream).ok()
    }
}

/// The host that the request names, without port: `:authority` of HTTP/2, else the Host header.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let named = || headers.get(HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let authority = uri.authority().cloned().or_else(named)?;
    Some(authority.host().to_ascii_lowercase())
}

fn answer(kind: Kind, resource: Option<&Resource>, headers: &HeaderMap) -> Response {
    let response = match resource {
        Some(resource) => found(kind, resource, headers),
        None => refusal(StatusCode::NOT_FOUND),
    };
    counted(kind, response)
}

fn found(kind: Kind, resource: &Resource, headers: &HeaderMap) -> Response {
    let length: usize = resource.body.iter().map(|piece| piece.len()).sum();
    // There are no validators, so a conditional range cannot be known to fit (RFC 9110 §13.1.5).
    let range = headers.get(RANGE).filter(|_| resource.immutable && !headers.contains_key(IF_RANGE));
    let (status, range) = match range.and_then(|r| r.to_str().ok()).map_or(Asked::Whole, |r| asked(r, length))
    {
        Asked::Whole => (StatusCode::OK, 0..length),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Beyond => return beyond(length),
    };
    let sent = metrics::counter!("millrace_http_response_bytes_total", "kind" => kind.label());
    let mut response = Response::new(Body::new(Pieces::new(&resource.body, range.clone(), sent)));
    *response.status_mut() = status;
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(resource.content_type));
    out.insert(CONTENT_LENGTH, HeaderValue::from(range.len()));
    out.insert(
        CACHE_CONTROL,
        HeaderValue::from_static(if resource.immutable { IMMUTABLE } else { CHANGING }),
    );
    if resource.immutable {
        out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        content_range(out, &format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1)));
    }
    response
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

/// An error: no cache may keep it, as what is not there may be there in a moment (packaging-rules Q8).
fn refusal(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or("error");
    (status, [(CACHE_CONTROL, "no-store")], format!("{reason}\n")).into_response()
}

fn counted(kind: Kind, response: Response) -> Response {
    let status = response.status().as_str().to_owned();
    metrics::counter!("millrace_http_requests_total", "kind" => kind.label(), "status" => status)
        .increment(1);
    response
}
