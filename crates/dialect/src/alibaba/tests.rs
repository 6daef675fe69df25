use bytes::Bytes;
use media::Wall;
use serde_json::{Value, json};

use super::{Call, Caller, Format, Refusal, moment};
use crate::http::{Request, Response};
use crate::keys::{Key, KeyLookup};
use crate::percent::encode;

mod bounds;
mod domain;
mod operation;
mod package;
mod record;
mod recorded;
mod signature;
mod snapshot;
mod stream;
mod wire;
mod world;

use world::{World, operation, pairs, params, with};

/// One key, as the documentation of the cloud has it.
struct OneKey {
    id: String,
    secret: String,
    active: bool,
}

impl KeyLookup for OneKey {
    fn find(&self, id: &str) -> Option<Key<'_>> {
        (id == self.id).then_some(Key { secret: &self.secret, active: self.active })
    }
}

fn test_key() -> OneKey {
    OneKey { id: "testid".to_owned(), secret: "testsecret".to_owned(), active: true }
}

fn get(query: &str) -> Request {
    let headers = vec![("Host".to_owned(), "127.0.0.1:8090".to_owned())];
    Request {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        query: query.to_owned(),
        headers,
        body: Bytes::new(),
    }
}

fn at(time: &str) -> Wall {
    moment::parse(time).unwrap()
}

fn authenticate(request: &Request, keys: &OneKey, now: Wall) -> Result<Caller, Refusal> {
    Call::read(request).authenticate(request, keys, now)
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}
