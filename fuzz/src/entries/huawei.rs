//! Requests in Huawei's dialect: as those of strangers, and as templates of somebody who is let in.

use std::collections::BTreeMap;

use catalog::{Catalog, Declared, DomainRaw, Kept, Storage};
use dialect::http::{Request, Response};
use dialect::huawei::{Ask, Operation, Refusal, authenticate};
use serde_json::Value;

use super::alibaba::{KEY_ID, NOW, OneKey, request as read};

/// The project of the captured requests.
const PROJECT: &str = "0123456789abcdef0123456789abcdef";
/// Requests on one catalog.
const MAX_REQUESTS: usize = 32;

/// One request: a line `METHOD target`, header lines, an empty line, the body.
pub fn request(input: &[u8]) {
    let request = read(input);
    let outcome = authenticate(&request, &OneKey, |_| None, NOW);
    if let Ok(key) = &outcome {
        assert_eq!(key, KEY_ID);
        // What was signed holds for this body, and for no other.
        let body = [&request.body[..], b" "].concat();
        let other = Request { body: body.into(), ..request.clone() };
        assert!(authenticate(&other, &OneKey, |_| None, NOW).is_err(), "signed for any body");
    }
    if let Err(refusal) = outcome.and_then(|_| Operation::of(&request, PROJECT)?.ask(&request)) {
        check_refusal(&refusal);
    }
}

/// Requests that are let in, one a line: `METHOD query body`. Whatever they do, what is kept of it brings the same
/// templates back.
pub fn templates(input: &[u8]) {
    let mut world = World { catalog: declared(), rows: BTreeMap::new() };
    for line in String::from_utf8_lossy(input).split('\n').take(MAX_REQUESTS) {
        match world.take(line) {
            Ok(response) => assert!(response.status < 300),
            Err(refusal) => check_refusal(&refusal),
        }
    }
    world.comes_back();
}

fn check_refusal(refusal: &Refusal) {
    assert!((400..500).contains(&refusal.status), "{refusal:?}");
    let body: Value = serde_json::from_slice(&refusal.respond("ID").body).unwrap_or_default();
    assert!(body["error_code"].is_string() && body["error_msg"].is_string(), "{body}");
}

fn declared() -> Catalog {
    let declared = Declared {
        storages: vec![Storage {
            name: "l".to_owned(),
            endpoints: Vec::new(),
            buckets: Some(vec!["live-bucket".to_owned()]),
        }],
        domains: vec![DomainRaw {
            name: Some("live.example.com".to_owned()),
            ingest: vec!["push.example.com".to_owned()],
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
}

impl World {
    fn take(&mut self, line: &str) -> Result<Response, Refusal> {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let request = Request {
            method: word(),
            path: format!("/v1/{PROJECT}/stream/snapshot"),
            query: word(),
            headers: Vec::new(),
            body: word().into(),
        };
        let operation = Operation::of(&request, PROJECT)?;
        let ask = operation.ask(&request)?;
        if let Ask::Change(command) = &ask {
            let applied = self.catalog.apply(command, NOW)?;
            self.catalog = applied.catalog;
            for row in applied.rows {
                match row.value {
                    Some(value) => self.rows.insert((row.kind, row.key), value),
                    None => self.rows.remove(&(row.kind, row.key)),
                };
            }
        }
        Ok(operation.answer(&ask, &self.catalog, "ID"))
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
        assert_eq!(list(&self.catalog), list(&restored));
    }
}

/// Every template, in Huawei's words.
fn list(catalog: &Catalog) -> Value {
    let request = Request {
        method: "GET".to_owned(),
        path: format!("/v1/{PROJECT}/stream/snapshot"),
        query: "domain=live.example.com&limit=100".to_owned(),
        ..Request::default()
    };
    let operation = Operation::ListSnapshots;
    let answer = operation.ask(&request).map(|ask| operation.answer(&ask, catalog, "ID"));
    answer.ok().and_then(|response| serde_json::from_slice(&response.body).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::calls;

    #[test]
    fn the_signed_requests_among_the_seeds_are_let_in() {
        let requests = calls::signed_huawei();
        let taken =
            requests.iter().filter(|bytes| authenticate(&read(bytes), &OneKey, |_| None, NOW).is_ok());
        // One carries a time of its own.
        assert_eq!((requests.len(), taken.count()), (7, 6));
    }

    #[test]
    fn the_templates_among_the_seeds_are_taken() {
        for requests in calls::huawei_templates() {
            let mut world = World { catalog: declared(), rows: BTreeMap::new() };
            for line in std::str::from_utf8(&requests).unwrap().lines() {
                let done = world.take(line);
                assert!(done.is_ok(), "{line}: {done:?}");
            }
        }
    }
}
