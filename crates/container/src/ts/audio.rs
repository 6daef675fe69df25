use bytes::Bytes;
use media::{Aac, Packet, Ticks, Timescale};

use super::{MS, on_wire, pes};

/// Longest time of one PES packet, in 90 kHz ticks (packaging-rules T-06).
pub(super) const SPAN: i64 = 200 * MS;

/// AAC frames on their way into one PES packet.
#[derive(Debug)]
pub(super) struct Gathered {
    timescale: Timescale,
    aac: Aac,
    frames: Vec<Frame>,
    len: usize,
}

/// One AAC frame with its ADTS header.
#[derive(Debug)]
pub(super) struct Frame {
    adts: [u8; 7],
    data: Bytes,
    dts: Ticks,
    next: Ticks,
    start: i64,
    end: i64,
}

impl Frame {
    /// Where the next frame begins, in 90 kHz ticks of the wire.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    fn len(&self) -> usize {
        self.adts.len() + self.data.len()
    }
}

impl Gathered {
    pub(super) fn new(timescale: Timescale, aac: Aac) -> Self {
        Self { timescale, aac, frames: Vec::new(), len: 0 }
    }

    /// A packet as a frame of this track.
    pub(super) fn frame(&self, packet: &Packet) -> Result<Frame, codec::Error> {
        Ok(Frame {
            adts: codec::aac::adts_header(&self.aac, packet.data.len())?,
            data: packet.data.clone(),
            dts: packet.dts,
            next: packet.end(),
            start: on_wire(self.timescale, packet.dts),
            end: on_wire(self.timescale, packet.end()),
        })
    }

    /// Whether `frame` goes into the same PES packet: only its first frame has a time, so the others must follow
    /// without a gap.
    pub(super) fn takes(&self, frame: &Frame) -> bool {
        match (self.frames.first(), self.frames.last()) {
            (Some(first), Some(last)) => {
                last.next == frame.dts
                    && frame.end - first.start <= SPAN
                    && self.len + frame.len() + pes::OPTIONAL <= pes::MAX_LENGTH
            }
            _ => true,
        }
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.len += frame.len();
        self.frames.push(frame);
    }

    /// Begin and end of what is held, in 90 kHz ticks of the wire; `None` when nothing is.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        Some((self.frames.first()?.start, self.frames.last()?.end))
    }

    /// Whether the first frame held begins before `at`.
    pub(super) fn began_before(&self, at: i64) -> bool {
        self.frames.first().is_some_and(|frame| frame.start < at)
    }

    /// Bytes of all pieces.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.frames.iter().flat_map(|frame| [frame.adts.as_slice(), frame.data.as_ref()])
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.len = 0;
    }
}
