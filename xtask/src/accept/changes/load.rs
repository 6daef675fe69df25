//! The changes: 50 connections, each at its own beat, each change due at a moment of its own.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::Client;
use super::expected::{Expected, Field, Found};
use crate::Result;

/// Connections that change things at once.
pub const CONNECTIONS: u32 = 50;

/// Two connections share a template and write a field of it each: what one writes the other must not undo.
const PAIRS: u32 = CONNECTIONS / 2;
/// Templates on a page of Describe, at most.
const PAGE: usize = 30;

/// `TimeInterval` and `DelayTime` are at least these, so that numbers can be counted up from them.
const INTERVAL: u32 = 5;
const DELAY: u32 = 15;
/// And `TimeInterval` at most this.
const LONGEST_INTERVAL: u32 = 3_600;

/// Who is asked.
#[derive(Clone, Copy)]
pub struct Load<'a> {
    pub port: u16,
    /// When calls are signed.
    pub date: &'a str,
}

/// What came of the changes.
#[derive(Default)]
pub struct Measured {
    pub expected: Expected,
    /// How long after it was due each change was answered.
    pub answers: Vec<Duration>,
    /// From the first to the last.
    pub took: Duration,
}

/// Figures of a run.
pub struct Figures {
    pub changes: usize,
    pub seconds: f64,
    pub median_ms: f64,
    pub p99_ms: f64,
    pub longest_ms: f64,
}

impl Figures {
    /// Changes a second.
    pub fn rate(&self) -> f64 {
        self.changes as f64 / self.seconds
    }
}

impl Measured {
    pub fn figures(&self) -> Result<Figures> {
        let mut millis: Vec<f64> = self.answers.iter().map(|answer| answer.as_secs_f64() * 1e3).collect();
        millis.sort_by(f64::total_cmp);
        let at = |share: f64| millis.get(((millis.len() as f64 - 1.0) * share) as usize).copied();
        let (Some(median_ms), Some(p99_ms), Some(longest_ms)) = (at(0.5), at(0.99), at(1.0)) else {
            return Err("nothing was changed".into());
        };
        let seconds = self.took.as_secs_f64();
        Ok(Figures { changes: millis.len(), seconds, median_ms, p99_ms, longest_ms })
    }
}

/// A change, and what a field holds when it is made.
struct Change {
    action: &'static str,
    params: Vec<(&'static str, String)>,
    field: Field,
    value: Option<String>,
}

impl Load<'_> {
    /// Makes the templates that pairs of connections share. The first one is for the app that is live.
    pub fn prepare(&self) -> Result<Expected> {
        let mut client = Client::connect(self.port, self.date, "prepare")?;
        let mut expected = Expected::default();
        for pair in 0..PAIRS {
            let (app, object) = (shared(pair), object(pair, 0));
            let interval = INTERVAL.to_string();
            let params = [
                ("DomainName", "live.local"),
                ("AppName", &app),
                ("TimeInterval", &interval),
                ("OssEndpoint", "local"),
                ("OssBucket", "live"),
                ("OverwriteOssObject", &object),
            ];
            let answer = client.call("AddLiveAppSnapshotConfig", &params)?;
            if answer.status != 200 {
                return Err(format!("{}: {}", answer.status, answer.body).into());
            }
            expected.answered(("snapshot", app.clone(), "TimeInterval"), Some(interval));
            expected.answered(("snapshot", app, "OverwriteOssObject"), Some(object));
        }
        Ok(expected)
    }

    /// Makes `rate` changes a second for `time`.
    ///
    /// # Errors
    /// One was not answered with 200.
    pub fn run(&self, name: &str, rate: u32, time: Duration) -> Result<Measured> {
        self.all(name, rate, time, false)
    }

    /// The same until the server is gone.
    pub fn until_killed(&self, name: &str, rate: u32, time: Duration) -> Result<Measured> {
        self.all(name, rate, time, true)
    }

    fn all(&self, name: &str, rate: u32, time: Duration, may_break: bool) -> Result<Measured> {
        let load = *self;
        let clients = (0..CONNECTIONS)
            .map(|number| Client::connect(load.port, load.date, &format!("{name}{number}")))
            .collect::<Result<Vec<_>>>()?;
        let begun = Instant::now();
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let one = |(number, mut client): (u32, Client)| {
                scope.spawn(move || {
                    let beat = Beat { begun, number, rate, time };
                    connection(&mut client, name, &beat, may_break).map_err(|error| error.to_string())
                })
            };
            let threads: Vec<_> = (0..CONNECTIONS).zip(clients).map(one).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        let mut all = Measured::default();
        for outcome in outcomes {
            let measured = outcome.map_err(|_| "a client panicked")??;
            all.expected.merge(measured.expected);
            all.answers.extend(measured.answers);
            all.took = all.took.max(measured.took);
        }
        Ok(all)
    }

    /// The catalog as Describe shows it.
    pub fn read_back(&self) -> Result<Found> {
        let mut client = Client::connect(self.port, self.date, &format!("describe{}", self.port))?;
        let mut found = Found::new();
        let lists = "/LiveStreamSnapshotConfigList/LiveStreamSnapshotConfig";
        for template in pages(&mut client, "DescribeLiveSnapshotConfig", lists)? {
            for name in ["TimeInterval", "OverwriteOssObject"] {
                found.insert(("snapshot", text(&template, "AppName"), name), text(&template, name));
            }
        }
        for template in pages(&mut client, "DescribeLiveRecordConfig", "/LiveAppRecordList/LiveAppRecord")? {
            let app = text(&template, "AppName");
            // The config file's.
            if app != "live" {
                found.insert(("record", app, "DelayTime"), text(&template, "DelayTime"));
            }
        }
        Ok(found)
    }
}

