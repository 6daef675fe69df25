//! Logs and metrics.

use std::io;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// How often histograms are drained, so that an unscraped server does not grow.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts logging to standard error. `filter` is in `RUST_LOG` syntax; `RUST_LOG` itself wins.
pub(crate) fn logs(json: bool, filter: &str) -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(own) => EnvFilter::try_new(own),
        Err(_) => EnvFilter::try_new(filter),
    }
    .map_err(|error| format!("log filter: {error}"))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let outcome = match json {
        true => subscriber.json().flatten_event(true).try_init(),
        false => subscriber.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
    };
    outcome.map_err(|error| format!("log: {error}"))
}

/// Starts counting.
pub(crate) fn metrics() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new().install_recorder()
}

/// Keeps the recorder small, until dropped.
pub(crate) async fn upkeep(handle: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP);
    loop {
        interval.tick().await;
        handle.run_upkeep();
    }
}
