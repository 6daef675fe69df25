use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hub::{OutputReport, Report, TrackReport};
use media::StreamId;
use serde::Serialize;

use crate::Api;

/// A stream in `/api/streams`.
#[derive(Debug, Serialize)]
struct Stream {
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
    tracks: Vec<Track>,
    outputs: Vec<Output>,
}

#[derive(Debug, Serialize)]
struct Track {
    kind: &'static str,
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
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct List {
    streams: Vec<Stream>,
}

pub(crate) async fn list(State(api): State<Api>) -> impl IntoResponse {
    let reports = api.hub.reports().await;
    Json(List { streams: reports.into_iter().map(Stream::from).collect() })
}

pub(crate) async fn one(
    State(api): State<Api>,
    Path((domain, app, stream)): Path<(String, String, String)>,
) -> Response {
    let id = StreamId::parse(&domain, &app, &stream);
    let mut reports = api.hub.reports().await;
    reports.retain(|report| id.as_ref().is_ok_and(|id| report.stream == *id));
    match reports.pop() {
        Some(report) => Json(Stream::from(report)).into_response(),
        None => crate::error(StatusCode::NOT_FOUND, "StreamNotFound", "no such stream is online"),
    }
}

impl From<Report> for Stream {
    fn from(report: Report) -> Self {
        Self {
            domain: report.stream.domain().to_owned(),
            app: report.stream.app().to_owned(),
            stream: report.stream.stream().to_owned(),
            session: report.session.to_string(),
            live: report.live,
            opened_ms: report.opened.0.div_euclid(1_000),
            last_media_ms: report.last_media.map(|at| at.0.div_euclid(1_000)),
            runs: report.runs,
            tracks: report.tracks.into_iter().map(Track::from).collect(),
            outputs: report.outputs.into_iter().map(Output::from).collect(),
        }
    }
}

impl From<TrackReport> for Track {
    fn from(report: TrackReport) -> Self {
        let seconds = report.micros.max(1) as f64 / 1e6;
        let video = report.track.is_video();
        Self {
            kind: if video { "video" } else { "audio" },
            codec: codec::rfc6381(&report.track.codec),
            width: report.track.picture().map(|picture| picture.width),
            height: report.track.picture().map(|picture| picture.height),
            sample_rate: (!video).then_some(report.track.timescale.hz()),
            frames: report.frames,
            bytes: report.bytes,
            bitrate: (report.bytes as f64 * 8.0 / seconds) as u64,
            frames_per_second: (report.frames as f64 / seconds * 1e3).round() / 1e3,
            gop_frames: (video && report.gop_frames > 0).then_some(report.gop_frames),
        }
    }
}

impl From<OutputReport> for Output {
    fn from(report: OutputReport) -> Self {
        let state = if report.error.is_some() { "failed" } else { "running" };
        Self { product: report.product, state, error: report.error }
    }
}
