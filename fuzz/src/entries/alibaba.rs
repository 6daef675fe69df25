//! Calls in Alibaba's dialect: as HTTP requests of strangers, and as parameters of operations that are let in.

use std::collections::BTreeMap;

use catalog::{Catalog, Declared, DomainRaw, Kept, Storage};
use dialect::alibaba::{Call, OPERATIONS, Operation, Params, Refusal, Run};
use dialect::http::Request;
use dialect::keys::{Key, KeyLookup};
use dialect::percent;
use media::Wall;
use serde_json::Value;

/// The key of the captured requests, and their time: 2026-11-20T08:35:00Z.
pub(crate) const KEY_ID: &str = "EXAMPLEAK0000001";
const SECRET: &str = "example-secret-0000000000000001";
pub(crate) const NOW: Wall = Wall(1_795_163_700_000_000);
/// Calls on one catalog.
const MAX_CALLS: usize = 64;

/// Only the key of the captured requests is known.
pub(crate) struct OneKey;

impl KeyLookup for OneKey {
    fn find(&self, id: &str) -> Option<Key<'_>> {
        (id == KEY_ID).then_some(Key { secret: SECRET, active: true })
    }
}

/// One request: a line `METHOD target`, header lines, an empty line, the body.
pub fn call(input: &[u8]) {
    let request = request(input);
    let call = Call::read(&request);
    for (name, value) in call.params().pairs() {
        assert_eq!(percent::decode_form(&percent::encode(value)), *value, "of {name:?}");
    }
    let outcome = call.authenticate(&request, &OneKey, NOW);
    if let Ok(caller) = &outcome {
        assert_eq!(caller.key_id, KEY_ID);
        assert!(!caller.nonce.is_empty(), "a call without a nonce can be sent again");
        // What was signed holds for this method, and for no other.
        let method = if request.method == "GET" { "POST" } else { "GET" };
        let other = Request { method: method.to_owned(), ..request.clone() };
        assert!(Call::read(&other).authenticate(&other, &OneKey, NOW).is_err(), "signed for any method");
    }
    let result = outcome.and_then(|_| call.operation()).map(|_| Value::Null);
    let refused = result.is_err();
    let response = call.answer(result, "ID");
    assert_eq!(response.status >= 400, refused);
    if response.header("content-type") == Some("application/json;charset=utf-8") {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        assert!(body["RequestId"] == "ID" && body["Code"].is_string() == refused, "{body}");
    }
}

pub(crate) fn request(input: &[u8]) -> Request {
    let at = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let (head, body) = input.split_at(at);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split('\n');
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.get(2..).unwrap_or_default().to_vec().into(),
    }
}

/// Calls that are let in, one a line: `Action?parameters`. Whatever they do, what is kept of it brings the same
/// catalog back.
pub fn operations(input: &[u8]) {
    let mut world = World { catalog: declared(), rows: BTreeMap::new(), now: NOW };
    for line in String::from_utf8_lossy(input).split('\n').take(MAX_CALLS) {
        let (action, query) = line.split_once('?').unwrap_or((line, ""));
        let Some(operation) = OPERATIONS.iter().find(|operation| operation.name == action) else { continue };
        let params = Params::new(percent::pairs(query).collect());
        if let Err(refusal) = world.run(operation, &params) {
            assert!((400..500).contains(&refusal.status), "{action}: {refusal:?}");
            assert!(!refusal.code.is_empty() && !refusal.message.is_empty(), "{action}: {refusal:?}");
        }
        world.now = world.now.plus_micros(1_000_000);
    }
    world.comes_back();
}

fn declared() -> Catalog {
    let declared = Declared {
        storages: vec![Storage {
            name: "oss-local".to_owned(),
            endpoints: vec!["oss-cn-shanghai.aliyuncs.com".to_owned()],
            buckets: Some(vec!["live-bucket".to_owned()]),
        }],
        domains: vec![DomainRaw {
            name: Some("live.local".to_owned()),
            ingest: vec!["push.live.local".to_owned()],
            default: true,
            second_publisher: None,
        }],
        ..Declared::default()
    };
    Catalog::build(declared).map(|(catalog, _)| catalog).unwrap_or_default()
}

struct World {
    catalog: Catalog,
    /// As a database keeps them.
    rows: BTreeMap<(&'static str, String), String>,
    now: Wall,
}

impl World {
    fn run(&mut self, operation: &Operation, params: &Params) -> Result<Value, Refusal> {
        let _ = (operation.ram_action(), operation.resources(params, "1"));
        match operation.run {
            Run::Change(read) => {
                let applied = self.catalog.apply(&read(params)?, self.now)?;
                self.catalog = applied.catalog;
                for row in applied.rows {
                    match row.value {
                        Some(value) => self.rows.insert((row.kind, row.key), value),
                        None => self.rows.remove(&(row.kind, row.key)),
                    };
                }
                Ok(Value::Null)
            }
            Run::Describe(answer) => answer(params, &self.catalog, self.now),
            Run::Online(answer) => answer(params, &self.catalog, &[]),
            // The answer is the shell's.
            Run::Ask(ask) | Run::Act(ask) => ask(params, &self.catalog, self.now).map(|_| Value::Null),
        }
    }

    fn comes_back(&self) {
        let kept = |((kind, key), value): (&(&'static str, String), &String)| Kept {
            kind: (*kind).to_owned(),
            key: key.clone(),
            value: value.clone(),
        };
        let rows: Vec<_> = self.rows.iter().map(kept).collect();
        let (restored, notices) = declared().restore(&rows);
        assert!(notices.is_empty(), "{notices:?}");
        for host in self.catalog.hosts() {
            for operation in OPERATIONS {
                let Run::Describe(answer) = operation.run else { continue };
                let params = Params::new(vec![("DomainName".to_owned(), host.name.to_string())]);
                let (before, after) =
                    (answer(&params, &self.catalog, self.now), answer(&params, &restored, self.now));
                assert_eq!(before, after, "{} of {}", operation.name, host.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::calls;

    #[test]
    fn the_signed_calls_among_the_seeds_are_let_in() {
        let calls = calls::signed();
        let taken = calls.iter().filter(|bytes| {
            let request = request(bytes);
            Call::read(&request).authenticate(&request, &OneKey, NOW).is_ok()
        });
        // Two carry a time of their own.
        assert_eq!((calls.len(), taken.count()), (27, 25));
    }

    #[test]
    fn the_operations_among_the_seeds_are_done_and_none_is_missing() {
        let mut seen = std::collections::BTreeSet::new();
        for calls in calls::operations() {
            let mut world = World { catalog: declared(), rows: BTreeMap::new(), now: NOW };
            for line in std::str::from_utf8(&calls).unwrap().lines() {
                let (action, query) = line.split_once('?').unwrap();
                let operation = OPERATIONS.iter().find(|operation| operation.name == action).unwrap();
                let done = world.run(operation, &Params::new(percent::pairs(query).collect()));
                assert!(done.is_ok(), "{line}: {done:?}");
                seen.insert(operation.name);
            }
        }
        assert_eq!(seen.len(), OPERATIONS.len());
    }
}
