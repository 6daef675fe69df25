//! Our own accept loop for HTTP/1.1 and HTTP/2 with prior knowledge: axum's has no timeouts and no caps.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use origin::Site;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// Largest request head in bytes (design §10).
const MAX_HEAD: usize = 32 << 10;
/// A connection must have sent its first whole request by then (design §10).
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// A kept connection may idle this long (design §10).
const IDLE: Duration = Duration::from_secs(60);
/// A client that takes no byte of a pending answer for this long is gone.
const STALLED: Duration = Duration::from_secs(10);
/// Streams of one HTTP/2 connection.
const MAX_H2_STREAMS: u32 = 128;
/// Pause after a failed accept, so that running out of descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An HTTP port and what answers on it.
pub(crate) struct Http {
    pub(crate) listener: TcpListener,
    pub(crate) answers: Answers,
    /// Connections at once; beyond, they wait in the kernel's backlog.
    pub(crate) max_connections: usize,
    /// The certificate, of a port that speaks TLS.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// What answers requests.
#[derive(Clone)]
pub(crate) enum Answers {
    /// Players.
    Playback(Site),
    /// The control plane.
    Control(Router),
}

impl Answers {
    async fn answer(&self, request: Request<Incoming>, from: api::Connection) -> Response<Body> {
        if head_length(&request) > MAX_HEAD {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return response;
        }
        match self {
            Self::Playback(site) => site.answer(request, from.peer.ip()).await,
            // In a box: a waiting player need not hold what that one holds.
            Self::Control(router) => match Box::pin(control(router.clone(), request, from)).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        }
    }
}

async fn control(
    router: Router,
    request: Request<Incoming>,
    from: api::Connection,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(from);
    request.extensions_mut().insert(ConnectInfo(from.peer));
    router.oneshot(request).await
}

/// hyper's own limit is one of its buffer, which is larger: what fits there and is over ours is refused by us.
fn head_length(request: &Request<Incoming>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    target + fields.sum::<usize>()
}

impl Http {
    /// Serves until `shutdown` turns true, then lets running requests finish.
    pub(crate) async fn serve(self, mut shutdown: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.max_connections));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = next(&self.listener, &places) => accepted,
                Some(_) = connections.join_next() => continue,
                _ = shutdown.wait_for(|down| *down) => break,
            };
            let (socket, peer, place) = accepted;
            let (answers, shutdown, tls) = (self.answers.clone(), shutdown.clone(), self.tls.clone());
            connections.spawn(async move {
                // Head and body of an answer leave in one write; Nagle would hold the last piece of a segment back.
                let _ = socket.set_nodelay(true);
                let socket = Patient { socket, stalled: None };
                match tls {
                    None => {
                        connection(socket, api::Connection { peer, secure: false }, answers, shutdown).await
                    }
                    Some(tls) => secure_connection(socket, peer, &tls, answers, shutdown).await,
                }
                drop(place);
            });
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }
}

async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<tokio::sync::OwnedSemaphorePermit>) {
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => return (socket, peer, place),
            Err(error) => {
                tracing::warn!(%error, "HTTP accept failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A connection over TLS. Its handshake counts as part of the first request.
async fn secure_connection(
    socket: Patient,
    peer: SocketAddr,
    tls: &TlsAcceptor,
    answers: Answers,
    shutdown: watch::Receiver<bool>,
) {
    match timeout(FIRST_REQUEST, tls.accept(socket)).await {
        Ok(Ok(socket)) => connection(socket, api::Connection { peer, secure: true }, answers, shutdown).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
    }
}

async fn connection(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: api::Connection,
    answers: Answers,
    mut shutdown: watch::Receiver<bool>,
) {
    let peer = from.peer;
    let served = Arc::new(AtomicBool::new(false));
    let seen = served.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        seen.store(true, Ordering::Relaxed);
        let answers = answers.clone();
        async move { Ok::<_, Infallible>(answers.answer(request, from).await) }
    });
    let builder = builder();
    let connection = builder.serve_connection(TokioIo::new(socket), service);
    tokio::pin!(connection);
    let first = sleep(FIRST_REQUEST);
    tokio::pin!(first);
    let mut waiting = true;
    loop {
        tokio::select! {
            biased;
            outcome = connection.as_mut() => {
                if let Err(error) = outcome {
                    tracing::debug!(%peer, %error, "HTTP connection ended");
                }
                return;
            }
            () = first.as_mut(), if waiting => {
                waiting = false;
                if !served.load(Ordering::Relaxed) {
                    tracing::debug!(%peer, "HTTP connection closed: no request in time");
                    return;
                }
            }
            _ = shutdown.wait_for(|down| *down) => break,
        }
    }
    connection.as_mut().graceful_shutdown();
    if let Err(error) = connection.await {
        tracing::debug!(%peer, %error, "HTTP connection ended");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(MAX_HEAD.max(64 << 10));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_H2_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .keep_alive_interval(Some(IDLE));
    builder
}

/// A socket whose writes fail once the other side has taken nothing for [`STALLED`].
struct Patient {
    socket: TcpStream,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn watch<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let stalled =
            self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + STALLED)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.watch(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.watch(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
