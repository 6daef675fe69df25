//! A publisher's socket, in one of two ways of waiting for its bytes.

use std::cell::RefCell;
use std::io::{self, Read as _, Write as _};

use bytes::BytesMut;
use tokio::net::TcpStream;

/// Bytes of one read of a swept socket.
const SCRATCH: usize = 128 << 10;
/// Room for one read of a driven socket.
const ROOM: usize = 32 << 10;

thread_local! {
    /// What a swept socket is read into; what came is copied out while it is still in the cache. So a connection
    /// holds memory for the bytes it has, not for those it may get.
    static INTO: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH]);
}

/// A socket that never blocks.
#[derive(Debug)]
pub(crate) enum Link {
    /// The runtime says when there are bytes: the first byte wakes us.
    Driven(TcpStream),
    /// The runtime does not know it: it is asked at every tick. With hundreds of publishers, being woken for
    /// each arrival costs more than everything else that is done for a stream (design §12).
    Swept(std::net::TcpStream),
}

impl Link {
    /// The same socket, driven.
    pub(crate) fn driven(self) -> io::Result<Self> {
        match self {
            Self::Swept(socket) => Ok(Self::Driven(TcpStream::from_std(socket)?)),
            driven @ Self::Driven(_) => Ok(driven),
        }
    }

    /// The same socket, swept.
    pub(crate) fn swept(self) -> io::Result<Self> {
        match self {
            Self::Driven(socket) => Ok(Self::Swept(socket.into_std()?)),
            swept @ Self::Swept(_) => Ok(swept),
        }
    }

    /// Appends what there is to `buffer`: how many bytes came, and whether that was all there was. 0 bytes: the
    /// end.
    pub(crate) fn read(&mut self, buffer: &mut BytesMut) -> io::Result<(usize, bool)> {
        match self {
            Self::Driven(socket) => {
                buffer.reserve(ROOM);
                let room = buffer.capacity() - buffer.len();
                let read = socket.try_read_buf(buffer)?;
                Ok((read, read < room))
            }
            Self::Swept(socket) => INTO.with_borrow_mut(|into| {
                let read = socket.read(into)?;
                buffer.extend_from_slice(into.get(..read).unwrap_or(&[]));
                Ok((read, read < SCRATCH))
            }),
        }
    }

    /// Writes what the socket takes at once.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Driven(socket) => socket.try_write(bytes),
            Self::Swept(socket) => socket.write(bytes),
        }
    }
}
