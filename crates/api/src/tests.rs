use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use base64::Engine as _;
use catalog::{Catalog, Declared, DomainRaw, Storage};
use control::{AccessKey, Control, Database, Source};
use dialect::policy::Policy;
use http_body_util::BodyExt as _;
use hub::{Hub, Publisher, SlotId, World};
use media::{SessionId, StreamId, Wall};
use metrics_exporter_prometheus::PrometheusBuilder;
use output::{Effect, Memory};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{Api, Connection, Readiness, Settings};

mod archive;
mod objects;

const NOW: Wall = Wall(1_795_161_600_000_000);
const BASIC: &str = "LTAI:s:ecret";

struct Nothing;

impl World for Nothing {
    fn now(&self) -> Wall {
        NOW
    }
    fn open(&self, _: &StreamId) -> (SessionId, Memory) {
        (SessionId(7), Memory::new())
    }
    fn accept(&self, _: &StreamId, _: SessionId, effects: &mut Vec<(Option<SlotId>, Effect)>) {
        effects.clear();
    }
    fn closed(&self, _: &StreamId, _: SessionId) {}
}

fn key(id: &str, secret: &str, policy: &str) -> AccessKey {
    let policy = Policy::parse(policy).unwrap();
    AccessKey {
        id: id.into(),
        secret: secret.into(),
        token: Some(format!("t-{id}")),
        policy,
        active: true,
        source: Source::File,
    }
}

fn catalog() -> Catalog {
    let domain = DomainRaw { name: Some("live.local".into()), default: true, ..DomainRaw::default() };
    let storage =
        Storage { name: "oss-local".into(), endpoints: Vec::new(), buckets: Some(vec!["b".into()]) };
    let declared = Declared { domains: vec![domain], storages: vec![storage], ..Declared::default() };
    Catalog::build(declared).unwrap().0
}

/// A control plane and the folder of its database.
struct Server {
    api: Api,
    folder: tempfile::TempDir,
}

