#[cfg(test)]
mod tests;

use std::fmt::Write;

use media::{Av1, Codec, Colour};

/// The codec string of RFC 6381 that HLS CODECS and DASH @codecs take (packaging-rules §5): from the decoder
/// configuration alone, never from metadata. `avc1.64001f`, `mp4a.40.2`. A record that is too short gives the
/// name of its sample entry.
pub fn rfc6381(codec: &Codec) -> String {
    match codec {
        Codec::H264(h264) => match h264.record.get(1..4) {
            Some(&[profile, constraints, level]) => format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
            _ => "avc1".to_owned(),
        },
        Codec::H265(h265) => hevc(&h265.record).unwrap_or_else(|| "hvc1".to_owned()),
        Codec::Av1(config) => av1(config).unwrap_or_else(|| "av01".to_owned()),
        Codec::Vp9(vp9) => vp09(&vp9.record).unwrap_or_else(|| "vp09".to_owned()),
        Codec::Aac(aac) => format!("mp4a.40.{}", aac.object_type),
        // objectTypeIndication of MPEG-1 and MPEG-2 audio
        Codec::Mp3(mp3) if mp3.sample_rate >= 32_000 => "mp4a.6b".to_owned(),
        Codec::Mp3(_) => "mp4a.69".to_owned(),
        Codec::Opus(_) => "Opus".to_owned(),
        Codec::Flac(_) => "fLaC".to_owned(),
        Codec::Ac3(ac3) => if ac3.enhanced { "ec-3" } else { "ac-3" }.to_owned(),
    }
}

/// ISO/IEC 14496-15 annex E.3: profile space and profile, compatibility flags from the last to the first, tier
/// and level, constraint bytes without the zeros at their end.
fn hevc(record: &[u8]) -> Option<String> {
    let general = *record.get(1)?;
    let compatibility = u32::from_be_bytes(record.get(2..6)?.try_into().ok()?);
    let constraints = record.get(6..12)?;
    let level = record.get(12)?;
    let space = ["", "A", "B", "C"].get(usize::from(general >> 6))?;
    let tier = if general & 0x20 == 0 { 'L' } else { 'H' };
    let (profile, flags) = (general & 0x1F, compatibility.reverse_bits());
    let mut text = format!("hvc1.{space}{profile}.{flags:X}.{tier}{level}");
    let count = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in constraints.iter().take(count) {
        write!(text, ".{byte:X}").ok()?;
    }
    Some(text)
}

/// AV1-ISOBMFF §5: the colours are those of the picture, which `colr` states too.
fn av1(config: &Av1) -> Option<String> {
    let &[_, profile_and_level, flags] = config.record.get(..3)? else { return None };
    let (profile, level) = (profile_and_level >> 5, profile_and_level & 0x1F);
    let tier = if flags & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (flags & 0x40 != 0, flags & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    let monochrome = flags >> 4 & 1;
    let (across, down, position) = (flags >> 3 & 1, flags >> 2 & 1, flags & 3);
    let mut text = format!("av01.{profile}.{level:02}{tier}.{depth:02}");
    let plain = flags & 0x1F == 0x0C;
    if let Some(Colour { primaries, transfer, matrix, full_range }) = tail(config.picture.colour, plain) {
        let range = u8::from(full_range);
        let chroma = format_args!("{monochrome}.{across}{down}{position}");
        write!(text, ".{chroma}.{primaries:02}.{transfer:02}.{matrix:02}.{range}").ok()?;
    }
    Some(text)
}

/// VP codec ISO media file format binding, "Codecs Parameter String".
fn vp09(record: &[u8]) -> Option<String> {
    let &[profile, level, depth, primaries, transfer, matrix] = record.get(4..10)? else { return None };
    let (bits, chroma, full_range) = (depth >> 4, depth >> 1 & 7, depth & 1 == 1);
    let mut text = format!("vp09.{profile:02}.{level:02}.{bits:02}");
    let colour = Colour { primaries, transfer, matrix, full_range };
    if let Some(Colour { primaries, transfer, matrix, full_range }) = tail(Some(colour), chroma == 1) {
        let range = u8::from(full_range);
        write!(text, ".{chroma:02}.{primaries:02}.{transfer:02}.{matrix:02}.{range:02}").ok()?;
    }
    Some(text)
}

/// What the optional end of an AV1 or VP9 string has to say; it is left out as a whole where it says what its
/// absence means: `plain` chroma and BT.709, or nothing known, in the usual range.
fn tail(colour: Option<Colour>, plain: bool) -> Option<Colour> {
    let of = |point| Colour { primaries: point, transfer: point, matrix: point, full_range: false };
    let colour = colour.unwrap_or(of(2));
    (!plain || (colour != of(1) && colour != of(2))).then_some(colour)
}
