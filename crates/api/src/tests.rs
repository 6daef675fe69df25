use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use base64::Engine as _;
use catalog::Catalog;
use control::{AccessKey, Control, Database, Source};
use dialect::policy::Policy;
use http_body_util::BodyExt as _;
use hub::{Hub, Settings, SlotId, World};
use media::{SessionId, StreamId, Wall};
use metrics_exporter_prometheus::PrometheusBuilder;
use output::{Effect, Memory};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::{Api, Readiness};

struct Nothing;

impl World for Nothing {
    fn now(&self) -> Wall {
        Wall(0)
    }
    fn open(&self, _: &StreamId) -> (SessionId, Memory) {
        (SessionId(7), Memory::new())
    }
    fn accept(&self, _: &StreamId, _: SessionId, effects: &mut Vec<(Option<SlotId>, Effect)>) {
        effects.clear();
    }
    fn closed(&self, _: &StreamId, _: SessionId) {}
}

async fn api() -> (Api, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/x.db", folder.path().display());
    let database = Database::open(&url).await.unwrap();
    let key = |id: &str, policy, active| AccessKey {
        id: id.into(),
        secret: "s:ecret".into(),
        token: None,
        policy,
        active,
        source: Source::File,
    };
    let nothing = Policy::parse(
        r#"{"Version": "1", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}"#,
    );
    let keys = vec![
        key("LTAI", Policy::Full, true),
        key("looks", Policy::Read, true),
        key("off", Policy::Full, false),
        key("document", nothing.unwrap(), true),
    ];
    let settings = control::Settings { keys, throttle: true, kick: Arc::new(|_| {}), clock: || Wall(0) };
    let (control, _) = Control::open(database, Catalog::default(), settings).await.unwrap();
    let api = Api {
        hub: Hub::new(Arc::new(Nothing), Settings { max_streams: 9 }),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
        readiness: Readiness::default(),
        control,
    };
    (api, folder)
}

async fn get(api: &Api, path: &str, basic: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(pair) = basic {
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
        request = request.header("authorization", format!("Basic {encoded}"));
    }
    api.clone().router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn health_follows_readiness_and_asks_for_no_key() {
    let (api, _folder) = api().await;
    assert_eq!(get(&api, "/healthz", None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    api.readiness.set(true);
    assert_eq!(get(&api, "/healthz", None).await.status(), StatusCode::OK);
    assert_eq!(get(&api, "/metrics", None).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn streams_are_shown_to_key_holders_only() {
    let (api, _folder) = api().await;
    for pair in [
        None,
        Some("LTAI:wrong"),
        Some("other:s:ecret"),
        Some("LTAI"),
        Some(":"),
        Some("off:s:ecret"),
        Some("document:s:ecret"),
    ] {
        let response = get(&api, "/api/streams", pair).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{pair:?}");
        assert!(response.headers().contains_key("www-authenticate"));
    }
    assert_eq!(get(&api, "/api/streams", Some("looks:s:ecret")).await.status(), StatusCode::OK);
    let response = get(&api, "/api/streams", Some("LTAI:s:ecret")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, r#"{"streams":[]}"#);
}

#[tokio::test]
async fn a_live_stream_is_listed_until_it_is_gone() {
    let (api, _folder) = api().await;
    let id = StreamId::parse("live.local", "live", "demo").unwrap();
    let mut live = api.hub.claim(&id, &[], Default::default()).await.unwrap();
    let owner = tokio::spawn(async move { live.interrupted().await });
    let listed = text(get(&api, "/api/streams", Some("LTAI:s:ecret")).await).await;
    assert!(listed.contains(r#""stream":"demo""#) && listed.contains(r#""live":true"#), "{listed}");
    let path = "/api/streams/live.local/live/demo";
    assert_eq!(get(&api, path, Some("LTAI:s:ecret")).await.status(), StatusCode::OK);
    api.hub.shutdown().await;
    owner.await.unwrap();
    assert_eq!(get(&api, path, Some("LTAI:s:ecret")).await.status(), StatusCode::NOT_FOUND);
}
