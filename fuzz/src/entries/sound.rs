//! Configurations and frames of sound other than AAC.

use bytes::Bytes;
use codec::{ac3, flac, mp3, opus};
use media::{Codec, Flac};

/// The header of an MP3 frame.
pub fn mp3(input: &[u8]) {
    let Ok(mp3) = mp3::config(input) else { return };
    assert!((8_000..=48_000).contains(&mp3.sample_rate) && matches!(mp3.channels, 1 | 2), "{mp3:?}");
    super::codec(Codec::Mp3(mp3));
}

/// An OpusHead, and an Opus packet.
pub fn opus(input: &[u8]) {
    // The shortest frame has 2.5 ms.
    assert!(opus::samples(input).is_none_or(|samples| samples % 120 == 0 && samples <= 5_760));
    let Ok(opus) = opus::config(&Bytes::copy_from_slice(input)) else { return };
    let dops = opus::dops(&opus);
    assert_eq!((dops[0], dops[1]), (0, opus.channels), "version, channels");
    assert!(dops.len() == 11 || dops.len() == 13 + usize::from(opus.channels), "{dops:?}");
    super::codec(Codec::Opus(opus));
}

/// A FLAC configuration in its wrappings, and a frame.
pub fn flac(input: &[u8]) {
    for channels in 1..=8 {
        let (stream_info, sample_rate, bits_per_sample) = (Bytes::new(), 48_000, 16);
        let flac = Flac { stream_info, sample_rate, channels, bits_per_sample };
        let samples = flac::samples(&flac, input);
        assert!(samples.is_none_or(|samples| (1..=65_535).contains(&samples)), "{samples:?}");
    }
    let Ok(flac) = flac::config(&Bytes::copy_from_slice(input)) else { return };
    assert!(
        flac.sample_rate > 0 && (1..=8).contains(&flac.channels) && (4..=32).contains(&flac.bits_per_sample)
    );
    assert_eq!(flac::config(&flac::dfla(&flac).into()).as_ref(), Ok(&flac), "what dfLa holds");
    super::codec(Codec::Flac(flac));
}

/// An access unit of AC-3 or Enhanced AC-3.
pub fn ac3(input: &[u8]) {
    let samples = ac3::samples(input);
    assert!(samples.is_none_or(|samples| samples > 0 && samples % 256 == 0), "{samples:?}");
    for enhanced in [false, true] {
        let Ok(ac3) = ac3::config(input, enhanced) else { continue };
        assert!(ac3.sample_rate >= 8_000 && (1..=6).contains(&ac3.channels), "{ac3:?}");
        if enhanced {
            assert!((5..=36).contains(&ac3.record.len()) && samples.is_some(), "{ac3:?}");
        } else {
            assert_eq!(ac3.record.len(), 3);
        }
        super::codec(Codec::Ac3(ac3));
    }
}
