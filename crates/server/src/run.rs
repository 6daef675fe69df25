//! Start and stop: introduces the crates to each other, and takes them apart in the right order.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use api::{AccessKeys, Api, Readiness};
use catalog::Catalog;
use delivery::Delivery;
use ffmpeg::Pictures;
use hub::Hub;
use ingest::{Admission, Listener, Pace};
use metrics_exporter_prometheus::PrometheusHandle;
use origin::Origin;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout_at};

use crate::http::Http;
use crate::ledger::Ledger;
use crate::publishing::Publishing;
use crate::world::Outside;
use crate::{clock, keys, telemetry};
use server::config::Config;

/// How often windows that nobody will ask for any more are let go of.
const SWEEP: std::time::Duration = std::time::Duration::from_secs(1);

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A folder, file or port that the system refuses.
    #[error("{what}: {error}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        error: io::Error,
    },
}

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
    let what = what.into();
    move |error| Error::Io { what, error }
}

/// Runs until `stop` resolves, then closes everything within the configured time.
pub(crate) async fn run(
    config: Config,
    metrics: PrometheusHandle,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let running = Running::start(config, metrics).await?;
    stop.await;
    running.stop().await;
    Ok(())
}

struct Running {
    config: Config,
    hub: Hub,
    outside: Arc<Outside>,
    readiness: Readiness,
    /// Tells the HTTP ports to finish.
    http_down: watch::Sender<bool>,
    http: JoinSet<()>,
    /// The RTMP port and the helpers that just end.
    background: JoinSet<()>,
}

impl Running {
    async fn start(config: Config, metrics: PrometheusHandle) -> Result<Self, Error> {
        let catalog = Arc::new(config.catalog.clone());
        let data = &config.server.data_dir;
        std::fs::create_dir_all(data).map_err(failed(format!("data_dir {}", data.display())))?;
        let keys = access_keys(&config)?;
        let outside = Arc::new(outside(&config)?);
        let hub = Hub::new(outside.clone(), hub::Settings { max_streams: config.limits.streams });

        let rtmp = Listener::bind(config.rtmp.listen, admission(&config))
            .map_err(failed(format!("rtmp.listen {}", config.rtmp.listen)))?;
        let play = listen("http.listen", config.http.listen).await?;
        let control = listen("api.listen", config.api.listen).await?;
        let addresses = (rtmp.local_addr(), play.local_addr(), control.local_addr());

        let readiness = Readiness::default();
        let api = Api { hub: hub.clone(), metrics: metrics.clone(), readiness: readiness.clone(), keys };
        let (http_down, shutdown) = watch::channel(false);
        let max_connections = config.limits.http_connections;
        let mut http = JoinSet::new();
        let router = play_router(&outside.origin, &catalog);
        http.spawn(Http { listener: play, router, max_connections }.serve(shutdown.clone()));
        http.spawn(Http { listener: control, router: api.router(), max_connections }.serve(shutdown));

        let mut background = JoinSet::new();
        let publishing =
            Publishing { hub: hub.clone(), catalog, pace: Pace::default(), limits: rtmp::Limits::default() };
        background.spawn(accept(rtmp, publishing));
        background.spawn(sweep(outside.origin.clone()));
        background.spawn(outside.ledger.clone().write_behind());
        background.spawn(telemetry::upkeep(metrics));
        readiness.set(true);
        if let (Ok(rtmp), Ok(http), Ok(api)) = addresses {
            tracing::info!(%rtmp, %http, %api, version = env!("CARGO_PKG_VERSION"), "ready");
        }
        Ok(Self { config, hub, outside, readiness, http_down, http, background })
    }

    /// The order matters: no new publishers, sessions close what they have open, what they left reaches its
    /// store, and players are let go last.
    async fn stop(mut self) {
        let deadline = Instant::now() + self.config.server.shutdown_timeout;
        tracing::info!("shutting down");
        self.readiness.set(false);
        if timeout_at(deadline, self.hub.shutdown()).await.is_err() {
            tracing::error!("not every session closed in time");
        }
        self.background.shutdown().await;
        let left = self.outside.delivery.drain(deadline.saturating_duration_since(Instant::now())).await;
        if left.pending > 0 {
            tracing::error!(?left, "not everything reached its store in time; it stays in the spool");
        }
        self.outside.ledger.flush().await;
        self.http_down.send_replace(true);
        let players = async { while self.http.join_next().await.is_some() {} };
        if timeout_at(deadline, players).await.is_err() {
            tracing::warn!("some HTTP connections were cut");
        }
        tracing::info!("stopped");
    }
}

fn access_keys(config: &Config) -> Result<Arc<AccessKeys>, Error> {
    let mut pairs = config.access_keys();
    if pairs.is_empty() {
        let (key, new) =
            keys::load_or_generate(&config.server.data_dir).map_err(failed("access_key.json"))?;
        if new {
            // Once, to the terminal and not to the log: a log is kept and read by others.
            eprintln!("access key for /api (kept in data_dir): id {} secret {}", key.id, key.secret);
        }
        pairs.push(key);
    }
    Ok(Arc::new(AccessKeys::new(pairs)))
}

fn outside(config: &Config) -> Result<Outside, Error> {
    let data = &config.server.data_dir;
    let stores = config.stores().map_err(failed("storage"))?;
    let settings = delivery::Settings {
        spool: data.join("spool"),
        dead_letter: data.join("dead-letter"),
        memory_bytes: config.limits.delivery_bytes,
    };
    let workers = NonZeroUsize::new(config.limits.picture_workers).unwrap_or(NonZeroUsize::MIN);
    Ok(Outside {
        delivery: Delivery::open(settings, stores).map_err(failed("spool"))?,
        origin: Arc::new(Origin::default()),
        pictures: Pictures::start(workers, config.limits.picture_queue).map_err(failed("FFmpeg"))?,
        ledger: Ledger::open(data.join("ledger")).map_err(failed("ledger"))?,
        lanes: Default::default(),
    })
}

fn admission(config: &Config) -> Admission {
    Admission::new(ingest::Limits {
        connections: config.limits.connections,
        per_address: config.limits.connections_per_address,
        pending: config.limits.pending_connections,
    })
}

async fn listen(key: &str, address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(failed(format!("{key} {address}")))
}

fn play_router(origin: &Arc<Origin>, catalog: &Arc<Catalog>) -> axum::Router {
    let catalog = catalog.clone();
    let domain = move |host: Option<&str>| catalog.domain_of(host).map(|domain| domain.name().to_owned());
    origin.clone().router(Arc::new(domain))
}

async fn accept(listener: Listener, publishing: Publishing) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            incoming = listener.accept() => {
                connections.spawn(publishing.clone().connection(incoming));
            }
            Some(outcome) = connections.join_next() => {
                if let Err(error) = outcome && error.is_panic() {
                    metrics::counter!("millrace_panics_total").increment(1);
                    tracing::error!(%error, "an RTMP connection panicked; its stream lingers, others go on");
                }
            }
        }
    }
}

async fn sweep(origin: Arc<Origin>) {
    let mut interval = interval(SWEEP);
    loop {
        interval.tick().await;
        origin.sweep(clock::now());
    }
}
