//! A service that takes objects into memory, refuses and breaks as a story tells it to.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use md5::{Digest, Md5};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What becomes of a request instead of the usual.
#[derive(Clone, Debug)]
pub enum Fate {
    /// This status, code and message.
    Refuse(u16, &'static str, &'static str),
    /// The same with a header.
    RefuseWith(u16, &'static str, (&'static str, &'static str)),
    /// The connection is cut after some bytes of the body.
    Cut,
    /// The body is taken, and no answer comes.
    Hang,
    /// The body is not even read.
    Ignore,
    /// The body is taken and acknowledged, and lost.
    Lose,
    /// The usual, a while later.
    Slow(Duration),
}

/// Says what becomes of request number n, counted from 0.
type Story = Box<dyn Fn(usize, &Asked) -> Option<Fate> + Send + Sync>;

/// A request as the service saw it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub host: String,
    pub headers: HashMap<String, String>,
}

#[derive(Default)]
pub struct State {
    pub asked: Vec<Asked>,
    pub objects: BTreeMap<String, Stored>,
    /// Of each part by number its bytes and its ETag, of an upload not complete.
    pub parts: BTreeMap<u32, (u64, String)>,
    /// Key of that upload.
    pub upload: Option<String>,
    pub aborted: usize,
    /// Of an upload that is not complete.
    pub mark: Option<String>,
    /// Requests with a body under way now, and the most there were.
    pub bodies: usize,
    pub most_bodies: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    pub len: u64,
    /// What was put in one piece.
    pub bytes: Vec<u8>,
    pub content_type: String,
    pub mark: Option<String>,
}

struct Service {
    state: Mutex<State>,
    changed: Notify,
    story: Story,
}

pub struct Mock {
    address: SocketAddr,
    service: Arc<Service>,
}

impl Mock {
    pub async fn start(story: impl Fn(usize, &Asked) -> Option<Fate> + Send + Sync + 'static) -> Mock {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, changed) = (Mutex::default(), Notify::new());
        let service = Arc::new(Service { state, changed, story: Box::new(story) });
        let serving = service.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serving.clone().connection(socket));
            }
        });
        Mock { address, service }
    }

    /// One that refuses everything.
    pub async fn refusing(status: u16, code: &'static str) -> Mock {
        Self::start(move |_, _| Some(Fate::Refuse(status, code, "because"))).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn look<T>(&self, at: impl FnOnce(&State) -> T) -> T {
        at(&self.service.state.lock().unwrap())
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.service.change(change)
    }

    /// Waits until the service has seen something.
    pub async fn until(&self, seen: impl Fn(&State) -> bool) {
        loop {
            let changed = self.service.changed.notified();
            if self.look(&seen) {
                return;
            }
            changed.await;
        }
    }
}

