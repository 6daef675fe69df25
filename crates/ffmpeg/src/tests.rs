//! Key frames with a known picture, made with libx264, libx265, libaom and libvpx (`testdata/README.md`): twelve patches, 4 across and 3 down.

use std::num::NonZeroUsize;

use bytes::Bytes;
use image::RgbImage;
use media::{Aac, Codec, Colour, H264};

use crate::{Error, MAX_SIDE, Pictures, snapshot};

const PATCHES: [[u8; 3]; 12] = [
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
    [16, 16, 16],
    [255, 255, 255],
    [14, 222, 4],
    [240, 40, 100],
    [90, 90, 90],
];

/// 8 bit 4:2:0, limited range and JPEG each round once.
const TOLERANCE: u8 = 4;

/// The codec and the access unit of a fixture: an FLV file with a sequence header and one frame.
fn keyframe(flv: &'static [u8]) -> (Codec, Bytes) {
    let file = Bytes::from_static(flv);
    let (mut at, mut payloads) = (13, Vec::new());
    while at < file.len() {
        let size =
            usize::from(file[at + 1]) << 16 | usize::from(file[at + 2]) << 8 | usize::from(file[at + 3]);
        payloads.push(file.slice(at + 11..at + 11 + size));
        at += 11 + size + 4;
    }
    if payloads[0][0] & 0x80 == 0 {
        let of_type = |kind| payloads.iter().find(|p| p[1] == kind).unwrap().slice(5..);
        return (Codec::H264(codec::h264::config(&of_type(0)).unwrap()), of_type(1));
    }
    // Enhanced RTMP: a byte with the packet type, FourCC, composition time in type 1 of H.265, body.
    let of_type = |kinds: &[u8]| payloads.iter().find(|p| kinds.contains(&(p[0] & 15))).unwrap();
    let (head, frame) = (of_type(&[0]), of_type(&[1, 3]));
    let record = head.slice(5..);
    let codec = match &head[1..5] {
        b"hvc1" => Codec::H265(codec::h265::config(&record).unwrap()),
        b"av01" => Codec::Av1(codec::av1::config(&record).unwrap()),
        b"vp09" => Codec::Vp9(codec::vp9::config(&record).unwrap()),
        other => panic!("{other:?}"),
    };
    let timed = frame[0] & 15 == 1 && &frame[1..5] == b"hvc1";
    (codec, frame.slice(if timed { 8 } else { 5 }..))
}

/// A fixture of H.264 and its configuration.
fn h264(flv: &'static [u8]) -> (H264, Bytes) {
    match keyframe(flv) {
        (Codec::H264(h264), data) => (h264, data),
        other => panic!("{other:?}"),
    }
}

fn decode(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory(jpeg).unwrap().to_rgb8()
}

#[track_caller]
fn check_with(flv: &'static [u8], size: (u32, u32), tolerance: u8, expected: impl Fn([u8; 3]) -> [u8; 3]) {
    let (codec, data) = keyframe(flv);
    let picture = decode(&snapshot(&codec, &data).unwrap());
    assert_eq!(picture.dimensions(), size);
    let patch = if size.0 >= 640 { (size.0 / 4, size.1 / 3) } else { (16, 16) };
    for (index, rgb) in (0u32..).zip(PATCHES) {
        let (x, y) = (index % 4 * patch.0 + patch.0 / 2, index / 4 * patch.1 + patch.1 / 2);
        let (got, want) = (picture.get_pixel(x, y).0, expected(rgb));
        let near = got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= tolerance);
        assert!(near, "patch {index}: {got:?} instead of {want:?}");
    }
}

#[track_caller]
fn check(flv: &'static [u8], size: (u32, u32)) {
    check_with(flv, size, TOLERANCE, |rgb| rgb);
}

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("testdata/", $name, ".flv"))
    };
}

#[test]
fn colours_of_bt601_are_right_in_both_ranges() {
    check(fixture!("601-limited-64x48"), (64, 48));
    check(fixture!("601-full-64x48"), (64, 48));
}

#[test]
fn colours_of_bt709_are_right_in_both_ranges() {
    check(fixture!("709-limited-64x48"), (64, 48));
    check(fixture!("709-full-64x48"), (64, 48));
}

#[test]
fn colours_of_bt2020_are_right() {
    check(fixture!("2020-limited-64x48"), (64, 48));
}

#[test]
fn a_stream_that_names_no_matrix_is_bt709_from_720_lines_on() {
    check(fixture!("untagged-64x48"), (64, 48));
    check(fixture!("untagged-1280x720"), (1280, 720));
}

#[test]
fn a_cropped_picture_has_its_own_size() {
    check(fixture!("709-limited-66x50"), (66, 50));
}

#[test]
fn other_samplings_and_depths_become_420() {
    check(fixture!("601-full-64x48-444"), (64, 48));
    check(fixture!("709-limited-66x50-422"), (66, 50));
    check(fixture!("709-limited-66x50-10bit"), (66, 50));
    check(fixture!("709-full-64x48-10bit"), (64, 48));
    check(fixture!("rgb-64x48"), (64, 48));
}

#[test]
fn an_odd_size_is_kept() {
    // 33 chroma samples stand for 65, so patches and JPEG blocks part ways and their borders ring.
    check_with(fixture!("709-limited-65x49-444"), (65, 49), 3 * TOLERANCE, |rgb| rgb);
}

#[test]
fn grey_stays_grey() {
    check_with(fixture!("grey-limited-64x48"), (64, 48), TOLERANCE, |[r, g, b]| {
        let luma = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
        [luma.round() as u8; 3]
    });
}

