//! `Session::on` with the outputs: what every message costs the connection that brings it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use media::{SessionId, StreamId};
use output::name::{Name, Variable};
use output::{Bucket, Spec, package, record, snapshot};
use session::{Input, Session, SlotEffects};
use testkit::{Message, START};

use crate::source::{clip, slices};
use crate::{Error, Row};

/// Length of the stream in seconds: a segment each two of them, whose cut is one call in 154 and so among those
/// that p99 leaves out; p99.9 has it.
const SECONDS: u32 = 60;
/// How often it is sent.
const ROUNDS: usize = 5;

pub(crate) fn run() -> Result<Vec<Row>, Error> {
    let messages = clip(SECONDS).messages();
    let payloads = slices(messages.iter().map(|message| &message.payload));
    let all = specs()?;
    let mut plans: Vec<(String, Vec<Spec>)> = vec![("no output".to_owned(), Vec::new())];
    plans.extend(all.iter().map(|spec| (spec.name().to_owned(), vec![spec.clone()])));
    plans.push(("all outputs".to_owned(), all));
    plans.extend(PROTOCOLS.map(|(word, protocol)| (format!("package {word}"), vec![packaged(protocol)])));
    let mut rows = Vec::new();
    for (what, specs) in plans {
        let mut calls = Vec::with_capacity(messages.len() * ROUNDS);
        for _ in 0..ROUNDS {
            play(&messages, &specs, &mut calls)?;
        }
        rows.push(Row::of_calls(format!("Session::on, {what}"), calls, &payloads));
    }
    Ok(rows)
}

/// Times every call. What the outputs want done is dropped between the calls: elsewhere it is handed on.
fn play(messages: &[Message], specs: &[Spec], calls: &mut Vec<Duration>) -> Result<(), Error> {
    let stream = StreamId::parse("live.local", "live", "demo")?;
    let mut session = Session::new(SessionId(1), stream, START, Default::default());
    let mut effects = SlotEffects::new();
    session.publish(specs, START, &mut effects);
    for Message { kind, timestamp, payload, received } in messages.iter().cloned() {
        let input = Input::Media { kind, timestamp, payload, received };
        let since = Instant::now();
        session.on(black_box(input), &mut effects);
        calls.push(since.elapsed());
        black_box(&mut effects).clear();
    }
    let failed = session.report().outputs.into_iter().find_map(|output| output.error);
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Everything that this server makes of a stream, with the configuration's defaults.
fn specs() -> Result<Vec<Spec>, Error> {
    let store = Bucket { storage: "local".into(), name: "live".into() };
    let name = Name::parse("record/{AppName}/{StreamName}/{EscapedStartTime}", Variable::RECORD_FILE)?;
    let slice = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}";
    let picture = "snapshot/{AppName}/{StreamName}/{UnixTimestamp}.jpg";
    let utc_offset = 28_800;
    Ok(vec![
        packaged(package::Protocol::HlsCmaf),
        Spec::Record(record::Settings {
            slice: Some(record::Slice { duration_s: 30, name: Name::parse(slice, Variable::RECORD_SLICE)? }),
            ..record::Settings::new(record::Container::M3u8, store.clone(), name.clone())
        }),
        Spec::Record(record::Settings::new(record::Container::Flv, store.clone(), name)),
        Spec::Snapshot(snapshot::Settings {
            store,
            interval_s: 10,
            naming: snapshot::Naming::Sequence(Name::parse(picture, Variable::SEQUENCE_SNAPSHOT)?),
            counter: "snapshot".into(),
            utc_offset,
        }),
    ])
}

/// The other protocols of packaging, by the words of templates.
const PROTOCOLS: [(&str, package::Protocol); 5] = [
    ("LLHLS_TS", package::Protocol::LlHlsTs),
    ("LLHLS_CMAF", package::Protocol::LlHlsCmaf),
    ("DASH_CMAF", package::Protocol::DashCmaf),
    ("HLSDASH_CMAF", package::Protocol::HlsDashCmaf),
    ("LLHLSDASH_CMAF", package::Protocol::LlHlsDashCmaf),
];

/// Packaging with the configuration's defaults.
fn packaged(protocol: package::Protocol) -> Spec {
    Spec::Package(package::Settings {
        protocol,
        segment_count: 3,
        segment_duration_s: 2,
        part_duration_ms: Some(350),
        reconnect_window_s: 30,
        put: None,
    })
}
