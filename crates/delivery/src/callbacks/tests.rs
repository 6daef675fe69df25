use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::*;

thread_local! {
    static BEGIN: Instant = Instant::now();
}

/// Time since the test began.
fn now() -> Wall {
    Wall(0).plus(BEGIN.with(|begin| begin.elapsed()))
}

fn post(id: &str, stream: &str, url: &str) -> Post {
    Post {
        id: id.to_owned(),
        domain: "live.local".to_owned(),
        app: "live".to_owned(),
        stream: stream.to_owned(),
        kind: "file_created".to_owned(),
        url: url.to_owned(),
        body: format!("{{\"id\":\"{id}\"}}"),
        method: Method::Post,
        signed: false,
        created: Wall(0),
    }
}

/// A post; when it is due, how often it failed, and how it ended.
type Row = (Post, Wall, u32, Option<Outcome>);

/// An outbox in memory.
#[derive(Default)]
struct Shelf {
    /// In order.
    posts: Mutex<Vec<Row>>,
    attempts: Mutex<Vec<(String, Attempt)>>,
    broken: Mutex<u32>,
}

impl Shelf {
    fn add(&self, post: Post) {
        self.posts.lock().unwrap().push((post, Wall(0), 0, None));
    }

    fn ended(&self) -> Vec<(String, Outcome)> {
        let posts = self.posts.lock().unwrap();
        posts.iter().filter_map(|(post, _, _, outcome)| Some((post.id.clone(), (*outcome)?))).collect()
    }

    fn fails(&self) -> Result<(), String> {
        let mut broken = self.broken.lock().unwrap();
        *broken = broken.saturating_sub(1);
        if *broken > 0 { Err("away".to_owned()) } else { Ok(()) }
    }
}

impl Outbox for Shelf {
    fn due(&self, now: Wall, limit: usize) -> BoxFuture<'_, Result<Agenda, String>> {
        Box::pin(async move {
            self.fails()?;
            let posts = self.posts.lock().unwrap();
            let mut first = BTreeMap::new();
            for (post, at, failures, outcome) in posts.iter() {
                if outcome.is_none() {
                    first.entry((&post.stream, &post.url)).or_insert((post, *at, *failures));
                }
            }
            let next = first.values().map(|(_, at, _)| *at).filter(|at| *at > now).min();
            let due = first.into_values().filter(|(_, at, _)| *at <= now);
            let due = due.map(|(post, _, failures)| Due { post: post.clone(), failures });
            Ok(Agenda { due: due.take(limit).collect(), next })
        })
    }

    fn attempted<'a>(&'a self, post: &'a Post, attempt: &'a Attempt) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            self.fails()?;
            self.attempts.lock().unwrap().push((post.id.clone(), attempt.clone()));
            let mut posts = self.posts.lock().unwrap();
            let row = posts.iter_mut().find(|(of, ..)| of.id == post.id).unwrap();
            match attempt.outcome {
                Outcome::Again(at) => (row.1, row.2) = (at, row.2 + 1),
                outcome => row.3 = Some(outcome),
            }
            Ok(())
        })
    }
}

/// A network that answers as it is told: status by URL, after a while.
#[derive(Default)]
struct Wire {
    calls: Mutex<Vec<(String, Wall)>>,
    statuses: Mutex<BTreeMap<String, u16>>,
    takes: Mutex<BTreeMap<String, Duration>>,
    under_way: Mutex<usize>,
    most: Mutex<usize>,
}

impl Transport for Wire {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Error>> {
        Box::pin(async move {
            let text = call.text();
            let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
            self.calls.lock().unwrap().push((call.body.clone(), now()));
            let under_way = {
                let mut under_way = self.under_way.lock().unwrap();
                *under_way += 1;
                *under_way
            };
            {
                let mut most = self.most.lock().unwrap();
                *most = under_way.max(*most);
            }
            let takes = self.takes.lock().unwrap().get(&host).copied().unwrap_or_default();
            sleep(takes).await;
            *self.under_way.lock().unwrap() -= 1;
            let status = self.statuses.lock().unwrap().get(&host).copied().unwrap_or(200);
            Ok(Reply { status, body: Bytes::from_static(b"answer") })
        })
    }
}

struct Story {
    outbox: Arc<Shelf>,
    wire: Arc<Wire>,
    callbacks: Callbacks,
}

fn story() -> Story {
    BEGIN.with(|_| ());
    let (outbox, wire) = (Arc::new(Shelf::default()), Arc::new(Wire::default()));
    let settings = Settings {
        clock: now,
        deny_private: false,
        timeout: TIMEOUT,
        key: Arc::new(|post| Some(format!("key of {}", post.domain))),
    };
    let callbacks = Callbacks {
        settings,
        transport: wire.clone() as Arc<dyn Transport>,
        outbox: outbox.clone() as Arc<dyn Outbox>,
        wake: Arc::default(),
    };
    tokio::spawn(callbacks.clone().run());
    Story { outbox, wire, callbacks }
}

