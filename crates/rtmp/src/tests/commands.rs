use container::amf0::Value;
use container::flv::Format;

use super::{Client, code};
use crate::chunk::kind;
use crate::command::{encode, object};
use crate::{Capabilities, Error, Event, Publish, Stage};

fn names(client: &mut Client) -> Vec<(u32, String, f64)> {
    client.answers().into_iter().map(|(stream, c)| (stream, c.name, c.transaction)).collect()
}

#[test]
fn connect_is_answered_with_window_bandwidth_chunk_size_and_success() {
    let mut client = Client::new();
    client.connect();
    client.flush().unwrap();
    let answers = client.messages();
    assert_eq!(answers.iter().map(|m| m.kind).collect::<Vec<_>>(), [5, 6, kind::COMMAND]);
    assert_eq!(answers[0].payload[..], 2_500_000_u32.to_be_bytes());
    let values = container::amf0::decode_all(&answers[2].payload).unwrap();
    assert_eq!(values[..2], ["_result".into(), 1.0.into()]);
    assert_eq!(values[2].get("capabilities"), Some(&31.0.into()));
    assert_eq!(values[2].get("mode"), Some(&1.0.into()));
    assert!(values[2].get("fmsVer").is_some());
    assert_eq!(values[3].get("code"), Some(&"NetConnection.Connect.Success".into()));
    assert_eq!(values[3].get("objectEncoding"), Some(&0.0.into()));
}

#[test]
fn what_encoders_ask_before_they_publish_is_answered() {
    let mut client = Client::new();
    client.connect();
    client.command(0, "releaseStream", 2.0, &["s".into()]);
    client.command(0, "FCPublish", 3.0, &["s".into()]);
    client.command(0, "createStream", 4.0, &[]);
    client.command(0, "_checkbw", 5.0, &[]);
    client.command(1, "getStreamLength", 6.0, &["s".into()]);
    client.command(0, "FCSubscribe", 7.0, &["s".into()]);
    client.command(0, "mystery", 8.0, &[]);
    client.command(0, "noAnswerWanted", 0.0, &[]);
    client.command(0, "onBWDone", 9.0, &[]);
    client.flush().unwrap();
    let answers: Vec<_> =
        names(&mut client).into_iter().map(|(_, name, transaction)| (name, transaction)).collect();
    let expected = [
        ("_result", 1.0),
        ("_result", 2.0),
        ("_result", 3.0),
        ("onFCPublish", 0.0),
        ("_result", 4.0),
        ("_result", 5.0),
        ("_result", 6.0),
        ("_result", 7.0),
        ("onFCSubscribe", 0.0),
        ("_result", 8.0),
    ];
    assert_eq!(answers, expected.map(|(name, transaction)| (name.to_owned(), transaction)));
}

#[test]
fn fc_publish_is_confirmed_with_the_name_of_the_stream() {
    let mut client = Client::new();
    client.connect();
    client.command(0, "FCPublish", 3.0, &["s?k=1".into()]);
    client.flush().unwrap();
    let (_, last) = client.answers().pop().unwrap();
    assert_eq!((last.name.as_str(), code(&last)), ("onFCPublish", "NetStream.Publish.Start"));
    assert_eq!(last.args[0].get("description"), Some(&"s?k=1".into()));
}

#[test]
fn a_publish_is_told_and_begins_when_it_is_accepted() {
    let mut client = Client::new();
    client.connect();
    client.command(0, "createStream", 2.0, &[]);
    client.command(1, "publish", 3.0, &["s?a=1".into(), "LIVE".into()]);
    client.flush().unwrap();
    let args = vec![("a".to_owned(), "1".to_owned())];
    let (app, stream) = ("live".to_owned(), "s".to_owned());
    let publish = Publish { tc_host: Some("h".into()), app, stream, args, ..Publish::default() };
    assert_eq!(client.events, [Event::Publish(Box::new(publish))]);
    assert_eq!(client.server.stage(), Stage::Connected);
    let before = client.answers();
    assert!(before.iter().all(|(_, command)| command.name != "onStatus"));
    assert_eq!(before[1].1.args, [Value::Number(1.0)]);
    client.accept();
    assert_eq!(client.server.stage(), Stage::Publishing);
    let answers = client.messages();
    assert_eq!((answers[0].kind, &answers[0].payload[..]), (kind::USER_CONTROL, &[0, 0, 0, 0, 0, 1][..]));
    let status = crate::command::Command::read(&answers[1].payload).unwrap().unwrap();
    assert_eq!((answers[1].stream, code(&status)), (1, "NetStream.Publish.Start"));
}

