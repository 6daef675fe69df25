use bytes::{Buf, BytesMut};
use rml_rtmp::handshake::{Handshake as Rml, HandshakeProcessResult, PeerType};

use crate::Error;

/// C0, C1 and C2 together (RTMP 1.0 §5.2).
const CLIENT_BYTES: usize = 1 + 1536 + 1536;

/// The server's side of the simple and of the digest handshake. It takes exactly the client's 3,073 bytes, so
/// nothing after them is ever copied into `rml_rtmp`.
pub struct Handshake {
    inner: Box<Rml>,
    taken: usize,
}

impl Handshake {
    pub fn new() -> Self {
        Self { inner: Box::new(Rml::new(PeerType::Server)), taken: 0 }
    }

    /// Takes what belongs to the handshake from `buf` and appends the answers to `out`. Whether it is complete.
    pub fn input(&mut self, buf: &mut BytesMut, out: &mut BytesMut) -> Result<bool, Error> {
        if buf.is_empty() {
            return Ok(false);
        }
        if self.taken == 0 {
            match buf.first() {
                None | Some(3) => {}
                Some(&version) => return Err(Error::Version { version }),
            }
        }
        let n = buf.len().min(CLIENT_BYTES - self.taken);
        let result = buf.get(..n).map(|bytes| self.inner.process_bytes(bytes));
        buf.advance(n);
        self.taken += n;
        match result {
            Some(Ok(HandshakeProcessResult::InProgress { response_bytes })) => {
                out.extend_from_slice(&response_bytes);
                Ok(false)
            }
            Some(Ok(HandshakeProcessResult::Completed { response_bytes, .. })) => {
                out.extend_from_slice(&response_bytes);
                Ok(true)
            }
            Some(Err(_)) | None => Err(Error::Handshake { at: self.taken }),
        }
    }
}
