//! Who asks for what comes next waits for it, and not for ever.

use output::{Delta, Edge};
use tokio::task::JoinHandle;

use super::*;
use crate::Site;

const EDGE: Edge = Edge { segment: 7, segment_parts: 4, parts: 1, advance_parts: 3 };

/// A low-latency window whose playlist ends at `edge`.
fn low_latency(edge: Edge) -> Window {
    let delta = Delta { yes: playlist("#EXTM3U\n#YES\n"), v2: playlist("#EXTM3U\n#V2\n") };
    let full = playlist(&format!("#EXTM3U\n#{}.{}\n", edge.segment, edge.parts));
    let list = Playlist { full, delta: Some(delta), edge: Some(edge) };
    Window { playlists: vec![("video.m3u8".into(), list)], hints: vec!["p31.m4s".into()], ..window() }
}

struct Stage {
    origin: Arc<Origin>,
}

impl Stage {
    fn new(window: Window) -> Self {
        let origin = Arc::new(Origin::default());
        origin.publish(stream(), Some(Arc::new(window)));
        Self { origin }
    }

    fn publish(&self, window: Window) {
        self.origin.publish(stream(), Some(Arc::new(window)));
    }

    fn ask(&self, path: &str) -> JoinHandle<Response<Body>> {
        let site = self.site();
        let request = request(Method::GET, path, &[]);
        tokio::spawn(async move { site.answer(request, PEER).await })
    }

    fn site(&self) -> Site {
        self.origin.clone().site(Arc::new(|_| Some("live.local".into())), Arc::new(|| NOON))
    }
}