#[test]
fn a_refusal_is_an_error_status_on_the_stream_of_the_publish() {
    let mut client = Client::new();
    client.connect();
    client.command(7, "publish", 3.0, &["s".into()]);
    client.flush().unwrap();
    client.answers();
    client.server.refuse_publish("stream name contains '/'");
    client.replies.extend(client.server.output());
    let (stream, status) = client.answers().pop().unwrap();
    assert_eq!((stream, status.name.as_str(), status.transaction), (7, "onStatus", 0.0));
    assert_eq!(code(&status), "NetStream.Publish.BadName");
    assert_eq!(status.args[0].get("level"), Some(&"error".into()));
    assert_eq!(status.args[0].get("description"), Some(&"stream name contains '/'".into()));
    assert_eq!(client.server.stage(), Stage::Closed);
    client.message(kind::VIDEO, 7, 0, &b"late"[..]);
    client.flush().unwrap();
    assert!(client.sent.is_empty() && client.replies.is_empty());
}

#[test]
fn a_play_is_told_and_refused() {
    let mut client = Client::new();
    client.connect();
    client.command(1, "play", 3.0, &["s".into(), (-2000.0).into()]);
    client.flush().unwrap();
    assert!(matches!(&client.events[..], [Event::Play(play)] if play.stream == "s"));
    assert_eq!(client.server.stage(), Stage::Playing);
    client.answers();
    client.server.refuse_play("not offered");
    client.replies.extend(client.server.output());
    assert_eq!(code(&client.answers()[0].1), "NetStream.Play.Failed");
    assert_eq!(client.server.stage(), Stage::Closed);
}

#[test]
fn a_publish_without_a_type_or_of_an_unknown_one_is_live() {
    for args in [vec!["s".into()], vec!["s".into(), "ReCoRd".into()], vec!["s".into(), Value::Null]] {
        let mut client = Client::new();
        client.connect();
        client.command(1, "publish", 3.0, &args);
        client.flush().unwrap();
        client.accept();
        assert_eq!(client.server.stage(), Stage::Publishing);
    }
}

#[track_caller]
fn ends(send: impl Fn(&mut Client)) {
    let mut client = Client::publishing();
    send(&mut client);
    client.message(kind::AUDIO, 1, 9, &b"late"[..]);
    client.flush().unwrap();
    assert_eq!((&client.events[..], client.server.stage()), (&[Event::Unpublish][..], Stage::Connected));
    // a connection may publish again
    client.command(1, "publish", 9.0, &["t".into()]);
    client.flush().unwrap();
    assert!(matches!(&client.events[..], [_, Event::Publish(publish)] if publish.stream == "t"));
}

#[test]
fn a_publish_ends_once_however_it_is_said() {
    ends(|client| {
        client.command(0, "FCUnpublish", 5.0, &["s".into()]);
        client.command(0, "deleteStream", 6.0, &[1.0.into()]);
    });
    ends(|client| {
        client.command(0, "deleteStream", 6.0, &[2.0.into()]);
        client.command(0, "deleteStream", 6.0, &[1.0.into()]);
        client.command(0, "deleteStream", 6.0, &[1.0.into()]);
    });
    ends(|client| client.command(1, "closeStream", 0.0, &[]));
    ends(|client| client.command(0, "closeStream", 0.0, &[1.0.into()]));
    ends(|client| client.command(1, "publish", 0.0, &[Value::Boolean(false)]));
}

#[test]
fn a_publish_that_ends_before_its_answer_ends_after_it() {
    let mut client = Client::new();
    client.connect();
    client.command(1, "publish", 3.0, &["s".into()]);
    client.message(kind::AUDIO, 1, 9, &b"early"[..]);
    client.command(1, "closeStream", 0.0, &[]);
    client.message(kind::AUDIO, 1, 9, &b"late"[..]);
    client.flush().unwrap();
    assert!(matches!(client.events[..], [Event::Publish(_)]));
    client.accept();
    assert!(matches!(&client.events[1..], [Event::Media(m), Event::Unpublish] if m.payload == "early"));
    assert_eq!(client.server.stage(), Stage::Connected);
    client.accept();
    assert_eq!(client.events.len(), 3);
}

#[test]
fn a_second_publish_is_refused_and_the_first_goes_on() {
    let mut client = Client::publishing();
    client.command(2, "publish", 4.0, &["t".into()]);
    client.message(kind::AUDIO, 1, 9, &b"sound"[..]);
    client.flush().unwrap();
    let (stream, status) = client.answers().pop().unwrap();
    assert_eq!((stream, code(&status)), (2, "NetStream.Publish.BadName"));
    assert!(matches!(client.events[..], [Event::Media(_)]));
}

