//! HTTP messages as plain values: what a dialect reads and what it answers.

use bytes::Bytes;

/// One HTTP request, complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Method as sent: `GET`, `POST` …
    pub method: String,
    /// Path as sent, still percent-encoded, without the query.
    pub path: String,
    /// Query as sent, without the `?`; empty when there is none.
    pub query: String,
    /// Header fields in the order and spelling they came in. Values that are not UTF-8 are left out by the shell.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl Request {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// One HTTP answer, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields; names in lower case. Length and date are added by the shell.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl Response {
    /// An answer with a body of that content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}
