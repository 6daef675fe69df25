use output::Bucket;
use tempfile::TempDir;

use super::*;
use crate::store::ErrorKind;

fn object(bucket: &str, key: &str) -> Object {
    Object { bucket: Bucket { storage: "local".into(), name: bucket.into() }, key: key.to_owned() }
}

fn store(dir: &TempDir, create: bool) -> LocalStore {
    LocalStore::open(dir.path().join("objects"), vec!["b".into()], create).unwrap()
}

async fn put(store: &LocalStore, bucket: &str, key: &str, text: &'static str) -> Result<(), StoreError> {
    let body = Body::Memory(vec![Bytes::from_static(text.as_bytes()), Bytes::from_static(b"!")]);
    store.put(&object(bucket, key), &body, Headers::of("text/plain"), Mode::Replace).await.map(drop)
}

fn unfinished(dir: &TempDir) -> usize {
    fs::read_dir(dir.path().join("objects/.tmp")).unwrap().count()
}

#[tokio::test]
async fn an_object_is_a_plain_file() {
    let dir = TempDir::new().unwrap();
    let store = store(&dir, true);
    put(&store, "b", "a/deep/name.txt", "one").await.unwrap();
    let file = dir.path().join("objects/b/a/deep/name.txt");
    assert_eq!(fs::read_to_string(&file).unwrap(), "one!");
    put(&store, "b", "a/deep/name.txt", "two").await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "two!");
    assert_eq!(unfinished(&dir), 0);
    assert_eq!(store.locate(&object("b", "a/deep/name.txt")).unwrap(), file);
}

#[tokio::test]
async fn a_file_stays_where_it_is_and_may_be_stored_again() {
    let dir = TempDir::new().unwrap();
    let store = store(&dir, true);
    let source = dir.path().join("spooled");
    fs::write(&source, "slice").unwrap();
    for _ in 0..2 {
        store
            .put(&object("b", "x.ts"), &Body::File(source.clone()), Headers::of("video/mp2t"), Mode::Replace)
            .await
            .unwrap();
    }
    assert_eq!(fs::read_to_string(dir.path().join("objects/b/x.ts")).unwrap(), "slice");
    assert!(source.exists());
    assert_eq!(unfinished(&dir), 0);
}

#[tokio::test]
async fn what_no_retry_can_help_is_permanent() {
    let dir = TempDir::new().unwrap();
    let store = store(&dir, true);
    for (bucket, key) in [("other", "a"), (".tmp", "a"), ("b", "../a"), ("b", "/etc/passwd")] {
        let error = put(&store, bucket, key, "x").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Permanent, "{bucket} {key}: {error}");
    }
    put(&store, "b", "file", "x").await.unwrap();
    for key in ["file/below", "file/far/below"] {
        assert_eq!(put(&store, "b", key, "x").await.unwrap_err().kind, ErrorKind::Permanent);
    }
    put(&store, "b", "folder/a", "x").await.unwrap();
    assert_eq!(put(&store, "b", "folder", "x").await.unwrap_err().kind, ErrorKind::Permanent);
    assert_eq!(unfinished(&dir), 0);
}

#[tokio::test]
async fn an_object_that_is_deleted_leaves_no_empty_folder() {
    let dir = TempDir::new().unwrap();
    let store = store(&dir, true);
    for key in ["live/s/v1.m4s", "live/s.m3u8"] {
        put(&store, "b", key, "x").await.unwrap();
    }
    store.delete(&object("b", "live/s/v1.m4s")).await.unwrap();
    let bucket = dir.path().join("objects/b");
    assert!(!bucket.join("live/s").exists() && bucket.join("live/s.m3u8").exists());
    store.delete(&object("b", "live/s.m3u8")).await.unwrap();
    assert_eq!(fs::read_dir(&bucket).unwrap().count(), 0);
    put(&store, "b", "live/s/v1.m4s", "again").await.unwrap();
}

#[tokio::test]
async fn what_is_not_there_is_deleted_already_and_a_folder_is_no_object() {
    let dir = TempDir::new().unwrap();
    let store = store(&dir, true);
    store.delete(&object("b", "live/s/v1.m4s")).await.unwrap();
    put(&store, "b", "live/s/v1.m4s", "x").await.unwrap();
    store.delete(&object("b", "live/s")).await.unwrap_err();
    assert_eq!(store.delete(&object("b", "../b")).await.unwrap_err().kind, ErrorKind::Permanent);
    assert!(dir.path().join("objects/b/live/s/v1.m4s").exists());
}

#[tokio::test]
async fn a_bucket_whose_folder_is_gone_may_come_back() {
    let dir = TempDir::new().unwrap();
    let store = store(&dir, false);
    assert_eq!(put(&store, "b", "a/b", "x").await.unwrap_err().kind, ErrorKind::Temporary);
    fs::create_dir(dir.path().join("objects/b")).unwrap();
    put(&store, "b", "a/b", "x").await.unwrap();
}

#[tokio::test]
async fn what_is_new_takes_the_place_of_nothing_but_itself() {
    let dir = TempDir::new().unwrap();
    let store = store(&dir, true);
    let [head, file] = ["head", "file"].map(|name| dir.path().join(name));
    fs::write(&head, "head ").unwrap();
    fs::write(&file, "old media").unwrap();
    let to = object("b", "a/x.flv");
    let put =
        async |body: Body| store.put(&to, &body, Headers::of("video/x-flv"), Mode::New { mark: "m" }).await;
    let joined = || Body::Join { head: head.clone(), file: file.clone(), pieces: [(4, 2), (6, 3)].into() };
    assert_eq!(put(joined()).await.unwrap(), 10);
    assert_eq!(put(joined()).await.unwrap(), 10, "a try whose answer was lost");
    for text in ["head medio", "head", "head media, and more"] {
        let error = put(Body::Memory(vec![Bytes::from_static(text.as_bytes())])).await.unwrap_err();
        assert!(matches!(error.fault, Fault::Taken(_)), "{error}");
    }
    let link = dir.path().join("objects/b/a/x.flv");
    assert_eq!(fs::read_to_string(&link).unwrap(), "head media");
    assert_eq!(put(Body::File(link)).await.unwrap(), 10, "the same file under two names");
    assert_eq!(unfinished(&dir), 0);
}

#[tokio::test]
async fn a_link_has_its_name_and_what_it_leads_to_stays_as_it_is() {
    let dir = TempDir::new().unwrap();
    let store = store(&dir, true);
    let outside = dir.path().join("outside");
    let link = dir.path().join("objects/b/x");
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let body = Body::Memory(vec![Bytes::from_static(b"new")]);
    for text in [None, Some("old"), Some("new")] {
        if let Some(text) = text {
            fs::write(&outside, text).unwrap();
        }
        let (to, headers) = (object("b", "x"), Headers::of("text/plain"));
        let error = store.put(&to, &body, headers, Mode::New { mark: "m" }).await.unwrap_err();
        assert!(matches!(error.fault, Fault::Taken(_)), "{text:?}: {error}");
        assert_eq!(fs::read_to_string(&outside).ok().as_deref(), text);
    }
    put(&store, "b", "x", "latest").await.unwrap();
    assert_eq!(fs::read_to_string(&link).unwrap(), "latest!");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "new", "the link is replaced, not what it leads to");
}

#[test]
fn unfinished_files_of_an_earlier_run_are_removed() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("objects/.tmp")).unwrap();
    fs::write(dir.path().join("objects/.tmp/1-0"), "half").unwrap();
    store(&dir, true);
    assert_eq!(unfinished(&dir), 0);
}
