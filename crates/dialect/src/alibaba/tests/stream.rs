use media::StreamId;

use super::super::{LiveAudio, LiveStream, LiveVideo};
use super::*;

const ONLINE: &str = "DescribeLiveStreamsOnlineList";
const FORBID: &str = "ForbidLiveStream";
const RESUME: &str = "ResumeLiveStream";
const BLOCKED: &str = "DescribeLiveStreamsBlockList";

const STREAM: &[(&str, &str)] = &[
    ("DomainName", "push.live.local"),
    ("AppName", "app"),
    ("StreamName", "stream"),
    ("LiveStreamType", "publisher"),
];

fn live(app: &str, stream: &str, seconds: i64) -> LiveStream {
    LiveStream {
        stream: StreamId::parse("live.local", app, stream).unwrap(),
        publish_domain: "push.live.local".to_owned(),
        publish_url: format!("rtmp://push.live.local/{app}/{stream}"),
        published: at(world::NOW).plus_micros(seconds * 1_000_000),
        client: Some([192, 0, 2, 1].into()),
        server: None,
        video: Some(LiveVideo { codec_id: 7, bitrate: 2_500_999, frame_rate: 30, width: 1920, height: 1080 }),
        audio: Some(LiveAudio { codec_id: 10, bitrate: 128_000 }),
    }
}

