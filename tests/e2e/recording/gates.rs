//! When a recording begins and ends by something else than the publish.

use std::collections::BTreeMap;
use std::time::Duration;

use super::material::{Material, RATE};
use super::receiver::{Call, Receiver, Reply};
use super::{FORMATS, Template, account, came_in, folder, index, order, recordings};
use crate::encoder::Push;
use crate::machine::{AUTHORIZATION, Server, get, wait_for};
use crate::{account::Account, rpc};

/// Waits until that many pictures came since; how many that are now.
fn pictures(server: &Server, at_least: usize) -> usize {
    super::wait_for_pictures(server, &["s"], at_least);
    came_in(server, "s").0
}

/// OnDemand 7: start, stop, start again, restart, and a break of the source.
#[test]
fn a_manual_recording_does_what_it_is_told_and_does_not_survive_a_break() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Material::encode(folder.path(), 16, 6), Material::encode(folder.path(), 3, 7));
    let server = Server::start(&Template { more: "on_demand = 7", ..Template::default() }.text());
    let push = Push::start(&first.file, &server.publish_url("live", "s"));
    let started = pictures(&server, 2 * RATE);
    order(&server, "s", "start").done();
    let again = order(&server, "s", "start");
    assert_eq!((again.status, again.code()), (409, "TaskAlreadyStarted"), "{again:?}");
    let stopped = pictures(&server, started + 3 * RATE);
    order(&server, "s", "stop").done();
    let resumed = pictures(&server, stopped + 2 * RATE);
    order(&server, "s", "start").done();
    let restarted = pictures(&server, resumed + 3 * RATE);
    order(&server, "s", "restart").done();
    push.succeed();
    server.wait_until_gone("live", "s");
    Push::start(&second.file, &server.publish_url("live", "s")).succeed();
    server.close_recordings("live", "s");
    super::wait_for_recordings(&server, &FORMATS, "s", 2);
    for format in FORMATS {
        let files = recordings(&server.bucket(), format, "live", "s");
        assert_eq!(files.len(), 2, "{format}: {files:?}");
        let found = |file: usize| first.find(&account(format, &files[file..=file]), format).video;
        let (one, two) = (found(0), found(1));
        // A call takes a moment, and begins and ends at the key frames then.
        assert!(is_soon_after(one[0], started), "{format} begins at {}, started at {started}", one[0]);
        let pause = one.windows(2).find(|pair| pair[1] > pair[0] + 1).expect("a pause in the first file");
        assert!(is_near(pause[0] + 1, stopped), "{format} pauses at {}, stopped at {stopped}", pause[0]);
        assert!(is_soon_after(pause[1], resumed), "{format} goes on at {}, started at {resumed}", pause[1]);
        assert_eq!(one.windows(2).filter(|pair| pair[1] > pair[0] + 1).count(), 1, "{format}");
        assert_eq!(two[0], one[one.len() - 1] + 1, "{format}: a restart loses nothing");
        assert!(is_soon_after(two[0], restarted), "{format} was cut at {}, restarted at {restarted}", two[0]);
        assert_eq!((two[two.len() - 1] + 1, two.len()), (16 * RATE, 16 * RATE - two[0]), "{format}");
    }
}

/// At a key frame, a second after it at the latest.
fn is_soon_after(frame: usize, ordered: usize) -> bool {
    frame.is_multiple_of(RATE) && is_near(frame, ordered)
}

/// Within a second and a half.
fn is_near(frame: usize, ordered: usize) -> bool {
    frame + RATE / 2 >= ordered && frame <= ordered + 2 * RATE
}

