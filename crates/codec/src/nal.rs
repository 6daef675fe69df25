//! NAL units in their length-prefixed framing, the same for H.264 and H.265 (ISO/IEC 14496-15 §4.3.3.1).

use bytes::{Buf, Bytes};

use crate::Error;

/// The NAL units of an access unit whose units are each preceded by their length in `length_size` bytes. They
/// share `data`'s memory.
pub fn units(data: &Bytes, length_size: u8) -> Units {
    Units { rest: data.clone(), length_size: usize::from(length_size), at: 0 }
}

/// See [`units`]. Units without bytes are skipped; the first fault is the last item.
#[derive(Debug, Clone)]
pub struct Units {
    rest: Bytes,
    length_size: usize,
    at: usize,
}

impl Iterator for Units {
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

impl Units {
    fn take(&mut self) -> Result<Bytes, Error> {
        let what = "access unit";
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
        nal.advance(self.length_size);
        Ok(nal)
    }
}

/// Whether one of the units is `wanted`. False when the framing is broken anywhere, so that no decoder is sent
/// to start there.
pub(crate) fn any(data: &Bytes, length_size: u8, wanted: impl Fn(&[u8]) -> bool) -> bool {
    let mut found = false;
    for nal in units(data, length_size) {
        match nal {
            Ok(nal) => found |= wanted(&nal),
            Err(_) => return false,
        }
    }
    found
}
