//! What a put sends, and what it leaves behind when it fails.

use std::fs::File;
use std::path::PathBuf;

use bytes::Bytes;
use hyper::Method;
use tempfile::TempDir;

use super::mock::{Asked, Fate, Mock, Stored};
use super::*;
use crate::s3::multipart::IN_FLIGHT;
use crate::store::Fault;

/// Three parts, the last one shorter.
const BIG: u64 = 40 * MIB;

/// A file of zeros that takes no space.
fn big(dir: &TempDir) -> Body {
    let path: PathBuf = dir.path().join("big");
    File::create(&path).unwrap().set_len(BIG).unwrap();
    Body::File(path)
}

async fn put(mock: &Mock, body: &Body) -> Result<(), StoreError> {
    store(mock).put(&object("a/b c.ts"), body, Headers::of("video/mp2t"), Mode::Replace).await.map(drop)
}

fn is_part(asked: &Asked, number: u32) -> bool {
    asked.method == Method::PUT && asked.query.contains(&format!("partNumber={number}"))
}

#[tokio::test]
async fn pieces_in_memory_arrive_as_one_object() {
    let mock = Mock::start(|_, _| None).await;
    let body =
        Body::Memory(vec![Bytes::from_static(b"one"), Bytes::from_static(b""), Bytes::from_static(b"two")]);
    put(&mock, &body).await.unwrap();
    let (bytes, content_type) = (b"onetwo".to_vec(), "video/mp2t".into());
    let expected = Stored { len: 6, bytes, content_type, mark: None };
    assert_eq!(mock.look(|state| state.objects.clone()), [("/live/a/b%20c.ts".to_owned(), expected)].into());
}

#[tokio::test]
async fn a_small_file_goes_up_in_one_plain_put() {
    let (mock, dir) = (Mock::start(|_, _| None).await, TempDir::new().unwrap());
    let path = dir.path().join("small");
    std::fs::write(&path, "slice").unwrap();
    put(&mock, &Body::File(path.clone())).await.unwrap();
    assert!(path.exists());
    let asked = mock.look(|state| state.asked.clone());
    assert_eq!(asked.len(), 1);
    // OSS and OBS refuse what the SDK would add by itself.
    for header in
        ["content-encoding", "x-amz-trailer", "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"]
    {
        assert!(!asked[0].headers.contains_key(header), "{header}: {asked:?}");
    }
    assert_eq!(asked[0].headers["content-length"], "5");
    assert!(asked[0].headers["authorization"].contains("/us-east-1/s3/aws4_request"));
}

#[tokio::test]
async fn caches_are_told_how_long() {
    let mock = Mock::start(|_, _| None).await;
    let headers = Headers { content_type: "video/mp4", cache_control: Some("public, max-age=3") };
    store(&mock).put(&object("k"), &Body::Memory(Vec::new()), headers, Mode::Replace).await.unwrap();
    put(&mock, &Body::Memory(Vec::new())).await.unwrap();
    let asked = mock.look(|state| state.asked.clone());
    assert_eq!(asked[0].headers["cache-control"], "public, max-age=3");
    assert!(!asked[1].headers.contains_key("cache-control"), "{asked:?}");
}

#[tokio::test]
async fn an_object_is_deleted_once_and_for_all() {
    let mock = Mock::start(|_, _| None).await;
    put(&mock, &Body::Memory(Vec::new())).await.unwrap();
    for _ in 0..2 {
        store(&mock).delete(&object("a/b c.ts")).await.unwrap();
        assert!(mock.look(|state| state.objects.is_empty()));
    }
    let absent = Mock::refusing(404, "NoSuchKey").await;
    store(&absent).delete(&object("k")).await.unwrap();
    let denied = Mock::refusing(403, "AccessDenied").await;
    assert_eq!(store(&denied).delete(&object("k")).await.unwrap_err().kind, ErrorKind::Temporary);
}