fn pages(client: &mut Client, action: &str, list: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for page in 1.. {
        let (page, size) = (page.to_string(), PAGE.to_string());
        let params = [("DomainName", "live.local"), ("PageNum", &*page), ("PageSize", &*size)];
        let answer = client.call(action, &params)?;
        let found = answer.body.pointer(list).and_then(Value::as_array);
        let found = found.ok_or_else(|| format!("{action}: {} {}", answer.status, answer.body))?;
        all.extend(found.iter().cloned());
        if found.len() < PAGE {
            break;
        }
    }
    Ok(all)
}

fn text(template: &Value, name: &str) -> String {
    match template.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// When the changes of a connection are due.
struct Beat {
    begun: Instant,
    /// Of the connection.
    number: u32,
    rate: u32,
    time: Duration,
}

impl Beat {
    /// Evenly over all connections; `None` when the time is over.
    fn due(&self, step: u32) -> Option<Instant> {
        let after = Duration::from_secs(1) * (step * CONNECTIONS + self.number) / self.rate;
        (after < self.time).then(|| self.begun + after)
    }
}

/// Makes one connection's changes, one after the other: the next one waits for the answer.
fn connection(client: &mut Client, name: &str, beat: &Beat, may_break: bool) -> Result<Measured> {
    let mut measured = Measured::default();
    for step in 0.. {
        let Some(due) = beat.due(step) else { break };
        while let Some(wait) = due.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero()) {
            std::thread::park_timeout(wait);
        }
        let Change { action, params, field, value } = change(name, beat.number, step);
        let params: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match client.call(action, &params) {
            Ok(answer) if answer.status == 200 => measured.expected.answered(field, value),
            Ok(answer) => return Err(format!("{action}: {} {}", answer.status, answer.body).into()),
            Err(_) if may_break => {
                measured.expected.unanswered(field, value);
                break;
            }
            Err(error) => return Err(error),
        }
        measured.answers.push(due.elapsed());
        measured.took = beat.begun.elapsed();
    }
    Ok(measured)
}

/// By turns: adds a recording template of its own, changes its half of a shared snapshot template, changes its own,
/// and deletes it or changes its half again. Every value is another.
fn change(name: &str, connection: u32, step: u32) -> Change {
    let own = format!("{name}-{connection}-{}", step / 4);
    match step % 4 {
        0 => record("AddLiveAppRecordConfig", own, Some(DELAY + connection)),
        2 => record("UpdateLiveAppRecordConfig", own, Some(DELAY + CONNECTIONS + step)),
        3 if step % 8 == 7 => record("DeleteLiveAppRecordConfig", own, None),
        _ => half(connection, if name == "run" { step } else { 1_000 + step }),
    }
}

fn record(action: &'static str, app: String, delay: Option<u32>) -> Change {
    let mut params = vec![("DomainName", "live.local".to_owned()), ("AppName", app.clone())];
    params.push(("StreamName", "*".to_owned()));
    if let Some(delay) = delay {
        params.push(("OssEndpoint", "local".to_owned()));
        params.push(("OssBucket", "live".to_owned()));
        params.push(("DelayTime", delay.to_string()));
        params.push(("RecordFormat.1.Format", "flv".to_owned()));
        params.push(("RecordFormat.1.CycleDuration", "3600".to_owned()));
        let prefix = "other/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}";
        params.push(("RecordFormat.1.OssObjectPrefix", prefix.to_owned()));
    }
    Change {
        action,
        params,
        field: ("record", app, "DelayTime"),
        value: delay.map(|delay| delay.to_string()),
    }
}

/// The even one of a pair writes one field, the odd one the other.
fn half(connection: u32, version: u32) -> Change {
    let (pair, app) = (connection / 2, shared(connection / 2));
    let (name, value) = match connection % 2 {
        0 => ("TimeInterval", (INTERVAL + 1 + version % (LONGEST_INTERVAL - INTERVAL)).to_string()),
        _ => ("OverwriteOssObject", object(pair, version + 1)),
    };
    let params =
        vec![("DomainName", "live.local".to_owned()), ("AppName", app.clone()), (name, value.clone())];
    Change {
        action: "UpdateLiveAppSnapshotConfig",
        params,
        field: ("snapshot", app, name),
        value: Some(value),
    }
}

fn shared(pair: u32) -> String {
    if pair == 0 { "live".to_owned() } else { format!("pair{pair}") }
}

fn object(pair: u32, version: u32) -> String {
    format!("pair{pair}/{version}/{{StreamName}}.jpg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_due_at_the_rate_and_no_two_at_once() {
        let begun = Instant::now();
        let time = Duration::from_secs(2);
        let mut due: Vec<_> = (0..CONNECTIONS)
            .flat_map(|number| {
                let beat = Beat { begun, number, rate: 200, time };
                (0..).map_while(move |step| beat.due(step)).collect::<Vec<_>>()
            })
            .collect();
        due.sort();
        assert_eq!(due.len(), 400);
        assert!(due.windows(2).all(|pair| pair[1] - pair[0] == Duration::from_millis(5)));
    }

    #[test]
    fn no_field_has_two_writers() {
        let mut owners = std::collections::HashMap::new();
        for connection in 0..CONNECTIONS {
            for step in 0..80 {
                let field = change("run", connection, step).field;
                assert_eq!(*owners.entry(field).or_insert(connection), connection);
            }
        }
    }
}
