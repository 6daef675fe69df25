//! HTTP requests and answers as the dialects want them, and what the log says of each.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, request, response};
use dialect::http;
use rand::RngCore as _;

use crate::Connection;

/// Largest body in bytes (design §10).
const MAX_BODY: usize = 1 << 20;
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
}

/// The whole request. When its body cannot be read it is empty, so that what is refused has a form to be said in.
pub(crate) async fn read(request: Request) -> (http::Request, Result<(), Unread>) {
    let (head, body) = request.into_parts();
    let (body, outcome) = match tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => (body, Ok(())),
        Ok(Err(error)) if is_too_large(&error) => (Bytes::new(), Err(Unread::TooLarge)),
        _ => (Bytes::new(), Err(Unread::Broken)),
    };
    let read = http::Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers(&head),
        body,
    };
    (read, outcome)
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<http_body_util::LengthLimitError>() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_random_uuid_in_upper_case() {
        let id = request_id();
        assert_eq!((id.len(), id.get(14..15)), (36, Some("4")));
        assert!(matches!(id.get(19..20), Some("8" | "9" | "A" | "B")), "{id}");
        assert!(id.chars().all(|c| c == '-' || c.is_ascii_digit() || c.is_ascii_uppercase()));
        assert_ne!(id, request_id());
    }
}
