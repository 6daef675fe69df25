use media::{Mp3, Picture};

use super::*;
use crate::samples::hex;

fn h265() -> Codec {
    let sets = ["40010c01", "42010101", "4401c172"].map(hex);
    let mut record = hex("0101600000009000000000003cf000fcfdf8f800000f03");
    for (kind, set) in [34, 33, 32].into_iter().zip(sets.iter().rev()) {
        record.extend([0x80 | kind, 0, 1, 0, set.len() as u8]);
        record.extend(set);
    }
    let picture = Picture::of_size(16, 16);
    Codec::H265(media::H265 { record: record.into(), length_size: 4, picture })
}

fn h264() -> Codec {
    let record = hex("0142c01effe10002674201000268ce");
    Codec::H264(media::H264 { record: record.into(), length_size: 4, picture: Picture::of_size(16, 16) })
}

fn opus() -> Codec {
    Codec::Opus(opus::config(&hex("4f707573486561640102380180bb0000000000").into()).unwrap())
}

#[test]
fn parameter_sets_come_in_the_order_that_a_decoder_needs() {
    let sets =
        |codec: &Codec| parameter_sets(codec).unwrap().into_iter().map(|set| set[0]).collect::<Vec<_>>();
    assert_eq!(sets(&h264()), [0x67, 0x68]);
    assert_eq!(sets(&h265()), [0x40, 0x42, 0x44], "though the record has them the other way round");
    assert!(sets(&opus()).is_empty());
}

#[test]
fn a_record_that_is_none_has_no_parameter_sets() {
    let picture = Picture::of_size(16, 16);
    let record = Bytes::from_static(&[1, 1]);
    assert!(parameter_sets(&Codec::H265(media::H265 { record, length_size: 4, picture })).is_err());
}

#[test]
fn each_codec_has_its_own_key_units() {
    let unit = |text: &str| Bytes::from(hex(text));
    assert!(is_key(&h264(), &unit("0000000165")) && !is_key(&h264(), &unit("0000000141")));
    assert!(is_key(&h265(), &unit("000000022801")) && !is_key(&h265(), &unit("000000020201")));
    assert!(is_key(&opus(), &Bytes::new()), "sound always");
    let av1 = Codec::Av1(av1::config(&unit("81000c00")).unwrap());
    assert!(is_key(&av1, &unit("120032021008")) && !is_key(&av1, &unit("120032022810")));
    let vp9 = Codec::Vp9(vp9::config(&unit("000b820202020000")).unwrap());
    assert!(is_key(&vp9, &unit("824983420013f00b3606")) && !is_key(&vp9, &unit("86004092f121400000bc")));
}

#[test]
fn samples_are_told_by_the_configuration_or_the_unit() {
    let aac = Codec::Aac(crate::aac::config(&hex("1190").into()).unwrap());
    assert_eq!(samples(&aac, &[]), Some(1_024));
    let mp3 = Codec::Mp3(Mp3 { sample_rate: 24_000, channels: 2, frame_samples: 576 });
    assert_eq!(samples(&mp3, &[]), Some(576));
    assert_eq!(samples(&opus(), &[0xFC, 0]), Some(960));
    assert_eq!(samples(&opus(), &[]), None);
    let info = hex("040004000000000008150bb800f00000000000000000000000000000000000000000");
    let flac = Codec::Flac(flac::config(&info.into()).unwrap());
    assert_eq!(samples(&flac, &hex("fff8aa0800ed4c00")), Some(1_024));
    assert_eq!(samples(&h264(), &[0, 0, 0, 1, 0x65]), None, "pictures have none");
}
