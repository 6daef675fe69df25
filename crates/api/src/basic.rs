use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use control::AccessKey;

use crate::message;
use crate::problem::RequestId;
use crate::{Api, Connection, Problem};

/// Longest credentials that are looked at, in bytes of base64.
const MAX_CREDENTIALS: usize = 1_024;

/// Who asks: as an extension behind [`require_key`].
#[derive(Clone)]
pub(crate) struct Caller {
    key: AccessKey,
    connection: Connection,
}

impl Caller {
    /// Whether its policy allows `action` on `resource`.
    pub(crate) fn may(&self, api: &Api, action: &str, resource: String) -> Result<(), Problem> {
        let permitted = api.permit(&self.key, action, &[resource], self.connection, (api.clock)());
        permitted.map_err(|_| Problem::FORBIDDEN)
    }
}

/// HTTP Basic with access key id and secret (RFC 7617).
pub(crate) async fn require_key(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let connection = message::connection(&request);
    let key = credentials(request.headers()).and_then(|(id, secret)| {
        let keys = api.control.keys();
        keys.authenticate(&id, &secret).cloned()
    });
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let key_id = key.as_ref().map(|key| key.id.clone()).unwrap_or_default();
    let response = match key {
        Some(key) => {
            request.extensions_mut().insert(Caller { key, connection });
            next.run(request).await
        }
        None => unauthorized(),
    };
    let (peer, status) = (connection.peer, response.status().as_u16());
    message::count("millrace", status);
    tracing::info!(request_id = id, %method, ?path, key_id, %peer, status, "API request");
    response
}

fn unauthorized() -> Response {
    let mut response = Problem::UNAUTHORIZED.into_response();
    let challenge = HeaderValue::from_static("Basic realm=\"millrace\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
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
