//! Recordings through the API: what the index says of them.

use std::path::Path;

use control::{Later, OrderError, Who};
use delivery::LocalStore;
use dialect::alibaba::{Archive, Call, Refusal, Run};
use output::record::Container;
use output::{Bucket, Entry, Object, Order, Part};

use super::*;
use crate::Objects;
use crate::objects::Home;

/// A live stream that is not recorded, one whose recording runs, and one that obeys.
pub(super) fn order(stream: StreamId, _: Order) -> Later<Result<(), OrderError>> {
    let outcome = match stream.stream() {
        "obeys" => Ok(()),
        "runs" => Err(OrderError::AlreadyStarted),
        "unrecorded" => Err(OrderError::NoRecording),
        "silent" => Err(OrderError::Unavailable),
        _ => Err(OrderError::NoStream),
    };
    Box::pin(async move { outcome })
}

/// A folder with the bucket `b`, and services with and without a public URL.
pub(super) fn objects(folder: &Path) -> Objects {
    let fs = LocalStore::open(folder.join("objects"), vec!["b".to_owned()], true).unwrap();
    let storage = |name: &str, bucket: &str, public_url: Option<&str>, folder| crate::Storage {
        name: name.to_owned(),
        buckets: Some(vec![bucket.to_owned()]),
        public_url: public_url.map(str::to_owned),
        folder,
    };
    Objects(vec![
        storage("cdn", "far", Some("https://cdn.test/x/"), None),
        storage("s3", "closed", None, None),
        storage("oss-local", "b", None, Some(fs)),
    ])
}

impl Server {
    /// What becomes of an operation, its signature aside.
    async fn call(&self, action: &str, params: &[(&str, &str)]) -> Result<Value, Refusal> {
        let query = params.iter().map(|(name, value)| format!("&{name}={value}")).collect::<String>();
        let request = dialect::http::Request {
            method: "GET".to_owned(),
            query: format!("Version=2016-11-01&Action={action}{query}"),
            ..dialect::http::Request::default()
        };
        let call = Call::read(&request);
        let (Run::Ask(read) | Run::Act(read)) = call.operation().unwrap().run else { panic!("{action}") };
        let ask: Archive = read(call.params(), &self.api.control.catalog(), NOW)?;
        let home = Home { secure: true, host: "h:8090".to_owned() };
        let who = Who { action: format!("live:{action}"), ..Who::default() };
        self.api.ask_archive(ask, &home, who, NOW).await
    }

    async fn refused(&self, action: &str, params: &[(&str, &str)]) -> (u16, String) {
        let refusal = self.call(action, params).await.unwrap_err();
        (refusal.status, refusal.code.into_owned())
    }
}

const CAM: [(&str, &str); 3] = [("DomainName", "live.local"), ("AppName", "app"), ("StreamName", "cam")];
const DAY: [(&str, &str); 2] = [("StartTime", "2026-11-20T00:00:00Z"), ("EndTime", "2026-11-21T00:00:00Z")];

/// An entry that begins so many seconds after the start of [`DAY`].
fn entry(key: &str, part: Part, number: i64) -> Entry {
    let start = Wall(1_795_132_800_000_000 + number * 5_000_000);
    Entry {
        part,
        format: Container::M3u8,
        object: Object {
            bucket: Bucket { storage: "oss-local".into(), name: "b".into() },
            key: key.to_owned(),
        },
        beside: None,
        template: "r/{StartTime}_{EndTime}".to_owned(),
        sequence: number.unsigned_abs(),
        start,
        end: start.plus_micros(5_000_000),
        duration: 5_000_000,
        width: 640,
        height: 360,
        pauses: Vec::new(),
        retention_days: None,
    }
}

async fn record(server: &Server, entry: &Entry) {
    let cam = StreamId::parse("live.local", "app", "cam").unwrap();
    server.api.control.database().recorded(&cam, entry, 9, NOW).await.unwrap();
}

#[tokio::test]
async fn commands_are_obeyed_or_refused_in_the_clouds_words() {
    let server = Server::new().await;
    let give = async |stream: &'static str, app: &'static str| {
        let params =
            [("DomainName", "live.local"), ("AppName", app), ("StreamName", stream), ("Command", "start")];
        server
            .call("RealTimeRecordCommand", &params)
            .await
            .map_err(|refusal| (refusal.status, refusal.code.into_owned()))
    };
    let no_config = Err((404, "InvalidConfig.NotFound".to_owned()));
    assert_eq!(give("obeys", "app").await, Ok(json!({})));
    assert_eq!(give("runs", "app").await, Err((409, "TaskAlreadyStarted".to_owned())));
    assert_eq!(give("unrecorded", "app").await, no_config);
    assert_eq!(give("silent", "app").await, Err((500, "InternalError".to_owned())));
    assert_eq!(give("offline", "app").await, no_config);
    let config = catalog::record::RecordRaw {
        domain_name: Some("live.local".to_owned()),
        app_name: Some("configured".to_owned()),
        oss_endpoint: Some("oss-local".to_owned()),
        oss_bucket: Some("b".to_owned()),
        record_format: vec![catalog::record::FormatRaw {
            format: Some("flv".to_owned()),
            oss_object_prefix: Some("{StartTime}_{EndTime}".to_owned()),
            ..Default::default()
        }],
        ..Default::default()
    };
    server.api.control.change(catalog::Command::AddRecord(config), Who::default()).await.unwrap();
    assert_eq!(give("offline", "configured").await, Err((404, "InvalidStream.NotFound".to_owned())));
    let audit = server.api.control.database().audit(9).await.unwrap();
    assert_eq!(audit.len(), 2, "{audit:?}");
    assert_eq!(audit[1].changed, "start recording live.local/app/obeys");
}

