//! AV1 configurations and temporal units.

use bytes::Bytes;
use codec::av1;
use media::{Av1, Codec, Picture};

/// Bytes as an AV1CodecConfigurationRecord and as a temporal unit.
pub fn av1(input: &[u8]) {
    let data = Bytes::copy_from_slice(input);
    if let Ok(config) = av1::config(&data) {
        let obus = av1::config_obus(&config.record);
        assert_eq!(obus.len() + 4, data.len());
        assert!(av1::has_sequence_header(&obus) || config.picture == Picture::of_size(0, 0));
        super::codec(Codec::Av1(config));
    }
    let framed = obus(&data);
    let key = av1::is_key(&data);
    assert!(framed || !key, "no decoder starts at broken framing");
    assert_eq!(av1::is_key(&av1::without_delimiters(&data)), key, "delimiters say nothing");
    pictures(&data);
}

/// OBUs lie in the input one after another, and end at the first fault.
fn obus(data: &Bytes) -> bool {
    let (mut at, mut ended) = (0, false);
    for obu in av1::obus(data) {
        assert!(!ended, "nothing follows a fault");
        match obu {
            Ok(obu) => {
                assert_eq!(data.get(at..at + obu.bytes.len()), Some(&obu.bytes[..]));
                assert!(obu.bytes.ends_with(&obu.payload) && obu.bytes.len() > obu.payload.len());
                at += obu.bytes.len();
            }
            Err(_) => ended = true,
        }
    }
    assert!(ended || at == data.len(), "OBUs of {at} bytes in {}", data.len());
    !ended
}

/// A picture that was seen once is nothing new.
fn pictures(unit: &Bytes) {
    let silent = Av1 { record: Bytes::from_static(&[0x81, 0, 0x0c, 0]), picture: Picture::of_size(0, 0) };
    if let Ok(Some(seen)) = av1::with_picture(&silent, unit) {
        super::picture(&seen.picture);
        assert!(av1::is_key(unit) && av1::has_sequence_header(unit));
        assert_eq!(av1::with_picture(&seen, unit), Ok(None));
    }
}
