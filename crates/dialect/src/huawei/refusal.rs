use catalog::{Fault, Kind};
use serde::Serialize;

use crate::http::Response;

/// Why a request is not done: HTTP status, `error_code` and `error_msg` (`api-huawei-live.md` §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `error_code`
    pub code: &'static str,
    /// `error_msg`
    pub message: &'static str,
    /// `error_detail`: which parameter, and what would be right.
    pub detail: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    error_code: &'a str,
    error_msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<&'a str>,
}

impl Refusal {
    pub(super) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, detail: None }
    }

    /// A parameter is wrong; `detail` says which.
    pub fn illegal(detail: impl Into<String>) -> Self {
        Self::new(400, "LIVE.100011001", "Request Illegal").because(detail)
    }

    /// Not signed, or not by the key it names; `detail` says what is wrong and no more than the caller knows.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(401, "LIVE.100011002", "Authentication failed").because(detail)
    }

    /// The key's policy does not allow it.
    pub fn forbidden() -> Self {
        Self::new(401, "LIVE.100011003", "No permission")
    }

    /// The project of the path is not the server's, or not that of the credentials.
    pub(super) fn project() -> Self {
        Self::new(401, "LIVE.100011015", "Project ID check failed")
    }

    /// A known path, another method.
    pub(super) fn method() -> Self {
        Self::new(400, "LIVE.100011011", "Method is not supported")
    }

    /// A body that is no JSON by its content type.
    pub(super) fn media_type() -> Self {
        Self::new(400, "LIVE.100011012", "Media type is not supported")
    }

    /// No path of this API (the gateway's words).
    pub(super) fn no_api() -> Self {
        Self::new(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
    }

    /// More calls than the operation's rate. A 429 would lose its code in the Python SDK.
    pub fn throttled() -> Self {
        Self::new(500, "LIVE.100011007", "Too many concurrent requests")
    }

    /// A body beyond the limit of design §10.
    pub fn too_large() -> Self {
        Self { status: 413, ..Self::illegal("the body is larger than the server accepts") }
    }

    /// Something of ours broke or does not answer.
    pub fn internal() -> Self {
        Self::new(500, "LIVE.100011000", "Internal error")
    }

    #[must_use]
    pub(super) fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The answer.
    pub fn respond(&self, request_id: &str) -> Response {
        let body =
            Body { error_code: self.code, error_msg: self.message, error_detail: self.detail.as_deref() };
        // Three texts cannot fail to become JSON.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        answer(self.status, request_id, body)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let refusal = match fault.kind {
            Kind::Malformed | Kind::Missing => Self::illegal(""),
            Kind::Exists => Self::new(400, "LIVE.103011018", "The resource already exists"),
            Kind::NotFound => Self::new(404, "LIVE.103011019", "The resource does not exist"),
            Kind::Denied => Self::new(400, "LIVE.103011022", "The state does not allow the operation"),
            Kind::Limit => Self::new(400, "LIVE.103011020", "The quota is exceeded"),
        };
        refusal.because(super::snapshot::explain(&fault))
    }
}

/// A JSON answer; the SDKs read the request id from the header.
pub(super) fn answer(status: u16, request_id: &str, body: Vec<u8>) -> Response {
    let mut response = Response::new(status, "application/json", body);
    response.headers.push(("x-request-id", request_id.to_owned()));
    response
}
