use bytes::Bytes;
use media::{Codec, Track};
use mp4_atom::esds::{DecoderConfig, DecoderSpecific, EsDescriptor, Esds, SLConfig};
use mp4_atom::{Audio, BufMut, Encode, FourCC};

use super::put;
use crate::Error;

/// objectTypeIndication of ISO/IEC 14496-3 audio (ISO/IEC 14496-1 table 5).
pub(super) const MPEG4_AUDIO: u8 = 0x40;
/// objectTypeIndication of ISO/IEC 13818-3 audio: MPEG-2, lower rates.
pub(super) const MPEG2_AUDIO: u8 = 0x69;
/// objectTypeIndication of ISO/IEC 11172-3 audio: MPEG-1.
pub(super) const MPEG1_AUDIO: u8 = 0x6B;
/// streamType of audio (ISO/IEC 14496-1 table 6).
const AUDIO_STREAM: u8 = 5;

/// The fields of an AudioSampleEntry (ISO/IEC 14496-12 §12.2.3).
pub(super) struct Sound {
    audio: Audio,
}

impl Sound {
    /// Of an audio track.
    pub(super) fn of(track: &Track) -> Self {
        let audio = Audio {
            data_reference_index: 1,
            // Two where only the stream knows.
            channel_count: track.codec.channels().unwrap_or(2).into(),
            sample_size: 16,
            sample_rate: entry_rate(&track.codec).into(),
        };
        Self { audio }
    }

    /// With samples of `bits`, not 16.
    pub(super) fn bits(mut self, bits: u8) -> Self {
        self.audio.sample_size = bits.into();
        self
    }

    /// The sample entry with its decoder configuration.
    pub(super) fn entry(self, kind: &[u8; 4], config: &[u8; 4], payload: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        out.encode_atom(FourCC::new(kind), |out: &mut Vec<u8>| {
            self.audio.encode(out)?;
            put(config, payload, out)
        })?;
        Ok(out)
    }

    /// `mp4a` with its `esds` (ISO/IEC 14496-14 §5.6); MPEG-1 and MPEG-2 audio have no decoder configuration.
    pub(super) fn mp4a(self, object_type: u8, config: Option<&Bytes>) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        out.encode_atom(FourCC::new(b"mp4a"), |out: &mut Vec<u8>| {
            self.audio.encode(out)?;
            esds(object_type, config).encode(out)
        })?;
        Ok(out)
    }
}

/// The rate of the entry. One that doesn't fit is halved until it does for FLAC (FLAC-ISOBMFF §3.3.1), and is in
/// the decoder configuration only for the others.
fn entry_rate(codec: &Codec) -> u16 {
    let mut rate = codec.sample_rate().unwrap_or(0);
    if matches!(codec, Codec::Flac(_)) {
        while rate > u32::from(u16::MAX) {
            rate /= 2;
        }
    }
    u16::try_from(rate).unwrap_or(0)
}

fn esds(object_type: u8, config: Option<&Bytes>) -> Esds {
    Esds {
        es_desc: EsDescriptor {
            dec_config: DecoderConfig {
                object_type_indication: object_type,
                stream_type: AUDIO_STREAM,
                dec_specific: config
                    .map(|config| DecoderSpecific { raw: config.to_vec(), ..DecoderSpecific::default() }),
                ..DecoderConfig::default()
            },
            sl_config: SLConfig::default(),
            ..EsDescriptor::default()
        },
    }
}