impl Server {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/control.db", folder.path().display());
        let elsewhere = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"millrace:*",
            "Resource":"acs:cdn:*:1:domain/*"}]}"#;
        let mut off = key("off", "secret", "full");
        off.active = false;
        let keys = vec![
            key("LTAI", "s:ecret", "full"),
            key("read", "secret", "read"),
            key("some", "secret", elsewhere),
            off,
        ];
        let settings = control::Settings {
            keys,
            throttle: true,
            kick: Arc::new(|_| {}),
            has_bucket: Arc::new(|_| Box::pin(async { None })),
            order: Arc::new(archive::order),
            put: Arc::new(|_| Box::pin(async { Ok(()) })),
            delete: Arc::new(|_| Box::pin(async { Ok(()) })),
            clock: || NOW,
        };
        let database = Database::open(&url).await.unwrap();
        let (control, notices) = Control::open(database, catalog(), settings).await.unwrap();
        assert!(notices.is_empty(), "{notices:?}");
        let api = Api {
            hub: Hub::new(Arc::new(Nothing), hub::Settings { max_streams: 9 }),
            control,
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            readiness: Readiness::default(),
            viewers: Arc::new(|_| 3),
            deliveries: Arc::new(|_| Vec::new()),
            objects: archive::objects(folder.path()),
            settings: Arc::new(Settings { project_id: "default".into(), account_id: "1".into() }),
            clock: || NOW,
        };
        Self { api, folder }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        let mut request = request;
        let peer = SocketAddr::from(([192, 0, 2, 7], 9));
        request.extensions_mut().insert(Connection { peer, secure: false });
        self.api.clone().router().oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str, basic: Option<&str>) -> Response<Body> {
        let mut request = Request::get(path);
        if let Some(pair) = basic {
            request = request.header("authorization", authorization(pair));
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A request to Huawei's snapshot templates.
    async fn huawei(&self, method: &str, token: &str, query: &str, body: &Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/default/stream/snapshot{query}"))
            .header("x-auth-token", token)
            .body(body)
            .unwrap();
        let response = self.send(request).await;
        assert!(response.headers().contains_key("x-request-id"));
        (response.status(), json_of(response).await)
    }
}

fn authorization(pair: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// The body as JSON; null when it is empty.
async fn json_of(response: Response<Body>) -> Value {
    let text = text(response).await;
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
}

fn template() -> Value {
    json!({
        "domain": "live.local",
        "app_name": "live",
        "time_interval": 5,
        "obs_location": { "bucket": "b", "location": "oss-local", "object": "o" },
    })
}

#[tokio::test]
async fn health_follows_readiness_and_asks_for_no_key() {
    let server = Server::new().await;
    assert_eq!(server.get("/healthz", None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    server.api.readiness.set(true);
    assert_eq!(server.get("/healthz", None).await.status(), StatusCode::OK);
    assert_eq!(server.get("/metrics", None).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn health_ends_when_the_database_is_gone_and_comes_back_with_it() {
    let server = Server::new().await;
    server.api.readiness.set(true);
    let following = tokio::spawn(server.api.control.clone().follow_database());
    let mut answers = server.api.control.answers();
    let (database, aside) = (server.folder.path().join("control.db"), server.folder.path().join("aside"));
    std::fs::rename(&database, &aside).unwrap();
    answers.wait_for(|answers| !answers).await.unwrap();
    let response = server.get("/healthz", None).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text(response).await, "the database does not answer\n");
    std::fs::rename(&aside, &database).unwrap();
    answers.wait_for(|answers| *answers).await.unwrap();
    assert_eq!(server.get("/healthz", None).await.status(), StatusCode::OK);
    following.abort();
}

#[tokio::test]
async fn the_api_is_shown_to_key_holders_only() {
    let server = Server::new().await;
    for path in ["/api/streams", "/api/streams/live.local/live/x", "/api/audit", "/api/openapi.json"] {
        for pair in
            [None, Some("LTAI:wrong"), Some("other:s:ecret"), Some("LTAI"), Some(":"), Some("off:secret")]
        {
            let response = server.get(path, pair).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path} {pair:?}");
            assert!(response.headers().contains_key("www-authenticate"));
            let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
            let body = json_of(response).await;
            assert_eq!((&body["code"], &body["request_id"]), (&json!("Unauthorized"), &json!(id)));
        }
    }
    let response = server.get("/api/streams", Some(BASIC)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, r#"{"streams":[]}"#);
}

#[tokio::test]
async fn a_policy_is_about_actions_and_domains() {
    let server = Server::new().await;
    for (path, read, some) in [
        ("/api/streams", StatusCode::OK, StatusCode::FORBIDDEN),
        ("/api/audit", StatusCode::OK, StatusCode::FORBIDDEN),
        ("/api/streams/live.local/live/x", StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
    ] {
        assert_eq!(server.get(path, Some("read:secret")).await.status(), read, "{path}");
        assert_eq!(server.get(path, Some("some:secret")).await.status(), some, "{path}");
    }
}

#[tokio::test]
async fn a_live_stream_is_described_until_it_is_gone() {
    let server = Server::new().await;
    let id = StreamId::parse("live.local", "live", "demo").unwrap();
    let mut live = server.api.hub.claim(&id, &[], Default::default()).await.unwrap();
    live.introduce(Publisher {
        host: Some("push.live.local".into()),
        client: SocketAddr::from(([192, 0, 2, 9], 5)),
        agent: "FMLE/3.0".into(),
        since: NOW,
    });
    let owner = tokio::spawn(async move { live.interrupted().await });
    let path = "/api/streams/live.local/live/demo";
    let stream = json_of(server.get(path, Some(BASIC)).await).await;
    assert_eq!(
        stream,
        json!({
            "domain": "live.local", "app": "live", "stream": "demo", "session": stream["session"],
            "live": true, "opened_ms": NOW.0 / 1_000, "last_media_ms": null, "runs": 0, "viewers": 3,
            "publisher": { "address": "192.0.2.9:5", "agent": "FMLE/3.0", "since_ms": NOW.0 / 1_000 },
            "tracks": [], "outputs": [],
        })
    );
    let list = json_of(server.get("/api/streams", Some(BASIC)).await).await;
    assert_eq!(list, json!({ "streams": [stream] }));
    server.api.hub.shutdown().await;
    owner.await.unwrap();
    let response = server.get(path, Some(BASIC)).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(json_of(response).await["code"], "StreamNotFound");
}

#[tokio::test]
async fn every_path_of_the_openapi_document_is_answered() {
    let server = Server::new().await;
    let document = json_of(server.get("/api/openapi.json", Some(BASIC)).await).await;
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 5);
    for (path, methods) in paths {
        let response = server.get(&path.replace(['{', '}'], ""), Some(BASIC)).await;
        let documented = &methods["get"]["responses"];
        assert!(documented.get(response.status().as_str()).is_some(), "{path} {}", response.status());
        assert_ne!(json_of(response).await["code"], "NotFound", "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_with_a_request_id() {
    let server = Server::new().await;
    for (method, path, status, code) in [
        ("GET", "/nothing", 404, "NotFound"),
        ("GET", "/api/nothing", 404, "NotFound"),
        ("DELETE", "/api/streams", 405, "MethodNotAllowed"),
    ] {
        let request =
            Request::builder().method(method).uri(path).header("authorization", authorization(BASIC));
        let response = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{method} {path}");
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body = json_of(response).await;
        assert_eq!((&body["code"], &body["request_id"]), (&json!(code), &json!(id)));
    }
}

#[tokio::test]
async fn a_change_is_in_the_log_of_changes_with_who_and_what() {
    let server = Server::new().await;
    let (status, _) = server.huawei("POST", "t-LTAI", "", &template()).await;
    assert_eq!(status, StatusCode::CREATED);
    let changes = json_of(server.get("/api/audit?limit=1", Some(BASIC)).await).await["changes"].clone();
    let change = &changes[0];
    assert_eq!(
        (&change["key_id"], &change["address"], &change["action"], &change["at_ms"]),
        (&json!("LTAI"), &json!("192.0.2.7"), &json!("live:snapshot:createRule"), &json!(NOW.0 / 1_000))
    );
    assert!(change["changed"].as_str().unwrap().contains("live.local"), "{change}");
    for limit in ["0", "1001", "x", "-1", "1&limit=2", "1&other=2"] {
        let response = server.get(&format!("/api/audit?limit={limit}"), Some(BASIC)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{limit}");
        assert_eq!(json_of(response).await["code"], "InvalidParameter");
    }
}

#[tokio::test]
async fn a_token_may_what_its_key_may() {
    let server = Server::new().await;
    let none = Value::Null;
    let (status, list) = server.huawei("GET", "t-read", "?domain=live.local", &none).await;
    assert_eq!((status, &list["total"]), (StatusCode::OK, &json!(0)));
    for (method, token, code) in [
        ("POST", "t-read", "LIVE.100011003"),
        ("POST", "t-off", "LIVE.100011002"),
        ("GET", "", "LIVE.100011002"),
        ("GET", "LTAI", "LIVE.100011002"),
    ] {
        let (status, body) = server.huawei(method, token, "?domain=live.local", &template()).await;
        assert_eq!(
            (status, &body["error_code"]),
            (StatusCode::UNAUTHORIZED, &json!(code)),
            "{method} {token}"
        );
    }
}

#[tokio::test]
async fn more_requests_than_the_rate_are_throttled_per_operation() {
    let server = Server::new().await;
    let none = Value::Null;
    for _ in 0..30 {
        assert_eq!(server.huawei("GET", "t-LTAI", "?domain=x", &none).await.0, StatusCode::OK);
    }
    // The bucket is the account's, whatever the key.
    let (status, body) = server.huawei("GET", "t-read", "?domain=x", &none).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (500, &json!("LIVE.100011007")));
    assert_eq!(server.huawei("POST", "t-LTAI", "", &template()).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn an_rpc_call_is_answered_in_the_clouds_words_whatever_is_wrong() {
    let server = Server::new().await;
    for (method, length, status, code) in [
        ("GET", 0, 400, "MissingParameter"),
        ("POST", 1 << 20, 400, "MissingParameter"),
        ("POST", (1 << 20) + 1, 413, "RequestEntityTooLarge"),
        ("PUT", 0, 400, "UnsupportedHTTPMethod"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri("/?Action=DescribeLiveUserDomains&Format=JSON")
            .header("content-type", "application/octet-stream")
            .body(Body::from(vec![b'x'; length]))
            .unwrap();
        let response = server.send(request).await;
        assert_eq!(response.status().as_u16(), status, "{method} {length}");
        let id = response.headers()["x-acs-request-id"].to_str().unwrap().to_owned();
        let body = json_of(response).await;
        assert_eq!((&body["Code"], &body["RequestId"]), (&json!(code), &json!(id)), "{method} {length}");
    }
}
