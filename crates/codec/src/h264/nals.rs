use bytes::Bytes;

use super::NAL_IDR;
use crate::Error;

/// nal_unit_type of a NAL unit; `None` when it has no bytes.
pub fn nal_type(nal: &[u8]) -> Option<u8> {
    nal.first().map(|header| header & 0x1F)
}

/// Whether an access unit has a slice of an IDR picture (packaging-rules C-05). False when its framing is
/// broken anywhere, so that no decoder is sent to start at it.
pub fn is_idr(data: &Bytes, length_size: u8) -> bool {
    let mut idr = false;
    for nal in nals(data, length_size) {
        match nal {
            Ok(nal) => idr |= nal_type(&nal) == Some(NAL_IDR),
            Err(_) => return false,
        }
    }
    idr
}

/// The NAL units of an access unit whose units are each preceded by their length in `length_size` bytes
/// (ISO/IEC 14496-15 §5.3.2). They share `data`'s memory.
pub fn nals(data: &Bytes, length_size: u8) -> Nals {
    Nals { rest: data.clone(), length_size: usize::from(length_size), at: 0 }
}

/// See [`nals`]. Units without bytes are skipped; the first fault is the last item.
#[derive(Debug, Clone)]
pub struct Nals {
    rest: Bytes,
    length_size: usize,
    at: usize,
}

impl Iterator for Nals {
    type Item = Result<Bytes, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.take() {
                Ok(nal) if nal.is_empty() => {}
                Ok(nal) => return Some(Ok(nal)),
                Err(error) => {
                    self.rest = Bytes::new();
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl Nals {
    fn take(&mut self) -> Result<Bytes, Error> {
        let what = "H.264 access unit";
        if !(1..=4).contains(&self.length_size) {
            return Err(Error::Invalid { what, at: self.at });
        }
        let truncated = Error::Truncated { what, at: self.at + self.rest.len() };
        let (prefix, body) = self.rest.split_at_checked(self.length_size).ok_or(truncated)?;
        let length = prefix.iter().fold(0_usize, |length, &byte| length << 8 | usize::from(byte));
        if length > body.len() {
            return Err(truncated);
        }
        let mut nal = self.rest.split_to(self.length_size + length);
        self.at += nal.len();
        bytes::Buf::advance(&mut nal, self.length_size);
        Ok(nal)
    }
}
