//! Huawei's REST requests, under `/v1/`.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use control::{AccessKey, Rate, Refused, Who};
use dialect::http;
use dialect::huawei::{Ask, Operation, Refusal, authenticate};
use media::Wall;

use crate::message::{self, Bodies, Unread};
use crate::{Api, Connection};

pub(crate) async fn request(
    State(api): State<Api>,
    Extension(bodies): Extension<Bodies>,
    request: Request,
) -> Response {
    let connection = message::connection(&request);
    let request_id = message::request_id();
    let incoming = bodies.read(request).await;
    let mut key_id = String::new();
    let outcome = match incoming.outcome {
        Ok(()) => api.take(&incoming.request, connection, &request_id, &mut key_id).await,
        Err(Unread::TooLarge) => Err(Refusal::too_large()),
        Err(Unread::Busy) => Err(Refusal::throttled()),
        Err(Unread::Broken) => Err(Refusal::illegal("the body did not come in time")),
    };
    let code = outcome.as_ref().err().map(|refusal| refusal.code).unwrap_or_default();
    let response = outcome.unwrap_or_else(|refusal| refusal.respond(&request_id));
    let http::Request { method, path, .. } = &incoming.request;
    tracing::info!(request_id, method, ?path, key_id, peer = %connection.peer, status = response.status, code, "Huawei request");
    message::count("huawei", response.status);
    message::answer(response)
}

impl Api {
    async fn take(
        &self,
        request: &http::Request,
        connection: Connection,
        request_id: &str,
        key_id: &mut String,
    ) -> Result<http::Response, Refusal> {
        let now = (self.clock)();
        let keys = self.control.keys();
        let holder = |token: &str| keys.by_token(token).map(|key| key.id.clone());
        *key_id = authenticate(request, &*keys, holder, now)?;
        // A token does not say whether its key is active.
        let key = keys.get(key_id).filter(|key| key.active);
        let key = key.ok_or_else(|| Refusal::unauthenticated("the access key is disabled"))?;
        let operation = self.admit_huawei(request, key, connection, now)?;
        let ask = operation.ask(request)?;
        let catalog = match &ask {
            Ask::List(_) => self.control.catalog(),
            Ask::Change(command) => {
                let who = Who {
                    key_id: key_id.clone(),
                    address: connection.peer.ip().to_string(),
                    request_id: request_id.to_owned(),
                    action: operation.action().to_owned(),
                    nonce: None,
                };
                self.control.change((**command).clone(), who).await.map_err(refusal)?
            }
        };
        Ok(operation.answer(&ask, &catalog, request_id))
    }

    /// The operation, if the key may do it, and not too often.
    fn admit_huawei(
        &self,
        request: &http::Request,
        key: &AccessKey,
        connection: Connection,
        now: Wall,
    ) -> Result<Operation, Refusal> {
        let operation = Operation::of(request, &self.settings.project_id)?;
        let permitted = self.permit(key, operation.action(), &["*".to_owned()], connection, now);
        permitted.map_err(|_| Refusal::forbidden())?;
        let rate = Rate { requests: operation.per_second(), period: Duration::from_secs(1) };
        let account = &self.settings.account_id;
        let admitted = self.control.throttle().admit(account, operation.action(), rate, now);
        admitted.map_err(|_| Refusal::throttled())?;
        Ok(operation)
    }
}

fn refusal(refused: Refused) -> Refusal {
    match refused {
        Refused::Fault(fault) => fault.into(),
        Refused::Unavailable => Refusal::internal(),
    }
}
