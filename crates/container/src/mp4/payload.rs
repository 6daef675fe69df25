use std::ops::Range;

use bytes::Bytes;
use codec::av1;
use media::{Codec, Track};

use super::Sample;
use crate::Error;
use crate::nal::{Role, Syntax};

/// What of a track's samples goes into the `mdat`.
pub(super) enum Payload {
    /// Without the NAL units in front and at the end that say nothing: delimiters, filler (ISO/IEC 14496-15 §4.1)
    /// and what `sets` repeats (packaging-rules C-16).
    Units { syntax: Syntax, length_size: usize, sets: Vec<Bytes> },
    /// Without temporal delimiters; a sync sample with a sequence header, from `config` if it has none itself
    /// (AV1-ISOBMFF §2.4, §2.5).
    TemporalUnits { config: Bytes },
    /// As they came.
    Whole,
}

impl Payload {
    /// # Errors
    /// A broken decoder configuration.
    pub(super) fn of(track: &Track) -> Result<Self, Error> {
        let units = |syntax, length_size: u8| -> Result<Self, Error> {
            let sets = codec::parameter_sets(&track.codec)?;
            Ok(Self::Units { syntax, length_size: length_size.into(), sets })
        };
        match &track.codec {
            Codec::H264(h264) => units(Syntax::H264, h264.length_size),
            Codec::H265(h265) => units(Syntax::H265, h265.length_size),
            Codec::Av1(av1) => Ok(Self::TemporalUnits { config: av1::config_obus(&av1.record) }),
            _ => Ok(Self::Whole),
        }
    }

    /// What must stand before a sample, most often nothing, then the sample's own memory.
    pub(super) fn part(&self, sample: &Sample) -> [Bytes; 2] {
        let data = &sample.data;
        match self {
            Self::Units { syntax, length_size, sets } => {
                let unwanted = |nal: &[u8]| match syntax.role(nal) {
                    Role::Padding => true,
                    Role::ParameterSet => sets.iter().any(|set| set == nal),
                    Role::RandomAccess | Role::Other => false,
                };
                let range = wanted(data, *length_size, unwanted).unwrap_or(0..data.len());
                [Bytes::new(), data.slice(range)]
            }
            Self::TemporalUnits { config } => {
                let complete = !sample.key || av1::has_sequence_header(data);
                let head = if complete { Bytes::new() } else { config.clone() };
                [head, av1::without_delimiters(data)]
            }
            Self::Whole => [Bytes::new(), data.clone()],
        }
    }
}

/// From the first to the last NAL unit that is not `unwanted`: what is between them stays, so that the memory is
/// shared. `None` if nothing would remain, or if the framing is broken.
fn wanted(data: &[u8], length_size: usize, unwanted: impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let (mut range, mut at): (Option<Range<usize>>, usize) = (None, 0);
    while at < data.len() {
        let (length, rest) = data.get(at..)?.split_at_checked(length_size.max(1))?;
        let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        let nal = rest.get(..length)?;
        let end = data.len() - rest.len() + length;
        if !unwanted(nal) {
            range = Some(range.map_or(at, |range| range.start)..end);
        }
        at = end;
    }
    range
}
