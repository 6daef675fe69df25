//! HTTP control plane: health, metrics and the state of streams. The clouds' dialects mount here, too.
//!
//! `/healthz` and `/metrics` answer anyone who reaches the port, which is on loopback by default; `/api/*` asks
//! for an access key by HTTP Basic (design §6).

mod auth;
mod health;
mod streams;

use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, middleware};
use control::Control;
use hub::Hub;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

pub use health::Readiness;

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
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// Whether the server can do its work.
    pub readiness: Readiness,
    /// Who may ask, and what is declared.
    pub control: Control,
}

impl Api {
    /// The routes.
    pub fn router(self) -> Router {
        let guarded = Router::new()
            .route("/api/streams", get(streams::list))
            .route("/api/streams/{domain}/{app}/{stream}", get(streams::one))
            .layer(middleware::from_fn_with_state(self.control.clone(), auth::require_key));
        Router::new()
            .route("/healthz", get(health::healthz))
            .route("/metrics", get(health::metrics))
            .merge(guarded)
            .fallback(|| async { error(StatusCode::NOT_FOUND, "NotFound", "there is nothing here") })
            .with_state(self)
    }
}

#[derive(Serialize)]
struct ErrorBody {
    code: &'static str,
    message: &'static str,
}

fn error(status: StatusCode, code: &'static str, message: &'static str) -> Response {
    (status, Json(ErrorBody { code, message })).into_response()
}

#[cfg(test)]
mod tests;