/// Lets everything run that can, without any time to pass.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_playlist_is_answered_when_it_has_what_is_asked_for() {
    let stage = Stage::new(low_latency(EDGE));
    let asked = stage.ask("/live/cam/video.m3u8?_HLS_msn=8&_HLS_part=1");
    settle().await;
    assert!(!asked.is_finished(), "it blocks");
    stage.publish(low_latency(Edge { parts: 2, ..EDGE }));
    let response = asked.await.unwrap();
    assert_eq!(header(&response, "cache-control"), "public, max-age=24", "packaging-rules L-27");
    assert_eq!(body(response).await, "#EXTM3U\n#7.2\n");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_answered_says_so_at_once() {
    let stage = Stage::new(low_latency(EDGE));
    for query in ["_HLS_msn=10", "_HLS_part=1", "_HLS_msn=x", "_HLS_msn=8&_HLS_part=4"] {
        let response = stage.ask(&format!("/live/cam/video.m3u8?{query}")).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(header(&response, "cache-control"), "no-store");
    }
    assert_eq!(stage.ask("/live/cam/p32.m4s").await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_three_target_durations() {
    let stage = Stage::new(low_latency(EDGE));
    let begun = tokio::time::Instant::now();
    for path in ["/live/cam/video.m3u8?_HLS_msn=8", "/live/cam/p31.m4s"] {
        let response = stage.ask(path).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    assert_eq!(begun.elapsed().as_secs(), 24, "two times three times 4 s");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_lets_everybody_go() {
    let stage = Stage::new(low_latency(EDGE));
    let asked = stage.ask("/live/cam/video.m3u8?_HLS_msn=8");
    settle().await;
    stage.publish(Window { source_gone: true, ..low_latency(EDGE) });
    assert_eq!(asked.await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    let listed = stage.ask("/live/cam/video.m3u8?_HLS_msn=7").await.unwrap();
    assert_eq!(listed.status(), StatusCode::OK, "what is there is there");
}

#[tokio::test(start_paused = true)]
async fn an_ended_list_is_the_answer_to_everything() {
    let ended = || {
        let list = plain(playlist("#EXTM3U\n#EXT-X-ENDLIST\n"));
        Window { playlists: vec![("video.m3u8".into(), list)], ended: true, ..window() }
    };
    let stage = Stage::new(low_latency(EDGE));
    let asked = stage.ask("/live/cam/video.m3u8?_HLS_msn=8");
    let hinted = stage.ask("/live/cam/p31.m4s");
    settle().await;
    stage.publish(ended());
    assert!(body(asked.await.unwrap()).await.ends_with(b"ENDLIST\n"));
    assert_eq!(hinted.await.unwrap().status(), StatusCode::NOT_FOUND, "packaging-rules L-23");
    let late = stage.ask("/live/cam/video.m3u8?_HLS_msn=99&_HLS_skip=YES").await.unwrap();
    assert_eq!(late.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_delta_is_what_was_asked_for_and_the_whole_list_when_there_is_none() {
    let stage = Stage::new(low_latency(EDGE));
    let of = async |query: &str| {
        let response = stage.ask(&format!("/live/cam/video.m3u8?{query}")).await.unwrap();
        body(response).await
    };
    assert_eq!(of("_HLS_skip=YES").await, "#EXTM3U\n#YES\n");
    assert_eq!(of("_HLS_skip=v2").await, "#EXTM3U\n#V2\n");
    assert_eq!(of("").await, "#EXTM3U\n#7.1\n");
    stage.publish(window());
    assert_eq!(of("_HLS_skip=YES&_HLS_msn=5").await, "#EXTM3U\n");
}

#[tokio::test(start_paused = true)]
async fn a_hinted_part_comes_when_it_is_whole() {
    let stage = Stage::new(low_latency(EDGE));
    let asked = stage.ask("/live/cam/p31.m4s");
    settle().await;
    assert!(!asked.is_finished());
    let mut next = low_latency(EDGE);
    let part =
        Resource { content_type: "video/mp4", body: Arc::from([Bytes::from("part")]), immutable: true };
    next.resources.insert(0, ("p31.m4s".into(), part));
    stage.publish(next);
    let response = asked.await.unwrap();
    assert!(header(&response, "cache-control").contains("immutable"));
    assert_eq!(body(response).await, "part");
}

fn growing(pieces: &[&'static str]) -> Resource {
    let body = pieces.iter().map(|piece| Bytes::from(*piece)).collect();
    Resource { content_type: "video/mp4", body, immutable: true }
}

#[tokio::test(start_paused = true)]
async fn an_open_segment_is_sent_as_it_grows_and_ends_when_it_is_complete() {
    let open = |pieces: &[&'static str]| Window {
        open: vec![("v8.m4s".into(), growing(pieces))],
        ..low_latency(EDGE)
    };
    let stage = Stage::new(open(&["a", "bc"]));
    let response = stage.ask("/live/cam/v8.m4s").await.unwrap();
    assert_eq!(header(&response, "content-length"), "", "nobody knows it yet");
    let mut body = response.into_body();
    let mut chunk = async || body.frame().await.map(|frame| frame.unwrap().into_data().unwrap());
    assert_eq!(chunk().await.unwrap(), "a");
    assert_eq!(chunk().await.unwrap(), "bc");
    stage.publish(open(&["a", "bc", "d"]));
    assert_eq!(chunk().await.unwrap(), "d");
    let mut complete = low_latency(EDGE);
    complete.resources.push(("v8.m4s".into(), growing(&["abc", "de"])));
    stage.publish(complete);
    assert_eq!(chunk().await.unwrap(), "e", "whatever pieces it comes in later");
    assert_eq!(chunk().await, None);
    let whole = stage.ask("/live/cam/v8.m4s").await.unwrap();
    assert_eq!(header(&whole, "content-length"), "5");
}

#[tokio::test(start_paused = true)]
async fn an_open_segment_that_is_never_completed_breaks_off() {
    let stage = Stage::new(Window { open: vec![("v8.m4s".into(), growing(&["a"]))], ..low_latency(EDGE) });
    let mut body = stage.ask("/live/cam/v8.m4s").await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "a");
    assert!(body.frame().await.unwrap().is_err(), "three target durations later");
}

#[tokio::test]
async fn the_time_is_the_servers() {
    let response = get("/time", &[]).await;
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(body(response).await, "2023-11-14T12:00:00.000Z");
}

#[tokio::test]
async fn an_mpd_that_is_the_same_is_not_sent_again() {
    let mpd =
        Resource { content_type: "application/dash+xml", body: growing(&["<MPD/>"]).body, immutable: false };
    let stage = Stage::new(Window { mpd: Some(mpd), ..window() });
    let first = stage.ask("/live/cam.mpd").await.unwrap();
    assert_eq!(header(&first, "cache-control"), "no-cache");
    let tag = header(&first, "etag").to_owned();
    let again = request(Method::GET, "/live/cam.mpd", &[("if-none-match", &tag)]);
    assert_eq!(stage.site().answer(again, PEER).await.status(), StatusCode::NOT_MODIFIED);
}
