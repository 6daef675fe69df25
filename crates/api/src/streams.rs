use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use delivery::LaneStatus;
use hub::{OutputReport, Publisher, Report, TrackReport};
use media::StreamId;
use serde::Serialize;

use crate::basic::Caller;
use crate::{Api, Problem, live};

/// A stream in `/api/streams`.
#[derive(Debug, Serialize)]
pub(crate) struct Stream {
    domain: String,
    app: String,
    stream: String,
    session: String,
    /// Whether a publisher is connected; else the session waits for it to come back.
    live: bool,
    /// Unix time of the session's begin, in milliseconds.
    opened_ms: i64,
    /// Unix time of the last media message, in milliseconds.
    last_media_ms: Option<i64>,
    /// Stretches of media without a discontinuity.
    runs: u32,
    /// Players of the live window in the last half minute.
    viewers: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Encoder>,
    tracks: Vec<Track>,
    outputs: Vec<Output>,
}

/// Who publishes.
#[derive(Debug, Serialize)]
struct Encoder {
    /// Address and port.
    address: String,
    /// What it calls itself.
    agent: String,
    /// Unix time of this publish's begin, in milliseconds.
    since_ms: i64,
}

#[derive(Debug, Serialize)]
struct Track {
    kind: &'static str,
    /// 0 for the main track of its kind.
    index: u8,
    /// RFC 6381.
    codec: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_rate: Option<u32>,
    frames: u64,
    bytes: u64,
    /// Mean over the session, in bits per second of media time.
    bitrate: u64,
    /// Mean over the session.
    frames_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    gop_frames: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Output {
    product: &'static str,
    /// `failed`: it ended; `retrying`: what it made could not be stored at the last try; else `running`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Codecs of the tracks that it goes on without, for its container has no place for them.
    left_out: Vec<String>,
    /// Of an output that stores something, once it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<Delivery>,
}

/// How objects of an output get to their store.
#[derive(Debug, Serialize)]
struct Delivery {
    /// Objects that the store has.
    stored: u64,
    stored_bytes: u64,
    /// What waits for its spool or its store.
    pending: u64,
    pending_bytes: u64,
    /// Tries that failed.
    failures: u64,
    /// Objects that no retry could help.
    dead_letters: u64,
    /// Pieces of recordings dropped for want of memory.
    dropped_batches: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct List {
    streams: Vec<Stream>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<List>, Problem> {
    caller.may(&api, "millrace:ListStreams", "*".to_owned())?;
    let publishers = api.hub.publishers();
    let reports = api.hub.reports().await;
    let streams = reports.into_iter().map(|report| Stream::of(report, &api, &publishers)).collect();
    Ok(Json(List { streams }))
}

pub(crate) async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String, String)>, PathRejection>,
) -> Result<Json<Stream>, Problem> {
    // A path that is not even UTF-8 names no stream.
    let Path((domain, app, stream)) = path.map_err(|_| Problem::NO_STREAM)?;
    let account = &api.settings.account_id;
    let resource = format!("acs:cdn:*:{account}:domain/{}", domain.to_ascii_lowercase());
    caller.may(&api, "millrace:GetStream", resource)?;
    let id = StreamId::parse(&domain, &app, &stream).map_err(|_| Problem::NO_STREAM)?;
    let publishers = api.hub.publishers();
    let mut reports = api.hub.reports().await;
    reports.retain(|report| report.stream == id);
    let report = reports.pop().ok_or(Problem::NO_STREAM)?;
    Ok(Json(Stream::of(report, &api, &publishers)))
}

impl Stream {
    fn of(report: Report, api: &Api, publishers: &HashMap<StreamId, Arc<Publisher>>) -> Self {
        let mut lanes = (api.deliveries)(report.session);
        let mut lane_of = |output: &OutputReport| {
            let position = lanes.iter().position(|lane| lane.index == output.index)?;
            Some(lanes.swap_remove(position))
        };
        let outputs = report.outputs.into_iter().map(|output| {
            let lane = lane_of(&output);
            Output::of(output, lane)
        });
        Self {
            domain: report.stream.domain().to_owned(),
            app: report.stream.app().to_owned(),
            stream: report.stream.stream().to_owned(),
            session: report.session.to_string(),
            live: report.live,
            opened_ms: report.opened.0.div_euclid(1_000),
            last_media_ms: report.last_media.map(|at| at.0.div_euclid(1_000)),
            runs: report.runs,
            viewers: (api.viewers)(&report.stream),
            publisher: publishers.get(&report.stream).map(|publisher| Encoder::from(&**publisher)),
            tracks: report.tracks.into_iter().map(Track::from).collect(),
            outputs: outputs.collect(),
        }
    }
}

impl From<&Publisher> for Encoder {
    fn from(publisher: &Publisher) -> Self {
        Self {
            address: publisher.client.to_string(),
            agent: publisher.agent.clone(),
            since_ms: publisher.since.0.div_euclid(1_000),
        }
    }
}

impl From<TrackReport> for Track {
    fn from(report: TrackReport) -> Self {
        let video = report.track.is_video();
        Self {
            kind: if video { "video" } else { "audio" },
            index: report.track.id.index,
            codec: codec::rfc6381(&report.track.codec),
            width: report.track.picture().map(|picture| picture.width),
            height: report.track.picture().map(|picture| picture.height),
            sample_rate: (!video).then_some(report.track.timescale.hz()),
            frames: report.frames,
            bytes: report.bytes,
            bitrate: live::bitrate(&report),
            frames_per_second: (live::frame_rate(&report) * 1e3).round() / 1e3,
            gop_frames: (video && report.gop_frames > 0).then_some(report.gop_frames),
        }
    }
}

impl Output {
    fn of(report: OutputReport, lane: Option<LaneStatus>) -> Self {
        let unstored = lane.as_ref().and_then(|lane| lane.last_error.clone());
        let state = match (&report.error, &unstored) {
            (Some(_), _) => "failed",
            (None, Some(_)) => "retrying",
            (None, None) => "running",
        };
        let delivery = lane.map(Delivery::from);
        Self {
            product: report.product,
            state,
            error: report.error.or(unstored),
            left_out: report.left_out,
            delivery,
        }
    }
}

impl From<LaneStatus> for Delivery {
    fn from(lane: LaneStatus) -> Self {
        Self {
            stored: lane.stored,
            stored_bytes: lane.stored_bytes,
            pending: lane.pending,
            pending_bytes: lane.pending_bytes,
            failures: lane.failures,
            dead_letters: lane.dead_letters,
            dropped_batches: lane.dropped_batches,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_as_well_as_its_last_delivery() {
        let report = |error: Option<&str>| OutputReport {
            product: "record/flv",
            index: 3,
            error: error.map(str::to_owned),
            left_out: vec!["Opus".to_owned()],
        };
        let lane = |error: Option<&str>| {
            Some(LaneStatus { index: 3, last_error: error.map(str::to_owned), ..LaneStatus::default() })
        };
        for (error, unstored, state, said) in [
            (None, None, "running", None),
            (None, Some("no space"), "retrying", Some("no space")),
            (Some("bad frame"), None, "failed", Some("bad frame")),
            (Some("bad frame"), Some("no space"), "failed", Some("bad frame")),
        ] {
            let output = Output::of(report(error), lane(unstored));
            assert_eq!((output.state, output.error.as_deref()), (state, said));
            assert_eq!(output.left_out, ["Opus"]);
        }
        assert!(Output::of(report(None), None).delivery.is_none());
    }
}
