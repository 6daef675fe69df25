//! What was recorded, and orders to what is being recorded (reference §2.5 to §2.7). The catalog knows nothing of
//! either: parameters become an [`Archive`] question, the shell finds the answer, and [`show`] writes it down.

pub mod show;

use catalog::{Catalog, Fault, Param};
use media::{StreamId, Wall};
use output::name::{Name, Values, Variable};
use output::{Object, Order};

use super::super::{Params, Refusal, moment};
use super::page::{CONFIGS, Page, Paging};
use super::read;

/// The longest time that one question may be about (reference §2.7).
const MAX_SPAN_MICROS: i64 = 4 * 86_400_000_000;
/// Of attempts: 1 to 500 on a page, 20, and 100,000 pages.
const ATTEMPTS: Paging =
    Paging { number: "PageNumber", sizes: 1..=500, default: 20, malformed: Refusal::malformed };
const MAX_PAGES: usize = 100_000;

/// A question to the index of recordings, or an order.
#[derive(Clone, Debug)]
pub enum Archive {
    /// RealTimeRecordCommand
    Order {
        /// Whose recordings.
        stream: StreamId,
        /// What they are to do.
        order: Order,
        /// Whether a record config applies to the stream.
        configured: bool,
    },
    /// DescribeLiveStreamRecordContent; answered by [`show::contents`].
    Contents(StreamId, Span),
    /// DescribeLiveStreamRecordIndexFiles; answered by [`show::files`].
    Files(StreamId, Span, Page),
    /// DescribeLiveStreamRecordIndexFile; answered by [`show::file`].
    File(StreamId, String),
    /// CreateLiveStreamRecordIndexFiles; answered by [`show::made`].
    Make(Box<Make>),
    /// DeleteLiveStreamRecordIndexFiles; answered by [`show::deleted`].
    Delete {
        /// Whose.
        stream: StreamId,
        /// RecordIds.
        ids: Vec<String>,
        /// Whether their objects go, too.
        objects: bool,
    },
    /// DescribeLiveRecordNotifyRecords; answered by [`show::attempts`].
    Attempts(Box<Attempts>),
}

/// From a moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// StartTime
    pub start: Wall,
    /// EndTime
    pub end: Wall,
}

/// A list that is to be made of slices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Make {
    /// Of which stream.
    pub stream: StreamId,
    /// Where it goes.
    pub to: Object,
    /// OssObject as it was given.
    pub template: String,
    /// Slices that end within.
    pub span: Span,
    /// EndTimeIncluded: and the one in which it ends.
    pub end_included: bool,
}

/// Attempts that are asked for.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// Streaming domain.
    pub domain: String,
    /// AppName, if only one app is wanted.
    pub app: Option<String>,
    /// StreamName, if only one name is wanted.
    pub stream: Option<String>,
    /// When they were made.
    pub span: Span,
    /// Status: only those that arrived, or only those that did not.
    pub ok: Option<bool>,
    /// StorageType is `vod`, of which there are none.
    pub none: bool,
    /// Which of them.
    pub page: Page,
}

/// NotifyTypes of recordings, by how they begin (reference §2.5).
pub const NOTIFY_TYPES: &[&str] = &["file_created", "record_", "transformat_error"];

pub(super) fn command(params: &Params, catalog: &Catalog, _: Wall) -> Result<Archive, Refusal> {
    let stream = stream(params, catalog)?;
    let order = match params.text("Command") {
        Some("start") => Order::Start,
        Some("stop") => Order::Stop,
        Some("restart") => Order::Restart,
        Some("cancel_delay") => Order::CancelDelay,
        Some(_) => {
            let message = "Specified parameter Command is not valid.";
            return Err(Refusal::new(400, "InvalidCommand", message));
        }
        None => return Err(Refusal::missing("Command")),
    };
    let configured = catalog.records().applying(&stream).is_some();
    Ok(Archive::Order { stream, order, configured })
}

pub(super) fn contents(params: &Params, catalog: &Catalog, _: Wall) -> Result<Archive, Refusal> {
    Ok(Archive::Contents(stream(params, catalog)?, short_span(params)?))
}

pub(super) fn files(params: &Params, catalog: &Catalog, _: Wall) -> Result<Archive, Refusal> {
    let stream = stream(params, catalog)?;
    Ok(Archive::Files(stream, short_span(params)?, CONFIGS.read(params)?))
}

pub(super) fn file(params: &Params, catalog: &Catalog, _: Wall) -> Result<Archive, Refusal> {
    let stream = stream(params, catalog)?;
    let id = params.string("RecordId").ok_or_else(|| Refusal::missing("RecordId"))?;
    Ok(Archive::File(stream, id))
}

pub(super) fn make(params: &Params, catalog: &Catalog, _: Wall) -> Result<Archive, Refusal> {
    let stream = stream(params, catalog)?;
    let known = catalog.known();
    let (endpoint, bucket) = (params.string("OssEndpoint"), params.string("OssBucket"));
    let bucket = known.storages.bucket(endpoint.as_ref(), bucket.as_ref())?;
    let template = params.string("OssObject").ok_or_else(|| Refusal::missing("OssObject"))?;
    let name = list_name(&template)?;
    let span = short_span(params)?;
    let key = name.expand(&Values {
        stream: &stream,
        unix: span.start.unix_seconds(),
        sequence: 0,
        start: span.start,
        end: span.end,
        utc_offset: known.options.record_name_utc_offset,
    });
    let end_included = read::truth(params, Param::EndTimeIncluded, read::malformed)?.unwrap_or(false);
    Ok(Archive::Make(Box::new(Make { stream, to: Object { bucket, key }, template, span, end_included })))
}

