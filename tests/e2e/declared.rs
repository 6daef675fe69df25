//! What was declared through an API: kept over a kill, and obeyed.

use std::path::Path;
use std::sync::Arc;

use catalog::snapshot::SnapshotRaw;
use catalog::{Catalog, Command, Declared, DomainRaw, Forbid, Selector, Storage};
use control::{Control, Database, Settings, Who};

use crate::encoder::{Push, Source};
use crate::machine::{Server, wait_for};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Makes changes in the database of a server that does not run.
fn declare(folder: &Path, commands: Vec<Command>) {
    let buckets = Some(vec!["live-bucket".to_owned()]);
    let storage = Storage { name: "oss-local".to_owned(), buckets, ..Storage::default() };
    let domain = DomainRaw { name: some("live.local"), ..DomainRaw::default() };
    let file = Declared { storages: vec![storage], domains: vec![domain], ..Declared::default() };
    let file = Catalog::build(file).unwrap().0;
    let url = format!("sqlite://{}/data/millrace.db", folder.display());
    let clock = || media::Wall(1_795_132_800_000_000);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let database = Database::open(&url).await.unwrap();
        let settings = Settings {
            keys: Vec::new(),
            throttle: true,
            kick: Arc::new(|_| {}),
            has_bucket: Arc::new(|_| Box::pin(async { None })),
            order: Arc::new(|_, _| Box::pin(async { Err(control::OrderError::NoStream) })),
            put: Arc::new(|_| Box::pin(async { Ok(()) })),
            delete: Arc::new(|_| Box::pin(async { Ok(()) })),
            clock,
        };
        let (control, _) = Control::open(database, file, settings).await.unwrap();
        for command in commands {
            control.change(command, Who::default()).await.unwrap();
        }
    });
}

fn stream(name: &str) -> Selector {
    Selector { domain_name: some("live.local"), app_name: some("live"), stream_name: some(name) }
}

#[test]
fn what_is_in_the_database_is_obeyed_before_and_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = SnapshotRaw {
        domain_name: some("live.local"),
        app_name: some("live"),
        time_interval: Some(5),
        oss_endpoint: some("oss-local"),
        oss_bucket: some("live-bucket"),
        overwrite_oss_object: some("{StreamName}.jpg"),
        ..SnapshotRaw::default()
    };
    let until = Some(media::Wall(4_102_444_800_000_000));
    let forbid = Forbid { stream: stream("bad"), until, once: false };
    declare(folder.path(), vec![Command::AddSnapshot(snapshot), Command::Forbid(forbid)]);
    let sources = tempfile::tempdir().unwrap();
    let file = Source { seconds: 2, ..Source::default() }.encode(sources.path());
    let mut folder = Some(folder);
    for round in 0..2 {
        let server = Server::start_in(folder.take().unwrap(), "", &[]);
        let output = Push::start(&file, &server.publish_url("live", "bad")).finish();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("this stream is forbidden"), "{said}");
        let name = format!("good{round}");
        Push::start(&file, &server.publish_url("live", &name)).succeed();
        wait_for("the snapshot", || server.bucket().join(format!("{name}.jpg")).exists().then_some(()));
        folder = Some(server.kill());
    }
    declare(folder.as_ref().unwrap().path(), vec![Command::Resume(stream("bad"))]);
    let server = Server::start_in(folder.unwrap(), "", &[]);
    Push::start(&file, &server.publish_url("live", "bad")).succeed();
}
