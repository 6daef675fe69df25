//! `moov` and `moof` as [`crate::mp4::movie`] and [`crate::mp4::track_fragment`] write them. `None`: they are not that.

use mp4_atom::{Decode, Tkhd};

use super::cursor::Cursor;

/// tfhd: base-data-offset, sample-description-index, default-sample-duration, -size, -flags, default-base-is-moof
/// (ISO/IEC 14496-12 §8.8.7).
const BASE_OFFSET: u32 = 0x01;
const DESCRIPTION: u32 = 0x02;
const DEFAULT_DURATION: u32 = 0x08;
const DEFAULT_SIZE: u32 = 0x10;
const DEFAULT_FLAGS: u32 = 0x20;
const BASE_IS_MOOF: u32 = 0x02_0000;
/// trun: data-offset, first-sample-flags, then what each sample has (ISO/IEC 14496-12 §8.8.8).
const DATA_OFFSET: u32 = 0x001;
const FIRST_FLAGS: u32 = 0x004;
const DURATION: u32 = 0x100;
const SIZE: u32 = 0x200;
const FLAGS: u32 = 0x400;
const COMPOSITION: u32 = 0x800;
/// sample_is_non_sync_sample (ISO/IEC 14496-12 §8.8.3.1).
const IS_NON_SYNC: u32 = 0x0001_0000;

/// What a `moov` says of a track.
pub(super) struct Head {
    pub tkhd: Tkhd,
    pub timescale: u32,
    pub video: bool,
    /// `hdlr` and then `vmhd` or `smhd`, as they came.
    pub hdlr: Vec<u8>,
    pub media: Vec<u8>,
    /// The sample entry, as it came.
    pub description: Vec<u8>,
}

/// A `trun`.
pub(super) struct Run {
    pub track_id: u32,
    pub base_dts: u64,
    /// Where its samples are, from the first byte of the `moof` on, and how many bytes they have.
    pub offset: u64,
    pub size: u64,
    pub samples: Vec<Sample>,
}

/// A sample without its bytes.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub duration: u32,
    pub size: u32,
    pub sync: bool,
    pub cts: i32,
}

/// The tracks of a `moov`'s body.
pub(super) fn moov(mut body: Cursor<'_>) -> Option<Vec<Head>> {
    let mut tracks = Vec::new();
    while !body.is_empty() {
        let inner = body.next_box()?;
        if inner.kind == *b"trak" {
            tracks.push(trak(inner.body)?);
        }
    }
    Some(tracks)
}

fn trak(body: Cursor<'_>) -> Option<Head> {
    let tkhd = Tkhd::decode(&mut body.find(b"tkhd")?.whole).ok()?;
    let mdia = body.find(b"mdia")?.body;
    let minf = mdia.find(b"minf")?.body;
    let timescale = timescale(mdia.find(b"mdhd")?.body).filter(|&hz| hz > 0)?;
    let (video, media) = match minf.find(b"vmhd") {
        Some(vmhd) => (true, vmhd),
        None => (false, minf.find(b"smhd")?),
    };
    let mut stsd = minf.find(b"stbl")?.body.find(b"stsd")?.body;
    let (_, count) = (stsd.full()?, stsd.u32()?);
    let description = stsd.next_box().filter(|_| count == 1)?.whole.to_vec();
    let hdlr = mdia.find(b"hdlr")?.whole.to_vec();
    Some(Head { tkhd, timescale, video, hdlr, media: media.whole.to_vec(), description })
}

fn timescale(mut mdhd: Cursor<'_>) -> Option<u32> {
    let (version, _) = mdhd.full()?;
    mdhd.take(if version == 1 { 16 } else { 8 })?;
    mdhd.u32()
}

/// The run of a `moof`'s body: ours has one.
pub(super) fn moof(mut body: Cursor<'_>) -> Option<Run> {
    let mut run = None;
    while !body.is_empty() {
        let inner = body.next_box()?;
        if inner.kind == *b"traf" && run.replace(traf(inner.body)?).is_some() {
            return None;
        }
    }
    run
}

fn traf(body: Cursor<'_>) -> Option<Run> {
    let tfhd = Tfhd::read(body.find(b"tfhd")?.body)?;
    let mut tfdt = body.find(b"tfdt")?.body;
    let base_dts = match tfdt.full()?.0 {
        1 => tfdt.u64()?,
        _ => tfdt.u32()?.into(),
    };
    trun(body.find(b"trun")?.body, &tfhd, base_dts)
}

struct Tfhd {
    track_id: u32,
    duration: Option<u32>,
    size: Option<u32>,
    flags: Option<u32>,
}

impl Tfhd {
    fn read(mut body: Cursor<'_>) -> Option<Self> {
        let (_, flags) = body.full()?;
        let track_id = body.u32()?;
        if flags & (BASE_OFFSET | DESCRIPTION) != 0 || flags & BASE_IS_MOOF == 0 {
            return None;
        }
        let mut field = |flag: u32| if flags & flag != 0 { body.u32().map(Some) } else { Some(None) };
        let (duration, size, flags) = (field(DEFAULT_DURATION)?, field(DEFAULT_SIZE)?, field(DEFAULT_FLAGS)?);
        Some(Self { track_id, duration, size, flags })
    }
}

fn trun(mut body: Cursor<'_>, tfhd: &Tfhd, base_dts: u64) -> Option<Run> {
    let (_, flags) = body.full()?;
    let count = body.u32()?;
    let offset = body.i32().filter(|_| flags & DATA_OFFSET != 0)?;
    let first_flags = if flags & FIRST_FLAGS != 0 { Some(body.u32()?) } else { None };
    // Samples that say nothing each could be any number of them in a few bytes.
    if flags & SIZE == 0 || tfhd.size.is_some() {
        return None;
    }
    let mut samples = Vec::new();
    let mut size = 0_u64;
    for index in 0..count {
        let duration = if flags & DURATION != 0 { body.u32()? } else { tfhd.duration? };
        let bytes = body.u32()?;
        let own = if flags & FLAGS != 0 { Some(body.u32()?) } else { None };
        let first = first_flags.filter(|_| index == 0);
        let sync = own.or(first).or(tfhd.flags)? & IS_NON_SYNC == 0;
        let cts = if flags & COMPOSITION != 0 { body.i32()? } else { 0 };
        size += u64::from(bytes);
        samples.push(Sample { duration, size: bytes, sync, cts });
    }
    Some(Run { track_id: tfhd.track_id, base_dts, offset: u64::try_from(offset).ok()?, size, samples })
}
