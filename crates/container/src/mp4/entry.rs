use media::{Aac, Codec, Colour, H264, Track};
use mp4_atom::esds::{DecoderConfig, DecoderSpecific, EsDescriptor, Esds, SLConfig};
use mp4_atom::{Audio, BufMut, Colr, Encode, FourCC, Pasp, Visual};

use crate::Error;

/// objectTypeIndication of ISO/IEC 14496-3 audio (ISO/IEC 14496-1 table 5).
const MPEG4_AUDIO: u8 = 0x40;
/// streamType of audio (ISO/IEC 14496-1 table 6).
const AUDIO_STREAM: u8 = 5;

/// The box of a track in `stsd`: `avc1` or `mp4a` (packaging-rules §5, C-17).
pub(super) fn sample_entry(track: &Track) -> Result<Vec<u8>, Error> {
    match &track.codec {
        Codec::H264(h264) => avc1(h264),
        Codec::Aac(aac) => mp4a(aac),
        other => Err(Error::Unsupported { codec: codec::rfc6381(other), container: "ISO BMFF" }),
    }
}

/// ISO/IEC 14496-15 §5.4.2. The record is written byte for byte: parsing and writing it anew would lose what
/// follows the parameter sets.
fn avc1(h264: &H264) -> Result<Vec<u8>, Error> {
    let picture = &h264.picture;
    let mut out = Vec::new();
    let visual = Visual {
        data_reference_index: 1,
        width: side(picture.width)?,
        height: side(picture.height)?,
        ..Visual::default()
    };
    out.encode_atom(FourCC::new(b"avc1"), |out: &mut Vec<u8>| {
        visual.encode(out)?;
        out.encode_atom(FourCC::new(b"avcC"), |out: &mut Vec<u8>| {
            out.extend_from_slice(&h264.record);
            Ok(())
        })?;
        if let Some(colour) = &picture.colour {
            colr(colour).encode(out)?;
        }
        let aspect = picture.sample_aspect;
        Pasp { h_spacing: aspect.num, v_spacing: aspect.den }.encode(out)
    })?;
    Ok(out)
}

fn side(samples: u32) -> Result<u16, Error> {
    u16::try_from(samples).map_err(|_| Error::TooLarge {
        what: "picture side in samples",
        size: samples as usize,
        limit: usize::from(u16::MAX),
    })
}

fn colr(colour: &Colour) -> Colr {
    Colr::Nclx {
        colour_primaries: colour.primaries.into(),
        transfer_characteristics: colour.transfer.into(),
        matrix_coefficients: colour.matrix.into(),
        full_range_flag: colour.full_range,
    }
}

/// ISO/IEC 14496-14 §5.6.
fn mp4a(aac: &Aac) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let audio = Audio {
        data_reference_index: 1,
        channel_count: channels(aac),
        sample_size: 16,
        // A rate that doesn't fit is in the configuration only.
        sample_rate: u16::try_from(aac.sample_rate).unwrap_or(0).into(),
    };
    out.encode_atom(FourCC::new(b"mp4a"), |out: &mut Vec<u8>| {
        audio.encode(out)?;
        esds(aac).encode(out)
    })?;
    Ok(out)
}

/// Speakers of a channelConfiguration (ISO/IEC 14496-3 table 1.19); 2 where only a program config element knows.
/// Parametric stereo makes two of one.
fn channels(aac: &Aac) -> u16 {
    match (aac.channels, aac.object_type) {
        (1, 29) | (0, _) => 2,
        (7 | 12 | 14, _) => 8,
        (11, _) => 7,
        (13, _) => 24,
        (count, _) => count.into(),
    }
}

fn esds(aac: &Aac) -> Esds {
    let config = DecoderSpecific { raw: aac.config.to_vec(), ..DecoderSpecific::default() };
    Esds {
        es_desc: EsDescriptor {
            dec_config: DecoderConfig {
                object_type_indication: MPEG4_AUDIO,
                stream_type: AUDIO_STREAM,
                dec_specific: Some(config),
                ..DecoderConfig::default()
            },
            sl_config: SLConfig::default(),
            ..EsDescriptor::default()
        },
    }
}
