/// Bytes that are read from the front. `None`: there are too few.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub &'a [u8]);

/// A box in memory.
pub(super) struct Boxed<'a> {
    pub kind: [u8; 4],
    /// With its header.
    pub whole: &'a [u8],
    pub body: Cursor<'a>,
}

impl<'a> Cursor<'a> {
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Version and flags of a FullBox (ISO/IEC 14496-12 §4.2).
    pub fn full(&mut self) -> Option<(u8, u32)> {
        let head = self.u32()?;
        Some(((head >> 24) as u8, head & 0xFF_FFFF))
    }

    /// The next of the boxes in a box; none of ours has 4 GiB.
    pub fn next_box(&mut self) -> Option<Boxed<'a>> {
        let whole = *self;
        let size = usize::try_from(self.u32()?).ok()?;
        let kind = self.array()?;
        let body = Cursor(self.take(size.checked_sub(8)?)?);
        Some(Boxed { kind, whole: whole.0.get(..size)?, body })
    }

    /// The first box of that kind among those here.
    pub fn find(mut self, kind: &[u8; 4]) -> Option<Boxed<'a>> {
        loop {
            let found = self.next_box()?;
            if found.kind == *kind {
                return Some(found);
            }
        }
    }
}
