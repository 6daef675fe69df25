use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

/// Longest credentials that are looked at, in bytes of base64.
const MAX_CREDENTIALS: usize = 1_024;

/// An access key pair.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Public half.
    pub id: String,
    /// Secret half.
    pub secret: String,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

/// The keys that are let in.
#[derive(Debug, Default)]
pub struct AccessKeys(Vec<AccessKey>);

impl AccessKeys {
    /// These and no others.
    pub fn new(keys: Vec<AccessKey>) -> Self {
        Self(keys)
    }

    /// Whether the pair is one of them. Takes the same time whichever key is wrong and wherever.
    fn allows(&self, id: &str, secret: &str) -> bool {
        let mut allowed = subtle::Choice::from(0);
        for key in &self.0 {
            allowed |=
                key.id.as_bytes().ct_eq(id.as_bytes()) & key.secret.as_bytes().ct_eq(secret.as_bytes());
        }
        allowed.into()
    }
}

/// HTTP Basic with access key id and secret (RFC 7617).
pub(crate) async fn require_key(
    State(keys): State<Arc<AccessKeys>>,
    request: Request,
    next: Next,
) -> Response {
    match credentials(request.headers()) {
        Some((id, secret)) if keys.allows(&id, &secret) => next.run(request).await,
        _ => {
            let message = "send an access key id and its secret by HTTP Basic";
            let mut response = crate::error(StatusCode::UNAUTHORIZED, "Unauthorized", message);
            let challenge = HeaderValue::from_static("Basic realm=\"millrace\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        }
    }
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > MAX_CREDENTIALS {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
