use std::path::Path;
use std::sync::{Arc, Mutex};

use catalog::snapshot::SnapshotRaw;
use catalog::{Catalog, Command, Declared, DomainRaw, Forbid, Selector, Storage};
use dialect::keys::KeyLookup as _;
use dialect::policy::Policy;
use media::{StreamId, Wall};

use crate::*;

mod archive;
mod outbox;

/// 2026-11-20T00:00:00Z
const NOW: Wall = Wall(1_795_132_800_000_000);

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn file() -> Catalog {
    let storage = Storage { name: "oss".to_owned(), buckets: None, ..Storage::default() };
    let domain = DomainRaw { name: some("live.local"), default: true, ..DomainRaw::default() };
    let declared = Declared { storages: vec![storage], domains: vec![domain], ..Declared::default() };
    Catalog::build(declared).unwrap().0
}

fn snapshot(app: &str, seconds: i64) -> SnapshotRaw {
    SnapshotRaw {
        domain_name: some("live.local"),
        app_name: some(app),
        time_interval: Some(seconds),
        oss_endpoint: some("oss"),
        oss_bucket: some("there"),
        overwrite_oss_object: some("{StreamName}.jpg"),
        ..SnapshotRaw::default()
    }
}

fn add(app: &str) -> Command {
    Command::AddSnapshot(snapshot(app, 5))
}

fn who(action: &str) -> Who {
    Who {
        key_id: "LTAI".to_owned(),
        address: "127.0.0.1".to_owned(),
        request_id: "R-1".to_owned(),
        action: action.to_owned(),
        nonce: None,
    }
}

fn url(folder: &Path) -> String {
    format!("sqlite://{}/millrace.db", folder.display())
}

async fn database(folder: &Path) -> Database {
    Database::open(&url(folder)).await.unwrap()
}

fn settings(kick: Kick) -> Settings {
    Settings {
        keys: Vec::new(),
        throttle: true,
        kick,
        has_bucket: has_bucket(),
        order: Arc::new(|_, _| Box::pin(async { Err(OrderError::NoStream) })),
        put: Arc::new(|_| Box::pin(async { Ok(()) })),
        delete: Arc::new(|_| Box::pin(async { Ok(()) })),
        clock: || NOW,
    }
}

/// A storage that has `there`, lacks others, and says nothing of `silent`.
fn has_bucket() -> HasBucket {
    Arc::new(|bucket| {
        let answer = (&*bucket.name != "silent").then(|| &*bucket.name == "there");
        Box::pin(async move { answer })
    })
}

async fn open(folder: &Path) -> Control {
    let (control, notices) =
        Control::open(database(folder).await, file(), settings(Arc::new(|_| {}))).await.unwrap();
    assert_eq!(notices, Vec::<String>::new());
    control
}

fn apps(catalog: &Catalog) -> Vec<String> {
    catalog.snapshots().all().map(|template| template.rule.target.app.to_string()).collect()
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    control.change(add("a"), who("Add")).await.unwrap();
    control.change(add("b"), who("Add")).await.unwrap();
    let gone = Selector { domain_name: some("live.local"), app_name: some("a"), ..Selector::default() };
    control.change(Command::DeleteSnapshot(gone), who("Delete")).await.unwrap();
    let described = format!("{:?}", control.catalog().snapshots());
    // Nothing is closed: what a process leaves that is killed is these files.
    let after = tempfile::tempdir().unwrap();
    for name in ["millrace.db", "millrace.db-wal"] {
        std::fs::copy(folder.path().join(name), after.path().join(name)).unwrap();
    }
    assert_eq!(format!("{:?}", open(after.path()).await.catalog().snapshots()), described);
    assert_eq!(apps(&open(after.path()).await.catalog()), ["b"]);
}

