//! Formats that share one OssObjectPrefix, and so want the same names.

use super::{DELAY, FORMATS, index, is_sliced};
use crate::account::Account;
use crate::encoder::{Push, Source};
use crate::machine::{Server, files, wait_for};
use crate::rpc;

/// Where all formats go.
const FILE: &str = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}";
const SLICE: &str = "record/{AppName}/{StreamName}/slice_{UnixTimestamp}_{Sequence}";

fn template() -> String {
    let mut text = format!(
        "[[record]]\ndomain_name = \"live.local\"\napp_name = \"live\"\noss_endpoint = \"oss-local\"\n\
         oss_bucket = \"live-bucket\"\ndelay_time = {DELAY}\n"
    );
    for format in FORMATS {
        text.push_str(&format!(
            "[[record.record_format]]\nformat = \"{format}\"\ncycle_duration = 3600\noss_object_prefix = \"{FILE}\"\n"
        ));
        if is_sliced(format) {
            text.push_str(&format!("slice_duration = 5\nslice_oss_object_prefix = \"{SLICE}\"\n"));
        }
    }
    text
}

#[test]
fn a_recording_is_deleted_whole_and_takes_nothing_of_one_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source { seconds: 7, ..Source::default() }.encode(folder.path());
    let sent = Account::of(&source);
    let server = Server::start(&template());
    Push::start(&source, &server.publish_url("live", "s")).succeed();
    server.close_recordings("live", "s");
    let rows = wait_for("the index", || Some(index(&server, "s")).filter(|rows| rows.len() == FORMATS.len()));
    let key = |row: &serde_json::Value| row["OssObject"].as_str().unwrap().to_owned();
    assert_eq!(rows.iter().filter(|row| key(row).ends_with("~2.m3u8")).count(), 1, "{rows:#?}");
    let mut left: Vec<_> = FORMATS
        .iter()
        .map(|format| {
            let row = rows.iter().find(|row| row["Format"] == *format);
            row.unwrap_or_else(|| panic!("{format} in {rows:#?}"))
        })
        .collect();
    while let Some(row) = left.first() {
        for row in &left {
            sent.assert_same(&Account::of(&server.bucket().join(key(row))), &key(row));
        }
        let stream = [("DomainName", "live.local"), ("AppName", "live"), ("StreamName", "s")];
        let record = [("RecordId.1", row["RecordId"].as_str().unwrap()), ("RemoveFile", "true")];
        let params: Vec<_> = stream.into_iter().chain(record).collect();
        rpc::call(server.api, "DeleteLiveStreamRecordIndexFiles", &params).done();
        left.remove(0);
    }
    assert_eq!(files(&server.bucket(), ""), [""; 0].map(std::path::PathBuf::from));
}
