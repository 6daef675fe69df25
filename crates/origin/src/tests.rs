use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use media::{StreamId, Wall};
use output::{Playlist, Resource, Window};

use crate::Origin;

mod waiting;

/// 2023-11-14T12:00:00Z.
const NOON: Wall = Wall(1_699_963_200_000_000);
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PLAYLIST: &str = "application/vnd.apple.mpegurl";

fn stream() -> StreamId {
    StreamId::parse("live.local", "live", "cam").unwrap()
}

fn playlist(text: &str) -> Resource {
    let body = Arc::from([Bytes::copy_from_slice(text.as_bytes())]);
    Resource { content_type: PLAYLIST, body, immutable: false }
}

/// A playlist that nobody waits for.
fn plain(full: Resource) -> Playlist {
    Playlist { full, delta: None, edge: None }
}

fn window() -> Window {
    let body = Arc::from([Bytes::from_static(b"0123"), Bytes::from_static(b"456789")]);
    let segment = Resource { content_type: "video/mp4", body, immutable: true };
    Window {
        multivariant: Some(playlist(&"#EXTM3U\n".repeat(50))),
        resources: vec![("v7.m4s".into(), segment)],
        playlists: vec![("video.m3u8".into(), plain(playlist("#EXTM3U\n")))],
        target_duration_s: 4,
        next_sequence: 8,
        ..Window::default()
    }
}

fn origin() -> Arc<Origin> {
    let origin = Arc::new(Origin::default());
    origin.publish(stream(), Some(Arc::new(window())));
    origin
}

async fn send(request: Request<Body>) -> Response<Body> {
    let domain = |host: Option<&str>| match host {
        Some("play.local" | "::1" | "[::1]") => Some("live.local".to_owned()),
        _ => None,
    };
    origin().site(Arc::new(domain), Arc::new(|| NOON)).answer(request, PEER).await
}

async fn get(path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    send(request(Method::GET, path, headers)).await
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "play.local:8080");
    }
    headers.iter().fold(request, |r, (name, value)| r.header(*name, *value)).body(Body::empty()).unwrap()
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn body(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn playlists_are_kept_no_longer_than_they_are_true() {
    for (path, cache) in
        [("/live/cam.m3u8", "public, max-age=4"), ("/live/cam/video.m3u8", "public, max-age=2")]
    {
        let response = get(path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "content-type"), PLAYLIST);
        assert_eq!(header(&response, "cache-control"), cache, "packaging-rules L-27");
        assert!(body(response).await.starts_with(b"#EXTM3U\n"));
    }
}

#[tokio::test]
async fn segments_have_a_length_and_may_be_kept() {
    let response = get("/live/cam/v7.m4s", &[]).await;
    assert_eq!(header(&response, "content-type"), "video/mp4");
    assert_eq!(header(&response, "content-length"), "10");
    assert_eq!(header(&response, "accept-ranges"), "bytes");
    assert!(header(&response, "cache-control").contains("immutable"));
    assert_eq!(body(response).await, "0123456789");
}

#[tokio::test]
async fn only_playlists_are_compressed() {
    let gzip = [("accept-encoding", "gzip, br")];
    let response = get("/live/cam.m3u8", &gzip).await;
    assert_eq!(header(&response, "content-encoding"), "gzip");
    let vary =
        response.headers().get_all("vary").iter().any(|v| v.to_str().unwrap().contains("accept-encoding"));
    assert!(vary);
    assert!(body(response).await.starts_with(&[0x1f, 0x8b]));
    let response = get("/live/cam/v7.m4s", &gzip).await;
    assert_eq!(header(&response, "content-encoding"), "");
    assert_eq!(header(&response, "content-length"), "10");
}

#[tokio::test]
async fn a_range_of_a_segment_is_a_part() {
    let response = get("/live/cam/v7.m4s", &[("range", "bytes=3-5")]).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&response, "content-range"), "bytes 3-5/10");
    assert_eq!(header(&response, "content-length"), "3");
    assert_eq!(body(response).await, "345");
}

#[tokio::test]
async fn a_range_beyond_the_end_is_refused() {
    let response = get("/live/cam/v7.m4s", &[("range", "bytes=10-")]).await;
    assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(&response, "content-range"), "bytes */10");
    assert_eq!(header(&response, "cache-control"), "no-store");
}

