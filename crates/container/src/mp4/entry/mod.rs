//! Sample entries: the box of a track in `stsd` (packaging-rules §5, C-16, C-17).

mod sound;
mod visual;

use bytes::Bytes;
use codec::h265::{NAL_PPS, NAL_SPS, NAL_VPS};
use media::{Codec, Track};
use mp4_atom::{BufMut, Encode, FourCC};

use self::sound::Sound;
use crate::Error;

/// The sample entry of a track. Decoder configurations are written byte for byte: parsing and writing them anew
/// would lose what the parser doesn't know.
pub(super) fn sample_entry(track: &Track) -> Result<Vec<u8>, Error> {
    match &track.codec {
        Codec::H264(h264) => visual::entry(b"avc1", b"avcC", &h264.record, &h264.picture),
        Codec::H265(h265) => visual::entry(b"hvc1", b"hvcC", &complete(&h265.record), &h265.picture),
        Codec::Av1(av1) => visual::entry(b"av01", b"av1C", &av1.record, &av1.picture),
        Codec::Vp9(vp9) => visual::entry(b"vp09", b"vpcC", &vp9.record, &vp9.picture),
        Codec::Aac(aac) => Sound::of(track).mp4a(sound::MPEG4_AUDIO, Some(&aac.config)),
        Codec::Mp3(mp3) if mp3.sample_rate >= 32_000 => Sound::of(track).mp4a(sound::MPEG1_AUDIO, None),
        Codec::Mp3(_) => Sound::of(track).mp4a(sound::MPEG2_AUDIO, None),
        Codec::Opus(opus) => Sound::of(track).entry(b"Opus", b"dOps", &codec::opus::dops(opus)),
        Codec::Flac(flac) => {
            // A FullBox, version and flags 0, around what STREAMINFO makes.
            let payload = [&[0; 4], codec::flac::dfla(flac).as_slice()].concat();
            Sound::of(track).bits(flac.bits_per_sample).entry(b"fLaC", b"dfLa", &payload)
        }
        Codec::Ac3(ac3) if ac3.enhanced => Sound::of(track).entry(b"ec-3", b"dec3", &ac3.record),
        Codec::Ac3(ac3) => Sound::of(track).entry(b"ac-3", b"dac3", &ac3.record),
    }
}

/// A box of `payload`.
fn put(kind: &[u8; 4], payload: &[u8], out: &mut Vec<u8>) -> Result<(), mp4_atom::Error> {
    out.encode_atom(FourCC::new(kind), |out: &mut Vec<u8>| payload.encode(out))
}

/// Bytes of a HEVCDecoderConfigurationRecord before its arrays (ISO/IEC 14496-15 §8.3.3.1).
const HVCC_HEAD: usize = 23;

/// The record with array_completeness set for VPS, SPS and PPS, as `hvc1` demands (ISO/IEC 14496-15 §8.4.1.1);
/// encoders that write FLV leave it 0. It is no promise too much: sets in the samples that repeat these are left
/// out, and one that differs is a broken stream for `avc1` no less (packaging-rules C-16).
fn complete(record: &Bytes) -> Vec<u8> {
    let mut out = record.to_vec();
    let arrays = out.get(HVCC_HEAD - 1).copied().unwrap_or(0);
    let mut at = HVCC_HEAD;
    for _ in 0..arrays {
        let Some([kind, high, low]) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) else { break };
        if matches!(*kind & 0x3F, NAL_VPS | NAL_SPS | NAL_PPS) {
            *kind |= 0x80;
        }
        let units = u16::from_be_bytes([*high, *low]);
        at += 3;
        for _ in 0..units {
            let Some([high, low]) = out.get(at..).and_then(<[u8]>::first_chunk) else { break };
            at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
        }
    }
    out
}
