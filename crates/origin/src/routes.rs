//! URLs.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use chrono::{DateTime, SecondsFormat};
use http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HOST,
};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri};
use media::StreamId;
use output::{Playlist, Resource};
use tower_http::cors::{Any, CorsLayer};

use crate::answer::{self, Kind};
use crate::reload::{Directives, Skip};
use crate::waiting::{self, Refused, Windows};
use crate::{Clock, Domains, Origin};

/// How long browsers remember the answer to a CORS preflight; they cap it at 2 h and less.
const PREFLIGHT: Duration = Duration::from_secs(7200);

#[derive(Clone)]
struct Shared {
    origin: Arc<Origin>,
    domains: Domains,
    clock: Clock,
}

/// See [`Origin::router`].
pub(crate) fn router(origin: Arc<Origin>, domains: Domains, clock: Clock) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allow_headers(Any)
        .expose_headers([CONTENT_LENGTH, CONTENT_RANGE, ACCEPT_RANGES, DATE, AGE, ETAG])
        .max_age(PREFLIGHT);
    let other = |status| async move { answer::counted(Kind::Other, answer::refusal(status)) };
    Router::new()
        .route("/time", get(time))
        .route("/{app}/{file}", get(presentation))
        .route("/{app}/{stream}/{name}", get(part_of_stream))
        .method_not_allowed_fallback(move || other(StatusCode::METHOD_NOT_ALLOWED))
        .fallback(move || other(StatusCode::NOT_FOUND))
        .layer(cors)
        .with_state(Shared { origin, domains, clock })
}

/// The clock that MPDs refer players to (packaging-rules D-23: `urn:mpeg:dash:utc:http-iso:2014`).
async fn time(State(shared): State<Shared>) -> Response {
    let now = DateTime::from_timestamp_micros((shared.clock)().0).unwrap_or_default();
    let text = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    let response = ([(CONTENT_TYPE, "text/plain"), (CACHE_CONTROL, "no-store")], text).into_response();
    answer::counted(Kind::Other, response)
}

/// `/{app}/{stream}.m3u8` and `.mpd`.
async fn presentation(
    State(shared): State<Shared>,
    Path((app, file)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (stream, kind) = match file.rsplit_once('.') {
        Some((stream, "m3u8")) => (stream, Kind::Multivariant),
        Some((stream, "mpd")) => (stream, Kind::Mpd),
        _ => return answer::refused(Kind::Other, Refused::NotFound),
    };
    let windows = shared.stream(&request, &app, stream).and_then(|stream| shared.origin.windows(&stream));
    let Some(windows) = windows else { return answer::refused(kind, Refused::NotFound) };
    let published = windows.borrow().clone();
    let window = &published.window;
    let (resource, seconds) = match kind {
        // An MPD says itself when to ask again.
        Kind::Mpd => (&window.mpd, 0),
        _ => (&window.multivariant, window.target_duration_s),
    };
    match resource {
        Some(resource) => answer::text(kind, &published, resource, seconds, request.headers()),
        None => answer::refused(kind, Refused::NotFound),
    }
}

/// `/{app}/{stream}/{name}`.
async fn part_of_stream(
    State(shared): State<Shared>,
    Path((app, stream, name)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let stream = shared.stream(&request, &app, &stream);
    let is_playlist = name.ends_with(".m3u8");
    let kind = if is_playlist { Kind::Playlist } else { Kind::Segment };
    let windows = stream.as_ref().and_then(|stream| shared.origin.windows(stream));
    let (Some(stream), Some(windows)) = (stream, windows) else {
        return answer::refused(kind, Refused::NotFound);
    };
    // The request's body is nothing to hold over a wait.
    let (query, headers) = (request.uri().query().unwrap_or_default().to_owned(), request.headers().clone());
    if is_playlist && windows.borrow().window.playlist(&name).is_some() {
        shared.origin.viewers.note(&stream, &request);
    }
    drop(request);
    let answered = match is_playlist {
        true => playlist(windows, &name, &query, &headers).await,
        false => resource(windows, name, &headers).await,
    };
    answered.unwrap_or_else(|refused| answer::refused(kind, refused))
}

async fn playlist(
    mut windows: Windows,
    name: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, Refused> {
    let ended = windows.borrow().window.ended;
    // A list that has ended is answered at once, whatever is asked of it (packaging-rules L-16).
    let directives =
        if ended { Directives::default() } else { Directives::read(query).map_err(Refused::Bad)? };
    let published = waiting::playlist(&mut windows, name, directives.until).await?;
    let window = &published.window;
    let playlist = window.playlist(name).ok_or(Refused::NotFound)?;
    let seconds = match (directives.until, playlist.edge) {
        (Some(_), Some(_)) => window.target_duration_s.saturating_mul(6),
        _ => window.target_duration_s / 2,
    };
    Ok(answer::text(Kind::Playlist, &published, form(playlist, directives.skip), seconds, headers))
}

/// The whole list, or what a player asked for that has most of it.
fn form(playlist: &Playlist, skip: Option<Skip>) -> &Resource {
    match (&playlist.delta, skip) {
        (Some(delta), Some(Skip::Yes)) => &delta.yes,
        (Some(delta), Some(Skip::V2)) => &delta.v2,
        _ => &playlist.full,
    }
}

async fn resource(mut windows: Windows, name: String, headers: &HeaderMap) -> Result<Response, Refused> {
    let published = waiting::resource(&mut windows, &name).await?;
    if let Some(resource) = published.window.get(&name) {
        return Ok(answer::immutable(resource, headers));
    }
    let growing = published.window.growing(&name).ok_or(Refused::NotFound)?;
    Ok(answer::growing(windows, name, growing.content_type))
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
