use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use md5::{Digest, Md5};
use tokio::task::{JoinHandle, spawn_blocking};

use super::progress::Progress;
use crate::store;

/// Bytes that a file is read in. Every upload in flight holds some of these.
const READ: usize = 128 * 1024;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// `pieces` as they are, without a copy, and how many bytes they are.
pub(super) fn pieces(pieces: &[Bytes], progress: &Progress) -> (ByteStream, u64) {
    let left = pieces.iter().map(|piece| piece.len() as u64).sum();
    let source = Source::Memory(pieces.iter().cloned().collect());
    (stream(source, left, progress), left)
}

/// A part of an object that is a stretch of a file.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub path: Arc<Path>,
    pub offset: u64,
    pub len: u64,
}

/// The files that an object is made of.
pub(super) async fn stretches(body: &store::Body) -> io::Result<Vec<Stretch>> {
    let whole = async |path: &PathBuf| {
        let len = tokio::fs::metadata(path).await?.len();
        io::Result::Ok(Stretch { path: path.as_path().into(), offset: 0, len })
    };
    Ok(match body {
        store::Body::Memory(_) => Vec::new(),
        store::Body::File(path) => vec![whole(path).await?],
        store::Body::Join { head, file, pieces } => {
            let path: Arc<Path> = file.as_path().into();
            let piece = |&(offset, len): &(u64, u64)| Stretch { path: Arc::clone(&path), offset, len };
            [whole(head).await?].into_iter().chain(pieces.iter().map(piece)).collect()
        }
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
            out.push(Stretch {
                path: Arc::clone(&stretch.path),
                offset: stretch.offset + left_out,
                len: taken,
            });
        }
    }
    out
}

/// `len` bytes of what the stretches are together, from `offset` on, read while they are sent.
pub(super) fn range(stretches: &[Stretch], offset: u64, len: u64, progress: &Progress) -> ByteStream {
    let reader = Reader { stretches: cut(stretches, offset, len).into(), open: None };
    stream(Source::Files(Reading::Idle(Box::new(reader))), len, progress)
}

/// MD5 of `len` bytes of what the stretches are together, from `offset` on, in hex. Blocks.
pub(super) fn md5(stretches: &[Stretch], offset: u64, len: u64) -> io::Result<String> {
    let mut reader = Reader { stretches: cut(stretches, offset, len).into(), open: None };
    let mut digest = Md5::new();
    loop {
        let data = reader.read()?;
        if data.is_empty() {
            return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        digest.update(&data);
    }
}

fn stream(source: Source, left: u64, progress: &Progress) -> ByteStream {
    let sending = Sending { source, left, progress: progress.clone() };
    ByteStream::new(SdkBody::from_body_1_x(sending))
}

/// A body on its way, which tells `progress` of every byte that is taken.
struct Sending {
    source: Source,
    left: u64,
    progress: Progress,
}

/// Where its bytes are.
enum Source {
    Memory(VecDeque<Bytes>),
    Files(Reading),
}

/// Whether a thread reads files just now.
enum Reading {
    Idle(Box<Reader>),
    Busy(JoinHandle<(Box<Reader>, io::Result<Bytes>)>),
    /// It panicked, or the runtime ends.
    Gone,
}

impl Body for Sending {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let data = match &mut self.source {
            Source::Memory(pieces) => pieces.pop_front(),
            Source::Files(reading) => Some(ready!(reading.poll(context))?).filter(|data| !data.is_empty()),
        };
        let Some(data) = data else { return Poll::Ready(None) };
        self.left = self.left.saturating_sub(data.len() as u64);
        self.progress.add(data.len());
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Reading {
    /// The next bytes; none at the end.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        if let Self::Idle(_) = self
            && let Self::Idle(mut reader) = std::mem::replace(self, Self::Gone)
        {
            *self = Self::Busy(spawn_blocking(move || {
                let read = reader.read();
                (reader, read)
            }));
        }
        let Self::Busy(busy) = self else { return Poll::Ready(Err(io::ErrorKind::Interrupted.into())) };
        let (reader, read) = ready!(Pin::new(busy).poll(context)).map_err(io::Error::from)?;
        *self = Self::Idle(reader);
        Poll::Ready(read)
    }
}

/// Reads stretches of files.
struct Reader {
    stretches: VecDeque<Stretch>,
    open: Option<(Arc<Path>, File)>,
}

impl Reader {
    /// The next bytes, of as many stretches as it takes; none at the end. Blocks.
    fn read(&mut self) -> io::Result<Bytes> {
        let mut data = vec![0; READ];
        let mut filled = 0;
        while let Some(mut stretch) = self.stretches.pop_front() {
            let Some(room) = data.get_mut(filled..).filter(|room| !room.is_empty()) else {
                self.stretches.push_front(stretch);
                break;
            };
            let len = usize::try_from(stretch.len).unwrap_or(usize::MAX).min(room.len());
            let (room, _) = room.split_at_mut(len);
            self.file(&stretch.path)?.read_exact_at(room, stretch.offset)?;
            filled += len;
            (stretch.offset, stretch.len) = (stretch.offset + len as u64, stretch.len - len as u64);
            if stretch.len > 0 {
                self.stretches.push_front(stretch);
            }
        }
        data.truncate(filled);
        Ok(data.into())
    }

    fn file(&mut self, path: &Arc<Path>) -> io::Result<&File> {
        let (_, file) = match self.open.take() {
            Some(open) if open.0 == *path => self.open.insert(open),
            _ => self.open.insert((Arc::clone(path), File::open(path)?)),
        };
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_of_stretches_is_what_their_bytes_are_there() {
        let stretch = |path: &str, offset, len| Stretch { path: Path::new(path).into(), offset, len };
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