#[tokio::test]
async fn a_change_cannot_be_sent_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let later = |minutes: i64| NOW.plus_micros(minutes * 60_000_000);
    let signed = |nonce: &str| Who { nonce: some(nonce), ..who("Add") };
    let control = open(folder.path()).await;
    assert!(control.nonces().first_use("LTAI", "made", NOW));
    control.change(add("a"), signed("made")).await.unwrap();
    assert!(control.change(add("a"), signed("refused")).await.is_err());
    let again = open(folder.path()).await;
    assert!(!again.nonces().first_use("LTAI", "made", later(29)));
    assert!(again.nonces().first_use("other", "made", NOW));
    assert!(again.nonces().first_use("LTAI", "refused", NOW), "what changed nothing is not kept");
    // What nobody takes any more is thrown away.
    let database = database(folder.path()).await;
    assert_eq!(database.nonces(later(29)).await.unwrap().len(), 1);
    assert_eq!(database.nonces(later(30)).await.unwrap().len(), 0);
    assert_eq!(database.nonces(NOW).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_changes_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..50 {
        let control = control.clone();
        tasks.spawn(async move {
            for number in 0..8 {
                let app = format!("a{task}x{number}");
                let catalog = control.change(add(&app), who("Add")).await.unwrap();
                assert!(apps(&catalog).contains(&app));
            }
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.unwrap();
    }
    assert_eq!(apps(&control.catalog()).len(), 400);
    assert_eq!(apps(&open(folder.path()).await.catalog()).len(), 400);
    assert_eq!(control.database().audit(1_000).await.unwrap().len(), 400);
}

#[tokio::test]
async fn of_concurrent_changes_to_one_key_one_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let control = control.clone();
        tasks.spawn(async move { control.change(add("a"), who("Add")).await });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.into_iter().filter_map(Result::err).next().unwrap();
    let Refused::Fault(fault) = refused else { panic!("{refused:?}") };
    assert_eq!(fault.code, "ConfigAlreadyExists");
}

#[tokio::test]
async fn a_change_is_written_down_with_who_made_it() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    control.change(add("*"), who("live:AddLiveAppSnapshotConfig")).await.unwrap();
    control.change(add("*"), who("live:AddLiveAppSnapshotConfig")).await.unwrap_err();
    let all = Selector { domain_name: some("live.local"), app_name: some("*"), ..Selector::default() };
    control.change(Command::DeleteSnapshot(all), who("live:DeleteLiveAppSnapshotConfig")).await.unwrap();
    let entries = control.database().audit(10).await.unwrap();
    let [deleted, added] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(added.changed, "snapshot live.local/*/*");
    assert_eq!(deleted.changed, "-snapshot live.local/*/*");
    assert_eq!(added.who, who("live:AddLiveAppSnapshotConfig"));
    assert_eq!(added.at, NOW);
}

#[tokio::test]
async fn a_forbidden_stream_is_kicked_once_the_catalog_forbids_it() {
    let folder = tempfile::tempdir().unwrap();
    let kicked = Arc::new(Mutex::new(Vec::new()));
    let seen = kicked.clone();
    let kick: Kick = Arc::new(move |stream: StreamId| seen.lock().unwrap().push(stream.to_string()));
    let (control, _) = Control::open(database(folder.path()).await, file(), settings(kick)).await.unwrap();
    let stream =
        Selector { domain_name: some("live.local"), app_name: some("live"), stream_name: some("cam") };
    control.change(Command::Forbid(Forbid { stream, ..Forbid::default() }), who("Forbid")).await.unwrap();
    assert_eq!(*kicked.lock().unwrap(), ["live.local/live/cam"]);
    let id = StreamId::parse("live.local", "live", "cam").unwrap();
    assert!(control.catalog().is_forbidden(&id, NOW));
    assert!(open(folder.path()).await.catalog().is_forbidden(&id, NOW));
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    control.change(add("a"), who("Add")).await.unwrap();
    let broken = "CREATE TRIGGER full BEFORE INSERT ON declared BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    sqlx::query(broken).execute(&control.database().pool).await.unwrap();
    assert_eq!(control.change(add("b"), who("Add")).await.unwrap_err(), Refused::Unavailable);
    assert_eq!(apps(&control.catalog()), ["a"]);
    assert_eq!(control.database().audit(10).await.unwrap().len(), 1);
    sqlx::query("DROP TRIGGER full").execute(&control.database().pool).await.unwrap();
    control.change(add("b"), who("Add")).await.unwrap();
    assert_eq!(apps(&open(folder.path()).await.catalog()), ["a", "b"]);
}

#[tokio::test]
async fn keys_of_another_process_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    let following = tokio::spawn(control.clone().follow_database());
    let cli = database(folder.path()).await;
    let key = StoredKey::generate("read".to_owned(), NOW);
    cli.add_key(&key).await.unwrap();
    let mut keys = control.inner_keys();
    keys.wait_for(|keys| keys.find(&key.id).is_some_and(|found| found.active)).await.unwrap();
    assert_eq!(control.keys().get(&key.id).unwrap().policy, Policy::Read);
    cli.disable_key(&key.id).await.unwrap().unwrap();
    keys.wait_for(|keys| keys.find(&key.id).is_some_and(|found| !found.active)).await.unwrap();
    cli.delete_key(&key.id).await.unwrap().unwrap();
    keys.wait_for(|keys| keys.find(&key.id).is_none()).await.unwrap();
    assert!(cli.delete_key(&key.id).await.unwrap().is_err());
    assert!(cli.disable_key(&key.id).await.unwrap().is_err());
    following.abort();
}

