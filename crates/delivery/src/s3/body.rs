use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, Length, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::progress::Progress;
use crate::store;

/// Bytes that a file is read in. Every upload in flight holds some of these.
const READ: usize = 128 * 1024;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// `pieces` as they are, without a copy, and how many bytes they are.
pub(super) fn pieces(pieces: &[Bytes], progress: &Progress) -> (ByteStream, u64) {
    let left = pieces.iter().map(|piece| piece.len() as u64).sum();
    let body = SdkBody::from_body_1_x(Pieces { pieces: pieces.iter().cloned().collect(), left });
    (counted(body, progress), left)
}

/// A part of an object that is a stretch of a file.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub path: PathBuf,
    pub offset: u64,
    pub len: u64,
}

/// The files that an object is made of.
pub(super) async fn stretches(body: &store::Body) -> io::Result<Vec<Stretch>> {
    let whole = async |path: &Path, offset: u64| {
        let len = tokio::fs::metadata(path).await?.len().saturating_sub(offset);
        io::Result::Ok(Stretch { path: path.to_owned(), offset, len })
    };
    Ok(match body {
        store::Body::Memory(_) => Vec::new(),
        store::Body::File(path) => vec![whole(path, 0).await?],
        store::Body::Join { head, file, skip } => vec![whole(head, 0).await?, whole(file, *skip).await?],
    })
}

/// `len` bytes of what the stretches are together, from `offset` on.
fn cut(stretches: &[Stretch], mut offset: u64, mut len: u64) -> Vec<Stretch> {
    let mut out = Vec::new();
    for stretch in stretches {
        let left_out = offset.min(stretch.len);
        offset -= left_out;
        let taken = len.min(stretch.len - left_out);
        len -= taken;
        if taken > 0 {
            out.push(Stretch { path: stretch.path.clone(), offset: stretch.offset + left_out, len: taken });
        }
    }
    out
}

/// `len` bytes of what the stretches are together, from `offset` on, read while they are sent.
pub(super) async fn range(
    stretches: &[Stretch],
    offset: u64,
    len: u64,
    progress: &Progress,
) -> io::Result<ByteStream> {
    let mut bodies = VecDeque::new();
    for Stretch { path, offset, len } in cut(stretches, offset, len) {
        let read = ByteStream::read_from().path(path).offset(offset).length(Length::Exact(len));
        let stream = read.buffer_size(READ).build().await.map_err(io::Error::other)?;
        bodies.push_back(stream.into_inner());
    }
    let body = match bodies.len() {
        1 => bodies.pop_front().unwrap_or_else(SdkBody::empty),
        _ => SdkBody::from_body_1_x(Chain { bodies, left: len }),
    };
    Ok(counted(body, progress))
}

/// One body behind the other.
struct Chain {
    bodies: VecDeque<SdkBody>,
    left: u64,
}

impl Body for Chain {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        while let Some(body) = self.bodies.front_mut() {
            match Body::poll_frame(Pin::new(body), context) {
                Poll::Ready(None) => drop(self.bodies.pop_front()),
                Poll::Ready(Some(Ok(frame))) => {
                    self.left =
                        self.left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
                    return Poll::Ready(Some(Ok(frame)));
                }
                polled => return polled,
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_of_stretches_is_what_their_bytes_are_there() {
        let stretch = |path: &str, offset, len| Stretch { path: path.into(), offset, len };
        let two = [stretch("a", 0, 10), stretch("b", 3, 20)];
        let cut = |offset, len| -> Vec<(String, u64, u64)> {
            let cut = super::cut(&two, offset, len).into_iter();
            cut.map(|s| (s.path.to_str().unwrap().to_owned(), s.offset, s.len)).collect()
        };
        assert_eq!(cut(0, 30), [("a".into(), 0, 10), ("b".into(), 3, 20)]);
        assert_eq!(cut(0, 10), [("a".into(), 0, 10)]);
        assert_eq!(cut(8, 4), [("a".into(), 8, 2), ("b".into(), 3, 2)]);
        assert_eq!(cut(10, 20), [("b".into(), 3, 20)]);
        assert_eq!(cut(15, 5), [("b".into(), 8, 5)]);
    }
}
