//! URLs.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use chrono::{DateTime, SecondsFormat};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HOST};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use media::StreamId;
use output::{Playlist, Resource};
use percent_encoding::percent_decode_str;

use crate::answer::{self, Wanted};
use crate::meter::{Kind, counted};
use crate::reload::{Directives, Skip};
use crate::waiting::{self, Refused, Windows};
use crate::{Clock, Domains, Origin, headers};

/// Answers `/{app}/{stream}.m3u8`, `/{app}/{stream}.mpd`, `/{app}/{stream}/{name}` and `/time` to GET, HEAD and
/// OPTIONS, with CORS for everybody and gzip for texts. Everything else is 404 and `no-store`.
///
/// A function and no stack of layers: what stands between a waiting player and its answer is paid by each of
/// thousands at the same moment.
#[derive(Clone)]
pub struct Site(Arc<Shared>);

struct Shared {
    origin: Arc<Origin>,
    domains: Domains,
    clock: Clock,
}

impl Site {
    pub(crate) fn new(origin: Arc<Origin>, domains: Domains, clock: Clock) -> Self {
        Self(Arc::new(Shared { origin, domains, clock }))
    }

    /// The answer to `request`, which came from `peer`. It may take three target durations; the request's body is
    /// not read.
    pub async fn answer<B>(&self, request: Request<B>, peer: IpAddr) -> Response<Body> {
        let (head, _) = request.into_parts();
        let is_head = head.method == Method::HEAD;
        let mut response = match head.method {
            Method::GET | Method::HEAD => self.get(head, peer).await,
            Method::OPTIONS => preflight(),
            _ => not_allowed(),
        };
        if is_head {
            *response.body_mut() = Body::empty();
        }
        if !response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            headers::open(response.headers_mut());
        }
        response
    }

    async fn get(&self, head: Parts, peer: IpAddr) -> Response<Body> {
        let names = head.uri.path().strip_prefix('/').unwrap_or_default().splitn(4, '/');
        let names: Option<Vec<Cow<'_, str>>> =
            names.map(|name| percent_decode_str(name).decode_utf8().ok()).collect();
        match names.as_deref() {
            Some([name]) if name == "time" => self.time(),
            Some([app, file]) => self.presentation(app, file, &head),
            Some([app, stream, name]) => {
                let (stream, name) = (self.stream(&head, app, stream), name.to_string());
                drop(names);
                self.part_of_stream(stream, name, head, peer).await
            }
            _ => answer::refused(Kind::Other, Refused::NotFound),
        }
    }

    /// The clock that MPDs refer players to (packaging-rules D-23: `urn:mpeg:dash:utc:http-iso:2014`).
    fn time(&self) -> Response<Body> {
        let now = DateTime::from_timestamp_micros((self.0.clock)().0).unwrap_or_default();
        counted(Kind::Other, answer::plain(now.to_rfc3339_opts(SecondsFormat::Millis, true)))
    }

    /// `/{app}/{stream}.m3u8` and `.mpd`.
    fn presentation(&self, app: &str, file: &str, head: &Parts) -> Response<Body> {
        let (stream, kind) = match file.rsplit_once('.') {
            Some((stream, "m3u8")) => (stream, Kind::Multivariant),
            Some((stream, "mpd")) => (stream, Kind::Mpd),
            _ => return answer::refused(Kind::Other, Refused::NotFound),
        };
        let windows = self.stream(head, app, stream).and_then(|stream| self.0.origin.windows(&stream));
        let Some(windows) = windows else { return answer::refused(kind, Refused::NotFound) };
        let published = windows.borrow().clone();
        let window = &published.window;
        let (resource, seconds) = match kind {
            // An MPD says itself when to ask again.
            Kind::Mpd => (&window.mpd, 0),
            _ => (&window.multivariant, window.target_duration_s),
        };
        match resource {
            Some(text) => answer::text(kind, &published, text, seconds, &Wanted::read(&head.headers)),
            None => answer::refused(kind, Refused::NotFound),
        }
    }

    /// `/{app}/{stream}/{name}`.
    async fn part_of_stream(
        &self,
        stream: Option<StreamId>,
        name: String,
        head: Parts,
        peer: IpAddr,
    ) -> Response<Body> {
        let is_playlist = name.ends_with(".m3u8");
        let kind = if is_playlist { Kind::Playlist } else { Kind::Segment };
        let windows = stream.as_ref().and_then(|stream| match is_playlist {
            true => self.0.origin.windows_of(stream, &name),
            false => self.0.origin.windows(stream),
        });
        let (Some(stream), Some(windows)) = (stream, windows) else {
            return answer::refused(kind, Refused::NotFound);
        };
        let answered = match is_playlist {
            true => {
                self.0.origin.viewers.note(&stream, peer, &head.headers);
                let query = Directives::read(head.uri.query().unwrap_or_default());
                let wanted = Wanted::read(&head.headers);
                // Nothing of the request is held over a wait.
                drop((stream, head));
                playlist(windows, &name, query.map_err(Refused::Bad), &wanted).await
            }
            false => resource(windows, name, &head.headers).await,
        };
        answered.unwrap_or_else(|refused| answer::refused(kind, refused))
    }

    fn stream(&self, head: &Parts, app: &str, stream: &str) -> Option<StreamId> {
        let host = host(&head.uri, &head.headers);
        let domain = (self.0.domains)(host.as_deref())?;
        StreamId::parse(&domain, app, stream).ok()
    }
}

fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    headers::preflight(response.headers_mut());
    response
}

fn not_allowed() -> Response<Body> {
    let mut response = answer::refusal(StatusCode::METHOD_NOT_ALLOWED);
    headers::allow(response.headers_mut());
    counted(Kind::Other, response)
}

async fn playlist(
    mut windows: Windows,
    name: &str,
    query: Result<Directives, Refused>,
    wanted: &Wanted,
) -> Result<Response<Body>, Refused> {
    let ended = windows.borrow().window.ended;
    // A list that has ended is answered at once, whatever is asked of it (packaging-rules L-16).
    let directives = if ended { Directives::default() } else { query? };
    let published = waiting::playlist(&mut windows, name, directives.until).await?;
    let window = &published.window;
    let playlist = window.playlist(name).ok_or(Refused::NotFound)?;
    let seconds = match (directives.until, playlist.edge) {
        (Some(_), Some(_)) => window.target_duration_s.saturating_mul(6),
        _ => window.target_duration_s / 2,
    };
    Ok(answer::text(Kind::Playlist, &published, form(playlist, directives.skip), seconds, wanted))
}

/// The whole list, or what a player asked for that has most of it.
fn form(playlist: &Playlist, skip: Option<Skip>) -> &Resource {
    match (&playlist.delta, skip) {
        (Some(delta), Some(Skip::Yes)) => &delta.yes,
        (Some(delta), Some(Skip::V2)) => &delta.v2,
        _ => &playlist.full,
    }
}

async fn resource(
    mut windows: Windows,
    name: String,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refused> {
    let published = waiting::resource(&mut windows, &name).await?;
    if let Some(resource) = published.window.get(&name) {
        return Ok(answer::immutable(resource, headers));
    }
    let growing = published.window.growing(&name).ok_or(Refused::NotFound)?;
    Ok(answer::growing(windows, name, growing.content_type))
}

/// The host that the request names, without port: `:authority` of HTTP/2, else the Host header.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let named = || headers.get(HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let authority = uri.authority().cloned().or_else(named)?;
    Some(authority.host().to_ascii_lowercase())
}
