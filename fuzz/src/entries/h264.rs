//! H.264 configurations and access units.

use bytes::Bytes;
use codec::h264;
use media::Codec;

/// A sequence parameter set.
pub fn sps(input: &[u8]) {
    if let Ok(picture) = h264::picture(input) {
        super::picture(&picture);
    }
}

/// An AVCDecoderConfigurationRecord, and the access unit that its bytes would be.
pub fn record(input: &[u8]) {
    let record = Bytes::copy_from_slice(input);
    if let Ok(sets) = h264::parameter_sets(&record) {
        assert!(sets.sps.len() <= 31 && sets.pps.len() <= 255);
        sets.sps.iter().for_each(|set| sps(set));
    }
    if let Ok(h264) = h264::config(&record) {
        super::picture(&h264.picture);
        assert!(matches!(h264.length_size, 1 | 2 | 4));
        super::codec(Codec::H264(h264));
    }
    (0..=5).for_each(|length_size| units(&record, length_size));
}

/// NAL units behind their lengths: they lie in the input one after another, and end at the first fault.
pub fn units(data: &Bytes, length_size: u8) {
    let (mut total, mut ended) = (0, false);
    for unit in h264::nals(data, length_size) {
        assert!(!ended, "nothing follows a fault");
        match unit {
            Ok(unit) => {
                assert!(!unit.is_empty() && h264::nal_type(&unit).is_some());
                total += unit.len() + usize::from(length_size);
            }
            Err(_) => ended = true,
        }
    }
    assert!(total <= data.len(), "{total} bytes of units in {}", data.len());
    assert!(!(ended && h264::is_idr(data, length_size)), "no decoder starts at broken framing");
    for flagged in [false, true] {
        let recovers = h264::recovery(data, length_size, flagged).is_some();
        assert!(!recovers || !(ended || h264::is_idr(data, length_size)), "it is whole, and no key frame");
    }
}
