//! A window with what is made of it once for all who ask: compressed texts.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use output::{Resource, Window};

/// What is served for a stream at one moment.
#[derive(Debug)]
pub(crate) struct Published {
    /// The window.
    pub window: Arc<Window>,
    /// gzip of its texts by the address of their first piece, which the window keeps alive.
    zipped: Mutex<HashMap<usize, Bytes>>,
}

impl Published {
    pub(crate) fn new(window: Arc<Window>) -> Self {
        Self { window, zipped: Mutex::default() }
    }

    /// `text` compressed. The first who asks compresses it; thousands who wait for the same change share that.
    pub(crate) fn gzip(&self, text: &Resource) -> Bytes {
        let key = text.body.as_ptr() as usize;
        let mut zipped = self.zipped.lock().unwrap_or_else(PoisonError::into_inner);
        zipped.entry(key).or_insert_with(|| gzip(&text.body)).clone()
    }
}

fn gzip(body: &[Bytes]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a Vec cannot fail.
    let written = body.iter().try_for_each(|piece| encoder.write_all(piece));
    written.and_then(|()| encoder.finish()).map(Bytes::from).unwrap_or_default()
}

/// A validator of `text` for conditional requests (RFC 9110 §8.8.3).
pub(crate) fn etag(text: &Resource) -> String {
    let mut hasher = DefaultHasher::new();
    text.body.iter().for_each(|piece| hasher.write(piece));
    format!("\"{:016x}\"", hasher.finish())
}
