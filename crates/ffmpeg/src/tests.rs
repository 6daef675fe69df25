//! Key frames with a known picture, made with libx264 (`testdata/README.md`): twelve patches, 4 across and 3 down.

use std::num::NonZeroUsize;

use bytes::Bytes;
use image::RgbImage;
use media::H264;

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

/// The decoder configuration and the access unit of a fixture: an FLV file of two video tags.
fn keyframe(flv: &'static [u8]) -> (H264, Bytes) {
    let file = Bytes::from_static(flv);
    let (mut at, mut payloads) = (13, Vec::new());
    while at < file.len() {
        let size =
            usize::from(file[at + 1]) << 16 | usize::from(file[at + 2]) << 8 | usize::from(file[at + 3]);
        payloads.push(file.slice(at + 11..at + 11 + size));
        at += 11 + size + 4;
    }
    let of_type = |kind| payloads.iter().find(|p| p[1] == kind).unwrap().slice(5..);
    (codec::h264::config(&of_type(0)).unwrap(), of_type(1))
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
fn a_picture_over_the_limit_is_refused_before_it_is_decoded() {
    let (mut codec, data) = keyframe(fixture!("601-limited-64x48"));
    codec.picture.width = MAX_SIDE + 1;
    assert!(matches!(snapshot(&codec, &data), Err(Error::TooLarge { width: 8193, height: 48 })));
}

#[test]
fn broken_media_is_an_error_and_the_next_picture_is_fine() {
    let pictures = Pictures::start(NonZeroUsize::new(1).unwrap(), 8).unwrap();
    let (codec, data) = keyframe(fixture!("601-limited-64x48"));
    let capture = |codec: &H264, data: Bytes| pictures.capture(codec.clone(), data).unwrap().blocking_recv();
    assert!(capture(&codec, data.slice(..data.len() - 1)).unwrap().is_err(), "a NAL unit cut short");
    assert!(capture(&codec, Bytes::new()).unwrap().is_err(), "nothing");
    assert!(capture(&codec, Bytes::from_static(&[0, 0, 0, 2, 0x65, 0x88])).unwrap().is_err(), "half a slice");
    let without_sets = H264 { record: Bytes::from_static(&[1, 100, 0, 10, 0xff, 0xe0, 0]), ..codec.clone() };
    assert!(capture(&without_sets, data.clone()).unwrap().is_err(), "no parameter sets");
    assert_eq!(decode(&capture(&codec, data).unwrap().unwrap()).dimensions(), (64, 48));
}

#[test]
fn no_damaged_key_frame_brings_the_process_down() {
    let (codec, data) = keyframe(fixture!("709-limited-66x50"));
    for at in 0..data.len() {
        let mut bytes = data.to_vec();
        bytes[at] ^= 1 << (at % 8);
        // A picture with concealed damage or an error: both are fine.
        let _ = snapshot(&codec, &bytes.into());
    }
}
