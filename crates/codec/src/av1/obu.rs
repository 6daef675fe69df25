use bytes::{Buf, Bytes};

use crate::Error;

/// obu_type of a sequence header.
pub const OBU_SEQUENCE_HEADER: u8 = 1;
/// obu_type of a temporal delimiter.
pub const OBU_TEMPORAL_DELIMITER: u8 = 2;
/// obu_type of a frame header that its tile groups follow.
pub const OBU_FRAME_HEADER: u8 = 3;
/// obu_type of a frame header together with a tile group.
pub const OBU_FRAME: u8 = 6;

/// An open bitstream unit. Both share the memory they were read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obu {
    /// obu_type (AV1 §6.2.2).
    pub kind: u8,
    /// The whole of it, with its header.
    pub bytes: Bytes,
    /// What follows header and size.
    pub payload: Bytes,
}

/// The OBUs of a temporal unit or of configOBUs (AV1 §5.3). One without a size reaches to the end.
pub fn obus(data: &Bytes) -> Obus {
    Obus { rest: data.clone(), at: 0 }
}

/// See [`obus`]. The first fault is the last item.
#[derive(Debug, Clone)]
pub struct Obus {
    rest: Bytes,
    at: usize,
}

impl Iterator for Obus {
    type Item = Result<Obu, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let obu = self.take();
        if obu.is_err() {
            self.rest = Bytes::new();
        }
        Some(obu)
    }
}

impl Obus {
    fn take(&mut self) -> Result<Obu, Error> {
        let what = "AV1 OBU";
        let truncated = Error::Truncated { what, at: self.at + self.rest.len() };
        let header = *self.rest.first().ok_or(truncated)?;
        if header & 0x80 != 0 {
            return Err(Error::Invalid { what, at: self.at }); // obu_forbidden_bit
        }
        let mut header_size = if header & 4 == 0 { 1 } else { 2 }; // obu_extension_flag
        let behind = self.rest.get(header_size..).ok_or(truncated)?;
        let mut size = behind.len();
        if header & 2 != 0 {
            // obu_has_size_field
            let length;
            (size, length) = leb128(behind).ok_or(Error::Invalid { what, at: self.at + header_size })?;
            header_size += length;
        }
        let end = header_size.checked_add(size).filter(|end| *end <= self.rest.len()).ok_or(truncated)?;
        let bytes = self.rest.split_to(end);
        self.at += end;
        let mut payload = bytes.clone();
        payload.advance(header_size);
        Ok(Obu { kind: header >> 3 & 0xF, bytes, payload })
    }
}

/// leb128() (AV1 §4.10.5): the number, below 2^32, and how many bytes it has, 8 at the most.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, at + 1));
        }
    }
    None
}
