use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::Api;

/// Whether every listener is bound and the server is not going down. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says so.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// Whether it is.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

pub(crate) async fn healthz(State(api): State<Api>) -> impl IntoResponse {
    match (api.readiness.get(), api.control.healthy()) {
        (true, true) => (StatusCode::OK, "ok\n"),
        (true, false) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

pub(crate) async fn metrics(State(api): State<Api>) -> impl IntoResponse {
    let (sessions, publishers) = api.hub.count();
    metrics::gauge!("millrace_sessions").set(sessions as f64);
    metrics::gauge!("millrace_publishers").set(publishers as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], api.metrics.render())
}
