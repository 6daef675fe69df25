use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, Length, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::progress::Progress;

/// Bytes that a file is read in. Every upload in flight holds some of these.
const READ: usize = 128 * 1024;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// `pieces` as they are, without a copy, and how many bytes they are.
pub(super) fn pieces(pieces: &[Bytes], progress: &Progress) -> (ByteStream, u64) {
    let left = pieces.iter().map(|piece| piece.len() as u64).sum();
    let body = SdkBody::from_body_1_x(Pieces { pieces: pieces.iter().cloned().collect(), left });
    (counted(body, progress), left)
}

/// `len` bytes of a file from `offset` on, read while they are sent.
pub(super) async fn file(path: &Path, offset: u64, len: u64, progress: &Progress) -> io::Result<ByteStream> {
    let read = ByteStream::read_from().path(path).offset(offset).length(Length::Exact(len));
    let stream = read.buffer_size(READ).build().await.map_err(io::Error::other)?;
    Ok(counted(stream.into_inner(), progress))
}

fn counted(inner: SdkBody, progress: &Progress) -> ByteStream {
    ByteStream::new(SdkBody::from_body_1_x(Counted { inner, progress: progress.clone() }))
}

struct Pieces {
    pieces: VecDeque<Bytes>,
    left: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let piece = self.pieces.pop_front();
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Tells `progress` of every byte that is taken.
struct Counted {
    inner: SdkBody,
    progress: Progress,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Body::poll_frame(Pin::new(&mut self.inner), context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.progress.add(frame.data_ref().map_or(0, Bytes::len));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        Body::is_end_stream(&self.inner)
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.inner)
    }
}
