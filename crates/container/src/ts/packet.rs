use bytes::{BufMut, BytesMut};

use super::clock::{Clock, Pace};

/// Bytes of a transport packet, header included (ISO/IEC 13818-1 §2.4.3.2).
pub(super) const PACKET: usize = 188;
/// Bytes after the 4-byte header.
const BODY: usize = 184;
const SYNC: u8 = 0x47;

/// One PID and its continuity counter, which goes up with every packet that has a payload (§2.4.3.3).
#[derive(Debug)]
pub(super) struct Stream {
    pid: u16,
    /// Of the next payload packet, 0 to 15.
    counter: u8,
}

/// What an adaptation field can say (§2.4.3.4).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Field {
    pub(super) discontinuity: bool,
    pub(super) random_access: bool,
    /// 90 kHz ticks before the wrap.
    pub(super) pcr: Option<i64>,
}

/// One PES packet to be cut into transport packets.
pub(super) struct Unit<I> {
    /// Whether decoding can start here.
    pub(super) random_access: bool,
    /// Bytes of all `pieces`.
    pub(super) len: usize,
    pub(super) pieces: I,
}

impl Stream {
    pub(super) fn new(pid: u16) -> Self {
        Self { pid, counter: 0 }
    }

    /// A packet with a whole table section; the rest is filled with 0xFF (§2.4.4).
    pub(super) fn section(&mut self, section: &[u8], out: &mut BytesMut) {
        self.header(true, BODY, &Field::default(), out);
        out.put_u8(0); // pointer_field
        out.put_slice(section);
        out.put_bytes(0xFF, BODY.saturating_sub(1 + section.len()));
    }

    /// A packet without payload, which leaves the counter as it is (§2.4.3.3).
    pub(super) fn field_only(&mut self, field: Field, out: &mut BytesMut) {
        self.header(false, 0, &field, out);
    }

    /// Appends header and adaptation field of a packet, with as much stuffing as makes `wanted` payload bytes
    /// fill it. The answer is how many payload bytes must follow.
    fn header(&mut self, start: bool, wanted: usize, field: &Field, out: &mut BytesMut) -> usize {
        let needed = field.len();
        let payload = wanted.min(BODY - needed);
        let adaptation = BODY - payload;
        let control = u8::from(adaptation > 0) << 5 | u8::from(payload > 0) << 4;
        let counter = if payload > 0 { self.counter } else { self.counter.wrapping_sub(1) & 0x0F };
        let [high, low] = self.pid.to_be_bytes();
        out.put_slice(&[SYNC, u8::from(start) << 6 | high, low, control | counter]);
        if payload > 0 {
            self.counter = (self.counter + 1) & 0x0F;
        }
        if adaptation > 0 {
            field.write(adaptation, out);
        }
        payload
    }
}

impl Field {
    fn is_empty(&self) -> bool {
        !self.discontinuity && !self.random_access && self.pcr.is_none()
    }

    fn len(&self) -> usize {
        match self.pcr {
            _ if self.is_empty() => 0,
            Some(_) => 8,
            None => 2,
        }
    }

    /// Appends `size` bytes: length, flags, PCR, stuffing.
    fn write(&self, size: usize, out: &mut BytesMut) {
        out.put_u8((size - 1) as u8);
        if size == 1 {
            return;
        }
        let flags = u8::from(self.discontinuity) << 7 | u8::from(self.random_access) << 6;
        out.put_u8(flags | u8::from(self.pcr.is_some()) << 4);
        let mut used = 2;
        if let Some(pcr) = self.pcr {
            // 33 bits of 90 kHz, 6 reserved bits, 9 bits of 27 MHz that are always 0 here (§2.4.3.5)
            let base = (pcr as u64) & 0x1_FFFF_FFFF;
            out.put_uint(base << 15 | 0x3F << 9, 6);
            used += 6;
        }
        out.put_bytes(0xFF, size - used);
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> Unit<I> {
    /// Appends the unit in packets of `stream`. With a clock, PCRs are laid into it at the given pace.
    pub(super) fn write(
        self,
        stream: &mut Stream,
        mut clock: Option<(&mut Clock, Pace)>,
        out: &mut BytesMut,
    ) {
        out.reserve((self.len / BODY + 2) * PACKET);
        let mut source = Source { pieces: self.pieces, current: &[] };
        let mut sent = 0;
        while sent < self.len {
            let mut field = match &mut clock {
                Some((clock, pace)) => clock.stamp(pace, sent, self.len, stream, out),
                None => Field::default(),
            };
            field.random_access = self.random_access && sent == 0;
            let payload = stream.header(sent == 0, self.len - sent, &field, out);
            source.copy(payload, out);
            sent += payload;
        }
    }
}

/// Copies a row of slices in lengths that don't match theirs.
struct Source<'a, I> {
    pieces: I,
    current: &'a [u8],
}

impl<'a, I: Iterator<Item = &'a [u8]>> Source<'a, I> {
    fn copy(&mut self, mut count: usize, out: &mut BytesMut) {
        while count > 0 {
            if self.current.is_empty() {
                match self.pieces.next() {
                    Some(piece) => self.current = piece,
                    // The length was summed over the same pieces, so this only keeps the packet whole.
                    None => return out.put_bytes(0xFF, count),
                }
            }
            let (now, later) = self.current.split_at(count.min(self.current.len()));
            out.put_slice(now);
            count -= now.len();
            self.current = later;
        }
    }
}
