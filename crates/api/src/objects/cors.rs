//! Lets the pages of every site play what is here, if whoever is in front of them has a key (Fetch §3.2). The key goes in
//! a field that a page must set itself: no browser adds it to a request that another site's page makes.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Of every site.
const ANY: HeaderValue = HeaderValue::from_static("*");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD");
/// What pages may send; `*` would not stand for the key.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, range, if-range, if-match, if-none-match, if-modified-since, if-unmodified-since",
);
/// What pages may see beside the content type.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "content-length, content-range, accept-ranges, etag, last-modified, x-request-id",
);
/// How long browsers remember it, in seconds; they cap it at 2 h and less.
const REMEMBERED: HeaderValue = HeaderValue::from_static("7200");

/// Answers a browser that asks whether it may ask, who has no key to show, and opens all other answers.
pub(crate) async fn open(request: Request, next: Next) -> Response {
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match is_preflight {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if is_preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENT);
        headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    }
    response
}
