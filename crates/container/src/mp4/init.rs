use bytes::Bytes;
use media::{Codec, Kind, Picture, Track};
use mp4_atom::{BufMut, DrefEntry, Encode, FixedPoint, FourCC, Ftyp, Hdlr, Mdhd, Mvhd, Tkhd, Trex, Url};

use super::{NON_SYNC, SYNC, TRACK_ID, entry};
use crate::Error;

/// The init segment of a track: `ftyp` and `moov` (packaging-rules C-02, C-09). The track's timescale is the
/// file's; all durations are 0, as nothing is known to end. Decoder configurations go in as they came.
///
/// # Errors
/// [`Error::TooLarge`] for a picture wider or higher than 65,535.
pub fn init(track: &Track) -> Result<Bytes, Error> {
    single(track, true)
}

/// As [`init`], of pictures that are decoded before they are shown by composition offsets that are never negative: the
/// brand `cmf2` is for those that may be (ISO/IEC 23000-19 §7.7.2).
///
/// # Errors
/// As [`init`].
pub fn init_reordered(track: &Track) -> Result<Bytes, Error> {
    single(track, false)
}

fn single(track: &Track, signed: bool) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    ftyp(track, signed).encode(&mut out)?;
    moov(&[(TRACK_ID, track)], &mut out)?;
    Ok(out.into())
}

/// The beginning of a fragmented file of several tracks: `ftyp` and `moov`. Their ids are 1 and up, in their order;
/// fragments follow from [`super::track_fragment`]. Written again where parameters change.
///
/// # Errors
/// As [`init`].
pub fn movie(tracks: &[Track]) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    let ftyp = Ftyp {
        major_brand: FourCC::new(b"iso6"),
        minor_version: 0,
        compatible_brands: vec![FourCC::new(b"iso6")],
    };
    ftyp.encode(&mut out)?;
    let tracks: Vec<_> = (1..).zip(tracks).collect();
    moov(&tracks, &mut out)?;
    Ok(out.into())
}

fn moov(tracks: &[(u32, &Track)], out: &mut Vec<u8>) -> Result<(), Error> {
    let entries = tracks.iter().map(|&(_, track)| entry::sample_entry(track));
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    nest(b"moov", out, |out| {
        mvhd(tracks).encode(out)?;
        for (&(id, track), entry) in tracks.iter().zip(&entries) {
            nest(b"trak", out, |out| trak(id, track, entry, out))?;
        }
        nest(b"mvex", out, |out| tracks.iter().try_for_each(|&(id, track)| trex(id, track).encode(out)))
    })?;
    Ok(())
}

pub(super) type Boxed = Result<(), mp4_atom::Error>;

/// A box that holds boxes, in the order they are written: mp4-atom's own would put `mvex` before `trak`.
pub(super) fn nest(kind: &[u8; 4], out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>) -> Boxed) -> Boxed {
    out.encode_atom(FourCC::new(kind), body)
}

fn ftyp(track: &Track, signed: bool) -> Ftyp {
    let mut brands = vec![FourCC::new(b"iso6"), FourCC::new(b"cmfc")];
    if track.is_video() && signed {
        brands.push(FourCC::new(b"cmf2"));
    }
    if matches!(track.codec, Codec::Av1(_)) {
        brands.push(FourCC::new(b"av01")); // AV1-ISOBMFF §2.1
    }
    Ftyp { major_brand: FourCC::new(b"iso6"), minor_version: 0, compatible_brands: brands }
}

fn mvhd(tracks: &[(u32, &Track)]) -> Mvhd {
    Mvhd {
        timescale: tracks.first().map_or(1_000, |(_, track)| track.timescale.hz()),
        rate: 1.into(),
        volume: 1.into(),
        next_track_id: tracks.last().map_or(TRACK_ID, |(id, _)| *id) + 1,
        ..Mvhd::default()
    }
}

fn trak(id: u32, track: &Track, entry: &[u8], out: &mut Vec<u8>) -> Boxed {
    tkhd(id, track).encode(out)?;
    nest(b"mdia", out, |out| {
        let (timescale, language) = (track.timescale.hz(), "und".to_owned());
        Mdhd { timescale, language, ..Mdhd::default() }.encode(out)?;
        hdlr(track).encode(out)?;
        nest(b"minf", out, |out| minf(track, entry, out))
    })
}

fn tkhd(id: u32, track: &Track) -> Tkhd {
    let (width, height) = track.picture().map(display_size).unwrap_or_default();
    let volume = if track.is_video() { 0 } else { 1 };
    Tkhd {
        track_id: id,
        enabled: true,
        in_movie: true,
        volume: volume.into(),
        width,
        height,
        ..Tkhd::default()
    }
}

/// In square pixels, 16.16 (packaging-rules C-17): the height stays, the width takes the sample aspect.
fn display_size(picture: &Picture) -> (FixedPoint<u16>, FixedPoint<u16>) {
    let aspect = picture.sample_aspect;
    let wide =
        (u64::from(picture.width) << 16).saturating_mul(u64::from(aspect.num)) / u64::from(aspect.den.max(1));
    (fixed(wide), fixed(u64::from(picture.height) << 16))
}

fn fixed(bits: u64) -> FixedPoint<u16> {
    let bits = u32::try_from(bits).unwrap_or(u32::MAX);
    FixedPoint::new((bits >> 16) as u16, bits as u16)
}

fn hdlr(track: &Track) -> Hdlr {
    let (handler, name) = if track.is_video() { (b"vide", "video") } else { (b"soun", "sound") };
    Hdlr { handler: FourCC::new(handler), name: name.to_owned() }
}

fn minf(track: &Track, entry: &[u8], out: &mut Vec<u8>) -> Boxed {
    match track.id.kind {
        Kind::Video => mp4_atom::Vmhd::default().encode(out)?,
        Kind::Audio => mp4_atom::Smhd::default().encode(out)?,
    }
    dinf(out)?;
    nest(b"stbl", out, |out| {
        nest(b"stsd", out, |out| {
            out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]); // version, flags, entry_count
            out.extend_from_slice(entry);
            Ok(())
        })?;
        mp4_atom::Stts::default().encode(out)?;
        mp4_atom::Stsc::default().encode(out)?;
        mp4_atom::Stsz::default().encode(out)?;
        mp4_atom::Stco::default().encode(out)
    })
}

/// An empty location: the media is in this file (§8.7.2).
pub(super) fn dinf(out: &mut Vec<u8>) -> Boxed {
    nest(b"dinf", out, |out| mp4_atom::Dref { entries: vec![DrefEntry::Url(Url::default())] }.encode(out))
}

fn trex(id: u32, track: &Track) -> Trex {
    Trex {
        track_id: id,
        default_sample_description_index: 1,
        default_sample_flags: if track.is_video() { NON_SYNC } else { SYNC },
        ..Trex::default()
    }
}
