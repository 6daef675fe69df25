//! Live streams in a bucket: what a CDN that has it as its origin would serve, at any moment.

use std::collections::BTreeSet;
use std::path::Path;

use crate::account::Account;
use crate::encoder::{Push, Source, play};
use crate::machine::{Server, files, pause, wait_for};
use crate::s3::service::{self, Service};

/// Stores every stream of app `live` for a CDN, in `storage`.
fn template(storage: &str, bucket: &str) -> String {
    format!(
        r#"
[[package]]
domain_name = "live.local"
app_name = "live"
stream_name = "*"
protocol = "HLSDASH_CMAF"
segment_num = 3
segment_duration = 1
put_oss_endpoint = "{storage}"
put_oss_bucket = "{bucket}"
put_oss_prefix = "cdn/{{AppName}}/"
"#
    )
}

/// What a playlist refers to.
fn names(playlist: &str) -> Vec<String> {
    let quoted = playlist.lines().filter_map(|line| line.split_once("URI=\"")?.1.split('"').next());
    let plain = playlist.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    quoted.chain(plain).map(str::to_owned).collect()
}

/// Reads each list of the bucket, and then what it names: all of that must be there. How many lists there were.
fn assert_whole(bucket: &Path) -> usize {
    let lists = files(bucket, ".m3u8");
    for list in &lists {
        // It may be removed while it is looked at, as the stream is forgotten.
        let Ok(text) = std::fs::read_to_string(list) else { continue };
        for name in names(&text) {
            let named = list.with_file_name(&name);
            assert!(named.exists() || !list.exists(), "{} names {name}: {text}", list.display());
        }
    }
    lists.len()
}

#[test]
fn a_bucket_has_at_any_moment_what_players_need_and_in_the_end_nothing() {
    let sources = tempfile::tempdir().unwrap();
    let file = Source { seconds: 28, ..Source::default() }.encode(sources.path());
    let server = Server::start(&template("oss-local", "live-bucket"));
    let push = Push::start(&file, &server.publish_url("live", "s"));
    let (bucket, folder) = (server.bucket(), server.bucket().join("cdn/live"));
    let multivariant = folder.join("s.m3u8");
    wait_for("the playlists", || (assert_whole(&bucket) == 3).then_some(()));
    let mpd = wait_for("the MPD", || folder.join("s.mpd").exists().then(|| folder.join("s.mpd")));
    let players = [&multivariant, &mpd].map(|path| play(path.to_str().unwrap(), 4));
    let first: BTreeSet<_> = files(&folder, ".m4s").into_iter().collect();
    let gone = || first.iter().all(|segment| !segment.exists());
    wait_for("the first segments to leave", || {
        assert_whole(&bucket);
        gone().then_some(())
    });
    for player in players {
        let (success, said) = player.join().unwrap();
        assert!(success, "{said}");
    }
    assert!(multivariant.exists(), "the stream goes on without them");
    push.succeed();
    wait_for("everything to be removed", || {
        assert_whole(&bucket);
        files(&bucket, "").is_empty().then_some(())
    });
    let log = server.log();
    let loud: Vec<_> = log.iter().filter(|l| l.contains(r#""WARN""#) || l.contains(r#""ERROR""#)).collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn shutdown_leaves_the_ended_stream_in_a_service() {
    let service = Service::start();
    let sources = tempfile::tempdir().unwrap();
    // Short enough to be listed to the end.
    let file = Source { seconds: 3, ..Source::default() }.encode(sources.path());
    let mut server = Server::start(&format!("{}{}", service.storage(), template("service", service::BUCKET)));
    let push = Push::start(&file, &server.publish_url("live", "s"));
    wait_for("the playlist", || (!service.keys("cdn/live/s.m3u8").is_empty()).then_some(()));
    assert_eq!(service.content_type("cdn/live/s.m3u8"), "application/vnd.apple.mpegurl");
    assert_eq!(service.cache_control("cdn/live/s.m3u8"), "public, max-age=2");
    push.succeed();
    assert!(server.terminate().success());
    let objects = service.download();
    assert_eq!(assert_whole(objects.path()), 3);
    let list = std::fs::read_to_string(objects.path().join("cdn/live/s/video.m3u8")).unwrap();
    assert!(list.ends_with("#EXT-X-ENDLIST\n"), "{list}");
    let (sent, found) = (Account::of(&file), Account::of(&objects.path().join("cdn/live/s.m3u8")));
    assert!(sent.slices == found.slices, "{} sent, {} found", sent.slices.len(), found.slices.len());
    // Sound from before the first picture has no segment.
    assert!(sent.aac.ends_with(&found.aac) && found.aac.len() + 3 > sent.aac.len());
}

/// The server goes on and players with it, whatever the store does.
#[test]
fn a_store_that_comes_back_gets_what_is_live() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sources = tempfile::tempdir().unwrap();
    // Longer than the wait for the first segment to leave, on a machine that is busy, too.
    let file = Source { seconds: 60, ..Source::default() }.encode(sources.path());
    let storage = service::storage(&format!("http://127.0.0.1:{port}"), service::ID, service::SECRET, true);
    let server = Server::start(&format!("{storage}{}", template("service", service::BUCKET)));
    let push = Push::start(&file, &server.publish_url("live", "s"));
    let first = wait_for("a segment over HTTP", || {
        let (status, list) = server.get("/live/s/video.m3u8");
        (status == 200).then(|| names(&String::from_utf8(list).unwrap()).pop().unwrap())
    });
    wait_for("the first segment to leave", || {
        pause();
        (server.get(&format!("/live/s/{first}")).0 == 404).then_some(())
    });
    let service = Service::in_process(port);
    wait_for("the playlist", || (!service.keys("cdn/live/s.m3u8").is_empty()).then_some(()));
    assert!(service.keys(&format!("cdn/live/s/{first}")).is_empty(), "nobody needs it any more");
    drop(push);
    wait_for("what the log says", || {
        server.log().iter().any(|line| line.contains("live window is in its bucket again")).then_some(())
    });
    let told = server.log().iter().filter(|line| line.contains("live window not stored")).count();
    assert_eq!(told, 1);
}
