//! Start and stop: introduces the crates to each other, and takes them apart in the right order.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use api::{Api, Readiness};
use control::{Control, Database, HasBucket};
use delivery::{Delivery, S3Store};
use ffmpeg::Pictures;
use hub::Hub;
use ingest::{Admission, Listener, Pace};
use metrics_exporter_prometheus::PrometheusHandle;
use origin::Origin;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::http::Http;
use crate::ledger::Ledger;
use crate::publishing::Publishing;
use crate::world::{NoRegistry, Outside};
use crate::{clock, telemetry, tls};
use server::config::{Config, Stores};

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
    /// The database.
    #[error(transparent)]
    Database(#[from] control::Error),
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
        let data = &config.server.data_dir;
        std::fs::create_dir_all(data).map_err(failed(format!("data_dir {}", data.display())))?;
        let stores = config.stores(clock::now).map_err(failed("storage"))?;
        let services = stores.services.clone();
        let outside = Arc::new(outside(&config, stores)?);
        let hub = Hub::new(outside.clone(), hub::Settings { max_streams: config.limits.streams });
        let control = control(&config, &hub, services.clone()).await?;

        let rtmp = Listener::bind(config.rtmp.listen, admission(&config))
            .map_err(failed(format!("rtmp.listen {}", config.rtmp.listen)))?;
        let (ports, bound) = Ports::bind(&config).await?;
        let readiness = Readiness::default();
        let (watched, stored) = (outside.origin.clone(), outside.clone());
        let api = Api {
            hub: hub.clone(),
            control: control.clone(),
            metrics: metrics.clone(),
            readiness: readiness.clone(),
            viewers: Arc::new(move |stream| watched.viewers(stream)),
            deliveries: Arc::new(move |session| stored.delivery.status(session)),
            settings: Arc::new(api::Settings {
                project_id: config.api.project_id.clone(),
                account_id: config.api.account_id.clone(),
            }),
            clock: clock::now,
        };
        let (http_down, shutdown) = watch::channel(false);
        let http = ports.serve(play_router(&outside.origin, &control), api.router(), &shutdown);
        let rtmp_bound = rtmp.local_addr().map_err(failed("rtmp.listen"))?;

        let mut background = JoinSet::new();
        let publishing = Publishing {
            hub: hub.clone(),
            control: control.clone(),
            pace: Pace::default(),
            limits: rtmp::Limits::default(),
            origin: outside.origin.clone(),
            max_window_bytes: config.limits.window_bytes,
        };
        background.spawn(accept(rtmp, publishing));
        background.spawn(sweep(outside.clone()));
        background.spawn(outside.ledger.clone().write_behind());
        background.spawn(control.clone().follow_database());
        background.spawn(telemetry::upkeep(metrics));
        // A store that is away keeps nobody from publishing.
        services.into_iter().for_each(|service| drop(background.spawn(service.watch())));
        readiness.set(true);
        bound.announce(rtmp_bound);
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
        if left.windows > 0 {
            tracing::warn!(streams = left.windows, "not every live stream ended in its bucket in time");
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

/// Opens the database, and makes sure that somebody has a key to it all.
async fn control(config: &Config, hub: &Hub, services: Vec<S3Store>) -> Result<Control, Error> {
    let database = Database::open(&config.database.url).await?;
    let keys = config.access_keys().map_err(failed("access_key"))?;
    if keys.is_empty()
        && let Some(key) = database.first_key(&config.server.data_dir, clock::now()).await?
    {
        // Once, to the terminal and not to the log: a log is kept and read by others.
        eprintln!("access key (kept in data_dir): id {} secret {}", key.id, key.secret);
    }
    let hub = hub.clone();
    let kick = move |stream| {
        let hub = hub.clone();
        tokio::spawn(async move { hub.kick(&stream).await });
    };
    let throttle = config.api.throttle;
    let settings = control::Settings {
        keys,
        throttle,
        kick: Arc::new(kick),
        has_bucket: has_bucket(services),
        clock: clock::now,
    };
    let (control, notices) = Control::open(database, config.catalog.clone(), settings).await?;
    for notice in notices {
        tracing::warn!("{notice}");
    }
    Ok(control)
}

/// Whether a service has a bucket. Other storages have what the config says.
fn has_bucket(services: Vec<S3Store>) -> HasBucket {
    let services: Arc<[S3Store]> = services.into();
    Arc::new(move |bucket| {
        let service = services.iter().find(|service| service.name() == &*bucket.storage).cloned();
        Box::pin(async move {
            let asked = service?.has_bucket(&bucket.name).await;
            asked
                .inspect_err(
                    |error| tracing::warn!(storage = &*bucket.storage, %error, "bucket not looked up"),
                )
                .ok()
        })
    })
}

fn outside(config: &Config, stores: Stores) -> Result<Outside, Error> {
    let data = &config.server.data_dir;
    let settings = delivery::Settings {
        spool: data.join("spool"),
        dead_letter: data.join("dead-letter"),
        memory_bytes: config.limits.delivery_bytes,
        spool_bytes: config.limits.spool_bytes,
        spool_free_bytes: config.limits.spool_free_bytes,
    };
    let workers = NonZeroUsize::new(config.limits.picture_workers).unwrap_or(NonZeroUsize::MIN);
    // What an earlier run left open stays as it is until somebody goes on with it.
    let (delivery, _) =
        Delivery::open(settings, stores.all, Arc::new(NoRegistry)).map_err(failed("spool"))?;
    Ok(Outside {
        delivery,
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

/// The HTTP ports, bound.
struct Ports {
    play: TcpListener,
    control: TcpListener,
    secure: Option<Secure>,
    max_connections: usize,
}

/// Their variants over TLS.
struct Secure {
    play: TcpListener,
    control: TcpListener,
    tls: TlsAcceptor,
}

/// Where they are, which a port of 0 leaves to the system.
struct Bound {
    http: SocketAddr,
    api: SocketAddr,
    /// Playback and control over TLS.
    secure: Option<(SocketAddr, SocketAddr)>,
}

impl Ports {
    async fn bind(config: &Config) -> Result<(Self, Bound), Error> {
        let (play, http) = listen("http.listen", config.http.listen).await?;
        let (control, api) = listen("api.listen", config.api.listen).await?;
        let max_connections = config.limits.http_connections;
        let mut bound = Bound { http, api, secure: None };
        let mut ports = Self { play, control, secure: None, max_connections };
        if let Some(files) = &config.tls {
            let tls = tls::acceptor(files).map_err(failed("tls"))?;
            let (play, https) = listen("http.tls_listen", config.http.tls_listen).await?;
            let (control, api_tls) = listen("api.tls_listen", config.api.tls_listen).await?;
            bound.secure = Some((https, api_tls));
            ports.secure = Some(Secure { play, control, tls });
        }
        Ok((ports, bound))
    }

    fn serve(self, play: axum::Router, control: axum::Router, down: &watch::Receiver<bool>) -> JoinSet<()> {
        let Self { max_connections, .. } = self;
        let mut http = JoinSet::new();
        let mut spawn = |listener, router: &axum::Router, tls| {
            let router = router.clone();
            http.spawn(Http { listener, router, max_connections, tls }.serve(down.clone()));
        };
        spawn(self.play, &play, None);
        spawn(self.control, &control, None);
        if let Some(secure) = self.secure {
            spawn(secure.play, &play, Some(secure.tls.clone()));
            spawn(secure.control, &control, Some(secure.tls));
        }
        http
    }
}

impl Bound {
    /// Says that the server is ready, and where.
    fn announce(&self, rtmp: SocketAddr) {
        let Self { http, api, secure } = self;
        let https = secure.map(|(https, _)| tracing::field::display(https));
        let api_tls = secure.map(|(_, api)| tracing::field::display(api));
        tracing::info!(%rtmp, %http, %api, https, api_tls, version = env!("CARGO_PKG_VERSION"), "ready");
    }
}

async fn listen(key: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let what = format!("{key} {address}");
    let listener = TcpListener::bind(address).await.map_err(failed(&what))?;
    let bound = listener.local_addr().map_err(failed(what))?;
    Ok((listener, bound))
}

fn play_router(origin: &Arc<Origin>, control: &Control) -> axum::Router {
    let control = control.clone();
    let domain =
        move |host: Option<&str>| control.catalog().domain_of(host).map(|domain| domain.name().to_owned());
    origin.clone().router(Arc::new(domain), Arc::new(clock::now))
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

async fn sweep(outside: Arc<Outside>) {
    let mut interval = interval(SWEEP);
    loop {
        interval.tick().await;
        let now = clock::now();
        outside.origin.sweep(now);
        outside.delivery.sweep(now);
    }
}
