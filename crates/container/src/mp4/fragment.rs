use bytes::Bytes;
use media::Track;
use mp4_atom::{Encode, Mfhd, Moof, Tfdt, Tfhd, Traf, Trun, TrunEntry};

use super::payload::Payload;
use super::{NON_SYNC, OPEN, SYNC, TRACK_ID};
use crate::Error;

/// Bytes of the `mdat` header.
const MDAT: usize = 8;

/// One sample of a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Ticks to the next sample.
    pub duration: u32,
    /// Presentation minus decode time, in ticks; may be negative.
    pub cts: i32,
    /// Whether decoding can start here.
    pub key: bool,
    /// Whether it is a picture that needs no other, though what follows it may need what came before: the head of an
    /// open GOP.
    pub open: bool,
    /// The access unit.
    pub data: Bytes,
}

/// One CMAF chunk: `moof` and `mdat` header in the first piece, then the samples' own memory (packaging-rules
/// C-01, C-03 to C-05, C-09). `base_dts` is the decode time of the first sample in ticks of `track`. Nothing for
/// no samples.
///
/// What a sample must not have is left out where that needs no copy: of H.264 and H.265 the access unit
/// delimiters, filler and parameter sets that the init segment has, in front and at the end (C-16); of AV1 the
/// temporal delimiters (AV1-ISOBMFF §2.4). An AV1 sync sample without a sequence header gets the one of the init
/// segment.
///
/// # Errors
/// [`Error::TooLarge`] for samples of 4 GiB together; [`Error::Codec`] for a broken decoder configuration.
pub fn fragment(
    sequence: u32,
    track: &Track,
    base_dts: u64,
    samples: &[Sample],
) -> Result<Vec<Bytes>, Error> {
    track_fragment(sequence, (TRACK_ID, track), base_dts, samples)
}

/// As [`fragment`], of the track with that id in a file of several ([`super::movie`]).
///
/// # Errors
/// As [`fragment`].
pub fn track_fragment(
    sequence: u32,
    (id, track): (u32, &Track),
    base_dts: u64,
    samples: &[Sample],
) -> Result<Vec<Bytes>, Error> {
    if samples.is_empty() {
        return Ok(Vec::new());
    }
    let payload = Payload::of(track)?;
    let parts: Vec<_> = samples.iter().map(|sample| payload.part(sample)).collect();
    let sizes = parts.iter().map(|part| part.iter().map(Bytes::len).sum::<usize>());
    let total: usize = sizes.clone().sum();
    let limit = u32::MAX as usize - MDAT;
    if total > limit {
        return Err(Error::TooLarge { what: "media of a fragment", size: total, limit });
    }
    let mut moof = moof((sequence, id), base_dts, samples, sizes);
    let head = head(&mut moof, total)?;
    let mut pieces = Vec::with_capacity(1 + parts.len());
    pieces.push(head);
    pieces.extend(parts.into_iter().flatten().filter(|piece| !piece.is_empty()));
    Ok(pieces)
}

/// `moof` and the header of an `mdat` with `total` bytes. The data offset counts from the start of the `moof`
/// (default-base-is-moof), whose size doesn't depend on it.
fn head(moof: &mut Moof, total: usize) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    moof.encode(&mut out)?;
    if let Some(trun) = moof.traf.first_mut().and_then(|traf| traf.trun.first_mut()) {
        trun.data_offset = i32::try_from(out.len() + MDAT).ok();
    }
    out.clear();
    moof.encode(&mut out)?;
    out.extend_from_slice(&((total + MDAT) as u32).to_be_bytes());
    out.extend_from_slice(b"mdat");
    Ok(out.into())
}

fn moof(
    (sequence, track_id): (u32, u32),
    base_dts: u64,
    samples: &[Sample],
    sizes: impl Iterator<Item = usize>,
) -> Moof {
    let duration = same(samples.iter().map(|sample| sample.duration));
    let flags = Flags::of(samples);
    let composition = samples.iter().any(|sample| sample.cts != 0);
    let entries = samples.iter().zip(sizes).enumerate().map(|(index, (sample, size))| TrunEntry {
        duration: duration.is_none().then_some(sample.duration),
        size: Some(size as u32),
        flags: flags.entry(index, sample),
        cts: composition.then_some(sample.cts.into()),
    });
    let trun = Trun { data_offset: Some(0), samples: entries.collect::<Vec<_>>().into() };
    let tfhd = Tfhd {
        track_id,
        default_sample_duration: duration,
        default_sample_flags: flags.default(),
        default_base_is_moof: true,
        ..Tfhd::default()
    };
    let tfdt = Some(Tfdt { base_media_decode_time: base_dts });
    let traf = Traf { tfhd, tfdt, trun: vec![trun], ..Traf::default() };
    Moof { mfhd: Mfhd { sequence_number: sequence }, traf: vec![traf] }
}

/// How a chunk states its sample flags: first_sample_flags and flags of each sample exclude each other (C-05).
enum Flags {
    /// One for all.
    Same(u32),
    /// Those of the first; nothing starts at the others.
    First(u32),
    /// One each.
    Each,
}

impl Flags {
    fn of(samples: &[Sample]) -> Self {
        match (same(samples.iter().map(flags)), samples.split_first()) {
            (Some(flags), _) => Self::Same(flags),
            (None, Some((first, rest))) if rest.iter().all(|sample| flags(sample) == NON_SYNC) => {
                Self::First(flags(first))
            }
            _ => Self::Each,
        }
    }

    fn default(&self) -> Option<u32> {
        match self {
            Self::Same(flags) => Some(*flags),
            Self::First(_) => Some(NON_SYNC),
            Self::Each => None,
        }
    }

    fn entry(&self, index: usize, sample: &Sample) -> Option<u32> {
        match self {
            Self::Same(_) => None,
            Self::First(flags) => (index == 0).then_some(*flags),
            Self::Each => Some(flags(sample)),
        }
    }
}

fn flags(sample: &Sample) -> u32 {
    match (sample.key, sample.open) {
        (true, _) => SYNC,
        (false, true) => OPEN,
        (false, false) => NON_SYNC,
    }
}

fn same(mut values: impl Iterator<Item = u32>) -> Option<u32> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}
