//! AudioSpecificConfig.

use bytes::Bytes;
use codec::aac;
use media::Codec;

/// An AudioSpecificConfig, and what the containers make of it.
pub fn config(input: &[u8]) {
    let Ok(aac) = aac::config(&Bytes::copy_from_slice(input)) else { return };
    assert!(matches!(aac.frame_samples, 960 | 1024), "{aac:?}");
    for length in [0, 1, 8_184, 8_185, input.len()] {
        if let Ok(header) = aac::adts_header(&aac, length) {
            let told =
                usize::from(header[3] & 3) << 11 | usize::from(header[4]) << 3 | usize::from(header[5] >> 5);
            assert_eq!(told, length + 7, "the length in an ADTS header");
        }
    }
    super::codec(Codec::Aac(aac));
}
