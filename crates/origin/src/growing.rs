//! A segment that is sent while it grows (packaging-rules D-27): what is there at once, then each chunk as it comes.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use metrics::Counter;
use output::Resource;

use crate::published::Published;
use crate::waiting::{Refused, Windows, next};

/// Where one answer is.
struct Sending {
    windows: Windows,
    name: String,
    /// Bytes sent so far: what follows them in a later window is the next chunk.
    sent: usize,
    counter: Counter,
}

/// The body of `name`, which `windows` has. It ends with the segment, or breaks off if that is not completed.
pub(crate) fn body(windows: Windows, name: String, counter: Counter) -> Body {
    Body::from_stream(chunks(Sending { windows, name, sent: 0, counter }))
}

fn chunks(sending: Sending) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(sending), |sending| async {
        let mut sending = sending?;
        match sending.next().await {
            Ok(Some(chunk)) => {
                sending.sent += chunk.len();
                sending.counter.increment(chunk.len() as u64);
                Some((Ok(chunk), Some(sending)))
            }
            Ok(None) => None,
            Err(refused) => Some((Err(io::Error::other(format!("{refused:?}"))), None)),
        }
    })
}

impl Sending {
    async fn next(&mut self) -> Result<Option<Bytes>, Refused> {
        let mut deadline = None;
        loop {
            let published = self.windows.borrow_and_update().clone();
            let (segment, complete) = self.state(&published).ok_or(Refused::NotFound)?;
            match after(segment, self.sent) {
                Some(chunk) => return Ok(Some(chunk)),
                None if complete => return Ok(None),
                None => next(&mut self.windows, &published, &mut deadline).await?,
            }
        }
    }

    /// The segment, and whether it is complete.
    fn state<'a>(&self, published: &'a Arc<Published>) -> Option<(&'a Resource, bool)> {
        let window = &published.window;
        let complete = window.get(&self.name).map(|segment| (segment, true));
        complete.or_else(|| window.growing(&self.name).map(|segment| (segment, false)))
    }
}

/// The first bytes of `segment` after `sent`.
fn after(segment: &Resource, sent: usize) -> Option<Bytes> {
    let mut at = 0;
    for piece in segment.body.iter() {
        if at + piece.len() > sent {
            return Some(piece.slice(sent.saturating_sub(at)..));
        }
        at += piece.len();
    }
    None
}