impl Story {
    async fn until_ended(&self, count: usize) {
        for _ in 0..10_000_000 {
            if self.outbox.ended().len() == count {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?}", self.outbox.ended());
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_away_gets_everything_once_it_is_back_and_in_order() {
    let story = story();
    story.wire.statuses.lock().unwrap().insert("a.example".into(), 503);
    for id in ["1", "2", "3"] {
        story.outbox.add(post(id, "cam", "http://a.example/notify"));
    }
    story.callbacks.wake();
    sleep(Duration::from_secs(60)).await;
    assert!(story.outbox.ended().is_empty());
    let tries = story.wire.calls.lock().unwrap().clone();
    let seconds: Vec<i64> = tries.iter().map(|(_, at)| at.unix_seconds()).collect();
    assert_eq!(seconds, [0, 1, 2, 3, 4, 5, 15, 35]);
    assert!(tries.iter().all(|(body, _)| body == "{\"id\":\"1\"}"), "{tries:?}");
    story.wire.statuses.lock().unwrap().clear();
    story.until_ended(3).await;
    let calls = story.wire.calls.lock().unwrap().clone();
    let last: Vec<&str> = calls[tries.len()..].iter().map(|(body, _)| body.as_str()).collect();
    assert_eq!(last, ["{\"id\":\"1\"}", "{\"id\":\"2\"}", "{\"id\":\"3\"}"]);
    let attempts = story.outbox.attempts.lock().unwrap();
    assert_eq!((attempts[0].1.status, attempts[0].1.response.as_str()), (Some(503), "answer"));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let story = story();
    story.wire.takes.lock().unwrap().insert("slow.example".into(), Duration::from_secs(3_600));
    story.outbox.add(post("1", "cam", "http://slow.example/"));
    story.outbox.add(post("2", "cam", "http://fast.example/"));
    story.outbox.add(post("3", "door", "http://fast.example/"));
    story.callbacks.wake();
    story.until_ended(2).await;
    let ended: Vec<String> = story.outbox.ended().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ended, ["2", "3"]);
    assert!(now() < Wall(1_000_000));
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_are_limited_and_all_are_made() {
    for (receivers, most) in [(1, 8), (10, 32)] {
        let story = story();
        for n in 0..100 {
            let host = format!("{}.example", n % receivers);
            story.wire.takes.lock().unwrap().insert(host.clone(), Duration::from_secs(1));
            story.outbox.add(post(&n.to_string(), &format!("s{n}"), &format!("http://{host}/")));
        }
        story.callbacks.wake();
        story.until_ended(100).await;
        assert_eq!(*story.wire.most.lock().unwrap(), most);
        assert_eq!(story.wire.calls.lock().unwrap().len(), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_holds_up_nobody_else_though_a_thousand_streams_call_it() {
    let story = story();
    story.wire.takes.lock().unwrap().insert("slow.example".into(), Duration::from_secs(5));
    story.wire.statuses.lock().unwrap().insert("slow.example".into(), 504);
    for n in 0..1_000 {
        story.outbox.add(post(&n.to_string(), &format!("a{n:04}"), "http://slow.example/notify"));
    }
    story.callbacks.wake();
    sleep(Duration::from_secs(30)).await;
    story.outbox.add(post("fast", "z", "http://fast.example/"));
    story.callbacks.wake();
    let begin = now();
    story.until_ended(1).await;
    assert_eq!(story.outbox.ended()[0].0, "fast");
    assert!(now().micros_since(begin) < 1_000_000, "{:?}", now());
}

#[tokio::test(start_paused = true)]
async fn what_waited_too_long_behind_others_is_given_up_without_a_call() {
    let story = story();
    sleep(Duration::from_secs(50 * 3_600)).await;
    story.outbox.add(post("old", "cam", "http://a.example/"));
    story.callbacks.wake();
    story.until_ended(1).await;
    assert_eq!(story.outbox.ended(), [("old".to_owned(), Outcome::GivenUp)]);
    assert!(story.wire.calls.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_day_a_post_is_given_up_and_the_next_gets_its_turn() {
    let story = story();
    story.wire.statuses.lock().unwrap().insert("a.example".into(), 404);
    story.outbox.add(post("1", "cam", "http://a.example/"));
    story.outbox.add(post("no url", "door", "ftp://a.example/"));
    story.callbacks.wake();
    story.until_ended(2).await;
    assert!(story.outbox.ended().iter().all(|(_, outcome)| *outcome == Outcome::GivenUp));
    assert!((86_400..86_410).contains(&now().unix_seconds()), "{:?}", now());
}

#[tokio::test(start_paused = true)]
async fn an_outbox_that_is_away_for_a_while_loses_nothing() {
    let story = story();
    *story.outbox.broken.lock().unwrap() = 5;
    story.outbox.add(post("1", "cam", "http://a.example/"));
    story.callbacks.wake();
    story.until_ended(1).await;
    assert_eq!(story.wire.calls.lock().unwrap().len(), 1);
}

#[test]
fn a_call_has_what_its_receiver_expects_and_the_outbox_gets_no_signature() {
    let at = Wall(1_519_375_990_000_000);
    let call = |method, url| Call::new(method, url, "a=1&b=2", Some("yourkey"), at);
    let get = call(Method::Get, "http://learn.aliyundoc.com:81/x?y=1#z").unwrap();
    assert!(
        get.text().starts_with("GET /x?y=1&a=1&b=2 HTTP/1.1\nhost: learn.aliyundoc.com:81\n"),
        "{}",
        get.text()
    );
    assert!(get.text().contains("ali-live-timestamp: 1519375990\n") && !get.text().contains("9e226fc2"));
    let post = call(Method::Post, "https://user:pass@[::1]").unwrap();
    assert!(post.text().starts_with("POST / HTTP/1.1\nhost: [::1]\n"), "{}", post.text());
    assert!(
        post.text().ends_with("content-type: application/json\nali-live-timestamp: 1519375990\n\na=1&b=2")
    );
    for url in ["", "/x", "ftp://a/", "http://", "http:///x", "a b"] {
        assert!(matches!(call(Method::Post, url), Err(Error::Url(_))), "{url}");
    }
}

/// A receiver on this machine that gives this answer; what it got.
async fn receiver(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let got = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let (mut got, mut buffer) = (String::new(), [0; 4_096]);
        while !got.ends_with('}') && !got.ends_with("\r\n\r\n") {
            let n = socket.read(&mut buffer).await.unwrap();
            got.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
        }
        if answer == "hang" {
            sleep(Duration::from_secs(60)).await;
        }
        let (answer, hangs) =
            answer.split_once(" and then it hangs").map_or((answer, false), |(a, _)| (a, true));
        socket.write_all(answer.as_bytes()).await.unwrap();
        if hangs {
            sleep(Duration::from_secs(60)).await;
        }
        got
    });
    (url, got)
}

fn client(deny_private: bool) -> Client {
    Client::new(deny_private, Duration::from_millis(500)).unwrap()
}

#[tokio::test]
async fn a_receiver_gets_headers_signature_and_body() {
    let (url, got) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let call = Call::new(Method::Post, &url, "{}", Some("k"), Wall(1_000_000)).unwrap();
    let reply = client(false).send(call).await.unwrap();
    assert_eq!(reply, Reply { status: 200, body: Bytes::from_static(b"ok") });
    let got = got.await.unwrap().to_lowercase();
    assert!(got.starts_with("post /notify http/1.1\r\n"), "{got}");
    let signature = format!("ali-live-signature: {}\r\n", sign("127.0.0.1", Wall(1_000_000), "k"));
    for header in [
        "ali-live-timestamp: 1\r\n",
        signature.as_str(),
        "content-type: application/json\r\n",
        "content-length: 2\r\n",
    ] {
        assert!(got.contains(header), "{header} in {got}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_long_answer_is_cut() {
    let (url, _) =
        receiver("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
    let call = Call::new(Method::Get, &url, "a=1", None, Wall(0)).unwrap();
    assert_eq!(client(false).send(call).await.unwrap().status, 302);
    let long: &'static str =
        Box::leak(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(100_000)).into_boxed_str());
    let (url, _) = receiver(long).await;
    let call = Call::new(Method::Get, &url, "", None, Wall(0)).unwrap();
    assert_eq!(client(false).send(call).await.unwrap().body.len(), ANSWER);
}

#[tokio::test]
async fn a_200_is_an_answer_whatever_becomes_of_its_body() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\nno chunk",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort and then it hangs",
    ] {
        let (url, _receiver) = receiver(answer).await;
        let call = Call::new(Method::Post, &url, "{}", None, Wall(0)).unwrap();
        let reply = client(false).send(call).await.unwrap();
        assert_eq!((reply.status, reply.body.starts_with(b"short")), (200, true), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_with_its_reason() {
    let (url, _hanging) = receiver("hang").await;
    let call = |url: &str| Call::new(Method::Get, url, "", None, Wall(0)).unwrap();
    assert!(matches!(client(false).send(call(&url)).await, Err(Error::Late(_))));
    let (url, _) = receiver("220 mail.example ESMTP\r\n").await;
    assert!(matches!(client(false).send(call(&url)).await, Err(Error::Http(_))));
    for url in ["http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "https://127.0.0.1:1/"] {
        assert!(matches!(client(true).send(call(url)).await, Err(Error::Private(_))), "{url}");
    }
    assert!(matches!(client(false).send(call("http://127.0.0.1:1/")).await, Err(Error::Unreachable { .. })));
}
