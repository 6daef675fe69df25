use bytes::Bytes;
use media::{Aac, Codec, Packet, Ticks, Timescale, Track};

use super::{MS, on_wire, pes};
use crate::Error;

/// Longest time of one PES packet, in 90 kHz ticks (packaging-rules T-06).
pub(super) const SPAN: i64 = 200 * MS;

/// Audio frames on their way into one PES packet.
#[derive(Debug)]
pub(super) struct Gathered {
    timescale: Timescale,
    framing: Framing,
    frames: Vec<Frame>,
    len: usize,
}

/// How frames of a codec stand in a PES packet.
#[derive(Debug)]
enum Framing {
    /// Each with an ADTS header.
    Adts(Aac),
    /// As they are, with the header of their own: MP3.
    Mpeg,
    /// As they are, in a private stream: AC-3, E-AC-3.
    Private,
}

/// One frame.
#[derive(Debug)]
pub(super) struct Frame {
    adts: Option<[u8; 7]>,
    data: Bytes,
    dts: Ticks,
    next: Ticks,
    start: i64,
    end: i64,
}

impl Frame {
    /// Where it begins, in 90 kHz ticks of the wire.
    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// Where the next frame begins, in 90 kHz ticks of the wire.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// In bytes.
    pub(super) fn len(&self) -> usize {
        self.adts.map_or(0, |adts| adts.len()) + self.data.len()
    }
}

impl Gathered {
    /// For an audio track; `None` for what TS has no place for.
    pub(super) fn new(track: &Track) -> Option<Self> {
        let framing = match &track.codec {
            Codec::Aac(aac) => codec::aac::adts_header(aac, 0).ok().map(|_| Framing::Adts(aac.clone()))?,
            Codec::Mp3(_) => Framing::Mpeg,
            Codec::Ac3(_) => Framing::Private,
            _ => return None,
        };
        Some(Self { timescale: track.timescale, framing, frames: Vec::new(), len: 0 })
    }

    /// stream_id of the PES packet.
    pub(super) fn stream_id(&self) -> u8 {
        match self.framing {
            Framing::Adts(_) | Framing::Mpeg => pes::AUDIO_ID,
            Framing::Private => pes::PRIVATE_ID,
        }
    }

    /// A packet as a frame of this track.
    pub(super) fn frame(&self, packet: &Packet) -> Result<Frame, Error> {
        let adts = match &self.framing {
            Framing::Adts(aac) => Some(codec::aac::adts_header(aac, packet.data.len())?),
            Framing::Mpeg | Framing::Private => None,
        };
        let frame = Frame {
            adts,
            data: packet.data.clone(),
            dts: packet.dts,
            next: packet.end(),
            start: on_wire(self.timescale, packet.dts),
            end: on_wire(self.timescale, packet.end()),
        };
        let limit = pes::MAX_LENGTH - pes::OPTIONAL;
        if frame.len() > limit {
            return Err(Error::TooLarge { what: "audio frame", size: frame.len(), limit });
        }
        Ok(frame)
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
        self.frames.iter().flat_map(|frame| [frame.adts.as_ref().map_or(&[][..], |adts| adts), &frame.data])
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.len = 0;
    }
}
