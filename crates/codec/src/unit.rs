//! Questions about a unit that every codec answers.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use media::Codec;

use crate::{Error, ac3, av1, flac, h264, h265, opus, vp9};

/// Whether decoding may start at a unit: an IDR picture of H.264, a random access picture of H.265, a shown key
/// frame of AV1, a key frame of VP9, and sound always. False on broken framing.
pub fn is_key(codec: &Codec, unit: &Bytes) -> bool {
    match codec {
        Codec::H264(h264) => h264::is_idr(unit, h264.length_size),
        Codec::H265(h265) => h265::is_irap(unit, h265.length_size),
        Codec::Av1(_) => av1::is_key(unit),
        Codec::Vp9(_) => vp9::is_key(unit),
        Codec::Aac(_) | Codec::Mp3(_) | Codec::Opus(_) | Codec::Flac(_) | Codec::Ac3(_) => true,
    }
}

/// Of a unit at which decoding can start though not all that is shown from there on is right: after how many pictures it
/// is. 0 where an open GOP begins: pictures shown before it may be missing. Those of H.265 are key frames
/// ([`h265::is_cra`]), those of H.264 are not ([`h264::recovery`]). `flagged`: the sender says that decoding can start
/// there.
pub fn recovery(codec: &Codec, unit: &Bytes, flagged: bool) -> Option<u16> {
    match codec {
        Codec::H264(h264) => h264::recovery(unit, h264.length_size, flagged),
        Codec::H265(h265) => h265::is_cra(unit, h265.length_size).then_some(0),
        _ => None,
    }
}

/// Samples of one channel in a unit of sound, which are ticks of its track's timescale. `None` for pictures, and
/// for sound whose header cannot be read.
pub fn samples(codec: &Codec, unit: &[u8]) -> Option<u32> {
    match codec {
        Codec::H264(_) | Codec::H265(_) | Codec::Av1(_) | Codec::Vp9(_) => None,
        Codec::Aac(aac) => Some(aac.frame_samples),
        Codec::Mp3(mp3) => Some(mp3.frame_samples),
        Codec::Opus(_) => opus::samples(unit),
        Codec::Flac(config) => flac::samples(config, unit),
        Codec::Ac3(_) => ac3::samples(unit),
    }
}

/// The parameter sets that a decoder needs before the first unit, each with its NAL unit header, in the order in
/// which it needs them: SPS and PPS of H.264; VPS, SPS and PPS of H.265; none of the others.
///
/// # Errors
/// A record that is not one.
pub fn parameter_sets(codec: &Codec) -> Result<Vec<Bytes>, Error> {
    match codec {
        Codec::H264(h264) => {
            let sets = h264::parameter_sets(&h264.record)?;
            Ok([sets.sps, sets.pps].concat())
        }
        Codec::H265(h265) => {
            let sets = h265::parameter_sets(&h265.record)?;
            Ok([sets.vps, sets.sps, sets.pps].concat())
        }
        _ => Ok(Vec::new()),
    }
}