#[test]
fn amf3_commands_and_data_are_read_as_the_amf0_they_carry() {
    let mut client = Client::new();
    let prefixed = |values: &[Value]| [&[0][..], &encode(values)].concat();
    let app = object([("app", "live".into()), ("objectEncoding", 3.0.into())]);
    let connect = prefixed(&["connect".into(), 1.0.into(), app]);
    client.message(kind::COMMAND_AMF3, 0, 0, connect);
    let publish = prefixed(&["publish".into(), 2.0.into(), Value::Null, "s".into()]);
    client.message(kind::COMMAND_AMF3, 1, 0, publish);
    let data = prefixed(&["@setDataFrame".into(), "onMetaData".into(), object([("width", 320.0.into())])]);
    client.message(kind::DATA_AMF3, 1, 0, data);
    client.flush().unwrap();
    client.accept();
    let metadata = Event::Metadata(vec![object([("width", 320.0.into())])]);
    assert!(matches!(&client.events[..], [Event::Publish(_), told] if *told == metadata));
    assert_eq!(client.answers()[0].1.args[0].get("objectEncoding"), Some(&0.0.into()));
}

#[test]
fn commands_before_connect_close_the_connection() {
    let mut client = Client::new();
    client.command(0, "createStream", 1.0, &[]);
    assert_eq!(client.flush(), Err(Error::NotConnected));
    assert_eq!(client.server.stage(), Stage::Closed);
}

fn connect_with(properties: Vec<(&str, Value)>) -> (Client, Value) {
    let mut client = Client::new();
    let mut all = vec![("app".to_owned(), Value::from("live"))];
    all.extend(properties.into_iter().map(|(name, value)| (name.to_owned(), value)));
    client.message(kind::COMMAND, 0, 0, encode(&["connect".into(), 1.0.into(), Value::Object(all)]));
    client.command(0, "createStream", 2.0, &[]);
    client.command(1, "publish", 3.0, &["s".into()]);
    client.flush().unwrap();
    let info = client.answers()[0].1.args[0].clone();
    (client, info)
}

fn enhanced(client: &Client) -> Option<&Capabilities> {
    let [Event::Publish(publish)] = &client.events[..] else { panic!("{:?}", client.events) };
    publish.enhanced.as_ref()
}

#[test]
fn a_client_of_enhanced_rtmp_is_told_what_the_server_takes() {
    let list = Value::StrictArray(vec!["av01".into(), "hvc1".into()]);
    let (client, info) = connect_with(vec![("fourCcList", list)]);
    let names = ["avc1", "hvc1", "av01", "vp09", "mp4a", ".mp3", "Opus", "fLaC", "ac-3", "ec-3"];
    assert_eq!(info.get("fourCcList"), Some(&Value::StrictArray(names.map(Value::from).to_vec())));
    let forward = |names: &[&str]| {
        Value::Object(names.iter().map(|&name| (name.to_owned(), Value::from(4.0))).collect())
    };
    assert_eq!(info.get("videoFourCcInfoMap"), Some(&forward(&names[..4])));
    assert_eq!(info.get("audioFourCcInfoMap"), Some(&forward(&names[4..])));
    assert_eq!(info.get("capsEx"), Some(&14.0.into()));
    assert_eq!(info.get("code"), Some(&"NetConnection.Connect.Success".into()));
    let formats = vec![Format::Hevc, Format::Av1];
    assert_eq!(enhanced(&client), Some(&Capabilities { formats, extended: 0 }));
}

#[test]
fn a_client_of_old_gets_the_answer_of_old() {
    let (client, info) = connect_with(vec![]);
    let names: Vec<&str> = info.properties().unwrap().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["level", "code", "description", "objectEncoding"]);
    assert_eq!(enhanced(&client), None);
}

#[test]
fn what_a_client_can_play_or_hand_on_is_told() {
    let video = object([("*", 4.0.into())]);
    let audio = object([("Opus", 1.0.into()), ("fLaC", 2.0.into()), ("zzzz", 7.0.into())]);
    let (client, _) = connect_with(vec![
        ("videoFourCcInfoMap", video),
        ("audioFourCcInfoMap", audio),
        ("capsEx", 3.0.into()),
    ]);
    let formats = [Format::VIDEO, &[Format::Opus]].concat();
    let extended = Capabilities::RECONNECT | Capabilities::MULTITRACK;
    assert_eq!(enhanced(&client), Some(&Capabilities { formats, extended }));
}

#[test]
fn a_client_that_takes_everything_takes_every_codec() {
    let (client, _) = connect_with(vec![("fourCcList", Value::StrictArray(vec!["*".into()]))]);
    assert_eq!(enhanced(&client).unwrap().formats, [Format::VIDEO, Format::AUDIO].concat());
}

#[test]
fn capabilities_that_are_no_capabilities_promise_nothing() {
    let (client, info) = connect_with(vec![
        ("fourCcList", "av01".into()),
        ("videoFourCcInfoMap", 1.0.into()),
        ("capsEx", Value::Null),
    ]);
    assert_eq!(enhanced(&client), Some(&Capabilities::default()));
    assert!(info.get("capsEx").is_some());
}