fn online(world: &mut World, changes: &[(&'static str, &str)]) -> (Value, String) {
    let list = world.done(ONLINE, &pairs(&with(&[("DomainName", "live.local")], changes)));
    let items = list["OnlineInfo"]["LiveStreamOnlineInfo"].as_array().unwrap();
    let names: Vec<_> = items.iter().map(|item| item["StreamName"].as_str().unwrap()).collect();
    let names = names.join(" ");
    (list, names)
}

#[test]
fn lists_what_is_online_as_the_reference_does() {
    let mut world = World::new();
    world.live = vec![live("app", "s", 0)];
    let expected = json!({
        "PageNum": 1, "PageSize": 2000, "TotalNum": 1, "TotalPage": 1,
        "OnlineInfo": { "LiveStreamOnlineInfo": [{
            "DomainName": "live.local", "AppName": "app", "StreamName": "s",
            "PublishDomain": "push.live.local", "PublishTime": "2026-11-20T08:00:00Z", "PublishType": "edge",
            "PublishUrl": "rtmp://push.live.local/app/s", "ClientIp": "192.0.2.1", "ServerIp": "",
            "Transcoded": "no", "VideoCodecId": 7, "AudioCodecId": 10, "VideoDataRate": 2500,
            "AudioDataRate": 128, "FrameRate": 30, "Width": 1920, "Height": 1080,
        }] },
    });
    assert_eq!(online(&mut world, &[]).0, expected);
}

#[test]
fn a_track_that_is_not_there_has_no_figures() {
    let mut world = World::new();
    world.live = vec![LiveStream { video: None, ..live("app", "s", 0) }];
    let item = online(&mut world, &[]).0["OnlineInfo"]["LiveStreamOnlineInfo"][0].clone();
    assert_eq!((item.get("Width"), &item["AudioCodecId"]), (None, &json!(10)));
}

#[test]
fn filters_by_app_name_and_type() {
    let mut world = World::new();
    world.live = vec![live("app", "cam2", 3), live("app", "cam1", 1), live("other", "cam", 2)];
    world.live.push(LiveStream {
        stream: StreamId::parse("b.local", "app", "cam").unwrap(),
        ..live("app", "x", 0)
    });
    for (changes, names) in [
        (&[][..], "cam1 cam cam2"),
        (&[("AppName", "app")], "cam1 cam2"),
        (&[("StreamName", "cam")], "cam1 cam cam2"),
        (&[("StreamName", "cam"), ("QueryType", "strict")], "cam"),
        (&[("StreamType", "raw")], "cam1 cam cam2"),
        (&[("StreamType", "trans")], ""),
        (&[("PageSize", "2"), ("PageNum", "2")], "cam2"),
        (&[("DomainName", "push.live.local"), ("AppName", "other")], "cam"),
    ] {
        assert_eq!(online(&mut world, changes).1, names, "{changes:?}");
    }
}

#[test]
fn only_the_stream_is_four_fields() {
    let mut world = World::new();
    world.live = vec![live("app", "s", 0)];
    let item =
        online(&mut world, &[("OnlyStream", "yes")]).0["OnlineInfo"]["LiveStreamOnlineInfo"][0].clone();
    let mut keys: Vec<_> = item.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["AppName", "DomainName", "PublishTime", "StreamName"]);
}

#[test]
fn words_and_pages_that_are_none_are_refused() {
    let mut world = World::new();
    for (name, value) in [
        ("QueryType", "exact"),
        ("StreamType", "x"),
        ("OnlyStream", "true"),
        ("PageSize", "0"),
        ("PageSize", "3001"),
        ("PageNum", "0"),
    ] {
        let expected = (
            400,
            &*format!("Invalid{name}.Malformed"),
            &*format!("Specified parameter {name} is not valid."),
        );
        world.check_refused(ONLINE, &[("DomainName", "live.local")], &[(name, value)], expected);
    }
    online(&mut world, &[("PageSize", "3000")]);
}

#[test]
fn a_forbidden_stream_is_blocked_until_it_is_resumed() {
    let mut world = World::new();
    let id = StreamId::parse("live.local", "app", "stream").unwrap();
    world.done(FORBID, STREAM);
    assert!(world.catalog.is_forbidden(&id, world.now));
    let blocked = world.done(BLOCKED, &[("DomainName", "push.live.local")]);
    let expected = json!({
        "DomainName": "live.local", "StreamUrls": { "StreamUrl": ["live.local/app/stream"] },
        "PageNum": 1, "PageSize": 2000, "TotalNum": 1, "TotalPage": 1,
    });
    assert_eq!(blocked, expected);
    let expected = (400, "ConfigAlreadyExists", "Config has already exist.");
    world.check_refused(FORBID, STREAM, &[("DomainName", "live.local")], expected);
    world.done(RESUME, STREAM);
    assert!(!world.catalog.is_forbidden(&id, world.now));
    assert_eq!(
        world.done(BLOCKED, &[("DomainName", "live.local")])["StreamUrls"],
        json!({ "StreamUrl": [] })
    );
}

#[test]
fn a_stream_comes_back_at_its_resume_time() {
    let mut world = World::new();
    let id = StreamId::parse("live.local", "app", "stream").unwrap();
    world.done(FORBID, &pairs(&with(STREAM, &[("ResumeTime", "2026-11-20T08:00:10Z")])));
    assert!(world.catalog.is_forbidden(&id, world.now));
    world.wait(10);
    assert!(!world.catalog.is_forbidden(&id, world.now));
    for time in ["2026-11-20T08:00:10Z", "later", "2026-11-20 09:00:00"] {
        let (status, code, _) = world.refused(FORBID, &pairs(&with(STREAM, &[("ResumeTime", time)])));
        assert_eq!((status, &*code), (400, "InvalidResumeTime.Malformed"), "{time}");
    }
}

#[test]
fn one_shot_ends_the_publish_and_blocks_nothing() {
    let mut world = World::new();
    let params = super::params(&pairs(&with(STREAM, &[("Oneshot", "yes")])));
    let super::super::Run::Change(read) = operation(FORBID).unwrap().run else { panic!() };
    let applied = world.catalog.apply(&read(&params).unwrap(), world.now).unwrap();
    assert_eq!(applied.kick, Some(StreamId::parse("live.local", "app", "stream").unwrap()));
    assert!(applied.rows.is_empty());
    world.check_refused(
        FORBID,
        STREAM,
        &[("Oneshot", "maybe")],
        (400, "InvalidOneshot.Malformed", "Specified parameter Oneshot is not valid."),
    );
}

#[test]
fn a_stream_is_named_by_all_its_names_and_its_type() {
    let mut world = World::new();
    for action in [FORBID, RESUME] {
        for name in ["DomainName", "AppName", "StreamName", "LiveStreamType"] {
            let expected =
                (400, &*format!("Missing{name}"), &*format!("{name} is mandatory for this action."));
            world.check_refused(action, STREAM, &[(name, "")], expected);
        }
        for (name, value) in [("AppName", "*"), ("StreamName", "a/b"), ("LiveStreamType", "player")] {
            let expected = (
                400,
                &*format!("Invalid{name}.Malformed"),
                &*format!("Specified parameter {name} is not valid."),
            );
            world.check_refused(action, STREAM, &[(name, value)], expected);
        }
    }
}
