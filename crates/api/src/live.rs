//! What is live, as the dialects tell of it.

use catalog::Catalog;
use dialect::alibaba::{LiveAudio, LiveStream, LiveVideo};
use hub::{Hub, Publisher, Report, TrackReport};
use media::Codec;

/// Every stream that somebody publishes.
pub(crate) async fn streams(hub: &Hub, catalog: &Catalog) -> Vec<LiveStream> {
    let publishers = hub.publishers();
    let reports = hub.reports().await;
    let live = reports.iter().filter(|report| report.live);
    live.filter_map(|report| Some(stream(report, publishers.get(&report.stream)?, catalog))).collect()
}

fn stream(report: &Report, publisher: &Publisher, catalog: &Catalog) -> LiveStream {
    let stream = report.stream.clone();
    let named = publisher.host.as_deref().and_then(|host| catalog.host(host));
    let publish_domain = named.map_or(stream.domain(), |host| &*host.name).to_owned();
    LiveStream {
        publish_url: format!("rtmp://{publish_domain}/{}/{}", stream.app(), stream.stream()),
        publish_domain,
        published: publisher.since,
        client: Some(publisher.client.ip()),
        server: None,
        video: report.tracks.iter().find_map(video),
        audio: report.tracks.iter().find_map(audio),
        stream,
    }
}

fn video(report: &TrackReport) -> Option<LiveVideo> {
    let picture = report.track.picture()?;
    Some(LiveVideo {
        codec_id: codec_id(&report.track.codec),
        bitrate: bitrate(report),
        frame_rate: frame_rate(report).round() as u32,
        width: picture.width,
        height: picture.height,
    })
}

fn audio(report: &TrackReport) -> Option<LiveAudio> {
    let audio = !report.track.is_video();
    audio.then(|| LiveAudio { codec_id: codec_id(&report.track.codec), bitrate: bitrate(report) })
}

/// The codec's number in FLV; of one that has none its FourCC as a number, as Enhanced RTMP has it in onMetaData.
fn codec_id(codec: &Codec) -> u32 {
    match codec {
        Codec::Mp3(_) => 2,
        Codec::H264(_) => 7,
        Codec::Aac(_) => 10,
        Codec::H265(_) => 12,
        Codec::Av1(_) => u32::from_be_bytes(*b"av01"),
        Codec::Vp9(_) => u32::from_be_bytes(*b"vp09"),
        Codec::Opus(_) => u32::from_be_bytes(*b"Opus"),
        Codec::Flac(_) => u32::from_be_bytes(*b"fLaC"),
        Codec::Ac3(ac3) => u32::from_be_bytes(if ac3.enhanced { *b"ec-3" } else { *b"ac-3" }),
    }
}

/// Mean over the session, in bits per second of media time.
pub(crate) fn bitrate(report: &TrackReport) -> u64 {
    (report.bytes as f64 * 8.0 / seconds(report)) as u64
}

/// Mean over the session.
pub(crate) fn frame_rate(report: &TrackReport) -> f64 {
    report.frames as f64 / seconds(report)
}

fn seconds(report: &TrackReport) -> f64 {
    report.micros.max(1) as f64 / 1e6
}
