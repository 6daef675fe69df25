//! The HTTP ports: playback and control, each in the clear and over TLS.

use std::net::SocketAddr;

use origin::Site;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::http::{Answers, Http};
use crate::run::{Error, failed};
use crate::tls;
use server::config::Config;

/// The HTTP ports, bound.
pub(crate) struct Ports {
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
pub(crate) struct Bound {
    http: SocketAddr,
    api: SocketAddr,
    /// Playback and control over TLS.
    secure: Option<(SocketAddr, SocketAddr)>,
}

impl Ports {
    /// Binds every port that the config names.
    pub(crate) async fn bind(config: &Config) -> Result<(Self, Bound), Error> {
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

    /// Serves them until `down` says so.
    pub(crate) fn serve(
        self,
        play: Site,
        control: axum::Router,
        down: &watch::Receiver<bool>,
    ) -> JoinSet<()> {
        let (play, control) = (Answers::Playback(play), Answers::Control(control));
        let Self { max_connections, .. } = self;
        let mut http = JoinSet::new();
        let mut spawn = |listener, answers: &Answers, tls| {
            let answers = answers.clone();
            http.spawn(Http { listener, answers, max_connections, tls }.serve(down.clone()));
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
    pub(crate) fn announce(&self, rtmp: SocketAddr) {
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
