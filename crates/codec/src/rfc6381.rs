use media::Codec;

/// The codec string of RFC 6381 that HLS CODECS and DASH @codecs take (packaging-rules §5): from the decoder
/// configuration alone, never from metadata. `avc1.64001f`, `mp4a.40.2`.
pub fn rfc6381(codec: &Codec) -> String {
    match codec {
        Codec::H264(h264) => match h264.record.get(1..4) {
            Some(&[profile, constraints, level]) => format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
            _ => "avc1".to_owned(),
        },
        Codec::H265(_) => "hvc1".to_owned(),
        Codec::Av1(_) => "av01".to_owned(),
        Codec::Vp9(_) => "vp09".to_owned(),
        Codec::Aac(aac) => format!("mp4a.40.{}", aac.object_type),
        // objectTypeIndication of MPEG-1 and MPEG-2 audio
        Codec::Mp3(mp3) if mp3.sample_rate >= 32_000 => "mp4a.6b".to_owned(),
        Codec::Mp3(_) => "mp4a.69".to_owned(),
        Codec::Opus(_) => "Opus".to_owned(),
        Codec::Flac(_) => "fLaC".to_owned(),
        Codec::Ac3(ac3) => if ac3.enhanced { "ec-3" } else { "ac-3" }.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::{H264, Picture};

    use super::*;

    #[track_caller]
    fn aac(asc: &'static [u8], string: &str) {
        assert_eq!(rfc6381(&Codec::Aac(crate::aac::config(&Bytes::from_static(asc)).unwrap())), string);
    }

    #[test]
    fn h264_is_named_by_bytes_1_to_3_of_its_record() {
        let picture = Picture::of_size(16, 16);
        let record = Bytes::from_static(&[1, 0x64, 0, 0x1F, 0xFF, 0xE1]);
        assert_eq!(rfc6381(&Codec::H264(H264 { record, length_size: 4, picture })), "avc1.64001f");
    }

    #[test]
    fn aac_is_named_by_the_extension_that_is_signalled() {
        aac(&[0x11, 0x90], "mp4a.40.2");
        aac(&[0x13, 0x90, 0x56, 0xE5, 0xA0], "mp4a.40.5");
        aac(&[0x13, 0x88, 0x56, 0xE5, 0xA5, 0x48, 0x80], "mp4a.40.29");
    }
}
