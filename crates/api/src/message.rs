//! HTTP requests and answers as the dialects want them, and what the log says of each.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, request, response};
use dialect::http;
use http_body_util::LengthLimitError;
use rand::RngCore as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Connection;

/// Largest body in bytes (design §10).
const MAX_BODY: usize = 1 << 20;
/// Bytes of all bodies at once.
const ALL_BODIES: usize = 64 << 20;
/// Bytes of a place in them.
const PLACE: usize = 1 << 10;
/// A body must have come whole by then.
const BODY_TIME: Duration = Duration::from_secs(10);

/// How a request came in. Without the listener's note its address is one that no policy names.
pub(crate) fn connection(request: &Request) -> Connection {
    let nowhere = Connection { peer: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), secure: false };
    request.extensions().get::<Connection>().copied().unwrap_or(nowhere)
}

/// A new request id: a random UUID in upper case, as Alibaba writes it (wire reference §3).
pub(crate) fn request_id() -> String {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    let value = u128::from_be_bytes(bytes);
    // Version 4, variant 1 (RFC 9562 §5.4).
    let value = value & !(0xF << 76) | 0x4 << 76;
    let value = value & !(0x3 << 62) | 0x2 << 62;
    let text = format!("{value:032X}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// Why a body was not read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It has more than [`MAX_BODY`] bytes.
    TooLarge,
    /// It did not come in time, or broke off.
    Broken,
    /// Bodies of others fill what there is for all of them.
    Busy,
}

/// Memory for the bodies of all requests at once, most of which come from nobody knows whom yet: a body is read
/// before its signature can be checked. Beyond it requests with a body are refused; most have none.
#[derive(Clone, Debug)]
pub(crate) struct Bodies(Arc<Semaphore>);

/// A request that was read.
pub(crate) struct Incoming {
    /// When its body cannot be read it is empty, so that what is refused has a form to be said in.
    pub(crate) request: http::Request,
    pub(crate) outcome: Result<(), Unread>,
    /// Its part of the memory, given back with it.
    _place: Option<OwnedSemaphorePermit>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ALL_BODIES / PLACE)))
    }
}

impl Bodies {
    /// Reads the whole request.
    pub(crate) async fn read(&self, request: Request) -> Incoming {
        let (head, body) = request.into_parts();
        let (place, read) = match self.place_for(&body) {
            Ok(place) => (place, whole(body).await),
            Err(unread) => (None, Err(unread)),
        };
        let outcome = read.as_ref().map(|_| ()).map_err(|unread| *unread);
        let request = http::Request {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: headers(&head),
            body: read.unwrap_or_default(),
        };
        Incoming { request, outcome, _place: place }
    }

    /// Room for what the body says it has; for as much as it may have, when it does not say.
    fn place_for(&self, body: &Body) -> Result<Option<OwnedSemaphorePermit>, Unread> {
        let bytes =
            body.size_hint().upper().map_or(MAX_BODY, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        match bytes {
            0 => Ok(None),
            bytes if bytes > MAX_BODY => Err(Unread::TooLarge),
            bytes => {
                let places = u32::try_from(bytes.div_ceil(PLACE)).unwrap_or(u32::MAX);
                let place = self.0.clone().try_acquire_many_owned(places);
                place.map(Some).map_err(|_| Unread::Busy)
            }
        }
    }
}

async fn whole(body: Body) -> Result<Bytes, Unread> {
    match tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_large(&error) => Err(Unread::TooLarge),
        _ => Err(Unread::Broken),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<LengthLimitError>() {
            return true;
        }
        source = cause.source();
    }
    false
}

fn headers(head: &request::Parts) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), std::str::from_utf8(value.as_bytes()).ok()?.to_owned()))
    };
    let mut headers: Vec<_> = head.headers.iter().filter_map(text).collect();
    // HTTP/2 says the host in `:authority`; signatures have it as `host`.
    if let (Some(authority), false) = (head.uri.authority(), head.headers.contains_key("host")) {
        headers.push(("host".to_owned(), authority.as_str().to_owned()));
    }
    headers
}

/// The answer as axum wants it.
pub(crate) fn answer(answer: http::Response) -> axum::response::Response {
    let (mut head, ()) = axum::http::Response::new(()).into_parts();
    head.status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        insert(&mut head, name, &value);
    }
    axum::http::Response::from_parts(head, Body::from(answer.body))
}

fn insert(head: &mut response::Parts, name: &'static str, value: &str) {
    // What a dialect writes into a header is of its own making; what could not stand there is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        head.headers.insert(HeaderName::from_static(name), value);
    }
}

/// Counts a request.
pub(crate) fn count(api: &'static str, status: u16) {
    metrics::counter!("millrace_api_requests_total", "api" => api, "status" => status.to_string())
        .increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_beyond_the_memory_for_all_are_refused_until_there_is_room() {
        let bodies = Bodies::default();
        let full = || Request::new(Body::from(vec![b'x'; MAX_BODY]));
        let mut held = Vec::new();
        for _ in 0..ALL_BODIES / MAX_BODY {
            held.push(bodies.read(full()).await);
        }
        assert!(held.iter().all(|incoming| incoming.outcome.is_ok()));
        assert_eq!(bodies.read(Request::new(Body::from("x"))).await.outcome, Err(Unread::Busy));
        assert_eq!(bodies.read(Request::new(Body::empty())).await.outcome, Ok(()));
        held.pop();
        assert_eq!(bodies.read(full()).await.outcome, Ok(()));
    }

    #[test]
    fn a_request_id_is_a_random_uuid_in_upper_case() {
        let id = request_id();
        assert_eq!((id.len(), id.get(14..15)), (36, Some("4")));
        assert!(matches!(id.get(19..20), Some("8" | "9" | "A" | "B")), "{id}");
        assert!(id.chars().all(|c| c == '-' || c.is_ascii_digit() || c.is_ascii_uppercase()));
        assert_ne!(id, request_id());
    }
}