#[test]
fn orders_are_refused_where_there_is_nothing_to_obey() {
    let folder = tempfile::tempdir().unwrap();
    let source = Material::encode(folder.path(), 6, 8);
    let server = Server::start(&Template { app: "live", formats: &["flv"], ..Template::default() }.text());
    let refused = |stream: &[(&str, &str)], command: &str| {
        let params: Vec<_> = [("DomainName", "live.local")]
            .iter()
            .chain(stream)
            .chain([&("Command", command)])
            .copied()
            .collect();
        let answer = rpc::call(server.api, "RealTimeRecordCommand", &params);
        (answer.status, answer.code().to_owned())
    };
    let nobody = [("AppName", "live"), ("StreamName", "nobody")];
    assert_eq!(refused(&nobody, "start"), (404, "InvalidStream.NotFound".to_owned()));
    let live = Push::start(&source.file, &server.publish_url("live", "s"));
    let bare = Push::start(&source.file, &server.publish_url("bare", "s"));
    wait_for("both to be live", || {
        let is_live = |app: &str| {
            let (status, _) = get(server.api, &format!("/api/streams/live.local/{app}/s"), AUTHORIZATION);
            status == 200
        };
        (is_live("live") && is_live("bare")).then_some(())
    });
    super::wait_for_pictures(&server, &["s"], RATE);
    let stream = [("AppName", "live"), ("StreamName", "s")];
    assert_eq!(refused(&stream, "start"), (409, "TaskAlreadyStarted".to_owned()), "it records by itself");
    let bare_stream = [("AppName", "bare"), ("StreamName", "s")];
    assert_eq!(refused(&bare_stream, "start"), (404, "InvalidConfig.NotFound".to_owned()));
    live.succeed();
    bare.succeed();
}

