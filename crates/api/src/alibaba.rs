//! Alibaba's RPC calls, at `/`.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use control::{Rate, Refused, Who};
use dialect::alibaba::{Call, Caller, Operation, Refusal, Run};
use dialect::http;
use media::Wall;
use serde_json::{Value, json};

use crate::message::{self, Bodies, Unread};
use crate::objects::Home;
use crate::{Api, Connection, live};

/// Longest part of an unknown action that the log shows, in characters.
const LOGGED: usize = 64;

/// A call as the log tells of it.
#[derive(Default)]
struct Told {
    key_id: String,
    refused: Option<String>,
}

pub(crate) async fn call(
    State(api): State<Api>,
    Extension(bodies): Extension<Bodies>,
    request: Request,
) -> Response {
    let connection = message::connection(&request);
    let request_id = message::request_id();
    let incoming = bodies.read(request).await;
    let call = Call::read(&incoming.request);
    let mut told = Told::default();
    let result = match incoming.outcome {
        Ok(()) => api.serve(&call, &incoming.request, connection, &request_id, &mut told).await,
        Err(Unread::TooLarge) => Err(Refusal::too_large()),
        Err(Unread::Busy) => Err(Refusal::unavailable()),
        Err(Unread::Broken) => {
            Err(Refusal::new(408, "RequestTimeout", "The request body did not come in time."))
        }
    };
    told.refused = result.as_ref().err().map(|refusal| refusal.code.to_string());
    let mut response = call.answer(result, &request_id);
    response.headers.push(("x-acs-request-id", request_id.clone()));
    let Told { key_id, refused } = told;
    let action: String = call.action().chars().take(LOGGED).collect();
    let (status, code) = (response.status, refused.unwrap_or_default());
    tracing::info!(request_id, ?action, key_id, peer = %connection.peer, status, code, "Alibaba call");
    message::count("alibaba", status);
    message::answer(response)
}

impl Api {
    async fn serve(
        &self,
        call: &Call,
        request: &http::Request,
        connection: Connection,
        request_id: &str,
        told: &mut Told,
    ) -> Result<Value, Refusal> {
        let now = (self.clock)();
        let caller = call.authenticate(request, &*self.control.keys(), now)?;
        told.key_id.clone_from(&caller.key_id);
        let operation = self.admit(call, &caller, connection, now)?;
        let params = call.params();
        let who = || Who {
            key_id: caller.key_id.clone(),
            address: connection.peer.ip().to_string(),
            request_id: request_id.to_owned(),
            action: operation.ram_action(),
            nonce: Some(caller.nonce.clone()),
        };
        match operation.run {
            Run::Change(read) => {
                self.control.change(read(params)?, who()).await.map_err(refusal)?;
                Ok(json!({}))
            }
            Run::Describe(describe) => describe(params, &self.control.catalog(), now),
            Run::Online(describe) => {
                let catalog = self.control.catalog();
                describe(params, &catalog, &live::streams(&self.hub, &catalog).await)
            }
            Run::Ask(read) | Run::Act(read) => {
                let host = request.header("host").unwrap_or_default().to_owned();
                let home = Home { secure: connection.secure, host };
                let ask = read(params, &self.control.catalog(), now)?;
                self.ask_archive(ask, &home, who(), now).await
            }
        }
    }

    /// The operation, if the caller sends this for the first time, may do it, and not too often.
    fn admit(
        &self,
        call: &Call,
        caller: &Caller,
        connection: Connection,
        now: Wall,
    ) -> Result<&'static Operation, Refusal> {
        if !self.control.nonces().first_use(&caller.key_id, &caller.nonce, now) {
            return Err(Refusal::nonce_used());
        }
        let operation = call.operation()?;
        let account = &self.settings.account_id;
        let resources = operation.resources(call.params(), account);
        let keys = self.control.keys();
        // Deleted since its signature was verified: it may do nothing.
        let key = keys.get(&caller.key_id).ok_or_else(Refusal::forbidden)?;
        let permitted = self.permit(key, &operation.ram_action(), &resources, connection, now);
        permitted.map_err(|_| Refusal::forbidden())?;
        let admitted = self.control.throttle().admit(account, operation.name, rate(operation), now);
        admitted.map_err(|wait| Refusal::throttled(millis(wait)))?;
        Ok(operation)
    }
}

fn rate(operation: &Operation) -> Rate {
    let period = Duration::from_secs(u64::from(operation.rate.seconds));
    Rate { requests: operation.rate.calls, period }
}

/// Rounded up, so that who waits so long is let in.
fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

fn refusal(refused: Refused) -> Refusal {
    match refused {
        Refused::Fault(fault) => fault.into(),
        Refused::Unavailable => Refusal::unavailable(),
    }
}
