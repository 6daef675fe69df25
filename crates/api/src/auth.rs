use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use control::Control;
use dialect::policy::Policy;

/// Longest credentials that are looked at, in bytes of base64.
const MAX_CREDENTIALS: usize = 1_024;

/// HTTP Basic with access key id and secret (RFC 7617).
pub(crate) async fn require_key(State(control): State<Control>, request: Request, next: Next) -> Response {
    match credentials(request.headers()) {
        Some((id, secret)) if may_look(&control, &id, &secret) => next.run(request).await,
        _ => {
            let message = "send an access key id and its secret by HTTP Basic";
            let mut response = crate::error(StatusCode::UNAUTHORIZED, "Unauthorized", message);
            let challenge = HeaderValue::from_static("Basic realm=\"millrace\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        }
    }
}

/// Whoever may do everything or look at everything. A policy document speaks of the clouds' operations only.
fn may_look(control: &Control, id: &str, secret: &str) -> bool {
    let keys = control.keys();
    keys.authenticate(id, secret).is_some_and(|key| matches!(key.policy, Policy::Full | Policy::Read))
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
