//! Refusals, in the gateway's words (wire reference §3.1 to §3.3) and in those of the operations.

use std::borrow::Cow;

use catalog::Fault;

use super::params::NotA;

/// Why a request is not done: HTTP status, `Code` and `Message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `Code`
    pub code: Cow<'static, str>,
    /// `Message`
    pub message: String,
    /// When to try again, in milliseconds: header `x-acs-retry-after`, which makes new SDKs raise their
    /// ThrottlingException.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// `code` with its `message`.
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), retry_after_ms: None }
    }

    /// More calls than the operation's rate: 400, which old and new SDKs understand alike.
    pub fn throttled(retry_after_ms: u64) -> Self {
        let refusal = Self::new(400, "Throttling.User", "Request was denied due to user flow control.");
        // The SDK takes positive figures only.
        Self { retry_after_ms: Some(retry_after_ms.max(1)), ..refusal }
    }

    /// The key's policy does not allow it.
    pub fn forbidden() -> Self {
        let message =
            "User not authorized to operate on the specified resource, or this API doesn't support RAM.";
        Self::new(403, "Forbidden.RAM", message)
    }

    /// The same nonce came within the time window (15 min).
    pub fn nonce_used() -> Self {
        Self::new(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
    }

    /// Something of ours broke.
    pub fn internal() -> Self {
        let message = "The request processing has failed due to some unknown error.";
        Self::new(500, "InternalError", message)
    }

    /// Something of ours does not answer now: the database, a store.
    pub fn unavailable() -> Self {
        let message = "The request has failed due to a temporary failure of the server.";
        Self::new(503, "ServiceUnavailable", message)
    }

    /// A body or header beyond the limits of design §10.
    pub fn too_large() -> Self {
        Self::new(413, "RequestEntityTooLarge", "The request is larger than the server accepts.")
    }

    /// A domain that nobody declared, or a kind of name that the operation does not take.
    pub(super) fn no_domain() -> Self {
        let message = "The domain provided does not exist in our records.";
        Self::new(404, "InvalidDomain.NotFound", message)
    }

    /// `Missing<Param>`: a required parameter of an operation is absent.
    pub(super) fn missing(param: &str) -> Self {
        Self::new(400, format!("Missing{param}"), format!("{param} is mandatory for this action."))
    }

    /// `Invalid<Param>.Malformed`
    pub(super) fn malformed(param: &str) -> Self {
        let message = format!("Specified parameter {param} is not valid.");
        Self::new(400, format!("Invalid{param}.Malformed"), message)
    }

    /// A common parameter of the gateway is absent.
    pub(super) fn missing_common(param: &str) -> Self {
        let message = format!(
            "The input parameter \"{param}\" that is mandatory for processing this request is not supplied."
        );
        Self::new(400, "MissingParameter", message)
    }

    /// A common parameter of the gateway has a value that it cannot have.
    pub(super) fn invalid_common(param: &str) -> Self {
        let message = format!("The specified parameter \"{param}\" is not valid.");
        Self::new(400, "InvalidParameter", message)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::new(fault.status, fault.code, fault.message)
    }
}

impl From<NotA> for Refusal {
    fn from(not: NotA) -> Self {
        Self::malformed(&not.param)
    }
}