#[tokio::test]
async fn what_was_recorded_is_found_listed_and_deleted() {
    let server = Server::new().await;
    for number in 0..3 {
        let part = Part::Slice { discontinuity: false, init: None, audio: false };
        record(&server, &entry(&format!("s/{number}.ts"), part, number)).await;
    }
    let both = [&CAM[..], &DAY[..]].concat();
    let content = server.call("DescribeLiveStreamRecordContent", &both).await.unwrap();
    assert_eq!(content["RecordContentInfoList"]["RecordContentInfo"][0]["Duration"], 15.0);
    record(&server, &entry("r/15:04.m3u8", Part::File, 0)).await;

    let files = server.call("DescribeLiveStreamRecordIndexFiles", &both).await.unwrap();
    let info = files["RecordIndexInfoList"]["RecordIndexInfo"][0].clone();
    assert_eq!((&files["TotalNum"], &info["OssEndpoint"]), (&json!(1), &json!("oss-local")));
    assert_eq!(info["RecordUrl"], "https://h:8090/objects/b/r/15%3A04.m3u8");
    let id = info["RecordId"].as_str().unwrap().to_owned();
    let one = [&CAM[..], &[("RecordId", id.as_str())]].concat();
    let file = server.call("DescribeLiveStreamRecordIndexFile", &one).await.unwrap();
    assert_eq!(file["RecordIndexInfo"], info);
    let other = [&CAM[..], &[("RecordId", "none")]].concat();
    let refused = server.refused("DescribeLiveStreamRecordIndexFile", &other).await;
    assert_eq!(refused, (404, "InvalidRecordId.NotFound".to_owned()));

    let place = [("OssEndpoint", "oss-local"), ("OssBucket", "b"), ("OssObject", "cut.m3u8")];
    let make = [&both[..], &place[..]].concat();
    let made = server.call("CreateLiveStreamRecordIndexFiles", &make).await.unwrap();
    assert_eq!((&made["RecordInfo"]["Duration"], made["RecordInfo"].get("Format")), (&json!(15.0), None));
    let which = [("RecordId.1", id.as_str()), ("RecordId.2", "none"), ("RemoveFile", "false")];
    let deleted =
        server.call("DeleteLiveStreamRecordIndexFiles", &[&CAM[..], &which[..]].concat()).await.unwrap();
    assert_eq!((&deleted["Code"], &deleted["Message"]), (&json!("OK"), &json!("OK")));
    let outcomes = &deleted["RecordDeleteInfoList"]["RecordDeleteInfo"];
    assert_eq!((&outcomes[0]["Message"], &outcomes[1]["RecordId"]), (&json!("OK"), &json!("none")));
    assert_ne!(outcomes[1]["Message"], "OK");
    let refused = server.refused("DescribeLiveStreamRecordIndexFile", &one).await;
    assert_eq!(refused.0, 404);
}

#[tokio::test]
async fn a_list_of_nothing_is_refused() {
    let server = Server::new().await;
    let place = [("OssEndpoint", "oss-local"), ("OssBucket", "b"), ("OssObject", "cut.m3u8")];
    let make = [&CAM[..], &DAY[..], &place[..]].concat();
    let refused = async || server.refused("CreateLiveStreamRecordIndexFiles", &make).await;
    assert_eq!(refused().await, (400, "InvalidStream.NotFound".to_owned()));
    record(&server, &entry("cut.m3u8", Part::File, 0)).await;
    assert_eq!(refused().await, (400, "NoRecordContent".to_owned()));
    let slice = Part::Slice { discontinuity: false, init: None, audio: false };
    record(&server, &entry("1.ts", slice.clone(), 0)).await;
    assert_eq!(refused().await, (400, "InvalidOssObject.Malformed".to_owned()));
    let mut moved = entry("2.ts", slice, 1);
    moved.object.bucket.name = "before".into();
    record(&server, &moved).await;
    assert_eq!(refused().await, (400, "InvalidConfig.Changed".to_owned()));
}

#[tokio::test]
async fn calls_to_others_are_shown() {
    let server = Server::new().await;
    let database = server.api.control.database();
    let post = control::Post {
        id: "1".to_owned(),
        stream: StreamId::parse("live.local", "app", "cam").unwrap(),
        kind: "file_created".to_owned(),
        url: "http://cb/".to_owned(),
        method: control::Method::Post,
        body: "{}".to_owned(),
        signed: false,
        created: NOW,
    };
    database.post(&post).await.unwrap();
    let attempt = control::Attempt {
        post: "1".to_owned(),
        at: NOW,
        header: String::new(),
        content: "{}".to_owned(),
        response: String::new(),
        ok: true,
        description: "success".to_owned(),
        next: control::Next::Delivered,
    };
    database.attempted(&attempt).await.unwrap();
    let count = async |more: &[(&'static str, &'static str)]| {
        let params = [&CAM[..1], &DAY[..], more].concat();
        let shown = server.call("DescribeLiveRecordNotifyRecords", &params).await.unwrap();
        (shown["TotalNum"].as_u64().unwrap(), shown["CallbackList"].as_array().unwrap().len())
    };
    assert_eq!(count(&[]).await, (1, 1));
    assert_eq!(count(&[("Status", "failed")]).await, (0, 0));
    assert_eq!(count(&[("StorageType", "vod")]).await, (0, 0));
    assert_eq!(count(&[("StreamName", "other")]).await, (0, 0));
}
