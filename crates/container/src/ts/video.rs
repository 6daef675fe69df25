use bytes::Bytes;
use codec::h264::{self, NAL_AUD, NAL_FILLER, NAL_IDR, NAL_PPS, NAL_SPS, ParameterSets, nal_type};

/// Access unit delimiter with its start code: any slice type may follow (packaging-rules T-07).
const DELIMITER: &[u8] = &[0, 0, 0, 1, 0x09, 0xF0];
/// Start code of a parameter set, with zero_byte (ITU-T H.264 §B.1.2).
const LONG_START: &[u8] = &[0, 0, 0, 1];
/// Start code of every other NAL unit.
const START: &[u8] = &[0, 0, 1];

/// One access unit in byte stream format (ITU-T H.264 annex B): a delimiter, before an IDR picture the parameter
/// sets, then its NAL units as they came, without delimiters, filler and sets that only repeat ours.
#[derive(Debug)]
pub(super) struct AccessUnit {
    /// SPS, then PPS of the track.
    sets: Vec<Bytes>,
    /// Reused from unit to unit.
    nals: Vec<Bytes>,
    idr: bool,
    len: usize,
}

impl AccessUnit {
    pub(super) fn new(sets: ParameterSets) -> Self {
        let sets = sets.sps.into_iter().chain(sets.pps).collect();
        Self { sets, nals: Vec::new(), idr: false, len: 0 }
    }

    /// Takes the units of a packet. False if it has none worth sending.
    pub(super) fn read(&mut self, data: &Bytes, length_size: u8) -> Result<bool, codec::Error> {
        self.clear();
        for nal in h264::nals(data, length_size) {
            let nal = nal.inspect_err(|_| self.nals.clear())?;
            if !matches!(nal_type(&nal), Some(NAL_AUD | NAL_FILLER)) {
                self.nals.push(nal);
            }
        }
        self.idr = self.nals.iter().any(|nal| nal_type(nal) == Some(NAL_IDR));
        // One set that differs can make the others mean something else: then all stay.
        if self.idr && self.nals.iter().filter(|nal| is_set(nal)).all(|nal| self.sets.contains(nal)) {
            self.nals.retain(|nal| !is_set(nal));
        }
        self.len = self.pieces().map(<[u8]>::len).sum();
        Ok(!self.nals.is_empty())
    }

    pub(super) fn is_idr(&self) -> bool {
        self.idr
    }

    /// Bytes of all pieces.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let sets = if self.idr { self.sets.as_slice() } else { &[] };
        let units = sets.iter().chain(&self.nals);
        std::iter::once(DELIMITER).chain(units.flat_map(|nal| [start_code(nal), nal.as_ref()]))
    }

    /// Lets go of the packet's memory.
    pub(super) fn clear(&mut self) {
        self.nals.clear();
    }
}

fn is_set(nal: &[u8]) -> bool {
    matches!(nal_type(nal), Some(NAL_SPS | NAL_PPS))
}

fn start_code(nal: &[u8]) -> &'static [u8] {
    if is_set(nal) { LONG_START } else { START }
}