/// OssObject: a name that ends in `.m3u8`, so that a list can't be taken for anything else.
fn list_name(template: &str) -> Result<Name, Fault> {
    let fault = |detail: String| Fault::malformed(Param::OssObject, detail);
    let name = Name::parse(template, Variable::RECORD_LIST).map_err(|error| fault(error.to_string()))?;
    match template.ends_with(".m3u8") {
        true => Ok(name),
        false => Err(fault("does not end in .m3u8".to_owned())),
    }
}

pub(super) fn delete(params: &Params, catalog: &Catalog, _: Wall) -> Result<Archive, Refusal> {
    let stream = stream(params, catalog)?;
    let mut ids = params.strings("RecordId");
    ids.retain(|id| !id.is_empty());
    if ids.is_empty() {
        return Err(Refusal::missing("RecordId"));
    }
    let objects = read::truth(params, Param::RemoveFile, read::malformed)?;
    let objects = objects.ok_or_else(|| Refusal::missing("RemoveFile"))?;
    Ok(Archive::Delete { stream, ids, objects })
}

pub(super) fn attempts(params: &Params, catalog: &Catalog, _: Wall) -> Result<Archive, Refusal> {
    let domain = read::streaming(params, catalog)?.to_owned();
    let span = span(params)?;
    let page = ATTEMPTS.read(params)?;
    if page.number() > MAX_PAGES {
        return Err(Refusal::malformed("PageNumber"));
    }
    let ok = match params.text("Status") {
        None => None,
        Some("success") => Some(true),
        Some("failed") => Some(false),
        Some(_) => return Err(Refusal::malformed("Status")),
    };
    let none = read::word(params, "StorageType", &["all", "oss", "vod"])? == "vod";
    let (app, stream) = (params.string("AppName"), params.string("StreamName"));
    Ok(Archive::Attempts(Box::new(Attempts { domain, app, stream, span, ok, none, page })))
}

/// The one stream that DomainName, AppName and StreamName name.
fn stream(params: &Params, catalog: &Catalog) -> Result<StreamId, Refusal> {
    read::domain_name(params)?;
    let text = |name: &str| params.text(name).ok_or_else(|| Refusal::missing(name));
    let (app, name) = (text("AppName")?, text("StreamName")?);
    let domain = read::streaming(params, catalog)?;
    // Both names have one charset: either place tells whether it is kept.
    if StreamId::parse("x", app, "x").is_err() {
        return Err(Refusal::malformed("AppName"));
    }
    StreamId::parse(domain, app, name).map_err(|_| Refusal::malformed("StreamName"))
}

/// StartTime and EndTime, at most four days apart.
fn short_span(params: &Params) -> Result<Span, Refusal> {
    let span = span(params)?;
    match span.end.micros_since(span.start) <= MAX_SPAN_MICROS {
        true => Ok(span),
        false => Err(mismatch()),
    }
}

/// StartTime and EndTime: required, the one before the other.
fn span(params: &Params) -> Result<Span, Refusal> {
    let at = |param: Param| {
        let text = params.text(param.name()).ok_or_else(|| Refusal::missing(param.name()))?;
        let malformed = || Refusal::from(Fault::malformed(param, "is no time"));
        moment::parse(text).ok_or_else(malformed)
    };
    let (start, end) = (at(Param::StartTime)?, at(Param::EndTime)?);
    match start < end {
        true => Ok(Span { start, end }),
        false => Err(mismatch()),
    }
}

/// The cloud's spelling (reference §1.6).
fn mismatch() -> Refusal {
    let message = "Specified end time does not math the specified start time.";
    Refusal::new(400, "InvalidEndTime.Mismatch", message)
}

impl Refusal {
    /// No stream of that name is online.
    pub fn stream_offline() -> Self {
        Self::new(404, "InvalidStream.NotFound", "Stream does not exist.")
    }

    /// Nothing was ever recorded of the stream (the cloud's spelling).
    pub fn stream_unknown() -> Self {
        Self::new(400, "InvalidStream.NotFound", "Speicified stream does not exist.")
    }

    /// No record config applies to the stream, or none did when its publish began (the cloud's spelling).
    pub fn not_recorded() -> Self {
        Self::new(404, "InvalidConfig.NotFound", "The speicified config does not exist.")
    }

    /// The recording runs already.
    pub fn already_started() -> Self {
        Self::new(409, "TaskAlreadyStarted", "Task has already started.")
    }

    /// Nothing was recorded in that time.
    pub fn no_content() -> Self {
        let message = "No content was recorded in the specified time range.";
        Self::new(400, "NoRecordContent", message)
    }

    /// What was recorded in that time lies in several buckets.
    pub fn config_changed() -> Self {
        let message = "The record config was changed in the specified time range.";
        Self::new(400, "InvalidConfig.Changed", message)
    }

    /// Another recording is stored under that name.
    pub fn object_taken() -> Self {
        Self::malformed("OssObject")
    }

    /// No file has this RecordId.
    pub fn no_record() -> Self {
        Self::new(404, "InvalidRecordId.NotFound", "Specified record does not exist.")
    }
}
