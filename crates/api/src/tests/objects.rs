//! The objects themselves.

use bytes::Bytes;

use super::*;

impl Server {
    fn write(&self, key: &str, text: &str) {
        let path = self.folder.path().join("objects/b").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    async fn fetch(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("authorization", authorization(BASIC));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

async fn bytes(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn an_object_is_served_whole_and_in_part() {
    let server = Server::new().await;
    let text: String = ('a'..='z').cycle().take(200_000).collect();
    server.write("r/15:04.ts", &text);
    let path = "/objects/b/r/15%3A04.ts";
    let response = server.fetch("GET", path, &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "video/mp2t");
    assert_eq!(response.headers()["content-length"], "200000");
    assert!(response.headers()["last-modified"].to_str().unwrap().ends_with(" GMT"));
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(bytes(response).await, text.as_bytes());

    let response = server.fetch("GET", path, &[("range", "bytes=100000-100002")]).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(response.headers()["content-range"], "bytes 100000-100002/200000");
    assert_eq!(bytes(response).await, &text.as_bytes()[100_000..100_003]);
    let response = server.fetch("GET", path, &[("range", "bytes=200000-")]).await;
    assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(response.headers()["content-range"], "bytes */200000");
    let stale = [("range", "bytes=0-1"), ("if-range", "\"other\"")];
    assert_eq!(server.fetch("GET", path, &stale).await.status(), StatusCode::OK);
    let fresh = [("range", "bytes=0-1"), ("if-range", tag.as_str())];
    assert_eq!(server.fetch("GET", path, &fresh).await.status(), StatusCode::PARTIAL_CONTENT);
    let known = [("if-none-match", tag.as_str())];
    let response = server.fetch("GET", path, &known).await;
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert!(bytes(response).await.is_empty());
    let gone = server.fetch("GET", path, &[("if-match", "\"other\"")]).await;
    assert_eq!((gone.status(), bytes(gone).await), (StatusCode::PRECONDITION_FAILED, Bytes::new()));

    // Of a HEAD the whole is meant, whatever its Range says.
    for more in [&[][..], &[("range", "bytes=0-1")]] {
        let response = server.fetch("HEAD", path, more).await;
        assert_eq!(
            (response.status(), &response.headers()["content-length"]),
            (StatusCode::OK, &"200000".parse().unwrap())
        );
        assert!(bytes(response).await.is_empty());
    }
    assert_eq!(server.fetch("PUT", path, &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// A page of another site plays a recording by its RecordUrl, with the key that its user gave it.
#[tokio::test]
async fn a_page_of_any_site_may_ask_with_a_key() {
    let server = Server::new().await;
    server.write("a.ts", "abc");
    let asks = Request::builder()
        .method("OPTIONS")
        .uri("/objects/b/a.ts")
        .header("origin", "https://player.test")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization,range");
    let response = server.send(asks.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let said = |name: &str| response.headers()[name].to_str().unwrap();
    assert_eq!(
        (said("access-control-allow-origin"), said("access-control-allow-methods")),
        ("*", "GET, HEAD")
    );
    assert!(said("access-control-allow-headers").starts_with("authorization, range, "));
    let page = [("origin", "https://player.test"), ("range", "bytes=0-1")];
    let response = server.fetch("GET", "/objects/b/a.ts", &page).await;
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert!(response.headers()["access-control-expose-headers"].to_str().unwrap().contains("content-range"));
    // What is refused can be read, too, and nothing else of this port is open.
    let refused = server.get("/objects/b/a.ts", None).await;
    assert_eq!(
        (refused.status(), &refused.headers()["access-control-allow-origin"]),
        (StatusCode::UNAUTHORIZED, &"*".parse().unwrap())
    );
    assert_eq!(
        server.fetch("OPTIONS", "/objects/b/a.ts", &[]).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let other = server.get("/api/streams", Some(BASIC)).await;
    assert!(!other.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn nothing_outside_a_bucket_is_served_and_nothing_to_strangers() {
    let server = Server::new().await;
    server.write("a.ts", "x");
    std::fs::write(server.folder.path().join("objects/secret"), "x").unwrap();
    for path in [
        "/objects/b/none.ts",
        "/objects/b/..%2Fsecret",
        "/objects/b/../secret",
        "/objects/b/%2e%2e/secret",
        "/objects/%2e%2e/control.db",
        "/objects/.tmp/a",
        "/objects/other/a.ts",
        "/objects/b/a.ts/x",
        "/objects/b/a.ts?storage=s3",
        "/objects/b/a%00.ts",
    ] {
        let response = server.fetch("GET", path, &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(server.fetch("GET", "/objects/b/a.ts?storage=oss-local", &[]).await.status(), StatusCode::OK);
    assert_eq!(server.get("/objects/b/a.ts", None).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.get("/objects/b/a.ts", Some("some:secret")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(server.get("/objects/b/a.ts", Some("read:secret")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn objects_of_a_service_are_at_its_public_url() {
    let server = Server::new().await;
    let response = server.fetch("GET", "/objects/far/a%20b.ts", &[]).await;
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(response.headers()["location"], "https://cdn.test/x/far/a%20b.ts");
    let response = server.fetch("GET", "/objects/closed/a.ts", &[]).await;
    assert_eq!(
        (response.status(), json_of(response).await["code"].clone()),
        (StatusCode::NOT_FOUND, json!("NoPublicUrl"))
    );
}
