//! VP9 configurations and frames.

use bytes::Bytes;
use codec::vp9;
use media::{Codec, Picture, Vp9};

/// Bytes as a VPCodecConfigurationRecord and as a frame or superframe.
pub fn vp9(input: &[u8]) {
    if let Ok(config) = vp9::config(&Bytes::copy_from_slice(input)) {
        assert_eq!(config.record.len(), 12);
        assert_eq!(vp9::config(&config.record).as_ref(), Ok(&config), "a completed record");
        super::codec(Codec::Vp9(config));
    }
    let silent = Vp9 { record: Bytes::new(), picture: Picture::of_size(0, 0) };
    match vp9::with_picture(&silent, input) {
        Ok(Some(seen)) => {
            super::picture(&seen.picture);
            assert!(vp9::is_key(input));
            assert_eq!(vp9::with_picture(&seen, input), Ok(None), "the same again");
        }
        Ok(None) | Err(_) => assert!(!vp9::is_key(input)),
    }
}
