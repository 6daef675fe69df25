//! What `/api/*` says when it refuses.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::message;

/// The request id of an answer of ours.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request under `/api`, as an extension.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Why a request under `/api` is not done. [`tell`] writes it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Problem {
    pub(crate) const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "NotFound", "there is nothing here");
    pub(crate) const METHOD: Self =
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "only GET and HEAD are answered here");
    pub(crate) const UNAUTHORIZED: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "Unauthorized",
        "send an access key id and its secret by HTTP Basic",
    );
    pub(crate) const FORBIDDEN: Self =
        Self::new(StatusCode::FORBIDDEN, "Forbidden", "the key's policy does not allow this");
    pub(crate) const NO_STREAM: Self =
        Self::new(StatusCode::NOT_FOUND, "StreamNotFound", "no such stream is online");
    pub(crate) const NO_OBJECT: Self =
        Self::new(StatusCode::NOT_FOUND, "ObjectNotFound", "no storage of this server has such an object");
    pub(crate) const NO_PUBLIC_URL: Self = Self::new(
        StatusCode::NOT_FOUND,
        "NoPublicUrl",
        "the object is at a service whose storage has no public_url; ask the service itself",
    );
    pub(crate) const UNREADABLE: Self =
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "the object cannot be read now");
    pub(crate) const PARAMETER: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "InvalidParameter",
        "limit is a number from 1 to 1000, and there is no other parameter",
    );
    pub(crate) const UNAVAILABLE: Self =
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "the database does not answer");

    const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'static str,
    message: &'static str,
    request_id: &'a str,
}

/// Gives every request an id, and every problem its words.
pub(crate) async fn tell(mut request: Request, next: Next) -> Response {
    let id = message::request_id();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let Problem { status, code, message } = problem;
        let kept = std::mem::take(response.headers_mut());
        response = (status, Json(Body { code, message, request_id: &id })).into_response();
        // The challenge of a 401 and the Allow of a 405, but no length of another body.
        let kept = kept.into_iter().filter_map(|(name, value)| Some((name?, value)));
        response.headers_mut().extend(kept.filter(|(name, _)| *name != header::CONTENT_LENGTH));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
