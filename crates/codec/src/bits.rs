use crate::Error;

/// Reads bits, most significant first.
pub(crate) struct Bits<'a> {
    /// Named in errors.
    what: &'static str,
    bytes: &'a [u8],
    /// Offset of the next byte to load.
    at: usize,
    /// The loaded byte and how many of its low bits are still to be read.
    current: u8,
    left: u8,
    /// `Some` when emulation prevention bytes are skipped: the number of zero bytes just before `at`.
    zeros: Option<u8>,
}

impl<'a> Bits<'a> {
    /// The bits of `bytes` as they are.
    pub(crate) fn plain(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, bytes, at: 0, current: 0, left: 0, zeros: None }
    }

    /// The bits of a NAL unit, without its emulation prevention bytes (ITU-T H.264 §7.3.1).
    pub(crate) fn nal(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { zeros: Some(0), ..Self::plain(what, bytes) }
    }

    /// One bit.
    pub(crate) fn flag(&mut self) -> Result<bool, Error> {
        if self.left == 0 {
            self.load()?;
        }
        self.left -= 1;
        Ok((self.current >> self.left) & 1 == 1)
    }

    /// An unsigned number of `count` bits, 32 at most.
    pub(crate) fn u(&mut self, count: u8) -> Result<u32, Error> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Ok(value)
    }

    /// An unsigned number of 8 bits.
    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        Ok(self.u(8)? as u8)
    }

    /// Skips `count` bits.
    pub(crate) fn skip(&mut self, count: u32) -> Result<(), Error> {
        (0..count).try_for_each(|_| self.flag().map(drop))
    }

    /// ue(v), ITU-T H.264 §9.1; up to 2^32 - 2, which no field we read exceeds.
    pub(crate) fn ue(&mut self) -> Result<u32, Error> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(self.invalid());
            }
        }
        Ok((1 << zeros) - 1 + self.u(zeros)?)
    }

    /// se(v), ITU-T H.264 §9.1.1.
    pub(crate) fn se(&mut self) -> Result<i64, Error> {
        let code = i64::from(self.ue()?);
        Ok(if code % 2 == 0 { -(code / 2) } else { (code + 1) / 2 })
    }

    /// Skips to the next byte border.
    pub(crate) fn align(&mut self) {
        self.left = 0;
    }

    /// The error of a value just read that the format does not allow.
    pub(crate) fn invalid(&self) -> Error {
        Error::Invalid { what: self.what, at: self.at.saturating_sub(1) }
    }

    fn load(&mut self) -> Result<(), Error> {
        let mut byte = self.next_byte()?;
        if let Some(zeros) = self.zeros {
            let escaped = zeros >= 2 && byte == 3;
            if escaped {
                byte = self.next_byte()?;
            }
            let before = if escaped { 0 } else { zeros };
            self.zeros = Some(if byte == 0 { before.saturating_add(1) } else { 0 });
        }
        (self.current, self.left) = (byte, 8);
        Ok(())
    }

    fn next_byte(&mut self) -> Result<u8, Error> {
        let truncated = Error::Truncated { what: self.what, at: self.at };
        let byte = self.bytes.get(self.at).copied().ok_or(truncated)?;
        self.at += 1;
        Ok(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_read_as_in_table_9_2() {
        // 1 | 010 | 011 | 00100 | 00101: 0, 1, 2, 3, 4
        let mut bits = Bits::plain("test", &[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let read: Vec<u32> = (0..5).map(|_| bits.ue().unwrap()).collect();
        assert_eq!(read, [0, 1, 2, 3, 4]);
        let mut bits = Bits::plain("test", &[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let read: Vec<i64> = (0..5).map(|_| bits.se().unwrap()).collect();
        assert_eq!(read, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn emulation_prevention_bytes_are_skipped_also_in_a_row() {
        let mut bits = Bits::nal("test", &[1, 0, 0, 3, 0, 0, 3, 3, 0, 3]);
        let read: Vec<u8> = (0..8).map(|_| bits.u8().unwrap()).collect();
        assert_eq!(read, [1, 0, 0, 0, 0, 3, 0, 3]);
        assert_eq!(bits.u8(), Err(Error::Truncated { what: "test", at: 10 }));
    }

    #[test]
    fn a_code_of_endless_zeros_is_invalid() {
        let mut bits = Bits::plain("test", &[0; 8]);
        assert!(matches!(bits.ue(), Err(Error::Invalid { .. })));
    }
}