#[test]
fn h265_pictures_are_right() {
    check(fixture!("hevc-709-limited-66x50"), (66, 50));
    check(fixture!("hevc-709-full-64x48"), (64, 48));
    check(fixture!("hevc-2020-limited-64x48-10bit"), (64, 48));
    check(fixture!("hevc-709-limited-64x48-444"), (64, 48));
}

#[test]
fn av1_pictures_are_right() {
    check(fixture!("av1-709-limited-66x50"), (66, 50));
    check(fixture!("av1-2020-limited-64x48-10bit"), (64, 48));
    check(fixture!("av1-601-full-64x48-444"), (64, 48));
}

#[test]
fn vp9_pictures_are_right() {
    check(fixture!("vp9-709-limited-66x50"), (66, 50));
    check(fixture!("vp9-601-full-64x48"), (64, 48));
    check(fixture!("vp9-2020-limited-64x48-10bit"), (64, 48));
    check(fixture!("vp9-709-limited-64x48-422"), (64, 48));
}

#[test]
fn an_av1_key_frame_without_its_sequence_header_takes_the_one_of_the_configuration() {
    let (codec, data) = keyframe(fixture!("av1-709-limited-66x50"));
    let frames = codec::av1::obus(&data).map(Result::unwrap).filter(|obu| obu.kind != 1);
    let bare: Bytes = frames.flat_map(|obu| obu.bytes).collect();
    assert!(!codec::av1::has_sequence_header(&bare) && bare.len() < data.len());
    assert_eq!(snapshot(&codec, &bare).unwrap(), snapshot(&codec, &data).unwrap());
}

#[test]
fn colours_that_the_frame_does_not_name_are_those_of_the_track() {
    let (codec, data) = h264(fixture!("untagged-64x48"));
    let with = |matrix| {
        let mut codec = codec.clone();
        codec.picture.colour = Some(Colour { primaries: 2, transfer: 2, matrix, full_range: false });
        snapshot(&Codec::H264(codec), &data).unwrap()
    };
    assert_eq!(with(6), with(2), "BT.601 is what a small picture is taken for");
    assert_ne!(with(1), with(2));
}

#[test]
fn an_av1_matrix_that_nobody_knows_is_taken_for_none() {
    let (codec, data) = keyframe(fixture!("av1-709-limited-66x50"));
    // color_config (AV1 §5.5.2): the end of a byte says that three code points follow, matrix_coefficients last.
    let at = data.windows(4).position(|w| w == [0x91, 1, 1, 1]).unwrap();
    let mut unknown = data.to_vec();
    unknown[at + 3] = 200;
    assert_eq!(decode(&snapshot(&codec, &unknown.into()).unwrap()).dimensions(), (66, 50));
}

#[test]
fn sound_has_no_picture() {
    let aac = Aac {
        config: Bytes::from_static(&[0x11, 0x90]),
        object_type: 2,
        sample_rate: 48_000,
        channels: 2,
        frame_samples: 1024,
    };
    assert!(matches!(snapshot(&Codec::Aac(aac), &Bytes::new()), Err(Error::NoPicture)));
}

#[test]
fn a_picture_over_the_limit_is_refused_before_it_is_decoded() {
    for fixture in [
        &fixture!("601-limited-64x48")[..],
        fixture!("hevc-709-limited-66x50"),
        fixture!("av1-709-limited-66x50"),
        fixture!("vp9-709-limited-66x50"),
    ] {
        let (mut codec, data) = keyframe(fixture);
        codec.picture_mut().unwrap().width = MAX_SIDE + 1;
        assert!(matches!(snapshot(&codec, &data), Err(Error::TooLarge { width: 8193, .. })));
    }
}

#[test]
fn broken_media_is_an_error_and_the_next_picture_is_fine() {
    let pictures = Pictures::start(NonZeroUsize::new(1).unwrap(), 8).unwrap();
    let (h264, data) = h264(fixture!("601-limited-64x48"));
    let codec = Codec::H264(h264.clone());
    let capture = |codec: &Codec, data: Bytes| pictures.capture(codec.clone(), data).unwrap().blocking_recv();
    assert!(capture(&codec, data.slice(..data.len() - 1)).unwrap().is_err(), "a NAL unit cut short");
    assert!(capture(&codec, Bytes::new()).unwrap().is_err(), "nothing");
    assert!(capture(&codec, Bytes::from_static(&[0, 0, 0, 2, 0x65, 0x88])).unwrap().is_err(), "half a slice");
    let without_sets = H264 { record: Bytes::from_static(&[1, 100, 0, 10, 0xff, 0xe0, 0]), ..h264 };
    assert!(capture(&Codec::H264(without_sets), data.clone()).unwrap().is_err(), "no parameter sets");
    assert_eq!(decode(&capture(&codec, data).unwrap().unwrap()).dimensions(), (64, 48));
}

#[test]
fn no_damaged_key_frame_brings_the_process_down() {
    for fixture in [
        &fixture!("709-limited-66x50")[..],
        fixture!("hevc-709-limited-66x50"),
        fixture!("av1-709-limited-66x50"),
        fixture!("vp9-709-limited-66x50"),
    ] {
        let (codec, data) = keyframe(fixture);
        for at in 0..data.len() {
            let mut bytes = data.to_vec();
            bytes[at] ^= 1 << (at % 8);
            // A picture with concealed damage or an error: both are fine.
            let _ = snapshot(&codec, &bytes.into());
        }
    }
}