#[tokio::test]
async fn a_conditional_range_is_the_whole() {
    let response = get("/live/cam/v7.m4s", &[("range", "bytes=3-5"), ("if-range", "\"x\"")]).await;
    assert_eq!((response.status(), body(response).await), (StatusCode::OK, Bytes::from("0123456789")));
}

#[tokio::test]
async fn what_is_not_there_is_404_and_not_kept() {
    for path in [
        "/",
        "/live",
        "/live/cam",
        "/live/cam.mpd",
        "/live/other.m3u8",
        "/other/cam.m3u8",
        "/live/cam/v8.m4s",
        "/live/cam/",
        "/live/cam/x/y",
        "/live/../cam.m3u8",
        "/%2e%2e/cam.m3u8",
        "/live/cam%2Fx.m3u8",
    ] {
        let response = get(path, &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&response, "cache-control"), "no-store", "{path}");
        assert_eq!(header(&response, "access-control-allow-origin"), "*", "{path}");
    }
}

#[tokio::test]
async fn the_host_says_which_domain() {
    for (host, status) in
        [("play.local", 200), ("PLAY.local:80", 200), ("other", 404), ("a b", 404), ("[::1]:8080", 200)]
    {
        let response = get("/live/cam.m3u8", &[("host", host)]).await;
        assert_eq!(response.status().as_u16(), status, "{host}");
    }
    // HTTP/2 says it in :authority.
    let response = get("http://play.local:8443/live/cam.m3u8", &[("host", "other")]).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn head_has_the_headers_alone() {
    let response = send(request(Method::HEAD, "/live/cam/v7.m4s", &[])).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-length"), "10");
    assert!(body(response).await.is_empty());
}

#[tokio::test]
async fn any_page_may_play() {
    let preflight = [
        ("origin", "https://player.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "range"),
    ];
    let response = send(request(Method::OPTIONS, "/live/cam/v7.m4s", &preflight)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "access-control-allow-origin"), "*");
    assert!(header(&response, "access-control-allow-methods").contains("GET"));
    assert!(["*", "range"].contains(&header(&response, "access-control-allow-headers")));
    let response = get("/live/cam/v7.m4s", &preflight[..1]).await;
    assert!(header(&response, "access-control-expose-headers").contains("content-range"));
}

#[tokio::test]
async fn other_methods_are_refused() {
    let response = send(request(Method::POST, "/live/cam.m3u8", &[])).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&response, "cache-control"), "no-store");
}

#[test]
fn the_newest_window_is_served_until_it_is_withdrawn() {
    let origin = origin();
    assert_eq!(origin.next_sequence(&stream()), Some(8));
    origin.publish(stream(), Some(Arc::new(Window { next_sequence: 9, ..window() })));
    assert_eq!(origin.next_sequence(&stream()), Some(9));
    origin.publish(stream(), None);
    assert_eq!(origin.next_sequence(&stream()), None);
}

#[test]
fn an_ended_window_is_forgotten_when_its_time_has_come() {
    let origin = origin();
    origin.sweep(Wall(i64::MAX));
    assert!(origin.window(&stream()).is_some(), "one that has no end stays");
    let ended = Window { ended: true, forget_at: Some(Wall(1000)), ..window() };
    origin.publish(stream(), Some(Arc::new(ended)));
    origin.sweep(Wall(999));
    assert!(origin.window(&stream()).is_some());
    origin.sweep(Wall(1000));
    assert!(origin.window(&stream()).is_none());
}

#[test]
fn the_bytes_of_all_windows_are_counted_and_those_of_forgotten_ones_are_not() {
    let origin = origin();
    let one = origin.bytes();
    assert_eq!(one, 10 + 50 * 8 + 8);
    let other = StreamId::parse("live.local", "live", "other").unwrap();
    origin.publish(other.clone(), Some(Arc::new(window())));
    origin.publish(other.clone(), Some(Arc::new(window())));
    assert_eq!(origin.bytes(), 2 * one);
    origin.publish(other, None);
    assert_eq!(origin.bytes(), one);
}
