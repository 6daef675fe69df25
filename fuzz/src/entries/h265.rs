//! H.265 configurations and access units.

use bytes::Bytes;
use codec::{h265, nal};
use media::{Codec, H265};

/// Bytes as a sequence parameter set, as an HEVCDecoderConfigurationRecord, and as an access unit.
pub fn h265(input: &[u8]) {
    if let Ok(picture) = h265::picture(input) {
        super::picture(&picture);
    }
    let data = Bytes::copy_from_slice(input);
    record(&data);
    for length_size in 0..=5 {
        let framed = nal::units(&data, length_size).all(|unit| unit.is_ok());
        assert!(framed || !h265::is_irap(&data, length_size), "no decoder starts at broken framing");
    }
}

fn record(record: &Bytes) {
    if let Ok(h265::ParameterSets { vps, sps, pps }) = h265::parameter_sets(record) {
        let total: usize = vps.iter().chain(&sps).chain(&pps).map(|set| set.len() + 2).sum();
        assert!(total <= record.len(), "{total} bytes of sets in {}", record.len());
        sps.iter().filter_map(|set| h265::picture(set).ok()).for_each(|picture| super::picture(&picture));
    }
    let Ok(config) = h265::config(record) else { return };
    let H265 { length_size, picture, .. } = &config;
    assert!(matches!(length_size, 1 | 2 | 4));
    super::picture(picture);
    let codec = Codec::H265(config);
    assert!(codec::parameter_sets(&codec).is_ok_and(|sets| !sets.is_empty()));
    super::codec(codec);
}