#[tokio::test]
async fn keys_of_the_file_win_and_unreadable_ones_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let cli = database(folder.path()).await;
    let named = |id: &str, policy: &str| StoredKey {
        id: id.to_owned(),
        ..StoredKey::generate(policy.to_owned(), NOW)
    };
    cli.add_key(&named("both", "read")).await.unwrap();
    cli.add_key(&named("bad", "everything")).await.unwrap();
    assert!(cli.add_key(&named("bad", "full")).await.is_err());
    let of_file = AccessKey {
        id: "both".to_owned(),
        secret: "s".to_owned(),
        token: Some("t".to_owned()),
        policy: Policy::Full,
        active: true,
        source: Source::File,
    };
    let settings = Settings { keys: vec![of_file], ..settings(Arc::new(|_| {})) };
    let (control, notices) = Control::open(cli, file(), settings).await.unwrap();
    assert_eq!(control.keys().get("both").unwrap().policy, Policy::Full);
    assert!(control.keys().get("bad").is_none());
    assert!(notices.len() == 1 && notices[0].starts_with("access key bad is left out"), "{notices:?}");
    assert_eq!(format!("{:?}", control.keys().get("both").unwrap()), "AccessKey(both)");
    let keys = control.keys();
    assert_eq!(keys.by_token("t").unwrap().id, "both");
    assert!(keys.by_token("").is_none() && keys.by_token("s").is_none());
    assert!(keys.authenticate("both", "s").is_some());
    assert!(keys.authenticate("both", "t").is_none() && keys.authenticate("other", "s").is_none());
}

#[tokio::test]
async fn the_first_key_is_private_shown_once_and_gone_when_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path()).await;
    let first = database.first_key(folder.path(), NOW).await.unwrap().unwrap();
    assert!(first.secret.len() == 30 && first.id.starts_with("LTAI"));
    assert!(database.first_key(folder.path(), NOW).await.unwrap().is_none());
    #[cfg(unix)]
    for name in [FIRST_KEY_FILE, "millrace.db", "millrace.db-wal"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    database.disable_key(&first.id).await.unwrap().unwrap();
    assert!(database.first_key(folder.path(), NOW).await.unwrap().is_none());
    database.delete_key(&first.id).await.unwrap().unwrap();
    FirstKey::forget(folder.path(), "other").unwrap();
    assert!(folder.path().join(FIRST_KEY_FILE).exists());
    FirstKey::forget(folder.path(), &first.id).unwrap();
    let second = database.first_key(folder.path(), NOW).await.unwrap().unwrap();
    assert_ne!(second.id, first.id);
}

#[tokio::test]
async fn a_key_that_an_earlier_version_made_stays_valid() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"id": "LTAIold", "secret": "s"}"#;
    std::fs::write(folder.path().join(FIRST_KEY_FILE), text).unwrap();
    let database = database(folder.path()).await;
    assert!(database.first_key(folder.path(), NOW).await.unwrap().is_none());
    assert_eq!(database.keys().await.unwrap()[0].id, "LTAIold");
}

#[tokio::test]
async fn a_database_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["postgres://x/y", "sqlite://", "sqlite::memory:", "millrace.db"] {
        assert!(matches!(Database::open(wrong).await, Err(Error::Url)), "{wrong}");
    }
    std::fs::write(folder.path().join("millrace.db"), "this is no database, only some text".repeat(50))
        .unwrap();
    assert!(Database::open(&url(folder.path())).await.is_err());

    let newer = tempfile::tempdir().unwrap();
    let open = database(newer.path()).await;
    sqlx::query("UPDATE _sqlx_migrations SET version = version + 9000").execute(&open.pool).await.unwrap();
    let error = Database::open(&url(newer.path())).await.unwrap_err();
    assert!(matches!(error, Error::Migrate(_)), "{error}");
}

#[tokio::test]
async fn a_template_for_a_bucket_that_its_storage_lacks_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path()).await;
    let into = |bucket: &str| {
        let raw = SnapshotRaw { oss_bucket: some(bucket), ..snapshot("a", 5) };
        control.change(Command::AddSnapshot(raw), who("live:AddLiveAppSnapshotConfig"))
    };
    let Err(Refused::Fault(fault)) = into("absent").await else { panic!("there is no such bucket") };
    assert_eq!((fault.code, fault.status), ("InvalidOssBucket.NotFound", 400));
    assert_eq!(into("silent").await.unwrap_err(), Refused::Unavailable);
    assert!(apps(&control.catalog()).is_empty());
    into("there").await.unwrap();
    assert_eq!(apps(&control.catalog()), ["a"]);
}