#[tokio::test]
async fn a_host_with_dots_gets_the_bucket_in_front() {
    let mock = Mock::start(|_, _| None).await;
    let port = mock.url().rsplit_once(':').unwrap().1.to_owned();
    // Every name under localhost is this machine (RFC 6761 §6.3), where the resolver knows that.
    let url = format!("http://s3.localhost:{port}");
    let resolves = tokio::net::lookup_host(format!("live.s3.localhost:{port}")).await.is_ok();
    let store = S3Store::open(settings(&url));
    let stored =
        store.put(&object("k"), &Body::Memory(Vec::new()), Headers::of("text/plain"), Mode::Replace).await;
    if resolves {
        stored.unwrap();
        let asked = mock.look(|state| state.asked[0].clone());
        assert_eq!((asked.host.as_str(), asked.path.as_str()), (&*format!("live.s3.localhost:{port}"), "/k"));
    } else {
        assert!(stored.unwrap_err().to_string().contains("\"live.s3.localhost\""));
    }
}

#[tokio::test]
async fn a_big_file_goes_up_in_parts_two_at_a_time() {
    let slow =
        |_, asked: &Asked| (asked.method == Method::PUT).then_some(Fate::Slow(Duration::from_millis(50)));
    let (mock, dir) = (Mock::start(slow).await, TempDir::new().unwrap());
    put(&mock, &big(&dir)).await.unwrap();
    mock.look(|state| {
        assert_eq!(state.objects["/live/a/b%20c.ts"].len, BIG);
        assert_eq!(state.asked.iter().filter(|asked| asked.method == Method::PUT).count(), 3);
        assert!((1..=IN_FLIGHT).contains(&state.most_bodies), "{} at once", state.most_bodies);
        assert_eq!(state.aborted, 0);
        assert!(state.asked.last().is_some_and(|asked| asked.method == Method::HEAD), "its size is checked");
    });
}

#[tokio::test]
async fn a_part_that_fails_aborts_the_upload_and_the_next_try_is_whole() {
    for fate in
        [Fate::Cut, Fate::Refuse(503, "SlowDown", ""), Fate::Refuse(500, "", ""), Fate::Hang, Fate::Ignore]
    {
        let broken = std::sync::atomic::AtomicBool::new(false);
        let once = {
            let fate = fate.clone();
            move |_, asked: &Asked| {
                let first = is_part(asked, 2) && !broken.swap(true, std::sync::atomic::Ordering::Relaxed);
                first.then(|| fate.clone())
            }
        };
        let (mock, dir) = (Mock::start(once).await, TempDir::new().unwrap());
        let body = big(&dir);
        let error = put(&mock, &body).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Temporary, "{fate:?}: {error}");
        assert_eq!(mock.look(|state| (state.aborted, state.objects.len())), (1, 0), "{fate:?}");
        put(&mock, &body).await.unwrap();
        assert_eq!(mock.look(|state| state.objects["/live/a/b%20c.ts"].len), BIG);
    }
}

#[tokio::test]
async fn a_put_that_is_dropped_aborts_its_upload() {
    let (mock, dir) =
        (Mock::start(|_, asked| is_part(asked, 1).then_some(Fate::Ignore)).await, TempDir::new().unwrap());
    let body = big(&dir);
    tokio::select! {
        done = put(&mock, &body) => panic!("{done:?}"),
        () = mock.until(|state| state.asked.iter().any(|asked| is_part(asked, 1))) => {}
    }
    mock.until(|state| state.aborted == 1).await;
    assert!(mock.look(|state| state.objects.is_empty()));
}

