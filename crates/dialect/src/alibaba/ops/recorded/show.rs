//! Answers about what was recorded, in the cloud's words.

use catalog::Catalog;
use media::{StreamId, Wall};
use output::{Entry, Object, Part};
use serde_json::{Map, Value, json};

use super::super::page::{Page, Shown, listed};

/// Parts of a recording are told as one when no more than this is between them, in microseconds.
const JOIN_MICROS: i64 = 1_000_000;

/// A file in the index.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordFile<'a> {
    /// RecordId
    pub id: &'a str,
    /// Of which stream.
    pub stream: &'a StreamId,
    /// What it is.
    pub entry: &'a Entry,
    /// When it came into the index.
    pub created: Wall,
    /// RecordUrl
    pub url: String,
}

/// An attempt to tell somebody of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyRecord<'a> {
    /// Of which stream.
    pub stream: &'a StreamId,
    /// NotifyType
    pub kind: &'a str,
    /// NotifyUrl
    pub url: &'a str,
    /// NotifyTime
    pub at: Wall,
    /// NotifyHeader
    pub header: &'a str,
    /// NotifyContent
    pub content: &'a str,
    /// NotifyResponse
    pub response: &'a str,
    /// NotifyResult
    pub ok: bool,
    /// Description of one that did not arrive.
    pub description: &'a str,
}

/// DescribeLiveStreamRecordContent: what there is of `stream`, in order of time. Slices that lie side by side are one
/// stretch, and so is what overlaps because it was recorded in several formats under one name.
pub fn contents<'a>(
    stream: &StreamId,
    entries: impl IntoIterator<Item = &'a Entry>,
    catalog: &Catalog,
) -> Value {
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    // Which of them are not over yet: there can be tens of thousands that are.
    let mut open: Vec<usize> = Vec::new();
    for entry in entries {
        let is = |at: usize, what: &dyn Fn(&Stretch<'_>) -> bool| stretches.get(at).is_some_and(what);
        open.retain(|&at| is(at, &|stretch| stretch.reaches(entry)));
        let same = open.iter().rev().copied().find(|&at| is(at, &|stretch| stretch.goes_on_with(entry)));
        match same.and_then(|at| stretches.get_mut(at)) {
            Some(stretch) => stretch.take(entry),
            None => {
                open.push(stretches.len());
                stretches.push(Stretch::new(entry));
            }
        }
    }
    let show = |stretch: Stretch<'_>| {
        json!({
            "OssEndpoint": endpoint(stream, &stretch.first.object, catalog),
            "OssBucket": &*stretch.first.object.bucket.name,
            "OssObjectPrefix": stretch.first.template,
            "StartTime": catalog::record::show_moment(stretch.first.start),
            "EndTime": catalog::record::show_moment(stretch.end),
            "Duration": seconds(stretch.duration),
        })
    };
    let items = stretches.into_iter().map(show).collect();
    listed(Map::new(), "RecordContentInfoList", "RecordContentInfo", items)
}

/// Something that was recorded without a break.
struct Stretch<'a> {
    first: &'a Entry,
    end: Wall,
    duration: i64,
}

impl<'a> Stretch<'a> {
    fn new(first: &'a Entry) -> Self {
        Self { first, end: first.end, duration: first.duration }
    }

    /// Whether it lasts until shortly before `entry`: if not, nothing that begins later can be part of it.
    fn reaches(&self, entry: &Entry) -> bool {
        entry.start.micros_since(self.end) <= JOIN_MICROS
    }

    /// Whether `entry`, which begins later, is more of the same.
    fn goes_on_with(&self, entry: &Entry) -> bool {
        let same = self.first.object.bucket == entry.object.bucket && self.first.template == entry.template;
        let gap = entry.start.micros_since(self.end);
        let slices = matches!((&self.first.part, &entry.part), (Part::Slice { .. }, Part::Slice { .. }));
        same && if slices { gap <= JOIN_MICROS } else { gap < 0 }
    }

    fn take(&mut self, entry: &Entry) {
        let beyond = entry.end.micros_since(self.end);
        if beyond > 0 {
            self.duration = self.duration.saturating_add(beyond.min(entry.duration));
            self.end = entry.end;
        }
    }
}

