//! A body in pieces that are shared with everybody who reads the same segment.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use metrics::Counter;

/// Pieces shorter than this are merged: a send costs more than copying them.
const SMALL: usize = 4 * 1024;
/// How much is merged into one piece.
const MERGED: usize = 16 * 1024;

/// The pieces that are not sent yet.
pub(crate) struct Pieces {
    rest: VecDeque<Bytes>,
    left: u64,
    sent: Counter,
}

impl Pieces {
    /// The bytes `range` of `body`, counted in `sent` as they leave.
    pub(crate) fn new(body: &[Bytes], range: Range<usize>, sent: Counter) -> Self {
        let mut rest = VecDeque::with_capacity(body.len());
        let mut at = 0;
        for piece in body {
            let from = range.start.clamp(at, at + piece.len()) - at;
            let to = range.end.clamp(at, at + piece.len()) - at;
            at += piece.len();
            if from < to {
                rest.push_back(piece.slice(from..to));
            }
        }
        let left = rest.iter().map(|piece| piece.len() as u64).sum();
        Self { rest, left, sent }
    }

    /// The next piece as it is, or small ones that follow each other as one.
    fn next(&mut self) -> Option<Bytes> {
        let first = self.rest.pop_front()?;
        let fits = |rest: &VecDeque<Bytes>| rest.front().is_some_and(|piece| piece.len() < SMALL);
        if first.len() >= SMALL || !fits(&self.rest) {
            return Some(first);
        }
        let mut merged = BytesMut::with_capacity(MERGED);
        merged.extend_from_slice(&first);
        while merged.len() + SMALL <= MERGED && fits(&self.rest) {
            merged.extend(self.rest.pop_front());
        }
        Some(merged.freeze())
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.next();
        let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        self.left -= length;
        self.sent.increment(length);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(body: &[Bytes], range: Range<usize>) -> Vec<Bytes> {
        let mut pieces = Pieces::new(body, range, Counter::noop());
        let expect = pieces.left;
        let out: Vec<Bytes> = std::iter::from_fn(|| pieces.next()).collect();
        assert_eq!(out.iter().map(|p| p.len() as u64).sum::<u64>(), expect);
        out
    }

    #[test]
    fn large_pieces_are_sent_without_a_copy() {
        let body = [Bytes::from(vec![1; SMALL]), Bytes::from(vec![2; SMALL])];
        let sent = pieces(&body, 0..2 * SMALL);
        assert_eq!(sent.iter().map(|p| p.as_ptr()).collect::<Vec<_>>(), body.each_ref().map(|p| p.as_ptr()));
    }

    #[test]
    fn small_pieces_leave_together() {
        let body: Vec<Bytes> = (0..100).map(|n| Bytes::from(vec![n; 300])).collect();
        let sent = pieces(&body, 0..30_000);
        assert_eq!(sent.concat(), body.concat());
        assert!(sent.len() <= 3, "{}", sent.len());
    }

    #[test]
    fn a_range_crosses_pieces() {
        let body = [Bytes::from_static(b"abc"), Bytes::from_static(b""), Bytes::from_static(b"defg")];
        let text = |range| pieces(&body, range).concat();
        assert_eq!(text(0..7), b"abcdefg");
        assert_eq!(text(2..4), b"cd");
        assert_eq!(text(3..7), b"defg");
        assert_eq!(text(1..2), b"b");
        assert_eq!(text(0..0), b"");
    }
}
