//! One request on one connection: callbacks are few, and a connection that was kept is one more thing to go wrong.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use media::Wall;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::{ANSWER, Method, Reply, address, sign};
use crate::store::BoxFuture;

/// Who calls.
const AGENT: &str = concat!("Millrace/", env!("CARGO_PKG_VERSION"));

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No request can be made of the URL.
    #[error("{0:?} is no http or https URL")]
    Url(String),
    /// The host has only private addresses, and they are refused.
    #[error("{0} has no address but private ones, which [callbacks] deny_private refuses")]
    Private(String),
    /// The host has no address, or nobody is there.
    #[error("{host}: {error}")]
    Unreachable {
        /// Host of the URL.
        host: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The connection broke, or what came was no HTTP.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// It was not even called: the post had waited too long behind others.
    #[error("not called: it waited for two days behind others")]
    Stale,
    /// It took too long.
    #[error("no answer within {0:?}")]
    Late(Duration),
}

/// A request that is ready to go.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub method: Method,
    url: String,
    host: String,
    port: u16,
    tls: bool,
    path: String,
    authority: String,
    pub body: String,
    at: Wall,
    signature: Option<String>,
}

impl Call {
    /// A call at `at`, signed if there is a key.
    pub fn new(method: Method, url: &str, body: &str, key: Option<&str>, at: Wall) -> Result<Self, Error> {
        let url = match method {
            Method::Get if !body.is_empty() => with_query(url, body),
            _ => url.to_owned(),
        };
        let wrong = || Error::Url(url.clone());
        // A fragment is not for the receiver (RFC 3986 §3.5).
        let uri: Uri = url.split('#').next().unwrap_or_default().parse().map_err(|_| wrong())?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let authority = authority.as_str().rsplit('@').next().unwrap_or_default().to_owned();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let signature = key.map(|key| sign(&host, at, key));
        let body = if method == Method::Post { body.to_owned() } else { String::new() };
        Ok(Self { method, host, port, tls, path, authority, body, at, signature, url: url.clone() })
    }

    /// What goes over the wire, without the signature.
    pub fn text(&self) -> String {
        let Self { path, authority, body, at, .. } = self;
        let verb = self.verb();
        let mut text = format!("{verb} {path} HTTP/1.1\nhost: {authority}\nuser-agent: {AGENT}\n");
        if self.method == Method::Post {
            text += "content-type: application/json\n";
        }
        if self.signature.is_some() {
            text += &format!("ali-live-timestamp: {}\n", at.unix_seconds());
        }
        format!("{text}\n{body}")
    }

    fn verb(&self) -> &'static str {
        match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, Error> {
        let mut request = Request::builder()
            .method(self.verb())
            .uri(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::USER_AGENT, AGENT)
            .header(header::CONNECTION, "close");
        if self.method == Method::Post {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(signature) = &self.signature {
            request = request
                .header("ALI-LIVE-TIMESTAMP", self.at.unix_seconds())
                .header("ALI-LIVE-SIGNATURE", signature);
        }
        let body = Full::from(Bytes::copy_from_slice(self.body.as_bytes()));
        request.body(body).map_err(|_| Error::Url(self.url.clone()))
    }

    fn unreachable(&self, error: io::Error) -> Error {
        Error::Unreachable { host: self.host.clone(), error }
    }
}

/// `query` behind the one that `url` may have.
fn with_query(url: &str, query: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let between = match url.split_once('?') {
        None => "?",
        Some((_, before)) if before.is_empty() || before.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{url}{between}{query}")
}

/// Something that makes calls.
pub(super) trait Transport: Send + Sync {
    /// Makes a call, within its own time.
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Error>>;
}

/// Makes calls over the network.
pub(super) struct Client {
    tls: TlsConnector,
    deny_private: bool,
    timeout: Duration,
}

impl Client {
    pub fn new(deny_private: bool, timeout: Duration) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificates = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(certificates.certs);
        if roots.is_empty() {
            tracing::warn!(errors = ?certificates.errors, "the system has no root certificates: no https callback is made");
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { tls: Arc::new(config).into(), deny_private, timeout })
    }

    /// Leaves in `reply` what there is of it.
    async fn call(&self, call: &Call, reply: &mut Option<Reply>) -> Result<(), Error> {
        let stream = self.connect(call).await?;
        if !call.tls {
            return exchange(stream, call, reply).await;
        }
        let name = ServerName::try_from(call.host.clone()).map_err(|_| Error::Url(call.url.clone()))?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| call.unreachable(error))?;
        exchange(stream, call, reply).await
    }

    /// The addresses are checked that are connected to: what a name meant before is nobody's promise.
    async fn connect(&self, call: &Call) -> Result<TcpStream, Error> {
        let found = lookup_host((call.host.as_str(), call.port)).await;
        let found = found.map_err(|error| call.unreachable(error))?;
        let allowed: Vec<SocketAddr> =
            found.filter(|at| !self.deny_private || !address::is_private(at.ip())).collect();
        if allowed.is_empty() {
            return Err(Error::Private(call.host.clone()));
        }
        TcpStream::connect(allowed.as_slice()).await.map_err(|error| call.unreachable(error))
    }
}

impl Transport for Client {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Error>> {
        Box::pin(async move {
            let mut begun = None;
            match timeout(self.timeout, self.call(&call, &mut begun)).await {
                Ok(Ok(())) => begun.ok_or(Error::Late(self.timeout)),
                // The status is the answer, whatever became of the words behind it.
                Ok(Err(error)) => begun.ok_or(error),
                Err(_) => begun.ok_or(Error::Late(self.timeout)),
            }
        })
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    call: &Call,
    reply: &mut Option<Reply>,
) -> Result<(), Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = call.request()?;
    let mut answer = pin!(async {
        let response = sender.send_request(request).await?;
        let reply = reply.insert(Reply { status: response.status().as_u16(), body: Bytes::new() });
        beginning(response.into_body(), &mut reply.body).await
    });
    tokio::select! {
        answer = &mut answer => answer,
        // What came before its end is still to be read.
        _ = connection => answer.await,
    }
}

/// The first [`ANSWER`] bytes, as far as they came.
async fn beginning(mut body: Incoming, read: &mut Bytes) -> Result<(), Error> {
    let mut bytes = BytesMut::new();
    while bytes.len() < ANSWER
        && let Some(frame) = body.frame().await
    {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
            bytes.truncate(ANSWER);
            *read = Bytes::copy_from_slice(&bytes);
        }
    }
    Ok(())
}
