//! What the spool costs: `lanes COUNT SECONDS FOLDER` writes as COUNT recordings of 2.5 Mb/s do, and prints as JSON the
//! processor time per stream and second, and how long a parcel took from its event to the store.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use delivery::{
    Body, BoxFuture, Delivery, Headers, LaneEffect, Mode, Registry, Settings, Store, StoreError, Told,
};
use media::{SessionId, StreamId, Wall};
use output::{Bucket, Entry, FileId, Finish, Object, Save};

/// Bytes of half a second.
const BATCH: usize = 156_250;
/// Batches of a slice.
const SLICE: u64 = 10;

/// Takes everything at once, and notes how old it is.
#[derive(Default)]
struct Sink(Mutex<Vec<f64>>, Mutex<HashMap<String, Instant>>);

impl Store for Sink {
    fn put<'a>(
        &'a self,
        to: &'a Object,
        body: &'a Body,
        _: Headers<'a>,
        _: Mode<'a>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let sealed = self.1.lock().ok().and_then(|mut sealed| sealed.remove(&to.key));
            if let (Some(sealed), Ok(mut ages)) = (sealed, self.0.lock()) {
                ages.push(sealed.elapsed().as_secs_f64());
            }
            let Body::File(path) = body else { return Ok(0) };
            std::fs::metadata(path).map(|m| m.len()).map_err(|error| StoreError::io("look", error))
        })
    }

    fn delete<'a>(&'a self, _: &'a Object) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

impl Registry for Sink {
    fn stored<'a>(&'a self, _: &'a StreamId, _: &'a Entry, _: u64) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn told<'a>(&'a self, _: &'a Told) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [count, seconds, folder] = words.as_slice() else {
        eprintln!("lanes COUNT SECONDS FOLDER");
        return ExitCode::FAILURE;
    };
    let (Ok(count), Ok(seconds)) = (count.parse(), seconds.parse()) else { return ExitCode::FAILURE };
    match run(count, seconds, folder).await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("lanes: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(count: u32, seconds: u64, folder: &str) -> Result<String, Box<dyn std::error::Error>> {
    let settings = Settings {
        spool: format!("{folder}/spool").into(),
        dead_letter: format!("{folder}/dead-letter").into(),
        memory_bytes: delivery::MEMORY_BYTES,
        spool_bytes: None,
        spool_free_bytes: delivery::SPOOL_FREE_BYTES,
    };
    let sink = Arc::new(Sink::default());
    let stores = HashMap::from([("sink".to_owned(), Arc::clone(&sink) as Arc<dyn Store>)]);
    let (delivery, _) = Delivery::open(settings, stores, Arc::clone(&sink) as Arc<dyn Registry>)?;
    let stream = StreamId::parse("live.local", "live", "cam")?;
    let session = |n: u32| SessionId(u128::from(n));
    let lanes: Vec<_> =
        (0..count).map(|n| delivery.lane(&stream, session(n), "record/m3u8", 0, Wall(0))).collect();
    let body = Bytes::from(vec![7; BATCH]);
    let (begin, busy) = (Instant::now(), cpu());
    let pause = Duration::from_millis(500) / count;
    for step in 0..seconds * 2 {
        for (n, lane) in lanes.iter().enumerate() {
            lane.accept(batch(step, n, &body, &sink));
            tokio::time::sleep_until(
                (begin + Duration::from_millis(500) * u32::try_from(step)? + pause * u32::try_from(n)?)
                    .into(),
            )
            .await;
        }
    }
    let spent = cpu() - busy;
    let left = delivery.drain(Duration::from_secs(60)).await;
    let mut ages = sink.0.lock().map_err(|_| "poisoned")?.clone();
    ages.sort_by(f64::total_cmp);
    let figures = serde_json::json!({
        "cpu_ms_per_stream_second": spent * 1e3 / begin.elapsed().as_secs_f64() / f64::from(count),
        "objects": ages.len(),
        "median_s": ages.get(ages.len() / 2),
        "most_s": ages.last(),
        "pending": left.pending,
        "dropped": lanes.iter().map(|lane| lane.status().dropped_batches).sum::<u64>(),
    });
    Ok(figures.to_string())
}

fn batch(step: u64, lane: usize, body: &Bytes, sink: &Sink) -> Vec<LaneEffect> {
    let file = FileId(step / SLICE);
    let now = format!("{{\"step\":{step},\"sequence\":[1,2,3],\"end\":1795180800000000}}");
    let mut effects =
        vec![LaneEffect::Grow { file, body: vec![body.clone()] }, LaneEffect::Save(Save::Now(now.into()))];
    if step % SLICE == SLICE - 1 {
        let key = format!("{lane}/{step}.ts");
        if let Ok(mut sealed) = sink.1.lock() {
            sealed.insert(key.clone(), Instant::now());
        }
        let to = Object { bucket: Bucket { storage: "sink".into(), name: "b".into() }, key };
        effects.push(LaneEffect::Seal { file, to, content_type: "video/mp2t", finish: Finish::AsIs });
    }
    effects
}

/// Seconds of processor time that the process has had, where the system says; 100 ticks a second.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