/// DescribeLiveStreamRecordIndexFiles: this page of `total`.
pub fn files(files: &[RecordFile<'_>], page: Page, total: u64, catalog: &Catalog) -> Value {
    let items = files.iter().map(|file| info(file, catalog)).collect();
    let shown = Shown::new(page, usize::try_from(total).unwrap_or(usize::MAX));
    listed(shown.numbers_and_order(), "RecordIndexInfoList", "RecordIndexInfo", items)
}

/// DescribeLiveStreamRecordIndexFile
pub fn file(file: &RecordFile<'_>, catalog: &Catalog) -> Value {
    json!({ "RecordIndexInfo": info(file, catalog) })
}

/// CreateLiveStreamRecordIndexFiles: the same without a Format.
pub fn made(file: &RecordFile<'_>, catalog: &Catalog) -> Value {
    let mut info = info(file, catalog);
    if let Some(fields) = info.as_object_mut() {
        fields.remove("Format");
    }
    json!({ "RecordInfo": info })
}

fn info(file: &RecordFile<'_>, catalog: &Catalog) -> Value {
    let RecordFile { id, stream, entry, created, url } = file;
    json!({
        "RecordId": id,
        "RecordUrl": url,
        "DomainName": stream.domain(),
        "AppName": stream.app(),
        "StreamName": stream.stream(),
        "OssEndpoint": endpoint(stream, &entry.object, catalog),
        "OssBucket": &*entry.object.bucket.name,
        "OssObject": entry.object.key,
        "Format": entry.format.word(),
        "StartTime": catalog::record::show_moment(entry.start),
        "EndTime": catalog::record::show_moment(entry.end),
        "Duration": seconds(entry.duration),
        "Width": entry.width,
        "Height": entry.height,
        "CreateTime": catalog::record::show_moment(*created),
    })
}

/// DeleteLiveStreamRecordIndexFiles: what became of each.
pub fn deleted(outcomes: &[(String, String)]) -> Value {
    let item = |(id, message): &(String, String)| json!({ "RecordId": id, "Message": message });
    let items: Vec<_> = outcomes.iter().map(item).collect();
    json!({ "Code": "OK", "Message": "OK", "RecordDeleteInfoList": { "RecordDeleteInfo": items } })
}

/// DescribeLiveRecordNotifyRecords: this page of `total`.
pub fn attempts(attempts: &[NotifyRecord<'_>], page: Page, total: u64) -> Value {
    let show = |attempt: &NotifyRecord<'_>| {
        json!({
            "DomainName": attempt.stream.domain(),
            "AppName": attempt.stream.app(),
            "StreamName": attempt.stream.stream(),
            "NotifyTime": catalog::record::show_moment(attempt.at),
            "NotifyType": attempt.kind,
            "NotifyUrl": attempt.url,
            "NotifyHeader": attempt.header,
            "NotifyContent": attempt.content,
            "NotifyResponse": attempt.response,
            "NotifyResult": if attempt.ok { "success" } else { "failed" },
            // "Returns `success` if the call succeeds", in the cloud's documentation of this operation.
            "Description": if attempt.ok { "success" } else { attempt.description },
            "StorageType": "oss",
        })
    };
    let mut fields = Shown::new(page, usize::try_from(total).unwrap_or(usize::MAX)).numbers();
    fields.insert("CallbackList".to_owned(), attempts.iter().map(show).collect());
    fields.insert("Code".to_owned(), json!(200));
    fields.insert("Msg".to_owned(), json!("OK"));
    Value::Object(fields)
}

/// OssEndpoint of an object: as the config of its stream has it, if that still names its storage; else the storage's
/// name.
fn endpoint(stream: &StreamId, object: &Object, catalog: &Catalog) -> String {
    let storage = &object.bucket.storage;
    let template = catalog.records().applying(stream);
    let given = template.and_then(|template| template.given.oss_endpoint.clone());
    let is_same = |endpoint: &String| {
        catalog.known().storages.find(endpoint).is_some_and(|found| *found.name == **storage)
    };
    given.filter(is_same).unwrap_or_else(|| storage.to_string())
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
