use super::*;

const SECOND: i64 = 1_000_000;
const ALL: Slot = Slot { skip: 0, take: 100, descending: false };

fn after(seconds: i64) -> Wall {
    NOW.plus_micros(seconds * SECOND)
}

fn post(id: &str, stream: &str, url: &str) -> Post {
    Post {
        id: id.to_owned(),
        stream: StreamId::parse("live.local", "app", stream).unwrap(),
        kind: "record_started".to_owned(),
        url: url.to_owned(),
        method: Method::Post,
        body: format!("{{\"id\":\"{id}\"}}"),
        signed: true,
        created: NOW,
    }
}

fn attempt(post: &str, seconds: i64, ok: bool, next: Next) -> Attempt {
    Attempt {
        post: post.to_owned(),
        at: after(seconds),
        header: "ALI-LIVE-TIMESTAMP: 1".to_owned(),
        content: "{}".to_owned(),
        response: "no".to_owned(),
        ok,
        description: if ok { "success" } else { "status 500" }.to_owned(),
        next,
    }
}

async fn due(database: &Database) -> Vec<(String, u32, Wall)> {
    let due = database.due(10).await.unwrap();
    due.into_iter().map(|due| (due.post.id, due.attempts, due.at)).collect()
}

#[tokio::test]
async fn a_post_is_kept_once_and_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    let (first, get) =
        (post("1", "cam", "http://a/"), Post { method: Method::Get, ..post("2", "x", "http://a/") });
    database.post(&first).await.unwrap();
    database.post(&Post { body: "other".to_owned(), ..first.clone() }).await.unwrap();
    database.post(&get).await.unwrap();
    let due: Vec<_> = database.due(10).await.unwrap().into_iter().map(|due| due.post).collect();
    assert_eq!(due, [first.clone(), get]);
    // Delivered, and posted again after a crash: still delivered.
    database.attempted(&attempt("1", 1, true, Next::Delivered)).await.unwrap();
    database.post(&first).await.unwrap();
    assert_eq!((super::outbox::due(&database).await.len(), database.waiting().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn each_lane_shows_its_oldest_post_only() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    for (id, stream, url) in
        [("1", "a", "http://x/"), ("2", "a", "http://x/"), ("3", "b", "http://x/"), ("4", "a", "http://y/")]
    {
        database.post(&post(id, stream, url)).await.unwrap();
    }
    let told = |id: &str, attempts, at| (id.to_owned(), attempts, at);
    assert_eq!(due(&database).await, [told("1", 0, NOW), told("3", 0, NOW), told("4", 0, NOW)]);
    // What waits for its next attempt holds up its own lane, and comes behind the others.
    database.attempted(&attempt("1", 1, false, Next::At(after(60)))).await.unwrap();
    assert_eq!(due(&database).await, [told("3", 0, NOW), told("4", 0, NOW), told("1", 1, after(60))]);
    database.attempted(&attempt("1", 60, false, Next::GivenUp)).await.unwrap();
    assert_eq!(due(&database).await, [told("2", 0, NOW), told("3", 0, NOW), told("4", 0, NOW)]);
    database.attempted(&attempt("nobody", 60, true, Next::Delivered)).await.unwrap();
    assert_eq!(database.waiting().await.unwrap(), 3);
}

#[tokio::test]
async fn attempts_are_found_by_what_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    database.post(&post("1", "a", "http://x/")).await.unwrap();
    database.post(&Post { kind: "snapshot".to_owned(), ..post("2", "b", "http://x/") }).await.unwrap();
    for second in 0..5 {
        database.attempted(&attempt("1", second, second == 4, Next::At(after(second)))).await.unwrap();
    }
    database.attempted(&attempt("2", 2, true, Next::Delivered)).await.unwrap();
    let of = AttemptsOf {
        domain: "live.local",
        app: None,
        stream: None,
        span: Span { start: NOW, end: after(100) },
        ok: None,
        kinds: &[],
    };
    let count = async |of: AttemptsOf<'_>| database.attempts(&of, ALL).await.unwrap().1;
    assert_eq!(count(of.clone()).await, 6);
    assert_eq!(count(AttemptsOf { kinds: &["file_created", "record_"], ..of.clone() }).await, 5);
    assert_eq!(count(AttemptsOf { ok: Some(true), ..of.clone() }).await, 2);
    assert_eq!(count(AttemptsOf { stream: Some("b"), ..of.clone() }).await, 1);
    assert_eq!(count(AttemptsOf { app: Some("other"), ..of.clone() }).await, 0);
    assert_eq!(count(AttemptsOf { domain: "other.test", ..of.clone() }).await, 0);
    assert_eq!(count(AttemptsOf { span: Span { start: after(1), end: after(3) }, ..of.clone() }).await, 3);
    let slot = Slot { skip: 1, take: 2, descending: true };
    let (page, total) = database.attempts(&of, slot).await.unwrap();
    assert_eq!((total, page.iter().map(|one| one.at).collect::<Vec<_>>()), (6, vec![after(3), after(2)]));
    assert_eq!((page[0].kind.as_str(), page[0].description.as_str()), ("record_started", "status 500"));
}

