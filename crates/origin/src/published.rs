//! A window with what is made of it once for all who ask: answers with its texts.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use output::{Resource, Window};

use crate::headers;

/// What is served for a stream at one moment.
#[derive(Debug)]
pub(crate) struct Published {
    /// The window.
    pub window: Arc<Window>,
    texts: Mutex<HashMap<Form, Arc<Text>>>,
}

/// What tells two answers with a text of one window apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Form {
    /// Address of its pieces, which the window keeps alive.
    text: usize,
    zipped: bool,
    /// How long caches keep it.
    seconds: u64,
}

/// A text as it is answered.
#[derive(Debug)]
pub(crate) struct Text {
    /// All of them.
    pub headers: HeaderMap,
    /// In one piece.
    pub body: Bytes,
}

impl Published {
    pub(crate) fn new(window: Arc<Window>) -> Self {
        Self { window, texts: Mutex::default() }
    }

    /// The answer with `text`, which caches keep for `seconds` (0: they ask again each time), compressed if `zipped`.
    /// The first who asks makes it; thousands who wait for the same change share it.
    pub(crate) fn text(&self, text: &Resource, zipped: bool, seconds: u64) -> Arc<Text> {
        let form = Form { text: text.body.as_ptr() as usize, zipped, seconds };
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.entry(form).or_insert_with(|| Arc::new(Text::new(text, zipped, seconds))).clone()
    }
}

impl Text {
    fn new(text: &Resource, zipped: bool, seconds: u64) -> Self {
        let packed = zipped.then(|| gzip(&text.body)).filter(|packed| !packed.is_empty());
        let is_zipped = packed.is_some();
        let body = packed.unwrap_or_else(|| match text.body.as_ref() {
            [whole] => whole.clone(),
            pieces => pieces.concat().into(),
        });
        let headers = headers::text(text.content_type, body.len(), is_zipped, &etag(text), seconds);
        Self { headers, body }
    }
}

fn gzip(body: &[Bytes]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a Vec cannot fail.
    let written = body.iter().try_for_each(|piece| encoder.write_all(piece));
    written.and_then(|()| encoder.finish()).map(Bytes::from).unwrap_or_default()
}

/// A validator of `text` for conditional requests (RFC 9110 §8.8.3).
fn etag(text: &Resource) -> String {
    let mut hasher = DefaultHasher::new();
    text.body.iter().for_each(|piece| hasher.write(piece));
    format!("\"{:016x}\"", hasher.finish())
}
