use bytes::Bytes;
use media::{Codec, Packet, Track};

use crate::Error;
use crate::nal::{Role, Syntax};

/// Start code of a parameter set or delimiter, with zero_byte (ITU-T H.264 §B.1.2, ITU-T H.265 §B.2.2).
const LONG_START: &[u8] = &[0, 0, 0, 1];
/// Start code of every other NAL unit.
const START: &[u8] = &[0, 0, 1];

/// One access unit in byte stream format (annex B): a delimiter, before a picture that decoding can start at the
/// parameter sets, then its NAL units as they came, without delimiters, filler and sets that only repeat ours.
#[derive(Debug)]
pub(super) struct AccessUnit {
    syntax: Syntax,
    length_size: u8,
    /// Of the track, in the order they are sent.
    sets: Vec<Bytes>,
    /// Reused from unit to unit.
    nals: Vec<Bytes>,
    random_access: bool,
    len: usize,
}

impl AccessUnit {
    /// For a video track; `None` for what TS has no place for.
    ///
    /// # Errors
    /// A broken decoder configuration.
    pub(super) fn new(track: &Track) -> Result<Option<Self>, Error> {
        let (syntax, length_size) = match &track.codec {
            Codec::H264(h264) => (Syntax::H264, h264.length_size),
            Codec::H265(h265) => (Syntax::H265, h265.length_size),
            _ => return Ok(None),
        };
        let sets = codec::parameter_sets(&track.codec)?;
        Ok(Some(Self { syntax, length_size, sets, nals: Vec::new(), random_access: false, len: 0 }))
    }

    /// Takes the units of a packet. False if it has none worth sending.
    pub(super) fn read(&mut self, packet: &Packet) -> Result<bool, codec::Error> {
        self.clear();
        for nal in codec::nal::units(&packet.data, self.length_size) {
            let nal = nal.inspect_err(|_| self.nals.clear())?;
            if self.syntax.role(&nal) != Role::Padding {
                self.nals.push(nal);
            }
        }
        let is_set = |nal: &Bytes| self.syntax.role(nal) == Role::ParameterSet;
        self.random_access = packet.recovery.is_some()
            || self.nals.iter().any(|nal| self.syntax.role(nal) == Role::RandomAccess);
        // One set that differs can make the others mean something else: then all stay.
        if self.random_access && self.nals.iter().filter(|nal| is_set(nal)).all(|nal| self.sets.contains(nal))
        {
            self.nals.retain(|nal| !is_set(nal));
        }
        self.len = self.pieces().map(<[u8]>::len).sum();
        Ok(!self.nals.is_empty())
    }

    /// Whether decoding can start at it.
    pub(super) fn is_random_access(&self) -> bool {
        self.random_access
    }

    /// Bytes of all pieces.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let sets = if self.random_access { self.sets.as_slice() } else { &[] };
        let units = sets.iter().chain(&self.nals);
        std::iter::once(self.delimiter()).chain(units.flat_map(|nal| [self.start_code(nal), nal.as_ref()]))
    }

    /// Lets go of the packet's memory.
    pub(super) fn clear(&mut self) {
        self.nals.clear();
    }

    /// Access unit delimiter with its start code: any slice type may follow (packaging-rules T-07).
    fn delimiter(&self) -> &'static [u8] {
        match self.syntax {
            Syntax::H264 => &[0, 0, 0, 1, 0x09, 0xF0],
            Syntax::H265 => &[0, 0, 0, 1, 0x46, 0x01, 0x50],
        }
    }

    fn start_code(&self, nal: &[u8]) -> &'static [u8] {
        if self.syntax.role(nal) == Role::ParameterSet { LONG_START } else { START }
    }
}
