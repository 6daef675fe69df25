//! Streams: what is online, what is forbidden (reference §5).

use std::net::IpAddr;

use catalog::{Catalog, Command, Forbid};
use media::{StreamId, Wall};
use serde_json::{Value, json};

use super::super::{Params, Refusal};
use super::page::{STREAMS, listed};
use super::read;

/// A stream that is being published.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveStream {
    /// Which, by its streaming domain.
    pub stream: StreamId,
    /// The domain that the encoder pushes to; the streaming domain when it used none of the ingest domains.
    pub publish_domain: String,
    /// The URL that it pushes to, without arguments.
    pub publish_url: String,
    /// When this publish began.
    pub published: Wall,
    /// Where the encoder is.
    pub client: Option<IpAddr>,
    /// Where it came in.
    pub server: Option<IpAddr>,
    /// The main video track.
    pub video: Option<LiveVideo>,
    /// The main audio track.
    pub audio: Option<LiveAudio>,
}

/// Figures of a video track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveVideo {
    /// Number of the codec in FLV: 7 is H.264.
    pub codec_id: u32,
    /// Bits per second.
    pub bitrate: u64,
    /// Frames per second, rounded.
    pub frame_rate: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Figures of an audio track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveAudio {
    /// Number of the codec in FLV: 10 is AAC.
    pub codec_id: u32,
    /// Bits per second.
    pub bitrate: u64,
}

pub(super) fn online(params: &Params, catalog: &Catalog, live: &[LiveStream]) -> Result<Value, Refusal> {
    let domain = read::streaming(params, catalog)?;
    let strict = read::word(params, "QueryType", &["fuzzy", "strict"])? == "strict";
    // Renditions are not made yet, so every stream is a raw one.
    let raw = read::word(params, "StreamType", &["all", "raw", "trans"])? != "trans";
    let only = read::word(params, "OnlyStream", &["no", "yes"])? == "yes";
    let page = STREAMS.read(params)?;
    let (app, name) = (params.text("AppName"), params.text("StreamName"));
    let mut found: Vec<_> = live.iter().filter(|live| raw && live.stream.domain() == domain).collect();
    found.retain(|live| app.is_none_or(|app| live.stream.app() == app));
    found.retain(|live| match (name, strict) {
        (None, _) => true,
        (Some(name), true) => live.stream.stream() == name,
        (Some(name), false) => live.stream.stream().contains(name),
    });
    found.sort_by_key(|live| (live.published, live.stream.clone()));
    let (found, shown) = page.cut(found);
    let items = found.into_iter().map(|live| if only { name_of(live) } else { show(live) }).collect();
    Ok(listed(shown.numbers(), "OnlineInfo", "LiveStreamOnlineInfo", items))
}

fn name_of(live: &LiveStream) -> Value {
    json!({
        "DomainName": live.stream.domain(),
        "AppName": live.stream.app(),
        "StreamName": live.stream.stream(),
        "PublishTime": catalog::record::show_moment(live.published),
    })
}

fn show(live: &LiveStream) -> Value {
    let address = |address: Option<IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    let mut shown = name_of(live);
    let more = json!({
        "PublishDomain": live.publish_domain,
        "PublishUrl": live.publish_url,
        "PublishType": "edge",
        "ClientIp": address(live.client),
        "ServerIp": address(live.server),
        "Transcoded": "no",
        "VideoCodecId": live.video.map(|video| video.codec_id),
        // In kbit/s.
        "VideoDataRate": live.video.map(|video| video.bitrate / 1_000),
        "FrameRate": live.video.map(|video| video.frame_rate),
        "Width": live.video.map(|video| video.width),
        "Height": live.video.map(|video| video.height),
        "AudioCodecId": live.audio.map(|audio| audio.codec_id),
        "AudioDataRate": live.audio.map(|audio| audio.bitrate / 1_000),
    });
    if let (Some(fields), Value::Object(more)) = (shown.as_object_mut(), more) {
        // Figures of a track that is not there are left out.
        fields.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    shown
}

pub(super) fn forbid(params: &Params) -> Result<Command, Refusal> {
    check_type(params)?;
    let once = read::word(params, "Oneshot", &["no", "yes"])? == "yes";
    let until = catalog::resume_time(params.text("ResumeTime").unwrap_or_default())?;
    Ok(Command::Forbid(Forbid { stream: read::selector(params), until, once }))
}

pub(super) fn resume(params: &Params) -> Result<Command, Refusal> {
    check_type(params)?;
    Ok(Command::Resume(read::selector(params)))
}

/// LiveStreamType: required, and only publishers can be forbidden.
fn check_type(params: &Params) -> Result<(), Refusal> {
    match params.text("LiveStreamType") {
        Some("publisher") => Ok(()),
        Some(_) => Err(Refusal::malformed("LiveStreamType")),
        None => Err(Refusal::missing("LiveStreamType")),
    }
}

pub(super) fn blocked(params: &Params, catalog: &Catalog, now: Wall) -> Result<Value, Refusal> {
    let domain = read::streaming(params, catalog)?;
    let page = STREAMS.read(params)?;
    let is = |text: &str, name: &str| params.text(name).is_none_or(|wanted| wanted == text);
    let blocks = catalog.blocks(now).map(|block| &block.stream);
    let found = blocks.filter(|stream| {
        stream.domain() == domain && is(stream.app(), "AppName") && is(stream.stream(), "StreamName")
    });
    let (found, shown) = page.cut(found.collect());
    let urls = found.into_iter().map(|stream| json!(stream.to_string())).collect();
    let mut fields = shown.numbers();
    fields.insert("DomainName".to_owned(), json!(domain));
    Ok(listed(fields, "StreamUrls", "StreamUrl", urls))
}