impl Service {
    async fn connection(self: Arc<Self>, socket: TcpStream) {
        let answer = service_fn(move |request| self.clone().answer(request));
        let _ =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), answer).await;
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let value = change(&mut self.state.lock().unwrap());
        self.changed.notify_waiters();
        value
    }

    /// An error closes the connection without an answer.
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, &'static str> {
        let asked = asked(&request);
        let number = self.change(|state| {
            state.asked.push(asked.clone());
            state.asked.len() - 1
        });
        let mut body = request.into_body();
        match (self.story)(number, &asked) {
            None => {}
            Some(Fate::Refuse(status, code, message)) => return Ok(refusal(status, code, message, None)),
            Some(Fate::RefuseWith(status, code, header)) => {
                return Ok(refusal(status, code, "", Some(header)));
            }
            Some(Fate::Cut) => {
                let _ = body.frame().await;
                return Err("cut");
            }
            Some(Fate::Hang) => {
                let _ = body.collect().await;
                return std::future::pending::<Result<_, _>>().await;
            }
            Some(Fate::Lose) => {
                let _ = body.collect().await;
                return Ok(acknowledged());
            }
            Some(Fate::Ignore) => return std::future::pending::<Result<_, _>>().await,
            Some(Fate::Slow(by)) => tokio::time::sleep(by).await,
        }
        Ok(self.usual(asked, body).await)
    }

    async fn usual(&self, asked: Asked, body: Incoming) -> Response<Full<Bytes>> {
        let has = |name: &str| asked.query.split('&').any(|pair| pair.split('=').next() == Some(name));
        if asked.method == Method::PUT {
            return self.take(&asked, body).await;
        }
        let _ = body.collect().await;
        if asked.method == Method::POST && has("uploads") {
            let mark = asked.headers.get("x-amz-meta-millrace").cloned();
            let key = asked.path.trim_start_matches("/live/").replace("%20", " ");
            self.change(|state| (state.mark, state.upload) = (mark, Some(key)));
            let id = "<InitiateMultipartUploadResult><UploadId>up</UploadId></InitiateMultipartUploadResult>";
            return Response::new(Full::from(id));
        }
        if asked.method == Method::POST {
            let len = self.change(|state| {
                let len = std::mem::take(&mut state.parts).into_values().map(|(len, _)| len).sum();
                let mark = state.mark.take();
                state.upload = None;
                state.objects.insert(asked.path.clone(), Stored { len, mark, ..Stored::default() });
                len
            });
            let done =
                format!("<CompleteMultipartUploadResult><ETag>{len}</ETag></CompleteMultipartUploadResult>");
            return Response::new(Full::from(done));
        }
        if asked.method == Method::DELETE && has("uploadId") {
            self.change(|state| {
                state.aborted += 1;
                state.parts.clear();
                state.upload = None;
            });
        }
        if asked.method == Method::GET && (has("uploads") || has("uploadId")) {
            return match has("uploads") || self.state.lock().unwrap().upload.is_some() {
                true => Response::new(Full::from(self.list(has("uploads")))),
                false => refusal(404, "NoSuchUpload", "", None),
            };
        }
        let found = self.change(|state| state.objects.get(&asked.path).cloned());
        match (asked.method, found) {
            (Method::HEAD, None) if asked.path.trim_end_matches('/').matches('/').count() > 1 => {
                status(404, Response::new(Full::default()))
            }
            (Method::HEAD, Some(object)) => {
                let mut answer = Response::builder().header("content-length", object.len);
                if let Some(mark) = &object.mark {
                    answer = answer.header("x-amz-meta-millrace", mark);
                }
                answer.body(Full::default()).unwrap()
            }
            (Method::DELETE, _) => {
                self.change(|state| state.objects.remove(&asked.path));
                status(204, Response::new(Full::default()))
            }
            _ => Response::new(Full::from("<ListAllMyBucketsResult/>")),
        }
    }

    /// The uploads that are not complete, or the parts of one.
    fn list(&self, uploads: bool) -> String {
        let state = self.state.lock().unwrap();
        if uploads {
            let upload = |key: &String| {
                format!(
                    "<Upload><Key>{key}</Key><UploadId>up</UploadId><Initiated>2026-11-20T13:20:00Z</Initiated></Upload>"
                )
            };
            let uploads: String = state.upload.iter().map(upload).collect();
            return format!("<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>");
        }
        let part = |(number, (len, etag)): (&u32, &(u64, String))| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag><Size>{len}</Size></Part>")
        };
        let parts: String = state.parts.iter().map(part).collect();
        format!("<ListPartsResult>{parts}</ListPartsResult>")
    }

    async fn take(&self, asked: &Asked, mut body: Incoming) -> Response<Full<Bytes>> {
        self.change(|state| {
            state.bodies += 1;
            state.most_bodies = state.most_bodies.max(state.bodies);
        });
        let (mut len, mut bytes, mut digest) = (0, Vec::new(), Md5::new());
        let part = asked.query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
        while let Some(Ok(frame)) = body.frame().await {
            let data = frame.into_data().unwrap_or_default();
            len += data.len() as u64;
            match part {
                None => bytes.extend_from_slice(&data),
                Some(_) => digest.update(&data),
            }
        }
        let etag: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let mark = asked.headers.get("x-amz-meta-millrace").cloned();
        let content_type = asked.headers.get("content-type").cloned().unwrap_or_default();
        let answer = Response::builder().header("etag", format!("\"{etag}\""));
        self.change(|state| {
            state.bodies -= 1;
            match part {
                Some(number) => drop(state.parts.insert(number.parse().unwrap(), (len, etag))),
                None => {
                    state.objects.insert(asked.path.clone(), Stored { len, bytes, content_type, mark });
                }
            }
        });
        answer.body(Full::default()).unwrap()
    }
}

fn acknowledged() -> Response<Full<Bytes>> {
    Response::builder().header("etag", "\"e\"").body(Full::default()).unwrap()
}

fn asked(request: &Request<Incoming>) -> Asked {
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
    let headers: HashMap<_, _> = headers.collect();
    Asked {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        host: headers.get("host").cloned().unwrap_or_default(),
        headers,
    }
}

fn refusal(
    code: u16,
    name: &str,
    message: &str,
    header: Option<(&'static str, &'static str)>,
) -> Response<Full<Bytes>> {
    let xml = format!("<Error><Code>{name}</Code><Message>{message}</Message></Error>");
    let mut answer = Response::new(Full::from(xml));
    if let Some((name, value)) = header {
        answer.headers_mut().insert(name, value.parse().unwrap());
    }
    status(code, answer)
}

fn status(code: u16, mut answer: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}