/// The operator of these streams.
fn operator(call: &Call, _: usize) -> Reply {
    let reply = |status: u16, body: &str| Reply::new(status, body);
    match call.param("stream") {
        "yes" => Reply {
            after: Duration::from_secs(2),
            ..reply(
                200,
                r#"{"ApiVersion":"1.0","NeedRecord":true,"Interval":{"Flv":5},"Format":["mp4","flv"]}"#,
            )
        },
        "all" => reply(200, r#"{"NeedRecord":true}"#),
        "no" => reply(200, r#"{"ApiVersion":"1.0","NeedRecord":false}"#),
        "broken" => reply(500, r#"{"NeedRecord":true}"#),
        "odd" => reply(200, "yes please"),
        // Longer than the 5 s that it has.
        "slow" => Reply { after: Duration::from_secs(7), ..reply(200, r#"{"NeedRecord":true}"#) },
        _ => reply(200, ""),
    }
}

/// OnDemand 1 and 2: who is asked, and what the publish says.
#[test]
fn an_operator_or_the_publish_decides_whether_to_record() {
    let (data, bucket) = folder();
    let receiver = Receiver::start(bucket.clone(), operator);
    let asks = Template { more: "on_demand = 1", ..Template::default() }.text();
    let reads = Template { app: "args", more: "on_demand = 2", ..Template::default() }.text();
    let folder = tempfile::tempdir().unwrap();
    let source = Material::encode(folder.path(), 9, 9);
    let server = Server::start_in(data, &format!("{asks}{reads}{}", receiver.template("")), &[]);
    let asked = ["yes", "all", "no", "broken", "odd", "slow"];
    let arguments = [("yes", "?record=yes"), ("no", "?record=no"), ("none", "")];
    let mut pushes: Vec<Push> =
        asked.iter().map(|stream| Push::start(&source.file, &server.publish_url("live", stream))).collect();
    pushes.extend(arguments.iter().map(|(stream, query)| {
        Push::start(&source.file, &format!("{}{query}", server.publish_url("args", stream)))
    }));
    pushes.into_iter().for_each(Push::succeed);
    for (app, stream) in [("live", "yes"), ("live", "all"), ("args", "yes")] {
        server.close_recordings(app, stream);
    }
    let count = |format: &str, app: &str, stream: &str| recordings(&bucket, format, app, stream).len();
    wait_for("what was said yes to", || {
        let all = FORMATS
            .iter()
            .all(|format| count(format, "live", "all") == 1 && count(format, "args", "yes") == 1);
        (all && count("mp4", "live", "yes") == 1 && count("flv", "live", "yes") == 2).then_some(())
    });
    let whole = |format: &str, app: &str, stream: &str| {
        let files = recordings(&bucket, format, app, stream);
        source.sent.assert_same(&account(format, &files), &format!("{format} of {app}/{stream}"));
    };
    for format in FORMATS {
        whole(format, "live", "all");
        whole(format, "args", "yes");
    }
    whole("mp4", "live", "yes");
    whole("flv", "live", "yes");
    let first: Account = account("flv", &recordings(&bucket, "flv", "live", "yes")[..1]);
    assert_eq!(first.slices.len(), 5 * RATE, "Interval takes the place of CycleDuration");
    let refused = [
        ("live", "no"),
        ("live", "broken"),
        ("live", "odd"),
        ("live", "slow"),
        ("args", "no"),
        ("args", "none"),
    ];
    for (app, stream) in refused {
        // Nothing waits for its encoder to come back.
        wait_for("the session to end", || {
            let path = format!("/api/streams/live.local/{app}/{stream}");
            (get(server.api, &path, AUTHORIZATION).0 == 404).then_some(())
        });
        assert!(
            FORMATS.iter().all(|format| count(format, app, stream) == 0),
            "{app}/{stream} is not recorded"
        );
    }
    assert_eq!(count("m3u8", "live", "yes") + count("cmaf", "live", "yes"), 0, "Format leaves them out");
    check_questions(&receiver, &asked);
}

#[track_caller]
fn check_questions(receiver: &Receiver, asked: &[&str]) {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for call in receiver.calls().iter().filter(|call| call.target.starts_with("/decide")) {
        *times.entry(call.param("stream").to_owned()).or_default() += 1;
        assert_eq!(
            (call.method.as_str(), call.param("app"), call.param("domain")),
            ("GET", "live", "live.local")
        );
        assert_eq!(call.param("codec"), "h264");
        assert!(call.param("vbitrate").parse::<u32>().is_ok_and(|kbps| kbps > 0), "{}", call.target);
    }
    let expected: BTreeMap<String, u32> = asked.iter().map(|stream| ((*stream).to_owned(), 1)).collect();
    assert_eq!(times, expected, "each publish is asked about once, and no other");
}

/// Of a stream of its own, from StartTime to EndTime.
#[test]
fn a_window_begins_and_ends_a_recording_while_the_stream_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let source = Material::encode(folder.path(), 22, 10);
    let (begin, end) = (rpc::now() + 8, rpc::now() + 14);
    let window = format!(
        "stream_name = \"s\"\nstart_time = \"{}\"\nend_time = \"{}\"",
        rpc::utc(begin),
        rpc::utc(end)
    );
    let server = Server::start(&Template { more: &window, ..Template::default() }.text());
    let push = Push::start(&source.file, &server.publish_url("live", "s"));
    super::wait_for_recordings(&server, &FORMATS, "s", 1);
    let closed = rpc::now();
    assert!((end..end + 5).contains(&closed), "closed {} s after EndTime", closed as i64 - end as i64);
    assert_eq!(server.api_stream("s")["live"], true, "the stream goes on");
    let rows = wait_for("the index", || Some(index(&server, "s")).filter(|rows| rows.len() == FORMATS.len()));
    for row in rows {
        let moment = |key: &str| {
            chrono::DateTime::parse_from_rfc3339(row[key].as_str().unwrap()).unwrap().timestamp() as u64
        };
        assert!(moment("StartTime") >= begin && moment("EndTime") <= end, "{begin} to {end}: {row}");
    }
    for format in FORMATS {
        let files = recordings(&server.bucket(), format, "live", "s");
        let found = source.find(&account(format, &files), format).video;
        assert!(
            found[0] > 0 && found[0].is_multiple_of(RATE),
            "{format} begins at a key frame: {}",
            found[0]
        );
        // From the first key frame in the window to the last frame of it.
        assert!((5 * RATE - 2..=6 * RATE).contains(&found.len()), "{format}: {} frames of 6 s", found.len());
        assert_eq!(found[found.len() - 1] + 1 - found[0], found.len(), "{format} has no hole");
    }
    push.succeed();
    assert!(FORMATS.iter().all(|format| recordings(&server.bucket(), format, "live", "s").len() == 1));
}