#[tokio::test]
async fn an_object_of_another_size_is_an_error() {
    let dir = TempDir::new().unwrap();
    let lost = Mock::start(|_, asked| is_part(asked, 3).then_some(Fate::Lose)).await;
    let error = put(&lost, &big(&dir)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the stored object has {} bytes, {BIG} were sent", 2 * PART));
    assert_eq!(error.kind, ErrorKind::Temporary);
}

#[tokio::test]
async fn a_key_that_may_not_read_may_write() {
    let write_only = |_, asked: &Asked| (asked.method == Method::HEAD).then_some(Fate::Refuse(403, "", ""));
    let (mock, dir) = (Mock::start(write_only).await, TempDir::new().unwrap());
    put(&mock, &big(&dir)).await.unwrap();
}

#[tokio::test]
async fn a_slow_service_that_gets_on_is_not_given_up() {
    let slow = |_, _: &Asked| Some(Fate::Slow(Duration::from_millis(300)));
    let mock = Mock::start(slow).await;
    put(&mock, &Body::Memory(vec![Bytes::from_static(b"x")])).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_gone_is_an_error_of_the_disk() {
    let mock = Mock::start(|_, _| None).await;
    let error = put(&mock, &Body::File("absent".into())).await.unwrap_err();
    assert!(error.to_string().starts_with("read object: "), "{error}");
    assert!(mock.look(|state| state.asked.is_empty()));
}

/// Puts a file that must not take the place of another object.
async fn put_new(mock: &Mock, body: &Body, mark: &str) -> Result<u64, StoreError> {
    let to = object("a/b c.ts");
    store(mock).put(&to, body, Headers::of("video/mp2t"), Mode::New { mark }).await
}

#[tokio::test]
async fn what_is_new_takes_the_place_of_nothing_but_itself() {
    let mock = Mock::start(|_, _| None).await;
    let body = Body::Memory(vec![Bytes::from_static(b"slice")]);
    assert_eq!(put_new(&mock, &body, "one").await.unwrap(), 5);
    assert_eq!(put_new(&mock, &body, "one").await.unwrap(), 5);
    let puts = mock.look(|state| state.asked.iter().filter(|asked| asked.method == Method::PUT).count());
    assert_eq!(puts, 1, "it is there already");
    let error = put_new(&mock, &body, "two").await.unwrap_err();
    assert!(matches!(error.fault, Fault::Taken(_)), "{error}");
    // Ours, and stored by halves.
    let longer = Body::Memory(vec![Bytes::from_static(b"whole slice")]);
    assert_eq!(put_new(&mock, &longer, "one").await.unwrap(), 11);
}

#[tokio::test]
async fn a_key_that_may_not_look_stores_all_the_same() {
    let mock = Mock::start(|_, asked| {
        (asked.method == Method::HEAD).then_some(Fate::Refuse(403, "AccessDenied", "no"))
    })
    .await;
    let body = Body::Memory(vec![Bytes::from_static(b"slice")]);
    assert_eq!(put_new(&mock, &body, "one").await.unwrap(), 5);
}

#[tokio::test]
async fn two_files_go_up_as_one_object_in_one_piece_or_in_parts() {
    let mock = Mock::start(|_, _| None).await;
    let dir = tempfile::tempdir().unwrap();
    let [head, file] = ["head", "file"].map(|name| dir.path().join(name));
    std::fs::write(&head, "head ").unwrap();
    std::fs::write(&file, "old media").unwrap();
    let body =
        |pieces: &[(u64, u64)]| Body::Join { head: head.clone(), file: file.clone(), pieces: pieces.into() };
    assert_eq!(put_new(&mock, &body(&[(4, 3), (7, 2)]), "one").await.unwrap(), 10);
    mock.look(|state| assert_eq!(state.objects["/live/a/b%20c.ts"].bytes, b"head media"));
    std::fs::File::options().write(true).open(&file).unwrap().set_len(SINGLE_MAX + 4).unwrap();
    assert_eq!(put_new(&mock, &body(&[(4, SINGLE_MAX)]), "one").await.unwrap(), SINGLE_MAX + 5);
    mock.look(|state| {
        let object = &state.objects["/live/a/b%20c.ts"];
        assert_eq!((object.len, object.mark.as_deref()), (SINGLE_MAX + 5, Some("one")));
    });
}

#[tokio::test]
async fn a_new_object_is_looked_at_again_before_anybody_is_told() {
    let lost = Mock::start(|_, asked| (asked.method == Method::PUT).then_some(Fate::Lose)).await;
    let body = Body::Memory(vec![Bytes::from_static(b"slice")]);
    let error = put_new(&lost, &body, "one").await.unwrap_err();
    assert_eq!(error.to_string(), "the stored object has 0 bytes, 5 were sent");
    assert_eq!(error.kind, ErrorKind::Temporary);
}

#[tokio::test]
async fn of_two_at_once_one_has_the_key_and_the_other_hears_that_it_is_taken() {
    let slow =
        |_, asked: &Asked| (asked.method == Method::PUT).then_some(Fate::Slow(Duration::from_millis(100)));
    let mock = Mock::start(slow).await;
    let store = store(&mock);
    let (to, headers) = (object("k"), Headers::of("video/mp4"));
    let body = |text: &'static str| Body::Memory(vec![Bytes::from_static(text.as_bytes())]);
    let (first, second) = (body("first"), body("second one"));
    let (one, two) = tokio::join!(
        store.put(&to, &first, headers, Mode::New { mark: "one" }),
        store.put(&to, &second, headers, Mode::New { mark: "two" }),
    );
    assert_eq!(one.unwrap(), 5);
    assert!(matches!(two.unwrap_err().fault, Fault::Taken(_)));
}

#[tokio::test]
async fn a_key_that_the_service_never_takes_is_told_from_trouble_though_a_head_has_no_words() {
    let refusing = Mock::refusing(400, "KeyTooLongError").await;
    let body = Body::Memory(vec![Bytes::from_static(b"slice")]);
    let error = put_new(&refusing, &body, "one").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permanent, "{error}");
    let trouble = Mock::refusing(400, "RequestTimeout").await;
    assert_eq!(put_new(&trouble, &body, "one").await.unwrap_err().kind, ErrorKind::Temporary);
}

/// Numbers of the parts that were sent, and how many uploads began.
fn sent(mock: &Mock) -> (Vec<String>, usize) {
    mock.look(|state| {
        let part = |asked: &Asked| {
            let number = asked.query.split('&').find_map(|pair| pair.strip_prefix("partNumber="))?;
            (asked.method == Method::PUT).then(|| number.to_owned())
        };
        let mut parts: Vec<String> = state.asked.iter().filter_map(part).collect();
        parts.sort();
        let began = |asked: &&Asked| asked.method == Method::POST && asked.query.contains("uploads");
        (parts, state.asked.iter().filter(began).count())
    })
}

/// A service that fails once at the last part.
async fn fails_at_the_end() -> Mock {
    let broken = std::sync::atomic::AtomicBool::new(false);
    Mock::start(move |_, asked: &Asked| {
        let first = is_part(asked, 3) && !broken.swap(true, std::sync::atomic::Ordering::Relaxed);
        first.then_some(Fate::Cut)
    })
    .await
}

#[tokio::test]
async fn the_next_try_sends_only_the_parts_that_are_not_there_after_a_restart_too() {
    for restarted in [false, true] {
        let (mock, dir) = (fails_at_the_end().await, TempDir::new().unwrap());
        let (body, to, headers) = (big(&dir), object("a/b c.ts"), Headers::of("video/mp4"));
        let (first, second) = (store(&mock), store(&mock));
        let second = if restarted { &second } else { &first };
        first.put(&to, &body, headers, Mode::New { mark: "one" }).await.unwrap_err();
        assert_eq!(mock.look(|state| state.aborted), 0);
        let there = mock.look(|state| state.parts.len());
        assert_eq!(second.put(&to, &body, headers, Mode::New { mark: "one" }).await.unwrap(), BIG);
        let (parts, began) = sent(&mock);
        assert_eq!((parts.len(), began), (1 + 3, 1), "{there} were there; {parts:?}");
        assert_eq!(mock.look(|state| state.objects["/live/a/b%20c.ts"].mark.clone()).as_deref(), Some("one"));
    }
}

#[tokio::test]
async fn an_upload_of_other_bytes_is_not_gone_on_with() {
    let (mock, dir) = (fails_at_the_end().await, TempDir::new().unwrap());
    let (to, headers) = (object("a/b c.ts"), Headers::of("video/mp4"));
    store(&mock).put(&to, &big(&dir), headers, Mode::New { mark: "one" }).await.unwrap_err();
    let other = dir.path().join("other");
    std::fs::write(&other, vec![7; usize::try_from(BIG).unwrap()]).unwrap();
    store(&mock).put(&to, &Body::File(other), headers, Mode::New { mark: "two" }).await.unwrap();
    assert_eq!(sent(&mock).1, 2);
}

#[tokio::test]
async fn an_upload_that_the_service_forgot_begins_anew() {
    let (mock, dir) = (fails_at_the_end().await, TempDir::new().unwrap());
    let (store, to, headers) = (store(&mock), object("a/b c.ts"), Headers::of("video/mp4"));
    store.put(&to, &big(&dir), headers, Mode::New { mark: "one" }).await.unwrap_err();
    mock.change(|state| {
        state.upload = None;
        state.parts.clear();
    });
    store.put(&to, &big(&dir), headers, Mode::New { mark: "one" }).await.unwrap();
    assert_eq!(sent(&mock).1, 2);
    assert_eq!(mock.look(|state| state.objects["/live/a/b%20c.ts"].len), BIG);
}