#[tokio::test]
async fn a_strangers_answer_is_kept_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    database.post(&post("1", "a", "http://x/")).await.unwrap();
    let long = Attempt { response: "é".repeat(100_000), ..attempt("1", 1, false, Next::GivenUp) };
    database.attempted(&long).await.unwrap();
    let span = Span { start: NOW, end: after(9) };
    let of = AttemptsOf { domain: "live.local", app: None, stream: None, span, ok: None, kinds: &[] };
    let (attempts, _) = database.attempts(&of, ALL).await.unwrap();
    assert_eq!(attempts[0].response.len(), 4_096);
}

#[tokio::test]
async fn after_a_week_what_is_done_is_forgotten_and_what_waits_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    let database = control.database();
    database.post(&post("done", "a", "http://x/")).await.unwrap();
    database.post(&post("waits", "b", "http://x/")).await.unwrap();
    database.attempted(&attempt("done", 1, true, Next::Delivered)).await.unwrap();
    database.attempted(&attempt("waits", 1, false, Next::At(after(2)))).await.unwrap();
    let span = Span { start: NOW, end: after(9) };
    let of = AttemptsOf { domain: "live.local", app: None, stream: None, span, ok: None, kinds: &[] };
    control.sweep(after(1).plus_micros(ATTEMPTS_KEPT_MICROS)).await;
    assert_eq!(database.attempts(&of, ALL).await.unwrap().1, 2);
    control.sweep(after(2).plus_micros(ATTEMPTS_KEPT_MICROS)).await;
    assert_eq!(database.attempts(&of, ALL).await.unwrap().1, 0);
    assert_eq!(due(database).await, [("waits".to_owned(), 1, after(2))]);
    // It is known no more, so it would be told again: nobody posts a week later.
    database.post(&post("done", "a", "http://x/")).await.unwrap();
    assert_eq!(database.waiting().await.unwrap(), 2);
}

/// While old posts go nobody else can write: each must be found, not searched for among all attempts of a week.
#[tokio::test]
async fn to_forget_looks_through_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    for sql in [crate::outbox::FORGET_ATTEMPTS, crate::outbox::FORGET_POSTS] {
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        let rows = sqlx::query(&explained).bind(0).bind(1).fetch_all(&database.pool).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
        assert!(steps.iter().all(|step| !step.starts_with("SCAN")), "{steps:#?}");
    }
}

#[tokio::test]
async fn many_are_forgotten_in_turns() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    let database = control.database();
    let mut told = tokio::task::JoinSet::new();
    for number in 0..1_201 {
        let (database, id) = (database.clone(), number.to_string());
        told.spawn(async move {
            database.post(&post(&id, "a", "http://x/")).await?;
            database.attempted(&attempt(&id, 1, true, Next::Delivered)).await
        });
    }
    told.join_all().await.into_iter().collect::<Result<(), _>>().unwrap();
    control.sweep(after(2).plus_micros(ATTEMPTS_KEPT_MICROS)).await;
    for table in ["attempt", "outbox"] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let left: i64 = sqlx::query_scalar(&count).fetch_one(&database.pool).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
