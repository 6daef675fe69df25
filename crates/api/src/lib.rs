//! HTTP control plane: the clouds' dialects, health, metrics and the state of streams.
//!
//! Alibaba's RPC calls come in at `/`, Huawei's under `/v1/{project_id}/`; `/api/*` and
//! `/objects/*` ask for an access key by HTTP Basic (design §6). Each of the three is one mount: it reads a request whole, asks its dialect who it is from and
//! what it asks for, checks policy and rate, does it, and answers in its own words, always with a request id that
//! is in the log, too. `/healthz` and `/metrics` answer anyone who reaches the port.

mod alibaba;
mod archive;
mod audit;
mod basic;
mod health;
mod huawei;
mod live;
mod message;
mod objects;
mod problem;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::header;
use axum::middleware;
use axum::routing::{any, get};
use axum::{Extension, Router};
use control::{AccessKey, Control};
use delivery::LaneStatus;
use dialect::policy::{Access, Circumstances, Denied};
use hub::Hub;
use media::{SessionId, StreamId, Wall};
use metrics_exporter_prometheus::PrometheusHandle;

pub use health::Readiness;
pub use objects::{Objects, Storage};

use message::Bodies;
use problem::Problem;

/// Counts who watches a stream.
pub type Viewers = Arc<dyn Fn(&StreamId) -> usize + Send + Sync>;

/// How the deliveries of a session's outputs are doing.
pub type Deliveries = Arc<dyn Fn(SessionId) -> Vec<LaneStatus> + Send + Sync>;

/// How a request came in. The server puts it into the extensions of each.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Address of the client.
    pub peer: SocketAddr,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// What the control plane looks at.
#[derive(Clone)]
pub struct Api {
    /// The live sessions.
    pub hub: Hub,
    /// The catalog and the keys.
    pub control: Control,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// Whether the server can do its work.
    pub readiness: Readiness,
    /// Who watches.
    pub viewers: Viewers,
    /// What outputs store.
    pub deliveries: Deliveries,
    /// Where objects can be fetched.
    pub objects: Objects,
    /// What the operator chose.
    pub settings: Arc<Settings>,
    /// The time.
    pub clock: fn() -> Wall,
}

/// What the operator chose.
#[derive(Debug, Default)]
pub struct Settings {
    /// Huawei's path segment.
    pub project_id: String,
    /// The account in resource names.
    pub account_id: String,
}

impl Api {
    /// The routes.
    pub fn router(self) -> Router {
        let bodies = Bodies::default();
        let guard = middleware::from_fn_with_state(self.clone(), basic::require_key);
        let guarded = Router::new()
            .route("/api/openapi.json", get(openapi))
            .route("/api/streams", get(streams::list))
            .route("/api/streams/{domain}/{app}/{stream}", get(streams::one))
            .route("/api/audit", get(audit::list))
            .method_not_allowed_fallback(async || Problem::METHOD)
            .route_layer(guard.clone());
        let stored = Router::new()
            .route("/objects/{bucket}/{*key}", get(objects::get))
            .method_not_allowed_fallback(async || Problem::METHOD)
            .route_layer(guard)
            .route_layer(middleware::from_fn(objects::cors::open));
        let open = Router::new()
            .route("/healthz", get(health::healthz))
            .route("/metrics", get(health::metrics))
            .fallback(async || Problem::NOT_FOUND);
        Router::new()
            .merge(guarded)
            .merge(stored)
            .merge(open)
            .layer(middleware::from_fn(problem::tell))
            .route("/", any(alibaba::call))
            .route("/v1/{*path}", any(huawei::request))
            .layer(Extension(bodies))
            .with_state(self)
    }

    /// Whether `key`'s policy lets whoever has it do `action` on all of `resources`.
    fn permit(
        &self,
        key: &AccessKey,
        action: &str,
        resources: &[String],
        connection: Connection,
        now: Wall,
    ) -> Result<(), Denied> {
        let circumstances = Circumstances {
            now,
            secure: connection.secure,
            source: connection.peer.ip(),
            principal: format!("acs:ram::{}:user/{}", self.settings.account_id, key.id),
        };
        key.policy.check(&Access { action, resources, circumstances: &circumstances })
    }
}

/// What `/api/*` and `/objects/*` answer, in OpenAPI 3.1.
async fn openapi() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json"))
}

#[cfg(test)]
mod tests;
